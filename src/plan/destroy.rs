//! What takes everything down that is ours, and nothing else.

use super::former::forgotten;
use super::protect::{retag, told};
use super::slots::{Slot, running};
use super::teardown::{
    claim, end_bucket, end_distribution, end_function, end_grant, end_reading, end_role,
    leave_slots,
};
use super::usage::{reader_of_bucket, user_of_role};
use super::{Choices, Intent, Plan, Stage, protected};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{FunctionName, Region};
use crate::resource::logs::plan::FunctionIs;
use crate::resource::{
    Owner, PROTECT_TAG, ResourceId, STACK_TAG, Tags, access, bucket, distribution, function, logs,
    role,
};
use crate::spec::Protected;
use crate::stack::{FormerBucket, Live, Op, Stack};

/// Plans what takes everything down that is ours, also what an earlier spec named.
pub fn destroy(stack: &Stack, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Destroy);
    let kept = protected(stack, live, choices);
    let keeps = |what| kept.contains_key(&what);
    plan.notices.extend(live.former.left_alone());
    // What is in dispute is a conflict; a notice about it would say less.
    let disputed = disputed(stack, live);
    let is_disputed = |id: &ResourceId| disputed.iter().any(|(disputed, _)| disputed == id);
    if !is_disputed(&ResourceId::Role(stack.names.role.clone())) {
        plan.notices.extend(forgotten(stack, live));
    }
    for (what, why) in &kept {
        let standing = standing(stack, live, *what).into_iter().filter(|id| !is_disputed(id));
        let notice = |id: ResourceId| Notice { address: id.address(), text: (*why).into() };
        plan.notices.extend(standing.map(notice));
    }
    plan.add(Stage::Bucket, retag(stack, live));
    if !keeps(Protected::Distribution) {
        end_distribution(&mut plan, stack, live);
    }
    if keeps(Protected::Function) {
        plan.notices.extend(staying_slots(stack, live));
    } else {
        let own = live.distribution.as_ref().map(|own| &own.id);
        // A spec may name our own distribution as if it were another owner's.
        for held in
            live.attached.iter().filter(|attached| Some(&attached.id) != own).chain(&live.holders)
        {
            leave_slots(&mut plan, stack, live, held);
        }
        let former = live
            .former
            .functions
            .iter()
            .map(|(name, (function, groups))| (name, function.as_ref(), groups));
        for (name, function, groups) in
            [(&stack.names.function, live.function.as_ref(), &live.logs)].into_iter().chain(former)
        {
            if is_disputed(&ResourceId::Function(name.clone())) {
                continue;
            }
            if keeps(Protected::Logs) {
                plan.add(Stage::DeleteLogs, marked_groups(stack, live, name, function, groups));
            }
            let groups = (!keeps(Protected::Logs)).then_some(groups);
            end_function(&mut plan, stack, name, function, groups, live.since(&stack.names.stack));
        }
    }
    if !keeps(Protected::Role) {
        let former = live.former.roles.iter().map(|(name, role)| (name, Some(role)));
        for (name, role) in [(&stack.names.role, live.role.as_ref())].into_iter().chain(former) {
            if is_disputed(&ResourceId::Role(name.clone())) {
                continue;
            }
            match role.and_then(|_| user_of_role(&plan, stack, live, name, &[])) {
                Some(user) => plan.notices.push(Notice {
                    address: Address::new(Kind::Role, name),
                    text: format!("stays: it is the role of {user}, which stays"),
                }),
                None => end_role(&mut plan, stack, name, role, choices),
            }
        }
    }
    if keeps(Protected::Bucket) {
        plan.notices.extend(live.shown.as_ref().map(|_| Notice {
            address: Address::new(Kind::Page, &stack.names.keys.on),
            text: if keeps(Protected::Function) {
                "stays with the bucket: visitors get it where the function stays in a slot".into()
            } else {
                "stays with the bucket: once the stack is applied again, visitors get it".into()
            },
        }));
        if !keeps(Protected::Distribution) {
            end_reading(&mut plan, stack, live);
        }
    } else {
        end_buckets(&mut plan, stack, live, choices);
    }
    plan.conflicts.extend(disputed.iter().filter_map(|(id, owner)| owner.dispute(&id.address())));
    let name = &stack.names.stack;
    plan.conflicts.extend(live.access.iter().filter_map(|it| access::plan::dispute(name, it)));
    plan.sorted()
}

/// What two stacks claim, or nobody surely: ending it may take it from another, and leaving it here
/// may leave it to nobody.
fn disputed(stack: &Stack, live: &Live) -> Vec<(ResourceId, Owner)> {
    let (names, name) = (&stack.names, &stack.names.stack);
    let role = live.role.iter().map(role::plan::owner).filter(|owner| owner.may_be(name));
    let role = role.map(|owner| (ResourceId::Role(names.role.clone()), owner));
    let function = live.function.iter().map(function::plan::owner);
    let function = function.filter(|owner| owner.may_be(name));
    let function = function.map(|owner| (ResourceId::Function(names.function.clone()), owner));
    let own = live.distribution.iter();
    let own =
        own.map(|own| (ResourceId::Distribution(own.id.clone()), distribution::owner::owner(own)));
    own.filter(|(_, owner)| owner.is_in_dispute())
        .chain(role)
        .chain(function)
        .chain(live.former.disputed.iter().cloned())
        .collect()
}

