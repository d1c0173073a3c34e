//! What makes everything as it should be.

use super::former::{ends_function, former, tags};
use super::{Choices, Intent, Plan, Stage};
use crate::change::{Address, Conflict, Kind};
use crate::desired::Desired;
use crate::name::{BucketName, DistributionId, ObjectKey};
use crate::resource::role::Reach;
use crate::resource::site::index::Served;
use crate::resource::{
    access, association, bucket, distribution, function, grant, logs, page, role, site,
};
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
        adopts(Kind::Bucket),
    );
    for op in bucket.ops {
        let stage = if live.bucket.is_none() && !matches!(op, bucket::Op::Create { .. }) {
            Stage::BucketSettings
        } else {
            Stage::Bucket
        };
        plan.add(stage, [Op::Bucket(op)]);
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
    plan.take(Stage::Function, function, Op::Function);
    if adopts(Kind::Function) {
        plan.conflicts.extend(runs_elsewhere(stack, live));
    }
    if let Some(wanted) = &desired.logs {
        let planned = logs::plan::plan(&logs::group(&stack.names.function), wanted, &live.logs);
        plan.notices.extend(planned.notices);
        for op in planned.ops {
            let stage =
                if matches!(op, logs::Op::Create { .. }) { Stage::Logs } else { Stage::Retention };
            plan.add(stage, [Op::Logs(op)]);
        }
    }
    if plan.can_apply() {
        objects(&mut plan, stack, desired, live, choices);
    }
    plan.conflicts.extend(distribution::owner::estranged(name, live.distribution.as_ref()));
    own_distribution(&mut plan, stack, desired, live);
    slots(&mut plan, stack, desired, live, choices);
    let lingers = former(&mut plan, stack, desired, live, choices);
    grant(&mut plan, stack, desired, live);
    role(&mut plan, stack, desired, live, choices, lingers);
    tags(&mut plan, desired, live);
    await_deployed(&mut plan, desired, live, choices);
    plan.sorted()
}

fn own_distribution(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live) {
    let name = &stack.names.stack;
    let Some(wanted) = &desired.distribution else { return };
    // The grant comes after the distribution that it names.
    let outlived =
        live.distribution.is_none() && grant::distribution(live.policy.as_ref()).is_some();
    plan.take(Stage::Access, access::plan::plan(name, live.access.as_ref(), outlived), Op::Access);
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
    let (bucket, policy, exists) = (&stack.bucket, live.policy.as_ref(), live.bucket.is_some());
    let ends = plan.steps.iter().any(|step| step.stage == Stage::DeleteDistribution);
    let own = live.distribution.as_ref().map(|distribution| &distribution.id);
    let reads = |id: &&DistributionId| live.readers.contains(&(bucket.clone(), (*id).clone()));
    let reader = own.filter(|id| desired.distribution.is_some() || reads(id));
    let lets = |reader| grant::plan::plan(&stack.account, bucket, reader, policy, exists);
    let (stage, op) = match reader {
        Some(_) if ends => {
            (Stage::RemoveGrant, grant::plan::without_reader(bucket, policy, exists))
        }
        Some(reader) => (Stage::Grant, lets(Some(reader))),
        None if desired.distribution.is_some() => (Stage::FirstGrant, lets(None)),
        None => (Stage::Grant, grant::plan::without_reader(bucket, policy, exists)),
    };
    if op.is_some() {
        plan.conflicts.extend(grant::plan::shared(bucket, own, policy, |id| reads(&id)));
    }
    plan.add(stage, op.map(Op::Grant));
    if exists {
        plan.notices.extend(grant::plan::notices(bucket, policy));
    }
}

