//! Taking down: asked, in order, patient, and careful with what is not ours.

use crate::story::Story;
use serde_json::json;

#[test]
fn without_a_terminal_only_yes_confirms() {
    let mut story = Story::of_a_shop_that_stands();
    let before = story.world();
    assert_eq!(story.ask("destroy --sandbox").code, 4);
    let answer = story.ask("destroy --sandbox");
    story.record("destroy --sandbox", &crate::story::Answer { out: String::new(), ..answer });
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
    // `yes` from a pipe is nobody.
    story.command("destroy --sandbox").write_stdin("shop\n").assert().code(4);
    story.command("apply --sandbox").write_stdin("y\n").assert().code(0);
    assert_eq!(story.world(), before);
}

#[test]
fn replicas_keep_the_function_until_they_are_gone() {
    let mut story = Story::of_a_shop_that_stands();
    story.delays("deploy=0,replicas=86400");
    story.run("destroy --sandbox --yes");
    story.run("destroy --sandbox --yes");
    story.meanwhile("CloudFront removes its replicas", |world| {
        for gone in world["replicas"].as_object_mut().unwrap().values_mut() {
            *gone = 0.into();
        }
    });
    story.run("destroy --sandbox --yes");
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    for kind in ["buckets", "roles", "functions", "access", "distributions"] {
        assert_eq!(world[kind], json!({}), "{kind}");
    }
}

#[test]
fn objects_of_others_stay_unless_told_otherwise() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user keeps invoices in the bucket", |world| {
        for key in ["invoices/1.pdf", "invoices/2.pdf"] {
            world["buckets"]["shop-files"]["objects"][key] = json!({"etag": "1", "size": 1});
        }
    });
    let before = story.world();
    story.run("destroy --sandbox --yes");
    assert_eq!(story.world(), before);
    story.run("destroy --sandbox --yes --delete-data");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world()["buckets"], json!({}));
}

/// What is attached is only detached; what is inline would be lost.
#[test]
fn policies_of_others_stay_unless_told_otherwise() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user attaches a policy to the role, and writes two into it", |world| {
        world["roles"]["shop-edge"]["attached"] = json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
        world["roles"]["shop-edge"]["other_policies"] = json!(["audit", "traces"]);
    });
    let before = story.world();
    story.run("destroy --sandbox --yes");
    assert_eq!(story.world(), before);
    story.run("destroy --sandbox --yes --delete-data");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world()["roles"], json!({}));
}

#[test]
fn a_bucket_that_others_serve_from_stays() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("another distribution gets the bucket as an origin", |world| {
        let own = world["distributions"].as_object().unwrap().values().next().unwrap().clone();
        world["distributions"]["E9OTHER00000"] = own;
        world["distributions"]["E9OTHER00000"]["live"]["id"] = json!("E9OTHER00000");
        world["distributions"]["E9OTHER00000"]["live"]["tags"] = json!({});
    });
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn what_is_protected_stays() {
    let mut story = Story::of_a_shop_that_stands();
    story.edit("provision.yaml", "tags: {team: web}", "tags: {team: web}\nprotect: [bucket, role]");
    story.run("destroy --sandbox --yes");
    story.run("destroy --sandbox --yes");
    story.edit("provision.yaml", "protect: [bucket, role]", "protect: []");
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world()["roles"], json!({}));
}

#[test]
fn a_protected_distribution_keeps_all_that_it_needs() {
    let mut story = Story::of_a_shop_that_stands();
    story.edit("provision.yaml", "tags: {team: web}", "tags: {team: web}\nprotect: [distribution]");
    let before = story.world();
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
}

/// Files, page and code of the spec may be gone by then.
#[test]
fn a_destroy_needs_no_files() {
    let story = Story::of_a_shop_that_stands();
    for name in ["edge.py", "page.html", "site/home.html", "site/app.js"] {
        std::fs::remove_file(story.path(name)).unwrap();
    }
    std::fs::remove_dir(story.path("site")).unwrap();
    let answer = story.ask("destroy --sandbox --yes");
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert_eq!(story.world()["buckets"], json!({}));
}

#[test]
fn what_is_not_ours_stays_and_is_named() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user takes our tags off bucket, role and function", |world| {
        world["buckets"]["shop-files"]["live"]["settings"]["tags"] = json!({});
        world["roles"]["shop-edge"]["settings"]["tags"] = json!({});
        world["functions"]["shop-edge"]["settings"]["tags"] = json!({});
        world["functions"]["shop-edge"]["settings"]["frozen"]["description"] = json!("");
    });
    story.run("plan --sandbox");
    story.run("apply --sandbox --yes --adopt bucket --adopt role --adopt function");
    story.meanwhile("a user takes them off again", |world| {
        world["buckets"]["shop-files"]["live"]["settings"]["tags"] = json!({});
        world["roles"]["shop-edge"]["settings"]["tags"] = json!({});
    });
    let before = story.world();
    story.run("destroy --sandbox --yes");
    assert_eq!(story.world(), before, "what was ours is not left to nobody");
    story.meanwhile("they are another owner's", |world| {
        world["roles"]["shop-edge"]["settings"]["description"] = json!("theirs");
        let bucket = &mut world["buckets"]["shop-files"];
        for of in ["objects", "headers"] {
            bucket[of].as_object_mut().unwrap().shift_remove(".provision/index");
        }
        bucket["index"] = json!("");
    });
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    assert!(world["roles"]["shop-edge"].is_object() && world["buckets"]["shop-files"].is_object());
    assert_eq!(world["buckets"]["shop-files"]["policy"], json!(null), "our statement is gone");
}
