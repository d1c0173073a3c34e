//! The switch on the wire: which calls it takes, and that nothing is lost when somebody else is at the two keys too.

use super::shop::{BUCKET, OWNED, Ran, Shop, writes};
use crate::support::ledger::Call;
use crate::support::{At, Fault, Moment, Rules};
use aws_sdk_s3::primitives::ByteStream;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

const OFF: &str = "maintenance.html";
const ON: &str = "maintenance-on.html";

const LOOK: [&str; 3] = ["sts:GetCallerIdentity", "s3:HeadObject", "s3:HeadObject"];
const COPY: &str = "s3:CopyObject";
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
        let bytes = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap().body.collect().await.unwrap().to_vec();
        objects.insert(key.to_owned(), String::from_utf8(bytes).unwrap());
    }
    objects
}

async fn upload(shop: &Shop, key: &str, text: &'static str) {
    shop.aws.clients.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(text.as_bytes())).send().await.unwrap();
}

#[tokio::test]
async fn a_turn_takes_a_look_and_two_calls() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.write("closed.html", "<h1>closed today</h1>");
    let before = objects(&shop).await;
    for (arguments, changes, moved) in [
        ("on", &[COPY, DELETE][..], &[ON][..]),
        ("on", &[], &[ON]),
        ("status", &[], &[ON]),
        ("on --for 45m", &[COPY], &[ON]),
        ("off", &[COPY, DELETE], &[OFF]),
        ("off", &[], &[OFF]),
        ("on --page closed.html", &[PUT], &[OFF, ON]),
        ("on --until 2999-01-01T00:00:00Z", &[COPY], &[OFF, ON]),
        ("off", &[DELETE], &[OFF]),
        ("on", &[COPY, DELETE], &[ON]),
        ("on --page closed.html", &[COPY, PUT], &[OFF, ON]),
        ("off", &[DELETE], &[OFF]),
    ] {
        let calls = shop.calls_of(&format!("maintenance {arguments}"), 0);
        assert_eq!(operations(&calls), [&LOOK, changes].concat(), "{arguments}");
        let known = [OFF, ON].map(|key| format!("/{BUCKET}/{key}"));
        let paths: BTreeSet<&str> = calls[1..].iter().filter_map(|call| call.path.split('?').next()).collect();
        assert!(paths.iter().all(|path| known.iter().any(|known| known == path)), "{arguments}: {paths:?}");
        let now = objects(&shop).await;
        let rest = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            all.iter().filter(|(key, _)| *key != OFF && *key != ON).map(|(key, text)| (key.clone(), text.clone())).collect()
        };
        assert_eq!(rest(&now), rest(&before), "{arguments}");
        assert_eq!([OFF, ON].into_iter().filter(|key| now.contains_key(*key)).collect::<Vec<_>>(), moved, "{arguments}");
    }
    assert_eq!(objects(&shop).await, before);
}

/// Where the site is takes a closer look, and is asked only for the link.
#[tokio::test]
async fn a_bypass_writes_no_more_than_a_turn() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    assert_eq!(writes(&shop.calls_of("maintenance on --bypass", 0)), [COPY, DELETE]);
    let named =
        OWNED.replace("comment: shop", "aliases: [shop.example.org], certificate: \"arn:aws:acm:us-east-1:000000000000:certificate/1\"");
    shop.write("provision.yaml", &named);
    assert_eq!(operations(&shop.calls_of("maintenance on --bypass", 0)), [&LOOK[..], &[COPY]].concat(), "the spec says where the site is");
}

/// Runs a turn; just before one of its calls, somebody else uploads something under one of the keys.
async fn disturbed(shop: &Shop, arguments: &str, call: &'static str, key: &str, text: &'static str) -> Ran {
    shop.ground.clear_calls();
    let held = shop.ground.hold(At::Operation(call, 1), Moment::Before);
    let mut child = shop.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(held.wait_reached_unless(|| child.try_wait().unwrap().is_some()), "{arguments} came to no {call}");
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
        ("off", "maintenance on", COPY, OFF, THEIRS),
        ("off", "maintenance on", COPY, ON, THEIRS),
        ("off", "maintenance on", DELETE, OFF, THEIRS),
        ("on", "maintenance on --for 45m", COPY, ON, THEIRS),
        ("on", "maintenance off", COPY, ON, THEIRS),
        ("on", "maintenance off", COPY, OFF, THEIRS),
        ("on", "maintenance off", DELETE, ON, THEIRS),
        ("off", "maintenance on --page closed.html", PUT, ON, THEIRS),
        // The same page, but not the same window.
        ("off", "maintenance on --page closed.html", PUT, ON, CLOSED),
        ("on", "maintenance on --page closed.html", PUT, ON, THEIRS),
        ("on", "apply --yes", PUT, ON, THEIRS),
    ] {
        let told = format!("{history}, then {arguments}, at {call} somebody uploads {key}");
        for key in [OFF, ON] {
            shop.aws.clients.s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
        }
        shop.run("apply --yes").exits(0);
        shop.run(&format!("maintenance {history}")).exits(0);
        if arguments.starts_with("apply") {
            shop.write("page.html", "<h1>back very soon</h1>");
        }
        let ran = disturbed(&shop, arguments, call, key, text).await;
        assert_eq!(ran.code, Some(1), "{told}: {}", ran.said);
        let _ = ran.says("hint: somebody else changed it in the meantime");
        assert_eq!(objects(&shop).await[key], text, "{told}");
    }
}

#[tokio::test]
async fn a_turn_that_failed_goes_on_with_the_same_command() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every(DELETE), Fault::Denied);
    shop.run("maintenance on --for 45m").exits(1).says("code AccessDenied").says("hint: run the same command again: it goes on from here");
    shop.ground.clear_faults();
    shop.run("maintenance status").exits(0).says("the page lies under both keys: an earlier turn was interrupted");
    let calls = shop.calls_of("maintenance on --until 2999-01-01T00:00:00Z", 0);
    assert_eq!(operations(&calls), [&LOOK[..], &[COPY, DELETE]].concat());
    shop.run("maintenance status").exits(0).says("2999-01-01");
    assert!(!objects(&shop).await.contains_key(OFF));
}
