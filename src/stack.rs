//! Which objects a stack consists of, how they are (`Live`), and what can be done to them (`Op`).
//!
//! The same for every intent: apply, destroy, status and the switch look at the same objects.

pub mod dependents;
mod former;
mod names;
mod search;

pub use former::{Clues, Former, FormerBucket};
pub use names::{Names, Stack};
pub use search::Search;

use crate::change::{Change, Kind};
use crate::name::{BucketName, DistributionId, FunctionName, RoleName, StackName};
use crate::resource::function::{Functions, VersionReference};
use crate::resource::site::Inventory;
use crate::resource::{
    access, association, bucket, distribution, function, grant, invalidation, logs, page, role,
    site,
};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt::Display;

/// How much to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that a stack consists of.
    Stack,
    /// Also what stands in the way of taking it down (object versions, uploads), and what the
    /// function leaves behind.
    Teardown,
}

/// How everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    pub bucket: Option<bucket::Live>,
    /// Its objects, the page included.
    pub objects: site::Live,
    /// The one under the on key, looked at more closely.
    pub shown: Option<page::Shown>,
    /// Every version and upload in it; only for [`Scope::Teardown`].
    pub inventory: Inventory,
    /// The bucket policy.
    pub policy: Option<Value>,
    pub role: Option<role::Live>,
    pub function: Option<function::Live>,
    /// Its log groups; only where they are part of the stack, or for [`Scope::Teardown`].
    pub logs: logs::Live,
    /// The origin access control.
    pub access: Option<access::Live>,
    /// The one that is ours, whether the spec wants it or not.
    pub distribution: Option<distribution::Live>,
    /// The distribution that the spec attaches to.
    pub attached: Option<distribution::Live>,
    /// Distributions that have a bucket of ours as an origin, our own included.
    pub readers: Vec<(BucketName, DistributionId)>,
    /// Other distributions that sign with our access control.
    pub signers: Vec<DistributionId>,
    /// Other distributions that run a function of ours, as an earlier spec wanted, or the one that
    /// the spec names.
    pub holders: Vec<distribution::Live>,
    /// What an earlier spec named.
    pub former: Former,
}

impl Live {
    /// The names that things of ours mention, without those in the spec.
    #[must_use]
    pub fn clues(&self, stack: &Stack) -> Clues {
        let (name, account) = (&stack.names.stack, &stack.account);
        let mut clues = Clues::default();
        let role = self.role.iter().filter(|live| role::plan::is_ours(live, name));
        role.chain(self.former.roles.values()).for_each(|live| clues.of_role(live, account));
        let function = self.function.iter().filter(|live| function::plan::is_ours(live, name));
        let former = self.former.functions.values().filter_map(|(live, _)| live.as_ref());
        function.chain(former).for_each(|live| clues.of_function(live, account));
        self.distribution.iter().for_each(|live| clues.of_distribution(live, stack));
        clues.beside(stack)
    }

    /// From when on there is a role of ours.
    #[must_use]
    pub fn since(&self, name: &StackName) -> Option<u64> {
        let role = self.role.iter().filter(|live| role::plan::is_ours(live, name));
        role.chain(self.former.roles.values()).map(|live| live.created).min()
    }

    /// Have the policies of the stack's roles lost the names that lead to what earlier specs named?
    /// Before there is a function, an apply that was cut short has not put them yet.
    #[must_use]
    pub fn has_lost_its_memory(&self, stack: &Stack) -> bool {
        let (name, named) = (&stack.names.stack, &stack.names.function);
        let role = self.role.iter().filter(|live| role::plan::is_ours(live, name));
        let names_it = |live: &role::Live| {
            let reach = role::Reach::of(live.settings.policy.as_ref(), &stack.account);
            !reach.pages.is_empty() && reach.functions.contains(named)
        };
        self.function.as_ref().is_some_and(|live| function::plan::is_ours(live, name))
            && !role.chain(self.former.roles.values()).any(names_it)
    }

    /// Ends the look for what an earlier spec named.
    pub fn end_of_search(&mut self, stack: &Stack) {
        let used = self.clues(stack).roles;
        self.former.name_untagged(&used);
    }

    /// The bucket in the spec and former ones.
    pub fn buckets<'a>(&'a self, stack: &'a Stack) -> impl Iterator<Item = &'a BucketName> {
        [&stack.bucket].into_iter().chain(self.former.buckets.keys())
    }

    /// The distributions whose slots matter: our own, the attached one, and the holders.
    pub fn distributions(&self) -> impl Iterator<Item = &distribution::Live> {
        self.distribution.iter().chain(&self.attached).chain(&self.holders)
    }

