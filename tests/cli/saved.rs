//! Plans in files: exactly that, or nothing.

use crate::story::{Answer, SHOP, Story};
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
    assert_eq!(story.ask("destroy --sandbox end.plan --yes").code, 0);
    assert_eq!(story.world()["buckets"], json!({}));
}

/// Waiting writes nothing, so it is no part of what was agreed to.
#[test]
fn whoever_carries_out_a_plan_says_what_to_wait_for() {
    for (wait, waits) in [("", true), ("--wait deployed", true), ("--wait none", false)] {
        let story = Story::of_a_shop();
        assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
        let answer = story.ask(&format!("apply next.plan --sandbox --yes {wait}"));
        assert_eq!(answer.code, 0, "{wait}: {}", answer.err);
        assert_eq!(
            answer.err.contains("waiting for the deployment"),
            waits,
            "{wait}: {}",
            answer.err
        );
    }
}

/// The person chooses on the command line; the file chooses nothing.
#[test]
fn what_a_plan_may_do_is_said_again() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile(
        "a user keeps an invoice in the bucket, and takes the role's tags off",
        |world| {
            world["buckets"]["shop-files"]["objects"]["invoice.pdf"] =
                json!({"etag": "1", "size": 1});
            let role = &mut world["roles"]["shop-edge"]["settings"];
            (role["tags"], role["description"]) = (json!({}), json!(""));
        },
    );
    let before = story.world();
    for flags in ["--destroy --delete-data --out end.plan", "--adopt role --out next.plan"] {
        assert_eq!(story.ask(&format!("plan --sandbox {flags}")).code, 0, "{flags}");
    }
    for refused in [
        "apply end.plan",
        "destroy next.plan",
        "destroy end.plan",
        "apply next.plan",
        "apply next.plan --adopt bucket",
        "apply next.plan --adopt role --delete bucket",
    ] {
        assert_eq!(story.run(&format!("{refused} --sandbox --yes")).code, 4, "{refused}");
    }
    assert_eq!(story.world(), before);
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.ask("apply next.plan --adopt role --sandbox --yes").code, 0);
    assert_eq!(story.ask("plan --destroy --delete-data --out end.plan --sandbox").code, 0);
    assert_eq!(story.ask("destroy end.plan --delete-data --sandbox --yes").code, 0);
    assert_eq!(story.world()["buckets"], json!({}));
}

/// A file that a user tampered with can make us refuse, and nothing else.
#[test]
fn a_plan_that_was_tampered_with_is_refused() {
    type Tamper = fn(&mut Value);
    let rows: [(&str, Tamper); 10] = [
        ("the intent", |plan| plan["destroy"] = json!(true)),
        ("both intents", |plan| {
            (plan["destroy"], plan["plan"]["intent"]) = (json!(true), json!("destroy"));
        }),
        ("the plan's intent", |plan| plan["plan"]["intent"] = json!("destroy")),
        ("words to delete", |plan| plan["delete"] = json!(["bucket", "distribution"])),
        ("words to adopt", |plan| plan["adopt"] = json!(["role"])),
        ("data", |plan| plan["delete_data"] = json!(true)),
        ("the stack", |plan| plan["stack"] = json!("other")),
        ("the account", |plan| plan["account"] = json!("210987654321")),
        ("a step less", |plan| drop(plan["plan"]["steps"].as_array_mut().unwrap().pop())),
        ("a step that is another", |plan| {
            plan["plan"]["steps"][0]["stage"] = json!("delete-bucket");
        }),
    ];
    let story = Story::of_a_shop_that_stands();
    story.write("site/app.js", "changed");
    story.write("site/new.js", "new");
    let before = story.world();
    for (what, tamper) in rows {
        assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
        let mut plan =
            serde_json::from_str(&std::fs::read_to_string(story.path("next.plan")).unwrap())
                .unwrap();
        tamper(&mut plan);
        story.write("next.plan", &plan.to_string());
        for verb in ["apply", "destroy"] {
            let answer = story.ask(&format!("{verb} next.plan --sandbox --yes"));
            assert_eq!(
                (answer.code, story.world()),
                (4, before.clone()),
                "{what}: {verb}: {}",
                answer.err
            );
        }
    }
    assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
    assert_eq!(story.ask("apply next.plan --sandbox --yes").code, 0, "as it was made");
}

