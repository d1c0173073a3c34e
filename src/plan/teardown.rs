//! How each thing of ours ends, whoever wants it to: a destroy, or an apply that was told to delete
//! what an earlier spec named.

use super::{Choices, Intent, Plan, Stage};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, DistributionId, FunctionName, ObjectKey, RoleName, StackName};
use crate::resource::bucket::{ObjectVersion, Versioning};
use crate::resource::grant::plan::BucketIs;
use crate::resource::logs::plan::{Claim, FunctionIs};
use crate::resource::{
    access, association, bucket, distribution, function, grant, logs, role, site,
};
use crate::stack::{FormerBucket, Live, Op, Stack};

/// Disables our distribution and deletes it, with its access control.
pub(super) fn end_distribution(plan: &mut Plan, stack: &Stack, live: &Live) {
    let name = &stack.names.stack;
    let functions = live.functions(stack);
    if let (Some(signer), Some(control)) = (live.signers.first(), &live.access) {
        plan.conflicts.push(Conflict {
            address: Address::new(Kind::Access, &control.name),
            reason: format!(
                "distribution {signer} signs with it, which stays; its visitors would get errors"
            ),
            hint: format!("give the origins of {signer} another origin access control first"),
        });
    }
    let teardown = distribution::plan::teardown(name, live.distribution.as_ref(), &functions);
    plan.add(Stage::Vacate, teardown.disable.map(Op::Distribution));
    plan.add(Stage::Vacated, teardown.await_disabled.map(Op::Distribution));
    plan.add(Stage::DeleteDistribution, teardown.delete.map(Op::Distribution));
    end_access(plan, name, live);
}

/// Deletes the access control of a distribution that ends.
pub(super) fn end_access(plan: &mut Plan, name: &StackName, live: &Live) {
    let ends = access::plan::teardown(name, live.access.as_ref());
    plan.take(Stage::DeleteAccess, ends, |op| Op::Access(name.clone(), op));
}

/// Takes our statements out of the policy of a bucket that is not ours any more, or goes.
pub(super) fn end_grant(plan: &mut Plan, stack: &Stack, live: &Live) {
    if is_read_by_us(stack, live) {
        plan.conflicts.extend(read_by_others(stack, live));
        let op = grant::plan::teardown(live.policy.as_ref());
        plan.conflicts.extend(unwritable(stack, live).filter(|_| op.is_some()));
        plan.add(Stage::RemoveGrant, op.map(|op| Op::Grant(stack.bucket.clone(), op)));
    }
}

/// The same for a bucket that stays ours, which goes on denying plain HTTP.
pub(super) fn end_reading(plan: &mut Plan, stack: &Stack, live: &Live) {
    if !is_read_by_us(stack, live) {
        return;
    }
    plan.conflicts.extend(read_by_others(stack, live));
    if grant::exists(live.policy.as_ref()) {
        let (bucket, policy) = (&stack.bucket, live.policy.as_ref());
        let op = grant::plan::without_reader((bucket, &[]), policy, BucketIs::There);
        plan.conflicts.extend(unwritable(stack, live).filter(|_| op.is_some()));
        plan.add(Stage::RemoveGrant, op.map(|op| Op::Grant(bucket.clone(), op)));
    }
}

/// Are there statements of ours to end?
fn is_read_by_us(stack: &Stack, live: &Live) -> bool {
    let Some(bucket) = &live.bucket else { return false };
    let own = live.distribution.as_ref().map(|distribution| distribution.id.clone());
    let names_it = own.is_some() && grant::distribution(live.policy.as_ref()) == own;
    bucket::plan::is_ours(bucket, &stack.names.stack) || names_it
}

/// Others may read by our statements.
fn read_by_others(stack: &Stack, live: &Live) -> Option<Conflict> {
    let own = live.distribution.as_ref().map(|distribution| &distribution.id);
    let reads = |id: &DistributionId| live.readers.contains(&(stack.bucket.clone(), id.clone()));
    grant::plan::shared(&stack.bucket, own, live.policy.as_ref(), reads)
}

/// S3 would refuse to write the policy.
fn unwritable(stack: &Stack, live: &Live) -> Option<Conflict> {
    live.bucket.as_ref().filter(|found| found.settings.private)?;
    grant::plan::public(&stack.bucket, live.policy.as_ref())
}

/// Leaves every slot in `held` that runs a function of ours, and waits for that.
pub(super) fn leave_slots(plan: &mut Plan, stack: &Stack, live: &Live, held: &distribution::Live) {
    let functions = live.functions(stack);
    let turn = association::plan::teardown(held, &functions, &stack.any_version());
    let owner = distribution::owner::owner(held);
    if let Some(owner) = owner.named().filter(|it| turn.is_some() && **it != stack.names.stack) {
        plan.conflicts.push(Conflict {
            address: Address::new(Kind::Association, &held.id),
            reason: format!("runs a function of this stack, and is the one of stack `{owner}`"),
            hint: format!(
                "run `provision apply` for stack `{owner}` first, which puts its own there"
            ),
        });
        return;
    }
    // An interrupted run may have left the slots: the edge runs the function until that is
    // deployed.
    let exists = functions.0.iter().any(|(_, live)| live.is_some());
    if turn.is_some() || exists && !held.deployed {
        plan.add(
            Stage::Vacated,
            [Op::Association(held.id.clone(), association::Op::AwaitDeployed)],
        );
    }
    plan.add(Stage::Vacate, turn.map(|turn| Op::Association(held.id.clone(), turn)));
    // What stays, an apply tells; a destroy cannot delete the function while it is in use.
    if plan.intent == Intent::Destroy {
        plan.conflicts.extend(association::plan::held(held, &functions));
    }
}

