//! A turn from its plan to what holds at its end.

use super::status::{clock, judged, unknown};
use crate::apply::Outcome;
use crate::aws::wait::passes;
use crate::change::{Address, Done, Fault, FaultKind, Kind};
use crate::cloud::Cloud;
use crate::plan::{self, Plan};
use crate::resource::page::turn::{Wanted, holds};
use crate::resource::page::{self, Look, Side, Sides, window};
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::{Deadline, ENDED, WRITTEN};
use crate::stack::{Live, Op, Stack};
use crate::view::switch::{Ending, SwitchStatus};
use std::time::Duration;

/// Plans the turn, carries it out, and says what holds: from a fresh look, not from the answers to
/// what was written. `written` happens as soon as something may have been written.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn turn(
    session: &Session,
    deadline: &Deadline,
    stack: &Stack,
    wanted: &Wanted,
    sides: Sides,
    written: impl Future<Output = ()>,
) -> Exit {
    let plan = plan::turn(stack, wanted, &sides);
    session.place.view.plan(&plan);
    let late = clock(sides.seen);
    let unknown = unknown(&sides, stack);
    let before = sides.on.clone();
    let seen = Look { side: sides.on, seen: sides.seen };
    let (mut outcome, now) = if plan.is_empty() || !plan.can_apply() {
        (Outcome::default(), Ok(seen))
    } else {
        let mut outcome = carry_out(session, deadline, &plan, stack).await;
        let is_written = may_be_written(&outcome);
        let written = async {
            if is_written {
                written.await;
            }
        };
        let (now, ()) = tokio::join!(look_again(session, deadline, stack), written);
        outcome.interrupted |= *session.place.stop.borrow();
        (outcome, now)
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
        Err(fault) => unseen(&outcome, wanted, stack, fault),
    };
    if let (Some(unknown), Ok(_)) = (unknown, &now) {
        status = unknown;
    }
    if has_no_answer(&outcome) {
        status.headline.push_str("; a write of this turn has no answer");
    }
    if let (Ending::Overtaken, Ok(now)) = (ending, &now) {
        status.notes.push(overtaken(before.as_ref(), now));
    }
    status.notes.extend(late);
    session.place.view.turned(&outcome, ending, &status, &session.place.flags);
    match ending {
        Ending::Done => Exit::Done,
        Ending::Overtaken | Ending::Written | Ending::Failed => Exit::Failed,
        Ending::Refused => Exit::Refused,
        Ending::Interrupted => Exit::Interrupted,
    }
}

/// Looks at what holds. Who stops a write wants to know that, who stops the look does not.
async fn look_again(session: &Session, deadline: &Deadline, stack: &Stack) -> Result<Look, Fault> {
    let key = &stack.names.keys.on;
    let look = deadline.answer(ENDED, session.place.cloud.look(stack, key));
    let mut stop = session.place.stop.clone();
    let has_stopped = *stop.borrow();
    tokio::select! {
        looked = look => looked,
        Ok(_) = stop.wait_for(|stop| *stop), if !has_stopped => {
            Err(Fault::new(FaultKind::Local, format!("read object {key}"), "it was stopped"))
        }
    }
}

/// Is there something that was written, or of which nobody knows?
fn may_be_written(outcome: &Outcome) -> bool {
    !outcome.done.is_empty() || outcome.failed.iter().any(|(_, fault)| passes(fault.kind))
}

fn has_no_answer(outcome: &Outcome) -> bool {
    outcome.failed.iter().any(|(_, fault)| fault.kind == FaultKind::Unreachable)
}

/// What is known where nobody could see what holds: what was done.
fn unseen(outcome: &Outcome, wanted: &Wanted, stack: &Stack, fault: &Fault) -> SwitchStatus {
    let switch = Address::new(Kind::Page, &stack.names.keys.on);
    let done = match wanted {
        _ if outcome.done.iter().all(|(change, _)| change.address != switch) => "",
        Wanted::On(_) => "the page was put, and it is ",
        Wanted::Off { .. } => "the page was removed, and it is ",
    };
    let fault = fault.to_string();
    let why = fault.trim_end_matches('.');
    let headline = format!("{done}not known what visitors see: {why}");
    SwitchStatus { headline, ..SwitchStatus::default() }
}

