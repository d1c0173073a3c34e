//! The house's own rules, kept by a machine. ARCHITECTURE.md says why they are there.
//!
//! Sources are read as text: lines of comments and `#[cfg(test)]` modules are left out, and paths
//! are followed from `crate::` and `super::`. That sees what rustfmt leaves behind, which is all
//! that is ever committed.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use provision::change::Kind;
use provision::spec::load::{Files, load};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No source file has more lines.
const LONG: usize = 400;

/// A source file of the library.
struct Source {
    /// From the root of the repository, with slashes.
    file: String,
    /// Its module's path: `src/view/human.rs` → `view`, `human`.
    module: Vec<String>,
    /// What remains without comments and tests.
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Every path in the code that begins with `crate::` or `super::`, from the crate's root.
    fn paths(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        for start in ["crate::", "super::"] {
            for (at, _) in self.code.match_indices(start) {
                let before = self.code[..at].chars().next_back().unwrap_or(' ');
                if !(before.is_alphanumeric() || matches!(before, '_' | ':')) {
                    found.extend(
                        expand(Vec::new(), &self.code[at..])
                            .into_iter()
                            .filter_map(|path| self.resolve(&path)),
                    );
                }
            }
        }
        found
    }

    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let up = path.iter().take_while(|part| *part == "super").count();
        let base =
            if up == 0 { &[] } else { self.module.get(..self.module.len().checked_sub(up)?)? };
        Some([base, &path[up.max(1)..]].concat())
    }

    fn says(&self, word: &str) -> bool {
        self.code.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|found| found == word)
    }
}

/// The paths in the use tree that `text` begins with.
fn expand(mut path: Vec<String>, text: &str) -> Vec<Vec<String>> {
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            return items(group).into_iter().flat_map(|item| expand(path.clone(), item)).collect();
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            return vec![path];
        }
        path.push(rest[..end].to_owned());
        match rest[end..].strip_prefix("::") {
            Some(more) => rest = more,
            None => return vec![path],
        }
    }
}

