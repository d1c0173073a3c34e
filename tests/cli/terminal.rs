//! Somebody at a terminal: asked, and taken at their word.

use crate::story::{Answer, Story};
use std::process::Command;

/// Gives a program a terminal, waits for the prompt, types the answer, and passes on what was said and the exit code.
const TERMINAL: &str = r#"
import os, pty, sys
prompt, answer, program, *arguments = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execve(program, [program, *arguments], {"PROVISION_SANDBOX_DELAYS": "deploy=0,replicas=0", "NO_COLOR": "1"})
said, asked = b"", True
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    said += chunk
    if asked and prompt.encode() in said:
        os.write(terminal, answer.encode() + b"\n")
        asked = False
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn at_a_terminal(story: &Story, arguments: &str, prompt: &str, answer: &str) -> Answer {
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL, prompt, answer, env!("CARGO_BIN_EXE_provision")]).args(arguments.split_whitespace());
    let output = command.current_dir(story.path("")).output().unwrap();
    let text = |bytes| story.without_chance(&String::from_utf8(bytes).unwrap().replace('\r', ""));
    Answer { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn an_apply_is_confirmed_with_y() {
    let story = Story::of_a_shop();
    for no in ["n", "", "yes, please", "shop"] {
        let answer = at_a_terminal(&story, "apply --sandbox", "[y/N] ", no);
        assert_eq!(answer.code, 4, "{no:?}: {}", answer.out);
        assert!(answer.out.contains("nothing was changed"), "{}", answer.out);
    }
    assert!(!story.path(".provision/sandbox/world.json").exists());
    assert_eq!(at_a_terminal(&story, "apply --sandbox", "[y/N] ", "y").code, 0);
    assert_eq!(story.ask("plan --sandbox --detailed-exitcode").code, 0);
}

#[test]
fn a_destroy_is_confirmed_with_the_stacks_name() {
    let mut story = Story::of_a_shop_that_stands();
    let before = story.world();
    for no in ["y", "yes", "shp", ""] {
        assert_eq!(at_a_terminal(&story, "destroy --sandbox", "to go on: ", no).code, 4, "{no:?}");
    }
    assert_eq!(story.world(), before);
    let answer = at_a_terminal(&story, "destroy --sandbox", "to go on: ", "shop");
    story.record("destroy --sandbox", &answer);
    insta::assert_snapshot!(story.transcript());
}
