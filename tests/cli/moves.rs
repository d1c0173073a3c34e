//! The spec changes: what an earlier spec named is named, found, and ended by its word.

use crate::attached::{ID, document};
use crate::story::{SHOP, Story};
use serde_json::{Value, json};

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
    story.write(
        "provision.yaml",
        &format!(
            "stack: shop\nbucket: {{name: shop-files, site: ./site}}\ndistribution: {{id: {id}}}\n"
        ),
    );
    let answer = story.ask("apply --sandbox --yes");
    assert_eq!(answer.code, 4);
    assert!(answer.out.contains("this stack's own"), "{}", answer.out);
    assert!(answer.out.contains("leave `distribution.id` out of the spec"), "{}", answer.out);
    assert_eq!(story.world(), before);
}

fn a_distribution_of_another_owner(story: &mut Story, document: &str) {
    story.meanwhile("there is a distribution of another owner", |world| {
        let live = json!({"id": ID, "etag": "E0", "document": document, "deployed": true,
            "domain": "d1.cloudfront.net", "tags": {}});
        world["distributions"][ID] = json!({"live": live, "deployed_at": 0});
    });
}

/// Own to attached: the old one goes on serving until its word is said, and the report is about the
/// new one.
#[test]
fn a_stack_moves_to_a_distribution_of_somebody_else() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    a_distribution_of_another_owner(&mut story, &document(""));
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: shop-files, site: ./site}\ndistribution: {id: E1ABCDEF0123, \
            behaviors: [default]}\n",
    );
    let moved = story.ask("apply --sandbox --yes");
    assert_eq!(moved.code, 0, "{}", moved.out);
    assert!(
        moved.out.contains(&format!("distribution {id}: is ours and no longer in the spec")),
        "{}",
        moved.out
    );
    assert!(moved.out.contains("distribution  E1ABCDEF0123"), "{}", moved.out);
    let again = story.ask("apply --sandbox --yes");
    assert!(again.out.contains("Nothing to do"), "{}", again.out);
    assert!(story.world()["distributions"].get(&id).is_some());
    let ended = story.ask("apply --sandbox --yes --delete distribution");
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(
        ended.out.contains("distribution  E1ABCDEF0123")
            && !ended.out.contains(&format!("distribution  {id}")),
        "{}",
        ended.out
    );
    assert!(story.world()["distributions"].get(&id).is_none());
    assert_eq!(story.world()["access"], json!({}));
}

/// Everything gets another name, twice; a destroy finds all of it, and so does a sweep.
#[test]
fn what_was_renamed_is_found_again() {
    for command in ["destroy --sandbox --yes", "sweep --sandbox --stack shop --yes"] {
        let story = Story::of_a_shop_that_stands();
        for name in ["second", "third"] {
            let spec =
                ["role", "function"].map(|kind| format!("{kind}: {{name: {name}}}\n")).concat();
            let spec = format!("bucket: {{name: {name}, site: ./site}}\n{spec}");
            story.write("provision.yaml", &format!("stack: shop\n{spec}"));
            let applied = story.ask("apply --sandbox --yes");
            assert_eq!(applied.code, 0, "{}", applied.out);
            assert!(
                applied.out.contains("role shop-edge: is ours and no longer in the spec"),
                "{}",
                applied.out
            );
            assert!(
                applied.out.contains("function shop-edge: is ours and no longer in the spec"),
                "{}",
                applied.out
            );
            assert!(
                applied.out.contains("bucket shop-files: is ours and no longer in the spec"),
                "{}",
                applied.out
            );
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
        "stack: shop\nbucket: {name: shop-files, site: ./site}\nmaintenance: {keys: {on: \
            closed.html}}\n",
    ] {
        story.write("provision.yaml", spec);
        let refused = story.ask("apply --sandbox --yes");
        assert_eq!(refused.code, 4, "{}", refused.out);
        assert!(refused.out.contains("the switch would no longer be there"), "{}", refused.out);
        assert_eq!(story.world()["distributions"], before["distributions"]);
    }
}

/// The spec has another on key, and nobody has applied it: the function looks at the old one.
#[test]
fn a_switch_that_is_not_deployed_is_not_turned() {
    let story = Story::of_a_shop_that_stands();
    let moved = "stack: shop\nbucket: {name: shop-files, site: ./site}\nmaintenance: {keys: {on: \
        closed.html}}\n";
    story.write("provision.yaml", moved);
    let before = story.world();
    for (verb, code) in [("on", 4), ("off", 4), ("status", 4)] {
        let answer = story.ask(&format!("maintenance {verb} --sandbox"));
        assert_eq!(answer.code, code, "{verb}: {}", answer.out);
        assert!(answer.out.contains(
            "not known what visitors see: the function that was deployed \
            last looks at maintenance-on.html"
        ));
    }
    assert_eq!(story.world(), before);
    let applied = story.ask("apply --sandbox --yes");
    assert_eq!(applied.code, 0, "{}", applied.out);
    assert!(applied.out.contains("on key  / -> closed.html"), "{}", applied.out);
    assert!(story.ask("apply --sandbox --yes").out.contains("Nothing to do"));
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    assert!(story.world()["buckets"]["shop-files"]["objects"]["closed.html"].is_object());
}

/// What is under the new on key would put the site into maintenance by the deployment itself.
#[test]
fn a_move_does_not_open_a_window() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user puts a file", |world| {
        world["buckets"]["shop-files"]["objects"]["closed.html"] = json!({"etag": "1", "size": 1});
    });
    let moved = "stack: shop\nbucket: {name: shop-files, site: ./site}\nmaintenance: {keys: {on: \
        closed.html}}\n";
    story.write("provision.yaml", moved);
    let refused = story.ask("apply --sandbox --yes");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.out.contains("visitors would get it in place of the site"), "{}", refused.out);
}

