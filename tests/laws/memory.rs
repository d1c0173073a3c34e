//! A cloud in memory, with a clock of its own, that can be cut short at any op and is watched at
//! each.

use crate::ground::Ground;
use provision::apply::{self, Event, Outcome, Report};
use provision::change::{Action, Done, Fault, FaultKind};
use provision::cloud::world::World;
use provision::cloud::{Caller, Cloud};
use provision::context::Context;
use provision::name::{AccountId, DistributionId, ObjectKey};
use provision::plan::{self, Choices, Intent, Plan};
use provision::resource::{distribution, page, site};
use provision::stack::{Live, Names, Op, Scope, Stack};
use provision::sweep::Found;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How a run ends before its time, at its nth op (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    /// The machine dies: nothing from there on is carried out.
    Killed(usize),
    /// The user stops the run before it.
    Stopped(usize),
    /// That op is refused.
    Refused(usize),
    /// That op is carried out, and its answer is lost.
    ReplyLost(usize),
}

/// One op at the moment at which it is carried out.
pub(crate) struct Moment<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) intent: Intent,
    pub(crate) before: &'a World,
    pub(crate) op: &'a Op,
    pub(crate) after: &'a World,
    /// When: seconds since the Unix epoch.
    pub(crate) now: u64,
}

/// Says what a moment breaks.
pub(crate) type Watch = fn(&Moment<'_>) -> Option<String>;

struct State {
    world: World,
    now: u64,
    ops: usize,
    cut: Cut,
    order: fastrand::Rng,
    broken: Vec<String>,
    stop: Option<watch::Sender<bool>>,
    /// Each op that was carried out, and the world after it, where a law asks for them.
    trail: Option<Vec<(Op, World)>>,
}

impl State {
    fn trace(&mut self, op: &Op) {
        let after = self.trail.as_ref().map(|_| self.world.clone());
        self.trail.iter_mut().zip(after).for_each(|(trail, world)| trail.push((op.clone(), world)));
    }
}

pub(crate) struct Memory {
    state: Mutex<State>,
    watch: Option<(&'static Ground, Intent, Watch)>,
}

struct Silence;

impl Report for Silence {
    fn event(&self, _: &Event<'_>) {}
}

impl Memory {
    /// `order` chooses in which order ops that may run at the same time are carried out.
    pub(crate) fn new(world: World, order: u64, cut: Cut) -> Self {
        let order = fastrand::Rng::with_seed(order);
        let headers = world.buckets.values().flat_map(|bucket| bucket.headers.values());
        let now = 1_000 + headers.map(|headers| headers.modified).max().unwrap_or_default();
        let state =
            State { world, now, ops: 0, cut, order, broken: Vec::new(), stop: None, trail: None };
        Self { state: Mutex::new(state), watch: None }
    }

    pub(crate) fn watched(mut self, ground: &'static Ground, intent: Intent, watch: Watch) -> Self {
        self.watch = Some((ground, intent, watch));
        self
    }

    pub(crate) fn traced(self) -> Self {
        self.state().trail = Some(Vec::new());
        self
    }

    pub(crate) fn trail(&self) -> Vec<(Op, World)> {
        self.state().trail.clone().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn world(&self) -> World {
        self.state().world.clone()
    }

    pub(crate) fn into_world(self) -> World {
        self.state.into_inner().unwrap().world
    }

    pub(crate) fn broken(&self) -> Vec<String> {
        self.state().broken.clone()
    }

    /// The next run is not cut, and replicas have gone.
    pub(crate) fn later(&self) {
        let mut state = self.state();
        state.cut = Cut::Never;
        state.now += 1_000;
    }

    pub(crate) fn plan(&self, ground: &Ground, intent: Intent, choices: &Choices) -> (Live, Plan) {
        let (stack, site) = (&ground.stack, &ground.desired.site);
        let state = self.state();
        let look = |scope| state.world.observe(&stack.names, site, scope, state.now).1;
        match intent {
            Intent::Destroy => {
                let live = look(Scope::Teardown);
                let plan = plan::destroy(stack, &live, choices);
                (live, plan)
            }
            _ => {
                let live = look(Scope::Stack);
                let plan = plan::provision(stack, &ground.desired, &live, choices);
                (live, plan)
            }
        }
    }

    pub(crate) fn carry_out(&self, ground: &Ground, live: &Live, plan: &Plan) -> Outcome {
        let (stop, stopped) = watch::channel(false);
        self.state().stop = Some(stop);
        let context = Context::new(apply::references(live), &|_, _| (), stopped, Duration::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(apply::execute(plan, &ground.stack, self, &context, &Silence))
    }

    /// Plans and carries out until there is nothing to do, as a user would who runs the same
    /// command again. Gives what the last plan was.
    pub(crate) fn settle(&self, ground: &Ground, intent: Intent, choices: &Choices) -> Plan {
        const PATIENCE: usize = 4;
        for _ in 0..PATIENCE {
            let (live, plan) = self.plan(ground, intent, choices);
            if plan.is_empty() || !plan.can_apply() {
                return plan;
            }
            let _ = self.carry_out(ground, &live, &plan);
            self.later();
        }
        self.plan(ground, intent, choices).1
    }

    fn refusal(op: &Op) -> Fault {
        Fault::new(FaultKind::Unreachable, op.change().summary, "no answer")
    }

    fn carry(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        let mut state = self.state();
        let number = state.ops;
        state.ops += 1;
        state.now += 1;
        match state.cut {
            Cut::Killed(at) if number >= at => return Err(Self::refusal(op)),
            Cut::Refused(at) if number == at => return Err(Self::refusal(op)),
            // The op that is in flight when the user stops the run is still finished.
            Cut::Stopped(at) if number + 1 == at => {
                let _ = state.stop.as_ref().map(|stop| stop.send(true));
            }
            _ => {}
        }
        let shown_as_wait = op.change().action == Action::Await;
        assert_eq!(op.is_wait(), shown_as_wait, "what is shown and what is done: {op:?}");
        if op.is_wait() {
            let known = context.references(|known| known.clone());
            let done = loop {
                match state.world.deployed(op, &known, state.now)? {
                    Some(done) => break done,
                    None => state.now += 1,
                }
            };
            state.trace(op);
            return Ok(done);
        }
        let before = state.world.clone();
        let now = state.now;
        let done = state.world.apply(stack, op, context, now);
        state.trace(op);
        if let Some((ground, intent, watch)) = self.watch {
            let moment = Moment { ground, intent, before: &before, op, after: &state.world, now };
            let broken = watch(&moment)
                .map(|what| format!("{}: {}: {what}", op.change().address, op.change().summary));
            state.broken.extend(broken);
        }
        if state.cut == Cut::ReplyLost(number) { Err(Self::refusal(op)) } else { done }
    }
}

impl Cloud for Memory {
    async fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(AccountId, Live), Fault> {
        let state = self.state();
        Ok(state.world.observe(names, expected, scope, state.now))
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        Ok(Caller { account: self.state().world.account.clone(), arn: String::new() })
    }

    async fn discover(&self, _account: &AccountId) -> Result<Found, Fault> {
        Ok(Found::default())
    }

    async fn look(&self, stack: &Stack, key: &ObjectKey) -> Result<page::Look, Fault> {
        let state = self.state();
        // The bytes of the page are nobody's business here.
        state.world.look_at_page(stack, key, |etag| Ok(etag.into()), state.now)
    }

    async fn applied(&self, stack: &Stack) -> Result<page::Applied, Fault> {
        Ok(self.state().world.applied(stack))
    }

    async fn observe_distribution(
        &self,
        stack: &Stack,
    ) -> Result<Option<distribution::Live>, Fault> {
        let state = self.state();
        Ok(state.world.distribution(stack, state.now))
    }

    async fn runners(&self, stack: &Stack) -> Result<Vec<DistributionId>, Fault> {
        Ok(self.state().world.runners(stack))
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        let turns = self.state().order.usize(0..4);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.carry(stack, op, context)
    }
}
