//! A distribution of another owner: only the named slots change.

use crate::story::{SHOP, Story};
use serde_json::{Value, json};

pub(crate) const ID: &str = "E1ABCDEF0123";

fn spec(distribution: &str) -> String {
    SHOP.replace("distribution: {default_root_object: home.html}", distribution)
}

const BOTH: &str = "distribution: {id: E1ABCDEF0123, behaviors: [default, \"/app/*\"]}";
const ONE: &str = "distribution: {id: E1ABCDEF0123}";
const REPLACING: &str = "distribution: {id: E1ABCDEF0123, replace: true}";

/// CloudFront's document as AWS would give it, with an element from the future and a function at
/// another event.
pub(crate) fn document(slot: &str) -> String {
    let association = |arn: &str, event: &str| {
        format!(
            "<LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>{arn}\
             </LambdaFunctionARN><EventType>{event}</EventType></LambdaFunctionAssociation></Items></LambdaFunctionAssociations>"
        )
    };
    let theirs = "arn:aws:lambda:us-east-1:123456789012:function:theirs:4";
    let slot = if slot.is_empty() { String::new() } else { association(slot, "viewer-request") };
    format!(
        "<DistributionConfig \
            xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>theirs</CallerReference>\
         <Comment>theirs &amp; nobody \
         else's</Comment><Enabled>true</Enabled><FromTheFuture><Kept/></FromTheFuture>\
         <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>www.example.org</DomainName></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>{slot}</DefaultCacheBehavior>\
         <CacheBehaviors><Quantity>2</Quantity><Items>\
         <CacheBehavior><PathPattern>/app/*</PathPattern>{}</CacheBehavior>\
         <CacheBehavior><PathPattern>/api/*</PathPattern></CacheBehavior></Items></CacheBehaviors></DistributionConfig>",
        association(theirs, "origin-request")
    )
}

/// A world in which nothing is but their distribution.
fn begin(distribution: &str, document: &str) -> Story {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", &spec(distribution));
    let live = json!({"id": ID, "etag": "E0", "document": document, "deployed": true,
        "domain": "d1.cloudfront.net", "tags": {"team": "web"}});
    let world = json!({
        "format": 1, "account": "123456789012", "delays": {"deploy": 0, "replicas": 0},
            "serial": 0, "buckets": {}, "roles": {},
        "functions": {}, "numbers": {}, "access": {}, "distributions": {ID: {"live": live,
            "deployed_at": 0}}, "replicas": {},
    });
    story.write(".provision/sandbox/world.json", &world.to_string());
    story.tell(&format!(
        "there is a distribution {ID} of another owner; the spec says {distribution}"
    ));
    story
}

fn found(world: &Value) -> &str {
    world["distributions"][ID]["live"]["document"].as_str().unwrap()
}

#[test]
fn only_the_named_slots_change() {
    let mut story = begin(BOTH, &document(""));
    story.run("plan --sandbox");
    story.run("apply --sandbox --yes");
    let text = found(&story.world()).to_owned();
    assert!(
        text.contains("<FromTheFuture><Kept/></FromTheFuture>")
            && text.contains("theirs &amp; nobody else's")
    );
    assert!(text.contains("function:theirs:4</LambdaFunctionARN><EventType>origin-request"));
    story.run("status --sandbox");
    story.run("plan --sandbox --detailed-exitcode");
    story.edit("provision.yaml", "[default, \"/app/*\"]", "[\"/app/*\", \"/api/*\"]");
    story.run("apply --sandbox --yes");
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    assert!(!found(&world).contains("shop-edge") && found(&world).contains("function:theirs:4"));
    assert_eq!(world["distributions"][ID]["live"]["tags"], json!({"team": "web"}));
}

#[test]
fn a_slot_that_another_function_holds_is_a_conflict() {
    let mut story = begin(ONE, &document("arn:aws:lambda:us-east-1:123456789012:function:other:2"));
    let before = story.world();
    story.run("plan --sandbox --detailed-exitcode");
    story.run("apply --sandbox --yes");
    assert_eq!(story.world(), before);
    story.run("status --sandbox");
    story.write("provision.yaml", &spec(REPLACING));
    story.tell(&format!("the spec says {REPLACING}"));
    story.run("apply --sandbox --yes");
    assert!(!found(&story.world()).contains("function:other:2"));
    insta::assert_snapshot!(story.transcript());
}

/// `default` is also a path pattern.
#[test]
fn the_default_behavior_is_not_the_pattern_default() {
    let their_slot = document("arn:aws:lambda:us-east-1:123456789012:function:theirs:7");
    let with_pattern = their_slot.replace("<PathPattern>/api/*<", "<PathPattern>default<");
    let mut story = begin(ONE, &with_pattern);
    story.run("plan --sandbox");
    for pattern in ["/default", "/app/*", "app/*"] {
        let distribution =
            format!("distribution: {{id: E1ABCDEF0123, behaviors: [\"{pattern}\"]}}");
        story.write("provision.yaml", &spec(&distribution));
        story.tell(&format!("the spec says {distribution}"));
        story.run("plan --sandbox");
    }
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn what_cloudfront_would_refuse_is_refused_first() {
    let mut story =
        begin("distribution: {id: E1ABCDEF0123, behaviors: [default, \"/none/*\"]}", &document(""));
    story.run("plan --sandbox");
    let rows = [
        (
            "a multi-tenant distribution",
            "<Enabled>true</Enabled>",
            "<Enabled>true</Enabled><ConnectionMode>tenant-only</ConnectionMode>",
        ),
        (
            "a staging distribution",
            "<Enabled>true</Enabled>",
            "<Enabled>true</Enabled><Staging>true</Staging>",
        ),
        (
            "a behavior with gRPC",
            "<TargetOriginId>o</TargetOriginId></Default",
            "<TargetOriginId>o</TargetOriginId><GrpcConfig><Enabled>true</Enabled></GrpcConfig></Default",
        ),
        (
            "a CloudFront Function on a viewer event",
            "<TargetOriginId>o</TargetOriginId></Default",
            "<TargetOriginId>o</TargetOriginId><FunctionAssociations><Quantity>1</Quantity><Items><FunctionAssociation><FunctionARN>arn:aws:cloudfront::123456789012:function/cff</FunctionARN><EventType>viewer-response</EventType></FunctionAssociation></Items></FunctionAssociations></Default",
        ),
    ];
    for (what, before, after) in rows {
        let mut other = begin(ONE, &document("").replace(before, after));
        other.tell(&format!("it is {what}"));
        other.run("plan --sandbox");
        let said = other.transcript().lines().filter(|line| {
            line.starts_with("conflict")
                || line.starts_with("# it is")
                || line.starts_with("  hint")
        });
        story.tell(&said.collect::<Vec<_>>().join("\n"));
    }
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_distribution_that_is_not_there_is_a_conflict() {
    let mut story = begin("distribution: {id: E1NOTHERE000}", &document(""));
    story.run("plan --sandbox");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn our_function_in_a_slot_that_is_not_ours_stops_a_destroy() {
    let mut story = begin(ONE, &document(""));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.meanwhile("a user runs our function at another event, too", |world| {
        let text = found(world).replace("function:theirs:4", "function:shop-edge:1");
        world["distributions"][ID]["live"]["document"] = text.into();
    });
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}
