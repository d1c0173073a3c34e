//! The switch on the wire: which calls it takes, and that nothing is lost when another user is at
//! the two keys too.

use super::shop::{BUCKET, OWNED, Ran, Shop, writes};
use crate::support::ledger::Call;
use crate::support::{At, Fault, Moment, Rules};
use aws_sdk_s3::primitives::ByteStream;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

const OFF: &str = "maintenance.html";
const ON: &str = "maintenance-on.html";

const LOOK: [&str; 3] = ["sts:GetCallerIdentity", "s3:GetObject", "s3:GetObject"];
const AGAIN: &str = "s3:GetObject";
const PUT: &str = "s3:PutObject";
const DELETE: &str = "s3:DeleteObject";

fn operations(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

/// Every object of the bucket with its bytes.
async fn objects(shop: &Shop) -> BTreeMap<String, String> {
    let s3 = &shop.aws.clients.s3;
    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let mut objects = BTreeMap::new();
    for key in listed.contents().iter().filter_map(|object| object.key()) {
        let bytes = s3
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap()
            .body
            .collect()
            .await
            .unwrap()
            .to_vec();
        objects.insert(key.to_owned(), String::from_utf8(bytes).unwrap());
    }
    objects
}

async fn upload(shop: &Shop, key: &str, text: &'static str) {
    shop.aws
        .clients
        .s3
        .put_object()
        .bucket(BUCKET)
        .key(key)
        .body(ByteStream::from_static(text.as_bytes()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_turn_takes_one_write_and_four_reads() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("closed.html", "<h1>closed today</h1>");
    let before = objects(&shop).await;
    for (arguments, write, left) in [
        ("on", Some(PUT), &[OFF, ON][..]),
        ("on", None, &[OFF, ON]),
        ("on --for 45m", Some(PUT), &[OFF, ON]),
        ("off", Some(DELETE), &[OFF]),
        ("off", None, &[OFF]),
        ("on --page closed.html", Some(PUT), &[OFF, ON]),
        ("on --until 2999-01-01T00:00:00Z", Some(PUT), &[OFF, ON]),
        ("off", Some(DELETE), &[OFF]),
        ("on --from 2999-01-01T00:00:00Z", Some(PUT), &[OFF, ON]),
        ("on --page closed.html", Some(PUT), &[OFF, ON]),
        ("off", Some(DELETE), &[OFF]),
    ] {
        let calls = shop.calls_of(&format!("maintenance {arguments}"), 0);
        let written = write.into_iter().flat_map(|write| [write, AGAIN]);
        assert_eq!(
            operations(&calls),
            LOOK.into_iter().chain(written).collect::<Vec<_>>(),
            "{arguments}"
        );
        let known = [OFF, ON].map(|key| format!("/{BUCKET}/{key}"));
        let paths: BTreeSet<&str> =
            calls[1..].iter().filter_map(|call| call.path.split('?').next()).collect();
        assert!(
            paths.iter().all(|path| known.iter().any(|known| known == path)),
            "{arguments}: {paths:?}"
        );
        let now = objects(&shop).await;
        let rest = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            all.iter()
                .filter(|(key, _)| *key != ON)
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect()
        };
        assert_eq!(rest(&now), rest(&before), "{arguments}");
        assert_eq!(
            [OFF, ON].into_iter().filter(|key| now.contains_key(*key)).collect::<Vec<_>>(),
            left,
            "{arguments}"
        );
    }
    assert_eq!(objects(&shop).await, before);
}

/// Where the site is takes a closer look, and is asked only for the link.
#[tokio::test]
async fn a_bypass_writes_no_more_than_a_turn() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    assert_eq!(writes(&shop.calls_of("maintenance on --bypass", 0)), [PUT]);
    let named = OWNED.replace(
        "comment: shop",
        "aliases: [shop.example.org], certificate: \
            \"arn:aws:acm:us-east-1:000000000000:certificate/1\"",
    );
    shop.write("provision.yaml", &named);
    let calls = shop.calls_of("maintenance on --bypass", 0);
    assert_eq!(
        operations(&calls),
        [&LOOK[..], &[PUT, AGAIN]].concat(),
        "the spec says where the site is"
    );
}

/// The wrong profile at two in the morning.
#[tokio::test]
async fn a_bucket_that_does_not_exist_is_no_switch_that_is_off() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    for verb in ["on", "off", "status"] {
        let ran = shop
            .run(&format!("maintenance {verb}"))
            .exits(4)
            .says(&format!("bucket {BUCKET} of stack `shop` does not exist for arn:"));
        let _ = ran.says("in account 000000000000");
    }
    shop.run("apply --yes").exits(0);
    let theirs = [("AWS_ACCESS_KEY_ID", "111122223333")];
    shop.run_with("maintenance off", &theirs)
        .exits(4)
        .says("bucket shop-111122223333 of stack `shop` does not exist");
    shop.write(
        "provision.yaml",
        &OWNED.replace("bucket: {", &format!("bucket: {{ name: {BUCKET},")),
    );
    for verb in ["on", "off", "status"] {
        let ran = shop
            .run_with(&format!("maintenance {verb}"), &theirs)
            .exits(1)
            .says("not known what visitors see");
        let _ = ran.says("in account 111122223333)");
    }
}