/// `protect` and `ttl` mean all of the stack, also what an earlier spec named.
#[test]
fn what_an_earlier_spec_named_carries_the_tags_of_this_one() {
    let story = Story::of_a_shop_that_stands();
    story.write(
        "provision.yaml",
        "stack: shop\nprotect: [bucket]\nttl: 2h\nbucket: {name: second, site: ./site}\nrole: {name: second}\n",
    );
    let applied = story.ask("apply --sandbox --yes");
    assert_eq!(applied.code, 0, "{}", applied.out);
    let world = story.world();
    for former in [&world["buckets"]["shop-files"]["live"], &world["roles"]["shop-edge"]] {
        let tags = &former["settings"]["tags"];
        assert_eq!(
            (&tags["provision:protect"], &tags["provision:ttl"]),
            (&json!("bucket"), &json!("2h")),
            "{former}"
        );
    }
    assert!(story.ask("apply --sandbox --yes").out.contains("Nothing to do"));
    let kept = story.ask("apply --sandbox --yes --delete bucket --delete role");
    assert_eq!(kept.code, 0, "{}", kept.out);
    assert_eq!(story.world()["buckets"]["shop-files"], world["buckets"]["shop-files"]);
    assert!(story.world()["roles"]["shop-edge"].is_object(), "by its policy the bucket is found");
}

/// A user gives the distribution to another stack by its tag.
#[test]
fn a_distribution_that_was_made_for_the_stack_is_not_made_twice() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    story.meanwhile("a user writes another stack into its tag", |world| {
        world["distributions"][&id]["live"]["tags"]["provision:stack"] = json!("other");
    });
    let before = story.world();
    for command in ["apply --sandbox --yes", "destroy --sandbox --yes"] {
        let refused = story.ask(command);
        assert_eq!(refused.code, 4, "{command}: {}", refused.out);
        let says = "its tag `provision:stack` says `other`, and the reference of its creation says \
            `shop`";
        assert!(refused.out.contains(says), "{}", refused.out);
        assert_eq!(story.world(), before);
    }
}