    /// The functions of the stack: the one in the spec, unless it is another owner's, and former
    /// ones.
    #[must_use]
    pub fn functions<'a>(&'a self, stack: &Stack) -> Functions<'a> {
        let reference = |name: &FunctionName| {
            let function = name.arn(&stack.account);
            VersionReference { function, version: String::new() }
        };
        let theirs = |live: &function::Live| !function::plan::is_ours(live, &stack.names.stack);
        let named = (!self.function.as_ref().is_some_and(theirs))
            .then(|| (reference(&stack.names.function), self.function.as_ref()));
        let former = self.former.functions.iter();
        let former = former.map(|(name, (live, _))| (reference(name), live.as_ref()));
        Functions(named.into_iter().chain(former).collect())
    }
}

/// One mutation (or wait) of any kind, with the name or id of what it changes. A site's and a
/// page's ops name their objects themselves, as they are planned together; a distribution's id is
/// not known before the op that creates it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    #[serde(serialize_with = "by_id")]
    Bucket(BucketName, bucket::Op),
    /// Of a file.
    Site(site::Op),
    Page(page::Op),
    #[serde(serialize_with = "by_id")]
    Role(RoleName, role::Op),
    #[serde(serialize_with = "by_id")]
    Function(FunctionName, function::Op),
    #[serde(serialize_with = "by_id")]
    Logs(logs::GroupId, logs::Op),
    /// Of the origin access control.
    #[serde(serialize_with = "by_id")]
    Access(StackName, access::Op),
    Distribution(distribution::Op),
    /// Of the bucket policy.
    #[serde(serialize_with = "by_id")]
    Grant(BucketName, grant::Op),
    /// Of cached copies.
    Invalidation(invalidation::Op),
    /// Of slots.
    #[serde(serialize_with = "by_id")]
    Association(DistributionId, association::Op),
}

/// So that a saved plan, and what is said of it, names the object.
fn by_id<S: Serializer>(
    id: &impl Display,
    op: &impl Serialize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map([(id.to_string(), op)])
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Bucket(name, op) => op.change(name),
            Self::Site(op) => op.change(),
            Self::Page(op) => op.change(),
            Self::Role(name, op) => op.change(name),
            Self::Function(name, op) => op.change(name),
            Self::Logs(id, op) => op.change(id),
            Self::Access(stack, op) => op.change(stack),
            Self::Distribution(op) => op.change(),
            Self::Grant(bucket, op) => op.change(bucket),
            Self::Invalidation(op) => op.change(),
            Self::Association(id, op) => op.change(id),
        }
    }

    /// The function version, by name, that the spec wants in use, where the op says.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let Self::Function(_, op) = self else { return None };
        match op {
            function::Op::Create(function::Create { settings, .. })
            | function::Op::Configure(function::Configure { after: settings, .. }) => {
                Some(settings.frozen.name())
            }
            function::Op::Upload(function::Upload { after: frozen, .. })
            | function::Op::Publish(function::Publish { frozen, .. }) => Some(frozen.name()),
            function::Op::SetTags { .. } | function::Op::Prune { .. } | function::Op::Delete => {
                None
            }
        }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.change().address.kind
    }

    /// Which kind comes to exist by it, where that is a thing of its own.
    #[must_use]
    pub fn creates(&self) -> Option<Kind> {
        match self {
            Self::Bucket(_, bucket::Op::Create { .. }) => Some(Kind::Bucket),
            Self::Role(_, role::Op::Create { .. }) => Some(Kind::Role),
            Self::Function(_, function::Op::Create(_)) => Some(Kind::Function),
            Self::Logs(_, logs::Op::Create { .. }) => Some(Kind::Logs),
            Self::Access(_, access::Op::Create) => Some(Kind::Access),
            Self::Distribution(distribution::Op::Create { .. }) => Some(Kind::Distribution),
            _ => None,
        }
    }

    /// How many bytes it uploads, where these may be many.
    #[must_use]
    pub fn sends(&self) -> u64 {
        match self {
            Self::Site(site::Op::Put(put)) => put.content.size,
            Self::Page(page::Op::Put(put)) => put.object.content.size,
            Self::Function(_, op) => op.sends(),
            _ => 0,
        }
    }

    /// Does it only wait for a condition, and write nothing?
    #[must_use]
    pub fn is_wait(&self) -> bool {
        match self {
            Self::Distribution(op) => op.is_wait(),
            Self::Association(_, op) => op.is_wait(),
            Self::Bucket(..)
            | Self::Site(_)
            | Self::Page(_)
            | Self::Role(..)
            | Self::Function(..)
            | Self::Logs(..)
            | Self::Access(..)
            | Self::Grant(..)
            | Self::Invalidation(_) => false,
        }
    }
}
