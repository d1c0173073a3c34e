//! Finds the distributions of every stack in an account, and whose functions the others run.

use super::observe::{Listed, list, read};
use crate::aws::Clients;
use crate::change::{Fault, Kind};
use crate::name::{AccountId, DistributionId};
use crate::resource::distribution::document::EVENT;
use crate::resource::distribution::owner;
use crate::resource::{Trace, Traces};

/// A distribution and a version that one of its viewer-request slots runs.
pub(crate) type Runner = (DistributionId, String);

/// Finds what is ours of this kind in the whole account.
pub(crate) async fn traces(
    clients: &Clients,
    account: &AccountId,
) -> Result<(Traces, Vec<Runner>), Fault> {
    let (mut traces, mut runners) = (Traces::default(), Vec::new());
    for Listed { id, origins, occupants, modified, enabled, controls: _ } in list(clients).await? {
        runners.extend(
            occupants
                .into_iter()
                .filter(|(event, _)| event == EVENT)
                .map(|(_, arn)| (id.clone(), arn)),
        );
        if !origins.iter().any(|(origin, _, _)| origin.starts_with("provision-")) {
            continue;
        }
        let Some(found) = read(clients, account, &id).await? else { continue };
        let owner = owner::owner(&found);
        traces.add(&owner, Kind::Distribution, id, &found.tags, |trace| Trace {
            since: modified,
            enabled: Some(enabled),
            ..trace
        });
    }
    Ok((traces, runners))
}
