//! Our statements in the bucket policy: our distribution, and no other, may read the objects; no
//! distribution may read what is not for visitors; and nobody may speak to the bucket in plain
//! HTTP. Other people's statements stay.
//!
//! The first is also the stack's memory: the distribution's id stands in it.

use super::{Standing, policy};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{AccountId, BucketName, DistributionId};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// By which the statement that lets our distribution read is known among others.
pub const SID: &str = "ProvisionCloudFrontRead";

/// By which the statement against plain HTTP is known among others.
pub const TLS_SID: &str = "ProvisionDenyPlainHttp";

/// Lets the distribution read (CloudFront Developer Guide, "Restrict access to an Amazon S3
/// origin").
#[must_use]
pub fn statement(bucket: &BucketName, account: &AccountId, distribution: &DistributionId) -> Value {
    read(bucket, &distribution.arn(account))
}

fn read(bucket: &BucketName, source: &str) -> Value {
    json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": format!("{}/*", bucket.arn()),
        "Condition": {"StringEquals": {"AWS:SourceArn": source}},
    })
}

/// Refuses whoever comes without TLS (Amazon S3 User Guide, "Enforce encryption of data in
/// transit").
#[must_use]
pub fn tls_only(bucket: &BucketName) -> Value {
    json!({
        "Sid": TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn(), format!("{}/*", bucket.arn())],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}

/// By which the statement that keeps CloudFront from what is not for visitors is known.
pub const HIDDEN_SID: &str = "ProvisionDenyControlData";

/// Keeps CloudFront from what is not for visitors: who turned a window and until when, and which
/// objects are ours. Whoever needs it reads it with a role of his own.
#[must_use]
pub fn hidden(bucket: &BucketName, keys: &[String]) -> Value {
    let resources: Vec<String> = keys.iter().map(|key| format!("{}/{key}", bucket.arn())).collect();
    json!({
        "Sid": HIDDEN_SID,
        "Effect": "Deny",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": resources,
    })
}

/// A key, or a folder, as a statement names it.
#[must_use]
pub fn pattern(key: &str) -> String {
    let all = if key.ends_with('/') { "*" } else { "" };
    format!("{}{all}", policy::literal(key))
}

fn has_sid(statement: &Value, sid: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(sid)
}

fn is_ours(statement: &Value) -> bool {
    [SID, HIDDEN_SID, TLS_SID].iter().any(|sid| has_sid(statement, sid))
}

/// Our statements and everybody else's.
fn parted(policy: Option<&Value>) -> (Vec<Value>, Vec<Value>) {
    policy.map(policy::statements).unwrap_or_default().into_iter().partition(is_ours)
}

/// Does the policy hold a statement of ours, whatever it says by now?
#[must_use]
pub fn exists(policy: Option<&Value>) -> bool {
    !parted(policy).0.is_empty()
}

/// What ours should be in this policy, if `source` may read, and none of these keys. Another
/// owner's statement against plain HTTP does as well as ours.
fn wanted(
    bucket: &BucketName,
    source: Option<&str>,
    keys: &[String],
    policy: Option<&Value>,
) -> Vec<Value> {
    let (ours, others) = parted(policy);
    let tls_only = tls_only(bucket);
    let needed = ours.iter().any(|statement| has_sid(statement, TLS_SID))
        || !others.iter().any(|statement| policy::same_statement(statement, &tls_only));
    source
        .map(|source| read(bucket, source))
        .into_iter()
        .chain((!keys.is_empty()).then(|| hidden(bucket, keys)))
        .chain(needed.then_some(tls_only))
        .collect()
}

/// The distribution that our statement names first.
#[must_use]
pub fn distribution(policy: Option<&Value>) -> Option<DistributionId> {
    readers(policy).into_iter().next()
}

/// The distributions that our statement names; we write one, others may have added theirs.
#[must_use]
pub fn readers(policy: Option<&Value>) -> Vec<DistributionId> {
    let statements = policy.map(policy::statements).unwrap_or_default();
    let named = |statement: &Value| {
        let condition = statement.pointer("/Condition/StringEquals")?.as_object()?;
        let (_, arns) =
            condition.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:sourcearn"))?;
        Some(arns.as_array().cloned().unwrap_or_else(|| vec![arns.clone()]))
    };
    let arns = statements
        .iter()
        .find(|statement| has_sid(statement, SID))
        .and_then(named)
        .unwrap_or_default();
    arns.iter().filter_map(|arn| DistributionId::from_arn(arn.as_str()?)).collect()
}

/// The policy with our statements replaced by `ours`. `None`: no statement is left.
#[must_use]
pub fn with_statements(policy: Option<&Value>, ours: Vec<Value>) -> Option<Value> {
    let statements = [parted(policy).1, ours].concat();
    let version = policy
        .and_then(|policy| policy.get("Version"))
        .cloned()
        .unwrap_or_else(|| json!("2012-10-17"));
    // What is no object holds nothing that could be kept.
    let mut whole =
        policy.filter(|policy| policy.is_object()).cloned().unwrap_or_else(|| json!({}));
    whole["Version"] = version;
    let left = !statements.is_empty();
    whole["Statement"] = Value::Array(statements);
    left.then_some(whole)
}

/// Who may read through CloudFront.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Reader {
    /// Nobody: the stack has no distribution of its own.
    Nobody,
    /// This distribution, by its ARN.
    Known(String),
    /// The distribution that this plan creates.
    New,
}

impl Reader {
    /// As people read it.
    fn shown(&self) -> Option<&str> {
        match self {
            Self::Nobody => None,
            Self::Known(arn) => Some(arn),
            Self::New => Some("the new distribution"),
        }
    }
}

/// One mutation of the bucket policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Put our statements among the others.
    Put {
        /// The policy that was seen. S3 has no guard for it, so it is read again just before.
        before: Option<Value>,
        /// Who may read.
        reader: Reader,
        /// Which keys no distribution may read, as patterns of IAM.
        hidden: Vec<String>,
        /// The bucket comes to be in the same plan: nobody can have written a policy.
        new: bool,
    },
    /// Take our statements out.
    Remove {
        /// The policy that was seen.
        before: Value,
    },
}

/// How our statements in the policy of the bucket stand.
#[must_use]
pub fn standing(bucket: &BucketName, policy: Option<&Value>) -> Standing {
    Standing::of(bucket, exists(policy))
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, bucket: &BucketName) -> Change {
        match self {
            Self::Put { before, reader, hidden, .. } => {
                let (seen, wanted) = (
                    parted(before.as_ref()).0,
                    wanted(bucket, reader.shown(), hidden, before.as_ref()),
                );
                let read = reader
                    .shown()
                    .map(|arn| format!("let {} read", arn.rsplit('/').next().unwrap_or_default()));
                let summary = read
                    .into_iter()
                    .chain((!hidden.is_empty()).then(|| "hide control data".to_owned()))
                    .chain(Some("deny plain HTTP".to_owned()))
                    .collect::<Vec<_>>()
                    .join(", ");
                let action = if seen.is_empty() { Action::Create } else { Action::Update };
                let change = Change::new(Address::new(Kind::Grant, bucket), action, summary);
                if seen.is_empty() {
                    change
                } else {
                    change.with(policy::changes("statement", &seen, &wanted))
                }
            }
            Self::Remove { before } => {
                let gone = parted(Some(before))
                    .0
                    .iter()
                    .map(|statement| FieldChange::removed("statement", policy::show(statement)))
                    .collect::<Vec<_>>();
                Change::new(
                    Address::new(Kind::Grant, bucket),
                    Action::Delete,
                    "remove our statements",
                )
                .with(gone)
            }
        }
    }
}
