//! What an earlier spec named, and what leads to it: names that things of ours mention.

use super::Stack;
use crate::change::{Address, Conflict, Fault, FaultKind, Kind, Notice};
use crate::name::{AccountId, BucketName, FunctionName, RoleName, StackName};
use crate::resource::distribution::Behavior;
use crate::resource::distribution::document::{EVENT, bucket_read};
use crate::resource::site::{self, Inventory};
use crate::resource::{Owner, bucket, distribution, function, logs, role};
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
    /// Things that may be the stack's and do not let us look.
    pub refused: Vec<Notice>,
    /// Things that were the stack's, and whose marks do not surely say so any more.
    pub disputed: Vec<Conflict>,
    /// Things that an earlier spec named, and that carry no mark of the stack any more.
    pub strangers: Vec<Notice>,
    /// Roles that may have been the stack's, while the look goes on.
    untagged: BTreeMap<RoleName, Conflict>,
}

/// What a look finds belongs to the stack, is disputed, or is left out.
impl Former {
    /// What was seen, or `None` where the caller may not look, which is noted.
    ///
    /// # Errors
    /// Every other fault.
    pub fn unless_refused<T>(
        &mut self,
        address: Address,
        seen: Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match seen {
            Err(fault) if fault.kind == FaultKind::Denied => {
                let text = format!(
                    "may be this stack's, from an earlier spec, and does not let us look: {fault}"
                );
                self.refused.push(Notice { address, text });
                Ok(None)
            }
            seen => seen.map(Some),
        }
    }

    /// Takes a role. Of one that has our description alone, [`name_untagged`](Self::name_untagged)
    /// judges.
    pub fn take_role(&mut self, stack: &StackName, name: &RoleName, live: role::Live) {
        let address = Address::new(Kind::Role, name);
        let owner = role::plan::owner(&live);
        match owner.dispute_with(stack, &address) {
            Some(dispute) if owner.is_disputed_by(stack) => self.disputed.push(dispute),
            Some(dispute) => drop(self.untagged.insert(name.clone(), dispute)),
            None if owner.is(stack) => drop(self.roles.insert(name.clone(), live)),
            None => {}
        }
    }

    /// A role with our description and without our tag was the stack's where a function of the
    /// stack runs with it: `used`. Otherwise a user may have copied the description.
    pub fn name_untagged(&mut self, used: &BTreeSet<RoleName>) {
        let untagged = std::mem::take(&mut self.untagged).into_iter();
        self.disputed.extend(untagged.filter(|(name, _)| used.contains(name)).map(|(_, it)| it));
    }

    /// Takes a function, where it is there, and its log groups.
    pub fn take_function(
        &mut self,
        stack: &StackName,
        name: &FunctionName,
        live: Option<function::Live>,
        groups: logs::Live,
    ) {
        let address = Address::new(Kind::Function, name);
        let dispute = |live| function::plan::owner(live).dispute_with(stack, &address);
        self.disputed.extend(live.as_ref().and_then(dispute));
        let owner = live.as_ref().map(function::plan::owner);
        if function::plan::is_former(stack, live.as_ref(), &groups) {
            self.functions.insert(name.clone(), (live, groups));
        } else if let Some(owner) = owner {
            self.leave(stack, address, &owner);
        }
    }

    /// Names what was in an earlier spec and is another's now.
    fn leave(&mut self, stack: &StackName, address: Address, owner: &Owner) {
        if owner.dispute_with(stack, &address).is_some() {
            return;
        }
        let whose = owner.named().map_or("carries no mark of ours".to_owned(), |other| {
            format!("carries the mark of stack `{other}`")
        });
        let text = format!(
            "was named by an earlier spec, {whose}, and stays; `provision apply --delete {}` \
            forgets it",
            address.kind
        );
        self.strangers.push(Notice { address, text });
    }

    /// Takes a bucket. Of one that does not carry the stack's tag, only the index is looked at.
    pub fn take_bucket(&mut self, stack: &StackName, name: &BucketName, found: FormerBucket) {
        let owner = bucket::plan::owner(&found.live, found.objects.index_owner());
        let address = Address::new(Kind::Bucket, name);
        let dispute = owner.dispute_with(stack, &address);
        if dispute.is_some() {
            self.disputed.extend(dispute);
        } else if owner.is(stack) {
            self.buckets.insert(name.clone(), found);
        } else {
            self.leave(stack, address, &owner);
        }
    }
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