/// A second reader in our statement would lose the bucket when we write it anew.
#[test]
fn a_distribution_that_reads_by_our_statement_is_named() {
    let mut story = Story::of_a_shop_that_stands();
    let document = document("").replace("www.example.org", "shop-files.s3.us-east-1.amazonaws.com");
    assert!(document.contains("shop-files.s3."), "the origin is the bucket");
    story.meanwhile("a user lets another distribution read by our statement", |world| {
        let live = json!({"id": ID, "etag": "E0", "document": document, "deployed": true,
            "domain": "d1.cloudfront.net", "tags": {}});
        world["distributions"][ID] = json!({"live": live, "deployed_at": 0});
        let arn = &mut world["buckets"]["shop-files"]["policy"]["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"];
        *arn = json!([arn.clone(), format!("arn:aws:cloudfront::123456789012:distribution/{ID}")]);
    });
    let refused = story.ask("apply --sandbox --yes");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(
        refused.out.contains("distribution E1ABCDEF0123 reads the bucket by our statement"),
        "{}",
        refused.out
    );
}

/// Visitors of a distribution that the spec does not name get the function: it is not taken over.
#[test]
fn a_function_that_somebody_elses_distribution_runs_is_not_taken_over() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    story.meanwhile("bucket, role and function of the stack become a user's", |world| {
        let function = &mut world["functions"]["shop-edge"]["settings"];
        (function["tags"], function["frozen"]["description"]) = (json!({}), json!(""));
        world["roles"]["shop-edge"]["settings"]["tags"] = json!({});
        let own = &mut world["distributions"][&id]["live"];
        own["tags"] = json!({});
        let made = own["document"].as_str().unwrap();
        own["document"] = json!(made.replace("provision-shop", "by-hand"));
    });
    let refused = story.ask("apply --sandbox --yes --adopt function --adopt role");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(
        refused.out.contains(&format!("distribution {id} runs it, which this spec does not name")),
        "{}",
        refused.out
    );
}

/// Three functions are replicated, and one no longer: the one that can go goes.
#[test]
fn a_function_that_is_still_replicated_does_not_keep_another() {
    let mut story = Story::of_a_shop_that_stands();
    story.delays("deploy=0,replicas=86400");
    for name in ["second", "third"] {
        story.write(
            "provision.yaml",
            &format!(
                "stack: shop\nbucket: {{name: shop-files, site: \
            ./site}}\nfunction: {{name: {name}}}\n"
            ),
        );
        assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    }
    assert_eq!(story.ask("destroy --sandbox --yes").code, 3);
    story.meanwhile("the replicas of the first are gone", |world| {
        let kept = world["replicas"].as_object_mut().unwrap();
        kept.retain(|arn, _| !arn.contains(":shop-edge:"));
    });
    let ended = story.ask("destroy --sandbox --yes");
    assert_eq!(ended.code, 3, "{}", ended.out);
    let functions = story.world()["functions"].clone();
    assert_eq!(
        functions.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["second", "third"],
        "{}",
        ended.out
    );
}

/// Both keys are others in the spec, and nobody has applied it: what is under them says nothing.
#[test]
fn keys_that_are_not_applied_turn_nothing() {
    for (off, on) in [
        ("m.html", "m-on.html"),
        ("maintenance-on.html", "m-on.html"),
        ("maintenance-on.html", "maintenance.html"),
        ("m.html", "maintenance-on.html"),
    ] {
        for open in [false, true] {
            let story = Story::of_a_shop_that_stands();
            if open {
                assert_eq!(story.ask("maintenance on --sandbox").code, 0);
            }
            let keys = format!("maintenance: {{keys: {{off: {off}, on: {on}}}}}\n");
            let spec = "stack: shop\nbucket: {name: shop-files, site: ./site}\n";
            story.write("provision.yaml", &format!("{spec}{keys}"));
            let before = story.world();
            for verb in ["on", "off", "status"] {
                let answer = story.ask(&format!("maintenance {verb} --sandbox"));
                assert_eq!(answer.code, 4, "{off} {on} {open} {verb}: {}", answer.out);
                assert!(answer.out.contains("not known what visitors see"), "{}", answer.out);
            }
            assert_eq!(story.world(), before, "{off} {on} {open}");
        }
    }
}

/// A bucket of another name begins empty: what the old one had counts.
#[test]
fn a_site_is_not_lost_by_another_bucket() {
    let story = Story::of_a_shop_that_stands();
    story.write("provision.yaml", "stack: shop\nbucket: {name: second}\n");
    let refused = story.ask("apply --sandbox --yes");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.out.contains("would lose 2 of its 2 objects"), "{}", refused.out);
    assert_eq!(story.ask("apply --sandbox --yes --delete site").code, 0);
}

