//! Plans in files: exactly that, or nothing.

use crate::story::{SHOP, Story};
use serde_json::{Value, json};

#[test]
fn a_saved_plan_is_carried_out_once() {
    let mut story = Story::of_a_shop();
    story.run("plan --sandbox --out next.plan --detailed-exitcode");
    story.run("apply next.plan --sandbox --yes");
    story.run("apply next.plan --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_saved_destruction_is_carried_out() {
    let story = Story::of_a_shop_that_stands();
    assert_eq!(story.ask("plan --destroy --sandbox --out end.plan").code, 0);
    assert_eq!(story.ask("apply --sandbox end.plan --yes").code, 0);
    assert_eq!(story.world()["buckets"], json!({}));
}

/// Whatever the plan was made from may have moved on; each row is one such thing, and the place that the refusal names.
#[test]
fn a_plan_that_the_world_has_left_behind_is_refused() {
    type Change = fn(&mut Story);
    let rows: [(&str, Change); 6] = [
        ("a file of the site is changed", |story| story.write("site/home.html", "other")),
        ("the code is changed", |story| story.write("edge.py", "other")),
        ("the spec is changed", |story| story.write("provision.yaml", &SHOP.replace("team: web", "team: ops"))),
        ("somebody else changed the distribution", |story| {
            story.meanwhile("", |world| {
                world["distributions"].as_object_mut().unwrap().values_mut().next().unwrap()["live"]["etag"] = json!("E9");
            });
        }),
        ("somebody else changed the function", |story| {
            story.meanwhile("", |world| world["functions"]["shop-edge"]["revision"] = json!("r9"));
        }),
        ("somebody else changed the bucket policy", |story| {
            story.meanwhile("", |world| world["buckets"]["shop-files"]["policy"] = Value::Null);
        }),
    ];
    let mut told = Story::of_a_shop();
    for (what, change) in rows {
        let mut story = Story::of_a_shop_that_stands();
        story.write("site/app.js", "changed");
        story.write("edge.py", "changed");
        assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
        change(&mut story);
        let before = story.world();
        told.tell(what);
        let answer = story.ask("apply --sandbox --yes next.plan");
        told.record("apply --sandbox --yes next.plan", &answer);
        assert_eq!((answer.code, story.world()), (4, before), "{what}");
    }
    insta::assert_snapshot!(told.transcript());
}

#[test]
fn a_plan_for_something_else_is_refused() {
    let mut story = Story::of_a_shop();
    assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
    story.edit("provision.yaml", "stack: shop", "stack: other");
    story.run("apply next.plan --sandbox --yes");
    story.edit("provision.yaml", "stack: other", "stack: shop");
    story.edit("next.plan", "123456789012", "210987654321");
    story.run("apply next.plan --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn what_is_no_plan_is_refused() {
    let mut story = Story::of_a_shop();
    assert_eq!(story.ask("plan --sandbox --out good.plan").code, 0);
    let good = std::fs::read_to_string(story.path("good.plan")).unwrap();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let rows = [
        ("empty.plan", String::new()),
        ("short.plan", good[..good.len() / 2].to_owned()),
        ("deep.plan", deep),
        ("list.plan", "[]".into()),
        ("newer.plan", "{\"format\": 2, \"moves\": []}".into()),
        ("added-key.plan", good.replacen("\"stack\":", "\"then\": \"more\", \"stack\":", 1)),
        ("long.plan", good.replacen("\"team\"", &format!("\"{}\"", "t".repeat(100_000)), 1)),
        ("future.plan", good.replace("\"format\": 1", "\"format\": 2")),
        ("hostile.plan", good.replace("\"stack\": \"shop\"", "\"stack\": \"../../etc\"")),
        ("added.plan", good.replace("\"steps\": [", "\"steps\": [{\"stage\": \"delete-bucket\"},")),
    ];
    for (name, text) in rows {
        story.write(name, &text);
        let answer = story.run(&format!("apply {name} --sandbox --yes"));
        assert_eq!(answer.code, 4, "{name}");
        assert!(answer.err.len() < 1_000, "{name}");
    }
    story.run("apply nowhere.plan --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert!(!story.path(".provision/sandbox/world.json").exists());
}
