//! What goes on using a thing that is to end.

use super::slots::Slot;
use super::tagged::Thing;
use super::{Intent, Plan};
use crate::desired::Desired;
use crate::name::{BucketName, DistributionId, FunctionName, RoleName};
use crate::resource::{function, logs};
use crate::stack::{Live, Op, Stack};

/// Does the plan end the function, or, of one that is gone, its log groups?
pub(super) fn ends_function(plan: &Plan, name: &FunctionName) -> bool {
    let group = logs::group(name);
    let ends_group = |op: &Op| match op {
        Op::Logs(id, logs::Op::Delete) => id.name == group,
        _ => false,
    };
    plan.deletes(Thing::Function(name)) || plan.steps.iter().any(|step| ends_group(&step.op))
}

/// What goes on running with the role after the plan: a function that stays as it is, or, where an
/// apply gives the function of the spec another role, an old version in one of the slots that stay.
pub(super) fn user_of_role(
    plan: &Plan,
    stack: &Stack,
    live: &Live,
    role: &RoleName,
    staying: &[&Slot],
) -> Option<String> {
    let account = &stack.account;
    let named = live.function.as_ref().map(|live| (&stack.names.function, live));
    let former = live.former.functions.iter();
    let former = former.filter_map(|(name, (live, _))| Some((name, live.as_ref()?)));
    let as_it_is = named.filter(|_| plan.intent == Intent::Destroy).into_iter().chain(former);
    let runs = |live: &function::Live| live.roles(account).any(|used| used == *role);
    let mut users = as_it_is.filter(|(name, live)| runs(live) && !ends_function(plan, name));
    let reference = stack.any_version();
    let fills =
        |number: u64| staying.iter().any(|slot| reference.number_in(&slot.arn) == Some(number));
    let has_role = |frozen: &function::Frozen| {
        RoleName::from_arn(&frozen.role, account).as_ref() == Some(role)
    };
    let mut versions = live.function.iter().flat_map(|live| &live.versions);
    let version = versions.find(|version| has_role(&version.frozen) && fills(version.number));
    let version = version.map(|it| format!("version {} of {}", it.number, stack.names.function));
    users.next().map(|(name, _)| format!("function {name}")).or(version)
}

/// A distribution that goes on reading the bucket after the plan. Our own does not: it ends, or the
/// spec that wants it (`desired`) turns it to another bucket.
pub(super) fn reader_of_bucket<'a>(
    plan: &Plan,
    desired: Option<&Desired>,
    live: &'a Live,
    bucket: &BucketName,
) -> Option<&'a DistributionId> {
    let own = live.distribution.as_ref().map(|own| &own.id);
    let leaves = |id: &DistributionId| {
        let turns = desired.is_some_and(|desired| desired.distribution.is_some());
        turns || plan.intent == Intent::Destroy || plan.deletes(Thing::Distribution(id))
    };
    let mut readers = live.readers.iter().filter(|(read, _)| read == bucket).map(|(_, id)| id);
    readers.find(|id| own != Some(*id) || !leaves(id))
}
