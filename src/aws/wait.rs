//! The only place that sleeps: wait for a named condition, with a rhythm, a budget and the user's
//! right to stop.

use super::lost::Refusals;
use crate::change::{Address, Done, Fault, FaultKind, Later};
use crate::context::Context;
use futures_util::FutureExt;
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

/// What AWS said while it was asked again and again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// It said at least once that what is awaited is not so yet.
    not_yet: bool,
    /// What it refused last, unless it has answered since.
    last: Option<Fault>,
}

impl Said {
    /// What is waited for, and what hinders the look at it.
    fn told(&self, what: &str) -> String {
        let Some(fault) = self.last.as_ref().filter(|fault| passes(fault.kind)) else {
            return what.to_owned();
        };
        let hindered = match fault.kind {
            FaultKind::Unreachable => "nobody answers",
            FaultKind::Throttled => "AWS throttles",
            FaultKind::Failing => "AWS fails",
            _ => return what.to_owned(),
        };
        format!("{what}; {hindered}: {}", fault.message)
    }
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited<T> {
    /// The condition holds.
    Met(T),
    /// It did not hold within the budget.
    OutOfTime(Said),
    /// The user stopped it.
    Stopped(Said),
    /// The credentials have ended meanwhile: the last that AWS said.
    SignedOut(Said),
}

/// Why an op ends before its own end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// A later run goes on with it.
    Later(Later),
    Fault(Fault),
}

impl From<Fault> for Early {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Early {
    /// As an op ends.
    ///
    /// # Errors
    /// What AWS refused.
    pub(crate) fn done(self) -> Result<Done, Fault> {
        match self {
            Self::Later(later) => Ok(Done::Deferred(later)),
            Self::Fault(fault) => Err(fault),
        }
    }
}

impl<T> Waited<T> {
    /// What came of it, or what a later run goes on with: `still` says what was not met.
    ///
    /// # Errors
    /// Where AWS never said that, its last refusal.
    pub(crate) fn or_later(self, still: impl Into<String>, after: Duration) -> Result<T, Early> {
        let (said, is_signed_out) = match self {
            Self::Met(met) => return Ok(met),
            Self::OutOfTime(said) | Self::Stopped(said) => (said, false),
            Self::SignedOut(said) => (said, true),
        };
        let (mut reason, last) = match said {
            Said { not_yet: false, last: Some(fault) } => return Err(Early::Fault(fault)),
            Said { not_yet: false, last: None } => {
                (format!("the run was stopped before AWS said more than: {}", still.into()), None)
            }
            Said { last, .. } => (still.into(), last.map(Box::new)),
        };
        if let Some(fault) = last.as_ref().filter(|_| is_signed_out) {
            reason = format!("{reason}; meanwhile the credentials have ended ({})", fault.message);
        }
        Err(Early::Later(Later { reason, try_again_after: after, said: last }))
    }
}

/// What a refusal means to whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The very thing that is awaited.
    NotYet,
    /// Something else that ends by itself.
    Passes,
    Final,
}

/// Asks `check` until it gives something, at least once; a refusal of one of the kinds `awaits`
/// means that it is not so yet. Once it has begun to wait, it goes on while AWS is out of reach,
/// takes no more calls, or fails itself.
///
/// # Errors
/// The first fault of `check`; later only one that waiting does not end.
pub(crate) async fn until<T, F, Fut>(
    context: &Context<'_>,
    (address, what): (&Address, &str),
    budget: (Duration, Duration),
    awaits: &[FaultKind],
    check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    until_unless(context, (address, what), budget, by_kind(awaits, false), check).await
}

/// The same for a `check` that only looks at what this run has written: it is patient from its first
/// look on, as the write is done, and a look under way ends with the user's wish to stop.
///
/// # Errors
/// A fault that waiting does not end.
pub(crate) async fn until_seen<T, F, Fut>(
    context: &Context<'_>,
    (address, what): (&Address, &str),
    budget: (Duration, Duration),
    awaits: &[FaultKind],
    check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    until_seen_unless(context, (address, what), budget, by_kind(awaits, true), check).await
}