#[tokio::test]
async fn windows_are_counted_by_the_clock_of_s3() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.rules(|rules| rules.clock_ahead = Some(Duration::from_mins(14)));
    let slow = "this machine's clock is 14 minutes slow; windows are counted by S3's";
    drop(
        shop.run("maintenance on --for 10m")
            .exits(0)
            .says("visitors see the maintenance page until")
            .says(slow),
    );
    drop(
        shop.run("maintenance status")
            .exits(0)
            .says("visitors see the maintenance page until")
            .says(slow),
    );
    drop(shop.run("status --json").exits(0).says("\"switch\":\"on\""));
    shop.ground.rules(|rules| rules.clock_ahead = Some(Duration::from_mins(30)));
    drop(
        shop.run("maintenance status").exits(0).says("visitors see the site; the window ended at"),
    );
    drop(shop.run("status --json").exits(0).says("\"switch\":\"over\""));
}

/// Runs a turn; just before one of its calls, `meanwhile` happens.
fn overtaken(shop: &Shop, arguments: &str, call: &'static str, meanwhile: &[&str]) -> Ran {
    shop.ground.clear_calls();
    let held = shop.ground.hold(At::Operation(call, 1), Moment::Before);
    let mut child =
        shop.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(
        held.wait_reached_unless(|| child.try_wait().unwrap().is_some()),
        "{arguments} came to no {call}"
    );
    for arguments in meanwhile {
        drop(shop.run(arguments).exits(0));
    }
    held.release();
    Ran::new(arguments, &child.wait_with_output().unwrap())
}

/// Another turn runs whole while the write of the first is on its way.
#[tokio::test]
async fn a_late_write_of_one_turn_does_not_undo_another() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("closed.html", CLOSED);
    let (site, page) = ("visitors see the site", "visitors see the maintenance page");
    let by = "overtaken: arn:";
    for (history, arguments, call, meanwhile, code, now, told) in [
        (
            "on",
            "maintenance off",
            DELETE,
            &["maintenance off", "maintenance on --for 45m"][..],
            1,
            page,
            by,
        ),
        ("on", "maintenance off", DELETE, &["maintenance on --for 45m"], 1, page, by),
        ("on", "maintenance off", DELETE, &["maintenance off"], 0, site, "Done: "),
        ("off", "maintenance on", PUT, &["maintenance on --for 45m"], 1, page, by),
        ("off", "maintenance on --page closed.html", PUT, &["maintenance on"], 1, page, by),
        (
            "on",
            "maintenance on --for 45m",
            PUT,
            &["maintenance off"],
            1,
            site,
            "overtaken: another user turned maintenance off meanwhile",
        ),
        (
            "on",
            "maintenance on --for 45m",
            PUT,
            &["maintenance off", "maintenance on"],
            1,
            page,
            by,
        ),
    ] {
        drop(shop.run("maintenance off").exits(0));
        drop(shop.run(&format!("maintenance {history}")).exits(0));
        let ran = overtaken(&shop, arguments, call, meanwhile);
        assert_eq!(ran.code, Some(code), "{history}, {arguments}, {meanwhile:?}: {}", ran.said);
        drop(ran.says(now).says(told));
        drop(shop.run("maintenance status").says(now));
        assert!(objects(&shop).await.contains_key(OFF), "{history}, {arguments}, {meanwhile:?}");
    }
}

/// What holds at the end is said, whatever became of the answers.
#[tokio::test]
async fn a_turn_says_what_is_so_and_not_what_was_answered() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let (site, page) = ("visitors see the site", "visitors see the maintenance page");
    for (at, fault, arguments, code, says) in [
        (At::Operation(PUT, 1), Fault::ReplyLost, "on --for 45m", 0, page),
        (At::Every(DELETE), Fault::Denied, "off", 1, page),
        (At::Operation(DELETE, 1), Fault::ReplyLost, "off", 0, site),
        (At::Every(PUT), Fault::Denied, "on", 1, site),
        (At::Operation(AGAIN, 3), Fault::Denied, "on", 1, "not known what visitors see"),
        (At::Every(DELETE), Fault::ReplyLost, "off", 0, site),
        (At::Every(AGAIN), Fault::Denied, "on", 1, "not known what visitors see"),
    ] {
        shop.ground.clear_calls();
        shop.ground.fault(at, fault);
        drop(shop.run(&format!("maintenance {arguments}")).exits(code).says(says));
        shop.ground.clear_faults();
    }
}

/// S3 that answers all the time and refuses is not silent.
#[tokio::test]
async fn a_turn_that_s3_refuses_until_its_end_tells_why() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every(PUT), Fault::Throttled);
    let ran = shop.run("maintenance on").exits(1).says("Failed: visitors see the site");
    let ran = ran.says("Please reduce your request rate.").says("code SlowDown, request ");
    let ran = ran.says("AWS refused every try");
    assert!(!ran.said.contains("no answer") && !ran.said.contains("arrive"), "{}", ran.said);
}

