//! What makes everything as it should be.

use super::destroy::end_distribution;
use super::{Choices, Intent, Plan, Stage};
use crate::change::Kind;
use crate::desired::Desired;
use crate::resource::distribution::{Behavior, document::EVENT};
use crate::resource::{access, association, bucket, distribution, function, grant, logs, page, role, site};
use crate::stack::{Live, Op, Stack};
use std::collections::BTreeSet;

/// Plans what makes everything as it should be.
pub fn provision(stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Provision);
    let name = &stack.names.stack;
    let adopts = |kind| choices.adopt.contains(&kind);
    plan.take(
        Stage::Bucket,
        bucket::plan::plan(name, &stack.bucket, &desired.bucket, live.bucket.as_ref(), adopts(Kind::Bucket)),
        Op::Bucket,
    );
    plan.take(Stage::Role, role::plan::plan(name, &stack.names.role, &desired.role, live.role.as_ref(), adopts(Kind::Role)), Op::Role);
    let function = function::plan::plan(name, &stack.names.function, &desired.function, live.function.as_ref(), adopts(Kind::Function));
    plan.take(Stage::Function, function, Op::Function);
    if let Some(wanted) = &desired.logs {
        let planned = logs::plan::plan(&logs::group(&stack.names.function), wanted, &live.logs);
        plan.notices.extend(planned.notices);
        for op in planned.ops {
            let stage = if matches!(op, logs::Op::Create { .. }) { Stage::Logs } else { Stage::Retention };
            plan.add(stage, [Op::Logs(op)]);
        }
    }
    if plan.can_apply() {
        objects(&mut plan, stack, desired, live, choices);
    }
    if let Some(wanted) = &desired.distribution {
        plan.take(Stage::Access, access::plan::plan(name, live.access.as_ref()), Op::Access);
        let access = live.access.as_ref().map(|access| access.id.as_str());
        let planned = distribution::plan::plan(name, &stack.account, wanted, live.distribution.as_ref(), live.function.as_ref(), access);
        plan.take(Stage::Distribution, planned, Op::Distribution);
        let reader = live.distribution.as_ref().map(|distribution| &distribution.id);
        let grant = grant::plan::plan(&stack.account, &stack.bucket, reader, live.policy.as_ref(), live.bucket.is_some());
        plan.add(Stage::Grant, grant.map(Op::Grant));
        let changes =
            plan.steps.iter().any(|step| matches!(&step.op, Op::Distribution(op) if !matches!(op, distribution::Op::SetTags { .. })));
        let id = live.distribution.as_ref().map(|distribution| distribution.id.clone());
        // Also what an interrupted run has changed.
        let deploys = changes || live.distribution.as_ref().is_some_and(|distribution| !distribution.deployed);
        let wait = (choices.wait && deploys).then_some(Op::Distribution(distribution::Op::AwaitDeployed { id, disabled: false }));
        plan.add(Stage::Deployed, wait);
    } else {
        // A distribution of ours that the spec no longer asks for.
        end_distribution(&mut plan, stack, live);
        let grant = grant::plan::without_reader(&stack.bucket, live.policy.as_ref(), live.bucket.is_some());
        // The statement that names the distribution goes while that can still be looked up.
        let stage = if grant::distribution(live.policy.as_ref()).is_some() { Stage::RemoveGrant } else { Stage::Grant };
        plan.add(stage, grant.map(Op::Grant));
    }
    if live.bucket.is_some() {
        plan.notices.extend(grant::plan::notices(&stack.bucket, live.policy.as_ref()));
    }
    if let Some(wanted) = &desired.association {
        let planned = association::plan::plan(wanted, live.attached.as_ref(), live.function.as_ref());
        let deploys = !planned.ops.is_empty() || live.attached.as_ref().is_some_and(|attached| !attached.deployed);
        plan.take(Stage::Association, planned, Op::Association);
        let wait = (choices.wait && deploys).then(|| Op::Association(association::Op::AwaitDeployed { id: wanted.id.clone() }));
        plan.add(Stage::Deployed, wait);
    }
    let prune = function::plan::prune(&stack.names.function, &desired.function, live.function.as_ref(), &in_use(stack, live));
    plan.add(Stage::Prune, prune.into_iter().map(Op::Function));
    plan.sorted()
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
    let page = page::Live { off: live.objects.objects.get(&stack.names.keys.off).cloned(), on: live.shown.clone() };
    plan.take(Stage::Page, page::plan::plan(name, &stack.bucket, &stack.names.keys, &desired.page, &page), Op::Page);
    let puts = plan.steps.iter().any(|step| matches!(step.op, Op::Site(site::Op::Put { .. }) | Op::Page(page::Op::Put { .. })));
    let page = (&stack.names.keys.off, &desired.page.content);
    plan.take(Stage::Index, planner.index(&desired.site, page, puts, &live.objects), Op::Site);
}

/// Numbers of our versions in slots that this plan does not turn: somebody put them there by hand.
fn in_use(stack: &Stack, live: &Live) -> BTreeSet<u64> {
    let occupant = stack.any_version();
    let slots = |live: &Option<distribution::Live>, turned: fn(&Behavior) -> bool| -> Vec<String> {
        let behaviors = live.as_ref().map(|live| live.document.read().behaviors).unwrap_or_default().into_iter();
        let functions =
            behaviors.flat_map(|(behavior, does)| does.functions.into_iter().map(move |(event, arn)| (behavior.clone(), event, arn)));
        functions.filter(|(behavior, event, _)| !(event == EVENT && turned(behavior))).map(|(_, _, arn)| arn).collect()
    };
    let left = slots(&live.distribution, |behavior| *behavior == Behavior::Default).into_iter().chain(slots(&live.attached, |_| true));
    left.filter_map(|arn| occupant.number_in(&arn)).collect()
}
