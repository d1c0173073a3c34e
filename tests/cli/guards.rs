//! Guards hold for every verb: which account, what is protected, which stack.

use crate::story::{SHOP, Story};

/// What stands in the sandbox after all: bucket, role, function, distribution.
fn standing(story: &Story) -> Vec<&'static str> {
    let world = story.world();
    let kinds = ["buckets", "roles", "functions", "distributions"];
    kinds.into_iter().filter(|kind| world[kind].as_object().is_some_and(|all| !all.is_empty())).collect()
}

#[test]
fn protection_is_known_without_the_spec_that_says_it() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", &format!("{SHOP}protect: [bucket, role]\n"));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    // Somebody else's checkout, from before.
    story.write("provision.yaml", SHOP);
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(standing(&story), ["buckets", "roles"]);
}

#[test]
fn protection_ends_with_an_apply() {
    let story = Story::of_a_shop();
    story.write("provision.yaml", &format!("{SHOP}protect: [distribution]\n"));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.write("provision.yaml", SHOP);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
    assert_eq!(standing(&story), Vec::<&str>::new());
}
