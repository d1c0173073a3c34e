//! Guards hold for every verb: which account, which region, what is protected, which stack.
//!
//! What is asked at a terminal stands in `terminal`.

use crate::story::{SHOP, Story};
use Cell::{Free, Kept, Refused};
use serde_json::json;

/// What a guard makes of a verb.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// Exit 4 with these words, and nothing is changed.
    Refused(&'static str),
    /// Exit 0 with these words, and nothing is changed.
    Kept(&'static str),
    /// The guard has nothing to say about it: exit 0.
    Free,
}

const VERBS: [&str; 12] = [
    "plan",
    "status",
    "apply --yes",
    "apply next.plan --yes",
    "plan --destroy",
    "destroy --yes",
    "destroy end.plan --yes",
    "sweep",
    "sweep --stack shop --yes",
    "maintenance on",
    "maintenance off",
    "maintenance status",
];

struct Guard {
    name: &'static str,
    /// Raises it over a shop that stands, of which both plans are saved.
    raise: fn(&mut Story),
    cells: [Cell; VERBS.len()],
}

const ELSEWHO: &str = "the credentials are for account 123456789012 \
    (arn:aws:iam::123456789012:user/sandbox), the spec is for account 111111111111";
const ELSEWHERE: &str = "is in us-east-1, the spec says eu-west-1";
const OTHER_STACK: &str = "is for stack `shop`, the spec is for stack `other`";

const GUARDS: [Guard; 6] = [
    Guard {
        name: "account",
        raise: |story| story.write("provision.yaml", &format!("{SHOP}account: \"111111111111\"\n")),
        cells: [Refused(ELSEWHO); VERBS.len()],
    },
    Guard {
        name: "protect, in the spec at hand",
        raise: |story| {
            story.write("provision.yaml", &format!("{SHOP}protect: [bucket, distribution]\n"));
            assert_eq!(story.ask("apply --sandbox --yes").code, 0);
            save_plans(story);
        },
        cells: [
            Free,
            Free,
            Free,
            Free,
            Kept("stays: it is protected"),
            Kept("stays: it is protected"),
            Kept("stays: it is protected"),
            Free,
            Kept("stays: it is protected"),
            Free,
            Free,
            Free,
        ],
    },
    Guard {
        name: "protect, in the tags alone",
        raise: |story| {
            story.write("provision.yaml", &format!("{SHOP}protect: [bucket, distribution]\n"));
            assert_eq!(story.ask("apply --sandbox --yes").code, 0);
            story.write("provision.yaml", SHOP);
            save_plans(story);
        },
        cells: [
            Free,
            Free,
            // An apply is the way to give it up.
            Free,
            Free,
            Kept("tag `provision:protect`"),
            Kept("tag `provision:protect`"),
            Kept("tag `provision:protect`"),
            Free,
            Kept("tag `provision:protect`"),
            Free,
            Free,
            Free,
        ],
    },
    Guard {
        name: "region: the bucket is elsewhere",
        raise: |story| {
            story.write(
                "provision.yaml",
                &SHOP.replace("stack: shop", "stack: shop\nregion: eu-west-1"),
            );
        },
        cells: [
            Refused(ELSEWHERE),
            Free,
            Refused(ELSEWHERE),
            Refused("moved on"),
            Refused(ELSEWHERE),
            Refused(ELSEWHERE),
            Refused("moved on"),
            Free,
            // It goes where the bucket is.
            Free,
            Free,
            Free,
            Free,
        ],
    },
    Guard {
        name: "delete limit: the site's folder is empty",
        raise: |story| {
            std::fs::remove_dir_all(story.path("site")).unwrap();
            std::fs::create_dir(story.path("site")).unwrap();
        },
        cells: [
            Refused("--delete site"),
            Free,
            Refused("--delete site"),
            Refused("moved on"),
            // Who takes the stack down means the site, too.
            Free,
            Free,
            Free,
            Free,
            Free,
            Free,
            Free,
            Free,
        ],
    },
    Guard {
        name: "the stack's name, in a saved plan",
        raise: |story| story.write("provision.yaml", &SHOP.replace("stack: shop", "stack: other")),
        cells: [
            Refused("belongs to stack `shop`"),
            Free,
            Refused("belongs to stack `shop`"),
            Refused(OTHER_STACK),
            Kept("is not ours and stays"),
            Kept("is not ours and stays"),
            Refused(OTHER_STACK),
            Free,
            Free,
            Refused("holds the page of stack `shop`"),
            Refused("holds the page of stack `shop`"),
            Refused("holds the page of stack `shop`"),
        ],
    },
];

fn save_plans(story: &Story) {
    for flags in ["--out next.plan", "--destroy --out end.plan"] {
        assert_eq!(story.ask(&format!("plan --sandbox {flags}")).code, 0, "{flags}");
    }
}

#[test]
fn every_guard_holds_for_every_verb() {
    let mut broken = Vec::new();
    for Guard { name, raise, cells } in GUARDS {
        let mut story = Story::of_a_shop_that_stands();
        story.write("site/home.html", "changed");
        save_plans(&story);
        raise(&mut story);
        let before = std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap();
        for (verb, cell) in VERBS.into_iter().zip(cells) {
            let answer = story.ask(&format!("{verb} --sandbox"));
            let (code, words) = match cell {
                Refused(words) => (4, words),
                Kept(words) => (0, words),
                Free => (0, ""),
            };
            let said = format!("{}{}", answer.out, answer.err);
            let after =
                std::fs::read_to_string(story.path(".provision/sandbox/world.json")).unwrap();
            let changed = !matches!(cell, Free) && after != before;
            if answer.code != code || !said.contains(words) || changed {
                broken.push(format!(
                    "{name} × {verb}: not {cell:?} (changed: {changed}), but {}: {said}",
                    answer.code
                ));
            }
            story.write(".provision/sandbox/world.json", &before);
        }
    }
    assert!(broken.is_empty(), "{} cells:\n{}", broken.len(), broken.join("\n"));
}

/// The spec at hand covers its stack, and whoever has none meets the tags.
#[test]
fn a_sweep_of_all_keeps_what_is_covered_or_protected() {
    let story = Story::of_a_shop();
    story.write("provision.yaml", &format!("{SHOP}protect: [distribution]\n"));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    let before = story.world();
    assert_eq!(story.ask("sweep --all --in-use --yes --sandbox").code, 0);
    assert_eq!(story.world(), before, "covered");
    std::fs::remove_file(story.path("provision.yaml")).unwrap();
    let answer = story.ask("sweep --all --in-use --yes --sandbox");
    assert_eq!((answer.code, story.world()), (0, before), "{}", answer.out);
    assert!(answer.out.contains("stays: the tag `provision:protect`"), "{}", answer.out);
}

/// What stands in the sandbox after all: bucket, role, function, distribution.
fn standing(story: &Story) -> Vec<&'static str> {
    let world = story.world();
    let kinds = ["buckets", "roles", "functions", "distributions"];
    kinds
        .into_iter()
        .filter(|kind| world[kind].as_object().is_some_and(|all| !all.is_empty()))
        .collect()
}

#[test]
fn protection_is_known_without_the_spec_that_says_it() {
    let mut story = Story::of_a_shop();
    story.write("provision.yaml", &format!("{SHOP}protect: [bucket, role]\n"));
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    // Another owner's checkout, from before.
    story.write("provision.yaml", SHOP);
    story.run("destroy --sandbox --yes");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(standing(&story), ["buckets", "roles"]);
}

/// Log groups are ours by their function, until that goes.
#[test]
fn protected_log_groups_outlive_their_function() {
    let story = Story::of_a_shop();
    let keeping =
        SHOP.replace("handler: edge.handler", "handler: edge.handler, log_retention: 30d");
    assert_ne!(keeping, SHOP);
    story.write("provision.yaml", &keeping);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    let protecting = format!("{keeping}protect: [logs]\n");
    story.write("provision.yaml", &protecting);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    story.write("provision.yaml", &keeping);
    for command in ["destroy", "destroy", "sweep --stack shop"] {
        assert_eq!(story.ask(&format!("{command} --sandbox --yes")).code, 0, "{command}");
        assert_eq!(story.world()["functions"], json!({}), "{command}");
        assert_eq!(story.world()["logs"].as_object().unwrap().len(), 13, "{command}");
    }
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
