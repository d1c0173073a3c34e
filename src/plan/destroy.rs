//! What takes everything down that is ours, and nothing else.

use super::former::{ends_function, forgotten};
use super::protect::{retag, told};
use super::slots::{Slot, running};
use super::teardown::{
    end_bucket, end_distribution, end_function, end_grant, end_reading, end_role, leave_slots,
};
use super::{Choices, Intent, Plan, Stage, protected};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, FunctionName, Region, RoleName};
use crate::resource::{
    PROTECT_TAG, STACK_TAG, Tags, access, bucket, distribution, function, logs, role,
};
use crate::spec::Protected;
use crate::stack::{FormerBucket, Live, Op, Stack};

/// Plans what takes everything down that is ours, also what an earlier spec named.
pub fn destroy(stack: &Stack, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Destroy);
    let kept = protected(stack, live, choices);
    let keeps = |what| kept.contains_key(&what);
    plan.notices.extend(live.former.refused.iter().chain(&live.former.strangers).cloned());
    plan.notices.extend(forgotten(stack, live));
    for (what, why) in &kept {
        let standing = standing(stack, live, *what).into_iter();
        plan.notices.extend(standing.map(|address| Notice { address, text: (*why).into() }));
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
            if keeps(Protected::Logs) {
                plan.add(Stage::DeleteLogs, marked_groups(stack, live, name, function, groups));
            }
            let groups = (!keeps(Protected::Logs)).then_some(groups);
            end_function(&mut plan, stack, name, function, groups);
        }
    }
    if !keeps(Protected::Role) {
        let former = live.former.roles.iter().map(|(name, role)| (name, Some(role)));
        for (name, role) in [(&stack.names.role, live.role.as_ref())].into_iter().chain(former) {
            match role.and_then(|_| user(&plan, stack, live, name)) {
                Some(user) => plan.notices.push(Notice {
                    address: Address::new(Kind::Role, name),
                    text: format!("stays: it is the role of function {user}, which stays"),
                }),
                None => end_role(&mut plan, stack, name, role),
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
    let disputes = disputes(stack, live);
    plan.notices.retain(|notice| disputes.iter().all(|it| it.address != notice.address));
    plan.conflicts.extend(disputes);
    plan.sorted()
}

/// What two stacks claim, or nobody surely: ending it may take it from another, and leaving it here
/// may leave it to nobody.
fn disputes(stack: &Stack, live: &Live) -> Vec<Conflict> {
    let (names, name) = (&stack.names, &stack.names.stack);
    let role = live.role.iter().filter_map(|live| {
        role::plan::owner(live).dispute_with(name, &Address::new(Kind::Role, &names.role))
    });
    let function = live.function.iter().filter_map(|live| {
        let address = Address::new(Kind::Function, &names.function);
        function::plan::owner(live).dispute_with(name, &address)
    });
    let control = live.access.iter().filter_map(|live| access::plan::dispute(name, live));
    distribution::owner::estranged(live.distribution.as_ref())
        .into_iter()
        .chain(role)
        .chain(function)
        .chain(control)
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
    let is_proven = function.is_some_and(|live| function::plan::is_ours(live, owner));
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
    groups.groups.keys().filter(|_| is_proven).map(set).collect()
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

/// A function that stays and runs with the role.
fn user<'a>(
    plan: &Plan,
    stack: &'a Stack,
    live: &'a Live,
    role: &RoleName,
) -> Option<&'a FunctionName> {
    let named = live.function.as_ref().map(|live| (&stack.names.function, live));
    let former = live.former.functions.iter();
    let former = former.filter_map(|(name, (live, _))| Some((name, live.as_ref()?)));
    let runs = |live: &function::Live| live.roles(&stack.account).any(|used| used == *role);
    let mut users = named.into_iter().chain(former).filter(|(_, live)| runs(live));
    users.find(|(name, _)| !ends_function(plan, name)).map(|(name, _)| name)
}

/// Everything of one kind that exists.
fn standing(stack: &Stack, live: &Live, what: Protected) -> Vec<Address> {
    let former = &live.former;
    let all = |kind, named: Option<String>, others: Vec<String>| -> Vec<Address> {
        named.into_iter().chain(others).map(|name| Address::new(kind, name)).collect()
    };
    match what {
        Protected::Bucket => {
            let named = live.bucket.as_ref().map(|_| stack.bucket.to_string());
            all(Kind::Bucket, named, former.buckets.keys().map(ToString::to_string).collect())
        }
        Protected::Role => {
            let named = live.role.as_ref().map(|_| stack.names.role.to_string());
            all(Kind::Role, named, former.roles.keys().map(ToString::to_string).collect())
        }
        Protected::Function => {
            let named = live.function.as_ref().map(|_| stack.names.function.to_string());
            all(Kind::Function, named, former.functions.keys().map(ToString::to_string).collect())
        }
        Protected::Distribution => all(
            Kind::Distribution,
            live.distribution.as_ref().map(|found| found.id.to_string()),
            Vec::new(),
        ),
        Protected::Logs => {
            let named = (!live.logs.groups.is_empty()).then(|| logs::group(&stack.names.function));
            let others =
                former.functions.iter().filter(|(_, (_, groups))| !groups.groups.is_empty());
            all(Kind::Logs, named, others.map(|(name, _)| logs::group(name)).collect())
        }
    }
}

fn end_buckets(plan: &mut Plan, stack: &Stack, live: &Live, choices: &Choices) {
    let own = live.distribution.as_ref().map(|own| &own.id);
    // Our own distribution goes as well.
    let reader = |name: &BucketName| {
        let mut readers =
            live.readers.iter().filter(|(bucket, id)| bucket == name && Some(id) != own);
        readers.next().map(|(_, id)| id)
    };
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
            end_bucket(plan, &stack.bucket, &found, reader(&stack.bucket), choices);
        } else {
            plan.notices.push(Notice {
                address,
                text: "is not ours and stays, with everything in it".into(),
            });
            end_grant(plan, stack, live);
        }
    }
    for (name, found) in &live.former.buckets {
        end_bucket(plan, name, found, reader(name), choices);
    }
}
