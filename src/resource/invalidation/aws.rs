//! An invalidation on the wire.

use super::Op;
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::wait;
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use std::time::Duration;

/// AWS names 25 seconds for most of them (docs/aws.md, "an invalidation takes seconds").
const COMPLETION: Duration = Duration::from_mins(10);
const COMPLETED: &str = "Completed";

/// Carries out the op.
pub(crate) async fn apply(
    clients: &Clients,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let tried = format!("invalidate paths of distribution {}", op.distribution);
    let unsendable = |error: aws_sdk_cloudfront::error::BuildError| {
        Fault::new(FaultKind::Local, &tried, error.to_string())
    };
    let quantity = i32::try_from(op.paths.len()).unwrap_or(i32::MAX);
    let paths = Paths::builder().quantity(quantity).set_items(Some(op.paths.clone()));
    let batch = InvalidationBatch::builder()
        .paths(paths.build().map_err(unsendable)?)
        .caller_reference(&op.reference)
        .build()
        .map_err(unsendable)?;
    let send = || async {
        let request = clients.cloudfront.create_invalidation();
        let request = request.distribution_id(op.distribution.as_str());
        let sent = request.invalidation_batch(batch.clone()).send().await;
        sent.map(Some).map_err(|error| fault(&tried, &error))
    };
    // Others' count too (docs/aws.md, "so many invalidations at a time").
    let waited = wait::until(
        context,
        (&op.change().address, "other invalidations to be completed"),
        (clients.rhythm.deployment, COMPLETION),
        &[FaultKind::Busy],
        send,
    )
    .await?;
    let still = "too many other invalidations are in progress";
    let answer = match waited.or_later(still, COMPLETION) {
        Ok(answer) => answer,
        Err(early) => return early.done(),
    };
    match answer.invalidation {
        Some(made) if op.until_completed && made.status != COMPLETED => {
            completed(clients, op, &made.id, context).await
        }
        _ => Ok(Done::Changed(String::new())),
    }
}

async fn completed(
    clients: &Clients,
    op: &Op,
    id: &str,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let tried = format!("wait for invalidation {id} of distribution {}", op.distribution);
    let asked = || async {
        let request = clients.cloudfront.get_invalidation();
        let sent = request.distribution_id(op.distribution.as_str()).id(id).send().await;
        let answer = sent.map_err(|error| fault(&tried, &error))?;
        let is_done = answer.invalidation.is_none_or(|found| found.status == COMPLETED);
        Ok(is_done.then_some(()))
    };
    let (address, rhythm) = (op.change().address, (clients.rhythm.deployment, COMPLETION));
    let what = "every edge to drop its copies";
    let waited = wait::until_seen(context, (&address, what), rhythm, &[], asked).await?;
    let still = format!("invalidation {id} is still in progress, and ends by itself");
    match waited.or_later(still, COMPLETION) {
        Ok(()) => Ok(Done::Changed(String::new())),
        Err(early) => early.done(),
    }
}