/// The page alone is no site.
#[test]
fn other_keys_lose_no_site() {
    let story = Story::of_a_shop();
    for keys in ["", "maintenance: {keys: {off: m.html, on: m-on.html}}\n"] {
        story.write("provision.yaml", &format!("stack: shop\n{keys}"));
        let applied = story.ask("apply --sandbox --yes");
        assert_eq!(applied.code, 0, "{}", applied.out);
    }
}

/// Back to the bucket where the page itself is under what is the on key by now.
#[test]
fn a_way_back_does_not_open_a_window() {
    let story = Story::of_a_shop_that_stands();
    let keys = "maintenance: {keys: {off: x.html, on: maintenance.html}}\n";
    story.write(
        "provision.yaml",
        &format!("stack: shop\nbucket: {{name: second, site: ./site}}\n{keys}"),
    );
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.write(
        "provision.yaml",
        &format!("stack: shop\nbucket: {{name: shop-files, site: ./site}}\n{keys}"),
    );
    let refused = story.ask("apply --sandbox --yes");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.out.contains("visitors would get it in place of the site"), "{}", refused.out);
}

/// Where the deployed function does not look, or not yet, the switch is not turned.
#[test]
fn the_switch_of_a_bucket_that_was_left_is_not_turned() {
    let story = Story::of_a_shop_that_stands();
    let moved = "stack: shop\nbucket: {name: second, site: ./site}\n";
    story.write("moved.yaml", moved);
    assert_eq!(story.ask("apply --sandbox --yes -f moved.yaml").code, 0);
    let refused = story.ask("maintenance on --sandbox");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.out.contains("says that its switch has moved"), "{}", refused.out);
    assert_eq!(story.ask("maintenance on --sandbox -f moved.yaml").code, 0);
    assert_eq!(story.ask("maintenance off --sandbox -f moved.yaml").code, 0);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0, "and back");
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
}

/// `status` tells of each thing what is true of it.
#[test]
fn status_tells_old_and_new_apart() {
    let story = Story::of_a_shop_that_stands();
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: second, site: ./site}\nrole: {name: second}\n",
    );
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    let out = story.ask("status --sandbox --json").out;
    let documents = serde_json::Deserializer::from_str(&out).into_iter::<serde_json::Value>();
    let status = documents.flatten().find(|found| found["type"] == "status").unwrap();
    let rows = status["resources"].as_array().unwrap();
    let remarks = |kind: &str, name: &str| {
        let row = rows.iter().find(|row| row["kind"] == kind && row["name"] == name).unwrap();
        row["remarks"].to_string()
    };
    for (kind, old) in [("bucket", "shop-files"), ("role", "shop-edge")] {
        assert!(remarks(kind, old).contains("no longer in the spec"), "{rows:#?}");
        assert_eq!(remarks(kind, "second"), "[]");
    }
}

/// What stays says itself that it is protected, once what said so is gone.
#[test]
fn protection_outlives_what_told_of_it() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", &format!("{SHOP}protect: [bucket]\n"));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.meanwhile("the bucket loses its tag", |world| {
        let tags = &mut world["buckets"]["shop-files"]["live"]["settings"]["tags"];
        tags.as_object_mut().unwrap().shift_remove("provision:protect");
    });
    story.write("provision.yaml", SHOP);
    for _ in 0..3 {
        assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
        assert!(story.world()["buckets"]["shop-files"].is_object());
    }
}

/// Marks of two stacks on one thing: nobody takes it down for the wrong one.
#[test]
fn what_carries_two_marks_is_not_the_second_ones() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    story.meanwhile("a user writes another stack into the tags", |world| {
        world["distributions"][&id]["live"]["tags"]["provision:stack"] = json!("other");
        world["roles"]["shop-edge"]["settings"]["tags"]["provision:stack"] = json!("other");
    });
    let before = story.world();
    story.write("other.yaml", "stack: other\nrole: {name: shop-edge}\n");
    for (command, code) in [
        ("destroy --sandbox --yes -f other.yaml", 4),
        ("sweep --stack other --sandbox --yes", 0),
        ("destroy --sandbox --yes", 4),
        ("sweep --stack shop --sandbox --yes", 4),
    ] {
        assert_eq!(story.ask(command).code, code, "{command}");
        assert_eq!(story.world(), before, "{command}");
    }
}

