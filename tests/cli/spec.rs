//! A wrong spec: everything that is wrong, in one go, before anything is asked or written.

use crate::story::{SHOP, Story};

#[test]
fn all_problems_are_told_at_once() {
    let mut story = Story::of_a_shop();
    story.write(
        "provision.yaml",
        "\
stack: Shop
regoin: eu-west-1
bucket: {name: My_Bucket, site: ./nowhere}
maintenance: {status: 99, retry_after: soon, page: ../outside.html}
function:
  runtime: python2.7
  memory: 4 GB
  environment: {A: b}
distribution:
  aliases: [www.example.org]
",
    );
    for verb in ["validate", "plan --sandbox", "apply --sandbox --yes", "status --sandbox"] {
        assert_eq!(story.ask(verb).code, 65, "{verb}");
    }
    story.run("validate");
    insta::assert_snapshot!(story.transcript());
    assert!(!story.path(".provision").exists());
}

#[test]
fn a_spec_that_is_not_there_says_how_to_get_one() {
    let mut story = Story::in_an_empty_folder();
    story.run("plan --sandbox");
    story.run("plan --sandbox -f elsewhere.yaml");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn the_schema_comes_from_the_program_alone() {
    let answer = Story::in_an_empty_folder().ask("validate --schema");
    assert_eq!(answer.code, 0);
    assert_eq!(answer.out, include_str!("../../config/provision.schema.json"));
}

#[test]
fn a_spec_for_another_account_is_refused() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", &format!("account: \"999999999999\"\n{SHOP}"));
    story.run("apply --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert!(!story.path(".provision/sandbox/world.json").exists());
}
