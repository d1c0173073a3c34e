//! Sweeping over the wire: found by tags and marks alone, without the spec, and nothing of others.

use super::cloudfront::{foreign_distribution, foreign_function};
use super::shop::{FUNCTION, OWNED, ROLE, Shop, writes};
use crate::support::Rules;
use aws_sdk_s3::types::CreateBucketConfiguration;
use serde_json::{Value, json};

#[tokio::test]
async fn what_a_lost_spec_left_is_found_and_taken_down() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    // Neighbours who have to be there afterwards, as they were.
    let arn = foreign_function(&shop).await;
    foreign_distribution(&shop, &arn, "example.org");
    let before = shop.everything().await;
    shop.run("apply --yes").exits(0);
    shop.ground.rules(|rules| rules.replica_tries = 1);
    let id = shop.distribution().await;

    shop.run("sweep --all --yes")
        .exits(0)
        .says("Nothing of ours that was asked for is left in account 000000000000");
    shop.remove("provision.yaml");
    let calls = shop.calls_of("sweep", 0);
    assert_eq!(writes(&calls), Vec::<&str>::new());
    let _ =
        shop.run("sweep").exits(0).says("Stack `shop`").says(&format!("distribution {id} enabled"));
    shop.run("sweep --older-than 1h --yes")
        .exits(0)
        .says("Nothing of ours that was asked for is left in account 000000000000");
    shop.run("sweep --all --yes").exits(0).says("in use: it stays");
    shop.run("sweep --yes").exits(64);

    shop.run("sweep --all --in-use --yes")
        .exits(3)
        .says(&format!("pending      function {FUNCTION}"))
        .says("Run `provision sweep --stack shop --yes` again later, on any machine: it finishes.");
    let left: Vec<String> =
        shop.everything().await.into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(left, [format!("role {ROLE}"), format!("function {FUNCTION}")]);
    shop.run("sweep --stack shop --yes").exits(0);
    assert_eq!(shop.everything().await, before);
}

/// A region that was closed after a bucket was made in it ends no look at all others; where nothing
/// can be read, nothing is said to be gone.
#[tokio::test]
async fn a_bucket_in_a_closed_region_is_told_and_the_others_are_found() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let s3 = shop.aws.clients.s3_in(Some("af-south-1"));
    let place = CreateBucketConfiguration::builder().location_constraint("af-south-1".into());
    let made = s3.create_bucket().bucket("far-away").create_bucket_configuration(place.build());
    made.send().await.unwrap();
    shop.remove("provision.yaml");
    shop.ground.rules(|rules| rules.closed_regions = &["af-south-1"]);
    drop(shop.run("sweep").exits(0).says("Stack `shop`").says("far-away").says("was not seen"));
    shop.ground.rules(|rules| rules.closed_regions = &["af-south-1", "eu-west-1"]);
    drop(shop.run("sweep").exits(1).says("code InvalidToken"));
}

/// Signs of life and guards, as a user without the spec meets them; the bucket is elsewhere, and
/// its switch has a key of its own.
#[tokio::test]
async fn what_a_stack_says_of_itself_is_read_from_its_traces() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let spec = format!("{OWNED}protect: [bucket, role]\nttl: 7d\n")
        .replace("maintenance: {", "maintenance: {keys: {on: closed.html}, ");
    shop.write("provision.yaml", &spec);
    shop.run("apply --yes").exits(0);
    shop.remove("provision.yaml");
    let told = |shop: &Shop| {
        let said = shop.run("sweep --json").exits(0).said;
        let found: Value = said.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap();
        let fields = ["switch", "in_use", "protected", "ttl_seconds", "expired", "stays"];
        json!(fields.map(|field| found["stacks"][0][field].clone()))
    };
    assert_eq!(told(&shop), json!(["off", true, ["bucket", "role"], 604_800, false, false]));
    shop.write("provision.yaml", &spec);
    shop.run("maintenance on").exits(0);
    // The guard of the spec at hand, before anything is looked for.
    shop.write("provision.yaml", &format!("{spec}account: \"111122223333\"\n"));
    let calls = shop.calls_of("sweep --stack shop --yes", 4);
    assert!(calls.iter().all(|call| call.operation == "sts:GetCallerIdentity"), "{calls:?}");
    shop.remove("provision.yaml");
    assert_eq!(told(&shop)[0], "on");

    shop.run("sweep --stack shop --yes").exits(0).says("tag `provision:protect`");
    let left = shop.everything().await;
    assert!(left.contains(&format!("role {ROLE}")) && left.len() == 2, "{left:?}");
}
