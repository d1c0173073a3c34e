//! The function on the wire.

use crate::aws::Clients;
use crate::aws::wait::Early;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::Op;
use delete::delete;
use settle::when_idle;
use write::{create, publish, reconfigure, set_tags, upload};

mod delete;
mod observe;
mod restriction;
mod settle;
mod traces;
mod write;

pub(crate) use observe::observe;
pub(crate) use traces::traces;

pub(crate) async fn apply(
    clients: &Clients,
    name: &FunctionName,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let change = &op.change(name);
    let carried = match op {
        Op::Create(op) => create(clients, name, op, change, context).await,
        Op::Configure(op) => reconfigure(clients, name, op, change, context).await,
        Op::Upload(op) => upload(clients, name, op, change, context).await,
        Op::Publish(op) => publish(clients, name, op, change, context).await,
        Op::SetTags { arn, tags, .. } => {
            when_idle(clients, change, context, || set_tags(clients, name, arn, tags)).await
        }
        Op::Prune { number } => {
            let patience = op.patience(context.patience);
            return delete(clients, name, Some(*number), change, (context, patience)).await;
        }
        Op::Delete => {
            let patience = op.patience(context.patience);
            return delete(clients, name, None, change, (context, patience)).await;
        }
    };
    carried.or_else(Early::done)
}
