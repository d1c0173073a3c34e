//! What an earlier spec named, found by what things of ours mention.

use crate::aws::Clients;
use crate::change::{Address, Fault, FaultKind, Kind, Notice};
use crate::name::{BucketName, DistributionId, FunctionName, RoleName};
use crate::resource::distribution::aws::Listed;
use crate::resource::distribution::document::reads_bucket;
use crate::resource::site::{FoundIndex, Inventory};
use crate::resource::{bucket, distribution, function, grant, logs, role, site};
use crate::stack::{Clues, FormerBucket, Live, Stack};
use futures_util::future::try_join_all;
use futures_util::try_join;

/// Follows `marked` roles, and whatever things of ours mention, until nothing new comes.
///
/// # Errors
/// Any call's. A thing that may not be looked at is noted instead: who manages this stack need not
/// have rights for the names of an earlier spec.
pub(super) async fn follow(
    clients: &Clients,
    stack: &Stack,
    marked: Vec<RoleName>,
    live: &mut Live,
) -> Result<(), Fault> {
    let roles = marked.into_iter().collect();
    let mut clues = Clues { roles, ..Clues::default() }.with(stack.names.also.clone());
    let mut followed = Clues::default();
    loop {
        clues = clues.with(live.clues(stack)).beside(stack).unless_in(&mut followed);
        if clues.is_empty() {
            live.end_of_search(stack);
            return Ok(());
        }
        remember(clients, &clues, stack, live).await?;
    }
}

async fn remember(
    clients: &Clients,
    clues: &Clues,
    stack: &Stack,
    live: &mut Live,
) -> Result<(), Fault> {
    let name = &stack.names.stack;
    for role in &clues.roles {
        let seen = role::aws::observe(clients, role).await;
        if let Some(found) = may_look(seen, &Address::new(Kind::Role, role), live)?.flatten() {
            live.former.take_role(name, role, found);
        }
    }
    for function in &clues.functions {
        let seen = function::aws::observe(clients, function).await;
        let seen = may_look(seen, &Address::new(Kind::Function, function), live)?;
        let Some(found) = seen else { continue };
        let groups = match &found {
            Some(found) if !function::plan::is_ours(found, name) => logs::Live::default(),
            found => groups(clients, stack, function, found.is_some()).await?,
        };
        live.former.take_function(name, function, found, groups);
    }
    for bucket in &clues.buckets {
        let seen = former_bucket(clients, stack, bucket).await;
        if let Some(found) = may_look(seen, &Address::new(Kind::Bucket, bucket), live)?.flatten() {
            live.former.take_bucket(name, bucket, found);
        }
    }
    Ok(())
}

/// The log groups of a function. Their tags are looked up only where no function proves whose
/// they are.
async fn groups(
    clients: &Clients,
    stack: &Stack,
    function: &FunctionName,
    is_proven: bool,
) -> Result<logs::Live, Fault> {
    let group = logs::group(function);
    let groups = Box::pin(logs::aws::observe(clients, &group)).await?;
    if is_proven {
        return Ok(groups);
    }
    Box::pin(logs::aws::observe_tags(clients, &stack.account, &group, groups)).await
}

/// What was seen, or `None` where the caller may not look.
fn may_look<T>(
    seen: Result<T, Fault>,
    address: &Address,
    live: &mut Live,
) -> Result<Option<T>, Fault> {
    match seen {
        Err(fault) if fault.kind == FaultKind::Denied => {
            let text = format!(
                "may be this stack's, from an earlier spec, and does not let us look: {fault}"
            );
            live.former.refused.push(Notice { address: address.clone(), text });
            Ok(None)
        }
        seen => seen.map(Some),
    }
}

/// A bucket, whole where it carries the stack's tag. Otherwise its index may say that it lost it.
async fn former_bucket(
    clients: &Clients,
    stack: &Stack,
    name: &BucketName,
) -> Result<Option<FormerBucket>, Fault> {
    let account = &stack.account;
    let Some(region) = bucket::aws::locate(clients, account, name).await? else { return Ok(None) };
    let clients = &clients.in_region(&region);
    let live = bucket::aws::observe(clients, account, name, region).await?;
    let owner = &stack.names.stack;
    if !bucket::plan::is_ours(&live, owner) {
        let index = site::aws::fetch(clients, account, name, site::index::KEY).await?;
        let index = index.map(|found| FoundIndex::judged(&found, owner));
        let objects = site::Live { index, ..site::Live::default() };
        let inventory = Inventory::default();
        return Ok(Some(FormerBucket { live, objects, inventory, policy: None }));
    }
    let place =
        site::aws::Place { account, stack: owner, bucket: name, page_keys: stack.page_keys() };
    let (policy, (objects, inventory)) = try_join!(
        grant::aws::observe(clients, account, name),
        site::aws::observe_all(clients, place),
    )?;
    Ok(Some(FormerBucket { live, objects, inventory, policy }))
}

/// The distributions that read a bucket of ours.
pub(super) fn readers(
    stack: &Stack,
    live: &Live,
    listed: &[Listed],
) -> Vec<(BucketName, DistributionId)> {
    let of = |bucket: &BucketName| -> Vec<_> {
        let reads = |one: &&Listed| {
            one.origins.iter().any(|(_, host, path)| reads_bucket(host, path, bucket))
        };
        listed.iter().filter(reads).map(|one| (bucket.clone(), one.id.clone())).collect()
    };
    live.buckets(stack).flat_map(of).collect()
}

/// The distributions that sign with our access control and are not the stack's own.
pub(super) fn signers(live: &Live, listed: &[Listed]) -> Vec<DistributionId> {
    let own = live.distribution.as_ref().map(|live| &live.id);
    let Some(control) = &live.access else { return Vec::new() };
    let signs = |one: &&Listed| Some(&one.id) != own && one.controls.contains(&control.id);
    listed.iter().filter(signs).map(|one| one.id.clone()).collect()
}

/// Reads the distributions that run a function of ours, or the one that the spec names, and are
/// neither the stack's own nor the attached one.
///
/// # Errors
/// Any call's, also a refusal to look: what visitors get there depends on what this run may end.
pub(super) async fn holders(
    clients: &Clients,
    stack: &Stack,
    live: &Live,
    listed: &[Listed],
) -> Result<Vec<distribution::Live>, Fault> {
    let functions = live.functions(stack);
    let own = live.distribution.as_ref().map(|live| &live.id);
    let known = |id: &DistributionId| stack.names.attached.as_ref() == Some(id) || own == Some(id);
    let named = stack.any_version();
    let runs =
        |one: &&Listed| one.occupants.iter().any(|(_, arn)| functions.run(arn) || named.names(arn));
    let holders = listed.iter().filter(runs).filter(|one| !known(&one.id));
    let read = holders.map(|one| distribution::aws::read_document(clients, &one.id));
    Ok(try_join_all(read).await?.into_iter().flatten().collect())
}
