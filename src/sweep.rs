//! What is left of stacks in an account, put together from traces: objects of ours that a list
//! shows.
//!
//! Pure. A stack's remains have the names of the spec that would cover them, and the ordinary
//! destroy takes them down: there is no second way of deleting things.

use crate::change::{Kind, Notice};
use crate::name::{BucketName, DistributionId, EDGE_REGION, ObjectKey, StackName};
use crate::resource::role::Pages;
use crate::resource::{Owner, ResourceId, Trace, logs};
use crate::spec::{KEY_ON, Protected};
use crate::stack::{Clues, Names};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everything that was found of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    pub stack: StackName,
    pub traces: Vec<Trace>,
    /// Distributions of another owner that run its function.
    pub attached: Vec<DistributionId>,
    /// An object is where the edge function looks for the page.
    pub switch_is_on: bool,
}

/// What a look at the whole account finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub remains: Vec<Remains>,
    /// What two marks give to different stacks, or one mark alone gives to one.
    pub disputed: Vec<(ResourceId, Owner)>,
    /// Where nobody could look.
    pub notices: Vec<Notice>,
}

impl Found {
    /// What may be left of stacks, in words.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        let disputed = self.disputed.iter().filter_map(|(id, owner)| owner.dispute(&id.address()));
        self.notices.iter().cloned().chain(disputed.map(Notice::from)).collect()
    }

    /// The names of everything of which one mark, at least, names the stack.
    #[must_use]
    pub fn clues(&self, stack: &StackName) -> Clues {
        let mut remains = self.remains.iter().filter(|it| it.stack == *stack);
        let mut clues = remains.next().map(Remains::clues).unwrap_or_default();
        let disputed = self.disputed.iter().filter(|(_, owner)| owner.may_be(stack));
        disputed.for_each(|(id, _)| clues.of_id(id));
        clues
    }
}

/// What a user wants to see or to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only this stack, even if a spec covers it.
    pub stack: Option<StackName>,
    /// The stack of the spec at hand.
    pub covered: Option<StackName>,
    /// Only stacks that are at least this old.
    pub older_than: Option<Duration>,
    /// Only stacks whose time is over.
    pub expired: bool,
    /// Also stacks that visitors use.
    pub in_use: bool,
}

/// Puts traces together by stack.
#[must_use]
pub fn group(traces: Vec<Trace>, attached: &BTreeSet<(StackName, DistributionId)>) -> Vec<Remains> {
    let mut stacks: BTreeMap<StackName, Vec<Trace>> = BTreeMap::new();
    for trace in traces {
        stacks.entry(trace.stack.clone()).or_default().push(trace);
    }
    let of = |stack: &StackName| {
        attached.iter().filter(|(owner, _)| owner == stack).map(|(_, id)| id.clone()).collect()
    };
    stacks
        .into_iter()
        .map(|(stack, traces)| Remains { attached: of(&stack), stack, traces, switch_is_on: false })
        .collect()
}

impl Remains {
    /// When the oldest part was made.
    #[must_use]
    pub fn since(&self) -> Option<u64> {
        self.traces.iter().filter_map(|trace| trace.since).min()
    }

