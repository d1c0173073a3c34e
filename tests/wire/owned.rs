//! A stack with a distribution of its own.

use super::shop::{OWNED, Shop, count, writes};
use crate::support::Rules;

#[tokio::test]
async fn a_stack_comes_to_be_and_then_there_is_nothing_to_do() {
    let shop = Shop::new(OWNED, Rules::aws()).await;
    shop.run("apply --yes").exits(0).says("Done:").says(".cloudfront.net");
    shop.ground.clear_calls();
    shop.run("plan --detailed-exitcode").exits(0).says("Nothing to do");
    shop.run("apply --yes").exits(0).says("Nothing to do");
    shop.run("status").exits(0).says("switch   off");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn everything_may_take_its_time() {
    let rules = Rules {
        deploy_polls: 3,
        stale_polls: 2,
        function_polls: 3,
        update_polls: 2,
        role_tries: 3,
        edge_trust_tries: 2,
        replica_tries: 2,
        new_tries: 2,
        bucket_tries: 2,
        references_stay_used: true,
        ..Rules::aws()
    };
    let shop = Shop::new(OWNED, rules).await;
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(count(&calls, "lambda:CreateFunction"), 1 + 3, "IAM lags behind at Lambda");
    assert_eq!(count(&calls, "cloudfront:CreateDistributionWithTags"), 1 + 2, "and at the edge");
    let pending =
        calls.iter().filter(|call| call.operation == "lambda:GetFunctionConfiguration").count();
    assert_eq!(pending, 2 + 3 + 1, "a version is unknown, then pending first");
    assert_eq!(
        count(&calls, "s3:PutPublicAccessBlock"),
        2 + 2 + 1,
        "a bucket is unknown, then busy"
    );
    assert_eq!(count(&calls, "iam:PutRolePolicy"), 2 + 1, "a role is unknown first");
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    shop.write(
        "provision.yaml",
        &OWNED.replace("comment: shop", "comment: the shop").replace("memory: 128", "memory: 256"),
    );
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(count(&calls, "cloudfront:UpdateDistribution"), 1);
    let polls = calls
        .iter()
        .rev()
        .take_while(|call| call.operation == "cloudfront:GetDistribution")
        .count();
    assert!(polls >= 1 + 2 + 3, "an old snapshot is not taken for the end: {polls} polls");
    shop.run("plan --detailed-exitcode").exits(0);

    shop.run("destroy --yes --wait 1m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
    shop.ground.clear_calls();
    shop.run("apply --yes").exits(0);
    assert_eq!(
        count(&shop.ground.calls(), "s3:CreateBucket"),
        1 + 2,
        "the bucket's name stays busy for a while"
    );
}

#[tokio::test]
async fn lists_in_many_pages_are_read_to_their_end() {
    let shop = Shop::new(OWNED, Rules { page_size: Some(1), ..Rules::prompt() }).await;
    for number in 0..3 {
        shop.write(&format!("site/page-{number}.html"), &number.to_string());
    }
    shop.run("apply --yes").exits(0);
    let calls = shop.calls_of("plan --detailed-exitcode", 0);
    assert_eq!(count(&calls, "s3:ListObjectsV2"), 7, "five files, the page and the index");
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}
