//! The switch as its user sees it: what is said, what is refused, and which keys move.

use crate::story::Story;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::thread;

const OFF: &str = "maintenance.html";
const ON: &str = "maintenance-on.html";

/// The bucket's part of the world.
fn bucket(story: &Story) -> Value {
    story.world()["buckets"]["shop-files"].clone()
}

/// What is beside the page under the on key.
fn window(story: &Story) -> Value {
    bucket(story)["headers"][ON]["metadata"].clone()
}

/// Which of the two keys are taken.
fn keys(story: &Story) -> Vec<&'static str> {
    let objects = bucket(story)["objects"].clone();
    [OFF, ON].into_iter().filter(|key| !objects[*key].is_null()).collect()
}

#[test]
fn the_switch_is_turned_once() {
    let mut story = Story::of_a_shop_that_stands();
    let before = bucket(&story);
    for line in ["on", "on", "status", "status --json", "off", "off", "status", "status --json"] {
        assert_eq!(story.run(&format!("maintenance {line} --sandbox")).code, 0, "{line}");
    }
    insta::assert_snapshot!(story.timeless());
    assert_eq!(keys(&story), [OFF]);
    assert_eq!(bucket(&story)["objects"], before["objects"]);
    assert_eq!(
        bucket(&story)["headers"][OFF]["metadata"],
        before["headers"][OFF]["metadata"],
        "nothing of a window is left"
    );
}

const SCHEDULES: &str = " --from 2999-01-01T00:00:00Z --until 2999-01-01T01:00:00Z";

#[test]
fn a_window_begins_and_ends_when_it_was_said() {
    let mut story = Story::of_a_shop_that_stands();
    let (begin, end) = ("2999-01-01T00:00:00Z", "2999-01-01T01:00:00Z");
    for (flags, from, until) in [
        (" --for 45m", None, None),
        (" --no-end", None, None),
        (" --until 2999-01-01T02:00:00+01:00", None, Some(end)),
        (SCHEDULES, Some(begin), Some(end)),
        (" --from 2999-01-01T00:00:00Z --for 1h", Some(begin), Some(end)),
        (" --from 2999-01-01T00:00:00Z --for 2h", Some(begin), Some("2999-01-01T02:00:00Z")),
        (" --from 2999-01-01T00:00:00Z", Some(begin), Some("2999-01-01T02:00:00Z")),
        ("", None, Some("2999-01-01T02:00:00Z")),
    ] {
        if flags == SCHEDULES {
            assert_eq!(
                story.run(&format!("maintenance on{flags} --sandbox")).code,
                4,
                "visitors would see the site until then"
            );
            assert_eq!(story.ask("maintenance off --sandbox").code, 0);
        }
        let is_repeated = flags.ends_with(" --for 1h");
        if flags.is_empty() || is_repeated {
            story.meanwhile("a day passes", |world| {
                let window = &mut world["buckets"]["shop-files"]["headers"][ON]["metadata"];
                window["provision-since"] = json!("2000-01-01T00:00:00Z");
            });
        }
        let since = window(&story)["provision-since"].clone();
        assert_eq!(story.run(&format!("maintenance on{flags} --sandbox")).code, 0, "{flags}");
        let window = window(&story);
        assert_eq!(window["provision-from"].as_str(), from, "{flags}");
        if flags == SCHEDULES {
            assert!(since.is_null());
        } else if flags == " --for 45m" {
            let moment =
                |name: &str| window[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            assert_eq!(
                (moment("provision-until") - moment("provision-since")).get_seconds(),
                45 * 60
            );
        } else {
            assert_eq!(window["provision-until"].as_str(), until, "{flags}");
            if from.is_none() && !flags.is_empty() || is_repeated {
                assert_eq!(window["provision-since"], since, "it has been on since then");
            }
        }
    }
    story.run("maintenance status --sandbox");
    story.meanwhile("the window is over", |world| {
        world["buckets"]["shop-files"]["headers"][ON]["metadata"]["provision-from"] =
            json!("1999-01-01T00:00:00Z");
        world["buckets"]["shop-files"]["headers"][ON]["metadata"]["provision-until"] =
            json!("1999-01-01T01:00:00Z");
    });
    story.run("maintenance status --sandbox");
    story.run("maintenance status --sandbox --json");
    insta::assert_snapshot!(story.timeless());
}

/// A leaked link of last night must not open the site tonight.
#[test]
fn a_new_window_takes_nothing_from_one_that_is_over() {
    let mut story = Story::of_a_shop_that_stands();
    story.write("other.html", "<h1>Closed today</h1>\n");
    assert_eq!(story.ask("maintenance on --for 1h --bypass --page other.html --sandbox").code, 0);
    story.meanwhile("the window is over", |world| {
        let metadata = &mut world["buckets"]["shop-files"]["headers"][ON]["metadata"];
        metadata["provision-until"] = json!("1999-01-01T01:00:00Z");
        metadata["provision-since"] = json!("1999-01-01T00:00:00Z");
    });
    story.run("maintenance on --sandbox");
    insta::assert_snapshot!(story.timeless());
    let window = window(&story);
    assert_eq!(
        ["bypass", "until", "once"].map(|name| window[format!("provision-{name}")].as_str()),
        [None; 3]
    );
    assert_ne!(window["provision-since"], "1999-01-01T00:00:00Z");
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let mut story = Story::of_a_shop_that_stands();
    let before = story.world();
    for (flags, code) in [
        ("--until 1999-01-01T00:00:00Z", 4),
        ("--until 1999-01-01T00:00:00Z --json", 4),
        ("--from 2999-06-01T00:00:00Z --until 2999-01-01T00:00:00Z", 4),
        ("--from 1999-01-01T00:00:00Z --for 1h", 4),
        ("--for 0s", 4),
        ("--for 500000w", 64),
        ("--for 45M", 64),
        ("--for 1month", 64),
        ("--for long", 64),
        ("--page provision.yaml", 64),
        ("--from 25:00", 64),
        ("--until soon", 64),
        ("--until soon --json", 64),
        ("--for 1h --until 23:00", 64),
        ("--for 1h --no-end", 64),
        ("--bypass --no-bypass", 64),
    ] {
        assert_eq!(story.run(&format!("maintenance on --sandbox {flags}")).code, code, "{flags}");
    }
    insta::assert_snapshot!(story.timeless());
    assert_eq!(story.world(), before);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![fs::read(path).unwrap()] })
        .collect()
}

