//! How a run ended, as a person reads it.

use super::{BOLD, UPDATE, at, brief, clean, counts, duration, failed, indented, reference};
use crate::apply::{Outcome, RunResult};
use crate::change::{Change, Done, Fault, Kind};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Up to this many steps are told one by one; of more, the first that many.
const STEPS_SHOWN: usize = 20;

/// How a plan ended. `again` goes on from there, `with` what it needs on another machine.
#[must_use]
pub(crate) fn outcome(outcome: &Outcome, again: &str, with: &str) -> String {
    let mut text = String::from("\n");
    let done: Vec<Change> = outcome
        .done
        .iter()
        .filter(|(_, done)| matches!(done, Done::Changed(_)))
        .map(|(change, _)| change.clone())
        .collect();
    let (created, changed, deleted) = counts(&done);
    let word = match outcome.result() {
        RunResult::Interrupted => "Interrupted",
        RunResult::Failed => "Failed",
        RunResult::Pending => "Incomplete",
        RunResult::Done => "Done",
    };
    let mut parts = Vec::new();
    for (count, what) in [
        (created, "created"),
        (changed, "changed"),
        (deleted, "deleted"),
        (outcome.deferred.len(), "pending"),
        (outcome.failed.len(), "failed"),
        (outcome.not_started.len(), "not started"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let parts = if parts.is_empty() { "nothing was changed".to_owned() } else { parts.join(", ") };
    let _ = writeln!(text, "{BOLD}{word}{BOLD:#}: {parts}.");
    let (these, others) = first(&outcome.failed);
    for (change, fault) in these {
        text.push_str(&failed(change, fault));
    }
    text.push_str(&more("failed", others.iter().map(|(change, _)| change)));
    let (these, others) = first(&outcome.deferred);
    for (change, later) in these {
        let _ = write!(
            text,
            "  {UPDATE}pending{UPDATE:#}      {} ({})\n      {}\n{}      try again in about {}\n",
            at(&change.address),
            clean(&change.summary),
            clean(&later.reason),
            later.said.as_deref().map(said_last).unwrap_or_default(),
            duration(later.try_again_after)
        );
    }
    text.push_str(&more("pending", others.iter().map(|(change, _)| change)));
    let (these, others) = first(&outcome.not_started);
    for change in these {
        let _ =
            writeln!(text, "  not started  {} ({})", at(&change.address), clean(&change.summary));
    }
    text.push_str(&more("not started", others.iter()));
    if !outcome.deferred.is_empty() && outcome.failed.is_empty() {
        let _ = write!(
            text,
            "\nhint: nothing is lost. Run {again} again later, on any machine{with}: it finishes.\n"
        );
    } else if outcome.result() != RunResult::Done {
        let all_pass = outcome.failed.iter().all(|(_, fault)| fault.kind.ends_by_itself());
        let first = if all_pass { "" } else { "once that is mended, " };
        let _ = write!(text, "\nhint: {first}run {again} again: it goes on from here.\n");
    }
    text
}

/// Those that are told one by one, and the rest.
fn first<T>(steps: &[T]) -> (&[T], &[T]) {
    steps.split_at(steps.len().min(STEPS_SHOWN))
}

/// How many more there are, of which kinds.
fn more<'a>(what: &str, steps: impl Iterator<Item = &'a Change>) -> String {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for change in steps {
        *kinds.entry(change.address.kind).or_default() += 1;
    }
    if kinds.is_empty() {
        return String::new();
    }
    let all: usize = kinds.values().sum();
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{count} of kind {kind}")).collect();
    format!("  {what:<12} and {all} more: {}\n", kinds.join(", "))
}

/// What AWS refused last while it was waited for. Its way out is to wait longer, unless it is one
/// that does not end by itself.
fn said_last(fault: &Fault) -> String {
    let mut lines = vec![format!("AWS said last: {}", brief(&fault.message))];
    lines.extend(reference(fault));
    let hint = fault.hint.as_ref().filter(|_| !fault.kind.ends_by_itself());
    lines.extend(hint.map(|hint| format!("hint: {}", clean(hint))));
    indented(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Action, Address, FaultKind, Later};
    use std::time::Duration;

    #[test]
    fn thousands_of_steps_that_ended_alike_are_summed_up() {
        let many = STEPS_SHOWN + 1000;
        let change = |number: usize| {
            let kind = if number == many - 1 { Kind::Logs } else { Kind::Site };
            Change::new(Address::new(kind, format!("{number}.html")), Action::Create, "upload")
        };
        let steps = || (0..many).map(change);
        let fault = || Fault::new(FaultKind::Refused, "upload", "no");
        let later = || Later { reason: "no".into(), try_again_after: Duration::ZERO, said: None };
        for (ended, what) in [
            (Outcome { not_started: steps().collect(), ..Outcome::default() }, "not started "),
            (
                Outcome { failed: steps().map(|it| (it, fault())).collect(), ..Outcome::default() },
                "failed      ",
            ),
            (
                Outcome {
                    deferred: steps().map(|it| (it, later())).collect(),
                    ..Outcome::default()
                },
                "pending     ",
            ),
        ] {
            let text = outcome(&ended, "`provision apply`", "");
            let more = format!("  {what} and 1000 more: 999 of kind site, 1 of kind logs\n");
            assert!(text.contains(&more), "{text}");
            assert!(text.contains("19.html") && !text.contains("20.html"), "{text}");
        }
        let few =
            Outcome { not_started: steps().take(STEPS_SHOWN).collect(), ..Outcome::default() };
        assert!(!outcome(&few, "", "").contains(" more: "));
    }
}
