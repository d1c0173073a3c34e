//! A sandbox that somebody has damaged, and a disk that does not let itself be written to.

use crate::story::Story;
use serde_json::json;

#[test]
fn a_damaged_record_is_told_and_left() {
    let mut story = Story::of_a_shop_that_stands();
    let good = std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap();
    let rows = [
        ("is cut off in the middle", good[..good.len() / 2].to_owned()),
        ("is empty", String::new()),
        ("is of another version", good.replacen("\"format\": 1", "\"format\": 9", 1)),
        ("holds a bucket with a hostile name", good.replace("\"shop-files\": {", "\"../../etc\": {")),
        ("is nested without end", "[".repeat(200_000)),
        ("holds a number where a time should be", good.replacen("\"serial\":", "\"serial\": -1, \"x\":", 1)),
    ];
    for (what, text) in rows {
        story.tell(&format!("world.json {what}"));
        story.write(".provision/sandbox/world.json", &text);
        let answer = story.run("apply --sandbox --yes");
        assert_eq!(answer.code, 1, "{what}");
        assert_eq!(std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap(), text, "{what}");
    }
    insta::assert_snapshot!(story.transcript());
}

/// What another person wrote into tags, comments and keys is shown, and cannot write to the terminal.
#[test]
fn values_from_outside_cannot_steer_the_terminal() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("somebody writes escape sequences into a tag, a key and a policy's name", |world| {
        world["buckets"]["shop-files"]["live"]["settings"]["tags"]["team"] = json!("\u{1b}[2J\u{1b}[31mred\nPlan: 0 to create");
        world["buckets"]["shop-files"]["objects"]["\u{202e}gnp.exe"] = json!({"etag": "1", "size": 1});
        world["roles"]["shop-edge"]["attached"] = json!(["arn:\u{1b}[8mhidden"]);
    });
    for line in ["plan --sandbox", "status --sandbox", "destroy --sandbox --yes", "destroy --sandbox --yes --delete-data"] {
        let answer = story.run(line);
        for text in [&answer.out, &answer.err] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{line}: {text:?}");
        }
    }
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_sandbox_that_cannot_be_written_is_told() {
    let mut story = Story::of_a_shop();
    story.write("taken", "a file where the folder should be");
    assert_eq!(story.run("apply --sandbox=taken/world --yes").code, 1);
    insta::assert_snapshot!(story.transcript());
}