/// What stands between the commas of a group, up to its end.
fn items(group: &str) -> Vec<&str> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(&group[begin..at]);
                begin = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items.into_iter().filter(|item| !item.trim().is_empty()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Every file below `folder`, from the root of the repository. What a run leaves behind is passed
/// over.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = folder.join(&name);
            if matches!(name.as_str(), ".provision" | "__pycache__") {
            } else if root().join(&path).is_dir() {
                folders.push(path);
            } else {
                found.push(path.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|ending| ending == "rs")
}

/// The library's sources; tests among them are left out.
fn sources() -> Vec<Source> {
    let is_code = |file: &String| {
        is_rust(file) && !file.split('/').any(|part| part == "tests" || part == "tests.rs")
    };
    let read = |file: String| {
        let path = file["src/".len()..].trim_end_matches(".rs");
        let module = path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect();
        Source { module, code: without_tests_and_comments(&read(&file)), file }
    };
    files("src").into_iter().filter(is_code).map(read).collect()
}

fn without_tests_and_comments(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
    let kept = lines[..tests.unwrap_or(lines.len())]
        .iter()
        .filter(|line| !line.trim_start().starts_with("//"));
    kept.fold(String::new(), |code, line| code + line + "\n")
}

/// The rooms from the ground up, as the crate's own documentation names them.
fn rooms() -> Vec<String> {
    let text = read("src/lib.rs");
    let docs: String =
        text.lines().filter_map(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
    let (_, list) = docs.split_once("Each module uses only what stands before it:").unwrap();
    let (list, _) = list.split_once('.').unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Fails with one line for each violation.
fn none(law: &str, violations: impl IntoIterator<Item = String>) {
    let all: BTreeSet<String> = violations.into_iter().collect();
    let list = all.iter().fold(String::new(), |mut list, one| {
        let _ = write!(list, "\n  {one}");
        list
    });
    assert!(all.is_empty(), "{law}:{list}");
}

#[test]
fn every_room_uses_only_what_stands_before_it() {
    let rooms = rooms();
    let place = |room: &str| rooms.iter().position(|known| known == room);
    let mut violations = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !matches!(source.file.as_str(), "src/lib.rs" | "src/main.rs"))
    {
        let Some(own) = place(source.room()) else {
            violations.push(format!("{} is in no room that src/lib.rs names", source.file));
            continue;
        };
        let used: BTreeSet<String> =
            source.paths().into_iter().filter_map(|path| path.into_iter().next()).collect();
        let above = used.iter().filter(|used| place(used).is_none_or(|place| place > own));
        violations.extend(above.map(|used| format!("{} uses `{used}`", source.file)));
    }
    none("a room may use only what stands before it", violations);
}

#[test]
fn only_the_wire_knows_the_sdk() {
    // The module `aws` of a kind, with what stands below it.
    let is_wire = |source: &Source| {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        matches!(module[..], ["aws", ..] | ["resource", _, "aws", ..])
    };
    let sources = sources();
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| !is_wire(source)) {
        let knows = ["aws_sdk_", "aws_smithy_", "aws_config"]
            .into_iter()
            .filter(|name| source.code.contains(name));
        violations.extend(knows.map(|name| format!("{} says `{name}`", source.file)));
    }
    let kinds: BTreeSet<&str> = sources
        .iter()
        .filter(|source| source.room() == "resource")
        .filter_map(|source| source.module.get(1))
        .map(String::as_str)
        .collect();
    for source in sources
        .iter()
        .filter(|source| !is_wire(source) && !source.file.starts_with("src/cloud/aws"))
    {
        let wired = |path: &[String]| {
            path.first().is_some_and(|room| room == "resource")
                && path.get(2).is_some_and(|file| file == "aws")
        };
        let imported =
            source.paths().into_iter().filter(|path| wired(path)).map(|path| path.join("::"));
        let inline = kinds
            .iter()
            .map(|kind| format!("{kind}::aws"))
            .filter(|name| source.code.contains(&format!("{name}::")));
        violations
            .extend(imported.chain(inline).map(|name| format!("{} uses `{name}`", source.file)));
        let decides = source.room() == "resource"
            && source.module.last().is_some_and(|file| file == "plan" || file == "simulate");
        let reaches = source.paths().into_iter().filter_map(|path| path.into_iter().next());
        let reaches = reaches.filter(|room| decides && matches!(room.as_str(), "aws" | "context"));
        violations
            .extend(reaches.map(|room| format!("{} is pure, and uses `{room}`", source.file)));
    }
    none("only src/aws and a kind's `aws` know the SDK; only cloud/aws.rs calls them", violations);
}

#[test]
fn the_view_sees_changes_and_never_ops() {
    let all = sources();
    let views = all.iter().filter(|source| source.room() == "view");
    none(
        "a view knows `Change`, not a kind's `Op`",
        views.filter(|source| source.says("Op")).map(|source| source.file.clone()),
    );
}

#[test]
fn the_edge_region_stands_in_one_place() {
    let region = ["us", "east", "1"].join("-");
    let all = sources();
    let places = all
        .iter()
        .flat_map(|source| source.code.match_indices(&region).map(|_| source.file.as_str()));
    assert_eq!(
        places.collect::<Vec<_>>(),
        ["src/name.rs"],
        "use `EDGE_REGION` or `Region::edge()`"
    );
}

#[test]
fn a_files_name_says_what_it_is_for() {
    let banned = ["util", "helper", "common", "misc", "manager"];
    let all = ["src", "tests", "benches", "config"].into_iter().flat_map(files);
    none(
        "these names say nothing",
        all.filter(|file| banned.iter().any(|word| file.to_lowercase().contains(word))),
    );
}

#[test]
fn no_source_file_is_long() {
    let length = |file: &str| read(file).lines().count();
    let long = files("src").into_iter().filter(|file| is_rust(file) && length(file) > LONG);
    none(
        "split the file by what a reader looks for",
        long.map(|file| format!("{file}: {} lines", length(&file))),
    );
}

/// The text of every block of this language in a document.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    document
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|(block, _)| format!("{block}\n"))
        .collect()
}

#[test]
fn every_spec_that_we_show_is_right() {
    let pages: Vec<String> = documents().iter().map(|page| read(page)).collect();
    let shown: Vec<String> = pages.iter().flat_map(|page| blocks(page, "yaml")).collect();
    assert!(shown.len() > 3);
    let folder = tempfile::tempdir().unwrap();
    for (number, spec) in shown.iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml"));
        fs::write(&file, spec).unwrap();
        let loaded = load(&file, &|_| None, Files::Spared);
        assert!(loaded.is_ok(), "{spec}\n{}", loaded.unwrap_err().render(false));
    }
    let examples: Vec<String> =
        files("config").into_iter().filter(|file| file.ends_with("provision.yaml")).collect();
    assert!(!examples.is_empty());
    for file in examples {
        let loaded = load(&root().join(&file), &|_| None, Files::Needed);
        assert!(loaded.is_ok(), "{}", loaded.unwrap_err().render(false));
    }
}

