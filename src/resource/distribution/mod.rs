//! A distribution that is ours: created with its association in it, updated in CloudFront's own
//! document, disabled, deleted.

use super::function::{Occupant, VersionReference};
use super::{Standing, Tags, tags};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{DistributionId, StackName};
use document::{Document, EVENT};
use edit::Edit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use behavior::Behavior;
pub use creation::new_document;
pub use listed::Listed;
pub use managed::{Difference, UNMANAGED};

pub(crate) mod aws;
pub use aws::read_document;
mod behavior;
mod creation;
pub mod document;
pub mod edit;
mod listed;
mod managed;
mod nesting;
pub mod owner;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// The id of the one origin, by which the distribution is found where nothing else names it.
#[must_use]
pub fn origin_id(stack: &StackName) -> String {
    format!("provision-{stack}")
}

/// What the creation of the stack's distribution is called. The control's name is unique and it
/// lives exactly as long as the distribution, so two first applies at the same time use the same
/// reference, and CloudFront lets only one of them create.
fn caller_reference(stack: &StackName, access: &str) -> String {
    format!("{}-{access}", origin_id(stack))
}

/// How the distribution should be, as far as a spec says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The bucket's host.
    pub origin: String,
    /// What `/` serves.
    pub default_root_object: String,
    /// Where visitors are served from.
    pub price_class: String,
    /// Alternate domain names.
    pub aliases: BTreeSet<String>,
    /// ACM certificate.
    pub certificate: Option<String>,
    pub missing: Missing,
    pub comment: String,
}

/// What visitors get where the origin has no object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Missing {
    /// The origin's own answer.
    Said,
    /// The root object, with 200.
    Root,
    /// This object, with 404.
    Page(String),
}

/// The distribution as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// CloudFront's id.
    pub id: DistributionId,
    /// Changes with every write; guards ours.
    pub etag: String,
    /// CloudFront's own document.
    pub document: Document,
    /// The last change has reached every edge.
    pub deployed: bool,
    /// Where visitors find it.
    pub domain: String,
    pub tags: Tags,
}

/// Replaces the document by its digest in saved plans.
pub(crate) fn serialize_digest<S: serde::Serializer>(
    document: &Document,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&document.digest())
}

/// One mutation of the distribution, or the wait for its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Create it with tags and association in one call.
    Create {
        stack: StackName,
        settings: Settings,
        tags: Tags,
        /// Who answers viewer requests.
        occupant: VersionReference,
    },
    /// Repair elements of its document.
    Update {
        id: DistributionId,
        /// The `ETag` that was seen. Guards the write.
        etag: String,
        /// The document that was seen.
        #[serde(serialize_with = "serialize_digest")]
        document: Document,
        /// What is not as it should be.
        differences: Vec<Difference>,
        /// What becomes of the slot, where it changes.
        slot: Option<SlotChange>,
    },
    /// Set and remove tags of ours.
    SetTags {
        id: DistributionId,
        /// Its ARN, by which CloudFront tags.
        arn: String,
        /// Whose it stays: the right to tag is bound to tags that say so.
        stack: StackName,
        tags: tags::Difference,
    },
    /// Wait until the last change has reached every edge.
    AwaitDeployed {
        /// Which; `None`: the one that this plan creates.
        id: Option<DistributionId>,
        /// It is on the way to deletion: it has to be disabled too.
        disabled: bool,
    },
    /// Delete the disabled distribution.
    Delete {
        /// Whose it still has to be where its `ETag` has moved.
        stack: StackName,
        id: DistributionId,
        /// The `ETag` that was seen, where no op before this one changes it.
        etag: Option<String>,
    },
}

/// Who leaves our slot, and who takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlotChange {
    /// As seen; `None`: nobody.
    pub before: Option<Occupant>,
    /// It was seen to get the request's body, too.
    pub with_body: bool,
    /// `None`: nobody.
    pub after: Option<VersionReference>,
}

impl SlotChange {
    fn change(&self) -> FieldChange {
        let body = if self.with_body { ", with the body" } else { "" };
        FieldChange {
            field: format!("{} {EVENT}", Behavior::Default),
            before: self.before.as_ref().map(|seen| seen.show() + body),
            after: self.after.as_ref().map(VersionReference::show),
        }
    }
}

