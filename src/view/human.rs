//! For people: pure functions from values to text. Colour is laid over; without it nothing is lost.

use crate::aws::meter::Unanswered;
use crate::change::{Action, Address, Change, Fault, FaultKind, Notice};
use crate::plan::Intent;
use crate::view::clean::clean;
use crate::view::report::{Condition, Existing, Status};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

mod edge;
mod outcome;
mod plan;

pub(crate) use edge::edge;
pub(crate) use outcome::outcome;
pub(crate) use plan::plan;

const CREATE: Style = AnsiColor::Green.on_default();
const UPDATE: Style = AnsiColor::Yellow.on_default();
const DELETE: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// What is worth knowing, in lines that stand together.
pub(super) fn notes(text: &mut String, notices: &[Notice]) {
    for (number, notice) in notices.iter().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        let _ = writeln!(
            text,
            "{gap}{UPDATE}note{UPDATE:#}: {}: {}",
            at(&notice.address),
            clean(&notice.text)
        );
    }
}

/// An object's name may be anybody's.
fn at(address: &Address) -> String {
    clean(&address.to_string())
}

/// Values from the outside world may be long, too.
fn brief(value: &str) -> String {
    const LONGEST: usize = 400;
    let clean: String = clean(value).chars().take(LONGEST).collect();
    if value.chars().count() > LONGEST {
        format!("{clean}…")
    } else if clean.is_empty() {
        "(empty)".into()
    } else {
        clean
    }
}

/// Objects, not steps: a bucket that is created and configured is one object to create.
fn counts(changes: &[Change]) -> (usize, usize, usize) {
    let addresses = |action: Action| -> std::collections::BTreeSet<_> {
        changes
            .iter()
            .filter(|change| change.action == action)
            .map(|change| &change.address)
            .collect()
    };
    let created = addresses(Action::Create);
    let deleted = addresses(Action::Delete);
    let updated = addresses(Action::Update);
    let updated = updated
        .iter()
        .filter(|address| !created.contains(*address) && !deleted.contains(*address))
        .count();
    (created.len(), updated, deleted.len())
}

/// What carries out again what was intended.
#[must_use]
pub(crate) fn again(intent: Intent, words: &str, flags: &str) -> String {
    match intent {
        Intent::Provision => format!("`provision apply{words}{flags}`"),
        Intent::Destroy => format!("`provision destroy{words}{flags}`"),
        Intent::On | Intent::Off => "the same command".into(),
    }
}

/// A step that failed, and why.
pub(super) fn failed(change: &Change, fault: &Fault) -> String {
    format!(
        "\n  {DELETE}failed{DELETE:#}       {}\n{}",
        at(&change.address),
        indented(&fault_lines(fault))
    )
}

/// For which call a user waits, or why AWS does not carry it out yet.
#[must_use]
pub(crate) fn unanswered(open: &Unanswered) -> String {
    let Unanswered { call, refused, .. } = open;
    let Some(fault) = refused else { return format!("still waiting for {call}") };
    let does = if fault.kind == FaultKind::Throttled { "throttles" } else { "fails at" };
    format!("AWS {does} {call} ({}), which is tried again", brief(&fault.message))
}

/// For which call a run waits that is about to stop, and how long at the most.
#[must_use]
pub(crate) fn stopping(open: &Unanswered, now: Instant, flows: bool) -> String {
    let left = match open.left(now) {
        Duration::ZERO => "it is not tried again".to_owned(),
        _ if flows => "as long as its bytes flow".to_owned(),
        left => format!("{} at the most", duration(left)),
    };
    format!("waiting for the end of {}: {left}", open.call)
}

/// What exists and what to type next.
#[must_use]
pub(crate) fn existing(now: &Existing, flags: &str, since: &str) -> String {
    let mut text = String::from("\n");
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<14}{}", clean(value));
        }
    };
    line("address", now.address.as_deref());
    line("distribution", now.distribution.as_deref());
    line("function", now.function.as_deref());
    line("bucket", Some(&now.bucket));
    line("switch", now.switch.map(|switch| format!("{switch}{since}")).as_deref());
    let _ = write!(
        text,
        "\nNext: `provision status{flags}` shows all of it, `provision destroy{flags}` takes it \
            down.\n"
    );
    text
}

