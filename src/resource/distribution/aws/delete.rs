//! Deletes a distribution, as soon as CloudFront lets go of it and only while it is disabled.

use super::observe::read;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Early};
use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, StackName};
use crate::resource::distribution::owner::may_go;
use std::sync::{Mutex, PoisonError};

pub(super) async fn delete(
    clients: &Clients,
    (account, stack): (&AccountId, &StackName),
    id: &DistributionId,
    seen: Option<&str>,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let known = || context.references(|known| known.etags.get(id).cloned());
    let etag = Mutex::new(seen.map(str::to_owned).or_else(known));
    let current = || etag.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let waited = wait::until(
        context,
        (address, "CloudFront to let go of it"),
        (clients.rhythm.quick, wait::SETTLING),
        &[FaultKind::Busy],
        || async {
            let request = clients.cloudfront.delete_distribution().id(id.as_str());
            let sent = request.set_if_match(current()).send().await;
            let refused = match absent(
                sent.map_err(|error| fault(format!("delete distribution {id}"), &error)),
            ) {
                Ok(Some(_)) => return Ok(Some(Done::Changed(String::new()))),
                Ok(None) => return Ok(Some(Done::AlreadySo)),
                Err(fault) if matches!(fault.kind, FaultKind::MovedOn | FaultKind::Busy) => fault,
                Err(fault) => return Err(fault),
            };
            let Some(live) = read(clients, account, id).await? else {
                return Ok(Some(Done::AlreadySo));
            };
            // CloudFront's control plane lags behind itself (docs/aws.md, "a distribution's end").
            let lags = current().as_ref() == Some(&live.etag) && !live.document.read().enabled;
            if !lags && !may_go(&live, stack) {
                return Err(Fault { kind: FaultKind::MovedOn, ..refused });
            }
            *etag.lock().unwrap_or_else(PoisonError::into_inner) = Some(live.etag);
            Err(Fault { kind: FaultKind::Busy, ..refused })
        },
    )
    .await?;
    let still = format!("CloudFront does not let go of distribution {id} yet");
    waited.or_later(still, wait::SETTLING).or_else(Early::done)
}
