//! Finds the distributions of every stack in an account, and lists all others.

use super::observe::{list, read};
use crate::aws::Clients;
use crate::change::Fault;
use crate::name::AccountId;
use crate::resource::distribution::{Listed, owner};
use crate::resource::{ResourceId, Trace, Traces};

/// Finds what is ours of this kind in the whole account.
pub(crate) async fn traces(
    clients: &Clients,
    account: &AccountId,
) -> Result<(Traces, Vec<Listed>), Fault> {
    let listed = list(clients).await?;
    let mut traces = Traces::default();
    let is_suspect =
        |one: &&Listed| one.origins.iter().any(|(origin, _, _)| origin.starts_with("provision-"));
    for Listed { id, modified, enabled, .. } in listed.iter().filter(is_suspect) {
        let Some(found) = read(clients, account, id).await? else { continue };
        let owner = owner::owner(&found);
        traces.add(&owner, ResourceId::Distribution(id.clone()), &found.tags, |trace| Trace {
            since: *modified,
            enabled: Some(*enabled),
            ..trace
        });
    }
    Ok((traces, listed))
}
