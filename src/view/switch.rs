//! The switch, for people and machines.

use super::clean::clean;
use crate::resource::page::window::State;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line of a small table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// A word.
    pub name: String,
    pub value: String,
}

/// Where the switch stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SwitchStatus {
    /// What visitors get, in a few words: a fragment.
    pub headline: String,
    /// `null`: not known.
    pub state: Option<State>,
    /// `null`: not known.
    pub visitors_see_page: Option<bool>,
    /// For machines: `since`, `from`, `until` (RFC 3339, UTC) and `by`, as far as they are known.
    pub window: BTreeMap<&'static str, String>,
    /// The same for people.
    pub rows: Vec<Row>,
    /// What is odd, and what to do.
    pub notes: Vec<String>,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The switch stands as it was wanted.
    Done,
    /// Another user turned it meanwhile, and it stands as they wanted it.
    Overtaken,
    /// It was carried out, and nobody could see what holds.
    Written,
    /// It does not stand as it was wanted, or that is not known.
    Failed,
    /// The plan has a conflict.
    Refused,
    /// The user stopped it.
    Interrupted,
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
pub(crate) fn status(status: &SwitchStatus) -> String {
    let mut text = format!("{}\n", clean(&status.headline));
    for row in &status.rows {
        let _ = writeln!(text, "  {:<8}{}", row.name, clean(&row.value));
    }
    notes(&mut text, status);
    text
}

fn notes(text: &mut String, status: &SwitchStatus) {
    for (number, note) in status.notes.iter().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}note: {}", clean(note));
    }
}

/// How a turn ended, as text. `writes`: it has written something. `faults` are the steps that
/// failed.
#[must_use]
pub(crate) fn turned(
    ending: Ending,
    writes: bool,
    status: &SwitchStatus,
    faults: &[String],
    flags: &str,
) -> String {
    let word = format!("{ending:?}");
    let soon = if writes && ending == Ending::Done {
        "; the edge notices within `maintenance.cache`"
    } else {
        ""
    };
    let mut text = format!("\n{word}: {}{soon}.\n", clean(&status.headline));
    text.extend(faults.iter().map(String::as_str));
    notes(&mut text, status);
    let hint = match ending {
        Ending::Overtaken => {
            "run the same command again, if that is not what you want: it goes on from what holds \
                now"
        }
        Ending::Failed | Ending::Interrupted | Ending::Written if status.state.is_none() => {
            let _ =
                write!(text, "\nhint: `provision maintenance status{flags}` says what holds.\n");
            return text;
        }
        Ending::Failed | Ending::Interrupted | Ending::Written => {
            "run the same command again: it goes on from what holds now"
        }
        Ending::Done | Ending::Refused => return text,
    };
    let _ = write!(text, "\nhint: {hint}.\n");
    text
}

/// The probe as text: one line for each kind of answer.
#[must_use]
pub(crate) fn probe(report: &ProbeReport) -> String {
    let pages = report.answers.iter().filter(|answer| answer.is_page).count();
    let mut text = format!(
        "\nAsked {}: {pages} of {} answers are the maintenance page\n",
        clean(&report.url),
        report.answers.len()
    );
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for answer in &report.answers {
        let what = match (&answer.error, &answer.version) {
            (Some(error), _) => error.clone(),
            (None, Some(version)) => format!("maintenance page by function version {version}"),
            (None, None) => "the site".to_owned(),
        };
        let status = answer.status.map(|status| status.to_string()).unwrap_or_default();
        let cache = answer.cache.clone().unwrap_or_default();
        let kind = format!("{:<28}{status:<5}{what}  {cache}", answer.path);
        *kinds.entry(clean(&kind)).or_default() += 1;
    }
    for (kind, count) in kinds {
        let _ = writeln!(text, "  {count} × {kind}");
    }
    let (verdict, hint) = verdict(report);
    let _ = writeln!(text, "{verdict}.");
    if let Some(hint) = hint {
        let _ = writeln!(text, "hint: {hint}.");
    }
    text
}

/// What all answers together say of the visitors, and what to do.
fn verdict(report: &ProbeReport) -> (String, Option<&'static str>) {
    let expected = if report.expect_page { "the maintenance page" } else { "the site" };
    let answered: Vec<bool> = report
        .answers
        .iter()
        .filter(|answer| answer.error.is_none())
        .map(|answer| answer.is_page == report.expect_page)
        .collect();
    let soon = "the edge remembers the switch for `maintenance.cache`, and a new deployment takes \
        minutes; ask again soon";
    if report.as_expected {
        return (format!("Visitors see {expected}, as the switch says"), None);
    }
    if answered.is_empty() {
        let hint = "check the network and the address; `--url` names another one";
        return (
            "Could not ask: nobody answered, so this says nothing of visitors".into(),
            Some(hint),
        );
    }
    if !answered.contains(&true) {
        let verdict = format!("Visitors do NOT see {expected}, which they should by the switch");
        return (verdict, Some(soon));
    }
    if !answered.contains(&false) {
        let lost = report.answers.len() - answered.len();
        let verdict =
            format!("Visitors who are answered see {expected}, but {lost} requests had no answer");
        return (verdict, Some("ask again; if it stays so, check the network and the site"));
    }
    (format!("Only some visitors see {expected}, which all should by the switch"), Some(soon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_of_a_probe_cannot_be_misread() {
        let answer = |kind: char| Answer {
            is_page: kind == 'p',
            error: (kind == '-').then(|| "no answer: dns error".to_owned()),
            ..Answer::default()
        };
        for (expect_page, answers, says, hints) in [
            (true, "ppp", "Visitors see the maintenance page, as", None),
            (false, "sss", "Visitors see the site, as", None),
            (true, "sss", "Visitors do NOT see the maintenance page", Some("ask again soon")),
            (false, "ppp", "Visitors do NOT see the site", Some("ask again soon")),
            (true, "s--", "Visitors do NOT see the maintenance page", Some("ask again soon")),
            (true, "psp", "Only some visitors see the maintenance page", Some("ask again soon")),
            (
                true,
                "pp-",
                "Visitors who are answered see the maintenance page, but 1",
                Some("site"),
            ),
            (true, "---", "Could not ask", Some("check the network")),
            (false, "---", "Could not ask", Some("check the network")),
        ] {
            let answers: Vec<Answer> = answers.chars().map(answer).collect();
            let as_expected =
                answers.iter().all(|one| one.is_page == expect_page && one.error.is_none());
            let url = "https://shop.example/".to_owned();
            let text = probe(&ProbeReport { url, expect_page, answers, as_expected });
            assert!(text.contains(says), "{text}");
            assert_eq!(text.contains("as the switch says"), as_expected, "{text}");
            let hint = text.split_once("hint: ").map(|(_, hint)| hint);
            assert_eq!(hint.is_some(), hints.is_some(), "{text}");
            assert!(
                hints.is_none_or(|part| hint.is_some_and(|hint| hint.contains(part))),
                "{text}"
            );
        }
    }
}
