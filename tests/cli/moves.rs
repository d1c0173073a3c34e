//! The spec changes: what an earlier spec named is named, found, and ended by its word.

use crate::attached::{ID, document};
use crate::story::Story;
use serde_json::json;

const KINDS: [&str; 5] = ["buckets", "roles", "functions", "access", "distributions"];

fn own_id(story: &Story) -> String {
    let world = story.world();
    let distributions = world["distributions"].as_object().unwrap();
    distributions.keys().find(|id| id.contains("SANDBOX")).unwrap().clone()
}

/// Apply never deletes the very distribution that a spec names.
#[test]
fn the_stacks_own_distribution_is_named_as_if_it_were_somebody_elses() {
    let story = Story::of_a_shop_that_stands();
    let (before, id) = (story.world(), own_id(&story));
    story.write("provision.yaml", &format!("stack: shop\nbucket: {{name: shop-files, site: ./site}}\ndistribution: {{id: {id}}}\n"));
    let answer = story.ask("apply --sandbox --yes");
    assert_eq!(answer.code, 4);
    assert!(answer.out.contains("this stack's own"), "{}", answer.out);
    assert!(answer.out.contains("leave `distribution.id` out of the spec"), "{}", answer.out);
    assert_eq!(story.world(), before);
}

/// Own to attached: the old one goes on serving until its word is said, and the report is about the new one.
#[test]
fn a_stack_moves_to_a_distribution_of_somebody_else() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    story.meanwhile("there is a distribution of somebody else", |world| {
        let live = json!({"id": ID, "etag": "E0", "document": document(""), "deployed": true, "domain": "d1.cloudfront.net", "tags": {}});
        world["distributions"][ID] = json!({"live": live, "deployed_at": 0});
    });
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: shop-files, site: ./site}\ndistribution: {id: E1ABCDEF0123, behaviors: [default]}\n",
    );
    let moved = story.ask("apply --sandbox --yes");
    assert_eq!(moved.code, 0, "{}", moved.out);
    assert!(moved.out.contains(&format!("distribution {id}: is ours and no longer in the spec")), "{}", moved.out);
    assert!(moved.out.contains("distribution  E1ABCDEF0123"), "{}", moved.out);
    let again = story.ask("apply --sandbox --yes");
    assert!(again.out.contains("Nothing to do"), "{}", again.out);
    assert!(story.world()["distributions"].get(&id).is_some());
    let ended = story.ask("apply --sandbox --yes --delete distribution");
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("distribution  E1ABCDEF0123") && !ended.out.contains(&format!("distribution  {id}")), "{}", ended.out);
    assert!(story.world()["distributions"].get(&id).is_none());
    assert_eq!(story.world()["access"], json!({}));
}

/// Everything gets another name, twice; a destroy finds all of it, and so does a sweep.
#[test]
fn what_was_renamed_is_found_again() {
    for command in ["destroy --sandbox --yes", "sweep --sandbox --stack shop --yes"] {
        let story = Story::of_a_shop_that_stands();
        for name in ["second", "third"] {
            let spec = ["bucket", "role", "function"].map(|kind| format!("{kind}: {{name: {name}}}\n")).concat();
            story.write("provision.yaml", &format!("stack: shop\n{spec}"));
            let applied = story.ask("apply --sandbox --yes");
            assert_eq!(applied.code, 0, "{}", applied.out);
            assert!(applied.out.contains("role shop-edge: is ours and no longer in the spec"), "{}", applied.out);
            assert!(applied.out.contains("function shop-edge: is ours and no longer in the spec"), "{}", applied.out);
            assert!(applied.out.contains("bucket shop-files: is ours and no longer in the spec"), "{}", applied.out);
        }
        let ended = story.ask(command);
        assert_eq!(ended.code, 0, "{command}: {}", ended.out);
        let again = story.ask(command);
        assert_eq!(again.code, 0, "{command}: {}", again.out);
        let world = story.world();
        for kind in KINDS {
            assert_eq!(world[kind], json!({}), "{command}: {kind}");
        }
    }
}

/// While the window is open where the function would no longer look, a move is refused.
#[test]
fn a_move_does_not_end_a_window() {
    let story = Story::of_a_shop_that_stands();
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    let before = story.world();
    for spec in [
        "stack: shop\nbucket: {name: second, site: ./site}\n",
        "stack: shop\nbucket: {name: shop-files, site: ./site}\nmaintenance: {keys: {on: closed.html}}\n",
    ] {
        story.write("provision.yaml", spec);
        let refused = story.ask("apply --sandbox --yes");
        assert_eq!(refused.code, 4, "{}", refused.out);
        assert!(refused.out.contains("maintenance is on by this object"), "{}", refused.out);
        assert_eq!(story.world()["distributions"], before["distributions"]);
    }
}
