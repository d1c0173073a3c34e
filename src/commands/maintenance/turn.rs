//! A turn from its plan to what holds at its end.

use super::status::{clock, judged, unknown};
use crate::apply::Outcome;
use crate::change::{Done, Fault, FaultKind};
use crate::cloud::Cloud;
use crate::plan::{self, Plan};
use crate::resource::page::turn::{Wanted, holds};
use crate::resource::page::{self, Look, Sides, window};
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::{Deadline, ENDED, WRITTEN};
use crate::stack::{Live, Op, Stack};
use crate::view::switch::{Ending, SwitchStatus};
use std::time::Duration;

/// Plans the turn, carries it out, and says what holds: from a fresh look, not from the answers to
/// what was written.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn turn(
    session: &Session,
    deadline: &Deadline,
    stack: &Stack,
    wanted: &Wanted,
    sides: Sides,
) -> Exit {
    let plan = plan::turn(stack, wanted, &sides);
    session.place.view.plan(&plan);
    let late = clock(sides.seen);
    let unknown = unknown(&sides, stack);
    let seen = Look { side: sides.on, seen: sides.seen };
    let (mut outcome, now) = if plan.is_empty() || !plan.can_apply() {
        (Outcome::default(), Ok(seen))
    } else {
        let outcome = carry_out(session, deadline, &plan, stack).await;
        let look = session.place.cloud.look(stack, &stack.names.keys.on);
        (outcome, deadline.answer(ENDED, look).await)
    };
    let ending = ending(&plan, wanted, stack, &outcome, now.as_ref().ok());
    if ending == Ending::Done {
        // Answers that were lost are no failures.
        let done = outcome.failed.drain(..).map(|(change, fault)| {
            let is_lost = fault.kind == FaultKind::Unreachable;
            let done = if is_lost { Done::Changed(String::new()) } else { Done::AlreadySo };
            (change, done)
        });
        outcome.done.extend(done);
    }
    let mut status = match &now {
        Ok(now) => judged(now.side.as_ref(), now.seen),
        Err(fault) => SwitchStatus {
            headline: format!("not known what visitors see: {fault}"),
            ..SwitchStatus::default()
        },
    };
    if let (Some(unknown), Ok(_)) = (unknown, &now) {
        status = unknown;
    }
    if let (Ending::Overtaken, Ok(now)) = (ending, &now) {
        status.notes.push(overtaken(now));
    }
    status.notes.extend(late);
    session.place.view.turned(&outcome, ending, &status, &session.place.flags);
    match ending {
        Ending::Done => Exit::Done,
        Ending::Overtaken | Ending::Failed => Exit::Failed,
        Ending::Refused => Exit::Refused,
        Ending::Interrupted => Exit::Interrupted,
    }
}

/// Carries out the plan. What has no answer in time counts as failed, though it may still come to
/// pass.
async fn carry_out(session: &Session, deadline: &Deadline, plan: &Plan, stack: &Stack) -> Outcome {
    let live = Live::default();
    let carried = async { Ok(session.place.carry_out(plan, stack, &live, Duration::ZERO).await.0) };
    let failed = |fault: Fault| {
        let fault = if fault.kind == FaultKind::Unreachable {
            fault.hinted(
                "the write may still arrive; `provision maintenance status` says what holds then",
            )
        } else {
            let tries = "AWS refused every try until the time was over";
            let hint = fault.hint.clone().unwrap_or_default();
            fault.hinted(format!("{tries}: {hint}"))
        };
        let changes = plan.steps.iter().map(|step| (step.op.change(), fault.clone()));
        Outcome { failed: changes.collect(), ..Outcome::default() }
    };
    deadline.answer(WRITTEN, carried).await.unwrap_or_else(failed)
}

fn ending(
    plan: &Plan,
    wanted: &Wanted,
    stack: &Stack,
    outcome: &Outcome,
    now: Option<&Look>,
) -> Ending {
    let ops: Vec<&page::Op> = plan
        .steps
        .iter()
        .filter_map(|step| if let Op::Page(op) = &step.op { Some(op) } else { None })
        .collect();
    let moved_on = outcome.failed.iter().any(|(_, fault)| fault.kind == FaultKind::MovedOn);
    match now {
        _ if !plan.can_apply() => Ending::Refused,
        Some(now) if holds(wanted, &stack.names.keys, &ops, now.side.as_ref()) => Ending::Done,
        _ if outcome.interrupted => Ending::Interrupted,
        // It was carried out, and is not so any more.
        Some(_) if moved_on || outcome.failed.is_empty() => Ending::Overtaken,
        _ => Ending::Failed,
    }
}

/// By whom.
fn overtaken(now: &Look) -> String {
    let Some(on) = &now.side else {
        return "overtaken: another user turned maintenance off meanwhile".into();
    };
    let said = |name: &str| on.metadata.get(name).map(String::as_str);
    let who = said(window::BY).unwrap_or("a user");
    let when = said(window::SINCE).map(|since| format!(" at {since}")).unwrap_or_default();
    format!("overtaken: {who} turned maintenance on{when}")
}