#[test]
fn every_verb_and_global_flag_is_in_the_readme() {
    let shown = Command::new(env!("CARGO_BIN_EXE_provision")).arg("--help").output().unwrap();
    let help = String::from_utf8(shown.stdout).unwrap();
    let section =
        |title: &str| help.split_once(title).unwrap().1.split("\n\n").next().unwrap().to_owned();
    // A verb stands behind two spaces; more of them carry a wrapped line on.
    let first = |line: &str| {
        line.strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
            .map(|rest| rest.split(' ').take(1).collect::<String>())
    };
    let verbs: Vec<String> = section("Commands:\n").lines().filter_map(first).collect();
    assert!(verbs.iter().any(|verb| verb == "apply"), "{help}");
    let options = help.split_once("Options:\n").unwrap().1;
    let words = options
        .lines()
        .filter(|line| line.trim_start().starts_with('-'))
        .flat_map(str::split_whitespace);
    let flags = words
        .filter_map(|word| word.strip_prefix("--"))
        .map(|flag| flag.split(['[', '=', ',']).next().unwrap().to_owned());
    let readme = read("README.md");
    let verbs = verbs.into_iter().filter(|verb| verb != "help").map(|verb| format!("| `{verb}"));
    let flags = flags
        .filter(|flag| !matches!(flag.as_str(), "help" | "version"))
        .map(|flag| format!("`--{flag}"));
    none("README.md passes over these", verbs.chain(flags).filter(|word| !readme.contains(word)));
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().unwrap().to_owned();
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
            .filter(|link| !link.is_empty() && !link.contains("://"));
        let broken = links.filter(|link| !root().join(&folder).join(link).exists());
        missing.extend(broken.map(|link| format!("{document}: {link}")));
    }
    none("these links lead nowhere", missing);
}

/// The handles of the facts and of the open questions in docs/aws.md.
fn handles(page: &str) -> Vec<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("- **").or_else(|| line.strip_prefix("| **")))
        .map(|rest| rest.split_once("**").map_or(rest, |(handle, _)| handle))
        .collect()
}

/// A text as one line, without the signs that begin a comment's lines.
fn unwrapped(text: &str) -> String {
    let words = |line: &str| line.trim().trim_start_matches(['/', '!', '#']).trim().to_owned();
    text.lines().map(words).collect::<Vec<_>>().join(" ")
}

/// Every text that may cite a fact about AWS.
fn citing() -> impl Iterator<Item = String> {
    let sources = ["src", "tests", "benches", "config"].into_iter().flat_map(files);
    let is_text = |file: &String| {
        let ending = Path::new(file).extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| matches!(ending, "rs" | "py" | "mjs"))
    };
    sources.filter(is_text).chain(documents())
}

#[test]
fn every_fact_about_aws_that_is_cited_is_on_its_page() {
    let page = read("docs/aws.md");
    let handles = handles(&page);
    let known: BTreeSet<&str> = handles.iter().copied().collect();
    assert_eq!(known.len(), handles.len(), "a handle names one fact");
    let mut cited = 0;
    let mut missing = Vec::new();
    for file in citing() {
        let text = unwrapped(&read(&file));
        for citation in text.split("docs/aws.md, \"").skip(1) {
            let mut rest = Some(citation);
            while let Some((handle, more)) = rest.and_then(|rest| rest.split_once('"')) {
                cited += 1;
                if !known.contains(handle) {
                    missing.push(format!("{file}: {handle}"));
                }
                rest = more.strip_prefix(", \"");
            }
        }
    }
    assert!(cited > 20, "{cited} citations: are they found at all?");
    none("docs/aws.md has no fact of this name", missing);
}

/// Does what stands behind a parenthesis cite a number, such as `1.23`, `4b` or `facts 5`, of a
/// list that no reader has?
fn cites_a_number(text: &str) -> bool {
    let fact = text.strip_prefix("facts ");
    let word = fact.unwrap_or(text).split([')', ',', ';', '–']).next().unwrap_or_default();
    let row = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_row = match row.strip_prefix('.') {
        Some(row) => !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit()),
        None => matches!(row, "a" | "b" | "c" | "d"),
    };
    row.len() < word.len() && (fact.is_some() || is_row)
}

#[test]
fn a_fact_about_aws_is_not_cited_by_a_number() {
    let mut violations = Vec::new();
    for file in citing() {
        for (number, line) in read(&file).lines().enumerate() {
            let prose = if is_page(&file) { line } else { comment(line) };
            let cites = prose.split('(').skip(1).any(cites_a_number);
            violations.extend(cites.then(|| format!("{file}:{}: {}", number + 1, line.trim())));
        }
    }
    none("name AWS's document, or a handle in docs/aws.md", violations);
}

/// The comment at the end of a line of code, or the whole of a line that is one.
fn comment(line: &str) -> &str {
    line.split_once("//").or_else(|| line.split_once('#')).map_or("", |(_, comment)| comment)
}

