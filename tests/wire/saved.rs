//! Plans in files: exactly that, or nothing.

use super::cloudfront::edit;
use super::shop::{BUCKET, FUNCTION, OWNED, Shop, writes};
use crate::support::Rules;
use serde_json::json;

/// The plan in the file is refused with these words, and nothing is written.
fn refused(shop: &Shop, environment: &[(&str, &str)], words: &str) {
    shop.ground.clear_calls();
    shop.run_with("apply next.plan --yes", environment).exits(4).says(words);
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn a_saved_plan_is_carried_out_once() {
    let shop = Shop::new(OWNED, Rules::aws()).await;
    shop.run("plan --out next.plan").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
    shop.run("apply next.plan --yes").exits(0).says("Done:");
    shop.run("plan --detailed-exitcode").exits(0);
    refused(&shop, &[], "what it was made from has moved on");
    shop.run("plan --destroy --out next.plan").exits(0);
    refused(&shop, &[], "takes the stack down");
    shop.run("destroy next.plan --yes").exits(3);
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_has_moved_on_is_not_overwritten() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let id = shop.distribution().await;
    shop.write("provision.yaml", &OWNED.replace("comment: shop", "comment: the shop"));
    shop.run("plan --out next.plan").exits(0);
    // The same document again: only its ETag is another one.
    edit(&shop, id.as_str(), "<Comment>shop</Comment>", "<Comment>shop</Comment>");
    refused(&shop, &[], "moved on (plan.steps[0].op.distribution.Update.etag");

    shop.write("provision.yaml", &OWNED.replace("memory: 128", "memory: 192"));
    shop.run("plan --out next.plan").exits(0);
    let lambda = &shop.aws.clients.lambda;
    lambda.update_function_configuration().function_name(FUNCTION).timeout(5).send().await.unwrap();
    refused(&shop, &[], "moved on (plan.steps[0].op.function.shop-edge.Configure.revision");

    shop.write("provision.yaml", OWNED);
    let s3 = &shop.aws.clients.s3;
    let policy = |sid: &str| {
        let arn = format!("arn:aws:s3:::{BUCKET}");
        let statement = json!({"Sid": sid, "Effect": "Deny", "Principal": "*",
            "Action": "s3:DeleteBucket", "Resource": arn});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    s3.put_bucket_policy().bucket(BUCKET).policy(policy("One")).send().await.unwrap();
    shop.run("plan --out next.plan").exits(0);
    s3.put_bucket_policy().bucket(BUCKET).policy(policy("Two")).send().await.unwrap();
    refused(&shop, &[], "moved on (plan.steps[0].op.grant.shop-000000000000.Put.before");

    // A file that the plan would upload.
    shop.run("apply --yes").exits(0);
    shop.write("site/index.html", "<h1>new</h1>");
    shop.run("plan --out next.plan").exits(0);
    shop.write("site/index.html", "<h1>newer</h1>");
    refused(&shop, &[], "moved on (plan.steps[0].op.site.Put.content");
}

#[tokio::test]
async fn a_plan_for_somewhere_else_is_refused() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.run("plan --out next.plan").exits(0);
    refused(
        &shop,
        &[("AWS_ACCESS_KEY_ID", "111122223333")],
        "is for account 000000000000, the credentials are for account 111122223333",
    );
    shop.write("provision.yaml", &OWNED.replace("stack: shop", "stack: store"));
    refused(&shop, &[], "is for stack `shop`, the spec is for stack `store`");
    shop.write("next.plan", "{}");
    refused(&shop, &[], "is not a saved plan");
    shop.remove("next.plan");
    refused(&shop, &[], "cannot be read");
    shop.write("provision.yaml", &format!("{OWNED}account: \"111122223333\"\n"));
    shop.ground.clear_calls();
    shop.run("apply --yes").exits(4).says("the spec is for account 111122223333");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}
