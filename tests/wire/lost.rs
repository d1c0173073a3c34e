//! What this run wrote counts as changed by it, also where the answer was lost.

use super::shop::{OWNED, Shop, count};
use crate::support::{At, Fault, Moment, Rules};
use serde_json::Value;
use std::process::Stdio;

/// Every step of a run, `kind state`, after the answers to these calls were lost.
fn steps(shop: &Shop, arguments: &str, lost: &[&'static str], fault: Fault) -> Vec<String> {
    shop.ground.clear_calls();
    for operation in lost {
        shop.ground.fault(At::Operation(operation, 1), fault);
    }
    let ran = shop.run(&format!("{arguments} --json")).exits(0);
    let calls = shop.ground.calls();
    for operation in lost {
        assert!(count(&calls, operation) > 1, "{operation} was not sent again");
    }
    let documents = ran.said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps = documents.filter(|document| document["type"] == "step");
    steps
        .filter(|step| step["state"] != "started")
        .map(|step| format!("{} {}", step["address"], step["state"]))
        .collect()
}

fn all_changed(steps: &[String]) {
    assert!(!steps.is_empty());
    assert!(steps.iter().all(|step| step.ends_with(r#""changed""#)), "{steps:#?}");
}

#[tokio::test]
async fn what_was_created_is_created() {
    for fault in [Fault::ReplyLost, Fault::Truncated] {
        let shop = Shop::new(OWNED, Rules::prompt()).await;
        let lost = [
            "s3:CreateBucket",
            "iam:CreateRole",
            "cloudfront:CreateOriginAccessControl",
            "lambda:CreateFunction",
            "cloudfront:CreateDistributionWithTags",
            "s3:PutObject",
        ];
        all_changed(&steps(&shop, "apply --yes", &lost, fault));
    }
}

#[tokio::test]
async fn what_was_changed_is_changed() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write(
        "provision.yaml",
        &OWNED.replace("memory: 128", "memory: 256").replace("comment: shop", "comment: other"),
    );
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    let lost = [
        "lambda:UpdateFunctionConfiguration",
        "lambda:UpdateFunctionCode",
        "cloudfront:UpdateDistribution",
    ];
    all_changed(&steps(&shop, "apply --yes", &lost, Fault::ReplyLost));
}

#[tokio::test]
async fn what_was_deleted_is_deleted() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let lost = [
        "cloudfront:UpdateDistribution",
        "cloudfront:DeleteDistribution",
        "cloudfront:DeleteOriginAccessControl",
        "lambda:DeleteFunction",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
        "s3:DeleteBucket",
    ];
    all_changed(&steps(&shop, "destroy --yes", &lost, Fault::ReplyLost));
}

/// What somebody else did is still theirs.
#[tokio::test]
async fn what_was_so_before_is_not_ours() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    // A refusal is an answer: nothing was written.
    shop.ground.fault(At::Operation("iam:DeleteRole", 1), Fault::Status(503));
    let held = shop.ground.hold(At::Operation("iam:DeleteRole", 1), Moment::Before);
    let mut command = shop.command("destroy --yes --json");
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    held.wait_reached();
    shop.aws.clients.iam.delete_role().role_name("shop-edge").send().await.unwrap();
    held.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let outcome = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let outcome = outcome.into_iter().find(|document| document["type"] == "outcome").unwrap();
    let done = outcome["done"].as_array().unwrap().clone();
    let role = done.iter().rfind(|one| one["address"]["kind"] == "role").unwrap();
    assert_eq!(role["state"], "already-so", "{outcome}");
}
