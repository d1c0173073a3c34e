//! What earlier stacks left: found without their specs, shown first, and taken down only where
//! a user said so.

use crate::story::Story;
use serde_json::{Value, json};
use std::fs;

/// A world with what four specs left behind, and things of others; no spec is here any more.
fn left_behind() -> Story {
    let mut story = Story::of_a_shop();
    for stack in [
        "stack: shop",
        "stack: demo\nttl: 2h",
        "stack: trial\nttl: 1h",
        "stack: keep\nrole: {name: \"12345\", path: /web/}",
    ] {
        story.write(
            "provision.yaml",
            &format!("{stack}\nfunction: {{source: ./edge.py, handler: edge.handler}}\n"),
        );
        let answer = story.ask("apply --yes --sandbox");
        assert_eq!(answer.code, 0, "{stack}: {}{}", answer.out, answer.err);
    }
    fs::remove_file(story.path("provision.yaml")).unwrap();
    story.meanwhile(
        "four stacks are left, and another owner's bucket, role and function",
        |world| {
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
            world["functions"]["theirs"]["settings"]["frozen"]["description"] =
                json!("provision: not ours");
        },
    );
    story
}

/// Which stacks have something in the world, by the names of their buckets.
fn stacks(story: &Story) -> Vec<String> {
    let world = story.world();
    world["buckets"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| name.trim_end_matches("-123456789012").to_owned())
        .collect()
}

/// The stacks that a search shows. Nobody is there to confirm that those which were chosen shall
/// go.
fn shown(story: &Story, flags: &str) -> Vec<String> {
    let answer = story.ask(&format!("sweep --sandbox --json {flags}"));
    let document: Value =
        serde_json::Deserializer::from_str(&answer.out).into_iter().next().unwrap().unwrap();
    assert_eq!(document["type"], "remains");
    let stacks: Vec<_> = document["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["stack"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        answer.code,
        if flags.is_empty() || stacks.is_empty() { 0 } else { 4 },
        "{flags}: {}{}",
        answer.out,
        answer.err
    );
    stacks
}

