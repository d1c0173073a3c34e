//! What the bucket policy needs.

use super::{Op, distribution, is_ours, statement};
use crate::name::{AccountId, BucketName, DistributionId};
use crate::resource::policy;
use serde_json::Value;

/// Plans our statement. `to` is the live distribution; `None`: it comes to be in the same plan. `bucket_exists`: before this plan.
#[must_use]
pub fn plan(
    account: &AccountId,
    bucket: &BucketName,
    to: Option<&DistributionId>,
    live: Option<&Value>,
    bucket_exists: bool,
) -> Option<Op> {
    let seen = live.map(policy::statements).unwrap_or_default().into_iter().find(is_ours);
    let intact = match (to, &seen) {
        (Some(id), Some(seen)) => policy::same_statement(seen, &statement(bucket, account, id)),
        _ => false,
    };
    (!intact).then(|| Op::Put { bucket: bucket.clone(), before: live.cloned(), distribution: to.cloned(), new: !bucket_exists })
}

/// Plans the statement's removal from a bucket that stays.
#[must_use]
pub fn teardown(bucket: &BucketName, live: Option<&Value>) -> Option<Op> {
    let before = live?;
    let ours = distribution(Some(before)).is_some() || policy::statements(before).iter().any(is_ours);
    ours.then(|| Op::Remove { bucket: bucket.clone(), before: before.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::{SID, with_statement};
    use super::*;
    use serde_json::json;

    #[test]
    fn our_statement_is_repaired_and_others_stay() {
        let account = "123456789012".parse().unwrap();
        let bucket: BucketName = "shop-1".parse().unwrap();
        let id: DistributionId = "E2ABCDEF0123".parse().unwrap();
        let foreign = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"});
        let with = |ours: Option<Value>| with_statement(Some(&json!({"Version": "2012-10-17", "Statement": foreign.clone()})), ours);
        let good = with(Some(statement(&bucket, &account, &id)));
        assert_eq!(plan(&account, &bucket, Some(&id), good.as_ref(), true), None);
        assert_eq!(distribution(good.as_ref()), Some(id.clone()));
        let mut wide = statement(&bucket, &account, &id);
        wide["Condition"] = json!({});
        for broken in [None, with(None), with(Some(wide))] {
            let op = plan(&account, &bucket, Some(&id), broken.as_ref(), true);
            assert!(op.is_some(), "{broken:?}");
        }
        let repaired = with_statement(good.as_ref(), Some(statement(&bucket, &account, &id))).unwrap();
        assert_eq!(policy::statements(&repaired).len(), 2);
        assert_eq!(policy::statements(&with_statement(good.as_ref(), None).unwrap()), [foreign]);
        let alone = with_statement(None, Some(statement(&bucket, &account, &id)));
        assert_eq!(alone.as_ref().unwrap()["Statement"][0]["Sid"], SID);
        assert_eq!(with_statement(alone.as_ref(), None), None);
        assert_eq!(with_statement(Some(&json!(true)), Some(statement(&bucket, &account, &id))), alone, "what is no policy is no obstacle");
    }
}