#[test]
fn a_bypass_is_told_once_and_kept_as_a_hash() {
    let mut story = Story::of_a_shop_that_stands();
    let answer = story.run("maintenance on --bypass --sandbox");
    let (_, token) = answer.out.split_once("?provision-bypass=").unwrap();
    let token = token.lines().next().unwrap();
    assert_eq!(
        (token.len(), [&answer.out, &answer.err].map(|said| said.matches(token).count())),
        (32, [1, 0])
    );
    let kept = files(&story.path(".provision"));
    assert!(
        kept.iter().all(|file| !file.windows(token.len()).any(|bytes| bytes == token.as_bytes()))
    );
    let hash = hex::encode(Sha256::digest(token));
    assert_eq!(window(&story)["provision-bypass"], hash);

    story.write("other.html", "<h1>Closed today</h1>\n");
    for line in ["on", "on --for 2h", "on --page other.html"] {
        assert_eq!(story.run(&format!("maintenance {line} --sandbox")).code, 0, "{line}");
        assert_eq!(window(&story)["provision-bypass"], hash, "the team stays in after `{line}`");
    }
    story.run("maintenance status --sandbox");
    story.run("maintenance on --bypass --sandbox");
    story.run("maintenance on --no-bypass --sandbox");
    insta::assert_snapshot!(story.timeless());
    assert!(window(&story)["provision-bypass"].is_null(), "who has the old link stays out");

    let json = story.ask("maintenance on --bypass --sandbox --json").out;
    let documents: Vec<Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bypass = documents.iter().find(|document| document["type"] == "bypass").unwrap();
    let token = bypass["token"].as_str().unwrap();
    assert_eq!(window(&story)["provision-bypass"], hex::encode(Sha256::digest(token)));
    assert!(bypass["link"].as_str().unwrap().ends_with(&format!("/?provision-bypass={token}")));
}

