//! Waits until a deployment has reached every edge, and is not misled by an old answer.

use super::observe::read_document;
use crate::aws::Clients;
use crate::aws::wait;
use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::DistributionId;

/// How many answers with another ETag than our write's are taken for old snapshots.
const STALE_ANSWERS: u32 = 3;

/// Waits until the distribution is deployed. The first answer after an update can still be the old
/// one, which another ETag gives away (docs/aws.md, "the first look can be stale").
pub(crate) async fn await_deployed(
    clients: &Clients,
    id: &DistributionId,
    disabled: bool,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let expected = context.references(|known| known.etags.get(id).cloned());
    let strange = std::sync::atomic::AtomicU32::new(0);
    let waited = wait::until_seen(
        context,
        (address, "the deployment to reach every edge"),
        (clients.rhythm.deployment, wait::DEPLOYMENT),
        &[],
        || async {
            let Some(live) = read_document(clients, id).await? else { return Ok(Some(None)) };
            // Another ETag than our write's is an old snapshot, or, if it stays, a user's later
            // write, which is not ours to await.
            let foreign = expected.as_ref().is_some_and(|etag| *etag != live.etag);
            let stale = foreign
                && strange.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < STALE_ANSWERS;
            let enabled = disabled && live.document.read().enabled;
            if enabled && foreign && !stale {
                return Err(Fault::new(
                    FaultKind::MovedOn,
                    format!("disable distribution {id}"),
                    "another user enabled it again",
                )
                .hinted(
                    "make sure that nobody applies the stack, then run the same command again",
                ));
            }
            let met = live.deployed && !stale && !enabled;
            Ok(met.then_some(Some((live.etag, live.domain))))
        },
    )
    .await?;
    let still = format!("distribution {id} is still deploying");
    let found = match waited.or_later(still, std::time::Duration::from_mins(5)) {
        Ok(found) => found,
        Err(early) => return early.done(),
    };
    if let Some((etag, domain)) = found {
        context.references(|known| {
            known.etags.insert(id.clone(), etag);
            if known.distribution.as_ref() == Some(id) {
                known.domain = Some(domain);
            }
        });
    }
    Ok(Done::Changed("deployed".into()))
}
