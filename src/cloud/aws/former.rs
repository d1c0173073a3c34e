//! Fetches what an earlier spec named.

use crate::aws::Clients;
use crate::change::Fault;
use crate::name::{AccountId, BucketName, FunctionName, RoleName};
use crate::resource::site::{FoundIndex, Inventory};
use crate::resource::{ResourceId, bucket, function, grant, logs, role, site};
use crate::stack::{Clues, FormerBucket, Live, Search, Stack};
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
    let mut search = Search::new(stack, marked);
    while let Some(clues) = search.next(live) {
        remember(clients, &clues, stack, live).await?;
    }
    Ok(())
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
        let seen = live.former.unless_refused(ResourceId::Role(role.clone()), seen)?;
        if let Some(found) = seen.flatten() {
            live.former.take_role(name, role, found);
        }
    }
    let (since, former) = (live.since(name), &mut live.former);
    for function in &clues.functions {
        let seen = function::aws::observe(clients, function).await;
        let seen = former.unless_refused(ResourceId::Function(function.clone()), seen)?;
        let Some(found) = seen else { continue };
        let look = function::plan::look_at_logs(name, found.as_ref());
        let groups = groups(clients, &stack.account, function, look, since).await?;
        former.take_function(name, function, found, groups);
    }
    for bucket in &clues.buckets {
        let seen = former_bucket(clients, stack, bucket).await;
        let seen = former.unless_refused(ResourceId::Bucket(bucket.clone()), seen)?;
        if let Some(found) = seen.flatten() {
            former.take_bucket(name, bucket, found);
        }
    }
    Ok(())
}

/// The log groups of a function.
async fn groups(
    clients: &Clients,
    account: &AccountId,
    function: &FunctionName,
    look: logs::Look,
    since: Option<u64>,
) -> Result<logs::Live, Fault> {
    if look == logs::Look::Spared {
        return Ok(logs::Live::default());
    }
    let group = logs::group(function);
    let groups = Box::pin(logs::aws::observe(clients, &group)).await?;
    let is_asked = |group: &logs::Group| look.asks(group, since);
    Box::pin(logs::aws::observe_tags(clients, account, &group, groups, is_asked)).await
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
        let index = index.map(|found| FoundIndex::judged(&found, owner, name));
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
