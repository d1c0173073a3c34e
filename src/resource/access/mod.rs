//! The origin access control (OAC): CloudFront's permission to sign its requests to the bucket.
//! Only for an owned distribution.

use super::Standing;
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::StackName;
use serde::{Deserialize, Serialize};

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// The control's name, which is unique in an account: creating it is what keeps two first applies
/// from making two distributions.
#[must_use]
pub fn name(stack: &StackName) -> String {
    format!("provision-{stack}")
}

/// How we tell that it is ours: these controls take no tags.
#[must_use]
pub fn description(stack: &StackName) -> String {
    super::marker(stack)
}

/// What it signs, and how. The default is how it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// The kind of origin.
    pub origin_type: String,
    /// Which requests.
    pub behavior: String,
    pub protocol: String,
}

impl Default for Signing {
    fn default() -> Self {
        Self { origin_type: "s3".into(), behavior: "always".into(), protocol: "sigv4".into() }
    }
}

/// The control as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// CloudFront's id.
    pub id: String,
    pub name: String,
    pub description: String,
    /// What it signs, and how.
    #[serde(default)]
    pub signing: Signing,
}

/// One mutation of the control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Create it: S3, always sign, sigv4.
    Create,
    /// Let it sign as it should.
    Update {
        id: String,
        before: Signing,
    },
    Delete {
        id: String,
    },
}

/// How the access control stands.
#[must_use]
pub fn standing(live: Option<&Live>) -> Standing {
    Standing::of(live.map_or("(none)", |live| &live.id), live.is_some())
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, stack: &StackName) -> Change {
        match self {
            Self::Create => Change::new(
                Address::new(Kind::Access, name(stack)),
                Action::Create,
                "create origin access control",
            ),
            Self::Update { before, .. } => {
                let after = Signing::default();
                Change::new(Address::new(Kind::Access, name(stack)), Action::Update, "update").with(
                    [
                        FieldChange::between(
                            "origin type",
                            &before.origin_type,
                            &after.origin_type,
                        ),
                        FieldChange::between("signing behavior", &before.behavior, &after.behavior),
                        FieldChange::between("signing protocol", &before.protocol, &after.protocol),
                    ]
                    .into_iter()
                    .flatten(),
                )
            }
            Self::Delete { .. } => {
                Change::new(Address::new(Kind::Access, name(stack)), Action::Delete, "delete")
            }
        }
    }
}