fn by_kind(awaits: &[FaultKind], is_patient: bool) -> impl Fn(&Fault, bool) -> Refusal {
    move |fault, has_begun| match fault.kind {
        kind if awaits.contains(&kind) => Refusal::NotYet,
        kind if (is_patient || has_begun) && passes(kind) => Refusal::Passes,
        _ => Refusal::Final,
    }
}

/// [`until`] with a `judge` of refusals, who also hears whether the wait has begun.
///
/// # Errors
/// The first fault that is final.
pub(crate) async fn until_unless<T, F, Fut>(
    context: &Context<'_>,
    whom: (&Address, &str),
    budget: (Duration, Duration),
    judge: impl Fn(&Fault, bool) -> Refusal,
    mut check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    // A write that is under way has the time of its own try.
    asked(context, whom, budget, judge, || check().map(Ok)).await
}

/// [`until_seen`] with a `judge` of refusals.
///
/// # Errors
/// The first fault that is final.
pub(crate) async fn until_seen_unless<T, F, Fut>(
    context: &Context<'_>,
    whom: (&Address, &str),
    budget: (Duration, Duration),
    judge: impl Fn(&Fault, bool) -> Refusal,
    mut check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    let look = || {
        let refusals = Refusals::default();
        let look = refusals.clone().of(check());
        async move {
            tokio::select! {
                biased;
                () = context.until_stopped() => Err(refusals.last()),
                seen = look => Ok(seen),
            }
        }
    };
    asked(context, whom, budget, judge, look).await
}

/// Asks until there is something. `Err`: the look was given up, and what AWS had refused of it.
async fn asked<T, F, Fut>(
    context: &Context<'_>,
    (address, what): (&Address, &str),
    (every, budget): (Duration, Duration),
    judge: impl Fn(&Fault, bool) -> Refusal,
    mut check: F,
) -> Result<Waited<T>, Fault>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Result<Option<T>, Fault>, Option<Fault>>>,
{
    let begin = Instant::now();
    let mut has_begun = false;
    let mut said = Said::default();
    loop {
        let answer = match check().await {
            Ok(answer) => answer,
            Err(refused) => {
                return Ok(Waited::Stopped(Said { last: refused.or(said.last), ..said }));
            }
        };
        match answer {
            Ok(Some(met)) => return Ok(Waited::Met(met)),
            Ok(None) => said = Said { not_yet: true, last: None },
            Err(fault) => match judge(&fault, has_begun) {
                Refusal::NotYet => said = Said { not_yet: true, last: Some(fault) },
                Refusal::Passes => said.last = Some(fault),
                Refusal::Final if fault.kind == FaultKind::Credentials && said.not_yet => {
                    said.last = Some(fault);
                    return Ok(Waited::SignedOut(said));
                }
                Refusal::Final => return Err(fault),
            },
        }
        has_begun = true;
        let pause = every.mul_f64(0.8 + 0.4 * fastrand::f64());
        if begin.elapsed() + pause > budget {
            return Ok(Waited::OutOfTime(said));
        }
        context.waiting(address, &said.told(what));
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        let sleep = tokio::time::sleep(pause);
        tokio::select! {
            () = telling(sleep, |_| context.waiting(address, &said.told(what))) => {}
            () = context.until_stopped() => return Ok(Waited::Stopped(said)),
        }
    }
}

/// How often it may be told how far something is that takes long.
const TELLING: Duration = Duration::from_secs(1);

/// Waits for what takes as long as it takes, and lets `tell` speak every second; it hears how often
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
    use FaultKind::{Busy, Failing, Throttled, Unreachable};
    matches!(kind, Unreachable | Throttled | Busy | Failing)
}

#[cfg(test)]
mod tests;