#[test]
fn what_is_left_is_shown_and_nothing_is_changed() {
    let mut story = left_behind();
    let before = story.world();
    for (flags, code) in [("", 0), (" --expired", 4), (" --older-than 10d", 0)] {
        assert_eq!(story.run(&format!("sweep --sandbox{flags}")).code, code);
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
    assert_eq!(story.ask("sweep --all --in-use --yes --sandbox").code, 0);
    story.run("sweep --all --in-use --yes --sandbox");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    for kind in ["buckets", "roles", "functions"] {
        assert_eq!(
            world[kind].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["theirs"],
            "{kind}"
        );
    }
    assert_eq!((&world["access"], &world["distributions"]), (&json!({}), &json!({})));
}

#[test]
fn what_the_spec_at_hand_covers_stays() {
    let story = left_behind();
    story.write("provision.yaml", "stack: shop\n");
    assert_eq!(shown(&story, ""), ["demo", "keep", "trial"]);
    assert_eq!(shown(&story, "--stack shop"), ["shop"], "who names it means it");
    assert_eq!(story.ask("sweep --all --in-use --yes --sandbox").code, 0);
    assert_eq!(stacks(&story), ["shop", "theirs"]);
}

/// Nobody is asked, and what to take down is not said.
#[test]
fn the_whole_account_is_never_meant_by_saying_nothing() {
    let mut story = left_behind();
    let before = story.world();
    for flags in ["--yes", "--yes --in-use", "--yes --delete-data"] {
        assert_eq!(story.run(&format!("sweep --sandbox {flags}")).code, 64, "{flags}");
    }
    for (flags, code) in
        [("", 0), ("--all", 4), ("--older-than 1d", 4), ("--expired", 4), ("--stack trial", 4)]
    {
        assert_eq!(
            story.run(&format!("sweep --sandbox {flags}")).code,
            code,
            "{flags}: it only shows"
        );
    }
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
}

/// Another owner's distribution, in CloudFront's words.
const THEIRS: &str = "<DistributionConfig \
    xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>theirs</CallerReference>\
    <Comment></Comment><Enabled>true</Enabled><Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id>\
    <DomainName>www.example.org</DomainName></Origin></Items></Origins>\
    <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId></DefaultCacheBehavior></DistributionConfig>";

/// `held` is attached, with its switch on under a key of its own; `demo` is disabled, with its
/// switch on under the usual key; the others are enabled.
#[test]
fn what_visitors_use_is_passed_over_where_nobody_is_asked() {
    let mut story = left_behind();
    story.meanwhile(
        "a user has a distribution; demo's is disabled, and its switch \
        turned",
        |world| {
            let live = json!({"id": "E1THEIRS", "etag": "E0", "document": THEIRS, "deployed": true,
            "domain": "d1.cloudfront.net", "tags": {}});
            let all = world["distributions"].as_object_mut().unwrap();
            all.insert("E1THEIRS".into(), json!({"live": live, "deployed_at": 0}));
            let demo = all
                .values_mut()
                .find(|found| found["live"]["tags"]["provision:stack"] == "demo")
                .unwrap();
            let document = demo["live"]["document"].as_str().unwrap();
            let price = "</PriceClass><Enabled>";
            let document = document.replace(&format!("{price}true"), &format!("{price}false"));
            demo["live"]["document"] = json!(document);
            let bucket = &mut world["buckets"]["demo-123456789012"];
            for kept in ["objects", "headers"] {
                bucket[kept]["maintenance-on.html"] = bucket[kept]["maintenance.html"].clone();
            }
        },
    );
    story.write(
        "provision.yaml",
        "stack: held\nprotect: [logs]\nmaintenance: {keys: {on: closed.html}}\ndistribution: {id: \
            E1THEIRS, behaviors: [default]}\n",
    );
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    story.meanwhile("two hours pass", |world| {
        world["born"]["held"] = json!(jiff::Timestamp::now().as_second() - 2 * 3600 - 30);
    });
    fs::remove_file(story.path("provision.yaml")).unwrap();
    story.run("sweep --older-than 5m --sandbox");
    story.run("sweep --all --yes --sandbox");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(stacks(&story), ["held", "keep", "shop", "theirs", "trial"]);
    let json = story.ask("sweep --stack held --sandbox --json").out;
    let held = &serde_json::Deserializer::from_str(&json)
        .into_iter::<Value>()
        .next()
        .unwrap()
        .unwrap()["stacks"][0];
    let told = ["attached", "switch", "in_use", "protected", "ttl_seconds", "expired", "stays"]
        .map(|field| &held[field]);
    assert_eq!(
        told,
        [
            &json!(["E1THEIRS"]),
            &json!("on"),
            &json!(true),
            &json!(["logs"]),
            &json!(null),
            &json!(false),
            &json!(false)
        ]
    );
}

/// What a spec covers that cannot be read is not known.
#[test]
fn a_spec_that_is_wrong_covers_everything() {
    let mut story = left_behind();
    story.write("provision.yaml", "stack: shop\nbuket: {}\n");
    let before = story.world();
    story.run("sweep --all --yes --sandbox");
    story.run("sweep --stack trial --yes --sandbox");
    story.run("sweep --all --yes --sandbox=.provision/sandbox -f nowhere.yaml");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
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
    story.meanwhile("a user keeps an invoice in a bucket", |world| {
        world["buckets"]["trial-123456789012"]["objects"]["invoice.pdf"] =
            json!({"etag": "1", "size": 1});
    });
    let before = story.world();
    assert_eq!(story.run("sweep --expired --yes --sandbox").code, 4);
    assert_eq!(story.world(), before);
    assert_eq!(story.ask("sweep --expired --yes --delete-data --sandbox").code, 0);
    insta::assert_snapshot!(story.transcript());
    assert_eq!(stacks(&story), ["demo", "keep", "shop", "theirs"]);
}
