//! The documentation in the program.

use crate::story::Story;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The pages of docs/, by name.
fn pages() -> BTreeMap<String, String> {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
    let pages = files.map(|file| file.unwrap().path()).filter(|file| is_page(file));
    let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    pages.map(|file| (name(&file), fs::read_to_string(&file).unwrap())).collect()
}

fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "md")
}

#[test]
fn every_page_is_a_topic() {
    let story = Story::in_an_empty_folder();
    let listed: serde_json::Value = serde_json::from_str(&story.ask("explain --json").out).unwrap();
    let topics = listed["topics"].as_array().unwrap();
    let pages = pages();
    assert_eq!(topics.len(), pages.len(), "a page in docs/ is no topic, or the other way around");
    for topic in topics {
        let name = topic["topic"].as_str().unwrap();
        let text = &pages[name];
        assert!(text.starts_with(&format!("# {}\n", topic["title"].as_str().unwrap())), "{name}");
        story.command(&format!("explain {name}")).assert().code(0).stderr("").stdout(text.clone());
        let page: serde_json::Value =
            serde_json::from_str(&story.ask(&format!("explain {name} --json")).out).unwrap();
        assert_eq!(
            (&page["type"], &page["topic"], page["text"].as_str()),
            (&"topic".into(), &name.into(), Some(text.as_str()))
        );
    }
}

#[test]
fn the_topics_are_listed_and_a_typo_finds_its_word() {
    let mut story = Story::in_an_empty_folder();
    story.run("explain");
    assert_eq!(story.run("explain destory").code, 64);
    assert_eq!(story.run("explain weather").code, 64);
    insta::assert_snapshot!(story.transcript());
}
