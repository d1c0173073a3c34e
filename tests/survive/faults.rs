//! One call goes wrong; most runs do not even notice.

use super::desk::Ran;
use super::matrix::{Row, name, sampled};
use super::verbs::{self, Verb};
use super::yard::Yard;
use crate::support::{At, Fault};
use serde_json::Value;
use std::collections::BTreeSet;

/// What goes away by itself.
const PASSING: &[Fault] =
    &[Fault::ReplyLost, Fault::Throttled, Fault::Status(500), Fault::Status(503), Fault::Reset];

/// What no second try would change.
const FINAL: &[Fault] = &[Fault::Denied, Fault::ExpiredCredentials];

async fn survives(verb: Verb, faults: &[Fault], nth: usize) {
    let mut row = Row::new(verb.name, &["calls", "faults", "unnoticed", "second run", "converged"]);
    let yard = Yard::new(verb).await;
    yard.begin().await;
    let first = yard.run();
    assert!(matches!(first.code, Some(0 | 3)), "undisturbed, it said:\n{}", first.said);
    let calls = yard.ground().calls().len();
    row.add("calls", calls);
    yard.run_until_done().unwrap();
    let expected = yard.census().await;
    let grid = (1..=calls).flat_map(|number| faults.iter().map(move |fault| (number, *fault)));
    for (number, fault) in sampled(grid, nth) {
        yard.begin().await;
        yard.ground().fault(At::Call(number), fault);
        let ran = yard.run();
        yard.ground().clear_faults();
        let operation = name(&yard.ground().calls(), number);
        let cell = format!("{fault:?} at call {number} ({operation})");
        row.add("faults", 1);
        let healed = if ran.code == first.code {
            row.add("unnoticed", 1);
            yard.run_until_done().map(drop)
        } else {
            row.add("second run", 1);
            // While a deployment is awaited, what was to be done is done.
            let is_pending = fault == Fault::ExpiredCredentials
                && ran.code == Some(3)
                && ran.said.contains("meanwhile the credentials have ended");
            let is_told = ran.code == Some(1) || is_pending;
            yard.run_until_done().and_then(|again| {
                if is_told { is_true(&ran, &again[0]) } else { Err(ran.said.clone()) }
            })
        };
        let ended = match healed {
            // A region that refuses a look at its log groups is named; what it holds stays there.
            Ok(()) if fault == Fault::Denied && operation == "logs:DescribeLogGroups" => {
                let told = ran.plan().is_some_and(|plan| {
                    plan["notices"].to_string().contains("could not look for log group")
                });
                told.then_some(()).ok_or_else(|| ran.said.clone())
            }
            Ok(()) => Some(expected.differences(&yard.census().await))
                .filter(|text| !text.is_empty())
                .map_or(Ok(()), Err),
            Err(why) => Err(why),
        };
        row.note(&cell, ended);
    }
    row.show();
}

/// Every step of the plan is accounted for; what was done is not planned again, and what was not
/// begun is.
pub(crate) fn is_true(ran: &Ran, next: &Ran) -> Result<(), String> {
    let Some(outcome) = ran.outcome() else {
        return if ran.error().is_some() {
            Ok(())
        } else {
            Err(format!("no outcome and no error: {}", ran.said))
        };
    };
    let empty = Vec::new();
    let list = |document: &Value, part: &str| document[part].as_array().unwrap_or(&empty).clone();
    let parts = ["done", "deferred", "failed", "not_started"].map(|part| list(outcome, part));
    let planned = ran.plan().map(|plan| list(plan, "changes")).unwrap_or_default();
    if parts.iter().map(Vec::len).sum::<usize>() != planned.len() {
        return Err(format!(
            "{} steps were planned, and this became of them: {outcome}",
            planned.len()
        ));
    }
    let writes = |change: &&Value| change["action"] != "await";
    let exactly = |change: &Value| {
        format!("{} {} {}", change["address"], change["action"], change["summary"])
    };
    let roughly = |change: &Value| format!("{} {}", change["address"]["kind"], change["action"]);
    let done: BTreeSet<String> = ["changed", "already-so"]
        .iter()
        .flat_map(|state| ran.steps(state))
        .filter(writes)
        .map(exactly)
        .collect();
    let [.., not_started] = &parts;
    let next_plan = next.plan().map(|plan| list(plan, "changes")).unwrap_or_default();
    let repeated: Vec<String> =
        next_plan.iter().map(exactly).filter(|change| done.contains(change)).collect();
    let again: BTreeSet<String> = next_plan.iter().map(roughly).collect();
    // A new bucket is private by itself; we only make sure.
    let is_default = |change: &str| change == "\"bucket\" \"update\"";
    let missing = |change: &String| !again.contains(change) && !is_default(change);
    let forgotten: Vec<String> =
        not_started.iter().filter(writes).map(roughly).filter(missing).collect();
    if repeated.is_empty() && forgotten.is_empty() {
        return Ok(());
    }
    Err(format!(
        "done and planned again: {repeated:?}; not begun and not planned: {forgotten:?}\n{}\n{}",
        ran.said, next.said
    ))
}

#[tokio::test]
async fn a_fault_in_apply_is_healed() {
    survives(verbs::APPLY, PASSING, 23).await;
}

#[tokio::test]
async fn a_fault_in_apply_in_a_foreign_distribution_is_healed() {
    survives(verbs::APPLY_ATTACHED, PASSING, 23).await;
}

#[tokio::test]
async fn a_fault_in_a_change_is_healed() {
    survives(verbs::CHANGE, PASSING, 23).await;
}

#[tokio::test]
async fn a_fault_in_turning_on_is_healed() {
    survives(verbs::TURN_ON, PASSING, 8).await;
}

#[tokio::test]
async fn a_fault_in_turning_off_is_healed() {
    survives(verbs::TURN_OFF, PASSING, 8).await;
}

#[tokio::test]
async fn a_fault_in_destroy_is_healed() {
    survives(verbs::DESTROY, PASSING, 23).await;
}

#[tokio::test]
async fn a_fault_in_destroy_in_a_foreign_distribution_is_healed() {
    survives(verbs::DESTROY_ATTACHED, PASSING, 23).await;
}

#[tokio::test]
async fn a_refusal_in_apply_is_told_and_healed() {
    survives(Verb { name: "apply, refused", ..verbs::APPLY }, FINAL, 17).await;
}

#[tokio::test]
async fn a_refusal_in_a_change_in_a_foreign_distribution_is_told_and_healed() {
    survives(Verb { name: "change, attached, refused", ..verbs::CHANGE_ATTACHED }, FINAL, 17).await;
}

#[tokio::test]
async fn a_refusal_in_destroy_is_told_and_healed() {
    survives(Verb { name: "destroy, refused", ..verbs::DESTROY }, FINAL, 17).await;
}
