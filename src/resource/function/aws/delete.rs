//! Deletes a version or the function, as soon as the edge lets go of it.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Waited};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::{REPLICAS_END, REPLICAS_LINGER, REPLICATED};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Deletes one version, or the function with all of them. Replicas at the edge can hold it for
/// hours: then it is deferred, after this much patience.
pub(super) async fn delete(
    clients: &Clients,
    name: &FunctionName,
    number: Option<u64>,
    change: &Change,
    (context, patience): (&Context<'_>, Duration),
) -> Result<Done, Fault> {
    let what = number.map_or_else(
        || format!("function {name}"),
        |number| format!("version {number} of function {name}"),
    );
    let held = AtomicBool::new(false);
    let waited = wait::until(
        context,
        &change.address,
        REPLICAS_END,
        (clients.rhythm.replicas, patience),
        || async {
            let sent = clients
                .lambda
                .delete_function()
                .function_name(name.as_str())
                .set_qualifier(number.map(|number| number.to_string()))
                .send()
                .await;
            match absent(sent.map_err(|error| fault(format!("delete {what}"), &error))) {
                Ok(Some(_)) => Ok(Some(Done::Changed(String::new()))),
                Ok(None) => Ok(Some(Done::AlreadySo)),
                Err(fault) if fault.kind == FaultKind::Replicated => {
                    held.store(true, Ordering::Relaxed);
                    Ok(None)
                }
                // The wait takes hours: a network that sleeps in between is no failure, nor is the
                // end of the credentials.
                Err(fault) if !held.load(Ordering::Relaxed) => Err(fault),
                Err(fault)
                    if matches!(fault.kind, FaultKind::Unreachable | FaultKind::Throttled) =>
                {
                    Ok(None)
                }
                Err(fault) if fault.kind == FaultKind::Credentials => {
                    let reason = format!(
                        "{REPLICATED}; meanwhile the credentials have ended ({})",
                        fault.message
                    );
                    Ok(Some(Done::Deferred { reason, try_again_after: REPLICAS_LINGER }))
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    Ok(match waited {
        Waited::Met(done) => done,
        Waited::OutOfTime | Waited::Stopped => {
            Done::Deferred { reason: REPLICATED.into(), try_again_after: REPLICAS_LINGER }
        }
    })
}
