//! Many at the same time, who do not know of each other.

use super::desk::{Desk, Ran};
use super::matrix::{Row, name, sampled};
use super::shop::writes;
use super::signals::signal;
use super::verbs::{self, Verb};
use super::yard::Yard;
use crate::support::{At, Ground, Held, Moment};
use std::process::{Child, Stdio};

const MANY: usize = 8;

fn start(desk: &Desk, ground: &Ground, arguments: &str) -> Child {
    desk.command(arguments)
        .envs(ground.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the same command in all folders; all of them come to `operation` before one of them is let
/// through.
fn run_together(
    desks: &[&Desk],
    ground: &Ground,
    arguments: &str,
    operation: &'static str,
) -> Vec<Ran> {
    ground.clear_calls();
    let held: Vec<_> = (1..=desks.len())
        .map(|number| ground.hold(At::Operation(operation, number), Moment::Before))
        .collect();
    let mut children: Vec<Child> =
        desks.iter().map(|desk| start(desk, ground, arguments)).collect();
    for one in &held {
        let all_came = one.wait_reached_unless(|| {
            children.iter_mut().any(|child| child.try_wait().unwrap().is_some())
        });
        assert!(all_came, "one of them ended before {operation}");
    }
    held.into_iter().for_each(Held::release);
    children.into_iter().map(|child| Ran::new(&child.wait_with_output().unwrap())).collect()
}

/// Done, or lost with a clear word on what to do.
#[track_caller]
fn ended_well(ran: &Ran) {
    let hinted = match ran.code {
        Some(0 | 3 | 130) => true,
        Some(1) => ran
            .error()
            .into_iter()
            .map(|error| &error["fault"])
            .chain(failures(ran))
            .all(|fault| fault["hint"].is_string()),
        Some(4) => ran.plan().is_some_and(|plan| {
            plan["conflicts"].as_array().unwrap().iter().all(|one| one["hint"].is_string())
        }),
        _ => false,
    };
    assert!(hinted, "it ended with {:?}:\n{}", ran.code, ran.said);
}

fn failures(ran: &Ran) -> impl Iterator<Item = &serde_json::Value> {
    ran.outcome()
        .and_then(|outcome| outcome["failed"].as_array())
        .into_iter()
        .flatten()
        .map(|failed| &failed["fault"])
}

/// A further apply has nothing to do.
fn is_settled(yard: &Yard, desk: &Desk) {
    yard.ground().clear_calls();
    drop(desk.run(yard.ground(), "apply --yes").exits(0));
    assert_eq!(writes(&yard.ground().calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn eight_applies_of_one_spec_are_one_apply() {
    for (verb, operation) in
        [(verbs::APPLY, "s3:CreateBucket"), (verbs::CHANGE, "lambda:UpdateFunctionCode")]
    {
        let yard = Yard::new(verb).await;
        yard.begin().await;
        yard.run_until_done().unwrap();
        let expected = yard.census().await;
        yard.begin().await;
        let desk = yard.desk();
        let all = run_together(&[&*desk; MANY], yard.ground(), "apply --yes", operation);
        all.iter().for_each(ended_well);
        let codes: Vec<_> = all.iter().map(|ran| ran.code.unwrap()).collect();
        println!("{:<26} eight at once ended with {codes:?}", yard.verb.name);
        assert!(codes.contains(&0), "nobody got through: {}", all[0].said);
        is_settled(&yard, &desk);
        assert_eq!(expected.differences(&yard.census().await), "");
    }
}

#[tokio::test]
async fn eight_applies_of_two_specs_leave_one_of_each() {
    let yard = Yard::new(Verb { name: "apply, two specs", ..verbs::APPLY }).await;
    yard.begin().await;
    let one = yard.desk();
    let other = Desk::new(
        &super::shop::OWNED
            .replace("comment: shop", "comment: the other shop")
            .replace("memory: 128", "memory: 192"),
    );
    other.write("edge.py", "def handler(event, context):\n    return None\n");
    other.write("site/style.css", "h1 { color: tomato }");
    let desks: Vec<&Desk> =
        (0..MANY).map(|number| if number % 2 == 0 { &*one } else { &other }).collect();
    let all = run_together(&desks, yard.ground(), "apply --yes", "s3:CreateBucket");
    all.iter().for_each(ended_well);
    println!(
        "{:<26} eight at once ended with {:?}",
        yard.verb.name,
        all.iter().map(|ran| ran.code.unwrap()).collect::<Vec<_>>()
    );
    for desk in [&*one, &other] {
        drop(desk.run(yard.ground(), "apply --yes").exits(0));
        is_settled(&yard, desk);
        let kinds =
            |kind: &str, all: &[String]| all.iter().filter(|name| name.starts_with(kind)).count();
        let all = yard.shop.everything().await;
        // One of each is another owner's.
        assert_eq!(
            ["bucket", "role", "function", "access", "distribution"].map(|kind| kinds(kind, &all)),
            [2; 5],
            "{all:?}"
        );
    }
}

/// What is tried so often is waited for in vain, for what the other has taken away or uses.
const TOO_OFTEN: [(&str, usize); 3] = [
    ("lambda:CreateFunction", 5),
    ("cloudfront:CreateDistributionWithTags", 5),
    ("cloudfront:DeleteOriginAccessControl", 5),
];

/// Waits for the end; whoever waits in vain is asked to stop.
fn end(mut child: Child, stuck: [Held; 3]) -> Ran {
    let mut stuck = Vec::from(stuck);
    while child.try_wait().unwrap().is_none() {
        if let Some(index) = stuck.iter().position(|one| one.wait_reached_unless(|| true)) {
            signal(&child, "TERM");
            stuck.swap_remove(index).release();
        }
    }
    Ran::new(&child.wait_with_output().unwrap())
}

/// At every call of the one, the other runs from its beginning to its end; a destroy afterwards
/// leaves nothing.
async fn meets(verb: Verb, other: &str, nth: usize) {
    let mut row = Row::new(verb.name, &["calls", "meetings", "too late", "converged"]);
    let yard = Yard::new(verb).await;
    yard.begin().await;
    drop(yard.run().exits(0));
    let calls = yard.ground().calls().len();
    row.add("calls", calls);
    let desk = yard.desk();
    drop(desk.run(yard.ground(), "destroy --yes").exits(0));
    let nothing = yard.census().await;
    for number in sampled(1..=calls, nth) {
        yard.begin().await;
        let desk = yard.desk();
        let held = yard.ground().hold(At::Call(number), Moment::Before);
        let mut child = start(&desk, yard.ground(), yard.verb.arguments);
        let is_reached = held.wait_reached_unless(|| child.try_wait().unwrap().is_some());
        row.add(if is_reached { "meetings" } else { "too late" }, 1);
        let cell = format!("{other} at call {number} ({})", name(&yard.ground().calls(), number));
        ended_well(&desk.run(yard.ground(), other));
        let stuck = TOO_OFTEN.map(|(operation, number)| {
            yard.ground().hold(At::Operation(operation, number), Moment::Before)
        });
        held.release();
        ended_well(&end(child, stuck));
        yard.ground().clear_faults();
        let last = desk.run(yard.ground(), "destroy --yes");
        let ended = match last.code {
            Some(0) => Some(nothing.differences(&yard.census().await))
                .filter(|text| !text.is_empty())
                .map_or(Ok(()), Err),
            code => Err(format!("the last destroy ended with {code:?}:\n{}", last.said)),
        };
        row.note(&cell, ended);
    }
    row.show();
}

#[tokio::test]
async fn an_apply_that_meets_a_destroy_leaves_nothing_unfindable() {
    meets(Verb { name: "apply meets destroy", ..verbs::APPLY }, "destroy --yes", 6).await;
}

#[tokio::test]
async fn a_destroy_that_meets_an_apply_leaves_nothing_unfindable() {
    meets(Verb { name: "destroy meets apply", ..verbs::DESTROY }, "apply --yes", 6).await;
}
