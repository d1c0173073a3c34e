//! What an earlier spec named, and what leads to it: names that things of ours mention.

use super::Stack;
use crate::change::{Conflict, Fault, FaultKind, Notice};
use crate::name::{AccountId, BucketName, FunctionName, RoleName, StackName};
use crate::resource::distribution::Behavior;
use crate::resource::distribution::document::{EVENT, bucket_read};
use crate::resource::site::{self, Inventory};
use crate::resource::{Owner, ResourceId, bucket, distribution, function, logs, role};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Names of things that may be the stack's beside those in the spec: things of ours mention them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clues {
    pub buckets: BTreeSet<BucketName>,
    pub roles: BTreeSet<RoleName>,
    pub functions: BTreeSet<FunctionName>,
}

impl Clues {
    /// Is nothing mentioned?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { buckets, roles, functions } = self;
        buckets.is_empty() && roles.is_empty() && functions.is_empty()
    }

    /// What both mention.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.buckets.extend(other.buckets);
        self.roles.extend(other.roles);
        self.functions.extend(other.functions);
        self
    }

    /// Without what the spec names.
    #[must_use]
    pub fn beside(mut self, stack: &Stack) -> Self {
        self.buckets.remove(&stack.bucket);
        self.roles.remove(&stack.names.role);
        self.functions.remove(&stack.names.function);
        self
    }

    /// Without what was followed before; from now on, that includes these.
    #[must_use]
    pub fn unless_in(self, followed: &mut Self) -> Self {
        let new = Self {
            buckets: &self.buckets - &followed.buckets,
            roles: &self.roles - &followed.roles,
            functions: &self.functions - &followed.functions,
        };
        *followed = std::mem::take(followed).with(self);
        new
    }

    /// Adds what this object is called.
    pub(crate) fn of_id(&mut self, id: &ResourceId) {
        match id {
            ResourceId::Bucket(name) => drop(self.buckets.insert(name.clone())),
            ResourceId::Role(name) => drop(self.roles.insert(name.clone())),
            ResourceId::Function(name) => drop(self.functions.insert(name.clone())),
            ResourceId::Logs(_) | ResourceId::Access(_) | ResourceId::Distribution(_) => {}
        }
    }

    pub(super) fn of_role(&mut self, live: &role::Live, account: &AccountId) {
        let reach = role::Reach::of(live.settings.policy.as_ref(), account);
        self.buckets.extend(reach.pages.into_iter().map(|(bucket, _)| bucket));
        self.functions.extend(reach.functions);
    }

    pub(super) fn of_function(&mut self, live: &function::Live, account: &AccountId) {
        self.roles.extend(live.roles(account));
    }

    pub(super) fn of_distribution(&mut self, live: &distribution::Live, stack: &Stack) {
        let reading = live.document.read();
        let origin = reading.origins.get(&distribution::origin_id(&stack.names.stack));
        self.buckets.extend(origin.and_then(|origin| bucket_read(&origin.domain, &origin.path)));
        let slots = reading
            .behaviors
            .get(&Behavior::Default)
            .and_then(|behavior| behavior.functions.get(EVENT));
        self.functions.extend(slots.and_then(|arn| FunctionName::from_arn(arn, &stack.account)));
    }
}

/// What carries the stack's mark and is not what the spec names: what an earlier spec named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Former {
    /// Buckets, with all that their deletion needs.
    pub buckets: BTreeMap<BucketName, FormerBucket>,
    pub roles: BTreeMap<RoleName, role::Live>,
    /// Functions with their log groups; `None`: the groups of one that was never made or is gone.
    pub functions: BTreeMap<FunctionName, (Option<function::Live>, logs::Live)>,
    /// Things that may be the stack's and do not let us look, with AWS's no.
    pub refused: Vec<(ResourceId, Fault)>,
    /// Things that were the stack's, and whose marks do not surely say so any more.
    pub disputed: Vec<(ResourceId, Owner)>,
    /// Things that an earlier spec named, and that carry no mark of the stack any more.
    pub strangers: Vec<(ResourceId, Owner)>,
    /// Roles that may have been the stack's, while the look goes on.
    untagged: BTreeMap<RoleName, Owner>,
}

