//! Replicas at the edge outlive everything; what waits for them is never lost.

use super::desk::Desk;
use super::shop::{OWNED, Shop};
use crate::support::Rules;

/// As long as nobody says otherwise.
const FOR_EVER: usize = usize::MAX;

/// What the replicas hold.
const HELD: [&str; 2] = ["role shop-edge", "function shop-edge"];

/// Applies, and destroys as far as that goes. Replicas refuse so many tries.
async fn half_destroyed(replica_tries: usize, arguments: &str) -> Shop {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let desk = Desk::new(OWNED);
    desk.run(&shop.ground, "apply --yes").exits(0);
    shop.ground.rules(|rules| rules.replica_tries = replica_tries);
    shop.ground.clear_calls();
    let ran = desk.run(&shop.ground, arguments).exits(3);
    let outcome = ran.outcome().unwrap();
    let kinds = |part: &str| -> Vec<String> {
        let steps = outcome[part].as_array().unwrap().iter();
        steps.map(|step| step["address"]["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((kinds("deferred"), kinds("failed")), (vec!["function".to_owned()], Vec::new()));
    assert!(kinds("not_started").iter().all(|kind| kind == "role"), "{outcome}");
    assert!(outcome["deferred"][0]["try_again_after_seconds"].as_u64().unwrap() > 0);
    assert_eq!(shop.everything().await, HELD);
    shop
}

#[tokio::test]
async fn what_replicas_hold_goes_later_from_anywhere() {
    let shop = half_destroyed(2, "destroy --yes").await;
    let elsewhere = Desk::with_spec_alone(OWNED);
    elsewhere.run(&shop.ground, "destroy --yes").exits(3);
    assert_eq!(shop.everything().await, HELD);
    elsewhere.run(&shop.ground, "destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
    let ran = elsewhere.run(&shop.ground, "destroy --yes").exits(0);
    assert!(ran.plan().is_some_and(|plan| plan["empty"] == true));
}

#[tokio::test]
async fn patience_that_runs_out_is_no_failure() {
    let shop = half_destroyed(FOR_EVER, "destroy --yes --wait 1s").await;
    assert!(shop.ground.count("lambda:DeleteFunction") > 1, "it did not even try again");
    // No rule holds a function any more.
    shop.ground.rules(|rules| rules.functions = false);
    Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes --wait 1m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn patience_that_lasts_sees_the_end() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let desk = Desk::new(OWNED);
    desk.run(&shop.ground, "apply --yes").exits(0);
    shop.ground.rules(|rules| rules.replica_tries = 3);
    desk.run(&shop.ground, "destroy --yes --wait 1m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}
