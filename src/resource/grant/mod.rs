//! Our one statement in the bucket policy: our distribution, and no other, may read the objects. Other people's statements stay.
//!
//! It is also the stack's memory: the distribution's id stands in it.

use super::policy;
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{AccountId, BucketName, DistributionId};
use serde::Serialize;
use serde_json::{Value, json};

pub mod aws;
pub mod plan;
pub mod simulate;

/// By which our statement is known among others.
pub const SID: &str = "ProvisionCloudFrontRead";

/// Our statement (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin").
#[must_use]
pub fn statement(bucket: &BucketName, account: &AccountId, distribution: &DistributionId) -> Value {
    json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": format!("{}/*", bucket.arn()),
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn(account)}},
    })
}

fn is_ours(statement: &Value) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(SID)
}

/// Does the policy hold our statement, whatever it says by now?
#[must_use]
pub fn exists(policy: Option<&Value>) -> bool {
    policy.map(policy::statements).unwrap_or_default().iter().any(is_ours)
}

/// The distribution that our statement names.
#[must_use]
pub fn distribution(policy: Option<&Value>) -> Option<DistributionId> {
    let statements = policy::statements(policy?);
    let condition = statements.iter().find(|statement| is_ours(statement))?.pointer("/Condition/StringEquals")?.as_object()?;
    let (_, arn) = condition.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:sourcearn"))?;
    DistributionId::from_arn(arn.as_str().or_else(|| arn.get(0)?.as_str())?)
}

/// The policy with our statement replaced (or, with `None`, gone). `None`: no statement is left.
#[must_use]
pub fn with_statement(policy: Option<&Value>, ours: Option<Value>) -> Option<Value> {
    let others = policy.map(policy::statements).unwrap_or_default().into_iter().filter(|statement| !is_ours(statement));
    let statements: Vec<Value> = others.chain(ours).collect();
    let version = policy.and_then(|policy| policy.get("Version")).cloned().unwrap_or_else(|| json!("2012-10-17"));
    // What is no object holds nothing that could be kept.
    let mut whole = policy.filter(|policy| policy.is_object()).cloned().unwrap_or_else(|| json!({}));
    whole["Version"] = version;
    let left = !statements.is_empty();
    whole["Statement"] = Value::Array(statements);
    left.then_some(whole)
}

/// One mutation of the bucket policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Put our statement among the others.
    Put {
        /// Whose policy.
        bucket: BucketName,
        /// The policy that was seen. S3 has no guard for it, so it is read again just before.
        before: Option<Value>,
        /// Who may read; `None`: the distribution that this plan creates.
        distribution: Option<DistributionId>,
        /// The bucket comes to be in the same plan: nobody can have written a policy.
        new: bool,
    },
    /// Take our statement out.
    Remove {
        /// Whose policy.
        bucket: BucketName,
        /// The policy that was seen.
        before: Value,
    },
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Put { bucket, before, distribution: to, .. } => {
                let seen = before.as_ref().map(policy::statements).unwrap_or_default().into_iter().find(is_ours);
                let action = if seen.is_some() { Action::Update } else { Action::Create };
                let reader = to.as_ref().map_or_else(|| "the new distribution".to_owned(), ToString::to_string);
                let change = Change::new(Address::new(Kind::Grant, bucket), action, format!("let {reader} read"));
                match seen {
                    Some(seen) => change.with([FieldChange {
                        field: "statement".into(),
                        before: Some(policy::show(&seen)),
                        after: Some(format!("s3:GetObject for {reader} only")),
                    }]),
                    None => change,
                }
            }
            Self::Remove { bucket, .. } => Change::new(Address::new(Kind::Grant, bucket), Action::Delete, "remove our statement"),
        }
    }
}