/// What a look finds belongs to the stack, is disputed, or is left out.
impl Former {
    /// What was seen, or `None` where the caller may not look, which is noted.
    ///
    /// # Errors
    /// Every other fault.
    pub fn unless_refused<T>(
        &mut self,
        id: ResourceId,
        seen: Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match seen {
            Err(fault) if fault.kind == FaultKind::Denied => {
                self.refused.push((id, fault));
                Ok(None)
            }
            seen => seen.map(Some),
        }
    }

    /// Takes a role. Of one that has our description alone, [`name_untagged`](Self::name_untagged)
    /// judges.
    pub fn take_role(&mut self, stack: &StackName, name: &RoleName, live: role::Live) {
        let owner = role::plan::owner(&live);
        if owner.is_disputed_by(stack) {
            self.disputed.push((ResourceId::Role(name.clone()), owner));
        } else if owner.may_be(stack) {
            self.untagged.insert(name.clone(), owner);
        } else if owner.is(stack) {
            self.roles.insert(name.clone(), live);
        }
    }

    /// A role with our description and without our tag was the stack's where a function of the
    /// stack runs with it: `used`. Otherwise a user may have copied the description.
    pub fn name_untagged(&mut self, used: &BTreeSet<RoleName>) {
        let untagged = std::mem::take(&mut self.untagged).into_iter();
        let ours = untagged.filter(|(name, _)| used.contains(name));
        self.disputed.extend(ours.map(|(name, owner)| (ResourceId::Role(name), owner)));
    }

    /// Takes a function, where it is there, and its log groups.
    pub fn take_function(
        &mut self,
        stack: &StackName,
        name: &FunctionName,
        live: Option<function::Live>,
        groups: logs::Live,
    ) {
        let id = ResourceId::Function(name.clone());
        let owner = live.as_ref().map(function::plan::owner);
        let disputed = owner.clone().filter(|owner| owner.may_be(stack));
        let is_disputed = disputed.is_some();
        self.disputed.extend(disputed.map(|owner| (id.clone(), owner)));
        if function::plan::is_former(stack, live.as_ref(), &groups) {
            self.functions.insert(name.clone(), (live, groups));
        } else if !is_disputed {
            self.strangers.extend(owner.map(|owner| (id, owner)));
        }
    }

    /// Takes a bucket. Of one that does not carry the stack's tag, only the index is looked at.
    pub fn take_bucket(&mut self, stack: &StackName, name: &BucketName, found: FormerBucket) {
        let owner = bucket::plan::owner(&found.live, found.objects.index_owner());
        let id = ResourceId::Bucket(name.clone());
        if owner.may_be(stack) {
            self.disputed.push((id, owner));
        } else if owner.is(stack) {
            self.buckets.insert(name.clone(), found);
        } else {
            self.strangers.push((id, owner));
        }
    }

    /// Why the disputed may not be touched.
    pub fn disputes(&self) -> impl Iterator<Item = Conflict> {
        self.disputed.iter().filter_map(|(id, owner)| owner.dispute(&id.address()))
    }

    /// Names what no plan touches: what does not let us look, and what is another's now.
    pub fn left_alone(&self) -> impl Iterator<Item = Notice> {
        let refused = self.refused.iter().map(|(id, fault)| Notice {
            address: id.address(),
            text: format!(
                "may be this stack's, from an earlier spec, and does not let us look: {fault}"
            ),
        });
        refused.chain(self.strangers.iter().map(|(id, owner)| stranger(id, owner)))
    }
}

fn stranger(id: &ResourceId, owner: &Owner) -> Notice {
    let whose = owner.named().map_or("carries no mark of ours".to_owned(), |other| {
        format!("carries the mark of stack `{other}`")
    });
    let text = format!(
        "was named by an earlier spec, {whose}, and stays; `provision apply --delete {}` \
        forgets it",
        id.kind()
    );
    Notice { address: id.address(), text }
}

/// A bucket of an earlier spec.
#[derive(Clone, Debug, PartialEq)]
pub struct FormerBucket {
    pub live: bucket::Live,
    pub objects: site::Live,
    /// Every version and upload in it.
    pub inventory: Inventory,
    pub policy: Option<Value>,
}