#[test]
fn another_page_is_for_one_window() {
    let mut story = Story::of_a_shop_that_stands();
    let standard = bucket(&story)["objects"][OFF].clone();
    story.write(
        "closed.html",
        "<h1>Closed today</h1>\n<link rel=stylesheet href=/look.css>\n<img \
        src=\"data:,\"><img src='logo.png'>\n",
    );
    for line in [
        "maintenance on --page closed.html",
        "maintenance status",
        "apply --yes",
        "maintenance off",
        "maintenance status",
    ] {
        assert_eq!(story.run(&format!("{line} --sandbox")).code, 0, "{line}");
        assert_eq!(bucket(&story)["objects"][OFF], standard, "{line}");
    }
    insta::assert_snapshot!(story.timeless());
    assert_eq!(keys(&story), [OFF]);
}

#[test]
fn a_page_that_the_edge_cannot_serve_is_refused() {
    let mut story = Story::of_a_shop_that_stands();
    let before = story.world();
    story.write("big.html", &"x".repeat(40 * 1024));
    fs::write(story.path("latin.html"), b"<h1>Gr\xfc\xdfe</h1>").unwrap();
    for page in ["big.html", "latin.html", "nowhere.html", "site"] {
        assert_eq!(
            story.run(&format!("maintenance on --sandbox --page {page}")).code,
            64,
            "{page}"
        );
    }
    insta::assert_snapshot!(story.timeless());
    assert_eq!(story.world(), before);
}

/// Leaves the page as people do who rename it by hand.
fn misplaced(story: &mut Story, what: &str, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    story.meanwhile(what, |world| {
        for kind in ["objects", "headers"] {
            change(world["buckets"]["shop-files"][kind].as_object_mut().unwrap());
        }
    });
}

#[test]
fn a_page_that_was_renamed_by_hand_is_read_as_visitors_get_it_and_healed() {
    let mut story = Story::of_a_shop_that_stands();
    let standard = bucket(&story)["objects"][OFF].clone();
    for (line, left) in [
        ("maintenance on", vec![OFF, ON]),
        ("maintenance off", vec![OFF]),
        ("apply --yes", vec![OFF, ON]),
    ] {
        misplaced(&mut story, "a user renamed the page", |kind| {
            let page = kind.remove(OFF).unwrap();
            kind.insert(ON.into(), page);
        });
        story.meanwhile("a user renamed the page", |world| {
            world["buckets"]["shop-files"]["headers"][ON]["metadata"] = json!({});
        });
        story.run("maintenance status --sandbox");
        assert_eq!(story.run(&format!("{line} --sandbox")).code, 0);
        assert_eq!((keys(&story), &bucket(&story)["objects"][OFF]), (left, &standard));
    }
    story.run("maintenance off --sandbox");
    insta::assert_snapshot!(story.timeless());
    assert_eq!(keys(&story), [OFF]);
}

#[test]
fn a_lost_page_is_told_and_uploaded_again() {
    let mut story = Story::of_a_shop_that_stands();
    let standard = bucket(&story)["objects"][OFF].clone();
    for (line, left) in [
        ("maintenance on", vec![OFF, ON]),
        ("maintenance off", vec![OFF]),
        ("apply --yes", vec![OFF]),
    ] {
        misplaced(&mut story, "the page is lost: it is under neither key", |kind| {
            kind.retain(|key, _| key != OFF && key != ON);
        });
        story.run("maintenance status --sandbox");
        assert_eq!(keys(&story), [""; 0]);
        assert_eq!(story.run(&format!("{line} --sandbox")).code, 0, "{line}");
        assert_eq!((keys(&story), &bucket(&story)["objects"][OFF]), (left, &standard));
    }
    insta::assert_snapshot!(story.timeless());
}

