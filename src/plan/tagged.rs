//! Everything of a stack that carries tags, in the spec or not.

use crate::change::Kind;
use crate::name::{BucketName, DistributionId, FunctionName, RoleName};
use crate::resource::tags::Difference;
use crate::resource::{Tags, bucket, distribution, function, role};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};

/// One thing with its tags.
pub(super) struct Tagged<'a> {
    pub(super) thing: Thing<'a>,
    pub(super) tags: &'a Tags,
    /// The spec does not name it. Our own distribution has no name to go by.
    pub(super) is_former: bool,
}

/// What carries tags, by its name or id.
#[derive(Clone, Copy)]
pub(super) enum Thing<'a> {
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
    pub(super) fn set(&self, stack: &Stack, tags: Difference) -> Op {
        let adopts = false;
        match self.thing {
            Thing::Bucket(name) => Op::Bucket(name.clone(), bucket::Op::SetTags { tags, adopts }),
            Thing::Role(name) => Op::Role(name.clone(), role::Op::SetTags { tags, adopts }),
            Thing::Function(name) => {
                let arn = name.arn(&stack.account);
                Op::Function(name.clone(), function::Op::SetTags { arn, tags, adopts })
            }
            Thing::Distribution(id) => {
                let (id, arn) = (id.clone(), id.arn(&stack.account));
                let stack = stack.names.stack.clone();
                Op::Distribution(distribution::Op::SetTags { id, arn, stack, tags })
            }
        }
    }
}

/// All of them, those in the spec first.
pub(super) fn tagged<'a>(stack: &'a Stack, live: &'a Live) -> Vec<Tagged<'a>> {
    let kinds = Kind::ALL.iter().filter(|kind| kind.is_tagged());
    let mut all: Vec<_> = kinds.flat_map(|kind| of_kind(*kind, stack, live)).collect();
    all.sort_by_key(|one| one.is_former);
    all
}

fn of_kind<'a>(kind: Kind, stack: &'a Stack, live: &'a Live) -> Vec<Tagged<'a>> {
    let former = &live.former;
    match kind {
        Kind::Bucket => {
            let own = live.bucket.iter().map(|live| (&stack.bucket, &live.settings.tags));
            let buckets = former.buckets.iter();
            all(Thing::Bucket, own, buckets.map(|(name, found)| (name, &found.live.settings.tags)))
        }
        Kind::Role => {
            let own = live.role.iter().map(|live| (&stack.names.role, &live.settings.tags));
            let roles = former.roles.iter();
            all(Thing::Role, own, roles.map(|(name, found)| (name, &found.settings.tags)))
        }
        Kind::Function => {
            let own = live.function.iter().map(|live| (&stack.names.function, &live.settings.tags));
            let functions = former.functions.iter();
            let functions = functions
                .filter_map(|(name, (found, _))| Some((name, &found.as_ref()?.settings.tags)));
            all(Thing::Function, own, functions)
        }
        Kind::Distribution => {
            let own = live.distribution.iter().map(|live| (&live.id, &live.tags));
            all(Thing::Distribution, own, std::iter::empty())
        }
        Kind::Site
        | Kind::Page
        | Kind::Logs
        | Kind::Access
        | Kind::Grant
        | Kind::Invalidation
        | Kind::Association => Vec::new(),
    }
}

/// Of one kind: those that the spec names, and former ones.
fn all<'a, N>(
    thing: fn(&'a N) -> Thing<'a>,
    own: impl Iterator<Item = (&'a N, &'a Tags)>,
    former: impl Iterator<Item = (&'a N, &'a Tags)>,
) -> Vec<Tagged<'a>> {
    let own = own.map(|(name, tags)| Tagged { thing: thing(name), tags, is_former: false });
    let former = former.map(|(name, tags)| Tagged { thing: thing(name), tags, is_former: true });
    own.chain(former).collect()
}
