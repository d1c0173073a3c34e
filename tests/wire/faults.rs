//! What AWS refuses: said with what was tried, its code, the request id and a way out; never a
//! panic.

use super::shop::{OWNED, Ran, Shop, writes};
use crate::support::{At, Fault, Ground, Rules};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

const REQUEST: &str = "request 00000000-0000-4000-8000-000000000000";

fn operations(ground: &Ground) -> BTreeSet<&'static str> {
    // Faults name operations for as long as the test runs.
    ground.calls().into_iter().map(|call| &*call.operation.leak()).collect()
}

/// What every fault says.
fn told(ran: Ran) -> Ran {
    ran.exits(1).says("could not ").says(REQUEST).says("hint: ")
}

/// Denies one operation after the other.
fn denied(shop: &Shop, operations: BTreeSet<&'static str>, arguments: &str, start: impl Fn()) {
    assert!(operations.len() > 15, "{operations:?}");
    for operation in operations {
        start();
        shop.ground.fault(At::Every(operation), Fault::Denied);
        let ran = told(shop.run(arguments));
        // S3 answers HEAD without a body, and so without a code.
        if !operation.contains("Head") {
            let _ = ran.says("code AccessDenied");
        }
        assert!(shop.ground.count(operation) > 0, "{operation}");
    }
}

#[tokio::test]
async fn every_call_of_a_first_apply_may_be_denied() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    denied(&shop, operations(&shop.ground), "apply --yes", || shop.ground.reset());
}

#[tokio::test]
async fn every_call_of_a_look_may_be_denied() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for arguments in ["plan", "plan --destroy"] {
        shop.ground.clear_faults();
        shop.ground.clear_calls();
        shop.run(arguments).exits(0);
        let mut all = operations(&shop.ground);
        // A region's refusal is its own: `logs` has tests for it.
        all.remove("logs:DescribeLogGroups");
        denied(&shop, all, arguments, || {
            shop.ground.clear_faults();
            shop.ground.clear_calls();
        });
    }
}

#[tokio::test]
async fn a_step_that_fails_is_told_and_the_next_run_goes_on() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every("lambda:CreateFunction"), Fault::Denied);
    told(shop.run("apply --yes"))
        .says("Failed:")
        .says("could not create function shop-edge")
        .says("code AccessDeniedException")
        .says("not started  distribution shop")
        .says("not started  grant shop-000000000000")
        .says("run `provision apply` again: it goes on from here");
    shop.ground.clear_faults();
    let calls = shop.calls_of("apply --yes", 0);
    let mut written = writes(&calls);
    assert_eq!(written[..2], ["lambda:CreateFunction", "cloudfront:CreateDistributionWithTags"]);
    // The page and the grant go at the same time.
    written[2..].sort_unstable();
    let rest = ["s3:PutBucketPolicy", "s3:PutObject", "s3:PutObject"];
    assert_eq!(written[2..], rest, "what was done stays done");
}

#[tokio::test]
async fn credentials_that_have_ended_say_so() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every("sts:GetCallerIdentity"), Fault::ExpiredCredentials);
    told(shop.run("apply --yes"))
        .says("find out which account this is")
        .says("code ExpiredToken")
        // AWS_PROFILE would not help, nor another sign-in.
        .says("the keys stand in the environment")
        .says("unset AWS_ACCESS_KEY_ID");
    shop.ground.clear_faults();
    shop.ground.fault(At::Every("iam:CreateRole"), Fault::ExpiredCredentials);
    told(shop.run("apply --yes")).says("create role shop-edge").says("or name a profile");
    shop.ground.clear_faults();
    shop.ground.clear_calls();
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    shop.run_with("plan", &nobody)
        .exits(1)
        .says("no AWS credentials were found")
        .says("hint: sign in");
    shop.run_with("plan --profile nobody", &nobody).exits(1).says("hint: ");
    assert_eq!(shop.ground.calls().len(), 0);
}

