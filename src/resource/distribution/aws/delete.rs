//! Deletes a distribution, as soon as CloudFront lets go of it and only while it is disabled.

use super::observe::read_document;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Waited};
use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::DistributionId;

pub(super) async fn delete(
    clients: &Clients,
    id: &DistributionId,
    seen: Option<&str>,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let etag = std::sync::Mutex::new(
        seen.map(str::to_owned)
            .or_else(|| context.references(|known| known.etags.get(id).cloned())),
    );
    let current = || etag.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let waited = wait::until(
        context,
        address,
        "CloudFront to let go of it",
        (clients.rhythm.quick, wait::SETTLING),
        || async {
            let sent = clients
                .cloudfront
                .delete_distribution()
                .id(id.as_str())
                .set_if_match(current())
                .send()
                .await;
            match absent(sent.map_err(|error| fault(format!("delete distribution {id}"), &error))) {
                Ok(Some(_)) => Ok(Some(Done::Changed(String::new()))),
                Ok(None) => Ok(Some(Done::AlreadySo)),
                // CloudFront's control plane lags behind itself (docs/aws.md, "a distribution's
                // end"); it is ours, and it must still be disabled.
                Err(fault) if matches!(fault.kind, FaultKind::MovedOn | FaultKind::Busy) => {
                    match read_document(clients, id).await? {
                        Some(live) if live.document.read().enabled => {
                            Err(Fault { kind: FaultKind::MovedOn, ..fault })
                        }
                        Some(live) => {
                            *etag.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                                Some(live.etag);
                            Ok(None)
                        }
                        None => Ok(Some(Done::AlreadySo)),
                    }
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    Ok(match waited {
        Waited::Met(done) => done,
        Waited::OutOfTime | Waited::Stopped => Done::Deferred {
            reason: format!("CloudFront does not let go of distribution {id} yet"),
            try_again_after: wait::SETTLING,
        },
    })
}
