//! What earlier stacks left: found without their specs, shown first, and taken down only where somebody said so.

use crate::story::Story;
use serde_json::{Value, json};
use std::fs;

/// A world with what four specs left behind, and things of others; no spec lies here any more.
fn left_behind() -> Story {
    let mut story = Story::of_a_shop();
    for stack in ["stack: shop", "stack: demo\nttl: 2h", "stack: trial\nttl: 1h", "stack: keep\nrole: {name: \"12345\", path: /web/}"] {
        story.write("provision.yaml", &format!("{stack}\nfunction: {{source: ./edge.py, handler: edge.handler}}\n"));
        let answer = story.ask("apply --yes --sandbox");
        assert_eq!(answer.code, 0, "{stack}: {}{}", answer.out, answer.err);
    }
    fs::remove_file(story.path("provision.yaml")).unwrap();
    story.meanwhile("four stacks are left, and somebody else's bucket, role and function", |world| {
        let now = jiff::Timestamp::now().as_second();
        for (stack, hours) in [("demo", 1), ("trial", 3), ("shop", 50), ("keep", 49)] {
            // Half a minute, so that no age is told on the edge between two minutes.
            world["born"][stack] = json!(now - hours * 3600 - 30);
        }
        let bucket = world["buckets"]["shop-123456789012"].clone();
        world["buckets"]["theirs"] = bucket;
        world["buckets"]["theirs"]["live"]["settings"]["tags"] = json!({"team": "ops"});
        for (kind, tags) in [("roles", json!({"stack": "shop"})), ("functions", json!({}))] {
            world[kind]["theirs"] = world[kind]["shop-edge"].clone();
            world[kind]["theirs"]["settings"]["tags"] = tags;
        }
        world["functions"]["theirs"]["settings"]["description"] = json!("provision: not ours");
    });
    story
}

/// Which stacks have something in the world, by the names of their buckets.
fn stacks(story: &Story) -> Vec<String> {
    let world = story.world();
    world["buckets"].as_object().unwrap().keys().map(|name| name.trim_end_matches("-123456789012").to_owned()).collect()
}

/// The stacks that a search shows.
fn shown(story: &Story, flags: &str) -> Vec<String> {
    let answer = story.ask(&format!("sweep --sandbox --json {flags}"));
    assert_eq!(answer.code, 0, "{flags}: {}{}", answer.out, answer.err);
    let document: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(document["type"], "remains");
    document["stacks"].as_array().unwrap().iter().map(|found| found["stack"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_left_is_shown_and_nothing_is_changed() {
    let mut story = left_behind();
    let before = story.world();
    for flags in ["", " --expired", " --older-than 10d"] {
        assert_eq!(story.run(&format!("sweep --sandbox{flags}")).code, 0);
    }
    insta::assert_snapshot!(story.transcript());
    for (flags, stacks) in [
        ("", &["demo", "keep", "shop", "trial"][..]),
        ("--expired", &["trial"]),
        ("--older-than 2d", &["keep", "shop"]),
        ("--older-than 2d --stack keep", &["keep"]),
        ("--expired --older-than 2d", &[]),
        ("--stack nobody", &[]),
    ] {
        assert_eq!(shown(&story, flags), stacks, "{flags}");
    }
    assert_eq!(story.world(), before);
}

#[test]
fn what_was_chosen_is_taken_down_and_nothing_else() {
    let mut story = left_behind();
    assert_eq!(story.run("sweep --expired --yes --sandbox").code, 0);
    assert_eq!(stacks(&story), ["demo", "keep", "shop", "theirs"]);
    assert_eq!(story.ask("sweep --stack keep --yes --sandbox").code, 0);
    assert_eq!(stacks(&story), ["demo", "shop", "theirs"]);
    assert_eq!(story.ask("sweep --yes --sandbox").code, 0);
    story.run("sweep --yes --sandbox");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    for kind in ["buckets", "roles", "functions"] {
        assert_eq!(world[kind].as_object().unwrap().keys().collect::<Vec<_>>(), ["theirs"], "{kind}");
    }
    assert_eq!((&world["access"], &world["distributions"]), (&json!({}), &json!({})));
}

#[test]
fn what_the_spec_at_hand_covers_stays() {
    let story = left_behind();
    story.write("provision.yaml", "stack: shop\n");
    assert_eq!(shown(&story, ""), ["demo", "keep", "trial"]);
    assert_eq!(shown(&story, "--stack shop"), ["shop"], "who names it means it");
    assert_eq!(story.ask("sweep --yes --sandbox").code, 0);
    assert_eq!(stacks(&story), ["shop", "theirs"]);
}

/// What a spec covers that cannot be read is not known.
#[test]
fn a_spec_that_is_wrong_covers_everything() {
    let mut story = left_behind();
    story.write("provision.yaml", "stack: shop\nbuket: {}\n");
    let before = story.world();
    story.run("sweep --yes --sandbox");
    story.run("sweep --yes --sandbox=.provision/sandbox -f nowhere.yaml");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
    assert_eq!(shown(&story, "--stack trial"), ["trial"], "that is another one, whatever the spec says");
}

#[test]
fn what_replicas_hold_is_pending_and_found_again() {
    let mut story = left_behind();
    story.write("provision.yaml", "stack: shop\n");
    story.delays("deploy=0,replicas=86400");
    assert_eq!(story.run("sweep --stack trial --yes --sandbox").code, 3);
    story.run("sweep --stack trial --sandbox");
    story.meanwhile("CloudFront removes its replicas", |world| {
        for gone in world["replicas"].as_object_mut().unwrap().values_mut() {
            *gone = 0.into();
        }
    });
    assert_eq!(story.run("sweep --stack trial --yes --sandbox").code, 0);
    assert_eq!(shown(&story, ""), ["demo", "keep"]);
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn data_of_others_stays_unless_it_may_go() {
    let mut story = left_behind();
    story.meanwhile("somebody keeps an invoice in a bucket", |world| {
        world["buckets"]["trial-123456789012"]["objects"]["invoice.pdf"] = json!({"etag": "1", "size": 1});
    });
    let before = story.world();
    assert_eq!(story.run("sweep --expired --yes --sandbox").code, 4);
    assert_eq!(story.world(), before);
    assert_eq!(story.ask("sweep --expired --yes --delete-data --sandbox").code, 0);
    insta::assert_snapshot!(story.transcript());
    assert_eq!(stacks(&story), ["demo", "keep", "shop", "theirs"]);
}
