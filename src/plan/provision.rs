//! What makes everything as it should be.

use super::former::{former, tags};
use super::objects::objects;
use super::reach::{Watched, role};
use super::slots::{Slot, running, running_named};
use super::{Choices, Intent, Plan, Stage};
use crate::change::{Address, Conflict, Kind};
use crate::desired::Desired;
use crate::name::DistributionId;
use crate::resource::distribution::document::EVENT;
use crate::resource::grant::plan::BucketIs;
use crate::resource::logs::plan::{Claim, FunctionIs};
use crate::resource::{Owner, access, association, bucket, distribution, function, grant, logs};
use crate::stack::{Live, Op, Stack};

/// Plans what makes everything as it should be.
pub fn provision(stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Provision);
    let name = &stack.names.stack;
    let adopts = |kind| choices.adopt.contains(&kind);
    let bucket = bucket::plan::plan(
        name,
        &stack.bucket,
        &desired.bucket,
        live.bucket.as_ref(),
        live.objects.index_owner(),
        adopts(Kind::Bucket),
    );
    for op in bucket.ops {
        // What is put before a new bucket keeps versions is a version without an id for ever.
        let is_first = matches!(op, bucket::Op::Create { .. } | bucket::Op::SetVersioning { .. });
        let stage =
            if live.bucket.is_none() && !is_first { Stage::BucketSettings } else { Stage::Bucket };
        plan.add(stage, [Op::Bucket(stack.bucket.clone(), op)]);
    }
    plan.conflicts.extend(bucket.conflicts);
    plan.notices.extend(bucket.notices);
    let function = function::plan::plan(
        name,
        &stack.names.function,
        &desired.function,
        live.function.as_ref(),
        adopts(Kind::Function),
    );
    plan.take(Stage::Function, function, |op| Op::Function(stack.names.function.clone(), op));
    if adopts(Kind::Function) {
        plan.conflicts.extend(runs_elsewhere(stack, desired, live));
    }
    if let Some(wanted) = &desired.logs {
        // One that is gone comes back in this plan, as it was.
        let (function, since) = (FunctionIs::Ours, live.since(name));
        let claim = Claim { stack: name, function, since };
        let group = logs::group(&stack.names.function);
        let planned = logs::plan::plan(&group, wanted, &live.logs, &claim);
        plan.notices.extend(planned.notices);
        for (id, op) in planned.ops {
            let stage =
                if matches!(op, logs::Op::Create { .. }) { Stage::Logs } else { Stage::Retention };
            plan.add(stage, [Op::Logs(id, op)]);
        }
    }
    let can_go_on = plan.can_apply();
    plan.conflicts.extend(distribution::owner::estranged(live.distribution.as_ref()));
    own_distribution(&mut plan, stack, desired, live);
    slots(&mut plan, stack, desired, live, choices);
    let running = running(stack, live);
    let staying = former(&mut plan, stack, desired, live, choices, &running);
    let watched = Watched::of(stack, live, &running, &staying);
    if can_go_on {
        objects(&mut plan, stack, desired, live, choices, &watched);
    }
    grant(&mut plan, stack, desired, live);
    role(&mut plan, stack, desired, live, choices, &running, &watched);
    tags(&mut plan, stack, desired, live);
    await_deployed(&mut plan, desired, live, choices, &watched);
    plan.sorted()
}

fn own_distribution(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live) {
    let name = &stack.names.stack;
    let Some(wanted) = &desired.distribution else { return };
    // The grant comes after the distribution that it names.
    let outlived =
        live.distribution.is_none() && grant::distribution(live.policy.as_ref()).is_some();
    let access = access::plan::plan(name, live.access.as_ref(), outlived);
    plan.take(Stage::Access, access, |op| Op::Access(name.clone(), op));
    let access = live.access.as_ref().map(|access| access.id.as_str());
    let planned = distribution::plan::plan(
        name,
        &stack.account,
        wanted,
        live.distribution.as_ref(),
        live.function.as_ref(),
        access,
    );
    plan.take(Stage::Distribution, planned, Op::Distribution);
}

/// The bucket policy lets our distribution read, also one that the spec no longer names, while it
/// serves visitors.
fn grant(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live) {
    let (bucket, policy) = (&stack.bucket, live.policy.as_ref());
    let is = if live.bucket.is_some() { BucketIs::There } else { BucketIs::New };
    let ends = plan.steps.iter().any(|step| step.stage == Stage::DeleteDistribution);
    let own = live.distribution.as_ref().map(|distribution| &distribution.id);
    let reads = |id: &&DistributionId| live.readers.contains(&(bucket.clone(), (*id).clone()));
    let reader = own.filter(|id| desired.distribution.is_some() || reads(id));
    let to = (bucket, &desired.hidden[..]);
    let lets = |reader| grant::plan::plan(&stack.account, to, reader, policy, is);
    let (stage, op) = match reader {
        Some(_) if ends => (Stage::RemoveGrant, grant::plan::without_reader(to, policy, is)),
        Some(reader) => (Stage::Grant, lets(Some(reader))),
        None if desired.distribution.is_some() => (Stage::FirstGrant, lets(None)),
        None => (Stage::Grant, grant::plan::without_reader(to, policy, is)),
    };
    if op.is_some() {
        plan.conflicts.extend(grant::plan::shared(bucket, own, policy, |id| reads(&id)));
    }
    let adopts =
        live.bucket.as_ref().is_some_and(|found| !bucket::plan::is_ours(found, &stack.names.stack));
    if op.is_some() || adopts {
        plan.conflicts.extend(grant::plan::public(bucket, policy));
    }
    plan.add(stage, op.map(|op| Op::Grant(bucket.clone(), op)));
    if is == BucketIs::There {
        plan.notices.extend(grant::plan::notices(bucket, policy));
    }
}

