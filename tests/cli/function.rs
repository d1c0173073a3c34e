//! The function: own sources, versions, pruning.

use crate::story::{SHOP, Story};
use std::fmt::Write as _;

const NODE: &str = "exports.handler = async (event) => event.Records[0].cf.request;\n";

#[test]
fn a_folder_for_node_is_packed() {
    let mut story = Story::of_a_shop();
    story.write("edge/index.js", NODE);
    story.write("edge/lib/window.js", "module.exports = () => false;\n");
    story.write(
        "provision.yaml",
        &SHOP.replace(
            "{source: ./edge.py, handler: edge.handler}",
            "{source: ./edge, handler: index.handler, runtime: nodejs22.x}",
        ),
    );
    story.run("apply --sandbox --yes");
    story.write("edge/.DS_Store", "noise");
    story.tell("a hidden file appears, which is not packed");
    story.run("plan --sandbox --detailed-exitcode");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_change_of_the_code_publishes_and_moves_the_slot() {
    let mut story = Story::of_a_shop_that_stands();
    story.edit("edge.py", "    return", "    # as it is\n    return");
    story.run("plan --sandbox");
    story.run("apply --sandbox --yes");
    story.edit("edge.py", "    # as it is\n", "");
    story.tell("the version from before is still there: nothing is published twice");
    story.run("apply --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}

/// Versions that exist after each of five changes of the memory, and the one in the slot.
#[test]
fn old_versions_are_pruned_but_never_one_that_is_associated() {
    let story = Story::of_a_shop();
    let mut told = String::new();
    for memory in [128, 129, 130, 131, 132] {
        let with = format!("handler: edge.handler, keep_versions: 2, memory: {memory}");
        story.write("provision.yaml", &SHOP.replace("handler: edge.handler", &with));
        assert_eq!(story.ask("apply --sandbox --yes").code, 0);
        let world = story.world();
        let versions = world["functions"]["shop-edge"]["versions"].as_array().unwrap();
        let numbers: Vec<u64> =
            versions.iter().map(|version| version["number"].as_u64().unwrap()).collect();
        let document = world["distributions"].as_object().unwrap().values().next().unwrap()["live"]
            ["document"]
            .as_str()
            .unwrap();
        let (_, slot) = document.split_once("function:shop-edge:").unwrap();
        let _ = writeln!(told, "memory {memory}: versions {numbers:?}, slot {}", &slot[..1]);
    }
    insta::assert_snapshot!(told, @r"
    memory 128: versions [1], slot 1
    memory 129: versions [1, 2], slot 2
    memory 130: versions [2, 3], slot 3
    memory 131: versions [3, 4], slot 4
    memory 132: versions [4, 5], slot 5
    ");
}

#[test]
fn a_version_with_replicas_is_pruned_later() {
    let mut story = Story::of_a_shop();
    story.delays("deploy=0,replicas=86400");
    for memory in [128, 129] {
        story.write(
            "provision.yaml",
            &SHOP.replace(
                "handler: edge.handler",
                &format!("handler: edge.handler, keep_versions: 1, memory: {memory}"),
            ),
        );
        story.run("apply --sandbox --yes");
    }
    story.run("status --sandbox");
    story.meanwhile("CloudFront removes its replicas", |world| {
        for gone in world["replicas"].as_object_mut().unwrap().values_mut() {
            *gone = 0.into();
        }
    });
    story.run("apply --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}
