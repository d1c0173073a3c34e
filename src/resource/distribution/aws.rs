//! The distribution on the wire.

use crate::aws::Clients;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::name::AccountId;
use crate::resource::distribution::{Op, new_document};
use delete::delete;
use write::{create, set_tags};

mod delete;
mod deploy;
mod observe;
mod traces;
mod write;

pub(crate) use deploy::await_deployed;
pub use observe::read_document;
pub(crate) use observe::{list, observe};
pub(crate) use traces::traces;
pub(crate) use write::update;

pub(crate) async fn apply(
    clients: &Clients,
    account: &AccountId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let address = op.change().address;
    match op {
        Op::Create { stack, settings, tags, occupant } => {
            let access = context.references(|known| known.access.clone()).unwrap_or_default();
            let document = new_document(stack, settings, &access, &occupant.resolve(context)?);
            create(clients, account, stack, &document, tags, &address, context).await
        }
        Op::Update { id, etag, document, .. } => {
            let access = context.references(|known| known.access.clone()).unwrap_or_default();
            let arn = op.occupant().map(|after| after.resolve(context)).transpose()?;
            update(
                clients,
                (id, etag),
                (document, &op.edits(arn.as_deref(), &access)),
                &address,
                context,
            )
            .await
        }
        Op::SetTags { id, arn, stack, tags } => set_tags(clients, (id, arn), stack, tags).await,
        Op::AwaitDeployed { id, disabled } => {
            let known = context.references(|known| known.distribution.clone());
            let Some(id) = id.clone().or(known) else { return Ok(Done::AlreadySo) };
            await_deployed(clients, &id, *disabled, &address, context).await
        }
        Op::Delete { stack, id, etag } => {
            delete(clients, (account, stack), id, etag.as_deref(), &address, context).await
        }
    }
}
