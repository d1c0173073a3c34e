//! Deletes a version or the function, as soon as the edge lets go of it.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Early};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::{REPLICAS_END, REPLICAS_LINGER, REPLICATED};
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
    let waited = wait::until(
        context,
        (&change.address, REPLICAS_END),
        (clients.rhythm.replicas, patience),
        &[FaultKind::Replicated],
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
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    waited.or_later(REPLICATED, REPLICAS_LINGER).or_else(Early::done)
}
