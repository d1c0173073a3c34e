//! The table against the decoder, against the schema that is made of it, and against the documents.

use super::*;
use crate::spec::decode::{Draft, decode};
use crate::spec::load::from_text;
use crate::spec::node::{self, Node};
use crate::spec::problem::Problems;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

mod documents;

/// Whether the schema takes this text, as an editor reads it: no variable is filled in.
fn takes(text: &str) -> bool {
    static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("spec.json", schema()).unwrap();
        let index = compiler.compile("spec.json", &mut schemas).unwrap();
        (schemas, index)
    });
    let (schemas, index) = &*SCHEMA;
    schemas.validate(&json(&node::parse(text).unwrap()), *index).is_ok()
}

fn json(node: &Node) -> Json {
    match &node.value {
        node::Value::Null | node::Value::Broken => Json::Null,
        node::Value::Bool(flag) => (*flag).into(),
        node::Value::Whole(number) => i64::try_from(*number).map_or(Json::Null, Json::from),
        node::Value::Number(number) => (*number).into(),
        node::Value::Text(text) => text.as_str().into(),
        node::Value::List(items) => items.iter().map(json).collect(),
        node::Value::Map(entries) => {
            // Of a key that is given twice, the decoder reads the first.
            let entries = entries.iter().rev();
            entries.map(|entry| (entry.key.written.clone(), json(&entry.value))).collect()
        }
    }
}

/// The schema takes what the decoder takes, and refuses keys and types that the decoder refuses.
pub(in crate::spec) fn agree<T>(text: &str, loaded: Result<&T, &Problems>) {
    let Err(problems) = loaded else {
        return assert!(takes(text), "the schema refuses\n{text}");
    };
    let is_told = |what: &str| {
        let kinds = [
            "text",
            "a list",
            "keys with values",
            "`true` or `false`",
            "a whole number",
            "a number of megabytes",
            "a duration such as `10m`",
        ];
        let wrong = kinds.iter().any(|kind| what.contains(&format!("must be {kind}, found")));
        // To the schema, the key `1` is text and `5e2` is whole.
        let finer = what.starts_with("a key") || what.contains("whole number, found the number");
        let key = what.starts_with("unknown key") || what.ends_with("cannot be set");
        key || what.ends_with("has no value") || (wrong && !finer)
    };
    if let Some(problem) = problems.iter().find(|problem| is_told(&problem.what)) {
        assert!(!takes(text), "the schema takes\n{text}\nin spite of: {}", problem.what);
    }
}

/// The spec with these values, in the order of the table.
fn spec<'v>(value: impl Fn(&Key) -> Option<&'v str>) -> String {
    let line = |key: &Key| {
        let start = "  ".repeat(key.path.matches('.').count()) + key.name();
        let inside = |other: &Key| other.path.starts_with(&format!("{}.", key.path));
        if TABLE.iter().any(|other| inside(other) && value(other).is_some()) {
            return Some(format!("{start}:\n"));
        }
        value(key).map(|value| format!("{start}: {value}\n"))
    };
    TABLE.iter().filter_map(line).collect()
}

fn is_section(key: &Key) -> bool {
    matches!(key.value, Value::Section)
}

fn is_attached(key: &Key) -> bool {
    key.section() == "distribution" && ATTACHED.contains(&key.name())
}

/// The two specs that have every key between them: with a distribution of ours, and attached.
fn examples() -> [String; 2] {
    let example = |key: &Key, there: bool| (there && !is_section(key)).then_some(key.example);
    [
        spec(|key| example(key, !is_attached(key))),
        spec(|key| example(key, key.path == "stack" || is_attached(key))),
    ]
}

#[test]
fn every_key_of_the_table_is_read() {
    let mut given = BTreeSet::new();
    for text in examples() {
        let mut problems = Vec::new();
        let draft: Draft =
            decode(&node::parse(&text).unwrap(), Path::new("x.yaml"), &mut problems).unwrap();
        assert_eq!(problems, [], "{text}");
        agree(&text, from_text(Path::new("x.yaml"), &text).as_ref());
        given.extend(draft.given.into_keys());
    }
    let known = TABLE.iter().filter(|key| !is_section(key)).map(|key| key.path.to_owned());
    assert_eq!(given, known.collect());
}

#[test]
fn a_section_and_its_keys_have_their_places() {
    for key in TABLE {
        assert!(!key.meaning.is_empty() && key.example.is_empty() == is_section(key), "{key:?}");
        assert_eq!(below(key.path).count() > 0, is_section(key), "{key:?}");
        assert!(std::ptr::eq(find(key.path).unwrap(), key), "{} is there twice", key.path);
        let section = find(key.section());
        assert!(key.section().is_empty() || section.is_some_and(is_section), "{key:?}");
    }
}

#[test]
fn a_default_that_is_told_is_what_holds() {
    let read = |text: &str| from_text(Path::new("x.yaml"), text).unwrap();
    let mut told = 0;
    for key in TABLE {
        let default = match key.default {
            Fallback::Value(value) => value.to_owned(),
            // The account is not known before AWS is asked.
            Fallback::Derived(value) if !value.contains("<account>") => {
                value.replace("<stack>", "shop")
            }
            _ => continue,
        };
        let base = |other: &Key| match other.path {
            "stack" => Some("shop"),
            "distribution.id" if is_attached(key) => Some("E2ABCDEF0123"),
            _ => None,
        };
        let said = spec(|other| if other.path == key.path { Some(&default) } else { base(other) });
        assert_eq!(read(&said), read(&spec(base)), "{said}");
        told += 1;
    }
    assert!(told > 20, "only {told}");
}

#[test]
fn schema_and_decoder_agree_on_every_type() {
    let values = ["true", "7", "1.5", "word", "\"7\"", "[a]", "[7]", "[a, a]", "{ a: b }", "~"];
    for key in TABLE {
        for value in values {
            let said = |other: &Key| match other.path {
                path if path == key.path => Some(value),
                "stack" => Some("shop"),
                "distribution.id" if is_attached(key) => Some("E2ABCDEF0123"),
                _ => None,
            };
            let text = spec(said);
            agree(&text, from_text(Path::new("x.yaml"), &text).as_ref());
        }
    }
}

#[test]
fn the_schema_knows_words_and_ranges() {
    for (below, good) in [
        ("maintenance: { status: 599 }", true),
        ("maintenance: { status: 600 }", false),
        ("maintenance: { status: 503.5 }", false),
        ("function: { memory: 128 }", true),
        ("function: { memory: 127 }", false),
        ("function: { memory: 256 MB }", true),
        ("function: { memory: 1GB }", false),
        ("function: { runtime: python3.13 }", true),
        ("function: { runtime: python2.7 }", false),
        ("function: { runtime: \"${RUNTIME}\" }", true),
        ("distribution: { price_class: PriceClass_300 }", false),
        ("protect: [logs]", true),
        ("protect: [log]", false),
        ("bucket:", true),
        ("bucket: { versioning: \"${KEEP}\" }", true),
        ("bucket: { versioning: yes }", false),
    ] {
        assert_eq!(takes(&format!("stack: shop\n{below}\n")), good, "{below}");
    }
    assert!(!takes("region: eu-west-1\n"), "a spec needs a stack");
}