fn is_page(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "md")
}

/// What people read.
fn documents() -> Vec<String> {
    let at_the_top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let pages = files("docs").into_iter().filter(|file| is_page(file));
    at_the_top.map(str::to_owned).into_iter().chain(pages).collect()
}

/// In bytes; the rest is in docs/.
const README: usize = 6_000;
/// In characters. Of a thousand lines three may have more: addresses, documents of AWS, pictures.
const WIDE: usize = 100;

#[test]
fn a_page_is_narrow_and_the_first_one_short() {
    assert!(read("README.md").len() <= README, "move something to docs/");
    let sources = ["src", "tests", "benches"].into_iter().flat_map(files);
    let all: Vec<String> = sources.filter(|file| is_rust(file)).chain(documents()).collect();
    let (mut lines, mut wide) = (0, Vec::new());
    for file in all {
        // Transcripts and tables are as wide as what they show.
        let text = read(&file);
        let mut shows = false;
        for (number, line) in text.lines().enumerate() {
            shows ^= is_page(&file) && line.starts_with("```");
            lines += 1;
            if line.chars().count() > WIDE && !shows && !line.starts_with('|') {
                wide.push(format!("{file}:{}", number + 1));
            }
        }
    }
    assert!(wide.len() * 1_000 <= lines * 3, "too wide: {} of {lines}: {wide:#?}", wide.len());
}

/// Every kind has its place where a reader looks for it, and every law that we name is one.
#[test]
fn the_documents_know_every_kind_and_law() {
    let mut violations = Vec::new();
    let laws: String = files("tests/laws").iter().map(|file| read(file)).collect();
    let architecture = read("ARCHITECTURE.md");
    let after = |heading: &str| architecture.split(heading).nth(1).unwrap_or_default();
    let section = after("## The laws").split("\n## ").next().unwrap_or_default();
    for law in handles(section).into_iter().flat_map(|handle| handle.split('`')) {
        if law.contains('_') && !laws.contains(&format!("fn {law}(")) {
            violations.push(format!("the law {law}"));
        }
    }
    let wire = read("tests/wire/kinds.rs");
    for kind in Kind::ALL {
        let handle = format!("`{kind}`");
        let pages =
            [("docs/json.md", read("docs/json.md")), ("ARCHITECTURE.md", architecture.clone())];
        let missing = pages.iter().filter(|(_, text)| !text.contains(&handle));
        violations.extend(missing.map(|(page, _)| format!("{kind} in {page}")));
        if !wire.contains(&format!("fn {kind}_ops_do_what_simulate_says")) {
            violations.push(format!("{kind} in tests/wire/kinds.rs"));
        }
    }
    none("name them", violations);
}

/// A comment on a line of its own that has no word which its item's line has not.
#[test]
fn no_comment_only_repeats_the_name() {
    const EMPTY: &str = " a an and as at be by for from how in is it its of on our that the this to \
        what when where which who whose ";
    let words = |text: &str| -> BTreeSet<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        parts.map(|part| part.to_lowercase().trim_end_matches('s').to_owned()).collect()
    };
    let empty = words(EMPTY);
    let mut violations = Vec::new();
    for Source { file, .. } in sources() {
        let text = read(&file);
        if text.contains("use clap::") {
            continue; // It is the help.
        }
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for (at, three) in lines.windows(3).enumerate() {
            let [before, comment, item] = three else { continue };
            let Some(said) = comment.strip_prefix("/// ") else { continue };
            let alone = !before.starts_with("///") && !item.starts_with("///");
            let known: BTreeSet<String> = words(item).union(&empty).cloned().collect();
            if alone && !said.contains('`') && words(said).is_subset(&known) {
                violations.push(format!("{file}:{}: {comment}", at + 2));
            }
        }
    }
    none("say more than the name, or nothing", violations);
}

/// A bucket of another account that has our name is neither read nor written.
#[test]
fn every_call_for_a_bucket_says_whose_it_is() {
    let mut violations = Vec::new();
    let is_wire = |source: &Source| source.module.iter().any(|part| part == "aws");
    let wire = sources().into_iter().filter(|source| source.module[0] == "resource");
    for Source { file, code: text, .. } in wire.filter(is_wire) {
        for (at, _) in text.match_indices(".bucket(") {
            let sent = text[at..].find(".send()").map_or(text.len(), |end| at + end);
            let begun = text[..at].rfind("create_bucket()").is_some_and(|call| at - call < 60);
            if !begun && !text[at..sent].contains("expected_bucket_owner(") {
                let line = text[..at].lines().count();
                violations.push(format!("{file}:{line}"));
            }
        }
    }
    none("say `expected_bucket_owner`", violations);
}
