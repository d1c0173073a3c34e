//! Tests of this binary once more, with moto in the place of ministack for S3, IAM, Lambda and
//! CloudWatch Logs: two heads seldom make the same mistake. Where they disagree, docs/aws.md says who
//! is right.
//!
//! A part always runs; `PROVISION_SECOND=all` runs every test.

use crate::support::EMULATOR;
use std::process::Command;

/// What a stack goes through, and each service for itself.
const CHOSEN: [&str; 13] = [
    "wire::changes::configuration_is_part_of_a_version_and_a_tag_is_not",
    "wire::destroy::a_versioned_bucket_is_emptied_to_the_last_marker",
    "wire::drift::of_the_bucket",
    "wire::drift::of_the_function",
    "wire::drift::of_the_role",
    "wire::logs::events_are_kept_for_as_long_as_the_spec_says",
    "wire::maintenance::a_page_that_was_renamed_by_hand_is_healed_by_the_next_turn",
    "wire::owned::a_stack_comes_to_be_and_then_there_is_nothing_to_do",
    "wire::sweep::what_a_lost_spec_left_is_found_and_taken_down",
    "wire::truth::iam_is_answered_for_as_it_was_recorded",
    "wire::truth::lambda_is_answered_for_as_it_was_recorded",
    "wire::truth::logs_are_answered_for_as_they_were_recorded",
    "wire::truth::s3_is_answered_for_as_it_was_recorded",
];

/// Tests that moto cannot pass, with the row of docs/aws.md that says why.
const EXCEPTIONS: [(&str, &str); 3] = [
    (
        "wire::beside::what_stands_beside_us_is_no_drift_and_outlives_our_writes",
        "LoggingConfig of a function",
    ),
    ("wire::keys::every_key_is_seen_as_it_is_and_goes_with_the_bucket", "keys with a line's end"),
    (
        "wire::upload::what_goes_in_parts_is_one_object_that_the_next_plan_leaves",
        "conditions of CompleteMultipartUpload",
    ),
];

fn is_whole() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test itself")]
    let asked = std::env::var("PROVISION_SECOND");
    asked.is_ok_and(|asked| asked == "all")
}

/// This binary, with moto.
fn on_moto() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(EMULATOR, "moto");
    command
}

/// Every other test of this binary.
fn all() -> Vec<String> {
    let listed = on_moto().args(["--list", "--format", "terse"]).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| !name.starts_with("wire::second::")).map(str::to_owned).collect()
}

/// Whether they pass, all of them, and what was said.
fn pass<T: AsRef<str>>(tests: &[T]) -> (bool, String) {
    let names = tests.iter().map(AsRef::as_ref);
    let ran = on_moto().arg("--exact").args(names).output().unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    let all = format!("test result: ok. {} passed", tests.len());
    (said.contains(&all), said)
}

#[test]
fn what_holds_on_one_emulator_holds_on_another() {
    let all = all();
    let is_excepted = |name: &str| EXCEPTIONS.iter().any(|(test, _)| *test == name);
    let named = CHOSEN.into_iter().chain(EXCEPTIONS.iter().map(|(test, _)| *test));
    let unknown: Vec<_> = named.filter(|name| !all.iter().any(|known| known == name)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "no such test");
    let whole: Vec<&str> =
        all.iter().map(String::as_str).filter(|name| !is_excepted(name)).collect();
    let tests = if is_whole() { whole } else { CHOSEN.to_vec() };
    let (holds, said) = pass(&tests);
    println!("{said}");
    assert!(holds, "on moto:\n{said}");
    for (test, _) in EXCEPTIONS.iter().filter(|_| is_whole()) {
        assert!(!pass(&[test]).0, "{test} passes on moto, and is no exception any more");
    }
}

#[test]
fn what_one_emulator_cannot_do_stands_in_the_documents() {
    let page = include_str!("../../docs/aws.md");
    for (test, row) in EXCEPTIONS {
        assert!(page.contains(&format!("| **{row}** |")), "{test}: {row}");
    }
}
