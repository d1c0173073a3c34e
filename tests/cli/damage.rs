//! A sandbox that a user has damaged, and a disk that does not let itself be written to.

use crate::story::Story;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[test]
fn a_damaged_record_is_told_and_left() {
    let mut story = Story::of_a_shop_that_stands();
    let good = std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap();
    let rows = [
        ("is cut off in the middle", good[..good.find("\"buckets\":").unwrap()].to_owned()),
        ("is empty", String::new()),
        ("is of a version that looks different", "{\"format\": 2, \"worlds\": []}".to_owned()),
        ("is of another version", good.replacen("\"format\": 1", "\"format\": 9", 1)),
        (
            "holds a bucket with a hostile name",
            good.replace("\"shop-files\": {", "\"../../etc\": {"),
        ),
        ("is nested without end", "[".repeat(200_000)),
        (
            "has numbered all there is to number",
            good.replacen("\"serial\":", "\"serial\": 18446744073709551615, \"serial2\":", 1),
        ),
        (
            "has published all there is to publish",
            good.replacen("\"number\": 1", "\"number\": 18446744073709551615", 1),
        ),
        (
            "holds a number where a time should be",
            good.replacen("\"serial\":", "\"serial\": -1, \"x\":", 1),
        ),
    ];
    for (what, text) in rows {
        story.tell(&format!("world.json {what}"));
        story.write(".provision/sandbox/world.json", &text);
        let answer = story.run("apply --sandbox --yes");
        assert_eq!(answer.code, 1, "{what}");
        assert_eq!(
            std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap(),
            text,
            "{what}"
        );
    }
    insta::assert_snapshot!(story.transcript());
}

/// What another person wrote into tags, comments and keys is shown, and cannot write to the
/// terminal.
#[test]
fn values_from_outside_cannot_steer_the_terminal() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile(
        "a user writes escape sequences into a tag, a key and a policy's name",
        |world| {
            world["buckets"]["shop-files"]["live"]["settings"]["tags"]["team"] =
                json!("\u{1b}[2J\u{1b}[31mred\nPlan: 0 to create");
            world["buckets"]["shop-files"]["objects"]["\u{202e}gnp.exe"] =
                json!({"etag": "1", "size": 1});
            world["roles"]["shop-edge"]["attached"] = json!(["arn:\u{1b}[8mhidden"]);
        },
    );
    for line in [
        "plan --sandbox",
        "status --sandbox",
        "destroy --sandbox --yes",
        "destroy --sandbox --yes --delete-data",
    ] {
        let answer = story.run(line);
        for text in [&answer.out, &answer.err] {
            let steers = |letter: char| letter.is_control() && letter != '\n';
            assert!(!text.contains(steers), "{line}: {text:?}");
            assert!(!text.contains('\u{202e}'), "{line}: {text:?}");
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

/// Another thing stands where a file is expected, and everything that stood there.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_and_left() {
    type Put = fn(&Path);
    let folder: Put = |path| std::fs::create_dir(path).unwrap();
    let pipe: Put =
        |path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let file: Put = |path| std::fs::write(path, "a file").unwrap();
    let link: Put = |path| std::os::unix::fs::symlink("../../outside", path).unwrap();
    let device: Put = |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let (world, lock, objects) =
        (".provision/sandbox/world.json", ".provision/sandbox/lock", ".provision/sandbox/objects");
    let packages = ".provision/sandbox/packages";
    let (apply, saved) = ("apply --sandbox --yes", "apply next.plan --sandbox --yes");
    let rows: [(&str, &str, Put, &str, i32); 20] = [
        ("a folder", world, folder, apply, 1),
        ("a pipe", world, pipe, apply, 1),
        ("a link out of the world", world, link, apply, 1),
        ("a link to a device", world, device, apply, 1),
        ("a folder", lock, folder, apply, 1),
        ("a pipe", lock, pipe, apply, 1),
        ("a link out of the world", lock, link, apply, 1),
        ("a file", objects, file, apply, 1),
        ("a link out of the world", objects, link, apply, 1),
        ("a link out of the world", packages, link, apply, 1),
        ("a folder", "next.plan", folder, saved, 4),
        ("a pipe", "next.plan", pipe, saved, 4),
        ("a link to a device", "next.plan", device, saved, 4),
        ("a folder", "provision.yaml", folder, apply, 65),
        ("a pipe", "provision.yaml", pipe, apply, 65),
        ("a link to a device", "provision.yaml", device, apply, 65),
        ("a pipe", "page.html", pipe, apply, 65),
        ("a pipe", "edge.py", pipe, apply, 65),
        ("a pipe", "site/app.js", pipe, apply, 65),
        ("a pipe", "other.html", pipe, "maintenance on --sandbox --page other.html", 64),
    ];
    let mut told = Story::of_a_shop();
    for (what, name, put, line, code) in rows {
        let story = Story::of_a_shop_that_stands();
        story.write("outside/kept", "theirs");
        let path = story.path(name);
        let kept = path.with_extension("kept");
        if path.exists() {
            std::fs::rename(&path, &kept).unwrap();
        }
        put(&path);
        let before = everything(&story.path(""));
        let mut command = story.command(line);
        // A bound on waiting for the other end of a pipe for ever.
        command.timeout(std::time::Duration::from_mins(1));
        let answer = story.answer(&mut command);
        told.tell(&format!("{name} is {what}"));
        told.record(line, &answer);
        assert_eq!(answer.code, code, "{name} is {what}: {}", answer.err);
        assert_eq!(everything(&story.path("")), before, "{name} is {what}");
    }
    insta::assert_snapshot!(told.transcript());
}

/// Every path below `folder` with what is there, links not followed.
#[cfg(unix)]
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            found.extend(everything(&path));
        }
        let bytes = if kind.is_file() {
            std::fs::read(&path).unwrap()
        } else {
            format!("{kind:?}").into_bytes()
        };
        found.insert(path, bytes);
    }
    found
}
