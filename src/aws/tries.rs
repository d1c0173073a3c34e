//! How often a call is tried: in one place for every client.
//!
//! While AWS throttles a call or fails at it, it is tried again for as long as a look may take;
//! where nobody answers, a few times; and never again once the user wants to stop.

use super::fault::of_try;
use super::lost;
use crate::change::{Fault, FaultKind};
use aws_sdk_sts::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// So long after its beginning a call is tried once more that AWS throttles or fails at: a look
/// that is refused from its first call on ends within a minute, with AWS's own words.
const PERSISTENCE: Duration = Duration::from_secs(50);
/// The longest pause between two tries: CloudFront counts calls by the minute, and whoever wants to
/// stop may have to wait for its end.
const PAUSE: Duration = Duration::from_secs(5);

/// What the SDK is told beforehand. It pauses longer after each try.
pub(super) fn retries(attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(attempts).with_max_backoff(PAUSE)
}

/// The SDK's own budget for all calls of a service together ends after some thirty tries; here each
/// call has one of its own.
pub(super) fn partition() -> RetryPartition {
    RetryPartition::custom("provision").token_bucket(TokenBucket::unlimited()).build()
}

/// Decides after each try whether there is another one.
#[derive(Clone, Debug)]
pub(super) struct Tries {
    pub(super) stop: watch::Receiver<bool>,
    /// How often, where nobody answers.
    pub(super) attempts: u32,
}

/// What a call came to up to now.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    since: Instant,
    pub(super) last: Option<Fault>,
}

impl Storable for Tried {
    type Storer = StoreReplace<Self>;
}

/// Is the call tried again for as long as a look may take?
pub(super) fn persists(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Throttled | FaultKind::Failing)
}

impl Tries {
    /// How many tries a call may have that had so many.
    fn allowed(&self, had: u32, age: Duration, fault: &Fault) -> u32 {
        match fault.kind {
            _ if *self.stop.borrow() => had,
            kind if !persists(kind) => self.attempts,
            _ if age < PERSISTENCE => had + 1,
            _ => had,
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Tries {
    fn name(&self) -> &'static str {
        "Tries"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match bag.load::<Tried>() {
            None => {
                bag.interceptor_state().store_put(Tried { since: Instant::now(), last: None });
                Ok(())
            }
            Some(Tried { last: Some(fault), .. }) if *self.stop.borrow() => {
                Err(lost::Stopped(fault.clone()).into())
            }
            Some(_) => Ok(()),
        }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let call = bag.load::<Metadata>().map_or(("?", "?"), |call| (call.service(), call.name()));
        let fault = of_try(
            format!("ask {} {}", call.0, call.1),
            std::error::Error::source(error).unwrap_or(error),
            context.response(),
        );
        let since = bag.load::<Tried>().map_or_else(Instant::now, |tried| tried.since);
        let had = bag.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let allowed = self.allowed(had, since.elapsed(), &fault);
        let config = bag.load::<RetryConfig>().cloned().unwrap_or_else(|| retries(allowed));
        if persists(fault.kind) {
            lost::refused(&fault);
        }
        let state = bag.interceptor_state();
        state.store_put(config.with_max_attempts(allowed));
        state.store_put(Tried { since, last: Some(fault) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_for_a_look_s_time_and_nothing_once_the_user_stops() {
        use FaultKind::{Denied, Failing, Throttled, Unreachable};
        let (stop, stopped) = watch::channel(false);
        let tries = Tries { stop: stopped, attempts: 5 };
        let (soon, over) = (Duration::from_secs(1), PERSISTENCE);
        // What came, after how many tries and how long; how many there may be.
        let rows = [
            (Throttled, 9, soon, 10),
            (Failing, 9, soon, 10),
            (Throttled, 9, over, 9),
            (Unreachable, 2, soon, 5),
            (Unreachable, 2, over, 5),
            (Denied, 1, soon, 5),
        ];
        let allowed = |kind, had, age| tries.allowed(had, age, &Fault::new(kind, "ask", "no"));
        for (kind, had, age, may) in rows {
            assert_eq!(allowed(kind, had, age), may, "{kind:?} {had} {age:?}");
        }
        stop.send_replace(true);
        for (kind, had, age, _) in rows {
            assert_eq!(allowed(kind, had, age), had, "{kind:?} {had} {age:?}");
        }
    }
}
