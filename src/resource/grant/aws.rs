//! The bucket policy on the wire.

use super::{Op, simulate};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, BucketName};
use serde_json::Value;

/// Reads the bucket policy; `None`: no policy, or no bucket.
pub(crate) async fn observe(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
) -> Result<Option<Value>, Fault> {
    let tried = format!("read the policy of bucket {bucket}");
    let sent = clients
        .s3
        .get_bucket_policy()
        .bucket(bucket.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let Some(text) =
        absent(sent.map_err(|error| fault(&tried, &error)))?.and_then(|answer| answer.policy)
    else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Fault::new(FaultKind::Refused, tried, format!("the policy is not JSON: {error}"))
    })
}

/// Carries out one op. What it writes is what the simulation says, from the policy as it is at this
/// moment.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where the policy is not the one that was seen.
pub(crate) async fn apply(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let new = matches!(op, Op::Put { new: true, .. });
    let now = if new { None } else { observe(clients, account, bucket).await? };
    let created = context.references(|known| known.distribution.clone());
    match simulate::simulate(bucket, now.as_ref(), op, account, created.as_ref())? {
        Some(policy) => {
            let sent = clients
                .s3
                .put_bucket_policy()
                .bucket(bucket.as_str())
                .expected_bucket_owner(account.as_str())
                .policy(policy.to_string())
                .send()
                .await;
            sent.map_err(|error| fault(format!("write the policy of bucket {bucket}"), &error))?;
        }
        None => {
            let sent = clients
                .s3
                .delete_bucket_policy()
                .bucket(bucket.as_str())
                .expected_bucket_owner(account.as_str())
                .send()
                .await;
            sent.map_err(|error| fault(format!("delete the policy of bucket {bucket}"), &error))?;
        }
    }
    Ok(Done::Changed(String::new()))
}