/// The tags of log groups that stay when their function goes, which proved that they are ours.
fn marked_groups(
    stack: &Stack,
    live: &Live,
    name: &FunctionName,
    function: Option<&function::Live>,
    groups: &logs::Live,
) -> Vec<Op> {
    let owner = &stack.names.stack;
    let claim = claim(owner, function, live.since(owner));
    let is_proven = claim.function == FunctionIs::Ours;
    let protect = told(stack, live)
        .contains(&Protected::Logs)
        .then(|| (PROTECT_TAG.to_owned(), Protected::Logs.to_string()));
    let tags: Tags =
        [(STACK_TAG.to_owned(), owner.to_string())].into_iter().chain(protect).collect();
    let set = |region: &Region| {
        let name = logs::group(name);
        let arn = logs::arn(region.as_str(), &stack.account, &name);
        let id = logs::GroupId { region: region.clone(), name };
        Op::Logs(id, logs::Op::SetTags { arn, tags: tags.clone() })
    };
    let ours = groups.groups.iter().filter(|(_, group)| is_proven && claim.owns(group));
    ours.map(|(region, _)| set(region)).collect()
}

/// Slots of distributions that others own, which go on running a function that stays.
fn staying_slots(stack: &Stack, live: &Live) -> Vec<Notice> {
    let own = live.distribution.as_ref().map(|own| &own.id);
    let all = running(stack, live).into_iter().filter(|slot| Some(&slot.distribution) != own);
    let notice = |slot: Slot| {
        let shows = match (&slot.page, &live.shown) {
            (Some((bucket, key)), Some(_))
                if *bucket == stack.bucket && *key == stack.names.keys.on =>
            {
                "; its visitors get what is under the on key"
            }
            _ => "",
        };
        Notice {
            address: Address::new(Kind::Association, &slot.distribution),
            text: format!("{} stays: what it runs is protected{shows}", slot.show()),
        }
    };
    all.map(notice).collect()
}

/// Everything of one kind that exists.
fn standing(stack: &Stack, live: &Live, what: Protected) -> Vec<ResourceId> {
    let (names, former) = (&stack.names, &live.former);
    let of_the_spec = match what {
        Protected::Bucket => live.bucket.as_ref().map(|_| ResourceId::Bucket(stack.bucket.clone())),
        Protected::Role => live.role.as_ref().map(|_| ResourceId::Role(names.role.clone())),
        Protected::Function => {
            live.function.as_ref().map(|_| ResourceId::Function(names.function.clone()))
        }
        Protected::Distribution => {
            live.distribution.as_ref().map(|own| ResourceId::Distribution(own.id.clone()))
        }
        Protected::Logs => {
            (!live.logs.groups.is_empty()).then(|| ResourceId::Logs(logs::group(&names.function)))
        }
    };
    let of_earlier_specs: Vec<ResourceId> = match what {
        Protected::Bucket => former.buckets.keys().cloned().map(ResourceId::Bucket).collect(),
        Protected::Role => former.roles.keys().cloned().map(ResourceId::Role).collect(),
        Protected::Function => former.functions.keys().cloned().map(ResourceId::Function).collect(),
        Protected::Distribution => Vec::new(),
        Protected::Logs => {
            let with_groups =
                former.functions.iter().filter(|(_, (_, groups))| !groups.groups.is_empty());
            with_groups.map(|(name, _)| ResourceId::Logs(logs::group(name))).collect()
        }
    };
    of_the_spec.into_iter().chain(of_earlier_specs).collect()
}

fn end_buckets(plan: &mut Plan, stack: &Stack, live: &Live, choices: &Choices) {
    if let Some(found) = &live.bucket {
        let (address, lies) = (Address::new(Kind::Bucket, &stack.bucket), &found.settings.region);
        let owner = bucket::plan::owner(found, live.objects.index_owner());
        let dispute = owner.dispute_with(&stack.names.stack, &address);
        if let Some(dispute) = dispute {
            plan.conflicts.push(dispute);
        } else if bucket::plan::is_ours(found, &stack.names.stack) && *lies != stack.names.region {
            // Nobody has looked at what is in it, and nothing there can be written from here.
            plan.conflicts.push(Conflict {
                address,
                reason: format!("is in {lies}, the spec says {}", stack.names.region),
                hint: format!("set `region: {lies}`"),
            });
        } else if bucket::plan::is_ours(found, &stack.names.stack) {
            let (objects, inventory, policy) =
                (live.objects.clone(), live.inventory.clone(), live.policy.clone());
            let found = FormerBucket { live: found.clone(), objects, inventory, policy };
            let reader = reader_of_bucket(plan, None, live, &stack.bucket);
            end_bucket(plan, &stack.bucket, &found, reader, choices);
        } else {
            plan.notices.push(Notice {
                address,
                text: "is not ours and stays, with everything in it".into(),
            });
            end_grant(plan, stack, live);
        }
    }
    for (name, found) in &live.former.buckets {
        let reader = reader_of_bucket(plan, None, live, name);
        end_bucket(plan, name, found, reader, choices);
    }
}
