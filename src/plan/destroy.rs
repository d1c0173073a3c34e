//! What takes everything down that is ours, and nothing else.

use super::protect::retag;
use super::teardown::{
    end_bucket, end_distribution, end_function, end_grant, end_reading, end_role, leave_slots,
};
use super::{Choices, Intent, Plan, Stage, protected};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::BucketName;
use crate::resource::{bucket, distribution, logs};
use crate::spec::Protected;
use crate::stack::{FormerBucket, Live, Stack};

/// Plans what takes everything down that is ours, also what an earlier spec named.
pub fn destroy(stack: &Stack, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Destroy);
    let kept = protected(stack, live, choices);
    let keeps = |what| kept.contains_key(&what);
    plan.notices.extend(live.former.refused.iter().cloned());
    plan.conflicts
        .extend(distribution::owner::estranged(&stack.names.stack, live.distribution.as_ref()));
    for (what, why) in &kept {
        let standing = standing(stack, live, *what).into_iter();
        plan.notices.extend(standing.map(|address| Notice { address, text: (*why).into() }));
    }
    plan.add(Stage::Bucket, retag(stack, live));
    if !keeps(Protected::Distribution) {
        end_distribution(&mut plan, stack, live);
    }
    if !keeps(Protected::Function) {
        let own = live.distribution.as_ref().map(|own| &own.id);
        // A spec may name our own distribution as if it were somebody else's.
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
            let groups = (!keeps(Protected::Logs)).then_some(groups);
            end_function(&mut plan, stack, name, function, groups);
        }
    }
    if !keeps(Protected::Role) {
        let former = live.former.roles.iter().map(|(name, role)| (name, Some(role)));
        for (name, role) in [(&stack.names.role, live.role.as_ref())].into_iter().chain(former) {
            end_role(&mut plan, stack, name, role);
        }
    }
    if keeps(Protected::Bucket) {
        plan.notices.extend(live.shown.as_ref().map(|_| Notice {
            address: Address::new(Kind::Page, &stack.names.keys.on),
            text: "stays with the bucket: once the stack is applied again, visitors get it".into(),
        }));
        if !keeps(Protected::Distribution) {
            end_reading(&mut plan, stack, live);
        }
    } else {
        end_buckets(&mut plan, stack, live, choices);
    }
    plan.sorted()
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
        if bucket::plan::is_ours(found, &stack.names.stack) && *lies != stack.names.region {
            // Nobody has looked at what is in it, and nothing there can be written from here.
            plan.conflicts.push(Conflict {
                address,
                reason: format!("lies in {lies}, the spec says {}", stack.names.region),
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
