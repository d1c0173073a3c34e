//! Carries out a plan: starts what may start, keeps the order, stops cleanly, and accounts for
//! every step.

use crate::aws::meter::Unanswered;
use crate::aws::wait;
use crate::change::{Address, Change, Done, Fault, Later};
use crate::cloud::Cloud;
use crate::context::{Context, References};
use crate::plan::{Plan, Stage, Step};
use crate::resource::site::CONCURRENCY;
use crate::stack::{Live, Stack};
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// What happens while a plan is carried out. Emitted here, shown elsewhere.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Change),
    /// A step is waiting for something.
    Waiting(&'a Address, &'a str),
    /// Bytes are under way.
    Sending {
        /// In bytes, of all uploads up to now.
        sent: u64,
        /// In bytes, of all uploads of the plan.
        all: u64,
    },
    /// AWS lets a call wait, or refuses it for now.
    Unanswered(&'a Unanswered),
    /// The user wants to stop, and this call is waited for first; do bytes flow?
    Stopping(&'a Unanswered, bool),
    /// A step ended without a fault.
    Ended(&'a Change, &'a Done, Duration),
    Failed(&'a Change, &'a Fault, Duration),
}

/// Hears of events.
pub trait Report: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// What became of every step.
#[must_use]
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Changed, or found to be so already.
    pub done: Vec<(Change, Done)>,
    /// Not possible yet.
    pub deferred: Vec<(Change, Later)>,
    /// Refused.
    pub failed: Vec<(Change, Fault)>,
    /// Not begun, because something before them failed or was deferred, or because the user stopped
    /// the run.
    pub not_started: Vec<Change>,
    /// The user stopped the run.
    pub interrupted: bool,
    /// What the run has learned.
    pub references: References,
}

/// What a run comes to, all steps together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunResult {
    Done,
    /// Something is not possible yet.
    Pending,
    Failed,
    /// The user stopped it.
    Interrupted,
}

impl Outcome {
    /// What the run comes to.
    #[must_use]
    pub fn result(&self) -> RunResult {
        if self.interrupted {
            RunResult::Interrupted
        } else if !self.failed.is_empty() {
            RunResult::Failed
        } else if !self.deferred.is_empty() {
            RunResult::Pending
        } else if !self.not_started.is_empty() {
            // Only a wrong order keeps a step back when nothing failed and nothing is pending.
            RunResult::Failed
        } else {
            RunResult::Done
        }
    }
}

/// What is known before the first op.
#[must_use]
pub fn references(live: &Live) -> References {
    // The one that the spec is about; our own may be an earlier spec's.
    let distribution = live.attached.as_ref().or(live.distribution.as_ref());
    let buckets = live.former.buckets.iter();
    let versions = live.function.iter().flat_map(|function| &function.versions);
    References {
        versions: versions.map(|version| (version.frozen.name(), version.number)).collect(),
        revision: live.function.as_ref().map(|function| function.revision.clone()),
        access: live.access.as_ref().map(|access| access.id.clone()),
        distribution: distribution.map(|distribution| distribution.id.clone()),
        etags: live
            .distributions()
            .map(|distribution| (distribution.id.clone(), distribution.etag.clone()))
            .collect(),
        regions: buckets
            .map(|(name, found)| (name.clone(), found.live.settings.region.clone()))
            .collect(),
        stored: BTreeMap::new(),
        domain: distribution.map(|distribution| distribution.domain.clone()),
    }
}

enum Ending {
    Done(Done),
    Failed(Fault),
    NotStarted,
}

