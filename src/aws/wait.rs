//! The only place that sleeps: wait for a named condition, with a rhythm, a budget and the user's
//! right to stop.

use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// How often to ask, by what is waited for. Every pause is varied by a fifth so that many runs do
/// not ask in step.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// IAM's propagation and a function that becomes active: seconds.
    pub quick: Duration,
    /// A distribution that deploys: minutes (CloudFront limits the rate of its control plane).
    pub deployment: Duration,
    /// Replicas at the edge: tens of minutes to hours.
    pub replicas: Duration,
}

impl Rhythm {
    pub const AWS: Self = Self {
        quick: Duration::from_secs(1),
        deployment: Duration::from_secs(10),
        replicas: Duration::from_secs(45),
    };
    /// For an emulator on this machine, which is faster than the real thing.
    pub const EMULATOR: Self = Self {
        quick: Duration::from_millis(100),
        deployment: Duration::from_millis(100),
        replicas: Duration::from_millis(200),
    };
    pub const SANDBOX: Self = Self {
        quick: Duration::from_millis(50),
        deployment: Duration::from_millis(100),
        replicas: Duration::from_millis(200),
    };
}

/// IAM's changes usually reach Lambda and CloudFront within seconds; Terraform gives up after
/// minutes, and so do we (docs/aws.md, "a new role is not known at once").
pub(crate) const PROPAGATION: Duration = Duration::from_mins(3);
/// A function becomes active within seconds.
pub(crate) const ACTIVATION: Duration = Duration::from_mins(5);
/// AWS names no bound, Terraform waits this long (docs/aws.md, "a deployment takes minutes").
pub(crate) const DEPLOYMENT: Duration = Duration::from_mins(90);
/// What was in use a moment ago (an origin access control right after its distribution's end).
pub(crate) const SETTLING: Duration = Duration::from_mins(1);

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited<T> {
    /// The condition holds.
    Met(T),
    /// It did not hold within the budget.
    OutOfTime,
    /// The user stopped it.
    Stopped,
    /// The credentials have ended meanwhile; in AWS's words.
    SignedOut(String),
}

impl<T> Waited<T> {
    /// What came of it, or what a later run goes on with: `still` says what was not met.
    pub(crate) fn or_later(self, still: impl Into<String>, after: Duration) -> Result<T, Done> {
        let reason = match self {
            Self::Met(met) => return Ok(met),
            Self::OutOfTime | Self::Stopped => still.into(),
            Self::SignedOut(words) => {
                format!("{}; meanwhile the credentials have ended ({words})", still.into())
            }
        };
        Err(Done::Deferred { reason, try_again_after: after })
    }
}

/// Asks `check` until it gives something, at least once. Once it has begun to wait, it goes on
/// while AWS is out of reach, takes no more calls, or fails itself.
///
/// # Errors
/// The first fault of `check`; later only one that waiting does not end.
pub(crate) async fn until<T, F, Fut>(
    context: &Context<'_>,
    address: &Address,
    what: &str,
    budget: (Duration, Duration),
    check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    wait(context, (address, what), budget, false, check).await
}

/// The same for a `check` that only looks at what this run has written: it is patient from its first
/// look on, as the write is done.
///
/// # Errors
/// A fault that waiting does not end.
pub(crate) async fn until_seen<T, F, Fut>(
    context: &Context<'_>,
    address: &Address,
    what: &str,
    budget: (Duration, Duration),
    check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    wait(context, (address, what), budget, true, check).await
}

async fn wait<T, F, Fut>(
    context: &Context<'_>,
    (address, what): (&Address, &str),
    (every, budget): (Duration, Duration),
    mut is_patient: bool,
    mut check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    let begin = Instant::now();
    loop {
        match check().await {
            Ok(Some(met)) => return Ok(Waited::Met(met)),
            Ok(None) => is_patient = true,
            Err(fault) if is_patient && passes(fault.kind) => {}
            Err(fault) if is_patient && fault.kind == FaultKind::Credentials => {
                return Ok(Waited::SignedOut(fault.message));
            }
            Err(fault) => return Err(fault),
        }
        let pause = every.mul_f64(0.8 + 0.4 * fastrand::f64());
        if begin.elapsed() + pause > budget {
            return Ok(Waited::OutOfTime);
        }
        context.waiting(address, what);
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        let sleep = tokio::time::sleep(pause);
        tokio::select! {
            () = sleep => {}
            () = context.until_stopped() => return Ok(Waited::Stopped),
        }
    }
}

/// How often it is told how far something is that takes long.
const TELLING: Duration = Duration::from_secs(3);

/// Waits for what takes as long as it takes, and lets `tell` speak now and then; it hears how often
/// it could have spoken.
pub(crate) async fn telling<T>(awaited: impl Future<Output = T>, tell: impl Fn(u32)) -> T {
    tokio::pin!(awaited);
    let mut times = 0_u32;
    loop {
        if let Ok(ended) = tokio::time::timeout(TELLING, &mut awaited).await {
            return ended;
        }
        times = times.saturating_add(1);
        tell(times);
    }
}

/// Does it end by itself?
pub(crate) fn passes(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Unreachable | FaultKind::Throttled | FaultKind::Busy)
}
