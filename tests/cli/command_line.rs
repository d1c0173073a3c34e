//! Wrong command lines, flags in every place, and the table of exit codes.

use crate::story::Story;

#[test]
fn a_wrong_command_line_is_explained() {
    let mut story = Story::of_a_shop();
    for line in [
        "aply",
        "apply --ye",
        "plan --delete-data",
        "plan --destroy --adopt bucket",
        "apply --adopt logs",
        "apply --wait forever",
        "destroy --wait soon",
        "plan --sandbox-delays deploy=soon",
        "plan --color blue",
    ] {
        assert_eq!(story.run(line).code, 64, "{line}");
    }
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn help_and_version_go_to_stdout() {
    let story = Story::in_an_empty_folder();
    for line in ["--help", "help apply", "apply --help", "--version"] {
        let answer = story.ask(line);
        assert_eq!(
            (answer.code, answer.err.as_str(), answer.out.is_empty()),
            (0, "", false),
            "{line}"
        );
    }
    let nothing = story.ask("");
    assert_eq!((nothing.code, nothing.out.as_str()), (64, ""));
}

#[test]
fn flags_go_before_and_after_the_verb() {
    let story = Story::of_a_shop();
    story.write("other.yaml", "stack: other\n");
    let plan = story.ask("plan --sandbox --json -f other.yaml");
    assert_eq!(plan.code, 0);
    for line in [
        "--sandbox --json -f other.yaml plan",
        "--json plan --sandbox --file other.yaml",
        "--file=other.yaml plan --json --sandbox",
    ] {
        let other = story.ask(line);
        assert_eq!((other.code, &other.out), (0, &plan.out), "{line}");
    }
}

#[test]
fn colour_is_only_where_it_was_asked_for() {
    let story = Story::of_a_shop();
    let count = |line: &str| story.ask(line).out.matches('\u{1b}').count();
    assert_eq!(count("plan --sandbox"), 0, "no terminal");
    assert_eq!(count("plan --sandbox --color never"), 0);
    assert!(count("plan --sandbox --color always") > 0);
}

#[test]
fn the_exit_codes_are_those_of_the_table() {
    let story = Story::of_a_shop();
    let ends = |line: &str, code: i32| {
        let answer = story.ask(line);
        assert_eq!(answer.code, code, "{line}\n{}{}", answer.out, answer.err);
    };
    ends("plan --sandbox", 0);
    ends("plan --sandbox --detailed-exitcode", 2);
    ends("apply --sandbox", 4);
    ends("apply --sandbox --yes --wait none", 0);
    ends("plan --sandbox --detailed-exitcode", 0);
    ends("status --sandbox", 0);
    ends("plan --destroy --sandbox --detailed-exitcode", 2);
    ends("plan --sandbox --sandbox-delays deploy=1,replicas=1 --destroy", 0);
    ends("destroy --sandbox --yes --sandbox-delays deploy=0,replicas=86400", 3);
    ends("nonsense", 64);
    ends("validate -f nowhere.yaml", 65);
    story.write(".provision/sandbox/world.json", "damage");
    let answer = story.ask("status --sandbox");
    assert_eq!(answer.code, 1);
}
