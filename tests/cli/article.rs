//! The README's way: from `init` to an empty world again.

use crate::story::Story;
use std::fmt::Write as _;

/// The demo is allowed to change its bytes: sizes and the names of versions, which follow from
/// them, are left out here.
fn without_sizes(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches(':');
            let version = bare.len() == 7
                && bare.bytes().all(|b| b.is_ascii_hexdigit())
                && bare.bytes().any(|b| b.is_ascii_digit());
            if version { &"[version]:"[..9 + word.len() - bare.len()] } else { word }
        });
        let words: Vec<&str> = words.collect();
        let sizes = words.iter().enumerate().map(|(at, word)| match words.get(at + 1) {
            Some(next) if next.starts_with("bytes") && word.bytes().all(|b| b.is_ascii_digit()) => {
                "[size]"
            }
            _ => word,
        });
        let _ = writeln!(shown, "{}", sizes.collect::<Vec<_>>().join(" "));
    }
    shown
}

#[test]
fn a_newcomer_sees_the_whole_cycle() {
    let mut story = Story::in_an_empty_folder();
    story.run("init demo");
    story.run("validate -f demo/provision.yaml");
    story.run("plan --sandbox -f demo/provision.yaml --detailed-exitcode");
    story.run("apply --sandbox --yes -f demo/provision.yaml");
    story.run("status --sandbox -f demo/provision.yaml");
    story.run("plan --sandbox -f demo/provision.yaml --detailed-exitcode");
    story.run("apply --sandbox --yes -f demo/provision.yaml");
    story.run("destroy --sandbox --yes -f demo/provision.yaml");
    story.run("destroy --sandbox --yes -f demo/provision.yaml");
    story.run("status --sandbox -f demo/provision.yaml");
    insta::assert_snapshot!(without_sizes(story.transcript()));
}

#[test]
fn init_replaces_nothing() {
    let mut story = Story::in_an_empty_folder();
    story.write("provision.yaml", "stack: precious\n");
    story.run("init");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(std::fs::read_to_string(story.path("provision.yaml")).unwrap(), "stack: precious\n");
}

/// No room for it: nothing of it stays, so that the next `init` is not in its own way.
#[cfg(unix)]
#[test]
fn init_on_a_full_disk_leaves_no_file() {
    let story = Story::in_an_empty_folder();
    // A part of each file fits; then nothing.
    for blocks in [1, 0] {
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" init demo");
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_provision")]);
        let output = command.current_dir(story.path("")).env_clear().output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        for folder in ["demo", "demo/site"] {
            let entries = std::fs::read_dir(story.path(folder)).into_iter().flatten();
            let files = entries.filter(|entry| entry.as_ref().unwrap().path().is_file());
            assert_eq!(files.count(), 0, "{folder} {blocks}");
        }
    }
    assert_eq!(story.ask("init demo").code, 0);
}

/// Traps stand where a program would look that asks AWS: none of them may be touched.
#[test]
fn the_sandbox_needs_no_network_and_no_credentials() {
    let trap = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}", trap.local_addr().unwrap());
    let story = Story::of_a_shop();
    for verb in [
        "validate",
        "plan --sandbox",
        "apply --sandbox --yes",
        "status --sandbox",
        "destroy --sandbox --yes",
    ] {
        let mut command = story.command(verb);
        for name in [
            "AWS_ENDPOINT_URL",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "https_proxy",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        ] {
            command.env(name, &url);
        }
        command.env("AWS_PROFILE", "no-such-profile").assert().code(0);
    }
    assert_eq!(trap.accept().map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_world_lies_beside_the_spec_or_where_one_says() {
    let story = Story::of_a_shop();
    story.command("apply --sandbox=worlds/one --yes").assert().code(0);
    assert!(story.path("worlds/one/world.json").is_file());
    assert!(!story.path(".provision").exists());
    assert_eq!(story.ask("plan --sandbox=worlds/one --detailed-exitcode").code, 0);
    assert_eq!(story.ask("plan --sandbox=worlds/two --detailed-exitcode").code, 2);
    assert_eq!(story.ask("--sandbox plan --detailed-exitcode").code, 2);
    assert!(!story.path("worlds/two/world.json").exists(), "planning writes nothing");
}
