//! What the reasoning about holders says, tried: the calls that a policy shall not allow, sent by
//! somebody who has that policy.

use super::cloudfront::{foreign_distribution, foreign_function};
use super::operator::Operator;
use super::scene::{Scene, Stage};
use super::shop::{OWNED, ROLE};
use aws_sdk_cloudfront::types::{Tag, TagKeys, Tags};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use provision::resource::role::trust_policy;
use serde_json::json;

const BOUNDARY: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
const WIDER: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// What became of a call: the code of its refusal, or that it was carried out.
fn answer<T, E: ProvideErrorMetadata>(sent: Result<T, E>) -> String {
    sent.err().map_or(DONE.into(), |error| error.code().unwrap_or("no code").into())
}

const DONE: &str = "done";
const DENIED: &str = "AccessDenied";

/// A stack that bounds its role and does not exist yet.
async fn bounded() -> Stage {
    let stage = Stage::new(false).await;
    stage.set(Scene::Nothing).await;
    let spec = format!("{OWNED}role: {{ permissions_boundary: \"{BOUNDARY}\" }}\n");
    stage.shop.write("provision.yaml", &spec);
    stage
}

#[tokio::test]
async fn a_bounded_role_is_made_and_repaired_with_what_is_printed() {
    let stage = bounded().await;
    let (shop, root) = (&stage.shop, &stage.shop.aws.clients.iam);
    let operator = Operator::new(shop).await;
    operator.may(shop, &stage.policy("apply")).await;
    drop(operator.run(shop, "apply --yes").exits(0));
    drop(root.delete_role_permissions_boundary().role_name(ROLE).send().await.unwrap());
    let nothing = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let put = root.put_role_policy().role_name(ROLE).policy_name("provision");
    put.policy_document(nothing.to_string()).send().await.unwrap();
    let nobody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]});
    let put = root.update_assume_role_policy().role_name(ROLE);
    put.policy_document(nobody.to_string()).send().await.unwrap();
    drop(operator.run(shop, "apply --yes").exits(0));
    drop(operator.run(shop, "plan --detailed-exitcode").exits(0));
    let role = root.get_role().role_name(ROLE).send().await.unwrap().role.unwrap();
    let boundary = role.permissions_boundary.and_then(|found| found.permissions_boundary_arn);
    assert_eq!(boundary.as_deref(), Some(BOUNDARY));
}

#[tokio::test]
async fn the_escape_that_a_boundary_prevents_works_without_its_condition() {
    let stage = bounded().await;
    let shop = &stage.shop;
    let operator = Operator::new(shop).await;
    let printed = stage.policy("apply");
    operator.may(shop, &printed).await;
    let iam = operator.iam(shop);
    let trust = trust_policy().to_string();
    let create = |boundary: Option<&str>| {
        let call = iam.create_role().role_name(ROLE).assume_role_policy_document(&trust);
        call.set_permissions_boundary(boundary.map(str::to_owned)).send()
    };
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let put = || {
        let call = iam.put_role_policy().role_name(ROLE).policy_name("everything");
        call.policy_document(everything.to_string()).send()
    };
    let bound = |arn: &str| {
        iam.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(arn).send()
    };
    let release = || iam.delete_role_permissions_boundary().role_name(ROLE).send();
    assert_eq!(answer(create(None).await), DENIED);
    assert_eq!(answer(create(Some(WIDER)).await), DENIED);
    assert_eq!(answer(create(Some(BOUNDARY)).await), DONE);
    assert_eq!(answer(put().await), DONE, "a bounded role may be given anything");
    assert_eq!(answer(bound(WIDER).await), DENIED);
    assert_eq!(answer(release().await), DENIED);
    // An administrator releases it: from now on nobody else changes what it may do.
    let root = &shop.aws.clients.iam;
    drop(root.delete_role_permissions_boundary().role_name(ROLE).send().await.unwrap());
    assert_eq!(answer(put().await), DENIED);
    let trusts = iam.update_assume_role_policy().role_name(ROLE).policy_document(&trust);
    assert_eq!(answer(trusts.send().await), DENIED);

    let mut free = printed;
    for statement in free["Statement"].as_array_mut().unwrap() {
        if statement["Sid"] == "ChangeRole" {
            drop(statement.as_object_mut().unwrap().remove("Condition"));
        }
    }
    operator.may(shop, &free).await;
    assert_eq!(answer(put().await), DONE, "the holder has made a role that may do everything");
}

#[tokio::test]
async fn a_distribution_of_another_stack_keeps_its_mark() {
    let stage = Stage::new(false).await;
    stage.set(Scene::Applied).await;
    let shop = &stage.shop;
    let id = foreign_distribution(shop, &foreign_function(shop).await, "example.org");
    let arn = format!("arn:aws:cloudfront::000000000000:distribution/{id}");
    let tags = |stack: &str| {
        let tag = Tag::builder().key("provision:stack").value(stack).build().unwrap();
        Tags::builder().items(tag).build()
    };
    let root = &shop.aws.clients.cloudfront;
    root.tag_resource().resource(&arn).tags(tags("other")).send().await.unwrap();
    let operator = Operator::new(shop).await;
    operator.may(shop, &stage.policy("apply")).await;
    let theirs = operator.cloudfront(shop);
    for stack in ["shop", "other"] {
        let sent = theirs.tag_resource().resource(&arn).tags(tags(stack)).send().await;
        assert_eq!(answer(sent), DENIED, "{stack}");
    }
    let keys = TagKeys::builder().items("provision:stack").build();
    let sent = theirs.untag_resource().resource(&arn).tag_keys(keys).send().await;
    assert_eq!(answer(sent), DENIED);
    // Our own does not become another stack's either.
    let own = shop.distribution().await.arn(&"000000000000".parse().unwrap());
    for (stack, refusal) in [("other", DENIED), ("shop", DONE)] {
        let sent = theirs.tag_resource().resource(&own).tags(tags(stack)).send().await;
        assert_eq!(answer(sent), refusal, "{stack}");
    }
}

/// Its tags drift in all the ways that there are, and an apply sets them right.
#[tokio::test]
async fn a_distribution_whose_tags_were_changed_is_tagged_again_with_what_is_printed() {
    let stage = Stage::new(false).await;
    stage.set(Scene::Untagged).await;
    let shop = &stage.shop;
    let operator = Operator::new(shop).await;
    let spec = OWNED.replace("team: web", "tier: gold");
    shop.write("provision.yaml", &spec);
    operator.may(shop, &stage.policy("apply")).await;
    drop(operator.run(shop, "apply --yes").exits(0));
    // A key that the spec gives up, on what has lost our mark.
    let own = shop.distribution().await.arn(&"000000000000".parse().unwrap());
    let keys = TagKeys::builder().items("provision:stack").build();
    let root = &shop.aws.clients.cloudfront;
    root.untag_resource().resource(own).tag_keys(keys).send().await.unwrap();
    shop.write("provision.yaml", OWNED);
    drop(operator.run(shop, "apply --yes").exits(0));
    drop(operator.run(shop, "plan --detailed-exitcode").exits(0));
}
