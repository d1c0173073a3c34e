//! Sweeping over the wire: found by tags and marks alone, without the spec, and nothing of others.

use super::cloudfront::{foreign_distribution, foreign_function};
use super::shop::{FUNCTION, OWNED, ROLE, Shop, writes};
use crate::support::Rules;

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

    shop.run("sweep --yes").exits(0).says("Nothing of ours is left that was asked for");
    shop.remove("provision.yaml");
    let calls = shop.calls_of("sweep", 0);
    assert_eq!(writes(&calls), Vec::<&str>::new());
    let _ = shop.run("sweep").exits(0).says("Stack `shop`").says(&format!("distribution {id}"));
    shop.run("sweep --older-than 1h --yes").exits(0).says("Nothing of ours is left that was asked for");

    shop.run("sweep --yes")
        .exits(3)
        .says(&format!("pending      function {FUNCTION}"))
        .says("Run `provision sweep --stack shop --yes` again later, on any machine: it finishes.");
    let left: Vec<String> = shop.everything().await.into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(left, [format!("role {ROLE}"), format!("function {FUNCTION}")]);
    shop.run("sweep --stack shop --yes").exits(0);
    assert_eq!(shop.everything().await, before);
}