/// Keys that were exported for something else do not weigh more than the flag.
#[tokio::test]
async fn a_profile_that_was_named_is_the_one_that_asks() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.write(
        "credentials",
        "[staging]\naws_access_key_id = 111122223333\naws_secret_access_key = x\n",
    );
    let exported =
        [("AWS_ACCESS_KEY_ID", "444455556666"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    drop(shop.run_with("plan --profile staging", &exported).exits(0).says("account 111122223333"));
    drop(shop.run_with("plan", &exported).exits(0).says("account 444455556666"));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for (operation, fault) in [
        ("iam:GetRole", Fault::Throttled),
        ("s3:CreateBucket", Fault::Throttled),
        ("lambda:CreateFunction", Fault::Throttled),
        ("cloudfront:CreateOriginAccessControl", Fault::Throttled),
        ("s3:PutBucketPolicy", Fault::Status(503)),
        ("cloudfront:CreateDistributionWithTags", Fault::Status(500)),
        ("sts:GetCallerIdentity", Fault::Reset),
    ] {
        shop.ground.fault(At::Operation(operation, 1), fault);
    }
    shop.run("apply --yes").exits(0);
    shop.run("plan --detailed-exitcode").exits(0);
}

/// The head of an answer is no answer: what is read is read whole, or again.
#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for (arguments, reads) in
        [("plan", 1), ("maintenance on", 3), ("maintenance status", 2), ("destroy --yes", 1)]
    {
        shop.ground.clear_calls();
        for nth in 1..=reads {
            shop.ground.fault(At::Operation("s3:GetObject", nth), Fault::Truncated);
        }
        shop.run(arguments).exits(0);
        assert!(shop.ground.count("s3:GetObject") > reads, "{arguments}");
        shop.ground.clear_faults();
    }
    shop.run("apply --yes").exits(0);
    shop.ground.fault(At::Every("s3:GetObject"), Fault::Truncated);
    shop.run("plan").exits(1).says("the answer broke off: ").says("hint: check the network");
}

/// Two writes that met: S3 wants it sent again, and nobody has overtaken anybody.
#[tokio::test]
async fn a_write_that_met_another_is_sent_again() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let twice = |operation| {
        shop.ground.clear_calls();
        for nth in 1..=2 {
            shop.ground.fault(At::Operation(operation, nth), Fault::Conflict);
        }
    };
    for (operation, arguments) in [
        ("s3:PutObject", "apply --yes"),
        ("s3:PutObject", "maintenance on"),
        ("s3:DeleteObject", "maintenance off"),
        ("s3:DeleteObjects", "destroy --yes"),
    ] {
        twice(operation);
        let ran = shop.run(arguments).exits(0);
        assert!(!ran.said.contains("overtaken"), "{arguments}: {}", ran.said);
        assert!(shop.ground.count(operation) > 2, "{arguments}");
    }
}

/// A look has its minute, so this is slow.
#[tokio::test]
async fn throttling_without_end_ends() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every("lambda:GetFunction"), Fault::Throttled);
    told(shop.run("plan"))
        .says("read function shop-edge")
        .says("code TooManyRequestsException")
        .says("Rate exceeded")
        .says("run the same command again");
    assert!(shop.ground.count("lambda:GetFunction") > 5);
}

#[tokio::test]
async fn nobody_at_the_other_end() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    shop.run(&format!("plan --endpoint-url {url}"))
        .exits(1)
        .says("could not ")
        .says("Connection refused")
        .says(&format!("nothing listens at {closed}: "))
        .says("nothing listens there")
        .says("--endpoint-url");
    assert_eq!(shop.ground.calls().len(), 0);
}

/// Whoever waits is told whom for, in a look and in a step; then the wait goes on.
#[tokio::test]
async fn a_call_that_hangs_is_told() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for (arguments, operation, call) in [
        ("plan", "cloudfront:ListDistributions", "CloudFront ListDistributions"),
        ("apply --yes", "iam:PutRolePolicy", "IAM PutRolePolicy"),
    ] {
        shop.ground.clear_faults();
        shop.ground.fault(At::Every(operation), Fault::Hang);
        let mut running = shop.command(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
        let whom = format!("  still waiting for {call} at 127.0.0.1:");
        let is_told = lines.any(|line| line.is_ok_and(|line| line.starts_with(&whom)));
        running.kill().unwrap();
        running.wait().unwrap();
        assert!(is_told, "{arguments}");
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_aws_is_told_as_such() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for operation in ["sts:GetCallerIdentity", "lambda:GetFunction", "cloudfront:ListDistributions"]
    {
        shop.ground.clear_faults();
        shop.ground.fault(At::Every(operation), Fault::SignInPage);
        shop.run("plan")
            .exits(1)
            .says("a web page came instead of AWS's answer")
            .says("Welcome: sign in")
            .says("is a web server and no AWS");
    }
}

#[tokio::test]
async fn an_endpoint_without_a_scheme_is_told_without_a_dump() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let ran = shop.run("plan --endpoint-url 127.0.0.1:1").exits(64).says("with `http://`");
    assert!(!ran.said.contains("SdkBody"), "{}", ran.said);
}

