//! The face: the only place that prints. Plans and outcomes go to stdout, progress and problems to
//! stderr.
//!
//! Knows changes, never a room's op. Meaning survives without colour.

use crate::apply::{Event, Outcome, Report};
use crate::change::{Conflict, Fault};
use crate::edge::EdgeEvent;
use crate::plan::Plan;
use crate::spec::Spec;
use crate::spec::problem::Problems;
use crate::stack::{Live, Stack};
use progress::Ticker;
use std::path::Path;

mod clean;
mod commands;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod out;
pub(crate) mod progress;
pub(crate) mod remains;
pub mod report;
pub(crate) mod switch;
#[cfg(test)]
mod tests;

/// Prints for people, or for machines.
#[derive(Clone, Copy, Debug)]
pub struct View {
    json: bool,
    /// The global flags that a next command needs too.
    flags: &'static str,
}

impl View {
    /// A view.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json, flags: "" }
    }

    /// The same, which puts these flags into every command that it names. They live as long as the
    /// program does.
    #[must_use]
    pub fn naming(self, flags: String) -> Self {
        Self { flags: flags.leak(), ..self }
    }

    /// Of a large plan either form takes memory: only the one that is shown is made.
    fn document<T: AsRef<str>>(
        self,
        document: impl FnOnce() -> serde_json::Value,
        text: impl FnOnce() -> T,
    ) {
        if self.json {
            self.json(document());
        } else {
            out::result(commands::complete(text().as_ref(), self.flags));
        }
    }

    fn json(self, mut document: serde_json::Value) {
        commands::complete_all(&mut document, self.flags);
        out::document(&document, false);
    }

    fn aside(self, text: &str) {
        out::aside(commands::complete(text, self.flags));
    }

    /// Shows a plan.
    pub fn plan(self, plan: &Plan) {
        self.document(|| json::plan(plan), || human::plan(plan));
    }

    /// Shows how a plan ended and what exists now. `flags` are those that a next command needs too,
    /// `words` those that the same command needs once more.
    pub fn outcome(
        self,
        picture: (&Plan, &Stack, &Live),
        outcome: &Outcome,
        (flags, words): (&str, &str),
    ) {
        let (plan, stack, live) = picture;
        let now = report::Existing::after(plan, stack, live, outcome);
        let text = || {
            let again = human::again(plan.intent, words, flags);
            let mut text = human::outcome(outcome, &again, ", with the same spec");
            if let Some(now) = now.as_ref().filter(|_| outcome.failed.is_empty()) {
                text.push_str(&human::existing(now, flags, ", when this run began"));
            }
            text
        };
        self.document(|| json::outcome(outcome, now.as_ref()), text);
    }

    /// Shows how a stack's end by `sweep` went. `again` goes on with it: the spec at hand, if any,
    /// is another stack's.
    pub fn swept(self, outcome: &Outcome, again: &str) {
        self.document(|| json::outcome(outcome, None), || human::outcome(outcome, again, ""));
    }

    /// Shows what exists where there was nothing to do.
    pub fn unchanged(self, stack: &Stack, live: &Live, flags: &str) {
        let now = report::Existing::of(stack, live);
        self.document(
            || json::outcome(&Outcome::default(), Some(&now)),
            || human::existing(&now, flags, ""),
        );
    }

    /// Shows every object and whether it is as the spec says.
    pub fn status(self, plan: &Plan, stack: &Stack, live: &Live, flags: &str) {
        let status = report::status(plan, stack, live);
        self.document(|| json::status(&status), || human::status(&status, flags));
    }

    /// Shows the switch.
    pub fn switch(self, status: &switch::SwitchStatus) {
        self.document(|| json::switch(status), || switch::status(status));
    }

    /// Says who is waited for.
    pub fn waiting(self, what: &str) {
        out::aside(format_args!("  {}\n", clean::clean(what)));
    }

    /// Shows how a turn of the switch ended, first of all what visitors get now.
    pub fn turned(
        self,
        outcome: &Outcome,
        ending: switch::Ending,
        status: &switch::SwitchStatus,
        flags: &str,
    ) {
        if self.json {
            self.json(json::outcome(outcome, None));
        }
        let faults: Vec<_> =
            outcome.failed.iter().map(|(change, fault)| human::failed(change, fault)).collect();
        self.document(
            || json::switch(status),
            || switch::turned(ending, !outcome.done.is_empty(), status, &faults, flags),
        );
    }

    /// Shows what the site answered.
    pub fn probe(self, report: &switch::ProbeReport) {
        self.document(|| json::probe(report), || switch::probe(report));
    }

    /// Shows the link that lets the team in. The only place where the token is ever shown.
    pub fn bypass(self, link: &str, token: &str) {
        let text = format!(
            "\nBypass link for the team (it sets a cookie for 12 hours; keep it to yourselves):\n  \
                {link}\n"
        );
        self.document(|| json::bypass(link, token), || text);
    }

    /// Shows what happens at the local edge.
    pub fn edge(self, event: &EdgeEvent) {
        if self.json {
            if let Some(document) = json::edge(event) {
                self.json(document);
            }
        } else {
            out::result(format_args!("{}\n", commands::complete(&human::edge(event), self.flags)));
        }
    }

    /// Shows what is left of stacks.
    pub fn remains(self, listing: &remains::Listing<'_>) {
        self.document(|| json::remains(listing), || listing.text());
    }

    /// Shows an IAM policy; it is JSON for people and machines alike.
    pub fn policy(self, policy: &serde_json::Value) {
        out::document(policy, true);
    }

    /// Shows the schema of a spec, JSON for people and machines alike.
    pub fn schema(self, schema: &serde_json::Value) {
        out::document(schema, true);
    }

    /// Lists the pages of the documentation, each with its title.
    pub fn topics(self, topics: &[(&str, &str)]) {
        self.document(|| json::topics(topics), || human::topics(topics));
    }

    /// Shows a page of the documentation; Markdown is written to be read as it is.
    pub fn topic(self, name: &str, title: &str, text: &str) {
        self.document(|| json::topic(name, title, text), || text);
    }

    /// Shows something that stops nothing.
    pub fn warning(self, what: &str, hint: &str) {
        self.aside(&human::warning(what, hint));
    }

    /// Says what is about to be written of a run, before it is written.
    pub fn recording(self, folder: &Path, exchanges: usize, replaced: &[(&str, usize)]) {
        out::aside(human::recording(folder, exchanges, replaced));
    }

    /// Says that the spec is valid.
    pub fn valid(self, spec: &Spec) {
        let text = format!(
            "{}: the spec of stack `{}` is valid\n",
            clean::clean(&spec.file.display().to_string()),
            spec.stack
        );
        self.document(|| json::valid(spec), || text);
    }

    /// Says what `init` wrote.
    pub fn initialised(self, folder: &Path) {
        let file = folder.join("provision.yaml");
        let file = file.strip_prefix(".").unwrap_or(&file).display().to_string();
        let flag = if file == "provision.yaml" { String::new() } else { format!(" -f {file}") };
        let text = format!(
            "Wrote {file} and site/.\n\nNext: provision apply --sandbox{flag}   (no AWS account \
                needed)\n"
        );
        self.document(|| json::initialised(&file), || text);
    }

    /// Says that a plan was saved, and what carries it out.
    pub fn saved(self, command: &str) {
        out::aside(format_args!("Saved. Carry out exactly this with: {}\n", clean::clean(command)));
    }

    /// Shows problems of a spec.
    pub fn problems(self, problems: &Problems) {
        if self.json {
            self.json(json::problems(problems));
        } else {
            let color =
                anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
            self.aside(&(problems.render(color) + "\n"));
        }
    }

    /// Shows a fault.
    pub fn fault(self, fault: &Fault) {
        if self.json {
            self.json(json::fault(fault));
        }
        self.aside(&human::fault(fault));
    }

    /// Shows why nothing was planned.
    pub fn conflict(self, conflict: &Conflict) {
        self.error(&conflict.reason, Some(&conflict.hint));
    }

    /// Shows an error of ours.
    pub fn error(self, what: &str, hint: Option<&str>) {
        if self.json {
            self.json(json::error(what, hint));
        }
        self.aside(&human::error(what, hint));
    }

    /// The progress of a run.
    #[must_use]
    pub fn progress(self) -> Progress {
        Progress { view: self, ticker: Ticker::default() }
    }
}

/// Shows events as they come.
pub struct Progress {
    view: View,
    ticker: Ticker,
}

impl Report for Progress {
    fn event(&self, event: &Event<'_>) {
        // What has no document is for people, also beside documents.
        if let Some(document) = json::event(event).filter(|_| self.view.json) {
            self.view.json(document);
        } else if let Some(line) = self.ticker.line(event) {
            self.view.aside(&(clean::clean(&line) + "\n"));
        }
    }
}
