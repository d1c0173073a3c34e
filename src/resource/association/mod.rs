//! Slots (distribution × behavior × event) of a distribution of another owner: the one place
//! there that we may write.

use super::Standing;
use super::distribution::document::{Document, EVENT};
use super::distribution::edit::Edit;
use super::distribution::{self, Behavior, serialize_digest};
use super::function::{Occupant, VersionReference};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::DistributionId;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;
mod unreached;

/// One slot's change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// The occupant as seen; `None`: nobody.
    pub before: Option<Occupant>,
    /// It gets the request's body, which we never ask for.
    pub with_body: bool,
    /// Fill with our version, or leave it empty?
    pub fill: bool,
}

impl Turn {
    fn show_before(&self) -> String {
        let body = if self.with_body { ", with the body" } else { "" };
        let occupant = self.before.as_ref().map_or_else(|| "(none)".into(), Occupant::show);
        format!("{occupant}{body}")
    }
}

/// One mutation of the distribution, or the wait for its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Change these slots, in one update.
    Turn {
        /// The `ETag` that was seen. Guards the write.
        etag: String,
        /// The document that was seen.
        #[serde(serialize_with = "serialize_digest")]
        document: Document,
        /// Behavior → change.
        slots: BTreeMap<Behavior, Turn>,
        /// What fills the slots.
        occupant: VersionReference,
    },
    /// Wait until the last change has reached every edge.
    AwaitDeployed,
}

/// How the distribution stands in which our slots are.
#[must_use]
pub fn standing(id: &DistributionId, live: Option<&distribution::Live>) -> Standing {
    let progress = live.map(distribution::Live::progress);
    Standing { progress, ..Standing::of(id, live.is_some()) }
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, id: &DistributionId) -> Change {
        match self {
            Self::Turn { slots, occupant, .. } => {
                let filled = slots.values().any(|turn| turn.fill);
                let summary = if filled {
                    "fill our slots, keep everything else"
                } else {
                    "empty our slots, keep everything else"
                };
                let action = if filled { Action::Update } else { Action::Delete };
                Change::new(Address::new(Kind::Association, id), action, summary).with(
                    slots.iter().map(|(behavior, turn)| FieldChange {
                        field: format!("{behavior} {EVENT}"),
                        before: Some(turn.show_before()),
                        after: Some(if turn.fill { occupant.show() } else { "(none)".into() }),
                    }),
                )
            }
            Self::AwaitDeployed => Change::new(
                Address::new(Kind::Association, id),
                Action::Await,
                "wait until deployed everywhere, usually a few minutes",
            ),
        }
    }

    /// Does it only wait for a condition, and write nothing?
    #[must_use]
    pub fn is_wait(&self) -> bool {
        match self {
            Self::AwaitDeployed => true,
            Self::Turn { .. } => false,
        }
    }

    /// The edits that the op makes; `arn` is our version's.
    #[must_use]
    pub fn edits(&self, arn: &str) -> Vec<Edit> {
        let Self::Turn { slots, .. } = self else { return Vec::new() };
        let edit = |(behavior, turn): (&Behavior, &Turn)| {
            Edit::Occupant(behavior.clone(), turn.fill.then(|| arn.to_owned()))
        };
        slots.iter().map(edit).collect()
    }

    /// Does it need our version's number?
    #[must_use]
    pub fn fills(&self) -> bool {
        matches!(self, Self::Turn { slots, .. } if slots.values().any(|turn| turn.fill))
    }
}

/// How a behavior is named for people.
#[must_use]
pub fn show_behavior(behavior: &Behavior) -> String {
    if *behavior == Behavior::Default {
        "the default behavior".into()
    } else {
        format!("behavior `{behavior}`")
    }
}
