//! The function on the wire.

use crate::aws::Clients;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::resource::function::Op;
use delete::delete;
use settle::when_idle;
use write::{create, learn, publish, reconfigure, set_tags, upload};

mod delete;
mod observe;
mod settle;
mod traces;
mod write;

pub use observe::observe;
pub use traces::traces;

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(clients: &Clients, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
    match op {
        Op::Create { name, .. } => {
            let done = create(clients, op, context).await?;
            learn(clients, name, op, context, done).await
        }
        Op::Configure { .. } => reconfigure(clients, op, context).await,
        Op::Upload { .. } => upload(clients, op, context).await,
        Op::Publish { .. } => publish(clients, op, context).await,
        Op::SetTags { name, arn, tags, .. } => {
            when_idle(clients, op, context, || set_tags(clients, name, arn, tags)).await
        }
        Op::Prune { name, number } => delete(clients, name, Some(*number), op, context).await,
        Op::Delete { name } => delete(clients, name, None, op, context).await,
    }
}
