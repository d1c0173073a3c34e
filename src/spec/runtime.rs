//! The runtimes that Lambda@Edge takes, and how long AWS keeps them.
//!
//! From the *AWS Lambda Developer Guide*, "Lambda runtimes", as of November 2026. AWS has moved
//! these dates several times, so the verdict is written down here and never computed from the
//! clock.

/// The language of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `python3.x`
    Python,
    /// `nodejs2x.x`
    Node,
}

/// Whether a runtime may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Fine,
    /// Yes, but its end is near.
    Ending,
    /// No: AWS no longer looks after it.
    Ended,
    /// No: AWS has not released it yet.
    Preview,
}

/// One row of AWS's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Lambda's identifier.
    pub name: &'static str,
    pub language: Language,
    /// What to do about it.
    pub verdict: Verdict,
    /// When AWS deprecates it, `YYYY-MM-DD`; empty where AWS gives no day.
    pub deprecated: &'static str,
    /// From when on no function can be created with it.
    pub create_blocked: &'static str,
    /// From when on no function can be updated with it.
    pub update_blocked: &'static str,
}

const fn row(
    name: &'static str,
    language: Language,
    verdict: Verdict,
    [deprecated, create_blocked, update_blocked]: [&'static str; 3],
) -> Runtime {
    Runtime { name, language, verdict, deprecated, create_blocked, update_blocked }
}

/// Where AWS writes about it.
pub const DOCUMENT: &str = "AWS Lambda Developer Guide, \"Lambda runtimes\"";

/// What is used where the spec says nothing, and what to write instead of an ended one.
pub const DEFAULT_PYTHON: &str = "python3.13";
/// The Node.js to write instead of an ended one.
pub const DEFAULT_NODE: &str = "nodejs24.x";

use Language::{Node, Python};
use Verdict::{Ended, Ending, Fine, Preview};

const ENDED: [&str; 3] = ["", "2027-02-01", "2027-03-03"];
const BLOCKED: [&str; 3] = ["", "", ""];

/// All runtimes of the two languages, newest first.
pub const RUNTIMES: &[Runtime] = &[
    row("nodejs26.x", Node, Preview, BLOCKED),
    row("nodejs24.x", Node, Fine, ["2028-04-30", "2028-06-01", "2028-07-01"]),
    row("nodejs22.x", Node, Fine, ["2027-04-30", "2027-06-01", "2027-07-01"]),
    row("nodejs20.x", Node, Ended, ["2026-04-30", "2027-02-01", "2027-03-03"]),
    row("nodejs18.x", Node, Ended, ["2025-09-01", "2027-02-01", "2027-03-03"]),
    row("nodejs16.x", Node, Ended, ENDED),
    row("nodejs14.x", Node, Ended, BLOCKED),
    row("nodejs12.x", Node, Ended, BLOCKED),
    row("python3.15", Python, Preview, BLOCKED),
    row("python3.14", Python, Fine, ["2029-06-30", "2029-07-31", "2029-08-31"]),
    row("python3.13", Python, Fine, ["2029-06-30", "2029-07-31", "2029-08-31"]),
    row("python3.12", Python, Fine, ["2028-10-31", "2028-11-30", "2029-01-10"]),
    row("python3.11", Python, Ending, ["2027-06-30", "2027-07-31", "2027-08-31"]),
    row("python3.10", Python, Ending, ["2026-10-31", "2027-02-01", "2027-03-03"]),
    row("python3.9", Python, Ended, ["2025-12-15", "2027-02-01", "2027-03-03"]),
    row("python3.8", Python, Ended, ENDED),
    row("python3.7", Python, Ended, BLOCKED),
    row("python3.6", Python, Ended, BLOCKED),
    row("python2.7", Python, Ended, BLOCKED),
];

/// The row of `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|runtime| runtime.name == name)
}

/// The names of those that may be used.
#[must_use]
pub fn usable() -> Vec<&'static str> {
    let usable = |runtime: &&Runtime| matches!(runtime.verdict, Fine | Ending);
    RUNTIMES.iter().filter(usable).map(|runtime| runtime.name).collect()
}

/// Whether `name` is one of Lambda's runtimes that never run at the edge.
#[must_use]
pub fn never_at_the_edge(name: &str) -> bool {
    ["java", "dotnet", "go1", "ruby", "provided"].iter().any(|family| name.starts_with(family))
}

impl Language {
    /// The runtime to use unless there is a reason for another.
    #[must_use]
    pub fn default_runtime(self) -> &'static str {
        match self {
            Python => DEFAULT_PYTHON,
            Node => DEFAULT_NODE,
        }
    }

    /// The endings that a module's file may have.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Python => &["py"],
            Node => &["js", "mjs", "cjs"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_fine() {
        for language in [Python, Node] {
            let runtime = find(language.default_runtime()).unwrap();
            assert_eq!((runtime.language, runtime.verdict), (language, Fine));
        }
    }

    #[test]
    fn a_runtime_that_may_be_used_has_its_dates() {
        for runtime in RUNTIMES.iter().filter(|runtime| matches!(runtime.verdict, Fine | Ending)) {
            assert!(
                runtime.deprecated < runtime.create_blocked
                    && runtime.create_blocked < runtime.update_blocked,
                "{runtime:?}"
            );
            assert_eq!(runtime.deprecated.len(), 10);
        }
    }

    #[test]
    fn other_languages_never_run_at_the_edge() {
        assert!(
            never_at_the_edge("java21")
                && never_at_the_edge("provided.al2023")
                && !never_at_the_edge("python3.13")
        );
    }
}
