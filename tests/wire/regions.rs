//! A bucket that is in another region than the spec says, or than whoever asks: S3 answers with a
//! redirect, in newer regions with a 400, and the user gets to know where it is.

use super::shop::{OWNED, Shop, writes};
use crate::support::Rules;

/// A region that every account has, and one that an account has to enable.
const REGIONS: [&str; 2] = ["eu-west-1", "eu-south-1"];

/// The stack in this region, and a spec that now says another one.
async fn moved(region: &str, says: &str) -> Shop {
    let shop = Shop::applied(&OWNED.replace("eu-west-1", region), Rules::prompt()).await;
    shop.write("provision.yaml", &OWNED.replace("eu-west-1", says));
    shop.ground.clear_calls();
    shop
}

#[tokio::test]
async fn a_spec_with_another_region_is_told_where_the_bucket_is() {
    for region in REGIONS {
        for says in ["us-east-1", "eu-west-2"] {
            let shop = moved(region, says).await;
            let cure = format!("set `region: {region}`");
            for verb in ["plan", "apply --yes"] {
                drop(shop.run(verb).exits(4).says(&cure));
            }
            drop(shop.run("status").exits(0).says("bucket"));
            for verb in ["maintenance status", "maintenance on", "maintenance off"] {
                drop(shop.run(verb).exits(1).says(region).says("set `region"));
            }
            assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new(), "{region}, {says}");
        }
    }
}

#[tokio::test]
async fn a_destroy_with_another_region_takes_nothing_and_says_where_the_bucket_is() {
    for region in REGIONS {
        let shop = moved(region, "us-east-1").await;
        drop(shop.run("destroy --yes").exits(4).says(&format!("set `region: {region}`")));
        assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new(), "{region}");
    }
}

/// It has no spec, so it asks in its own region first.
#[tokio::test]
async fn a_sweep_reads_buckets_in_every_region() {
    for region in REGIONS {
        let shop = moved(region, "us-east-1").await;
        shop.remove("provision.yaml");
        drop(shop.run("sweep").exits(0).says("Stack `shop`").says("bucket"));
        shop.run("sweep --all --in-use --yes").exits(0);
        assert_eq!(shop.everything().await, Vec::<String>::new(), "{region}");
    }
}
