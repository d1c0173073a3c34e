//! The operator's policies: JSON for whoever pipes them on, and a question to nobody where the spec
//! says the account.

use crate::story::{SHOP, Story};
use serde_json::Value;
use std::io::ErrorKind;
use std::net::TcpListener;

const PURPOSES: [&str; 5] = ["apply", "destroy", "plan", "toggle", "sweep"];

/// The statements of a policy that IAM would take by its form.
fn statements(out: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(out).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().unwrap().clone();
    assert!(!statements.is_empty());
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow");
        assert!(statement["Action"].is_array() && !statement["Resource"].is_null(), "{statement}");
    }
    statements
}

#[test]
fn a_spec_with_its_account_needs_nobody() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}", trap.local_addr().unwrap());
    let story = Story::of_a_shop();
    let without = story.ask("policy --for apply --sandbox");
    story.write("provision.yaml", &format!("{SHOP}account: \"123456789012\"\n"));
    for purpose in PURPOSES {
        let mut command = story.command(&format!("policy --for {purpose}"));
        for name in
            ["AWS_ENDPOINT_URL", "HTTP_PROXY", "HTTPS_PROXY", "AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        {
            command.env(name, &url);
        }
        let output = command
            .env("AWS_PROFILE", "no-such-profile")
            .assert()
            .code(0)
            .stderr("")
            .get_output()
            .clone();
        let out = String::from_utf8(output.stdout).unwrap();
        let _ = statements(&out);
        if purpose == "apply" {
            assert_eq!(out, without.out, "the sandbox plays the same account");
        }
    }
    assert_eq!(trap.accept().map(drop).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn each_purpose_allows_what_it_is_for() {
    let story = Story::of_a_shop();
    for purpose in PURPOSES {
        for flag in ["", " --json"] {
            let answer = story.ask(&format!("policy --for {purpose} --sandbox{flag}"));
            assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{purpose}");
            let statements = statements(&answer.out);
            let actions: Vec<&str> = statements
                .iter()
                .flat_map(|one| one["Action"].as_array().unwrap())
                .filter_map(Value::as_str)
                .collect();
            let allows = |action: &str| actions.contains(&action);
            let allowed =
                ["s3:CreateBucket", "s3:DeleteBucket", "s3:PutObject", "s3:ListAllMyBuckets"]
                    .map(allows);
            let expected = match purpose {
                "apply" => [true, false, true, false],
                "destroy" => [false, true, false, false],
                "toggle" => [false, false, true, false],
                "sweep" => [false, false, false, true],
                _ => [false; 4],
            };
            assert_eq!(allowed, expected, "{purpose}");
        }
    }
}

#[test]
fn the_switch_alone_takes_the_two_keys_alone() {
    let mut story = Story::of_a_shop();
    assert_eq!(story.run("policy --for toggle --sandbox").code, 0);
    assert_eq!(story.run("policy --for nothing --sandbox").code, 64);
    assert_eq!(story.run("policy --sandbox").code, 64);
    insta::assert_snapshot!(story.transcript());
}