/// The refusal to write a plan there; the plan itself is not told.
fn told(story: &mut Story, name: &str) {
    let arguments = format!("plan --sandbox --out {name}");
    let answer = story.ask(&arguments);
    assert_eq!(answer.code, 4, "{name}");
    story.record(&arguments, &Answer { out: String::new(), ..answer });
}

/// What is under the name that `--out` says, and what is said of it.
#[test]
fn a_plan_replaces_nothing_but_a_plan() {
    let mut story = Story::of_a_shop();
    assert_eq!(story.ask("plan --sandbox --out old.plan").code, 0);
    for (name, text) in [
        ("notes.txt", "mine"),
        ("empty.plan", ""),
        ("record.json", "{\"format\": 2}"),
        ("edge/index.py", "code"),
    ] {
        story.write(name, text);
    }
    #[cfg(unix)]
    for (to, name) in [("old.plan", "link.plan"), ("nowhere", "dangling.plan")] {
        std::os::unix::fs::symlink(to, story.path(name)).unwrap();
    }
    let good = std::fs::read(story.path("old.plan")).unwrap();
    let rows = [
        "provision.yaml",
        "notes.txt",
        "empty.plan",
        "record.json",
        "edge.py",
        "site",
        "site/next.plan",
        "site/more/../next.plan",
    ];
    #[cfg(unix)]
    let rows = [&rows[..], &["link.plan", "dangling.plan", "/dev/null"]].concat();
    std::fs::create_dir(story.path("site/more")).unwrap();
    for name in rows {
        let before = std::fs::read(story.path(name)).ok();
        told(&mut story, name);
        assert_eq!(std::fs::read(story.path(name)).ok(), before, "{name}");
    }
    assert_eq!(
        std::fs::read(story.path("old.plan")).unwrap(),
        good,
        "nothing went through the link"
    );
    story.edit(
        "provision.yaml",
        "source: ./edge.py, handler: edge.handler",
        "source: ./edge, handler: index.handler",
    );
    told(&mut story, "edge/next.plan");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.ask("plan --sandbox --out old.plan").code, 0);
    assert_ne!(std::fs::read(story.path("old.plan")).unwrap(), good, "a plan of ours is replaced");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(story.path("old.plan")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "it may name what nobody else shall know");
    }
}

/// No room for the new plan: the old one is still whole, and nothing is beside it.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_keeps_the_old_plan() {
    let story = Story::of_a_shop();
    assert_eq!(story.ask("plan --sandbox --out next.plan").code, 0);
    let before = std::fs::read(story.path("next.plan")).unwrap();
    story.write("site/home.html", "changed");
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" plan --sandbox --out next.plan";
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args(["-c", limited, env!("CARGO_BIN_EXE_provision")])
        .current_dir(story.path(""))
        .env_clear();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(std::fs::read(story.path("next.plan")).unwrap(), before);
    let names = std::fs::read_dir(story.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("next.plan")).collect::<Vec<_>>(), ["next.plan"]);
}

/// Whatever the plan was made from may have moved on; each row is one such thing, and the place
/// that the refusal names.
#[test]
fn a_plan_that_the_world_has_left_behind_is_refused() {
    type Change = fn(&mut Story);
    let rows: [(&str, Change); 6] = [
        ("a file of the site is changed", |story| story.write("site/home.html", "other")),
        ("the code is changed", |story| story.write("edge.py", "other")),
        ("the spec is changed", |story| {
            story.write("provision.yaml", &SHOP.replace("team: web", "team: ops"));
        }),
        ("another user changed the distribution", |story| {
            story.meanwhile("", |world| {
                world["distributions"].as_object_mut().unwrap().values_mut().next().unwrap()["live"]
                    ["etag"] = json!("E9");
            });
        }),
        ("another user changed the function", |story| {
            story.meanwhile("", |world| world["functions"]["shop-edge"]["revision"] = json!("r9"));
        }),
        ("another user changed the bucket policy", |story| {
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
        ("short.plan", good[..good.find("\"steps\":").unwrap()].to_owned()),
        ("deep.plan", deep),
        ("list.plan", "[]".into()),
        ("newer.plan", "{\"format\": 3, \"moves\": []}".into()),
        ("added-key.plan", good.replacen("\"stack\":", "\"then\": \"more\", \"stack\":", 1)),
        ("long.plan", good.replacen("\"team\"", &format!("\"{}\"", "t".repeat(100_000)), 1)),
        ("future.plan", good.replace("\"format\": 2", "\"format\": 3")),
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
