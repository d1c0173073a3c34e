//! What the ops do to a bucket policy.

use super::{Op, Reader, wanted, with_statements};
use crate::change::{Fault, FaultKind};
use crate::name::{AccountId, BucketName, DistributionId};
use crate::resource::policy;
use serde_json::Value;

/// Returns the policy after `op`. `created` is the distribution that this plan has made.
///
/// # Errors
/// [`FaultKind::MovedOn`] where the policy is not the one that was seen.
pub(crate) fn simulate(
    bucket: &BucketName,
    live: Option<&Value>,
    op: &Op,
    account: &AccountId,
    created: Option<&DistributionId>,
) -> Result<Option<Value>, Fault> {
    match op {
        Op::Put { before, reader, hidden, new } => {
            if !new {
                unchanged(live, before.as_ref())?;
            }
            let source = match (reader, created) {
                (Reader::Nobody, _) => None,
                (Reader::Known(arn), _) => Some(arn.clone()),
                (Reader::New, Some(created)) => Some(created.arn(account)),
                (Reader::New, None) => {
                    return Err(Fault::new(
                        FaultKind::Local,
                        "write the bucket policy",
                        "no distribution was created",
                    ));
                }
            };
            Ok(with_statements(live, wanted(bucket, source.as_deref(), hidden, live)))
        }
        Op::Remove { before, .. } => {
            unchanged(live, Some(before))?;
            Ok(with_statements(live, Vec::new()))
        }
    }
}

/// Is the policy the one that was seen, by meaning?
///
/// # Errors
/// [`FaultKind::MovedOn`].
pub(crate) fn unchanged(live: Option<&Value>, seen: Option<&Value>) -> Result<(), Fault> {
    let same = match (live, seen) {
        (Some(a), Some(b)) => policy::same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    if same {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::MovedOn,
        "write the bucket policy",
        "the policy is not the one that was seen",
    )
    .hinted("another user changed it in the meantime: run the same command again, it plans anew"))
}
