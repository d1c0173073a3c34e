//! The bucket on the wire.

use crate::aws::Clients;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::name::{AccountId, BucketName};
use crate::resource::bucket::Op;
use empty::empty;
use write::{block_public_access, create, delete, enforce_ownership, set_tags, set_versioning};

mod empty;
mod observe;
mod traces;
mod write;

pub(crate) use observe::{locate, observe};
pub(crate) use traces::{holds, traces};

pub(crate) async fn apply(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    match op {
        Op::Create { settings } => {
            return create(clients, account, name, settings, context).await;
        }
        Op::BlockPublicAccess { .. } => block_public_access(clients, account, name).await?,
        Op::EnforceOwnership => enforce_ownership(clients, account, name).await?,
        Op::SetVersioning { after, .. } => {
            set_versioning(clients, account, name, *after).await?;
        }
        Op::SetTags { tags, .. } => set_tags(clients, account, name, tags).await?,
        Op::Empty(op) => empty(clients, account, name, op).await?,
        Op::Delete => return delete(clients, account, name).await,
    }
    Ok(Done::Changed(String::new()))
}
