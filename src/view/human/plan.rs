//! A plan, as a person reads it before they confirm it.

use super::{BOLD, CREATE, DELETE, FAINT, UPDATE, at, brief, clean, counts, notes};
use crate::change::{Action, Change, Kind};
use crate::plan::{Intent, Plan};
use anstyle::Style;
use std::fmt::Write as _;

/// How many files are listed one by one.
const FILES_SHOWN: usize = 10;

fn symbol(action: Action) -> (char, Style) {
    match action {
        Action::Create => ('+', CREATE),
        Action::Update => ('~', UPDATE),
        Action::Delete => ('-', DELETE),
        Action::Await => ('.', FAINT),
    }
}

/// A plan: header, steps with their fields, conflicts, notices, tally.
#[must_use]
pub(crate) fn plan(plan: &Plan) -> String {
    let mut text = format!("Stack `{}`, account {}\n", plan.stack, plan.account);
    let changes: Vec<Change> = plan.steps.iter().map(|step| step.op.change()).collect();
    if !changes.is_empty() {
        text.push('\n');
    }
    let width = changes
        .iter()
        .map(|change| change.address.name.chars().count())
        .max()
        .unwrap_or_default()
        .min(34);
    let files = changes.iter().filter(|change| change.address.kind == Kind::Site).count();
    let mut shown = 0;
    for change in &changes {
        if change.address.kind == Kind::Site {
            shown += 1;
            if files > FILES_SHOWN && shown > FILES_SHOWN {
                if shown == files {
                    let _ =
                        writeln!(text, "    {:<13}and {} more files", "site", files - FILES_SHOWN);
                }
                continue;
            }
        }
        step(&mut text, change, width);
    }
    for conflict in &plan.conflicts {
        let _ = write!(
            text,
            "\n{DELETE}conflict{DELETE:#}: {}: {}\n  hint: {}\n",
            at(&conflict.address),
            clean(&conflict.reason),
            clean(&conflict.hint)
        );
    }
    notes(&mut text, &plan.notices);
    let _ = writeln!(text, "\n{}", tally(plan, &changes));
    text
}

fn step(text: &mut String, change: &Change, width: usize) {
    let (mark, style) = symbol(change.action);
    let (kind, name) = (change.address.kind, &change.address.name);
    let _ = writeln!(
        text,
        "  {style}{mark}{style:#} {kind:<13}{:<width$}  {}",
        clean(name),
        clean(&change.summary)
    );
    let field_width =
        change.fields.iter().map(|field| field.field.chars().count()).max().unwrap_or_default();
    for field in &change.fields {
        let name = clean(&field.field);
        let _ = match (&field.before, &field.after) {
            (Some(before), Some(after)) => {
                writeln!(text, "      {name:<field_width$}  {} -> {}", brief(before), brief(after))
            }
            (Some(before), None) => {
                writeln!(text, "      {name:<field_width$}  {DELETE}-{DELETE:#} {}", brief(before))
            }
            (None, Some(after)) => {
                writeln!(text, "      {name:<field_width$}  {CREATE}+{CREATE:#} {}", brief(after))
            }
            (None, None) => Ok(()),
        };
    }
}

fn tally(plan: &Plan, changes: &[Change]) -> String {
    if !plan.can_apply() {
        let many = if plan.conflicts.len() == 1 { "a conflict" } else { "conflicts" };
        return format!("{BOLD}Refused{BOLD:#}: the plan has {many}; nothing was changed.");
    }
    if plan.is_empty() {
        return match plan.intent {
            Intent::Provision => "Nothing to do: everything is as the spec says.".into(),
            Intent::Destroy if plan.notices.is_empty() => {
                "Nothing to do: nothing of this stack exists.".into()
            }
            Intent::Destroy => {
                "Nothing to do: nothing of this stack exists but what is named above, which stays."
                    .into()
            }
            Intent::On | Intent::Off => "Nothing to do.".into(),
        };
    }
    match plan.intent {
        Intent::On => {
            return format!("{BOLD}Plan{BOLD:#}: turn maintenance on. Nothing is deployed.");
        }
        Intent::Off => {
            return format!("{BOLD}Plan{BOLD:#}: turn maintenance off. Nothing is deployed.");
        }
        Intent::Provision | Intent::Destroy => {}
    }
    let (create, change, delete) = counts(changes);
    format!("{BOLD}Plan{BOLD:#}: {create} to create, {change} to change, {delete} to delete.")
}
