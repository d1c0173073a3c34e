//! Deletes a version or the function, as soon as the edge lets go of it.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Waited};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::REPLICAS_LINGER;
use std::sync::atomic::{AtomicBool, Ordering};

/// Deletes one version, or the function with all of them. Replicas at the edge can hold it for
/// hours: then it is deferred, after as much patience as the user asked for.
pub(super) async fn delete(
    clients: &Clients,
    name: &FunctionName,
    number: Option<u64>,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let what = number.map_or_else(
        || format!("function {name}"),
        |number| format!("version {number} of function {name}"),
    );
    let patience = if number.is_some() { std::time::Duration::ZERO } else { context.patience };
    let reason = "CloudFront still keeps replicas of it at the edge; AWS removes them by itself, \
        and nobody can hurry it";
    let held = AtomicBool::new(false);
    let waited = wait::until(
        context,
        &change.address,
        "CloudFront to remove its replicas",
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
                        "{reason}; meanwhile the credentials have ended ({})",
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
            Done::Deferred { reason: reason.into(), try_again_after: REPLICAS_LINGER }
        }
    })
}
