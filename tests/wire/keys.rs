//! Keys that XML cannot carry, or that lists write in another way: other owners put them into our
//! buckets, and each is seen, shown and taken down as what it is.

use super::shop::{BUCKET, OWNED, Shop, writes};
use crate::support::Rules;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration};
use provision::change::Fault;
use provision::cloud::Cloud;
use provision::resource::site::{Inventory, Settings};
use provision::stack::{Live, Names, Scope};
use std::collections::BTreeSet;

/// Two more than a page, twice, so that each end of a page is met.
const KEYS: [&str; 15] = [
    "a\u{1}b",
    "a\u{1f}",
    "\u{fffe}",
    "x\u{ffff}y",
    "line\r\nend\r",
    " both ends ",
    "tab\t",
    "100%.csv",
    "a+b c.txt",
    "%2B%20",
    "q?x=1&y=<2>#'\"",
    "한글/ü.txt",
    "\u{1b}[2Jred",
    "\u{202e}gnp.exe",
    "\u{1f600}",
];
const PAGE: usize = 2;

async fn put_all(shop: &Shop) {
    for key in KEYS {
        let call = shop.aws.clients.s3.put_object().bucket(BUCKET).key(key);
        call.body(ByteStream::from_static(b"theirs")).send().await.unwrap();
    }
}

/// What a destroy sees.
async fn inventory(shop: &Shop) -> Inventory {
    let (names, site) = (Names::of(&shop.spec()), Settings::default());
    let seen: Result<(_, Live), Fault> =
        Box::pin(shop.aws.observe(&names, &site, Scope::Teardown)).await;
    seen.unwrap().1.inventory
}

fn pages() -> Rules {
    Rules { page_size: Some(PAGE), ..Rules::prompt() }
}

#[tokio::test]
async fn every_key_is_seen_as_it_is_and_goes_with_the_bucket() {
    for versioning in ["false", "true"] {
        let site = format!("site: ./site, versioning: {versioning}");
        let spec = OWNED.replace("site: ./site", &site);
        let shop = Shop::applied(&spec, pages()).await;
        put_all(&shop).await;
        if versioning == "true" {
            put_all(&shop).await;
            for key in &KEYS[..3] {
                shop.aws.clients.s3.delete_object().bucket(BUCKET).key(*key).send().await.unwrap();
            }
        }
        for key in KEYS {
            let call = shop.aws.clients.s3.create_multipart_upload().bucket(BUCKET).key(key);
            // Its answer is no XML either, and the upload has begun all the same.
            drop(call.send().await);
        }
        let inventory = inventory(&shop).await;
        let seen: BTreeSet<&str> =
            inventory.versions.iter().map(|version| version.key.as_str()).collect();
        let uploads: BTreeSet<&str> =
            inventory.uploads.iter().map(|(key, _)| key.as_str()).collect();
        assert!(KEYS.iter().all(|key| seen.contains(key)), "{versioning}: {seen:?}");
        assert_eq!(uploads, BTreeSet::from(KEYS), "{versioning}");

        let calm = |text: &str| {
            let steers = |letter: char| letter.is_control() && letter != '\n';
            assert!(!text.contains(steers) && !text.contains('\u{202e}'), "{text:?}");
        };
        calm(&shop.run("plan").exits(0).says("\\u{1b}[2Jred").said);
        calm(&shop.run("status").exits(0).said);
        calm(&shop.run("destroy --yes").exits(4).says("--delete-data").said);
        shop.remove("provision.yaml");
        calm(&shop.run("sweep").exits(0).says("Stack `shop`").said);
        calm(&shop.run("sweep --stack shop --yes").exits(4).says("--delete-data").said);
        shop.write("provision.yaml", &spec);
        shop.ground.clear_calls();
        calm(&shop.run("destroy --yes --delete-data").exits(0).said);
        assert_eq!(shop.everything().await, Vec::<String>::new(), "{versioning}");
        // What XML can carry goes by the thousand.
        let calls = shop.ground.calls();
        let batches = writes(&calls).into_iter().filter(|name| *name == "s3:DeleteObjects");
        assert_eq!(batches.count(), 1, "{versioning}");
    }
}

/// A look that a sweep makes: a key that begins as the switch does.
#[tokio::test]
async fn a_sweep_tells_the_switch_from_a_key_that_no_document_carries() {
    let shop = Shop::applied(OWNED, pages()).await;
    let call = shop.aws.clients.s3.put_object().bucket(BUCKET).key("maintenance-on.html\u{1}");
    call.body(ByteStream::from_static(b"theirs")).send().await.unwrap();
    shop.remove("provision.yaml");
    let said = shop.run("sweep --json").exits(0).said;
    assert!(said.contains("\"switch\":\"off\""), "{said}");
}

/// S3 takes such a name only with the header, and keeps it to the account.
#[tokio::test]
async fn a_bucket_in_the_accounts_own_namespace_is_made_adopted_and_taken_down() {
    let name = "shop-000000000000-eu-west-1-an";
    let spec = OWNED.replace("bucket: {", "bucket: { namespace: account-regional,");
    let shop = Shop::applied(&spec, Rules::aws()).await;
    assert!(shop.everything().await.contains(&format!("bucket {name}")));
    shop.run("plan --detailed-exitcode").exits(0);
    shop.run("maintenance on").exits(0);
    shop.run("maintenance off").exits(0);
    shop.run("destroy --yes --wait 1h").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());

    // Somebody's own, which the spec names.
    shop.ground.rules(|rules| *rules = Rules::prompt());
    let theirs = "theirs-000000000000-eu-west-1-an";
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let call = shop.aws.clients.s3.create_bucket().bucket(theirs);
    let call = call.bucket_namespace(BucketNamespace::AccountRegional);
    call.create_bucket_configuration(place).send().await.unwrap();
    shop.write(
        "provision.yaml",
        &OWNED.replace("bucket: {", &format!("bucket: {{ name: {theirs},")),
    );
    shop.run("apply --yes").exits(4).says("--adopt bucket");
    shop.run("apply --yes --adopt bucket").exits(0);
    assert!(shop.everything().await.contains(&format!("bucket {theirs}")));
    let other = "theirs-111122223333-eu-west-1-an";
    shop.write(
        "provision.yaml",
        &OWNED.replace("bucket: {", &format!("bucket: {{ name: {other},")),
    );
    shop.run("plan").exits(1).says("S3 keeps this name to account 111122223333");
}

/// The same name of another account: nobody is told that a right is all that is missing.
#[tokio::test]
async fn a_bucket_of_another_account_is_named_as_what_it_may_be() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let keys = Credentials::new("111122223333", "test", None, None, "test");
    let theirs = shop.aws.clients.s3.config().to_builder().credentials_provider(keys).build();
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let call = aws_sdk_s3::Client::from_conf(theirs).create_bucket().bucket(BUCKET);
    call.create_bucket_configuration(place).send().await.unwrap();
    let ran = shop.run("plan").exits(1).says("the bucket is another account's, or the caller may");
    let _ = ran.says("if the bucket is another account's, choose another `bucket.name`");
}
