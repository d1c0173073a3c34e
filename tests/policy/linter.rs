//! A linter that others wrote knows every action that is printed, on the resources and with the
//! conditions of its statement.

use super::printed::{PURPOSES, Variant};
use crate::support::venv;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

/// Its data comes with it: it asks nobody.
const VERSION: &str = "1.6.4";

const LINT: &str = include_str!("lint.py");

/// What it says of whole policies and of an action, and why that is no fault.
const KNOWN: &[(&str, &str, &str)] = &[
    ("UNKNOWN_ACTION", "s3:GetBucketABAC", "younger than its data"),
    ("RESOURCE_STAR", "cloudfront:CreateDistribution", "takes no resource by now"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "iam:UpdateAssumeRolePolicy", "younger than its data"),
    ("MISMATCHED_TYPE_BUT_USABLE", "iam:CreateRole", EXACT),
    ("MISMATCHED_TYPE_BUT_USABLE", "iam:PutRolePolicy", EXACT),
    ("MISMATCHED_TYPE_BUT_USABLE", "iam:PutRolePermissionsBoundary", EXACT),
];

/// IAM User Guide, "Permissions boundaries for IAM entities".
const EXACT: &str = "AWS's own examples compare the boundary as a string, and `ArnEquals` would \
    take an asterisk in it for more than itself";

/// What the linter says of policies: the finding and the action.
fn lint(policies: &[String]) -> BTreeSet<(String, String, String)> {
    let python = venv::programs("parliament", VERSION, &[]).join("python3");
    let mut command = Command::new(python);
    command.args(["-c", LINT]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(policies.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the linter ended with {}", output.status);
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_linter_finds_no_fault_in_any_printed_policy() {
    let policies: Vec<String> = Variant::all()
        .flat_map(|variant| PURPOSES.map(|purpose| variant.policy(purpose).to_string()))
        .collect();
    let found = lint(&policies);
    let of = |(issue, action, _): &(String, String, String)| (issue.clone(), action.clone());
    let found_kinds: BTreeSet<_> = found.iter().map(of).collect();
    let known: BTreeSet<_> =
        KNOWN.iter().map(|(issue, action, _)| ((*issue).into(), (*action).into())).collect();
    assert_eq!(found_kinds, known, "{found:#?}");
}

#[test]
fn the_linter_tells_actions_resources_and_conditions_that_do_not_exist() {
    let statement = |action: &str, resource: &str, condition: &str| {
        format!(
            "{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Sid\": \"A\", \"Effect\": \"Allow\", \
             \"Action\": [\"{action}\"], \"Resource\": \"{resource}\", \"Condition\": {condition}}}]}}"
        )
    };
    let bounded = r#"{"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/A"}}"#;
    let tagged = r#"{"StringEquals": {"aws:RequestTag/provision:stack": "shop"}}"#;
    let role = "arn:aws:iam::123456789012:role/shop-edge";
    let control = "arn:aws:cloudfront::123456789012:origin-access-control/*";
    for (action, resource, condition, issue) in [
        ("cloudfront:CreateDistributionWithTags", "*", "{}", "UNKNOWN_ACTION"),
        ("cloudwatchlogs:CreateLogGroup", "*", "{}", "UNKNOWN_PREFIX"),
        ("iam:CreateRole", "arn:aws:s3:::shop", "{}", "RESOURCE_MISMATCH"),
        ("iam:TagRole", role, bounded, "UNKNOWN_CONDITION_FOR_ACTION"),
        ("cloudfront:UpdateOriginAccessControl", control, tagged, "TAG_UNKNOWN_TO_ACTION"),
    ] {
        let found = lint(&[statement(action, resource, condition)]);
        let said: Vec<_> = found.iter().map(|(issue, ..)| issue.as_str()).collect();
        assert_eq!(said, [issue], "{action}");
    }
}
