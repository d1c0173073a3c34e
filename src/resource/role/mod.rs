//! The execution role: trust policy, one inline policy, description, tags, permissions boundary.

use super::{Standing, Tags, policy, tags};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{RoleName, RolePath};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
mod reach;
pub(crate) mod simulate;

pub use reach::{Pages, Reach, pages_in};

/// The name of our inline policy.
pub const POLICY: &str = "provision";

/// How the role should be, or is. Policies are compared by meaning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Fixed at creation.
    pub path: RolePath,
    /// Who may assume it.
    pub trust: Value,
    /// Our inline policy; `None`: not there.
    pub policy: Option<Value>,
    /// ARN of a managed policy that bounds it.
    pub boundary: Option<String>,
    /// Says that it is ours: lists of roles show descriptions and no tags.
    #[serde(default)]
    pub description: String,
    pub tags: Tags,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let Self { path, trust, policy: inline, boundary, description, tags } = self;
        let inline_same = match (inline, &other.policy) {
            (Some(a), Some(b)) => policy::same(a, b),
            (a, b) => a == b,
        };
        let documents_same = policy::same(trust, &other.trust) && inline_same;
        let rest = |settings: &Self| {
            (
                settings.path.clone(),
                settings.boundary.clone(),
                settings.description.clone(),
                settings.tags.clone(),
            )
        };
        documents_same
            && (path.clone(), boundary.clone(), description.clone(), tags.clone()) == rest(other)
    }
}

/// The role as observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub settings: Settings,
    /// Inline policies that are not ours.
    pub other_policies: Vec<String>,
    /// ARNs of attached managed policies; we attach none.
    pub attached: Vec<String>,
    /// When it was made, in seconds since the Unix epoch.
    #[serde(default)]
    pub created: u64,
}

/// The trust policy that Lambda@Edge needs: both services, or the association is refused
/// (CloudFront Developer Guide, "Set up IAM permissions and roles for Lambda@Edge").
#[must_use]
pub fn trust_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }]})
}

/// One mutation of the role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Op {
    /// Create it with trust, boundary, description and tags.
    Create {
        /// All of it; the inline policy follows.
        settings: Settings,
    },
    /// Replace the trust policy.
    SetTrust { before: Value, after: Value },
    /// Put our inline policy.
    PutPolicy { before: Option<Value>, after: Value },
    /// Put or remove the permissions boundary.
    SetBoundary { before: Option<String>, after: Option<String> },
    /// Set the description.
    Describe { before: String, after: String },
    /// Set and remove tags of ours.
    SetTags {
        tags: tags::Difference,
        /// The role was not ours before.
        adopts: bool,
    },
    /// Delete an inline policy, on the way to deleting the role.
    DeletePolicy { policy: String },
    /// Detach a managed policy, on the way to deleting the role.
    Detach { arn: String },
    /// Delete the bare role.
    Delete,
}

/// How the role stands.
#[must_use]
pub fn standing(name: &RoleName, live: Option<&Live>) -> Standing {
    Standing::of(name, live.is_some())
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, name: &RoleName) -> Change {
        let at =
            |action, summary: String| Change::new(Address::new(Kind::Role, name), action, summary);
        match self {
            Self::Create { settings } => at(Action::Create, "create".into()).with(
                [FieldChange::set("trust", principals(&settings.trust))].into_iter().chain(
                    settings
                        .boundary
                        .as_ref()
                        .map(|boundary| FieldChange::set("permissions boundary", boundary)),
                ),
            ),
            Self::SetTrust { before, after } => at(Action::Update, "set trust policy".into())
                .with(statement_changes("trust", Some(before), after)),
            Self::PutPolicy { before, after } => at(
                Action::Update,
                format!("put inline policy {POLICY}"),
            )
            .with(statement_changes("policy", before.as_ref(), after)),
            Self::SetBoundary { before, after } => {
                at(Action::Update, "set permissions boundary".into()).with([FieldChange {
                    field: "permissions boundary".into(),
                    before: before.clone(),
                    after: after.clone(),
                }])
            }
            Self::Describe { before, after } => {
                at(Action::Update, "set description".into()).with([FieldChange {
                    field: "description".into(),
                    before: (!before.is_empty()).then(|| before.clone()),
                    after: Some(after.clone()),
                }])
            }
            Self::SetTags { tags, adopts } => tags.change(Address::new(Kind::Role, name), *adopts),
            Self::DeletePolicy { policy } => {
                at(Action::Delete, format!("delete inline policy {policy}"))
            }
            Self::Detach { arn } => at(Action::Delete, format!("detach policy {arn}")),
            Self::Delete => at(Action::Delete, "delete".into()),
        }
    }
}

fn principals(trust: &Value) -> String {
    let services: Vec<String> = policy::statements(trust)
        .iter()
        .filter_map(|statement| statement.pointer("/Principal/Service").cloned())
        .flat_map(|service| match service {
            Value::Array(items) => items,
            one => vec![one],
        })
        .filter_map(|service| service.as_str().map(str::to_owned))
        .collect();
    services.join(", ")
}

/// What differs between two documents.
fn statement_changes(field: &str, before: Option<&Value>, after: &Value) -> Vec<FieldChange> {
    let changes = policy::changes(
        field,
        &before.map(policy::statements).unwrap_or_default(),
        &policy::statements(after),
    );
    let version = |document: &Value| {
        document.get("Version").and_then(Value::as_str).unwrap_or("2008-10-17").to_owned()
    };
    let versions = before.and_then(|before| {
        FieldChange::between(&format!("{field} version"), &version(before), &version(after))
    });
    changes.into_iter().chain(versions).collect()
}
