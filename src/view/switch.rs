//! The switch, for people and machines.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line of a small table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// A word.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// Where the switch stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SwitchStatus {
    /// The page lies under the on key.
    pub on: bool,
    /// The window is open, so visitors see the page.
    pub visitors_see_page: bool,
    /// For machines: `since`, `from`, `until` (RFC 3339, UTC) and `by`, as far as they are known.
    pub window: BTreeMap<&'static str, String>,
    /// The same for people.
    pub rows: Vec<Row>,
    /// What is odd, and what to do.
    pub anomaly: Option<String>,
}

/// One answer of the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What was asked.
    pub path: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// It was made by the edge function.
    pub is_page: bool,
    /// By which version of it.
    pub version: Option<String>,
    /// `X-Cache`.
    pub cache: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// All answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// Where it was asked.
    pub url: String,
    /// What the switch says.
    pub expect_page: bool,
    /// In the order in which they were asked.
    pub answers: Vec<Answer>,
    /// Every answer is what the switch says.
    pub as_expected: bool,
}

/// The switch as text.
#[must_use]
pub fn status(status: &SwitchStatus) -> String {
    let mut text = format!("maintenance is {}\n", if status.on { "on" } else { "off" });
    for row in &status.rows {
        let _ = writeln!(text, "  {:<8}{}", row.name, row.value);
    }
    if let Some(anomaly) = &status.anomaly {
        let _ = writeln!(text, "\nnote: {anomaly}");
    }
    text
}

/// The probe as text: one line for each kind of answer.
#[must_use]
pub fn probe(report: &ProbeReport) -> String {
    let pages = report.answers.iter().filter(|answer| answer.is_page).count();
    let mut text = format!("\nAsked {}: {pages} of {} answers are the maintenance page\n", report.url, report.answers.len());
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for answer in &report.answers {
        let what = match (&answer.error, &answer.version) {
            (Some(error), _) => error.clone(),
            (None, Some(version)) => format!("maintenance page by function version {version}"),
            (None, None) => "the site".to_owned(),
        };
        let status = answer.status.map(|status| status.to_string()).unwrap_or_default();
        let cache = answer.cache.clone().unwrap_or_default();
        *kinds.entry(format!("{:<28}{status:<5}{what}  {cache}", answer.path)).or_default() += 1;
    }
    for (kind, count) in kinds {
        let _ = writeln!(text, "  {count} × {kind}");
    }
    let expected = if report.expect_page { "the maintenance page" } else { "the site" };
    let verdict = if report.as_expected { "Visitors see" } else { "Not every visitor sees" };
    let _ = writeln!(text, "{verdict} {expected}, as the switch says.");
    if !report.as_expected {
        text.push_str("hint: the edge remembers the switch for `maintenance.cache`, and a new deployment takes minutes; ask again soon.\n");
    }
    text
}
