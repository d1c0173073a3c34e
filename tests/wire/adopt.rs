//! What another user has made is taken over with what hangs on it, or refused before the first
//! write.

use super::shop::{BUCKET, OWNED, ROLE, Shop, writes};
use crate::support::Rules;
use aws_sdk_s3::types::{
    AbacStatus, BucketAbacStatus, BucketLocationConstraint, CreateBucketConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, Tag, Tagging,
};
use provision::resource::Tags;

/// A user's bucket under our name.
async fn their_bucket(tags: &[(&str, &str)]) -> Shop {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    s3.create_bucket().bucket(BUCKET).create_bucket_configuration(place).send().await.unwrap();
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build().unwrap();
    let tagging =
        Tagging::builder().set_tag_set(Some(tags.iter().map(tag).collect())).build().unwrap();
    s3.put_bucket_tagging().bucket(BUCKET).tagging(tagging).send().await.unwrap();
    shop
}

/// Nothing to do, and nothing is written.
fn converged(shop: &Shop) {
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(writes(&calls), Vec::<&str>::new());
}

#[tokio::test]
async fn a_bucket_of_cloudformation_keeps_its_tags_and_its_key() {
    let shop = their_bucket(&[("owner", "them")]).await;
    let system = [
        ("aws:cloudformation:stack-name", "Theirs"),
        ("aws:cloudformation:logical-id", "Bucket83908E77"),
    ];
    for (key, value) in system {
        shop.ground.proxy.world(|world| world.tag_bucket(BUCKET, key, value));
    }
    let s3 = &shop.aws.clients.s3;
    let key = "arn:aws:kms:eu-west-1:000000000000:key/theirs";
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id(key);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.build().unwrap())
        .bucket_key_enabled(true);
    let encryption =
        ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
    s3.put_bucket_encryption()
        .bucket(BUCKET)
        .server_side_encryption_configuration(encryption)
        .send()
        .await
        .unwrap();
    // AWS adds to what was sent.
    let encryption = || async {
        let answer = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
        answer.server_side_encryption_configuration.unwrap()
    };
    let set = encryption().await;

    shop.run("apply --yes").exits(4).says("exists and does not carry our tag");
    shop.run("apply --yes --adopt bucket").exits(0).says(&format!("encrypts with KMS key `{key}`"));
    shop.run("plan").exits(0).says(&format!("encrypts with KMS key `{key}`"));
    let tags = || async {
        let answer = s3.get_bucket_tagging().bucket(BUCKET).send().await.unwrap();
        answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect::<Tags>()
    };
    let with = |ours: &[(&str, &str)]| -> Tags {
        let all =
            system.iter().chain(&[("owner", "them"), ("provision:stack", "shop")]).chain(ours);
        all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(tags().await, with(&[("provision:tags", "team"), ("team", "web")]));
    assert_eq!(encryption().await, set);
    converged(&shop);
    shop.write("provision.yaml", &OWNED.replace("tags: { team: web }\n", ""));
    shop.run("apply --yes").exits(0).says("tag team");
    assert_eq!(tags().await, with(&[]));
    converged(&shop);
}

#[tokio::test]
async fn a_bucket_whose_tags_decide_about_access_is_refused_before_the_first_write() {
    let shop = their_bucket(&[("owner", "them")]).await;
    let on = AbacStatus::builder().status(BucketAbacStatus::Enabled).build();
    shop.aws.clients.s3.put_bucket_abac().bucket(BUCKET).abac_status(on).send().await.unwrap();
    shop.ground.clear_calls();
    shop.run("apply --yes --adopt bucket").exits(4).says("has ABAC on");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

/// The block that an apply turns on would end that, and S3 refuse the policy.
#[tokio::test]
async fn a_bucket_that_everybody_may_read_is_refused_before_the_first_write() {
    let shop = their_bucket(&[("owner", "them")]).await;
    let s3 = &shop.aws.clients.s3;
    s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
    let open = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\"*\",\
            \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{BUCKET}/*\"}}]}}"
    );
    s3.put_bucket_policy().bucket(BUCKET).policy(&open).send().await.unwrap();
    shop.ground.clear_calls();
    let statement = format!("Allow s3:GetObject to * on arn:aws:s3:::{BUCKET}/*");
    shop.run("apply --yes --adopt bucket")
        .exits(4)
        .says(&statement)
        .says("take that statement out");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
    s3.delete_bucket_policy().bucket(BUCKET).send().await.unwrap();
    shop.run("apply --yes --adopt bucket").exits(0);
    let refused = s3.put_bucket_policy().bucket(BUCKET).policy(&open).send().await;
    assert!(refused.is_err(), "the block is on");
}

#[tokio::test]
async fn another_stacks_bucket_is_never_adopted() {
    let shop = their_bucket(&[("provision:stack", "shop-2")]).await;
    shop.ground.clear_calls();
    shop.run("apply --yes --adopt bucket").exits(4).says("exists and belongs to stack `shop-2`");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn a_role_keeps_the_tags_that_are_not_ours() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let tag = |key: &str| aws_sdk_iam::types::Tag::builder().key(key).value("x").build().unwrap();
    let iam = &shop.aws.clients.iam;
    iam.tag_role()
        .role_name(ROLE)
        .tags(tag("owner"))
        .tags(tag("aws:cloudformation:stack-name"))
        .send()
        .await
        .unwrap();
    converged(&shop);
    shop.write("provision.yaml", &OWNED.replace("team: web", "tier: gold"));
    shop.run("apply --yes").exits(0);
    let tags = iam.get_role().role_name(ROLE).send().await.unwrap().role.unwrap().tags.unwrap();
    let keys: std::collections::BTreeSet<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        ["aws:cloudformation:stack-name", "owner", "provision:stack", "provision:tags", "tier"]
    );
}
