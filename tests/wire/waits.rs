//! What AWS said last while it was waited for is what is told, not what was hoped for.

use super::shop::{OWNED, Shop};
use crate::support::{At, Fault, Moment, Rules};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// The SDK tries a call so often; then the wait begins.
const TRIES: usize = 5;

/// Runs it until the operation was called more often than the SDK does by itself, stops it there,
/// and returns its outcome.
fn stopped(shop: &Shop, arguments: &str, operation: &'static str) -> Value {
    shop.ground.clear_calls();
    let held = shop.ground.hold(At::Operation(operation, TRIES + 1), Moment::Before);
    let mut command = shop.command(&format!("{arguments} --json"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let came = held.wait_reached_unless(|| child.try_wait().unwrap().is_some());
    let kill = format!("kill -INT {}", child.id());
    assert!(came && Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("once more stops at once")));
    held.release();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let documents = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    documents.into_iter().find(|document| document["type"] == "outcome").unwrap()
}

/// Takes one of the stack's kinds into a state in which the operation is called.
type Start = fn(&Shop);

fn nothing(_: &Shop) {}

fn applied(shop: &Shop) {
    shop.run("apply --yes").exits(0);
}

fn changed(from: &str, to: &str, shop: &Shop) {
    applied(shop);
    shop.write("provision.yaml", &OWNED.replace(from, to));
}

async fn is_told(start: Start, arguments: &str, operation: &'static str, fault: Fault) {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    start(&shop);
    shop.ground.fault(At::Every(operation), fault);
    let outcome = stopped(&shop, arguments, operation);
    assert_eq!(outcome["deferred"], Value::Array(Vec::new()), "{outcome}");
    let failed = &outcome["failed"][0]["fault"];
    assert_eq!(failed["kind"], "Failing", "{outcome}");
    let text = failed["message"].as_str().unwrap_or_default();
    assert!(text.starts_with("We encountered an internal error"), "{outcome}");
    assert_eq!(failed["request_id"], "00000000-0000-4000-8000-000000000000", "{outcome}");
    assert!(failed["code"].is_string(), "{outcome}");
}

#[tokio::test]
async fn a_bucket_that_s3_fails_to_create_is_no_busy_name() {
    is_told(nothing, "apply --yes", "s3:CreateBucket", Fault::Status(500)).await;
}

#[tokio::test]
async fn a_function_that_lambda_fails_to_create_is_no_unknown_role() {
    is_told(nothing, "apply --yes", "lambda:CreateFunction", Fault::Status(503)).await;
}

#[tokio::test]
async fn a_distribution_that_cloudfront_fails_to_create_is_no_unknown_role() {
    let call = "cloudfront:CreateDistributionWithTags";
    is_told(nothing, "apply --yes", call, Fault::Status(503)).await;
}

#[tokio::test]
async fn a_distribution_that_cloudfront_fails_to_change_is_no_unknown_role() {
    let call = "cloudfront:UpdateDistribution";
    is_told(applied, "destroy --yes", call, Fault::Status(503)).await;
}

#[tokio::test]
async fn a_distribution_that_cloudfront_fails_to_delete_is_not_held() {
    let call = "cloudfront:DeleteDistribution";
    is_told(applied, "destroy --yes", call, Fault::Status(503)).await;
}

#[tokio::test]
async fn a_function_that_lambda_fails_to_configure_is_not_busy() {
    let start = |shop: &Shop| changed("memory: 128", "memory: 256", shop);
    let call = "lambda:UpdateFunctionConfiguration";
    is_told(start, "apply --yes", call, Fault::Status(500)).await;
}

#[tokio::test]
async fn code_that_lambda_fails_to_take_is_not_busy() {
    let start = |shop: &Shop| {
        applied(shop);
        shop.write("edge.py", "def handler(event, context):\n    return None\n");
    };
    is_told(start, "apply --yes", "lambda:UpdateFunctionCode", Fault::Status(500)).await;
}

#[tokio::test]
async fn a_deployment_at_which_nobody_can_look_is_not_under_way() {
    let call = "cloudfront:GetDistribution";
    is_told(nothing, "apply --yes", call, Fault::Status(503)).await;
}

/// What is awaited is told in AWS's words, too.
#[tokio::test]
async fn what_is_not_yet_is_told_with_aws_s_words() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let text = "The role defined for the function cannot be assumed by Lambda.";
    let fault = Fault::Says(400, "InvalidParameterValueException", text);
    shop.ground.fault(At::Every("lambda:CreateFunction"), fault);
    let outcome = stopped(&shop, "apply --yes", "lambda:CreateFunction");
    assert_eq!(outcome["failed"], Value::Array(Vec::new()), "{outcome}");
    let later = &outcome["deferred"][0];
    assert_eq!(later["fault"]["message"], text, "{outcome}");
    assert_eq!(later["fault"]["code"], "InvalidParameterValueException", "{outcome}");
    let reason = later["reason"].as_str().unwrap();
    assert!(reason.starts_with("Lambda does not take the function"), "{outcome}");
}

