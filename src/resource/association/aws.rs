//! Slots on the wire.

use super::Op;
use crate::aws::Clients;
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::resource::distribution::aws::{await_deployed, update};

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(clients: &Clients, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
    let address = op.change().address;
    match op {
        Op::Turn { id, etag, occupant, .. } => {
            let arn = if op.fills() { occupant.resolve(context)? } else { String::new() };
            let document = op.rewritten(&arn).map_err(|why| Fault::new(FaultKind::Refused, format!("update distribution {id}"), why))?;
            update(clients, id, etag, &document, &address, context).await
        }
        Op::AwaitDeployed { id } => await_deployed(clients, id, false, &address, context).await,
    }
}
