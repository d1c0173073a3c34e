//! What is written from the table: `PROVISION_KEYS=write cargo test --lib keys` writes it again.

use super::*;
use std::fs;

#[test]
fn the_documents_are_those_of_the_table() {
    let page = section(&read("docs/spec.md"), "keys", &table());
    let example = format!("```yaml\n{}```\n", examples()[0]);
    same("docs/spec.md", &section(&page, "example", &example));
    same("config/provision.schema.json", &format!("{:#}\n", schema()));
}

#[test]
fn the_schema_takes_every_example_that_we_ship() {
    let folders = fs::read_dir(root().join("config")).unwrap();
    let specs = folders.map(|folder| folder.unwrap().path().join("provision.yaml"));
    let texts: Vec<String> = specs.filter_map(|spec| fs::read_to_string(spec).ok()).collect();
    assert!(!texts.is_empty());
    for text in texts {
        assert!(takes(&text), "{text}");
    }
}

fn table() -> String {
    let head = "| key | value | default | meaning |\n|---|---|---|---|\n";
    let row = |key: &Key| {
        format!("| `{}` | {} | {} | {} |\n", key.path, key.value, key.default, key.meaning)
    };
    head.to_owned() + &TABLE.iter().filter(|key| !is_section(key)).map(row).collect::<String>()
}

/// The page with `text` between the two marks of `name`.
fn section(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    [before, &begin, "\n", text, "\n", &end, after].concat()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}

fn same(file: &str, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to write")]
    if std::env::var("PROVISION_KEYS").is_ok_and(|value| value == "write") {
        fs::write(root().join(file), text).unwrap();
    }
    assert!(
        read(file) == text,
        "{file} is not that of the table: `PROVISION_KEYS=write cargo test --lib keys` writes it"
    );
}
