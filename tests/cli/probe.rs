//! Proof from the site itself: `maintenance status --probe` against a local edge.

use crate::story::Story;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// With the function that ships with the program. Each request asks anew, so that nothing depends
/// on how fast this machine is.
const SPEC: &str = "\
stack: shop
bucket: {name: shop-files, site: ./site}
maintenance: {page: ./page.html, cache: 0s}
distribution: {default_root_object: home.html}
";

/// A local edge, which ends with the test.
struct Edge {
    process: Child,
    address: String,
    // Its writer would be told if nobody held the other end.
    _said: BufReader<ChildStdout>,
}

impl Edge {
    fn of(story: &Story) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        // Its function runs on this machine's python3.
        command.args(["dev", "--sandbox", "--json"]).current_dir(story.path(""));
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        Self { process, address: listening["site"].as_str().unwrap().to_owned(), _said: said }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Asked, it takes its function's processes with it.
        let _ = Command::new("/bin/sh")
            .args(["-c", &format!("kill -TERM {}", self.process.id())])
            .status();
        let _ = self.process.wait();
    }
}

/// The transcript without the edge's port, the path that nobody has asked for before, and the
/// answers of the site itself, which come from a cache or not.
fn told(story: &Story, edge: &Edge) -> String {
    const FRESH: &str = "/provision-probe-";
    let text = story.timeless().replace(edge.address.trim_end_matches('/'), "http://[edge]");
    let text =
        text.lines().filter(|line| !line.contains("  the site  ")).collect::<Vec<_>>().join("\n");
    let mut parts = text.split(FRESH);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}{FRESH}[number]{}", &part[8..]))
}

#[test]
fn a_probe_tells_whether_visitors_see_what_the_switch_says() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", SPEC);
    for world in ["--sandbox", "--sandbox=worlds/other"] {
        assert_eq!(story.ask(&format!("apply --yes {world}")).code, 0);
    }
    let edge = Edge::of(&story);
    let probe = format!("maintenance status --probe --url {}", edge.address);
    assert_eq!(story.run(&format!("{probe} --sandbox")).code, 0);
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    story.tell("maintenance is turned on");
    assert_eq!(story.run(&format!("{probe} --sandbox")).code, 0);
    story.tell("in another world it is off, and the site there would be this one");
    assert_eq!(story.run(&format!("{probe} --sandbox=worlds/other")).code, 1);

    let json = story.ask(&format!("{probe} --sandbox=worlds/other --json"));
    let documents: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told_as: Vec<_> =
        documents.iter().map(|document| document["type"].as_str().unwrap()).collect();
    assert_eq!((json.code, told_as), (1, vec!["switch", "probe"]));
    assert_eq!(
        (&documents[1]["expect_page"], &documents[1]["as_expected"]),
        (&false.into(), &false.into())
    );
    assert_eq!(documents[1]["answers"].as_array().unwrap().len(), 9);
    insta::assert_snapshot!(told(&story, &edge));
}

#[test]
fn until_a_window_begins_visitors_have_to_see_the_site() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", SPEC);
    for line in ["apply --yes", "maintenance on --from 2999-01-01T00:00:00Z"] {
        assert_eq!(story.ask(&format!("{line} --sandbox")).code, 0, "{line}");
    }
    let edge = Edge::of(&story);
    assert_eq!(
        story.run(&format!("maintenance status --probe --url {} --sandbox", edge.address)).code,
        0
    );
    insta::assert_snapshot!(told(&story, &edge));
}

#[test]
fn a_probe_that_nobody_answers_is_no_proof() {
    let mut story = Story::of_a_shop_that_stands();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = story.ask(&format!("maintenance status --probe --url http://{closed}/ --sandbox"));
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains("no answer"), "{}", answer.out);
    for line in [
        "--probe",
        "--probe --url http://shop.example/",
        "--probe --url shop.example",
        "--url https://shop.example/",
    ] {
        story.run(&format!("maintenance status --sandbox {line}"));
    }
    insta::assert_snapshot!(story.transcript());
}