/// What an earlier spec named, and whose marks were changed, is not left without a word.
#[test]
fn what_lost_its_mark_is_found_under_its_earlier_name() {
    let lose = |world: &mut Value, kind: &str, name: &str, tag: Option<&str>| {
        let found = &mut world[kind][name];
        let found =
            if kind == "buckets" { &mut found["live"]["settings"] } else { &mut found["settings"] };
        match tag {
            Some(tag) => found["tags"]["provision:stack"] = json!(tag),
            None => found["tags"] = json!({}),
        }
    };
    for (kind, name, renamed, tags) in [
        (
            "buckets",
            "shop-files",
            SHOP.replace("shop-files", "shop-more"),
            &[None, Some("other")][..],
        ),
        (
            "roles",
            "shop-edge",
            format!("{SHOP}role: {{name: shop-other}}\n"),
            &[None, Some("other")],
        ),
        (
            "functions",
            "shop-edge",
            SHOP.replace("function: {", "function: {name: shop-other, "),
            &[Some("other")],
        ),
    ] {
        for tag in tags {
            let mut story = Story::of_a_shop_that_stands();
            story.write("provision.yaml", &renamed);
            assert_eq!(story.ask("apply --sandbox --yes").code, 0, "{kind}");
            story.meanwhile("its tag is changed", |world| lose(world, kind, name, *tag));
            let before = story.world();
            for command in ["destroy", "sweep --stack shop"] {
                let answer = story.ask(&format!("{command} --sandbox --yes"));
                assert_eq!(answer.code, 4, "{kind} {tag:?} {command}: {}", answer.out);
                assert_eq!(story.world(), before, "{kind} {tag:?} {command}");
            }
        }
    }
}

/// A reference that only begins like one of ours is nobody's claim.
#[test]
fn a_distribution_that_is_called_like_ours_is_not_ours() {
    let mut story = Story::of_a_shop();
    let document =
        document("").replace("<CallerReference>theirs", "<CallerReference>provision-shop-prod");
    let document = document.replace("<Id>o</Id>", "<Id>provision-shop</Id>");
    let document = document.replace("<TargetOriginId>o<", "<TargetOriginId>provision-shop<");
    story.write("provision.yaml", SHOP);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    a_distribution_of_another_owner(&mut story, &document);
    let before = story.world()["distributions"][ID].clone();
    assert!(story.ask("apply --sandbox --yes").out.contains("Nothing to do"));
    assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
    assert_eq!(story.world()["distributions"][ID], before);
}

/// Tags are easily copied; the reference of a creation is not.
#[test]
fn a_distribution_with_a_copy_of_our_tags_is_not_ours() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user tags theirs like ours", |world| {
        let tags = json!({"provision:stack": "shop"});
        let live = json!({"id": ID, "etag": "E0", "document": document(""), "deployed": true,
            "domain": "d1.cloudfront.net", "tags": tags});
        world["distributions"][ID] = json!({"live": live, "deployed_at": 0});
    });
    let before = story.world()["distributions"][ID].clone();
    for command in
        ["destroy --yes", "apply --yes", "sweep --stack shop --yes", "sweep --stack shop --yes"]
    {
        assert_eq!(story.ask(&format!("{command} --sandbox")).code, 0, "{command}");
        assert_eq!(story.world()["distributions"][ID], before, "{command}");
    }
}

/// A role that a function goes on using stays with it.
#[test]
fn the_role_of_a_function_that_stays_stays() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user takes the function over", |world| {
        let settings = &mut world["functions"]["shop-edge"]["settings"];
        (settings["tags"], settings["frozen"]["description"]) = (json!({}), json!("theirs"));
    });
    let answer = story.ask("destroy --sandbox --yes");
    assert!(
        answer.out.contains("is the role of function shop-edge, which stays"),
        "{}",
        answer.out
    );
    assert!(story.world()["roles"]["shop-edge"].is_object());
}

