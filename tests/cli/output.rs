//! Nobody can read what is said: the work is done all the same, and the exit code tells.

use crate::story::Story;
use serde_json::Value;
use std::fs::File;
use std::process::{Command, Stdio};

/// Each verb, in an order in which each has something to do.
const VERBS: [&str; 15] = [
    "init other",
    "validate",
    "plan --sandbox",
    "apply --sandbox --yes",
    "apply --sandbox --yes --json",
    "plan --sandbox --detailed-exitcode --json",
    "status --sandbox",
    "maintenance on --sandbox --for 1h",
    "maintenance status --sandbox --json",
    "maintenance off --sandbox",
    "policy --for plan --sandbox",
    "sweep --sandbox",
    "explain spec",
    "destroy --sandbox --yes",
    "no-such-verb",
];

#[test]
fn a_full_disk_ends_no_work() {
    let [full_out, full_err, both, none] =
        [(true, false), (false, true), (true, true), (false, false)]
            .map(|(out, err)| (Story::of_a_shop(), out, err));
    for verb in VERBS {
        let run = |(story, out, err): &(Story, bool, bool)| {
            let stream = |is_full: bool| {
                let full = || File::options().write(true).open("/dev/full").unwrap().into();
                if is_full { full() } else { Stdio::piped() }
            };
            let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
            command.args(verb.split(' ')).current_dir(story.path("")).env_clear();
            command.env("PROVISION_SANDBOX_DELAYS", "deploy=0,replicas=0");
            command.stdin(Stdio::null()).stdout(stream(*out)).stderr(stream(*err));
            let ended = command.output().unwrap();
            (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
        };
        let code = run(&none).0;
        assert_eq!(code, Some(if verb == "no-such-verb" { 64 } else { 0 }), "{verb}");
        let (told, said) = run(&full_out);
        // What is wrong with a command line is said on stderr, so nothing of it is lost.
        let lost = if code == Some(0) { Some(1) } else { code };
        assert_eq!(said.contains("could be written to stdout: "), lost != code, "{verb}: {said}");
        assert_eq!((told, run(&full_err).0, run(&both).0), (lost, code, lost), "{verb}: {said}");
        let worlds = [&full_out, &full_err, &both, &none].map(|(story, ..)| stands(story));
        assert!(worlds.iter().all(|world| *world == worlds[3]), "{verb}: {worlds:?}");
    }
    assert_eq!(stands(&none.0), Vec::<String>::new());
}

#[test]
fn a_limit_for_files_is_an_error_with_words_and_leaves_nothing_half_written() {
    let story = Story::of_a_shop();
    let limited = |arguments: &str| {
        let line = format!("ulimit -f 1; exec {} {arguments}", env!("CARGO_BIN_EXE_provision"));
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]).current_dir(story.path("")).env_clear();
        command.env("PROVISION_SANDBOX_DELAYS", "deploy=0,replicas=0");
        command.stdin(Stdio::null()).output().unwrap()
    };
    let ended = limited("apply --sandbox --yes");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
    for folder in ["", ".provision/sandbox"] {
        for entry in std::fs::read_dir(story.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            assert!(path.extension().is_none_or(|ending| ending != "new"), "{path:?}");
        }
    }
}

/// What there is: the names of things and of objects.
fn stands(story: &Story) -> Vec<String> {
    if !story.path(".provision/sandbox/world.json").exists() {
        return Vec::new();
    }
    let world = story.world();
    let names = |value: &Value| {
        value.as_object().map_or_else(Vec::new, |map| map.keys().cloned().collect())
    };
    let mut names_of_all = names(&world["buckets"]);
    names_of_all.extend(names(&world["buckets"]["shop-files"]["objects"]));
    names_of_all.extend(names(&world["roles"]));
    names_of_all.extend(names(&world["functions"]));
    names_of_all
}
