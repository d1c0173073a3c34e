//! The folder of files: what changed goes up, documents last; what we put and the folder lost goes,
//! at the end.

use crate::story::Story;

#[test]
fn files_are_added_changed_and_deleted() {
    let mut story = Story::of_a_shop_that_stands();
    story.write("site/img/logo.svg", "<svg/>");
    story.write("site/app.4f9a1c2b.js", "console.log('new')\n");
    story.write("site/home.html", "<script src=app.4f9a1c2b.js></script>\n");
    std::fs::remove_file(story.path("site/app.js")).unwrap();
    story.tell("two files are new, home.html is changed, app.js is gone");
    story.meanwhile("a user uploads a report", |world| {
        world["buckets"]["shop-files"]["objects"]["report.pdf"] =
            serde_json::json!({"etag": "1", "size": 1});
    });
    story.run("apply --sandbox --yes");
    story.run("plan --sandbox --detailed-exitcode");
    insta::assert_snapshot!(story.transcript());
    let world = story.world();
    let served = |key: &str| {
        world["buckets"]["shop-files"]["headers"][key]["cache_control"].as_str().unwrap().to_owned()
    };
    assert_eq!(served("app.4f9a1c2b.js"), "public, max-age=31536000, immutable");
    assert_eq!(served("home.html"), "public, max-age=0, must-revalidate");
}

#[test]
fn many_files_are_told_in_short() {
    let mut story = Story::of_a_shop_that_stands();
    for number in 0..40 {
        story.write(&format!("site/photos/{number:02}.jpg"), &number.to_string());
    }
    story.run("plan --sandbox");
    insta::assert_snapshot!(story.transcript());
}

/// A build that failed leaves an empty folder.
#[test]
fn a_site_goes_only_where_it_was_said() {
    let mut story = Story::of_a_shop_that_stands();
    for file in ["home.html", "app.js"] {
        std::fs::remove_file(story.path("site").join(file)).unwrap();
    }
    story.tell("the folder is empty");
    assert_eq!(story.run("apply --sandbox --yes").code, 4);
    story.edit("provision.yaml", ", site: ./site", "");
    assert_eq!(story.run("apply --sandbox --yes").code, 4);
    story.run("apply --sandbox --yes --delete site");
    insta::assert_snapshot!(story.transcript());
}

/// Whether an object is under a page key is the switch, so no file may lie there by accident.
#[test]
fn a_file_under_a_page_key_is_refused() {
    let mut story = Story::of_a_shop_that_stands();
    story.write("site/maintenance-on.html", "the switch, by accident");
    assert_eq!(story.run("apply --sandbox --yes").code, 65);
    insta::assert_snapshot!(story.transcript());
}

#[test]
fn a_new_page_shows_in_an_open_window() {
    let mut story = Story::of_a_shop_that_stands();
    story.ask("maintenance on --sandbox");
    story.run("status --sandbox");
    story.edit("page.html", "soon", "very soon");
    story.run("apply --sandbox --yes");
    insta::assert_snapshot!(story.timeless());
}

/// Edges may hold the old bytes of a changed file for as long as the spec says.
#[test]
fn a_changed_file_that_edges_may_hold_is_invalidated() {
    let mut story = Story::of_a_shop();
    let kept = "site: ./site, headers: { \"*.svg\": { cache_control: \"max-age=3600\" } }";
    story.edit("provision.yaml", "site: ./site", kept);
    story.write("site/logo.svg", "<svg/>");
    let first = story.ask("apply --sandbox --yes");
    assert!(!first.out.contains("invalidation"), "nobody has a copy yet: {}", first.out);
    story.write("site/logo.svg", "<svg id='2'/>");
    story.write("site/index.html", "<h1>another</h1>");
    let plan = story.ask("plan --sandbox");
    assert!(plan.out.contains("drop cached copies of 1 path, wait until done"), "{}", plan.out);
    assert!(plan.out.contains("path  + /logo.svg"), "{}", plan.out);
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    assert!(story.ask("apply --sandbox --yes").out.contains("Nothing to do"));
}

/// S3 would take them, and no list could show them again; nothing is asked or written before.
#[cfg(unix)]
#[test]
fn files_that_no_list_can_show_are_all_refused_before_anything_is_asked() {
    let mut story = Story::of_a_shop();
    for name in ["a\u{1}b.html", "img/\u{1b}[2J.svg", "x\u{ffff}", "fine+100% ü.html"] {
        story.write(&format!("site/{name}"), "x");
    }
    for verb in ["plan --sandbox", "apply --sandbox --yes"] {
        assert_eq!(story.ask(verb).code, 65, "{verb}");
    }
    let answer = story.run("validate");
    assert!(!answer.err.contains(['\u{1}', '\u{1b}', '\u{ffff}']), "{:?}", answer.err);
    insta::assert_snapshot!(story.transcript());
    assert!(!story.path(".provision").exists());
}
