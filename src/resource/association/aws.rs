//! Slots on the wire.

use super::Op;
use crate::aws::Clients;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::name::DistributionId;
use crate::resource::distribution::aws::{await_deployed, update};

pub(crate) async fn apply(
    clients: &Clients,
    id: &DistributionId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let address = op.change(id).address;
    match op {
        Op::Turn { etag, document, occupant, .. } => {
            let arn = if op.fills() { occupant.resolve(context)? } else { String::new() };
            update(clients, (id, etag), (document, &op.edits(&arn)), &address, context).await
        }
        Op::AwaitDeployed => await_deployed(clients, id, false, &address, context).await,
    }
}