/// Carries out the plan. What has no answer, in time or at all, counts as failed, though it may
/// still come to pass.
async fn carry_out(session: &Session, deadline: &Deadline, plan: &Plan, stack: &Stack) -> Outcome {
    let live = Live::default();
    let carried = async { Ok(session.place.carry_out(plan, stack, &live, Duration::ZERO).await.0) };
    let failed = |fault: Fault| {
        let tries = "AWS refused every try until the time was over";
        let hint = fault.hint.clone().unwrap_or_default();
        let fault = fault.hinted(format!("{tries}: {hint}"));
        let changes = plan.steps.iter().map(|step| (step.op.change(), fault.clone()));
        Outcome { failed: changes.collect(), ..Outcome::default() }
    };
    // The run itself says for which call it waits.
    let mut outcome = deadline.silent_answer(WRITTEN, carried).await.unwrap_or_else(failed);
    for (_, fault) in &mut outcome.failed {
        if fault.kind == FaultKind::Unreachable {
            fault.hint = Some(MAY_ARRIVE.to_owned());
        }
    }
    outcome
}

const MAY_ARRIVE: &str =
    "the write may still arrive; `provision maintenance status` says what holds then";

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
        None if outcome.failed.is_empty() => Ending::Written,
        _ => Ending::Failed,
    }
}

/// By whom. `before` is what the turn had seen: a window that goes on keeps its beginning.
fn overtaken(before: Option<&Side>, now: &Look) -> String {
    let Some(on) = &now.side else {
        return "overtaken: another user turned maintenance off meanwhile".into();
    };
    let said = |side: &Side, name: &str| side.metadata.get(name).cloned();
    let who = said(on, window::BY).unwrap_or_else(|| "a user".into());
    let since = said(on, window::SINCE);
    let is_same = |name| before.is_some_and(|before| said(before, name) == said(on, name));
    let when = |word: &str, at: Option<String>| at.map(|at| format!("{word}{at}"));
    if !is_same(window::SINCE) || since.is_none() {
        let when = when(" at ", since).unwrap_or_default();
        return format!("overtaken: {who} turned maintenance on{when}");
    }
    if is_same(window::WINDOW) {
        return "overtaken: another run put the page of the same window anew meanwhile".into();
    }
    let opened = when(" that was opened at ", since).unwrap_or_default();
    let end = when("; it ends at ", said(on, window::UNTIL)).unwrap_or_default();
    format!("overtaken: {who} changed the window{opened} meanwhile{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ObjectHeaders;

    #[test]
    fn an_overtaken_turn_names_what_it_had_not_seen() {
        let side = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let metadata = pairs.iter().map(owned).collect();
            Side::of("e".into(), b"page", ObjectHeaders::default(), metadata)
        };
        let (since, by, mark) = (window::SINCE, window::BY, window::WINDOW);
        let seen = side(&[(since, "T1"), (by, "ann"), (mark, "1")]);
        let until = (window::UNTIL, "T9");
        for (now, says) in [
            (None, "another user turned maintenance off meanwhile"),
            (Some(side(&[])), "a user turned maintenance on"),
            (
                Some(side(&[(since, "T2"), (by, "bob"), (mark, "2")])),
                "bob turned maintenance on at T2",
            ),
            (
                Some(side(&[(since, "T1"), (by, "bob"), (mark, "2"), until])),
                "bob changed the window that was opened at T1 meanwhile; it ends at T9",
            ),
            (
                Some(side(&[(since, "T1"), (by, "ann"), (mark, "1")])),
                "another run put the page of the same window anew meanwhile",
            ),
        ] {
            let now = Look { side: now, seen: jiff::Timestamp::UNIX_EPOCH };
            assert_eq!(overtaken(Some(&seen), &now), format!("overtaken: {says}"));
        }
    }
}