fn slots(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) {
    let Some(wanted) = &desired.association else { return };
    let owner = live.attached.as_ref().and_then(distribution::owner::owner);
    if let Some(owner) = owner {
        let own = owner == stack.names.stack;
        let whose =
            if own { "this stack's own".to_owned() } else { format!("the one of stack `{owner}`") };
        let hint = if own {
            "leave `distribution.id` out of the spec: the stack manages it already"
        } else {
            "attach to a distribution that no stack manages, or put the page into that stack's spec"
        };
        plan.conflicts.push(Conflict {
            address: Address::new(Kind::Association, &wanted.id),
            reason: format!("the distribution is {whose}, not somebody else's"),
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
    plan.take(Stage::Association, planned, Op::Association);
}

/// Waits for the deployment if somebody wants it, or if something else may only go after it; also
/// for what an interrupted run has changed.
fn await_deployed(plan: &mut Plan, desired: &Desired, live: &Live, choices: &Choices) {
    let goes = plan.steps.iter().any(|step| step.stage >= Stage::Vacate);
    if !choices.wait && !goes {
        return;
    }
    let tags = |op: &distribution::Op| matches!(op, distribution::Op::SetTags { .. });
    let changes = plan.steps.iter().any(|step| match &step.op {
        Op::Distribution(op) => step.stage == Stage::Distribution && !tags(op),
        Op::Association(_) => step.stage == Stage::Association,
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
            [Op::Association(association::Op::AwaitDeployed { id: wanted.id.clone() })],
        );
    }
}

/// The role reaches what the functions need: while a stack moves, also what it leaves. In the end
/// it reaches what is left, so that whatever is ours stays named in its policy. `lingers`: visitors
/// still get an earlier version somewhere.
fn role(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    lingers: bool,
) {
    let (name, account) = (&stack.names.stack, &stack.account);
    let wanted = Reach::of(desired.role.policy.as_ref(), account);
    let ours = live.role.as_ref().filter(|live| role::plan::is_ours(live, name));
    let seen = Reach::of(ours.and_then(|live| live.settings.policy.as_ref()), account);
    let roles =
        live.former.roles.values().map(|live| Reach::of(live.settings.policy.as_ref(), account));
    let known = roles.fold(seen, Reach::with);
    let moves = plan
        .steps
        .iter()
        .any(|step| matches!(step.stage, Stage::Distribution | Stage::Association));
    if moves {
        plan.conflicts.extend(open_window(&known, &wanted, stack, live));
        plan.conflicts.extend(
            closed_window(&known, &wanted, live).filter(|_| !choices.adopt.contains(&Kind::Page)),
        );
    }
    let gone = |op: &Op| plan.steps.iter().any(|step| step.op == *op);
    let former = |bucket: &BucketName| live.former.buckets.contains_key(bucket);
    let stays =
        |bucket: &BucketName| !gone(&Op::Bucket(bucket::Op::Delete { name: bucket.clone() }));
    let page = |bucket: &BucketName| (bucket.clone(), stack.names.keys.on.clone());
    let pages = known.pages.iter().filter(|(bucket, _)| former(bucket)).cloned();
    let pages: Vec<(BucketName, ObjectKey)> =
        pages.chain(live.former.buckets.keys().map(page)).collect();
    let functions = live.former.functions.keys();
    let old_keys = known.pages.iter().filter(|(bucket, _)| *bucket == stack.bucket);
    let left = Reach {
        pages: pages
            .iter()
            .filter(|(bucket, _)| stays(bucket))
            .chain(old_keys.clone().filter(|_| lingers))
            .cloned()
            .collect(),
        functions: functions.clone().filter(|name| !ends_function(plan, name)).cloned().collect(),
    };
    let end = wanted.clone().with(left);
    let leaving = Reach {
        pages: pages.iter().chain(old_keys.filter(|_| moves)).cloned().collect(),
        functions: functions.cloned().collect(),
    };
    let now = end.clone().with(leaving);
    let settings = role::Settings { policy: Some(now.policy(account)), ..desired.role.clone() };
    plan.take(
        Stage::Role,
        role::plan::plan(
            name,
            &stack.names.role,
            &settings,
            live.role.as_ref(),
            choices.adopt.contains(&Kind::Role),
        ),
        Op::Role,
    );
    if now != end {
        let (name, before) = (stack.names.role.clone(), Some(now.policy(account)));
        plan.add(
            Stage::Narrow,
            [Op::Role(role::Op::PutPolicy { name, before, after: end.policy(account) })],
        );
    }
}

/// A function that is to be taken over, and that visitors of somebody else's distribution use.
fn runs_elsewhere(stack: &Stack, live: &Live) -> Option<Conflict> {
    live.function.as_ref().filter(|found| !function::plan::is_ours(found, &stack.names.stack))?;
    let named = stack.any_version();
    let runs = |held: &&distribution::Live| {
        let behaviors = held.document.read().behaviors.into_values();
        behaviors
            .flat_map(|does| does.functions.into_values())
            .any(|arn| named.number_in(&arn).is_some())
    };
    let held = live.holders.iter().find(runs)?;
    Some(Conflict {
        address: Address::new(Kind::Function, &stack.names.function),
        reason: format!(
            "distribution {} runs it, which this spec does not name; a later destroy would be in \
                its way",
            held.id
        ),
        hint: "choose another `function.name`, or name that distribution as `distribution.id`"
            .into(),
    })
}

/// Maintenance is on where the function is about to stop looking.
fn open_window(known: &Reach, wanted: &Reach, stack: &Stack, live: &Live) -> Option<Conflict> {
    let mut left = known.pages.difference(&wanted.pages);
    let lies = |(bucket, key): &&(BucketName, ObjectKey)| {
        let objects = if *bucket == stack.bucket {
            Some(&live.objects)
        } else {
            live.former.buckets.get(bucket).map(|found| &found.objects)
        };
        objects.is_some_and(|objects| objects.objects.contains_key(key))
    };
    left.find(lies).map(|(bucket, key)| Conflict {
        address: Address::new(Kind::Page, key),
        reason: format!(
            "maintenance is on by this object in bucket {bucket}, where the function \
            would no longer look: visitors would get the site"
        ),
        hint: "end the window first (`provision maintenance off` with the spec as it was), or \
            delete that object if no version reads it any more"
            .into(),
    })
}

/// Something lies under a key that the function did not look at so far: visitors would get it.
fn closed_window(known: &Reach, wanted: &Reach, live: &Live) -> Option<Conflict> {
    let mut new = wanted.pages.difference(&known.pages).filter(|_| !known.pages.is_empty());
    let (bucket, key) = new.find(|(_, key)| live.objects.objects.contains_key(key))?;
    Some(Conflict {
        address: Address::new(Kind::Page, key),
        reason: format!(
            "an object lies under this key in bucket {bucket}; as `keys.on` it would put the site \
                into maintenance at once"
        ),
        hint: "choose another `maintenance.keys.on`, or delete that object first".into(),
    })
}

fn objects(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) {
    let name = &stack.names.stack;
    let planner = site::plan::Planner {
        stack: name,
        bucket: &stack.bucket,
        page_keys: stack.page_keys(),
        adopt: choices.adopt.contains(&Kind::Site),
        delete: choices.delete.contains(&Kind::Site),
    };
    let site = planner.plan(&desired.site, &live.objects);
    plan.conflicts.extend(site.conflicts);
    plan.notices.extend(site.notices);
    for op in site.ops {
        let stage = match &op {
            site::Op::Delete { .. } => Stage::Leftovers,
            put if site::plan::is_document(put) => Stage::Documents,
            site::Op::Put { .. } => Stage::Files,
        };
        plan.add(stage, [Op::Site(op)]);
    }
    let (keys, content) = (&stack.names.keys, &desired.page.content);
    let told = Served::of(content).with_switch(&keys.on);
    let own = site::plan::claim(&live.objects, &keys.off, &content.md5, &told);
    let page = page::Live { own, on: live.shown.clone(), opens: !is_reached(stack, live) };
    let adopt = choices.adopt.contains(&Kind::Page);
    let page = page::plan::plan(name, &stack.bucket, keys, &desired.page, &page, adopt);
    // Until the function that looks at another on key is there, the page tells of the one before.
    let told_later = |op: &page::Op| match op {
        page::Op::Put { served: Some(served), .. } => {
            !served.switch.is_empty() && served.switch != told.switch
        }
        _ => false,
    };
    let (later, first): (Vec<_>, Vec<_>) = page.ops.into_iter().partition(told_later);
    plan.add(Stage::Page, first.into_iter().map(Op::Page));
    plan.add(Stage::Switch, later.into_iter().map(Op::Page));
    plan.conflicts.extend(page.conflicts);
    plan.notices.extend(page.notices);
    let puts = plan.steps.iter().any(|step| match &step.op {
        Op::Site(site::Op::Put { .. }) => true,
        Op::Page(page::Op::Put { key, .. }) => *key == keys.off,
        _ => false,
    });
    plan.take(
        Stage::Index,
        planner.index(&desired.site, (&keys.off, content, told), puts, &live.objects),
        Op::Site,
    );
}

/// Does a distribution run our function already?
fn is_reached(stack: &Stack, live: &Live) -> bool {
    let ours = stack.any_version();
    let documents = live.distribution.iter().chain(&live.attached).map(|live| live.document.read());
    let behaviors = documents.flat_map(|reading| reading.behaviors.into_values());
    behaviors
        .flat_map(|behavior| behavior.functions.into_values())
        .any(|arn| ours.number_in(&arn).is_some())
}
