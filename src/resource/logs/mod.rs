//! The log groups of the edge function: one in each region where it ran, of the same name
//! everywhere, the function's own region included (CloudFront Developer Guide, "Edge function
//! logs"). The edge makes them by itself, keeps them for ever, and leaves them behind when the
//! function goes.

use super::{Standing, Tags};
use crate::change::{Action, Address, Change, Fault, FieldChange, Kind};
use crate::name::{AccountId, EDGE_REGION, FunctionName, Region};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// The retentions that there are, in days (Amazon CloudWatch Logs API Reference,
/// `PutRetentionPolicy`).
pub const RETENTIONS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// How the names of all functions' groups at the edge begin.
#[must_use]
pub fn prefix() -> String {
    format!("/aws/lambda/{EDGE_REGION}.")
}

/// The name of a function's groups.
#[must_use]
pub fn group(function: &FunctionName) -> String {
    format!("{}{function}", prefix())
}

/// The function that writes to groups of this name.
#[must_use]
pub fn function(group: &str) -> Option<FunctionName> {
    group.strip_prefix(&prefix())?.parse().ok()
}

/// A group's ARN, by which it is tagged; `*` stands for every region.
#[must_use]
pub fn arn(region: &str, account: &AccountId, group: &str) -> String {
    format!("arn:aws:logs:{region}:{account}:log-group:{group}")
}

/// How the groups should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long an event is kept, in days; one of [`RETENTIONS`].
    pub retention: u32,
    /// The tags of groups that we make. Groups that the edge made have none.
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupId {
    pub region: Region,
    /// The same in every region.
    pub name: String,
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.region)
    }
}

/// A group as observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// How long an event is kept, in days; `None`: for ever.
    pub retention: Option<u32>,
    /// The account's own policy that says so, instead of the group (`PutRetentionPolicy` then
    /// changes nothing that is seen).
    pub policy: Option<String>,
    /// Its deletion protection is on.
    pub protected: bool,
    /// All tags. They are looked up only where nothing else proves whose the group is.
    pub tags: Tags,
    /// When it was made, in seconds since the Unix epoch.
    #[serde(default)]
    pub created: u64,
}

/// The groups of one name as observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// Those that exist.
    pub groups: BTreeMap<Region, Group>,
    /// The regions that did not let us look, and why.
    pub refused: BTreeMap<Region, Fault>,
}

/// How closely the groups of one name are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Not at all.
    Spared,
    /// Without the tags of those that are younger than our role: the function proves whose these
    /// are.
    Settings,
    /// With their tags, which alone prove whose they are.
    Tags,
}

impl Look {
    /// Are the tags of this group looked up? `since`: from when on there is a role of ours.
    pub(crate) fn asks(self, group: &Group, since: Option<u64>) -> bool {
        match self {
            Self::Spared => false,
            Self::Settings => !group.is_younger(since),
            Self::Tags => true,
        }
    }
}

impl Group {
    fn is_younger(&self, since: Option<u64>) -> bool {
        since.is_some_and(|since| since <= self.created)
    }
}

/// A group whose function is gone, as a look at the whole account finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    pub region: Region,
    pub name: String,
    pub tags: Tags,
    /// When it was made: seconds since the Unix epoch.
    pub since: Option<u64>,
}

/// One mutation of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Create it with its tags.
    Create { tags: Tags },
    /// Set how long events are kept.
    SetRetention {
        /// As seen, in days.
        before: Option<u32>,
        /// As it will be, in days.
        after: u32,
        /// The group comes to be in the same plan.
        new: bool,
    },
    /// Write tags, so that the group is known, and known as protected, without its function.
    SetTags {
        arn: String,
        /// What is written.
        tags: Tags,
    },
    /// Delete it with all events.
    Delete,
}

/// How the log groups of the function stand.
#[must_use]
pub fn standing(function: &FunctionName, live: &Live) -> Standing {
    let count = live.groups.len();
    let regions = if count == 1 { "region" } else { "regions" };
    Standing::of(format!("{} in {count} {regions}", group(function)), count > 0)
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, GroupId { region, name }: &GroupId) -> Change {
        let at = |action, summary| Change::new(Address::new(Kind::Logs, region), action, summary);
        match self {
            Self::Create { .. } => at(Action::Create, format!("create log group {name}")),
            Self::SetRetention { before, after, new, .. } => {
                let field = FieldChange::between("retention", &show(*before), &show(Some(*after)));
                at(Action::Update, format!("keep events for {}", show(Some(*after))))
                    .with(field.filter(|_| !new))
            }
            Self::SetTags { tags, .. } => {
                let fields = tags.iter().map(|(tag, value)| FieldChange::set(tag, value));
                at(Action::Update, "set tags".into()).with(fields)
            }
            Self::Delete { .. } => at(Action::Delete, format!("delete log group {name}")),
        }
    }
}

fn show(retention: Option<u32>) -> String {
    match retention {
        None => "for ever".into(),
        Some(1) => "1 day".into(),
        Some(days) => format!("{days} days"),
    }
}
