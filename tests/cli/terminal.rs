//! A user at a terminal: asked, and taken at their word.

use crate::story::{Answer, Story};
use std::process::Command;

/// Gives a program a terminal, waits for each prompt, types the next answer, and passes on what was
/// said and the exit code. Answers stand in lines; `EOF` ends the input instead.
const TERMINAL: &str = r#"
import os, pty, sys
prompt, answer, program, *arguments = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execve(program, [program, *arguments], {"PROVISION_SANDBOX_DELAYS": "deploy=0,replicas=0", "NO_COLOR": "1"})
said, given, answers = b"", 0, answer.encode().split(b"\n")
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    said += chunk
    asked = said.count(prompt.encode())
    while answers and asked > given:
        line, given = answers.pop(0), given + 1
        text, ends, _ = line.partition(b"EOF")
        # Behind a text, the first only hands it over.
        os.write(terminal, text + (b"\x04\x04" if text else b"\x04") if ends else text + b"\n")
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn at_a_terminal(story: &Story, arguments: &str, prompt: &str, answer: &str) -> Answer {
    let mut command = Command::new("python3");
    command
        .args(["-c", TERMINAL, prompt, answer, env!("CARGO_BIN_EXE_provision")])
        .args(arguments.split_whitespace());
    let output = command.current_dir(story.path("")).output().unwrap();
    let text = |bytes| story.without_chance(&String::from_utf8(bytes).unwrap().replace('\r', ""));
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
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
    for no in ["y", "yes", "shp", "", "SHOP", "Shop", "shop shop", "EOF", "shopEOF"] {
        assert_eq!(at_a_terminal(&story, "destroy --sandbox", "to go on: ", no).code, 4, "{no:?}");
    }
    assert_eq!(story.world(), before);
    let answer = at_a_terminal(&story, "destroy --sandbox", "to go on: ", " shop ");
    story.record("destroy --sandbox", &answer);
    insta::assert_snapshot!(story.transcript());
}

/// Each stack is asked for by its name; a wrong answer, or none, leaves that one.
#[test]
fn a_sweep_asks_for_the_name_of_each_stack() {
    let mut story = Story::of_a_shop();
    for stack in ["one", "two", "three", "four"] {
        story.write(
            "provision.yaml",
            &format!("stack: {stack}\nfunction: {{source: ./edge.py, handler: edge.handler}}\n"),
        );
        assert_eq!(story.ask("apply --yes --sandbox").code, 0);
    }
    let before = story.world();
    story.write("provision.yaml", "stack: four\n");
    let prompt = "to go on: ";
    for (flags, answers) in [
        ("--all", "y\nTWO\none"),
        ("--all", "EOF\nEOF\nEOF"),
        ("--older-than 0s", "\n\n"),
        ("", "one"),
    ] {
        let answer = at_a_terminal(&story, &format!("sweep --sandbox {flags}"), prompt, answers);
        assert_eq!(answer.code, if flags.is_empty() { 0 } else { 4 }, "{flags}: {}", answer.out);
        assert_eq!(story.world(), before, "{answers:?}");
    }
    story.meanwhile("an hour and a half passes", |world| {
        for born in world["born"].as_object_mut().unwrap().values_mut() {
            *born = (jiff::Timestamp::now().as_second() - 5430).into();
        }
    });
    // In the order of their names.
    let answer = at_a_terminal(&story, "sweep --sandbox --all", prompt, "one\nno\ntwo");
    story.record("sweep --sandbox --all", &answer);
    insta::assert_snapshot!(story.transcript());
    let left: Vec<String> = story.world()["roles"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(left, ["four-edge", "three-edge"]);
}
