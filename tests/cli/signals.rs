//! Ctrl-C, SIGTERM and SIGHUP while a run waits.

use crate::story::{Answer, Story};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// A child that does not outlive a failing test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `arguments`, sends the signal once the deployment is being waited for, and gives what was
/// said.
fn interrupted(story: &Story, arguments: &str, signal: &str) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(arguments.split_whitespace()).current_dir(story.path("")).env_clear();
    command.env("PROVISION_SANDBOX_DELAYS", "deploy=86400,replicas=0");
    let mut running = Running(
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(),
    );
    let mut said = BufReader::new(running.0.stderr.take().unwrap());
    let mut err = String::new();
    // What goes on beside the wait is over by then.
    let beside = if arguments.starts_with("apply") { "which objects are ours" } else { "" };
    while !(err.contains("waiting for the deployment") && err.contains(beside)) {
        assert_ne!(said.read_line(&mut err).unwrap(), 0, "it ended before it waited: {err}");
    }
    let sent = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{signal} {}", running.0.id())])
        .status()
        .unwrap();
    assert!(sent.success());
    said.read_to_string(&mut err).unwrap();
    let mut out = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let code = running.0.wait().unwrap().code().unwrap_or(-1);
    Answer { code, out: story.without_chance(&out), err: story.without_chance(&err) }
}

#[test]
fn an_interrupted_run_says_where_it_stopped_and_goes_on_later() {
    let mut story = Story::of_a_shop();
    let answer = interrupted(&story, "apply --sandbox --yes", "INT");
    assert_eq!(answer.code, 130);
    story.record("apply --sandbox --yes", &answer);
    story.run("status --sandbox");
    story.meanwhile("the deployment reaches every edge", |world| {
        world["distributions"].as_object_mut().unwrap().values_mut().next().unwrap()["deployed_at"] = 0.into();
    });
    story.run("apply --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_termination_and_a_closed_terminal_are_the_same() {
    for signal in ["TERM", "HUP"] {
        let story = Story::of_a_shop();
        assert_eq!(interrupted(&story, "apply --sandbox --yes", signal).code, 130, "{signal}");
        let world = story.world();
        let answer = interrupted(&story, "destroy --sandbox --yes", signal);
        assert_eq!(answer.code, 130, "{signal}");
        assert!(answer.out.contains("not started  bucket shop-files"), "{}", answer.out);
        assert_eq!(story.world()["buckets"], world["buckets"], "nothing after the wait was begun");
    }
}