/// While a deployment is awaited, the write is done: what passes is waited for, and what does not is
/// pending.
#[tokio::test]
async fn a_wait_outlives_what_passes() {
    let rules = Rules { deploy_polls: 4, ..Rules::prompt() };
    for fault in [Fault::Throttled, Fault::Status(503), Fault::Reset] {
        let shop = Shop::new(OWNED, rules.clone()).await;
        // The SDK gives up after five tries of one call; then the wait looks again.
        for nth in 2..=7 {
            shop.ground.fault(At::Operation("cloudfront:GetDistribution", nth), fault);
        }
        shop.run("apply --yes").exits(0);
        assert!(shop.ground.count("cloudfront:GetDistribution") > 7, "{fault:?} was met");
        shop.run("plan --detailed-exitcode").exits(0);
    }
    let shop = Shop::new(OWNED, rules).await;
    shop.ground.fault(At::Operation("cloudfront:GetDistribution", 2), Fault::ExpiredCredentials);
    shop.run("apply --yes")
        .exits(3)
        .says("is still deploying; meanwhile the credentials have ended")
        .says("hint: the keys stand in the environment");
    shop.run("apply --yes").exits(0);
}

/// CloudFront lets a few writes through a minute.
#[tokio::test]
async fn a_write_that_is_throttled_is_sent_again() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for nth in 1..=6 {
        let call = At::Operation("cloudfront:CreateDistributionWithTags", nth);
        shop.ground.fault(call, Fault::Throttled);
    }
    shop.run("apply --yes").exits(0);
    assert_eq!(shop.ground.count("cloudfront:CreateDistributionWithTags"), 7);
}

/// AWS's words about a condition do not say whose doing it is.
#[tokio::test]
async fn a_change_by_somebody_else_is_told_as_such() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("site/style.css", "h1 { color: red }");
    for (status, code, text, was) in [
        (412, "PreconditionFailed", "At least one of the pre-conditions did not hold", "changed"),
        (404, "NoSuchKey", "The specified key does not exist.", "taken away"),
    ] {
        shop.ground.clear_faults();
        shop.ground.fault(At::Every("s3:PutObject"), Fault::Says(status, code, text));
        let told = format!("it was {was} by another user since it was looked at; AWS said: {text}");
        let ran = shop.run("apply --yes").exits(1);
        drop(ran.says(&format!("site style.css: failed: {told}")).says("object style.css: it was"));
    }
}

#[tokio::test]
async fn an_answer_that_nobody_understands_is_told_as_such() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for operation in ["cloudfront:ListDistributions", "lambda:GetFunction"] {
        shop.ground.clear_faults();
        shop.ground.fault(At::Every(operation), Fault::Garbled);
        let ran = shop.run("plan").exits(1).says("AWS's answer (HTTP status 200, ");
        drop(ran.says("cannot be understood").says("--record DIR"));
    }
}

/// Where nothing came, nobody knows that there is nothing.
#[tokio::test]
async fn an_empty_answer_is_not_an_empty_account() {
    let spec = OWNED.replace("keep_versions: 3", "keep_versions: 3, log_retention: 14d");
    let shop = Shop::applied(&spec, Rules::prompt()).await;
    for operation in [
        "lambda:GetFunction",
        "lambda:ListVersionsByFunction",
        "logs:DescribeLogGroups",
        "s3:GetBucketPolicy",
        "s3:GetPublicAccessBlock",
        "iam:GetRolePolicy",
        "cloudfront:ListDistributions",
        "cloudfront:ListOriginAccessControls",
        "cloudfront:ListTagsForResource",
    ] {
        shop.ground.clear_faults();
        shop.ground.fault(At::Every(operation), Fault::Empty);
        let ran = shop.run("plan").exits(1);
        drop(ran.says("AWS's answer (HTTP status 200, 0 bytes) cannot be understood: it is empty"));
    }
}

/// What repeating does not mend is not said to go on by itself.
#[tokio::test]
async fn what_has_to_be_mended_first_is_said() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let again = "run `provision apply` again: it goes on from here";
    shop.ground.fault(At::Every("iam:PutRolePolicy"), Fault::Denied);
    drop(shop.run("apply --yes").exits(1).says(&format!("hint: once that is mended, {again}")));
    shop.ground.clear_faults();
    let moved = Fault::Says(412, "PreconditionFailed", "At least one of the pre-conditions");
    shop.ground.fault(At::Every("s3:PutObject"), moved);
    drop(shop.run("apply --yes").exits(1).says(&format!("hint: {again}")));
}
