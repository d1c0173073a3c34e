//! All experiments, one after the other: of AWS where somebody names an account, else of the
//! emulator.

use super::bench::{Bench, UNENDED};
use super::caller::Sdk;
use super::experiment::{Row, UNTRIED, experiments, row, table};
use crate::support::Ground;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::{env, fs};

/// Makes the stack, tries everything, takes everything down whatever came in between.
async fn run(bench: &Bench) -> (Vec<Row>, String) {
    let mut rows = Vec::new();
    let tries = async {
        let ran = bench.run("apply --yes");
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        for experiment in experiments() {
            println!("trying: {}: {}", experiment.question, experiment.part);
            rows.push(row(experiment, bench).await);
        }
    };
    // A first apply that fails, and Ctrl-C, leave something to take down.
    let tries = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(tries));
    tokio::select! {
        // It has to be listened for before the first run.
        biased;
        _ = tokio::signal::ctrl_c() => println!("interrupted"),
        ended = tries => if ended.is_err() { println!("broke off") },
    }
    let left = bench.close().await;
    (rows, left)
}

#[tokio::test]
#[ignore = "writes to the AWS account that PROVISION_LIVE_ACCOUNT names"]
async fn every_open_question_is_asked_of_aws() {
    #[expect(clippy::disallowed_methods, reason = "it is the consent of whoever runs this")]
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let elsewhere = variable("AWS_ENDPOINT_URL");
    assert_eq!(elsewhere, "", "AWS_ENDPOINT_URL is set, and what answers there is not AWS");
    let bench = Bench::open(None, &variable("PROVISION_LIVE_ACCOUNT")).await;
    let bench = bench.unwrap_or_else(|why| panic!("nothing was written: {why}"));
    println!(
        "stack {} in account {}: half an hour to an hour, less than 0.10 USD",
        bench.stack, bench.account
    );
    let (rows, left) = run(&bench).await;
    let told = format!("{}\n{left}\n", table("AWS", &rows));
    bench.write("answers.md", told.as_bytes());
    println!("{told}\nThis is in {}", bench.folder.display());
    assert!(!left.starts_with(UNENDED), "{left}");
}

/// What the emulator and the local edge answer to each experiment; it is not AWS's word.
const EMULATED: &[&str] = &[
    "`/`",
    "the function's",
    "no",
    "no",
    "yes",
    "after",
    "name and value",
    "no answer", // A function on this machine has no reservation,
    "no answer", // and the local edge applies no policy.
    "yes",
    "yes",
    "yes",
    "InvalidFunctionAssociation",
    "yes",
    "yes",
    "aws:RequestTag",
    "no",
    "no",
    "no",
    "without",
    "403",
];

#[tokio::test]
async fn every_experiment_runs_on_the_emulator() {
    let ground = Arc::new(Ground::start_with_auth());
    let bench = Bench::open(Some(ground), "000000000000").await.unwrap();
    let (rows, left) = run(&bench).await;
    println!("{}\n{left}", table("the emulator", &rows));
    assert_eq!(rows.iter().map(Row::answer).collect::<Vec<_>>(), EMULATED);
    assert_eq!(left, format!("everything of stack {} is gone", bench.stack));
    let Sdk { iam, cloudfront, logs, .. } = &bench.sdk;
    let roles = iam.list_roles().send().await.unwrap().roles;
    assert!(roles.is_empty(), "the role for callers is left: {roles:?}");
    let functions = cloudfront.list_functions().send().await.unwrap().function_list;
    let functions = functions.and_then(|list| list.items).unwrap_or_default();
    assert!(functions.is_empty(), "{functions:?}");
    let groups = logs.describe_log_groups().send().await.unwrap().log_groups;
    assert_eq!(groups.unwrap_or_default(), []);
}

#[tokio::test]
async fn no_account_but_the_named_one_is_written_to() {
    let ground = Arc::new(Ground::start());
    for (named, why) in [
        ("", "12 digits"),
        ("shop", "12 digits"),
        ("00000000000", "12 digits"),
        ("123456789012", "of account 000000000000"),
    ] {
        let opened = Bench::open(Some(Arc::clone(&ground)), named).await;
        let refused = opened.err().unwrap_or_else(|| panic!("{named} is taken"));
        assert!(refused.contains(why), "{refused}");
    }
    let calls: Vec<String> = ground.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["sts:GetCallerIdentity"]);
}

/// An experiment that is not about a question of the page, and a question without one.
#[test]
fn every_open_question_has_its_experiment_or_its_reason() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/aws.md")).unwrap();
    let (_, open) = page.split_once("\n## Open questions\n").unwrap();
    let open = open.split("\n## ").next().unwrap();
    let asked = open.lines().filter_map(|line| line.strip_prefix("| **")?.split("**").next());
    let tried = experiments().map(|experiment| experiment.question);
    let tried: BTreeSet<&str> =
        tried.chain(UNTRIED.iter().map(|(question, _)| *question)).collect();
    assert_eq!(asked.collect::<BTreeSet<_>>(), tried);
    for experiment in experiments() {
        let known = |taken: &&&str| experiment.answers.contains(taken);
        assert!(experiment.taken.iter().all(|taken| known(&taken)), "{}", experiment.question);
    }
}
