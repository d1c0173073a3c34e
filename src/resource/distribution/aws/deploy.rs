//! Waits until a deployment has reached every edge, and is not misled by an old answer.

use super::observe::known;
use crate::aws::Clients;
use crate::aws::wait::{self, Refusal};
use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::DistributionId;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many answers with another ETag than our write's, or that know no such distribution, are
/// taken for old snapshots.
const STALE_ANSWERS: u32 = 3;

/// Waits until the distribution is deployed. The first answers after a write can still be the old
/// ones, which another ETag gives away, or 404 (docs/aws.md, "the first look can be stale"). One
/// that stays unknown is gone: where it was to be `disabled`, there is nothing left to wait for.
pub(crate) async fn await_deployed(
    clients: &Clients,
    id: &DistributionId,
    disabled: bool,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let expected = context.references(|known| known.etags.get(id).cloned());
    let (strange, absent) = (AtomicU32::new(0), AtomicU32::new(0));
    let judge = |fault: &Fault, _| match fault.kind {
        FaultKind::NotFound if absent.fetch_add(1, Ordering::Relaxed) < STALE_ANSWERS => {
            Refusal::Passes
        }
        kind if wait::passes(kind) => Refusal::Passes,
        _ => Refusal::Final,
    };
    let waited = wait::until_seen_unless(
        context,
        (address, "the deployment to reach every edge"),
        (clients.rhythm.deployment, wait::DEPLOYMENT),
        judge,
        || async {
            let live = known(clients, id).await?;
            absent.store(0, Ordering::Relaxed);
            // Another ETag than our write's is an old snapshot, or, if it stays, a user's later
            // write, which is not ours to await.
            let foreign = expected.as_ref().is_some_and(|etag| *etag != live.etag);
            let stale = foreign && strange.fetch_add(1, Ordering::Relaxed) < STALE_ANSWERS;
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
            Ok(met.then_some((live.etag, live.domain)))
        },
    )
    .await;
    let waited = match waited {
        Err(fault) if disabled && fault.kind == FaultKind::NotFound => return Ok(Done::AlreadySo),
        waited => waited?,
    };
    let still = format!("distribution {id} is still deploying");
    let (etag, domain) = match waited.or_later(still, std::time::Duration::from_mins(5)) {
        Ok(found) => found,
        Err(early) => return early.done(),
    };
    context.references(|known| {
        known.etags.insert(id.clone(), etag);
        if known.distribution.as_ref() == Some(id) {
            known.domain = Some(domain);
        }
    });
    Ok(Done::Changed("deployed".into()))
}