/// How our distribution stands.
#[must_use]
pub fn standing(live: Option<&Live>) -> Standing {
    let name = live.map_or_else(|| "(none)".to_owned(), |live| live.id.to_string());
    Standing { progress: live.map(Live::progress), ..Standing::of(name, live.is_some()) }
}

impl Live {
    /// How far its deployment is.
    #[must_use]
    pub fn progress(&self) -> &'static str {
        if self.deployed { "deployed" } else { "still deploying" }
    }

    /// The ARNs of the functions in its slots, of any event.
    #[must_use]
    pub fn occupants(&self) -> BTreeSet<String> {
        let behaviors = self.document.read().behaviors.into_values();
        behaviors.flat_map(|behavior| behavior.functions.into_values()).collect()
    }
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        let at = |name: &dyn std::fmt::Display, action, summary: &str| {
            Change::new(Address::new(Kind::Distribution, name), action, summary)
        };
        match self {
            Self::Create { stack, settings, occupant, .. } => at(stack, Action::Create, "create")
                .with(
                    [
                        FieldChange::set("origin", &settings.origin),
                        FieldChange::set("default root object", &settings.default_root_object),
                        FieldChange::set("price class", &settings.price_class),
                        FieldChange::set(
                            &format!("{} {EVENT}", Behavior::Default),
                            occupant.show(),
                        ),
                    ]
                    .into_iter()
                    .chain((!settings.aliases.is_empty()).then(|| {
                        FieldChange::set(
                            "aliases",
                            settings.aliases.iter().cloned().collect::<Vec<_>>().join(", "),
                        )
                    })),
                ),
            Self::Update { id, differences, slot, .. } => {
                let disables = differences.iter().any(|difference| difference.disables);
                let summary = if disables { "disable" } else { "update" };
                let slot = slot.as_ref().map(SlotChange::change);
                at(id, Action::Update, summary).with(
                    differences.iter().map(|difference| difference.change.clone()).chain(slot),
                )
            }
            Self::SetTags { id, tags, .. } => {
                tags.change(Address::new(Kind::Distribution, id), false)
            }
            Self::AwaitDeployed { id, .. } => {
                let name: &dyn std::fmt::Display = id.as_ref().map_or(&"(new)", |id| id);
                at(name, Action::Await, "wait until deployed everywhere, usually a few minutes")
            }
            Self::Delete { id, .. } => at(id, Action::Delete, "delete"),
        }
    }

    /// Does it only wait for a condition, and write nothing?
    #[must_use]
    pub fn is_wait(&self) -> bool {
        match self {
            Self::AwaitDeployed { .. } => true,
            Self::Create { .. }
            | Self::Update { .. }
            | Self::SetTags { .. }
            | Self::Delete { .. } => false,
        }
    }

    /// Do edges hold copies afterwards that the distribution would not give any more?
    pub(crate) fn outdates_copies(&self) -> bool {
        match self {
            Self::Update { differences, .. } => differences.iter().any(managed::outdates_copies),
            _ => false,
        }
    }

    /// Who answers in the slot once this is done; `None`: nobody, or the slot stays as it is.
    pub(crate) fn occupant(&self) -> Option<&VersionReference> {
        match self {
            Self::Create { occupant, .. } => Some(occupant),
            Self::Update { slot, .. } => slot.as_ref()?.after.as_ref(),
            _ => None,
        }
    }

    /// The edits that an update makes. `arn` is the occupant's, where it has one; `access` the
    /// access control's id.
    #[must_use]
    pub fn edits(&self, arn: Option<&str>, access: &str) -> Vec<Edit> {
        let Self::Update { differences, slot, .. } = self else { return Vec::new() };
        let differing = differences.iter().flat_map(|difference| difference.edits.iter().cloned());
        let slot = slot.as_ref().map(|_| Edit::Occupant(Behavior::Default, arn.map(str::to_owned)));
        differing.map(|edit| edit.knowing(access)).chain(slot).collect()
    }
}
