//! A distribution of another owner, who goes on working on it while we do.

use super::census::without_slots;
use super::cloudfront::{association, between, edit, read};
use super::matrix::is_whole;
use super::shop::FUNCTION;
use super::verbs::{self, Verb};
use super::yard::Yard;
use crate::support::{At, Moment};
use fastrand::Rng;
use std::process::Stdio;

/// Their next document.
fn edited(now: &str, rng: &mut Rng) -> String {
    let number = rng.u16(..);
    match rng.u8(..9) {
        0 => exchange(now, "<Comment>", "</Comment>", &format!("theirs &amp; {number}")),
        1 => exchange(now, "<Depth>", "</Depth>", &number.to_string()),
        2 => exchange(
            now,
            "<FutureSwitch>",
            "</FutureSwitch>",
            if number.is_multiple_of(2) { "on" } else { "off" },
        ),
        3 => exchange(now, "<HeaderValue>", "</HeaderValue>", &format!("secret-{number}")),
        4 => {
            let origin = between(now, "<Origin>", "</Origin>");
            let origin = exchange(origin, "<Id>", "</Id>", &format!("o{number}"));
            lengthened(now, "<Origins>", &format!("<Origin>{origin}</Origin>"))
        }
        5 => {
            let (_, behaviors) = now.split_once("<CacheBehaviors>").unwrap();
            let behavior = behaviors
                .split("</CacheBehavior>")
                .find(|one| one.contains("<PathPattern>/api/*<"))
                .unwrap();
            let (_, behavior) = behavior.split_once("<CacheBehavior>").unwrap();
            let behavior =
                exchange(behavior, "<PathPattern>", "</PathPattern>", &format!("/{number}/*"));
            let behavior = format!("<CacheBehavior>{behavior}</CacheBehavior>");
            lengthened(now, "<CacheBehaviors>", &behavior)
        }
        // What nobody knows yet, in a place of its own.
        6 => now.replacen(
            "<FutureSwitch>",
            &format!("<Future{number}><A b=\"c\">&lt;</A></Future{number}><FutureSwitch>"),
            1,
        ),
        _ => with_slot(now, rng),
    }
}

/// Puts their function into a slot that is not ours, or takes it out.
fn with_slot(now: &str, rng: &mut Rng) -> String {
    const LIST: [&str; 2] = ["<LambdaFunctionAssociations>", "</LambdaFunctionAssociations>"];
    let mark = *rng
        .choice(&["<DefaultCacheBehavior>", "<PathPattern>/app/*<", "<PathPattern>/api/*<"])
        .unwrap();
    let event = *rng.choice(&["origin-request", "origin-response", "viewer-response"]).unwrap();
    let (before, behavior) = now.split_at(now.find(mark).unwrap());
    let list = between(behavior, LIST[0], LIST[1]);
    let mut all: Vec<&str> = list
        .split_inclusive("</LambdaFunctionAssociation>")
        .filter_map(|one| one.find("<LambdaFunctionAssociation>").map(|at| &one[at..]))
        .collect();
    let others = all.len();
    all.retain(|one| !one.contains(event));
    let theirs = association("arn:aws:lambda:us-east-1:000000000000:function:theirs:1", event);
    if all.len() == others {
        all.push(&theirs);
    }
    let list = format!("<Quantity>{}</Quantity><Items>{}</Items>", all.len(), all.concat());
    let list = if all.is_empty() { "<Quantity>0</Quantity>".to_owned() } else { list };
    format!("{before}{}", exchange(behavior, LIST[0], LIST[1], &list))
}

fn exchange(text: &str, start: &str, end: &str, new: &str) -> String {
    text.replacen(
        &format!("{start}{}{end}", between(text, start, end)),
        &format!("{start}{new}{end}"),
        1,
    )
}

fn lengthened(text: &str, list: &str, item: &str) -> String {
    let (before, rest) = text.split_once(list).unwrap();
    let number: usize = between(rest, "<Quantity>", "</Quantity>").parse().unwrap();
    let rest = exchange(rest, "<Quantity>", "</Quantity>", &(number + 1).to_string()).replacen(
        "<Items>",
        &format!("<Items>{item}"),
        1,
    );
    format!("{before}{list}{rest}")
}

/// Another user at work.
struct Other<'a> {
    yard: &'a Yard,
    rng: Rng,
    /// What they wrote last, as CloudFront gives it back.
    wrote: String,
}

impl Other<'_> {
    fn works(&mut self) {
        let id = self.yard.theirs();
        for _ in 0..self.rng.usize(1..=3) {
            let now = read(&self.yard.shop, &id).body;
            edit(&self.yard.shop, &id, &now, &edited(&now, &mut self.rng));
            self.wrote = read(&self.yard.shop, &id).body;
        }
    }

    /// Runs the command, and works at one of its calls.
    fn works_during(&mut self, arguments: &str, at: At) -> Option<i32> {
        self.yard.ground().clear_calls();
        let held = self.yard.ground().hold(at, Moment::Before);
        let desk = self.yard.desk();
        let mut command = desk.command(arguments);
        let mut child =
            command.envs(self.yard.ground().environment()).stdout(Stdio::null()).spawn().unwrap();
        if held.wait_reached_unless(|| child.try_wait().unwrap().is_some()) {
            self.works();
        }
        held.release();
        self.yard.ground().clear_faults();
        child.wait().unwrap().code()
    }

    #[track_caller]
    fn finds_everything(&self, seed: u64) {
        let now = read(&self.yard.shop, &self.yard.theirs()).body;
        assert_eq!(
            without_slots(&now, FUNCTION),
            without_slots(&self.wrote, FUNCTION),
            "seed {seed}"
        );
    }
}

/// How many stories are told. Each is told by its number alone.
fn stories() -> u64 {
    if is_whole() { 60 } else { 6 }
}

#[tokio::test]
async fn what_somebody_else_wrote_last_stays() {
    let yard = Yard::new(Verb { name: "foreign work", ..verbs::APPLY_ATTACHED }).await;
    let mut moved_on = 0;
    for seed in 0..stories() {
        yard.begin().await;
        let mut other = Other { yard: &yard, rng: Rng::with_seed(seed), wrote: String::new() };
        other.works();
        for arguments in ["apply --yes", "destroy --yes"] {
            // Just before our write, where it hurts most; then anywhere.
            let mut places = vec![
                At::Operation("cloudfront:UpdateDistribution", 1),
                At::Call(other.rng.usize(1..50)),
            ];
            loop {
                let code = match places.pop() {
                    Some(at) => other.works_during(arguments, at),
                    None => yard.desk().run(yard.ground(), arguments).code,
                };
                other.finds_everything(seed);
                assert!(
                    matches!(code, Some(0 | 1 | 3)),
                    "{arguments} ended with {code:?}, seed {seed}"
                );
                moved_on += usize::from(code == Some(1));
                if code == Some(0) && places.is_empty() {
                    break;
                }
            }
            let ours = read(&yard.shop, &yard.theirs())
                .body
                .matches(&format!(":function:{FUNCTION}:"))
                .count();
            assert_eq!(
                ours,
                if arguments.starts_with("apply") { 2 } else { 0 },
                "{arguments}, seed {seed}"
            );
        }
        let all = yard.shop.everything().await;
        assert_eq!(all.len(), 7, "{all:?}, seed {seed}");
    }
    println!(
        "foreign work               stories {} | writes of ours that gave way {moved_on}",
        stories()
    );
    assert!(moved_on > 0, "nobody was ever in our way");
}
