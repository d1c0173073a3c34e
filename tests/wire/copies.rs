//! Copies at the edge of files that went: what could not be invalidated is not forgotten.

use super::shop::{Shop, kept, writes};
use crate::support::{At, Fault, Rules};

const INVALIDATE: &str = "cloudfront:CreateInvalidation";

/// A file that edges may hold for an hour has just left the folder.
async fn left() -> Shop {
    let shop = Shop::applied(&kept(), Rules::prompt()).await;
    shop.remove("site/style.css");
    shop
}

#[tokio::test]
async fn what_was_refused_is_made_good_by_the_next_run() {
    let shop = left().await;
    shop.ground.fault(At::Every(INVALIDATE), Fault::Denied);
    shop.run("apply --yes").exits(1).says("invalidation").says("it goes on from here");
    shop.ground.clear_faults();
    // The paths are nobody's to know any more.
    shop.run("plan --detailed-exitcode").exits(2).says("drop cached copies of all paths");
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(writes(&calls), [INVALIDATE, "s3:PutObject"]);
    shop.run("plan --detailed-exitcode").exits(0);
}

#[tokio::test]
async fn too_many_invalidations_at_once_are_waited_for() {
    let shop = left().await;
    let text =
        "You have exceeded the maximum number of allowable InProgress invalidation requests.";
    for nth in 1..=2 {
        let fault = Fault::Says(400, "TooManyInvalidationsInProgress", text);
        shop.ground.fault(At::Operation(INVALIDATE, nth), fault);
    }
    let before = shop.ground.count(INVALIDATE);
    shop.run("apply --yes").exits(0);
    assert_eq!(shop.ground.count(INVALIDATE) - before, 3);
    shop.run("plan --detailed-exitcode").exits(0);
}

/// Before anything goes, the bucket knows that copies of it may linger; in the end it knows no more.
#[tokio::test]
async fn the_index_knows_it_before_and_after() {
    let shop = left().await;
    let calls = shop.calls_of("apply --yes", 0);
    let order = ["s3:PutObject", "s3:DeleteObject", INVALIDATE, "s3:PutObject"];
    assert_eq!(writes(&calls), order);
}