/// Every object and whether it is as the spec says.
#[must_use]
pub(crate) fn status(status: &Status, flags: &str) -> String {
    let mut text = format!("Stack `{}`, account {}\n\n", status.stack, status.account);
    let width =
        status.resources.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    for row in &status.resources {
        let (word, style) = match row.condition {
            Condition::Ok => ("ok", CREATE),
            Condition::Differs => ("differs", UPDATE),
            Condition::Absent => ("absent", DELETE),
            Condition::Unknown => ("unknown", UPDATE),
            Condition::Disputed => ("disputed", UPDATE),
            Condition::NotOurs => ("not ours", FAINT),
        };
        let line = format!(
            "  {style}{word:<8}{style:#} {:<13}{:<width$}  {}",
            row.kind,
            clean(&row.name),
            clean(&row.remarks.join("; "))
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let existing = &status.existing;
    let switch = existing.switch.map_or_else(
        || "not known: another spec's switch decides what visitors get".to_owned(),
        |switch| switch.to_string(),
    );
    let _ = writeln!(text, "\n  switch   {}", clean(&switch));
    if let Some(address) = &existing.address {
        let _ = writeln!(text, "  address  {}", clean(address));
    }
    if !status.as_specified {
        let _ = write!(text, "\nhint: `provision plan{flags}` shows what would change.\n");
    }
    text
}

fn indented(lines: &[String]) -> String {
    lines.iter().flat_map(|line| ["      ", line, "\n"]).collect()
}

fn fault_lines(fault: &Fault) -> Vec<String> {
    let mut lines = vec![format!("could not {}: {}", clean(&fault.tried), brief(&fault.told()))];
    lines.extend(reference(fault));
    lines.extend(missing(fault));
    lines.extend(fault.hint.as_ref().map(|hint| format!("hint: {}", clean(hint))));
    lines
}

/// What names a refusal in a support case.
fn reference(fault: &Fault) -> Option<String> {
    let code = fault.code.as_ref().map(|code| format!("code {}", clean(code)));
    let request = fault.request_id.as_ref().map(|id| format!("request {}", clean(id)));
    let said: Vec<String> = code.into_iter().chain(request).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn missing(fault: &Fault) -> Option<String> {
    let all: Vec<String> = super::report::missing(fault)
        .iter()
        .map(|one| format!("{} (statement `{}`)", one.action, one.statement))
        .collect();
    (!all.is_empty()).then(|| format!("missing: {} of `provision policy`", all.join(" or ")))
}

/// A fault outside of a plan.
#[must_use]
pub(crate) fn fault(fault: &Fault) -> String {
    let lines = fault_lines(fault);
    let (first, rest) =
        lines.split_first().map_or((String::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    format!(
        "{DELETE}error{DELETE:#}: {first}\n{}",
        rest.iter().flat_map(|line| ["  ", line, "\n"]).collect::<String>()
    )
}

#[must_use]
pub(crate) fn error(what: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("  hint: {}\n", clean(hint))).unwrap_or_default();
    format!("{DELETE}error{DELETE:#}: {}\n{hint}", clean(what))
}

/// The pages of the documentation, each with its title.
#[must_use]
pub(crate) fn topics(topics: &[(&str, &str)]) -> String {
    let rows = topics.iter().map(|(name, title)| format!("  {BOLD}{name:<13}{BOLD:#}{title}\n"));
    let list: String = rows.collect();
    format!(
        "{list}\n`provision explain TOPIC` prints a page. Where a page links to `spec.md`, the topic is \
            `spec`.\n"
    )
}

#[must_use]
pub(crate) fn recording(folder: &Path, exchanges: usize, replaced: &[(&str, usize)]) -> String {
    let many = if exchanges == 1 { "exchange" } else { "exchanges" };
    let mut text = format!(
        "\nRecording of {exchanges} {many} with AWS, to {}:\n",
        clean(&folder.display().to_string())
    );
    for (kind, count) in replaced {
        let _ = writeln!(text, "  replaced: {kind} ({count} different)");
    }
    text + "  left out: signatures, keys, tokens, the site's files and packages\n  \
        as it was: AWS's own words, numbers of up to 11 digits, moments, digests\n\
        Read it before you give it to anybody (`provision explain reporting`).\n"
}

pub(crate) fn warning(what: &str, hint: &str) -> String {
    format!("{UPDATE}warning{UPDATE:#}: {}\n  hint: {}\n", clean(what), clean(hint))
}

/// `3m 12s`; below a second, milliseconds would only be noise.
#[must_use]
pub(crate) fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => "<1s".into(),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}
