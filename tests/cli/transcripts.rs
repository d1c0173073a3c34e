//! The transcripts in the documents are what the program says: their commands run here, one after
//! the other, on the demo.
//!
//! After a wanted change: `PROVISION_TRANSCRIPTS=rewrite cargo test --test cli transcripts`, then
//! read the difference.

use crate::story::{Story, timeless};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The pages with transcripts, in the order in which these make one story.
const PAGES: [&str; 4] = ["docs/demo.md", "README.md", "docs/maintenance.md", "docs/destroy.md"];
const TRANSCRIPT: &str = "```text\n";
/// Blocks in these languages show nothing that the program says.
const OTHERS: [&str; 4] = ["js", "sh", "yaml", "yml"];
const DEMO: &str = "config/demo";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap()
}

/// What a terminal shows after a line such as
/// `$ provision destroy --sandbox  # 21 seconds later, exit code 3`.
/// A command without `-f` is typed in the demo's folder.
fn answer(story: &Story, line: &str, delays: &str) -> String {
    let (typed, remark) = line.split_once(" #").unwrap_or((line, ""));
    let arguments = ["$ provision ", "$ cargo run -- "]
        .into_iter()
        .find_map(|program| typed.strip_prefix(program));
    assert!(arguments.is_some(), "a transcript begins with its command, not with {line:?}");
    let arguments = arguments.unwrap();
    if remark.contains(" later") {
        let file = format!("{DEMO}/.provision/sandbox/world.json");
        let mut world: Value = serde_json::from_str(&read(&story.path(&file))).unwrap();
        world["replicas"] = json!({});
        story.write(&file, &world.to_string());
    }
    let folder = story.path(if arguments.contains("-f ") { "" } else { DEMO });
    let file = story.path("said");
    let said = File::create(&file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(arguments.split_whitespace()).current_dir(folder).env_clear();
    command.env("PROVISION_SANDBOX_DELAYS", delays).env("TZ", "UTC");
    let ended = command.stdout(said.try_clone().unwrap()).stderr(said).status().unwrap();
    let said = read(&file);
    let code = remark.split_once("exit code ").map_or(0, |(_, code)| code.parse().unwrap());
    assert_eq!(ended.code(), Some(code), "{line}\n{said}");
    said
}

/// The page with what its commands answer now.
fn retold(story: &Story, page: &str, delays: &str) -> String {
    let mut parts = page.split(TRANSCRIPT);
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (transcript, rest) = part.split_once("```").unwrap();
        text.push_str(TRANSCRIPT);
        for (number, line) in transcript.lines().enumerate() {
            if number == 0 || line.starts_with("$ ") {
                text.extend([line, "\n", &answer(story, line, delays)]);
            }
        }
        text.extend(["```", rest]);
    }
    text
}

/// The lines without chance. A deployment ends when it ends, beside other steps: its lines go last.
fn bare(story: &Story, page: &str) -> Vec<String> {
    let text = timeless(&story.without_chance(page));
    let is_late = |line: &&str| line.ends_with(": deployed [time]");
    let (late, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(is_late);
    lines.into_iter().chain(late).map(str::to_owned).collect()
}

#[test]
fn every_transcript_is_what_the_program_says() {
    #[expect(clippy::disallowed_methods, reason = "how the documents are rewritten")]
    let rewrites = std::env::var("PROVISION_TRANSCRIPTS").is_ok_and(|value| value == "rewrite");
    // Readers see how long it takes by default; a test does not wait.
    let delays = if rewrites { "deploy=2,replicas=20" } else { "deploy=0,replicas=20" };
    let story = Story::in_an_empty_folder();
    assert_eq!(story.ask(&format!("init {DEMO}")).code, 0);
    let mut differences = Vec::new();
    let mut pages = Vec::new();
    for page in PAGES {
        let before = read(&root().join(page));
        let after = retold(&story, &before, delays);
        let (shown, said) = (bare(&story, &before), bare(&story, &after));
        if shown != said {
            let same = shown.iter().zip(&said).take_while(|(one, other)| one == other).count();
            let (shown, said) = (shown.get(same), said.get(same));
            differences.push(format!("{page} shows {shown:?}\nthe program says {said:?}"));
        }
        pages.push((page, after));
    }
    if differences.is_empty() {
        return;
    }
    // All of them, as they show the same moments.
    for (page, text) in pages.iter().filter(|_| rewrites) {
        fs::write(root().join(page), text).unwrap();
    }
    assert!(
        rewrites,
        "`PROVISION_TRANSCRIPTS=rewrite cargo test --test cli transcripts` rewrites them:\n{}",
        differences.join("\n")
    );
}

#[test]
fn no_page_has_another_transcript() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|file| file.unwrap().path());
    let is_page = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "md");
    for file in docs.filter(is_page).chain([root().join("README.md")]) {
        let page = file.strip_prefix(root()).unwrap().to_str().unwrap();
        let text = read(&file);
        let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
        for language in fences.step_by(2) {
            let known = OTHERS.contains(&language) || language == "text" && PAGES.contains(&page);
            assert!(known, "{page}: put the page into `PAGES`, not a block in {language:?}");
        }
    }
}