/// How long, as a line says it.
fn waited(line: &str) -> &str {
    line.rsplit_once('[').map_or(line, |(_, time)| time)
}

/// Nobody waits for minutes; but for two attempts of ten seconds each, so that this is the slowest
/// test here.
#[tokio::test]
async fn a_turn_ends_although_s3_hangs() {
    // Two keys are looked at side by side.
    let rows = [
        (AGAIN, "GetObject", 4, "not known what visitors see"),
        (PUT, "PutObject", 2, "Failed: visitors see the site"),
    ];
    let shops =
        [Shop::applied(OWNED, Rules::prompt()).await, Shop::applied(OWNED, Rules::prompt()).await];
    std::thread::scope(|scope| {
        for ((operation, name, attempts, says), shop) in rows.into_iter().zip(&shops) {
            scope.spawn(move || {
                shop.ground.clear_calls();
                shop.ground.fault(At::Every(operation), Fault::Hang);
                let ran = shop.run("maintenance on").exits(1).says(says);
                let ran = ran.says(&format!("still waiting for S3 {name} at 127.0.0.1"));
                let ran = ran.says("there was no answer within 20 seconds");
                let lines: Vec<_> =
                    ran.said.lines().filter(|line| line.contains("still waiting")).collect();
                let once: BTreeSet<_> = lines.iter().map(|line| waited(line)).collect();
                assert_eq!(lines.len(), once.len(), "{}", ran.said);
                assert_eq!(shop.ground.count(operation), attempts);
            });
        }
    });
}

/// Runs a turn; just before one of its calls, another user uploads something under one of the
/// keys.
async fn disturbed(
    shop: &Shop,
    arguments: &str,
    call: &'static str,
    key: &str,
    text: &'static str,
) -> Ran {
    shop.ground.clear_calls();
    let held = shop.ground.hold(At::Operation(call, 1), Moment::Before);
    let mut child =
        shop.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(
        held.wait_reached_unless(|| child.try_wait().unwrap().is_some()),
        "{arguments} came to no {call}"
    );
    upload(shop, key, text).await;
    held.release();
    Ran::new(arguments, &child.wait_with_output().unwrap())
}

const THEIRS: &str = "<h1>theirs</h1>";
const CLOSED: &str = "<h1>closed today</h1>";

#[tokio::test]
async fn what_somebody_else_uploads_meanwhile_is_not_lost() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("closed.html", CLOSED);
    for (history, arguments, call, key, text) in [
        ("off", "maintenance on", PUT, ON, THEIRS),
        ("on", "maintenance on --for 45m", PUT, ON, THEIRS),
        ("on", "maintenance off", DELETE, ON, THEIRS),
        ("off", "maintenance on --page closed.html", PUT, ON, THEIRS),
        // The same page, but not the same window.
        ("off", "maintenance on --page closed.html", PUT, ON, CLOSED),
        ("on", "maintenance on --page closed.html", PUT, ON, THEIRS),
        ("on", "apply --yes", PUT, OFF, THEIRS),
        ("on", "apply --yes", PUT, ON, THEIRS),
    ] {
        let told = format!("{history}, then {arguments}, at {call} a user uploads {key}");
        drop(shop.run("maintenance off"));
        drop(shop.run("apply --yes --adopt page").exits(0));
        drop(shop.run(&format!("maintenance {history}")).exits(0));
        if arguments.starts_with("apply") {
            shop.write("page.html", &format!("<h1>back very soon</h1>{key}"));
        }
        let ran = disturbed(&shop, arguments, call, key, text).await;
        assert_eq!(ran.code, Some(1), "{told}: {}", ran.said);
        drop(ran.says("another user changed it in the meantime"));
        assert_eq!(objects(&shop).await[key], text, "{told}");
    }
}

#[tokio::test]
async fn a_page_that_was_renamed_by_hand_is_healed_by_the_next_turn() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let before = objects(&shop).await;
    for (line, left) in [
        ("maintenance on --for 45m", vec![OFF, ON]),
        ("maintenance off", vec![OFF]),
        ("apply --yes", vec![OFF, ON]),
    ] {
        shop.aws.clients.s3.delete_object().bucket(BUCKET).key(OFF).send().await.unwrap();
        upload(&shop, ON, "<h1>back soon</h1>").await;
        drop(
            shop.run("maintenance status")
                .exits(0)
                .says("visitors see the maintenance page")
                .says("put by hand"),
        );
        drop(shop.run(line).exits(0));
        let now = objects(&shop).await;
        assert_eq!(
            [OFF, ON].into_iter().filter(|key| now.contains_key(*key)).collect::<Vec<_>>(),
            left,
            "{line}"
        );
        assert_eq!(now[OFF], before[OFF]);
    }
}