/// Deletes a function with its log groups; without a function, the groups that carry our tag.
pub(super) fn end_function(
    plan: &mut Plan,
    stack: &Stack,
    name: &FunctionName,
    live: Option<&function::Live>,
    groups: Option<&logs::Live>,
    since: Option<u64>,
) {
    let owner = &stack.names.stack;
    if let Some(groups) = groups {
        let ends = logs::plan::teardown(&logs::group(name), groups, &claim(owner, live, since));
        plan.take(Stage::DeleteLogs, ends, |(id, op)| Op::Logs(id, op));
    }
    let ends = function::plan::teardown(owner, name, live);
    plan.take(Stage::DeleteFunction, ends, |op| Op::Function(name.clone(), op));
}

/// Which log groups belong to the function.
pub(super) fn claim<'a>(
    stack: &'a StackName,
    live: Option<&function::Live>,
    since: Option<u64>,
) -> Claim<'a> {
    let function = match live {
        Some(live) if function::plan::is_ours(live, stack) => FunctionIs::Ours,
        Some(_) => FunctionIs::Theirs,
        None => FunctionIs::Gone,
    };
    Claim { stack, function, since }
}

/// Deletes a role with everything that hangs on it.
pub(super) fn end_role(
    plan: &mut Plan,
    stack: &Stack,
    name: &RoleName,
    live: Option<&role::Live>,
    choices: &Choices,
) {
    let hint = match plan.intent {
        Intent::Destroy => {
            "copy them to another role, delete them with `--delete-data`, or keep the role with \
                `protect: [role]`"
        }
        _ => "delete them, or copy them to another role; without `--delete role` the role stays",
    };
    let ends = role::plan::teardown(&stack.names.stack, name, live, choices.delete_data, hint);
    plan.take(Stage::DeleteRole, ends, |op| Op::Role(name.clone(), op));
}

/// Empties and deletes a bucket of ours. `reader` is a distribution that goes on reading it.
pub(super) fn end_bucket(
    plan: &mut Plan,
    name: &BucketName,
    found: &FormerBucket,
    reader: Option<&DistributionId>,
    choices: &Choices,
) {
    let address = Address::new(Kind::Bucket, name);
    if let Some(reader) = reader {
        plan.conflicts.push(Conflict {
            address: address.clone(),
            reason: format!(
                "is an origin of distribution {reader}, which stays; its visitors would get \
                    errors, \
                 and whoever takes the name could serve them"
            ),
            hint: "remove that origin first, or keep the bucket with `protect: [bucket]`".into(),
        });
    }
    let index = ObjectKey::listed(site::index::KEY.to_owned());
    let taken = found.objects.index.as_ref().is_some_and(|found| found.ours.is_none());
    let foreign: Vec<_> = found.objects.foreign().chain(taken.then_some(&index)).collect();
    let before: Vec<_> = found.objects.foreign_before().collect();
    let named = (!foreign.is_empty()).then(|| {
        let named = site::plan::named(&foreign, |key| found.objects.spared(key));
        format!("holds objects that `provision` did not put: {named}")
    });
    let named_before = (!before.is_empty()).then(|| {
        let named = site::plan::named(&before, |key| found.objects.spared_before(key));
        format!("holds older versions that `provision` did not put: {named}")
    });
    if !foreign.is_empty() || !before.is_empty() {
        let reason = named.into_iter().chain(named_before).collect::<Vec<_>>().join("; ");
        if choices.delete_data {
            plan.notices
                .push(Notice { address, text: format!("{reason}; they are deleted with it") });
        } else {
            let hint = match plan.intent {
                Intent::Destroy => {
                    "move them away, delete them with `--delete-data`, or keep the bucket with \
                        `protect: [bucket]`"
                }
                _ => "move them away or delete them; without `--delete bucket` the bucket stays",
            };
            plan.conflicts.push(Conflict { address, reason, hint: hint.into() });
        }
    }
    // Only where S3 keeps no versions, a deletion can be guarded (docs/aws.md, "conditional
    // deletes"); elsewhere each version is named, and has its bytes for good.
    let is_guarded = found.live.settings.versioning == Versioning::Off;
    let as_planned = |version: &ObjectVersion| ObjectVersion {
        etag: version.etag.clone().filter(|_| is_guarded),
        ..version.clone()
    };
    let versions: Vec<_> = found.inventory.versions.iter().map(as_planned).collect();
    let uploads = found.inventory.uploads.clone();
    if !versions.is_empty() || !uploads.is_empty() {
        plan.add(
            Stage::DeleteBucket,
            [Op::Bucket(name.clone(), bucket::Op::Empty(bucket::Empty { versions, uploads }))],
        );
    }
    plan.add(Stage::DeleteBucket, [Op::Bucket(name.clone(), bucket::Op::Delete)]);
}
