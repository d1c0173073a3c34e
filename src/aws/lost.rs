//! What is heard of AWS beside the end of what was asked.
//!
//! Writes that AWS may have carried out without our hearing of it: where the next look finds what
//! was wanted, it was this op that did it. And its last refusal, where something else ends first.

use super::cause::{causes, within};
use crate::change::Fault;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The user wants to stop: why the call was to be tried again.
#[derive(Debug, thiserror::Error)]
#[error("it was not tried again: {}", .0.message)]
pub(super) struct Stopped(pub(super) Fault);

tokio::task_local! {
    /// Has a write of the op that is under way been left without an answer?
    static LOST: AtomicBool;
    /// What AWS refused last of what is asked.
    static LAST: Refusals;
}

/// What AWS refused last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<Option<Fault>>>);

impl Refusals {
    /// Asks, and keeps what is refused meanwhile.
    pub(crate) async fn of<T>(self, asked: impl Future<Output = T>) -> T {
        LAST.scope(self, asked).await
    }

    pub(crate) fn last(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// AWS, or the way to it, refused something.
pub(super) fn refused(fault: &Fault) {
    let keep = |refusals: &Refusals| {
        *refusals.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.clone());
    };
    let _ = LAST.try_with(keep);
}

/// Carries an op out; says also whether the answer to one of its writes was lost. An op's calls are
/// made in the op's own future.
pub(crate) async fn listening<T>(op: impl Future<Output = T>) -> (T, bool) {
    let listened = async {
        let ended = op.await;
        (ended, LOST.with(|lost| lost.load(Ordering::Relaxed)))
    };
    LOST.scope(AtomicBool::new(false), listened).await
}

/// Has the op that is under way lost an answer up to now?
pub(crate) fn has_lost() -> bool {
    LOST.try_with(|lost| lost.load(Ordering::Relaxed)).unwrap_or_default()
}

/// Hears how one attempt of a call ended.
pub(super) fn hear(operation: &str, context: &FinalizerInterceptorContextRef<'_>) {
    let Some(Err(error)) = context.output_or_error() else { return };
    if within::<Stopped>(error).is_some() {
        return;
    }
    let is_lost = match context.response().map(|response| response.status().as_u16()) {
        Some(status) => is_no_answer(status),
        // What found no connection was never sent.
        None => error.as_connector_error().is_none_or(|error| !causes(error).contains("Connect")),
    };
    if is_lost && writes(operation) {
        // Outside of an op nobody listens.
        let _ = LOST.try_with(|lost| lost.store(true, Ordering::Relaxed));
    }
}

/// A success that broke off, or a machine on the way that had no answer either.
fn is_no_answer(status: u16) -> bool {
    matches!(status, 200..=299 | 502 | 504)
}

/// AWS calls every operation that only reads by one of these verbs.
pub(super) fn writes(operation: &str) -> bool {
    !["Get", "List", "Head", "Describe"].iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::FaultKind;

    #[tokio::test]
    async fn the_last_refusal_is_heard_by_whoever_asked() {
        let tell = |text| async move { refused(&Fault::new(FaultKind::Throttled, "ask", text)) };
        let (one, other) = (Refusals::default(), Refusals::default());
        one.clone()
            .of(async {
                tell("first").await;
                tell("second").await;
            })
            .await;
        other.clone().of(async {}).await;
        tell("nobody listens").await;
        let text = |refusals: &Refusals| refusals.last().map(|fault| fault.message);
        assert_eq!((text(&one), text(&other)), (Some("second".into()), None));
    }

    #[test]
    fn only_a_write_whose_answer_did_not_come_may_have_been_carried_out() {
        for operation in ["PutObject", "CreateFunction", "TagResource", "UpdateDistribution"] {
            assert!(writes(operation), "{operation}");
        }
        for operation in ["GetDistribution", "ListTags", "HeadObject", "DescribeLogGroups"] {
            assert!(!writes(operation), "{operation}");
        }
        let statuses = [200, 204, 301, 400, 404, 412, 500, 502, 503, 504];
        let lost: Vec<u16> = statuses.into_iter().filter(|status| is_no_answer(*status)).collect();
        assert_eq!(lost, [200, 204, 502, 504]);
    }
}
