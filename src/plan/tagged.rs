//! Everything of a stack that carries tags, in the spec or not.

use crate::name::{AccountId, BucketName, DistributionId, FunctionName, RoleName};
use crate::resource::tags::Difference;
use crate::resource::{Tags, bucket, distribution, function, role};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};

/// One thing with its tags.
pub(super) struct Tagged<'a> {
    thing: Thing<'a>,
    pub(super) tags: &'a Tags,
    /// The spec does not name it. Our own distribution has no name to go by.
    pub(super) is_former: bool,
}

enum Thing<'a> {
    Bucket(&'a BucketName),
    Role(&'a RoleName),
    Function(&'a FunctionName),
    Distribution(&'a DistributionId),
}

impl Tagged<'_> {
    /// The word that protects it.
    pub(super) fn protected(&self) -> Protected {
        match self.thing {
            Thing::Bucket(_) => Protected::Bucket,
            Thing::Role(_) => Protected::Role,
            Thing::Function(_) => Protected::Function,
            Thing::Distribution(_) => Protected::Distribution,
        }
    }

    /// Changes its tags.
    pub(super) fn set(&self, account: &AccountId, tags: Difference) -> Op {
        let adopts = false;
        match self.thing {
            Thing::Bucket(name) => Op::Bucket(name.clone(), bucket::Op::SetTags { tags, adopts }),
            Thing::Role(name) => Op::Role(name.clone(), role::Op::SetTags { tags, adopts }),
            Thing::Function(name) => {
                let arn = name.arn(account);
                Op::Function(name.clone(), function::Op::SetTags { arn, tags, adopts })
            }
            Thing::Distribution(id) => {
                let arn = id.arn(account);
                Op::Distribution(distribution::Op::SetTags { id: id.clone(), arn, tags })
            }
        }
    }
}

/// All of them. Log groups carry tags too, and go with their function.
pub(super) fn tagged<'a>(stack: &'a Stack, live: &'a Live) -> Vec<Tagged<'a>> {
    let former = &live.former;
    let named = |thing, tags| Tagged { thing, tags, is_former: false };
    let left = |thing, tags| Tagged { thing, tags, is_former: true };
    let bucket = live.bucket.iter().map(|live| &live.settings.tags);
    let role = live.role.iter().map(|live| &live.settings.tags);
    let function = live.function.iter().map(|live| &live.settings.tags);
    let own = live.distribution.iter().map(|own| named(Thing::Distribution(&own.id), &own.tags));
    let buckets = former.buckets.iter().map(|(name, found)| (name, &found.live.settings.tags));
    let roles = former.roles.iter().map(|(name, found)| (name, &found.settings.tags));
    let functions = former.functions.iter();
    let functions =
        functions.filter_map(|(name, (found, _))| Some((name, &found.as_ref()?.settings.tags)));
    bucket
        .map(|tags| named(Thing::Bucket(&stack.bucket), tags))
        .chain(role.map(|tags| named(Thing::Role(&stack.names.role), tags)))
        .chain(function.map(|tags| named(Thing::Function(&stack.names.function), tags)))
        .chain(own)
        .chain(buckets.map(|(name, tags)| left(Thing::Bucket(name), tags)))
        .chain(roles.map(|(name, tags)| left(Thing::Role(name), tags)))
        .chain(functions.map(|(name, tags)| left(Thing::Function(name), tags)))
        .collect()
}