    /// How long the stack shall live, if all of it says so that carries tags.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        let said = |trace: &Trace| humantime::parse_duration(trace.ttl.as_ref()?).ok();
        let tagged = self.traces.iter().filter(|trace| trace.kind.is_tagged());
        let all: Option<Vec<_>> = tagged.map(said).collect();
        // Where they differ, an apply that lengthens it was cut short, or another user wrote one:
        // the longest holds.
        all?.into_iter().max()
    }

    /// Is it what the user asked for, at time `now`?
    #[must_use]
    pub fn is_chosen(&self, selection: &Selection, now: u64) -> bool {
        let Selection { stack, covered, older_than, expired, in_use: _ } = selection;
        let named = match stack {
            Some(stack) => *stack == self.stack,
            None => covered.as_ref() != Some(&self.stack),
        };
        let old_enough =
            older_than.is_none_or(|least| self.age(now).is_some_and(|age| age >= least));
        named && old_enough && (!expired || self.is_over(now))
    }

    /// How old the oldest part is.
    #[must_use]
    pub fn age(&self, now: u64) -> Option<Duration> {
        self.since().map(|since| Duration::from_secs(now.saturating_sub(since)))
    }

    /// Is its time over?
    #[must_use]
    pub fn is_over(&self, now: u64) -> bool {
        matches!((self.age(now), self.ttl()), (Some(age), Some(ttl)) if age >= ttl)
    }

    /// What of it is protected, as its tags say.
    #[must_use]
    pub fn protect(&self) -> BTreeSet<Protected> {
        self.traces
            .iter()
            .filter_map(|trace| trace.protect.as_deref())
            .flat_map(Protected::among)
            .collect()
    }

    /// Do visitors reach it: by a distribution of its own, or by its function in another one?
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        !self.attached.is_empty() || self.traces.iter().any(|trace| trace.enabled == Some(true))
    }

    /// Does it stay where nobody is asked? Visitors use it, and neither its name nor its own time
    /// to live was what chose it.
    #[must_use]
    pub fn stays(&self, selection: &Selection) -> bool {
        self.is_in_use() && !(selection.in_use || selection.expired || selection.stack.is_some())
    }

    /// Where its switches lie: bucket, its region, and the key that is looked for, which the role's
    /// policy says as long as there is one.
    #[must_use]
    pub fn switches(&self, pages: &Pages) -> Vec<(BucketName, Option<String>, ObjectKey)> {
        let buckets = self.traces.iter().filter(|trace| trace.kind == Kind::Bucket);
        let switch = |trace: &Trace| {
            let bucket: BucketName = trace.name.parse().ok()?;
            let key = pages.get(&bucket).cloned().or_else(|| KEY_ON.parse().ok())?;
            Some((bucket, trace.place.clone(), key))
        };
        buckets.filter_map(switch).collect()
    }

    /// The names of everything there is: an earlier spec may have named more than one of a kind.
    #[must_use]
    pub fn clues(&self) -> Clues {
        let of = |kind: Kind| {
            self.traces
                .iter()
                .filter(move |trace| trace.kind == kind)
                .map(|trace| trace.name.as_str())
        };
        let written = of(Kind::Logs).filter_map(logs::function);
        Clues {
            buckets: of(Kind::Bucket).filter_map(|name| name.parse().ok()).collect(),
            roles: of(Kind::Role).filter_map(|name| name.parse().ok()).collect(),
            functions: of(Kind::Function)
                .filter_map(|name| name.parse().ok())
                .chain(written)
                .collect(),
        }
    }

    /// The names in the spec that would cover these remains.
    ///
    /// # Errors
    /// The rule that a name breaks: no spec can say it, and another thing must not go in its place.
    pub fn names(&self) -> Result<Names, &'static str> {
        let of = |kind: Kind| self.traces.iter().find(move |trace| trace.kind == kind);
        let bucket = of(Kind::Bucket);
        let region = bucket.and_then(|bucket| bucket.place.as_deref()).unwrap_or(EDGE_REGION);
        let mut names = Names::of_stack(&self.stack, region.parse()?)?;
        names.bucket = bucket.map(|bucket| bucket.name.parse()).transpose()?;
        if let Some(role) = of(Kind::Role) {
            names.role = role.name.parse()?;
            names.role_path = role.place.as_deref().unwrap_or("/").parse()?;
        }
        let written = of(Kind::Logs).and_then(|group| logs::function(&group.name));
        let function = of(Kind::Function).map(|function| function.name.parse()).transpose()?;
        names.function = function.or(written).unwrap_or(names.function);
        names.attached = self.attached.first().cloned();
        names.also = self.clues();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{TTL_TAG, Tags};

    fn remains(ttl: Option<&str>) -> Remains {
        let tags: Tags = ttl.map(|ttl| (TTL_TAG.to_owned(), ttl.to_owned())).into_iter().collect();
        let trace = |kind, name: &str, place: Option<&str>| Trace {
            place: place.map(str::to_owned),
            since: Some(1_000),
            ..Trace::of("demo".parse().unwrap(), kind, name, &tags)
        };
        let traces = vec![
            trace(Kind::Bucket, "demo-1", Some("eu-west-1")),
            trace(Kind::Role, "r", Some("/team/")),
            trace(Kind::Function, "f", None),
        ];
        group(traces, &BTreeSet::new()).remove(0)
    }

    #[test]
    fn remains_are_chosen_by_stack_age_and_time_to_live() {
        let selection = |change: &dyn Fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            selection
        };
        let found = remains(Some("1h"));
        let demo: StackName = "demo".parse().unwrap();
        for (selection, now, chosen) in [
            (selection(&|_| ()), 1_000, true),
            (selection(&|c| c.covered = Some(demo.clone())), 1_000, false),
            (
                selection(&|c| (c.covered, c.stack) = (Some(demo.clone()), Some(demo.clone()))),
                1_000,
                true,
            ),
            (selection(&|c| c.stack = Some("other".parse().unwrap())), 1_000, false),
            (selection(&|c| c.older_than = Some(Duration::from_mins(1))), 1_059, false),
            (selection(&|c| c.older_than = Some(Duration::from_mins(1))), 1_060, true),
            (selection(&|c| c.expired = true), 4_599, false),
            (selection(&|c| c.expired = true), 4_600, true),
        ] {
            assert_eq!(found.is_chosen(&selection, now), chosen, "{selection:?} at {now}");
        }
        let mut differ = remains(Some("1h"));
        differ.traces[1].ttl = Some("3h".into());
        assert_eq!(
            differ.ttl(),
            Some(Duration::from_hours(3)),
            "an apply that lengthened it was cut short"
        );
        differ.traces[1].ttl = None;
        assert_eq!(differ.ttl(), None, "a tag on one of them may be anybody's");
        assert!(
            !remains(None).is_chosen(&selection(&|c| c.expired = true), u64::MAX),
            "what has no time to live does not expire"
        );
    }

    /// How it was chosen, how visitors reach it, and whether it stays where nobody is asked.
    #[test]
    fn what_visitors_use_is_taken_down_by_name_by_its_own_time_or_by_a_word() {
        let by = |change: fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            selection
        };
        let reached = |change: fn(&mut Remains)| {
            let mut remains = remains(None);
            change(&mut remains);
            remains
        };
        let idle = reached(|remains| remains.switch_is_on = true);
        let attached = reached(|remains| remains.attached = vec!["E2ABCDEF0123".parse().unwrap()]);
        let enabled = reached(|remains| remains.traces[0].enabled = Some(true));
        let disabled = reached(|remains| remains.traces[0].enabled = Some(false));
        for (selection, means_it) in [
            (by(|_| ()), false),
            (by(|selection| selection.older_than = Some(Duration::ZERO)), false),
            (by(|selection| selection.expired = true), true),
            (by(|selection| selection.stack = Some("demo".parse().unwrap())), true),
            (by(|selection| selection.in_use = true), true),
        ] {
            for (remains, used) in
                [(&idle, false), (&disabled, false), (&attached, true), (&enabled, true)]
            {
                assert_eq!(
                    remains.stays(&selection),
                    used && !means_it,
                    "{selection:?} {remains:?}"
                );
            }
        }
    }

    #[test]
    fn remains_have_the_names_of_the_spec_that_covers_them() {
        let names = remains(None).names().unwrap();
        assert_eq!(
            (names.region.as_str(), names.role_path.as_str(), names.function.as_str()),
            ("eu-west-1", "/team/", "f")
        );
        assert_eq!(names.bucket.map(|name| name.to_string()).as_deref(), Some("demo-1"));
    }

    #[test]
    fn nothing_goes_in_the_place_of_what_no_spec_can_name() {
        let trace = |name: &str| {
            let trace = Trace::of("null".parse().unwrap(), Kind::Bucket, name, &Tags::new());
            Trace { place: Some("eu-west-1".into()), ..trace }
        };
        let names = |bucket: &str| group(vec![trace(bucket)], &BTreeSet::new()).remove(0).names();
        assert_eq!(names("1e3").unwrap().function.as_str(), "null-edge");
        assert!(names("Bucket_of_2015").is_err());
    }
}
