//! The edge's log groups: kept as long as the spec says, and gone with the function.

use crate::story::{SHOP, Story};
use serde_json::{Value, json};

const GROUP: &str = "/aws/lambda/us-east-1.shop-edge";
const NEIGHBOUR: &str = "/aws/lambda/us-east-1.shop-edge-prod";

/// As the edge makes it.
fn group() -> Value {
    json!({"retention": null, "policy": null, "protected": false, "tags": {},
        "created": 4_102_444_800_u64})
}

#[test]
fn events_are_kept_as_long_as_the_spec_says() {
    let mut story = Story::of_a_shop_that_stands();
    story.edit(
        "provision.yaml",
        "handler: edge.handler",
        "handler: edge.handler, log_retention: 30d",
    );
    story.run("apply --sandbox --yes");
    let written = story.world();
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    assert_eq!(story.world(), written, "a second apply writes nothing");
    story.meanwhile(
        "a user keeps events for ever in one region, and deletes the group in another",
        |world| {
            world["logs"]["eu-west-1"][GROUP]["retention"] = Value::Null;
            world["logs"].as_object_mut().unwrap().shift_remove("sa-east-1");
        },
    );
    story.run("status --sandbox");
    story.run("plan --sandbox --detailed-exitcode");
    story.run("apply --sandbox --yes");
    story.run("status --sandbox");
    let undated = |mut world: Value| {
        for groups in world["logs"].as_object_mut().unwrap().values_mut() {
            groups[GROUP].as_object_mut().unwrap().shift_remove("created");
        }
        world["logs"].clone()
    };
    assert_eq!(undated(story.world()), undated(written));
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn what_the_edge_wrote_goes_before_the_function() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("visitors come from two continents, and a neighbour has some, too", |world| {
        world["logs"] = json!({"eu-central-1": {GROUP: group(), NEIGHBOUR: group()},
            "sa-east-1": {GROUP: group()}});
    });
    story.delays("deploy=0,replicas=86400");
    story.run("destroy --sandbox --yes");
    story.meanwhile("replicas say something once more, and are gone", |world| {
        world["logs"]["sa-east-1"] = json!({GROUP: group()});
        world["replicas"].as_object_mut().unwrap().values_mut().for_each(|gone| *gone = 0.into());
    });
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world()["logs"], json!({"eu-central-1": {NEIGHBOUR: group()}}));
}

#[test]
fn a_group_that_nothing_proves_to_be_ours_stays_and_is_named() {
    let mut story = Story::of_a_shop_that_stands();
    assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
    story.meanwhile("groups are left of a function of our name", |world| {
        world["logs"] = json!({"eu-west-1": {GROUP: group()}, "eu-west-2": {GROUP: group()},
            "sa-east-1": {GROUP: group()}});
        world["logs"]["sa-east-1"][GROUP]["tags"] = json!({"provision:stack": "shop"});
    });
    story.run("sweep --sandbox");
    story.run("destroy --sandbox --yes");
    story.run("destroy --sandbox --yes");
    story.run("sweep --sandbox --stack shop");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(
        story.world()["logs"],
        json!({"eu-west-1": {GROUP: group()}, "eu-west-2": {GROUP: group()}})
    );
}

#[test]
fn a_protected_function_keeps_its_logs() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("the edge writes", |world| {
        world["logs"] = json!({"eu-west-1": {GROUP: group()}});
    });
    for protected in ["[function]", "[logs]"] {
        story.write("provision.yaml", &format!("{SHOP}protect: {protected}\n"));
        let answer = story.ask("destroy --sandbox --yes");
        assert_eq!(answer.code, 0, "{}", answer.err);
        assert!(answer.out.contains(&format!("note: logs {GROUP}: stays: ")), "{}", answer.out);
        assert!(story.world()["logs"]["eu-west-1"][GROUP].is_object(), "{protected}");
    }
    assert_eq!(story.world()["functions"], json!({}));
}