/// Nobody knows of the others. Each says what holds when it ends, and the page is there whoever was
/// last.
#[test]
fn a_crowd_at_the_switch_loses_nothing() {
    let story = Story::of_a_shop_that_stands();
    let standard = bucket(&story)["objects"][OFF].clone();
    for _ in 0..3 {
        let lines = ["on --for 45m", "off"].into_iter().cycle().take(30);
        thread::scope(|scope| {
            let story = &story;
            let crowd: Vec<_> = lines
                .map(|line| {
                    scope.spawn(move || story.ask(&format!("maintenance {line} --sandbox")))
                })
                .collect();
            for ended in crowd.into_iter().map(|turn| turn.join().unwrap()) {
                let told = match ended.code {
                    0 => "\nDone: visitors see the ",
                    1 => "\nOvertaken: visitors see the ",
                    code => panic!("{code}: {}{}", ended.out, ended.err),
                };
                assert!(ended.out.contains(told), "{}", ended.out);
            }
        });
        assert_eq!(bucket(&story)["objects"][OFF], standard);
    }
    assert_eq!(story.ask("maintenance off --sandbox").code, 0);
    assert_eq!(keys(&story), [OFF]);
}

/// The wrong profile at two in the morning.
#[test]
fn a_bucket_that_does_not_exist_is_no_switch_that_is_off() {
    let mut story = Story::of_a_shop();
    for line in ["on", "off", "status", "status --json"] {
        assert_eq!(story.run(&format!("maintenance {line} --sandbox")).code, 4, "{line}");
    }
    insta::assert_snapshot!(story.timeless());
}

#[test]
fn a_switch_that_reaches_no_visitor_is_told() {
    let mut story = Story::of_a_shop_that_stands();
    story.ask("maintenance on --sandbox");
    story.meanwhile("a user disabled the distribution", |world| {
        let found = world["distributions"].as_object_mut().unwrap().values_mut().next().unwrap();
        let document =
            found["live"]["document"].as_str().unwrap().replace("<Enabled>true", "<Enabled>false");
        found["live"]["document"] = json!(document);
    });
    assert_eq!(story.run("maintenance status --sandbox").code, 0);
    story.run("maintenance status --sandbox --json");
    story.ask("maintenance off --sandbox");
    story.run("maintenance status --sandbox");
    insta::assert_snapshot!(story.timeless());
}

#[test]
fn apply_changes_the_page_and_never_the_window() {
    let mut story = Story::of_a_shop_that_stands();
    assert_eq!(story.ask("maintenance on --until 2999-01-01T00:00:00Z --bypass --sandbox").code, 0);
    let timeless = |mut window: Value| {
        window["provision-page"] = Value::Null;
        window
    };
    let (page, before) = (bucket(&story)["objects"][ON].clone(), timeless(window(&story)));
    story.edit("page.html", "soon", "very soon");
    assert_eq!(story.run("apply --yes --sandbox").code, 0);
    assert_eq!(story.run("plan --detailed-exitcode --sandbox").code, 0);
    insta::assert_snapshot!(story.timeless());
    assert_eq!((keys(&story), timeless(window(&story))), (vec![OFF, ON], before));
    assert_ne!(bucket(&story)["objects"][ON], page);
}

/// The page may stand in the site's folder under its own key. It is uploaded once, as the page.
#[test]
fn a_file_with_the_pages_name_is_the_page() {
    let mut story = Story::of_a_shop();
    story.edit("provision.yaml", "page: ./page.html", "page: ./site/maintenance.html");
    story.write("site/maintenance.html", "<h1>Back soon</h1>\n");
    assert_eq!(story.ask("apply --yes --sandbox").code, 0);
    assert_eq!(story.ask("maintenance on --sandbox").code, 0);
    story.write("site/maintenance.html", "<h1>Back very soon</h1>\n");
    assert_eq!(story.ask("apply --yes --sandbox").code, 0);
    assert_eq!(keys(&story), [OFF, ON]);
    assert_eq!(story.ask("plan --detailed-exitcode --sandbox").code, 0);
    assert_eq!(story.ask("maintenance off --sandbox").code, 0);
    assert_eq!(story.ask("plan --detailed-exitcode --sandbox").code, 0);
    assert_eq!(keys(&story), [OFF]);
}

/// A bucket that is not there would answer every visitor with "access denied".
#[test]
fn a_local_edge_without_a_bucket_says_so() {
    let story = Story::of_a_shop();
    // Whoever went on would find the port taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let answer = story.ask(&format!("dev --sandbox --port {port}"));
    assert_eq!(answer.code, 4, "{}", answer.err);
    assert!(answer.err.contains("`provision apply --sandbox` makes the bucket"), "{}", answer.err);
}
