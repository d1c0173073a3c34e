//! What the bucket needs.

use super::{Live, Op, Settings, Versioning};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, StackName};
use crate::resource::{Mark, Owner, Planned, claim, stack_in, tags};

/// Is this bucket the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    stack_in(&live.settings.tags).as_ref() == Some(stack)
}

/// Whose bucket this is: its tag says that it is a stack's. `index` is the stack whose index is in
/// it, where a user looked.
#[must_use]
pub fn owner(live: &Live, index: Option<&str>) -> Owner {
    let says = index.and_then(|stack| stack.parse().ok());
    Owner::by_tag(stack_in(&live.settings.tags), says, Mark::Index)
}

/// Plans creation and repair. `adopt` takes over a bucket that is not ours.
#[must_use]
pub fn plan(
    stack: &StackName,
    name: &BucketName,
    desired: &Settings,
    live: Option<&Live>,
    index: Option<&str>,
    adopt: bool,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let Some(live) = live else {
        planned.ops.push(Op::Create { settings: desired.clone() });
        planned.ops.push(Op::BlockPublicAccess { new: true });
        if desired.versioning == Versioning::Enabled {
            planned
                .ops
                .push(Op::SetVersioning { before: Versioning::Off, after: Versioning::Enabled });
        }
        return planned;
    };
    let address = Address::new(Kind::Bucket, name);
    let have = &live.settings;
    let adopts = match claim(stack, &owner(live, index), &address, adopt) {
        Ok(adopts) => adopts,
        Err(conflict) => return planned.refused(conflict),
    };
    if have.region != desired.region {
        return planned.refused(Conflict {
            address,
            reason: format!(
                "is in {}, the spec says {}; a bucket cannot move",
                have.region, desired.region
            ),
            hint: format!("set `region: {}`, or choose another `bucket.name`", have.region),
        });
    }
    if adopts && live.abac {
        return planned.refused(Conflict {
            address,
            reason: "has ABAC on, so that S3 refuses PutBucketTagging, and cannot get our \
                tag"
            .into(),
            hint: format!(
                "turn it off (`aws s3api put-bucket-abac --bucket {name} --abac-status \
                    Status=Disabled`), or choose another `bucket.name`"
            ),
        });
    }
    match tags::plan(&address, &have.tags, &desired.tags) {
        Ok(tags) => {
            planned.ops.extend(tags.map(|tags| Op::SetTags { tags, adopts }));
        }
        Err(conflict) => return planned.refused(conflict),
    }
    if !have.private {
        planned.ops.push(Op::BlockPublicAccess { new: false });
    }
    if !have.owner_enforced {
        planned.ops.push(Op::EnforceOwnership);
    }
    let after = reachable(have.versioning, desired.versioning);
    if have.versioning != after {
        planned.ops.push(Op::SetVersioning { before: have.versioning, after });
    }
    if let Some(key) = &live.kms_key {
        let text = format!(
            "encrypts with KMS key `{key}`: CloudFront and the edge function read its objects only \
                if the key's policy lets \
             cloudfront.amazonaws.com and the role use `kms:Decrypt`"
        );
        planned.notices.push(Notice { address, text });
    }
    planned
}

/// A spec that says nothing leaves it as it is. What was on can only be suspended, and what is off
/// needs no suspension.
fn reachable(have: Versioning, want: Versioning) -> Versioning {
    match (have, want) {
        (have, Versioning::Off) => have,
        (Versioning::Off, Versioning::Suspended) => Versioning::Off,
        (_, want) => want,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{STACK_TAG, Tags};

    fn settings() -> Settings {
        Settings {
            region: "eu-west-1".parse().unwrap(),
            private: true,
            owner_enforced: true,
            versioning: Versioning::Off,
            tags: Tags::from([(STACK_TAG.into(), "shop".into())]),
        }
    }

    fn ops(change: impl Fn(&mut Settings)) -> Vec<String> {
        let mut have = settings();
        change(&mut have);
        let live = Live { settings: have, abac: false, kms_key: None };
        let planned = plan(
            &"shop".parse().unwrap(),
            &"shop-1".parse().unwrap(),
            &settings(),
            Some(&live),
            None,
            false,
        );
        planned
            .ops
            .iter()
            .map(|op| op.change(&"shop-1".parse().unwrap()).summary)
            .chain(planned.conflicts.iter().map(|conflict| conflict.reason.clone()))
            .collect()
    }

    #[test]
    fn every_drift_has_its_op() {
        assert_eq!(ops(|_| ()), Vec::<String>::new());
        assert_eq!(ops(|have| have.private = false), ["block public access"]);
        assert_eq!(ops(|have| have.owner_enforced = false), ["turn ACLs off"]);
        assert_eq!(ops(|have| have.versioning = Versioning::Enabled), Vec::<String>::new());
        assert_eq!(ops(|have| have.versioning = Versioning::Suspended), Vec::<String>::new());
        assert_eq!(
            ops(|have| drop(have.tags.insert("x".into(), "y".into()))),
            Vec::<String>::new()
        );
        assert_eq!(
            ops(|have| drop(have.tags.insert("provision:ttl".into(), "1day".into()))),
            ["set tags"]
        );
        assert_eq!(ops(|have| have.tags.clear()), ["exists and does not carry our tag"]);
        assert_eq!(
            ops(|have| have.region = "eu-west-2".parse().unwrap()),
            ["is in eu-west-2, the spec says eu-west-1; a bucket cannot move"]
        );
    }

    #[test]
    fn a_foreign_bucket_is_adopted_only_on_request() {
        let mut have = settings();
        have.tags.clear();
        let adopt = |abac| {
            let live = Live { settings: have.clone(), abac, kms_key: None };
            plan(
                &"shop".parse().unwrap(),
                &"shop-1".parse().unwrap(),
                &settings(),
                Some(&live),
                None,
                true,
            )
        };
        assert!(
            matches!(adopt(false).ops.as_slice(), [Op::SetTags { adopts: true, .. }]),
            "{:?}",
            adopt(false)
        );
        let refused = adopt(true);
        assert!(
            refused.ops.is_empty() && refused.conflicts[0].reason.contains("ABAC"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_kms_key_stays_and_is_told_of() {
        let live = Live { settings: settings(), abac: false, kms_key: Some("arn:key".into()) };
        let planned = plan(
            &"shop".parse().unwrap(),
            &"shop-1".parse().unwrap(),
            &settings(),
            Some(&live),
            None,
            false,
        );
        assert_eq!((planned.ops.len(), planned.notices.len()), (0, 1));
        assert!(planned.notices[0].text.contains("`arn:key`"), "{planned:?}");
    }

    #[test]
    fn versioning_changes_only_where_the_spec_speaks_of_it() {
        use Versioning::{Enabled, Off, Suspended};
        let rows = [
            (Off, Off, Off),
            (Enabled, Off, Enabled),
            (Suspended, Off, Suspended),
            (Off, Suspended, Off),
            (Enabled, Suspended, Suspended),
            (Suspended, Suspended, Suspended),
            (Off, Enabled, Enabled),
            (Suspended, Enabled, Enabled),
            (Enabled, Enabled, Enabled),
        ];
        for (have, want, after) in rows {
            assert_eq!(reachable(have, want), after, "{have} {want}");
        }
    }
}