const UNKNOWN: Fault =
    Fault::Says(404, "NoSuchDistribution", "The specified distribution does not exist.");
const LOOK: &str = "cloudfront:GetDistribution";

/// A look that knows of nothing yet has not seen a deployment.
#[tokio::test]
async fn a_distribution_that_is_not_known_yet_is_not_deployed() {
    let rules = Rules { deploy_polls: 4, ..Rules::prompt() };
    let shop = Shop::new(OWNED, rules).await;
    shop.ground.fault(At::Operation(LOOK, 1), UNKNOWN);
    shop.run("apply --yes").exits(0);
    // The 404, four times in progress, and deployed.
    assert_eq!(shop.ground.count(LOOK), 6);
}

#[tokio::test]
async fn a_distribution_that_stays_unknown_is_not_deployed() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("provision.yaml", &OWNED.replace("comment: shop", "comment: other"));
    let looks = shop.calls_of("plan", 0).iter().filter(|call| call.operation == LOOK).count();
    shop.ground.clear_calls();
    for nth in 1..=8 {
        shop.ground.fault(At::Operation(LOOK, looks + nth), UNKNOWN);
    }
    let ran = shop.run("apply --yes").exits(1).says("code NoSuchDistribution");
    assert!(!ran.said.contains("deployed ["), "{}", ran.said);
}

/// IAM lags behind itself.
#[tokio::test]
async fn a_role_whose_policies_are_just_gone_is_deleted_a_moment_later() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.clear_calls();
    let text = "Cannot delete entity, must delete policies first.";
    for nth in 1..=2 {
        let fault = Fault::Says(409, "DeleteConflict", text);
        shop.ground.fault(At::Operation("iam:DeleteRole", nth), fault);
    }
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.ground.count("iam:DeleteRole"), 3);
}

/// An update that another user began does not keep what is to go.
#[tokio::test]
async fn what_is_busy_or_has_moved_is_deleted_a_moment_later() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.clear_calls();
    let text = "The operation cannot be performed at this time. An update is in progress";
    let busy = Fault::Says(409, "ResourceConflictException", text);
    let moved = Fault::Says(412, "PreconditionFailed", "The precondition given did not hold");
    let calls = ["lambda:DeleteFunction", "cloudfront:DeleteOriginAccessControl"];
    for (call, fault) in calls.into_iter().zip([busy, moved]) {
        shop.ground.fault(At::Operation(call, 1), fault);
    }
    shop.run("destroy --yes").exits(0);
    for call in calls {
        assert!(shop.ground.count(call) > 1, "{call}");
    }
}

/// Nobody waits for more than some seconds, and AWS may fail for one.
#[tokio::test]
async fn a_turn_outlives_four_failures() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.clear_calls();
    for nth in 1..=4 {
        shop.ground.fault(At::Operation("sts:GetCallerIdentity", nth), Fault::Status(503));
    }
    shop.run("maintenance on").exits(0);
}
