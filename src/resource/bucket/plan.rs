//! What the bucket needs.

use super::{Live, Op, Settings, Versioning};
use crate::change::{Address, Conflict, Kind};
use crate::name::{BucketName, StackName};
use crate::resource::{Planned, claim, stack_in, tags};

/// Is this bucket the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    stack_in(&live.settings.tags).as_ref() == Some(stack)
}

/// Plans creation and repair. `adopt` takes over a bucket that is not ours.
#[must_use]
pub fn plan(stack: &StackName, name: &BucketName, desired: &Settings, live: Option<&Live>, adopt: bool) -> Planned<Op> {
    let mut planned = Planned::default();
    let Some(live) = live else {
        planned.ops.push(Op::Create { name: name.clone(), settings: desired.clone() });
        planned.ops.push(Op::BlockPublicAccess { name: name.clone(), new: true });
        if desired.versioning == Versioning::Enabled {
            planned.ops.push(Op::SetVersioning { name: name.clone(), before: Versioning::Off, after: Versioning::Enabled });
        }
        return planned;
    };
    let address = Address::new(Kind::Bucket, name);
    let have = &live.settings;
    let adopts = match claim(stack, stack_in(&have.tags).as_ref(), &address, adopt) {
        Ok(adopts) => adopts,
        Err(conflict) => return planned.refused(conflict),
    };
    if have.region != desired.region {
        return planned.refused(Conflict {
            address,
            reason: format!("lies in {}, the spec says {}; a bucket cannot move", have.region, desired.region),
            hint: format!("set `region: {}`, or choose another `bucket.name`", have.region),
        });
    }
    match tags::plan(&address, &have.tags, &desired.tags) {
        Ok(tags) => planned.ops.extend(tags.map(|tags| Op::SetTags { name: name.clone(), tags, adopts })),
        Err(conflict) => return planned.refused(conflict),
    }
    if !have.private {
        planned.ops.push(Op::BlockPublicAccess { name: name.clone(), new: false });
    }
    if !have.owner_enforced {
        planned.ops.push(Op::EnforceOwnership { name: name.clone() });
    }
    if !have.encrypted {
        planned.ops.push(Op::Encrypt { name: name.clone() });
    }
    let after = reachable(have.versioning, desired.versioning);
    if have.versioning != after {
        planned.ops.push(Op::SetVersioning { name: name.clone(), before: have.versioning, after });
    }
    planned
}

/// "Off" cannot be reached any more once versioning was on; suspended is the nearest state.
fn reachable(have: Versioning, want: Versioning) -> Versioning {
    match (have, want) {
        (Versioning::Enabled | Versioning::Suspended, Versioning::Off) => Versioning::Suspended,
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
            encrypted: true,
            versioning: Versioning::Off,
            tags: Tags::from([(STACK_TAG.into(), "shop".into())]),
        }
    }

    fn ops(change: impl Fn(&mut Settings)) -> Vec<String> {
        let mut have = settings();
        change(&mut have);
        let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &settings(), Some(&Live { settings: have }), false);
        planned.ops.iter().map(|op| op.change().summary).chain(planned.conflicts.iter().map(|conflict| conflict.reason.clone())).collect()
    }

    #[test]
    fn every_drift_has_its_op() {
        assert_eq!(ops(|_| ()), Vec::<String>::new());
        assert_eq!(ops(|have| have.private = false), ["block public access"]);
        assert_eq!(ops(|have| have.owner_enforced = false), ["turn ACLs off"]);
        assert_eq!(ops(|have| have.encrypted = false), ["encrypt by default"]);
        assert_eq!(ops(|have| have.versioning = Versioning::Enabled), ["set versioning"]);
        assert_eq!(ops(|have| have.versioning = Versioning::Suspended), Vec::<String>::new());
        assert_eq!(ops(|have| drop(have.tags.insert("x".into(), "y".into()))), Vec::<String>::new());
        assert_eq!(ops(|have| drop(have.tags.insert("provision:ttl".into(), "1day".into()))), ["set tags"]);
        assert_eq!(ops(|have| have.tags.clear()), ["exists and does not carry our tag"]);
        assert_eq!(
            ops(|have| have.region = "eu-west-2".parse().unwrap()),
            ["lies in eu-west-2, the spec says eu-west-1; a bucket cannot move"]
        );
    }

    #[test]
    fn a_foreign_bucket_is_adopted_only_on_request() {
        let mut have = settings();
        have.tags.clear();
        let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &settings(), Some(&Live { settings: have }), true);
        assert!(matches!(planned.ops.as_slice(), [Op::SetTags { adopts: true, .. }]), "{planned:?}");
    }
}
