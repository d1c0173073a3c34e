//! What is left of stacks in an account, put together from traces: objects of ours that a list shows.
//!
//! Pure. A stack's remains become the spec that would cover them, and the ordinary destroy takes them down: there is no
//! second way of deleting things.

use crate::change::{Kind, Notice};
use crate::name::{DistributionId, StackName};
use crate::resource::{Trace, logs};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Everything that was found of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// The stack.
    pub stack: StackName,
    /// What there is.
    pub traces: Vec<Trace>,
    /// Distributions of somebody else that run its function.
    pub attached: Vec<DistributionId>,
}

/// What a look at the whole account finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// By stack.
    pub remains: Vec<Remains>,
    /// What may be left of stacks, and where nobody could look.
    pub notices: Vec<Notice>,
}

/// What a user wants to see or to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only this stack, even if a spec covers it.
    pub stack: Option<StackName>,
    /// The stack of the spec at hand.
    pub covered: Option<StackName>,
    /// Only stacks that are at least this old.
    pub older_than: Option<Duration>,
    /// Only stacks whose time is over.
    pub expired: bool,
}

/// Puts traces together by stack.
#[must_use]
pub fn group(traces: Vec<Trace>, attached: &[(StackName, DistributionId)]) -> Vec<Remains> {
    let mut stacks: BTreeMap<StackName, Vec<Trace>> = BTreeMap::new();
    for trace in traces {
        stacks.entry(trace.stack.clone()).or_default().push(trace);
    }
    let of = |stack: &StackName| attached.iter().filter(|(owner, _)| owner == stack).map(|(_, id)| id.clone()).collect();
    stacks.into_iter().map(|(stack, traces)| Remains { attached: of(&stack), stack, traces }).collect()
}

impl Remains {
    /// When the oldest part was made.
    #[must_use]
    pub fn since(&self) -> Option<u64> {
        self.traces.iter().filter_map(|trace| trace.since).min()
    }

    /// How long the stack shall live, if it says.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.traces.iter().find_map(|trace| humantime::parse_duration(trace.ttl.as_ref()?).ok())
    }

    /// Is it what the user asked for, at time `now`?
    #[must_use]
    pub fn is_chosen(&self, choice: &Choice, now: u64) -> bool {
        let Choice { stack, covered, older_than, expired } = choice;
        let named = match stack {
            Some(stack) => *stack == self.stack,
            None => covered.as_ref() != Some(&self.stack),
        };
        let age = self.since().map(|since| Duration::from_secs(now.saturating_sub(since)));
        let old_enough = older_than.is_none_or(|least| age.is_some_and(|age| age >= least));
        let over = !expired || matches!((age, self.ttl()), (Some(age), Some(ttl)) if age >= ttl);
        named && old_enough && over
    }

    /// The spec that would cover these remains.
    #[must_use]
    pub fn spec(&self) -> String {
        let mut text = format!("stack: {}\n", quoted(self.stack.as_str()));
        let of = |kind: Kind| self.traces.iter().find(move |trace| trace.kind == kind);
        // Writing to a string cannot fail.
        if let Some(bucket) = of(Kind::Bucket) {
            let region = bucket.place.as_ref().map(|region| format!("region: {}\n", quoted(region))).unwrap_or_default();
            let _ = writeln!(text, "{region}bucket: {{ name: {} }}", quoted(&bucket.name));
        }
        if let Some(role) = of(Kind::Role) {
            let path = role.place.as_deref().unwrap_or("/");
            let _ = writeln!(text, "role: {{ name: {}, path: {} }}", quoted(&role.name), quoted(path));
        }
        let function = of(Kind::Function).map(|function| function.name.clone());
        let written = || of(Kind::Logs).and_then(|group| logs::function(&group.name)).map(|function| function.to_string());
        if let Some(name) = function.or_else(written) {
            let _ = writeln!(text, "function: {{ name: {} }}", quoted(&name));
        }
        if let Some(id) = self.attached.first() {
            let _ = writeln!(text, "distribution: {{ id: {}, behaviors: [default] }}", quoted(id.as_str()));
        }
        text
    }
}