/// Carries out the plan.
///
/// Stages whose needs are met run at the same time. Where a step fails or is deferred, what needs
/// it is not started, and everything else goes on. Once the user asks to stop, no further step
/// begins; those in flight are finished, waits are given up.
pub async fn execute(
    plan: &Plan,
    stack: &Stack,
    cloud: &impl Cloud,
    context: &Context<'_>,
    report: &dyn Report,
) -> Outcome {
    let mut waiting: BTreeSet<Stage> = plan.steps.iter().map(|step| step.stage).collect();
    let mut unfinished = waiting.clone();
    let mut running = FuturesUnordered::new();
    let mut outcome = Outcome::default();
    let all = plan.steps.iter().map(|step| step.op.sends()).sum();
    let mut is_stopping = false;
    loop {
        let ready: Vec<Stage> = waiting
            .iter()
            .copied()
            .filter(|stage| stage.needs().iter().all(|need| !unfinished.contains(need)))
            .collect();
        for stage in ready {
            waiting.remove(&stage);
            running.push(run_stage(stage, plan, stack, cloud, context, report));
        }
        let tell = |_| match cloud.unanswered() {
            Some(call) if context.stopped() => {
                report.event(&Event::Stopping(&call, context.uploads.sent(all).is_some()));
            }
            Some(call) if call.refused.is_some() => report.event(&Event::Unanswered(&call)),
            call => match (context.uploads.sent(all), call) {
                (Some(sent), _) => report.event(&Event::Sending { sent, all }),
                (None, Some(call)) => report.event(&Event::Unanswered(&call)),
                (None, None) => {}
            },
        };
        let next = tokio::select! {
            next = wait::telling(running.next(), tell) => next,
            () = context.until_stopped(), if !is_stopping => {
                is_stopping = true;
                tell(0);
                continue;
            }
        };
        let Some((stage, endings)) = next else { break };
        let mut complete = true;
        for (step, ending) in endings {
            let change = step.op.change();
            match ending {
                Ending::Done(Done::Deferred(later)) => {
                    complete = false;
                    outcome.deferred.push((change, later));
                }
                Ending::Done(done) => outcome.done.push((change, done)),
                Ending::Failed(fault) => {
                    complete = false;
                    outcome.failed.push((change, fault));
                }
                Ending::NotStarted => {
                    complete = false;
                    outcome.not_started.push(change);
                }
            }
        }
        if complete {
            unfinished.remove(&stage);
        }
    }
    outcome.not_started.extend(
        plan.steps.iter().filter(|step| waiting.contains(&step.stage)).map(|step| step.op.change()),
    );
    outcome.interrupted = context.stopped();
    outcome.references = context.references(|known| known.clone());
    outcome
}

async fn run_stage<'a>(
    stage: Stage,
    plan: &'a Plan,
    stack: &Stack,
    cloud: &impl Cloud,
    context: &Context<'_>,
    report: &dyn Report,
) -> (Stage, Vec<(&'a Step, Ending)>) {
    let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.stage == stage).collect();
    if stage.is_parallel() {
        // Futures, not a closure that makes them: the compiler cannot yet see that such a closure
        // is `Send`.
        let runs: Vec<_> =
            steps.into_iter().map(|step| run_beside(step, stack, cloud, context, report)).collect();
        let endings = stream::iter(runs).buffer_unordered(CONCURRENCY).collect().await;
        return (stage, endings);
    }
    let mut endings = Vec::new();
    let mut broken = false;
    for step in steps {
        let ending = if broken {
            Ending::NotStarted
        } else {
            run_step(step, stack, cloud, context, report).await
        };
        broken |= !matches!(ending, Ending::Done(Done::Changed(_) | Done::AlreadySo));
        endings.push((step, ending));
    }
    (stage, endings)
}

async fn run_beside<'a>(
    step: &'a Step,
    stack: &Stack,
    cloud: &impl Cloud,
    context: &Context<'_>,
    report: &dyn Report,
) -> (&'a Step, Ending) {
    (step, run_step(step, stack, cloud, context, report).await)
}

async fn run_step(
    step: &Step,
    stack: &Stack,
    cloud: &impl Cloud,
    context: &Context<'_>,
    report: &dyn Report,
) -> Ending {
    if context.stopped() {
        return Ending::NotStarted;
    }
    let change = step.op.change();
    report.event(&Event::Started(&change));
    let begin = Instant::now();
    match context.uploads.of(step.op.sends(), cloud.apply(stack, &step.op, context)).await {
        Ok(done) => {
            report.event(&Event::Ended(&change, &done, begin.elapsed()));
            Ending::Done(done)
        }
        Err(fault) => {
            report.event(&Event::Failed(&change, &fault, begin.elapsed()));
            Ending::Failed(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Action, FaultKind, Kind};

    #[test]
    fn a_run_is_done_only_when_every_step_is() {
        let change = Change::new(Address::new(Kind::Role, "r"), Action::Create, "create");
        let fault = Fault::new(FaultKind::Refused, "create", "no");
        let none = Outcome::default;
        let not_started = vec![change.clone()];
        let (reason, try_again_after) = ("replicas".to_owned(), Duration::ZERO);
        let later = Later { reason, try_again_after, said: None };
        let deferred = vec![(change.clone(), later)];
        let failed = vec![(change, fault)];
        let left = || Outcome { not_started: not_started.clone(), ..none() };
        let rows = [
            (none(), RunResult::Done),
            (left(), RunResult::Failed),
            (Outcome { deferred, ..left() }, RunResult::Pending),
            (Outcome { failed, ..left() }, RunResult::Failed),
            (Outcome { interrupted: true, ..left() }, RunResult::Interrupted),
        ];
        for (outcome, result) in rows {
            assert_eq!(outcome.result(), result, "{outcome:?}");
        }
    }
}
