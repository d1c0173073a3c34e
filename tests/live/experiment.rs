//! What an experiment is, all of them, and the table of what they told.

use super::bench::Bench;
use super::{accepted, deployed, rights};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

/// One question that one run can settle.
pub(crate) struct Experiment {
    /// Its handle in `docs/aws.md`, "Open questions".
    pub(crate) question: &'static str,
    /// Which part of it.
    pub(crate) part: &'static str,
    /// Every answer that is known to be possible.
    pub(crate) answers: &'static [&'static str],
    /// Those with which the code is right; all of them where nothing depends on the answer.
    pub(crate) taken: &'static [&'static str],
    pub(crate) tries: fn(&Bench) -> LocalBoxFuture<'_, Observed>,
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Observed {
    /// `None`: it settles nothing, and `said` is why.
    pub(crate) answer: Option<&'static str>,
    /// What was seen, in AWS's words where it had any.
    pub(crate) said: String,
}

pub(crate) fn told(answer: &'static str, said: impl Into<String>) -> Observed {
    Observed { answer: Some(answer), said: said.into() }
}

pub(crate) fn unsettled(why: impl Into<String>) -> Observed {
    Observed { answer: None, said: why.into() }
}

/// In this order: first what needs the stack as it was deployed.
pub(crate) fn experiments() -> impl Iterator<Item = &'static Experiment> {
    deployed::ALL.iter().chain(accepted::ALL).chain(rights::ALL)
}

/// Questions without an experiment.
pub(crate) const UNTRIED: &[(&str, &str)] = &[(
    "runtimes in preview",
    "which runtimes are in preview changes by the month, and mostly there is none",
)];

impl Experiment {
    /// Does nothing depend on the answer?
    fn is_open(&self) -> bool {
        self.answers.len() == self.taken.len()
    }
}

pub(crate) struct Row {
    pub(crate) experiment: &'static Experiment,
    pub(crate) observed: Observed,
}

/// What an SDK's error prints has pages.
const LONGEST: usize = 300;

/// Tries it. One that breaks off settles nothing, and keeps no other from being tried.
pub(crate) async fn row(experiment: &'static Experiment, bench: &Bench) -> Row {
    let tried = AssertUnwindSafe((experiment.tries)(bench)).catch_unwind().await;
    let observed = tried.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        let text: String = text.unwrap_or_default().chars().take(LONGEST).collect();
        unsettled(format!("broke off: {text}"))
    });
    if let Some(answer) = observed.answer {
        assert!(experiment.answers.contains(&answer), "{answer} is no answer that is known");
    }
    Row { experiment, observed }
}

impl Row {
    fn verdict(&self) -> &'static str {
        match self.observed.answer {
            None => "not settled",
            Some(_) if self.experiment.is_open() => "no matter",
            Some(answer) if self.experiment.taken.contains(&answer) => "same",
            Some(_) => "DIFFERENT",
        }
    }

    pub(crate) fn answer(&self) -> &str {
        self.observed.answer.unwrap_or("no answer")
    }
}

/// The table, with what was seen below it.
pub(crate) fn table(whose: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "| question | {whose} answered | the code takes for granted | |\n|---|---|---|---|\n"
    );
    for row in rows {
        let Experiment { question, part, taken, .. } = row.experiment;
        let taken = if row.experiment.is_open() { "nothing".into() } else { taken.join(", or ") };
        let (answer, verdict) = (row.answer(), row.verdict());
        writeln!(text, "| {question}: {part} | {answer} | {taken} | {verdict} |").unwrap();
    }
    for (question, why) in UNTRIED {
        writeln!(text, "| {question} | not tried: {why} | | |").unwrap();
    }
    text += "\nWhat was seen:\n\n";
    for Row { experiment: Experiment { question, part, .. }, observed } in rows {
        writeln!(text, "- {question}: {part}: {}", observed.said.trim()).unwrap();
    }
    text
}