/// What the site would upload, or the function's package take in.
#[test]
fn nothing_that_a_run_writes_lies_where_an_apply_would_publish_it() {
    let story = Story::of_a_shop();
    story.write("provision.yaml", &SHOP.replace("./edge.py", "./edge"));
    story.write("edge/edge.py", "def handler(event, context):\n    pass\n");
    for (flags, code) in [
        ("--sandbox=site/cloud", 64),
        ("--sandbox=site", 64),
        ("--sandbox=site/.cloud", 0),
        ("--sandbox --out site/next.plan", 4),
        // Nobody is signed in, so a run that is not refused first fails.
        ("--record site/report", 64),
        ("--record site/new/../report", 64),
        ("--record edge/report", 64),
        ("--record site/.report", 1),
        ("--record report", 1),
    ] {
        let mut command = story.command(&format!("plan {flags}"));
        let answer = story.answer(command.env("AWS_EC2_METADATA_DISABLED", "true"));
        assert_eq!(answer.code, code, "{flags}: {}", answer.err);
        assert!(code < 4 || answer.err.contains("an apply would"), "{flags}: {}", answer.err);
    }
}

/// A bucket of another stack, or one in which no apply of ours has ended, is not ours to turn.
#[test]
fn the_switch_of_a_bucket_without_an_apply_of_ours_is_not_turned() {
    let story = Story::of_a_shop_that_stands();
    story.write("other.yaml", "stack: other\nmaintenance: {keys: {off: m.html, on: m-on.html}}\n");
    assert_eq!(story.ask("apply --sandbox --yes -f other.yaml").code, 0);
    for keys in [
        "{off: m-on.html, on: k.html}",
        "{off: k.html, on: m-on.html}",
        "{off: m.html, on: k.html}",
    ] {
        story.write(
            "stray.yaml",
            &format!(
                "stack: shop\nbucket: {{name: other-123456789012}}\nmaintenance: {{keys: {keys}}}\n"
            ),
        );
        let before = story.world();
        for verb in ["on", "off", "status"] {
            let answer = story.ask(&format!("maintenance {verb} --sandbox -f stray.yaml"));
            assert_eq!(answer.code, 4, "{keys} {verb}: {}", answer.out);
            assert!(answer.out.contains("of stack `other`"), "{}", answer.out);
        }
        assert_eq!(story.world(), before, "{keys}");
    }
}

/// There and back, within one second: the page tells what is deployed.
#[test]
fn a_bucket_that_the_stack_comes_back_to_has_its_switch() {
    let story = Story::of_a_shop_that_stands();
    let spec = |name: &str| format!("stack: shop\nbucket: {{name: {name}, site: ./site}}\n");
    for name in ["second", "shop-files", "second"] {
        story.write("provision.yaml", &spec(name));
        assert_eq!(story.ask("apply --sandbox --yes").code, 0, "{name}");
        let on = story.ask("maintenance on --sandbox");
        assert_eq!(on.code, 0, "{name}: {}", on.out);
        assert_eq!(story.ask("maintenance off --sandbox").code, 0, "{name}");
    }
}

/// A window that only slots show which the spec no longer names could not be ended any more.
#[test]
fn a_switch_does_not_move_away_from_an_open_window() {
    let mut story = Story::of_a_shop_that_stands();
    a_distribution_of_another_owner(&mut story, &document(""));
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    let moved = "stack: shop\nbucket: {name: shop-files, site: ./site}\n\
        maintenance: {keys: {off: m.html, on: m-on.html}}\n\
        distribution: {id: E1ABCDEF0123, behaviors: [default]}\n";
    story.write("moved.yaml", moved);
    let refused = story.ask("apply --sandbox --yes -f moved.yaml");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert_eq!(story.ask("maintenance off --sandbox").code, 0);
    assert_eq!(story.ask("apply --sandbox --yes -f moved.yaml").code, 0);
}

