//! What takes everything down that is ours, and nothing else.

use super::{Choices, Intent, Plan, Stage, protected};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::ObjectKey;
use crate::resource::{access, association, bucket, distribution, function, grant, logs, role, site};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};

/// Plans what takes everything down that is ours.
pub fn destroy(stack: &Stack, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Destroy);
    let name = &stack.names.stack;
    let kept = protected(stack, live, choices);
    let keeps = |what| kept.contains_key(&what);
    for (what, why) in &kept {
        let standing = match what {
            Protected::Bucket => live.bucket.as_ref().map(|_| Address::new(Kind::Bucket, &stack.bucket)),
            Protected::Role => live.role.as_ref().map(|_| Address::new(Kind::Role, &stack.names.role)),
            Protected::Function => live.function.as_ref().map(|_| Address::new(Kind::Function, &stack.names.function)),
            Protected::Distribution => live.distribution.as_ref().map(|found| Address::new(Kind::Distribution, &found.id)),
            Protected::Logs => (!live.logs.groups.is_empty()).then(|| Address::new(Kind::Logs, logs::group(&stack.names.function))),
        };
        plan.notices.extend(standing.map(|address| Notice { address, text: (*why).into() }));
    }
    if !keeps(Protected::Distribution) {
        end_distribution(&mut plan, stack, live);
    }
    if !keeps(Protected::Function) {
        let is_ours = live.function.as_ref().is_some_and(|function| function::plan::is_ours(function, name));
        // What an earlier spec has filled is given up as well, unless the function is somebody else's.
        let earlier = live.holders.iter().filter(|_| is_ours || live.function.is_none());
        for held in live.attached.iter().chain(earlier) {
            leave_slots(&mut plan, stack, held, live.function.as_ref(), is_ours);
        }
        if !keeps(Protected::Logs) {
            let ours = live.function.as_ref().map(|_| is_ours);
            let ended = logs::plan::teardown(name, &logs::group(&stack.names.function), ours, &live.logs);
            plan.take(Stage::DeleteLogs, ended, Op::Logs);
        }
        plan.take(Stage::DeleteFunction, function::plan::teardown(name, &stack.names.function, live.function.as_ref()), Op::Function);
    }
    if !keeps(Protected::Role) {
        plan.take(Stage::DeleteRole, role::plan::teardown(name, &stack.names.role, live.role.as_ref()), Op::Role);
    }
    if keeps(Protected::Bucket) {
        if !keeps(Protected::Distribution) {
            end_grant(&mut plan, stack, live);
        }
    } else {
        end_bucket(&mut plan, stack, live, choices);
    }
    plan.sorted()
}

fn leave_slots(plan: &mut Plan, stack: &Stack, held: &distribution::Live, function: Option<&function::Live>, is_ours: bool) {
    let turn = association::plan::teardown(held, &stack.any_version(), function);
    // An interrupted run may have left the slots: the edge runs the function until that is deployed.
    if turn.is_some() || is_ours && !held.deployed {
        plan.add(Stage::Vacated, [Op::Association(association::Op::AwaitDeployed { id: held.id.clone() })]);
    }
    plan.add(Stage::Vacate, turn.map(Op::Association));
    if is_ours {
        plan.conflicts.extend(association::plan::held(held, &stack.any_version()));
    }
}

pub(super) fn end_distribution(plan: &mut Plan, stack: &Stack, live: &Live) {
    let teardown =
        distribution::plan::teardown(&stack.names.stack, live.distribution.as_ref(), &stack.any_version(), live.function.as_ref());
    plan.add(Stage::Vacate, teardown.disable.map(Op::Distribution));
    plan.add(Stage::Vacated, teardown.await_disabled.map(Op::Distribution));
    plan.add(Stage::DeleteDistribution, teardown.delete.map(Op::Distribution));
    plan.take(Stage::DeleteAccess, access::plan::teardown(&stack.names.stack, live.access.as_ref()), Op::Access);
}

/// Takes our statements out of the policy of a bucket that stays: out of our own bucket's, else only if it names our distribution.
/// Every stack's statements have the same labels.
fn end_grant(plan: &mut Plan, stack: &Stack, live: &Live) {
    let Some(bucket) = &live.bucket else { return };
    let own = live.distribution.as_ref().map(|distribution| distribution.id.clone());
    let names_it = own.is_some() && grant::distribution(live.policy.as_ref()) == own;
    if bucket::plan::is_ours(bucket, &stack.names.stack) || names_it {
        plan.add(Stage::RemoveGrant, grant::plan::teardown(&stack.bucket, live.policy.as_ref()).map(Op::Grant));
    }
}

fn end_bucket(plan: &mut Plan, stack: &Stack, live: &Live, choices: &Choices) {
    let Some(found) = &live.bucket else { return };
    let address = Address::new(Kind::Bucket, &stack.bucket);
    if !bucket::plan::is_ours(found, &stack.names.stack) {
        plan.notices.push(Notice { address, text: "is not ours and stays, with everything in it".into() });
        end_grant(plan, stack, live);
        return;
    }
    let lies = &found.settings.region;
    if *lies != stack.names.region {
        // Nobody has looked at what is in it, and nothing there can be written from here.
        plan.conflicts.push(Conflict {
            address,
            reason: format!("lies in {lies}, the spec says {}", stack.names.region),
            hint: format!("set `region: {lies}`"),
        });
        return;
    }
    if let Some(reader) = live.readers.first() {
        plan.conflicts.push(Conflict {
            address: address.clone(),
            reason: format!("is an origin of distribution {reader}, which stays; its visitors would get errors, and whoever takes the name could serve them"),
            hint: "remove that origin first, or keep the bucket with `protect: [bucket]`".into(),
        });
    }
    let index = ObjectKey::listed(site::index::KEY.to_owned());
    let taken = live.objects.index.as_ref().is_some_and(|found| found.ours.is_none());
    let foreign: Vec<_> = live.objects.foreign().chain(taken.then_some(&index)).collect();
    if !foreign.is_empty() {
        let reason = format!("holds objects that `provision` did not put: {}", site::plan::named(&foreign, &live.objects));
        if choices.delete_data {
            plan.notices.push(Notice { address, text: format!("{reason}; they are deleted with it") });
        } else {
            let hint = "move them away, delete them with `--delete-data`, or keep the bucket with `protect: [bucket]`".into();
            plan.conflicts.push(Conflict { address, reason, hint });
        }
    }
    let (versions, uploads) = (live.inventory.versions.clone(), live.inventory.uploads.clone());
    if !versions.is_empty() || !uploads.is_empty() {
        plan.add(Stage::DeleteBucket, [Op::Bucket(bucket::Op::Empty { name: stack.bucket.clone(), versions, uploads })]);
    }
    plan.add(Stage::DeleteBucket, [Op::Bucket(bucket::Op::Delete { name: stack.bucket.clone() })]);
}