/// As a text of the spec: `null` and `1e3` are good names, and IAM's may hold commas, its paths also braces and `${`. JSON's texts
/// are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remains(ttl: Option<&str>) -> Remains {
        let trace = |kind, name: &str, place: Option<&str>| Trace {
            stack: "demo".parse().unwrap(),
            kind,
            name: name.into(),
            place: place.map(str::to_owned),
            since: Some(1_000),
            ttl: ttl.map(str::to_owned),
        };
        let traces = vec![
            trace(Kind::Bucket, "demo-1", Some("eu-west-1")),
            trace(Kind::Role, "r", Some("/team/")),
            trace(Kind::Function, "f", None),
        ];
        group(traces, &[]).remove(0)
    }

    #[test]
    fn remains_are_chosen_by_stack_age_and_time_to_live() {
        let choice = |change: &dyn Fn(&mut Choice)| {
            let mut choice = Choice::default();
            change(&mut choice);
            choice
        };
        let found = remains(Some("1h"));
        let demo: StackName = "demo".parse().unwrap();
        for (choice, now, chosen) in [
            (choice(&|_| ()), 1_000, true),
            (choice(&|c| c.covered = Some(demo.clone())), 1_000, false),
            (choice(&|c| (c.covered, c.stack) = (Some(demo.clone()), Some(demo.clone()))), 1_000, true),
            (choice(&|c| c.stack = Some("other".parse().unwrap())), 1_000, false),
            (choice(&|c| c.older_than = Some(Duration::from_mins(1))), 1_059, false),
            (choice(&|c| c.older_than = Some(Duration::from_mins(1))), 1_060, true),
            (choice(&|c| c.expired = true), 4_599, false),
            (choice(&|c| c.expired = true), 4_600, true),
        ] {
            assert_eq!(found.is_chosen(&choice, now), chosen, "{choice:?} at {now}");
        }
        assert!(!remains(None).is_chosen(&choice(&|c| c.expired = true), u64::MAX), "what has no time to live does not expire");
    }

    #[test]
    fn remains_become_a_spec() {
        let spec = crate::spec::load::from_text(std::path::Path::new("remains.yaml"), &remains(None).spec()).unwrap();
        assert_eq!((spec.region.as_str(), spec.role.path.as_str(), spec.function.name.as_str()), ("eu-west-1", "/team/", "f"));
        assert_eq!(spec.bucket.name.map(|name| name.to_string()).as_deref(), Some("demo-1"));
    }

    #[test]
    fn names_that_yaml_reads_otherwise_stay_names() {
        let trace = |kind, name: &str, place: &str| Trace {
            stack: "null".parse().unwrap(),
            kind,
            name: name.into(),
            place: Some(place.into()),
            since: None,
            ttl: None,
        };
        let traces =
            vec![trace(Kind::Bucket, "1e3", "eu-west-1"), trace(Kind::Role, "@a,b=c", "/x}:${HOME}#\"/"), trace(Kind::Function, "007", "")];
        let text = group(traces, &[]).remove(0).spec();
        let spec = crate::spec::load::from_text(std::path::Path::new("remains.yaml"), &text).unwrap();
        assert_eq!((spec.stack.as_str(), spec.role.name.as_str(), spec.role.path.as_str()), ("null", "@a,b=c", "/x}:${HOME}#\"/"));
        assert_eq!((spec.bucket.name.unwrap().as_str(), spec.function.name.as_str()), ("1e3", "007"));

        let text = group(vec![trace(Kind::Bucket, "Bucket_of_2015", "eu-west-1")], &[]).remove(0).spec();
        let refused = crate::spec::load::from_text(std::path::Path::new("remains.yaml"), &text);
        assert!(refused.is_err(), "another bucket would be taken down in its place");
    }
}