/// The window in a bucket that is not surely the stack's any more is not left behind.
#[test]
fn a_move_does_not_leave_a_bucket_whose_window_nobody_may_see() {
    for tag in [None, Some("other")] {
        let mut story = Story::of_a_shop_that_stands();
        assert_eq!(story.ask("maintenance on --sandbox --for 2h").code, 0);
        story.meanwhile("a user edits the tag of the old bucket", |world| {
            let tags = world["buckets"]["shop-files"]["live"]["settings"]["tags"].as_object_mut();
            let tags = tags.unwrap();
            tags.remove("provision:stack");
            tags.extend(tag.map(|tag| ("provision:stack".to_owned(), json!(tag))));
        });
        let before = story.world();
        story.write(
            "provision.yaml",
            "stack: shop\nbucket: {name: shop-second, site: ./site}\nrole: {name: shop-edge}\n",
        );
        let refused = story.ask("apply --sandbox --yes");
        assert_eq!(refused.code, 4, "{}", refused.out);
        let says = "whether a maintenance window is under this key in bucket shop-files is not \
            known";
        assert!(refused.out.contains(says), "{}", refused.out);
        assert_eq!(story.world(), before);
    }
}

/// The role's policy is the stack's memory; where a user deletes it, the account is searched.
#[test]
fn what_the_policy_remembered_is_found_without_it() {
    let lose: [fn(&mut Value); 2] = [
        |world| drop(world["roles"].as_object_mut().unwrap().remove("shop-edge")),
        |world| world["roles"]["shop-edge"]["settings"]["policy"] = Value::Null,
    ];
    for lose in lose {
        for apply_between in [true, false] {
            let mut story = Story::of_a_shop_that_stands();
            story.write(
                "provision.yaml",
                "stack: shop\nbucket: {name: second, site: ./site}\nrole: {name: shop-edge}\n\
                 function: {name: second}\n",
            );
            assert_eq!(story.ask("apply --sandbox --yes").code, 0);
            story.meanwhile("a user deletes the memory", lose);
            let plan = story.ask("plan --sandbox");
            for thing in ["function shop-edge", "bucket shop-files"] {
                let says = format!("{thing}: is ours and no longer in the spec");
                assert!(plan.out.contains(&says), "{}", plan.out);
            }
            if apply_between {
                assert_eq!(story.ask("apply --sandbox --yes").code, 0);
            }
            assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
            for kind in KINDS {
                assert_eq!(story.world()[kind], json!({}), "{kind}");
            }
        }
    }
}

/// With a spec that is not applied yet, `status` finds the distribution that visitors use.
#[test]
fn visitors_of_the_distribution_that_was_applied_last_are_known() {
    let mut story = Story::of_a_shop_that_stands();
    let id = own_id(&story);
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    a_distribution_of_another_owner(&mut story, &document(""));
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: shop-files, site: ./site}\ndistribution: {id: E1ABCDEF0123, \
            behaviors: [default]}\n",
    );
    let status = story.ask("maintenance status --sandbox");
    assert_eq!(status.code, 0, "{}", status.out);
    assert!(status.out.starts_with("visitors see the maintenance page"), "{}", status.out);
    let says = format!("{id} does, which the spec does not name");
    assert!(status.out.contains(&says), "{}", status.out);
}

/// What the given-up distribution serves goes only with it.
#[test]
fn the_site_does_not_go_while_a_distribution_serves_it() {
    let mut story = Story::of_a_shop_that_stands();
    a_distribution_of_another_owner(&mut story, &document(""));
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: shop-files}\ndistribution: {id: E1ABCDEF0123, \
            behaviors: [default]}\n",
    );
    let before = story.world();
    let refused = story.ask("apply --sandbox --yes --delete site");
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.out.contains("goes on serving these objects"), "{}", refused.out);
    assert!(refused.out.contains("add `--delete distribution`"), "{}", refused.out);
    assert_eq!(story.world(), before);
    let ended = story.ask("apply --sandbox --yes --delete site --delete distribution");
    assert_eq!(ended.code, 0, "{}", ended.out);
}

