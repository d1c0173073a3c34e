//! What AWS does not do yet is tried again: calls that it throttles, what it is still busy with, and
//! what it does not know everywhere yet because this very run has made it. An op is guarded and
//! finds its own lost replies, so to carry it out twice changes nothing more.

use crate::aws::Clients;
use crate::aws::wait::{self, Early, Refusal};
use crate::change::{Done, Fault, FaultKind, Kind};
use crate::context::Context;
use crate::resource::function;
use crate::stack::Op;
use std::sync::{Mutex, PoisonError};

/// Is this no refusal, but a matter of time?
pub(super) fn is_not_yet(op: &Op, fault: &Fault, context: &Context<'_>) -> bool {
    match fault.kind {
        // A wait has waited for them already.
        FaultKind::Throttled | FaultKind::Failing => !op.is_wait(),
        // Lambda and CloudFront name the state they are in: their rooms wait for its end.
        FaultKind::Busy => match op {
            Op::Function(_, op) => matches!(op, function::Op::Delete | function::Op::Prune { .. }),
            _ => !matches!(rests_on(op), [Kind::Distribution, ..]),
        },
        FaultKind::NotFound => context.has_made(rests_on(op)),
        _ => false,
    }
}

/// The kinds without which the op cannot be carried out, the first of which it changes.
fn rests_on(op: &Op) -> &'static [Kind] {
    match op {
        Op::Bucket(..) | Op::Site(_) | Op::Page(_) | Op::Grant(..) => &[Kind::Bucket],
        Op::Role(..) => &[Kind::Role],
        Op::Function(..) => &[Kind::Function, Kind::Role],
        Op::Logs(..) => &[Kind::Logs],
        Op::Access(..) => &[Kind::Access],
        Op::Distribution(_) | Op::Association(..) | Op::Invalidation(_) => {
            &[Kind::Distribution, Kind::Access, Kind::Function]
        }
    }
}

/// Carries the op out `again` until AWS does it.
///
/// # Errors
/// The last refusal, where the time is over or the user stops it; another one at once.
pub(super) async fn persist<Again>(
    clients: &Clients,
    op: &Op,
    first: Fault,
    context: &Context<'_>,
    again: impl Fn() -> Again,
) -> Result<Done, Fault>
where
    Again: Future<Output = Result<Done, Fault>>,
{
    let what = match first.kind {
        FaultKind::Throttled => "AWS to take more calls",
        FaultKind::NotFound => "AWS to know what was just made",
        FaultKind::Failing => "AWS to work again",
        _ => "AWS to finish what it is busy with",
    };
    let judge = |fault: &Fault, _| match fault.kind {
        _ if !is_not_yet(op, fault, context) => Refusal::Final,
        FaultKind::Busy => Refusal::NotYet,
        _ => Refusal::Passes,
    };
    let address = op.change().address;
    // It was just refused: the wait begins with a pause.
    let first = Mutex::new(Some(first));
    let refused = || first.lock().unwrap_or_else(PoisonError::into_inner).take();
    let budget = (clients.rhythm.quick, wait::PROPAGATION.max(context.patience));
    let waited = wait::until_unless(context, (&address, what), budget, judge, || async {
        match refused() {
            Some(fault) => Err(fault),
            None => again().await.map(Some),
        }
    })
    .await?;
    let still = "AWS is still busy with an earlier change of it";
    waited.or_later(still, wait::PROPAGATION).or_else(Early::done)
}