fn slots(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) {
    let Some(wanted) = &desired.association else { return };
    let owner = live.attached.as_ref().map(distribution::owner::owner);
    let address = Address::new(Kind::Association, &wanted.id);
    if let Some(dispute) = owner.as_ref().and_then(|owner| owner.dispute(&address)) {
        plan.conflicts.push(dispute);
        return;
    }
    if let Some(owner) = owner.as_ref().and_then(Owner::stack) {
        let own = *owner == stack.names.stack;
        let whose =
            if own { "this stack's own".to_owned() } else { format!("the one of stack `{owner}`") };
        let hint = if own {
            "leave `distribution.id` out of the spec: the stack manages it already"
        } else {
            "attach to a distribution that no stack manages, or put the page into that stack's spec"
        };
        plan.conflicts.push(Conflict {
            address,
            reason: format!("the distribution is {whose}, not another owner's"),
            hint: hint.into(),
        });
        return;
    }
    let leave = choices.delete.contains(&Kind::Association);
    let planned = association::plan::plan(
        wanted,
        live.attached.as_ref(),
        &live.functions(stack),
        live.function.as_ref(),
        leave,
    );
    plan.take(Stage::Association, planned, |op| Op::Association(wanted.id.clone(), op));
}

/// Waits for the deployment if a user wants it, or if something else may only go after it; also
/// for what an interrupted run has changed.
fn await_deployed(
    plan: &mut Plan,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    watched: &Watched,
) {
    let moves = !watched.now.is_empty();
    // What an earlier run turned may still be under way.
    let lingers = live.objects.lingers();
    let waits = |stage| {
        stage >= Stage::Vacate
            || (stage == Stage::InvalidateGone && lingers)
            || stage == Stage::InvalidateMoved
            || (stage == Stage::Switch && moves)
    };
    if !choices.wait && !plan.steps.iter().any(|step| waits(step.stage)) {
        return;
    }
    let tags = |op: &distribution::Op| matches!(op, distribution::Op::SetTags { .. });
    let changes = plan.steps.iter().any(|step| match &step.op {
        Op::Distribution(op) => step.stage == Stage::Distribution && !tags(op),
        Op::Association(_, _) => step.stage == Stage::Association,
        _ => false,
    });
    let deploys = |found: &Option<distribution::Live>| {
        changes || found.as_ref().is_some_and(|found| !found.deployed)
    };
    if desired.distribution.is_some() && deploys(&live.distribution) {
        let id = live.distribution.as_ref().map(|distribution| distribution.id.clone());
        plan.add(
            Stage::Deployed,
            [Op::Distribution(distribution::Op::AwaitDeployed { id, disabled: false })],
        );
    }
    if let Some(wanted) = desired.association.as_ref().filter(|_| deploys(&live.attached)) {
        plan.add(
            Stage::Deployed,
            [Op::Association(wanted.id.clone(), association::Op::AwaitDeployed)],
        );
    }
}

/// A function that is to be taken over, and that visitors of another owner's distribution use
/// outside of the slots that the spec names.
fn runs_elsewhere(stack: &Stack, desired: &Desired, live: &Live) -> Option<Conflict> {
    live.function.as_ref().filter(|found| !function::plan::is_ours(found, &stack.names.stack))?;
    let own = live.distribution.as_ref().map(|own| &own.id);
    let attached = desired.association.as_ref();
    let is_named = |slot: &Slot| {
        attached.is_some_and(|wanted| {
            wanted.id == slot.distribution
                && slot.event == EVENT
                && wanted.behaviors.contains(&slot.behavior)
        })
    };
    let mut slots = running_named(stack, live).into_iter();
    let slot = slots.find(|slot| Some(&slot.distribution) != own && !is_named(slot))?;
    let (what, hint) = if attached.is_some_and(|wanted| wanted.id == slot.distribution) {
        let what = format!("{} runs it at {}", slot.show(), slot.event);
        (what, "choose another `function.name`, or take it out there first")
    } else {
        let what = format!("distribution {} runs it", slot.distribution);
        (what, "choose another `function.name`, or name that distribution as `distribution.id`")
    };
    Some(Conflict {
        address: Address::new(Kind::Function, &stack.names.function),
        reason: format!(
            "{what}, which this spec does not name; a later destroy would be in its way"
        ),
        hint: hint.into(),
    })
}