/// The memory is lost and the marks of what it named disagree: the next apply writes it down again.
#[test]
fn what_is_in_doubt_is_remembered_anew() {
    let mut story = Story::of_a_shop_that_stands();
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: second, site: ./site}\nrole: {name: shop-edge}\n\
         function: {name: second}\n",
    );
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    let tag = |world: &mut Value, stack: &str| {
        world["functions"]["shop-edge"]["settings"]["tags"]["provision:stack"] = json!(stack);
        let bucket = &mut world["buckets"]["shop-files"];
        bucket["headers"][".provision/index"]["metadata"]["provision-stack"] = json!(stack);
    };
    story.meanwhile("a user deletes the role and edits two marks", |world| {
        world["roles"].as_object_mut().unwrap().remove("shop-edge");
        tag(world, "other");
    });
    let applied = story.ask("apply --sandbox --yes");
    assert_eq!(applied.code, 0, "{}", applied.out);
    for thing in ["bucket shop-files", "function shop-edge"] {
        let says =
            format!("{thing}: was named by an earlier spec; its tag `provision:stack` says `");
        assert!(applied.out.contains(&says), "{}", applied.out);
    }
    assert!(story.ask("apply --sandbox --yes").out.contains("Nothing to do"));
    story.meanwhile("the marks are put back", |world| tag(world, "shop"));
    assert_eq!(story.ask("destroy --sandbox --yes").code, 0);
    for kind in KINDS {
        assert_eq!(story.world()[kind], json!({}), "{kind}");
    }
}

/// What lost every mark is not the stack's any more. It is named until the word that forgets it.
#[test]
fn what_an_earlier_spec_named_and_carries_no_mark_is_named_and_stays() {
    let mut story = Story::of_a_shop_that_stands();
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: shop-files, site: ./site}\nrole: {name: shop-edge}\n\
         function: {name: second}\n",
    );
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.meanwhile("a user takes every mark off the old function", |world| {
        let settings = &mut world["functions"]["shop-edge"]["settings"];
        settings["tags"] = json!({});
        settings["frozen"]["description"] = json!("mine");
    });
    let says =
        "function shop-edge: was named by an earlier spec, carries no mark of ours, and stays";
    for command in ["plan --sandbox", "apply --sandbox --yes", "plan --sandbox"] {
        let plan = story.ask(command);
        assert!(plan.out.contains(says), "{command}: {}", plan.out);
    }
    let forgotten = story.ask("apply --sandbox --yes --delete function");
    assert_eq!(forgotten.code, 0, "{}", forgotten.out);
    assert!(!story.ask("plan --sandbox").out.contains("shop-edge:"));
    assert!(story.world()["functions"]["shop-edge"].is_object());
}

/// What an earlier spec named and another stack claims is not shown as if all were well with it.
#[test]
fn status_tells_what_is_not_surely_the_stacks_any_more() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("another stack's tag is on the old bucket and function", |world| {
        let theirs = json!("other");
        let bucket = &mut world["buckets"]["shop-files"]["live"]["settings"];
        bucket["tags"]["provision:stack"] = theirs.clone();
        let function = &mut world["functions"]["shop-edge"]["settings"];
        function["tags"]["provision:stack"] = theirs;
        function["frozen"]["description"] = json!("provision:stack=other");
    });
    story.write(
        "provision.yaml",
        "stack: shop\nbucket: {name: second, site: ./site}\nrole: {name: shop-edge}\n\
         function: {name: second}\n",
    );
    let status = story.ask("status --sandbox --json");
    assert_eq!(status.code, 0, "{}", status.err);
    let status: Value = serde_json::from_str(status.out.lines().last().unwrap()).unwrap();
    let rows = status["resources"].as_array().unwrap();
    let row = |name: &str, kind: &str| {
        rows.iter().find(|row| row["name"] == name && row["kind"] == kind).unwrap()
    };
    for (name, kind, condition) in
        [("shop-files", "bucket", "disputed"), ("shop-edge", "function", "not-ours")]
    {
        let row = row(name, kind);
        assert_eq!(row["as_specified"], json!(false), "{row}");
        assert_eq!((&row["condition"], &row["exists"]), (&json!(condition), &json!(true)), "{row}");
    }
    let shown = story.ask("status --sandbox").out;
    assert!(shown.contains("disputed bucket "), "{shown}");
    assert!(shown.contains("not ours function "), "{shown}");
}
