//! The laws: what holds in every world, whatever the intent, the drift, the order of parallel
//! steps, and wherever a run ends.
//!
//! Every small world is tried (each drift alone), then random ones with many drifts at once. Each
//! law was seen failing on a planted bug. `PROPTEST_CASES=20000 cargo test --test laws` looks
//! further.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not there fails the law")]

mod adopt;
mod copies;
mod document;
mod drift;
mod elements;
mod ground;
mod marks;
mod memory;
mod moves;
mod objects;
mod others;
mod package;
mod recorded;
mod switch;

use drift::{CLAIMS, DRIFTS, Drift};
use ground::{
    ATTACHED_TO, Ground, LOGGING, OWNED, distribution_mut, grounds, neighbourhood, occupant,
};
use memory::{Cut, Memory, Watch};
use others::{guests, lodgers, others, policies, unproven};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use provision::change::Kind;
use provision::cloud::world::{Bucket, Distribution, World};
use provision::name::{DistributionId, ObjectKey};
use provision::plan::{Choices, Intent};
use provision::resource::distribution::{Behavior, document::Reading};
use provision::resource::page::{Metadata, window};
use provision::resource::site::index;
use provision::resource::{access, bucket, distribution, function, grant, logs, role, stack_in};
use provision::stack::Op;
use serde_json::Value;
use std::collections::BTreeSet;

/// One world and what is to be done in it.
#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    ground: &'static Ground,
    drifts: &'a [&'static Drift],
    intent: Intent,
    order: u64,
}

const INTENTS: [Intent; 2] = [Intent::Provision, Intent::Destroy];

fn choices() -> Choices {
    Choices { wait: true, ..Choices::default() }
}

impl Case<'_> {
    fn world(&self) -> World {
        let mut world = self.ground.built.clone();
        for drift in self.drifts {
            (drift.happen)(&mut world, self.ground);
        }
        world
    }

    /// Carries out one plan. `None`: there are conflicts, and nobody may carry it out.
    fn run(&self) -> Option<Memory> {
        let memory = Memory::new(self.world(), self.order, Cut::Never);
        let (live, plan) = memory.plan(self.ground, self.intent, &choices());
        if !plan.can_apply() {
            return None;
        }
        let outcome = memory.carry_out(self.ground, &live, &plan);
        assert!(outcome.failed.is_empty(), "{self:?}: {:?}", outcome.failed);
        Some(memory)
    }
}

/// Every drift and claim.
fn everything() -> impl Iterator<Item = &'static Drift> + Clone {
    DRIFTS.iter().chain(CLAIMS)
}

/// Tries `law` in every small world: one thing went wrong, or nothing, or nothing is there yet; on
/// each ground, with each intent.
fn in_every_small_world(law: impl Fn(&Case<'_>)) {
    const ORDERS: u64 = 8;
    let gone: Vec<&Drift> = DRIFTS.iter().filter(|drift| drift.name.ends_with("is gone")).collect();
    let alone = everything().map(|one| (vec![one], 1));
    let drifts: Vec<(Vec<&Drift>, u64)> =
        [(Vec::new(), ORDERS), (gone, ORDERS)].into_iter().chain(alone).collect();
    for ground in grounds() {
        for intent in INTENTS {
            for (drifts, orders) in &drifts {
                (0..*orders).for_each(|order| law(&Case { ground, drifts, intent, order }));
            }
        }
    }
}

/// The same random worlds in every run, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` say
/// otherwise.
fn config(cases: u32) -> Config {
    let given = Config::default();
    let cases = if given.cases == USUAL_CASES { cases } else { given.cases };
    let rng_seed =
        if given.rng_seed == RngSeed::Random { RngSeed::Fixed(7) } else { given.rng_seed };
    Config { cases, rng_seed, failure_persistence: None, ..given }
}

/// What `Config` says where nobody asked for another number.
const USUAL_CASES: u32 = 256;

/// Tries `law` in random worlds with many things wrong at once.
fn in_random_worlds(cases: u32, law: impl Fn(&Case<'_>)) {
    let all: Vec<&'static Drift> = everything().collect();
    let drifts = proptest::sample::subsequence(all, 0..9).prop_shuffle();
    let strategy = (0..grounds().len(), drifts, 0..INTENTS.len(), any::<u64>());
    let mut runner = proptest::test_runner::TestRunner::new(config(cases));
    let tried = runner.run(&strategy, |(ground, drifts, intent, order)| {
        law(&Case { ground: grounds()[ground], drifts: &drifts, intent: INTENTS[intent], order });
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn in_all_worlds(law: impl Fn(&Case<'_>)) {
    in_every_small_world(&law);
    in_random_worlds(100, &law);
}

/// Runs the case's plan, whole and cut short; nothing may be said about any op of it.
fn obey(case: &Case<'_>, watch: Watch) {
    let whole = Memory::new(case.world(), case.order, Cut::Never);
    let (live, plan) = whole.plan(case.ground, case.intent, &choices());
    if !plan.can_apply() {
        return;
    }
    let at = usize::try_from(case.order).unwrap_or_default() % plan.steps.len().max(1);
    for cut in [
        Cut::Never,
        if case.order.is_multiple_of(2) { Cut::Refused(at) } else { Cut::ReplyLost(at) },
    ] {
        let memory =
            Memory::new(case.world(), case.order, cut).watched(case.ground, case.intent, watch);
        let _ = memory.carry_out(case.ground, &live, &plan);
        assert!(memory.broken().is_empty(), "{case:?} {cut:?}: {:#?}", memory.broken());
    }
}

#[test]
fn a_plan_carried_out_leaves_nothing_to_do() {
    in_all_worlds(|case| {
        let Some(memory) = case.run() else { return };
        let (_, again) = memory.plan(case.ground, case.intent, &choices());
        if !again.is_empty() {
            // Only replicas, which hold a version for a while after its last use, may leave
            // something to do.
            assert!(
                again
                    .steps
                    .iter()
                    .all(|step| step.op.kind() == Kind::Function || step.op.kind() == Kind::Role),
                "{case:?}: {again:#?}"
            );
            memory.later();
            let rest = memory.settle(case.ground, case.intent, &choices());
            assert!(rest.is_empty() && rest.can_apply(), "{case:?}: {rest:#?}");
        }
    });
}

/// A drift that an apply repairs is no conflict; else the laws would be silent about it.
#[test]
fn a_drift_alone_is_never_refused() {
    for ground in grounds() {
        for drift in DRIFTS {
            let case = Case { ground, drifts: &[drift], intent: Intent::Provision, order: 0 };
            assert!(case.run().is_some(), "{case:?}");
        }
    }
}

/// An index names the one that it replaced, so that no two are equal: how many there were tells
/// nothing of what is there.
fn unchained(bucket: &mut Bucket) {
    let Ok(Value::Object(mut record)) = serde_json::from_str(&bucket.index) else { return };
    record.remove("after");
    bucket.index = Value::Object(record).to_string();
    if let Some(object) = bucket.objects.get_mut(&ObjectKey::listed(index::KEY.to_owned())) {
        object.etag.clear();
        object.size = 0;
    }
}

/// The world as far as a user can tell: without numbers that AWS gives, and without what time
/// washes away.
fn known(world: &World, ground: &Ground) -> String {
    let mut world = world.clone();
    (world.serial, world.numbers, world.replicas, world.born) =
        (0, [].into(), [].into(), [].into());
    world.references.clear();
    for found in world.functions.values_mut() {
        found.revision.clear();
        found.versions.sort_by_key(|version| version.frozen.name());
        found.versions.iter_mut().for_each(|version| version.number = 0);
    }
    for bucket in world.buckets.values_mut() {
        bucket.older.clear();
        for headers in bucket.headers.values_mut() {
            (headers.modified, headers.version) = (0, String::new());
        }
        unchained(bucket);
    }
    world.roles.values_mut().for_each(|role| role.created = 0);
    for group in world.logs.values_mut().flat_map(|groups| groups.values_mut()) {
        group.created = 0;
    }
    for found in world.distributions.values_mut() {
        (found.deployed_at, found.live.deployed) = (0, true);
        found.live.etag.clear();
    }
    let ids: Vec<(String, &str)> = [
        distribution_mut(&mut world, ground)
            .map(|found| (found.live.id.to_string(), "(distribution)")),
        world.access.get("provision-shop").map(|control| (control.id.clone(), "(control)")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut text = serde_json::to_string_pretty(&world).unwrap();
    for (id, name) in ids {
        text = text.replace(&id, name).replace(&id.to_lowercase(), name);
    }
    text
}

/// Cuts the first run at every op in every way, then runs the same command again.
fn cut_short(case: &Case<'_>) {
    let whole = Memory::new(case.world(), case.order, Cut::Never);
    let (_, first) = whole.plan(case.ground, case.intent, &choices());
    if !first.can_apply() {
        return;
    }
    let end = whole.settle(case.ground, case.intent, &choices());
    assert!(end.is_empty(), "{case:?}: {end:#?}");
    let end = known(&whole.world(), case.ground);
    for at in 0..first.steps.len() {
        for cut in [Cut::Killed(at), Cut::Stopped(at + 1), Cut::Refused(at), Cut::ReplyLost(at)] {
            cut_at(case, cut, &end);
        }
    }
}

fn cut_at(case: &Case<'_>, cut: Cut, end: &str) {
    let memory = Memory::new(case.world(), case.order, cut);
    let (live, plan) = memory.plan(case.ground, case.intent, &choices());
    let outcome = memory.carry_out(case.ground, &live, &plan);
    let told = outcome.done.len()
        + outcome.deferred.len()
        + outcome.failed.len()
        + outcome.not_started.len();
    assert_eq!(told, plan.steps.len(), "{case:?} {cut:?}: every step is accounted for");
    memory.later();
    let rest = memory.settle(case.ground, case.intent, &choices());
    assert!(rest.is_empty() && rest.can_apply(), "{case:?} {cut:?}: {rest:#?}");
    let found = known(&memory.world(), case.ground);
    assert!(found == end, "{case:?} {cut:?}\n--- whole\n{end}\n--- cut\n{found}");
}

#[test]
fn a_plan_cut_short_can_be_planned_again() {
    let empty = DRIFTS.iter().filter(|drift| drift.name.ends_with("is gone")).collect::<Vec<_>>();
    let busy = DRIFTS.iter().filter(|drift| !drift.name.ends_with("is gone")).collect::<Vec<_>>();
    for ground in grounds() {
        for intent in INTENTS {
            for drifts in [&[][..], &empty, &busy] {
                cut_short(&Case { ground, drifts, intent, order: 1 });
            }
        }
    }
    in_random_worlds(24, cut_short);
}

#[test]
fn what_is_not_ours_is_never_touched() {
    in_all_worlds(|case| {
        obey(case, |moment| {
            let same = |look: fn(&World, &Ground) -> Value| {
                let (before, after) =
                    (look(moment.before, moment.ground), look(moment.after, moment.ground));
                (!before.is_null() && before != after)
                    .then(|| format!("touched what is not ours\n{before:#}\n{after:#}"))
            };
            // A destroy takes our bucket and our distribution with what others have in them, or
            // refuses.
            let inside = || same(guests).or_else(|| same(lodgers));
            same(others).or_else(|| same(policies)).or_else(|| {
                if moment.intent == Intent::Destroy { same(unproven) } else { inside() }
            })
        });
    });
}

/// The slots that run our function, if it is ours: version number, and whether visitors reach them.
fn slots(world: &World, ground: &Ground) -> Vec<(u64, bool)> {
    let ours = ground.stack.any_version();
    let function = world.functions.get(&ground.stack.names.function);
    if function.is_some_and(|live| !function::plan::is_ours(live, &ground.stack.names.stack)) {
        return Vec::new();
    }
    let read = world.distributions.values().map(|found| found.live.document.read());
    let slot = |reading: Reading| -> Vec<(u64, bool)> {
        let arns =
            reading.behaviors.into_values().flat_map(|behavior| behavior.functions.into_values());
        arns.filter_map(|arn| ours.number_in(&arn))
            .map(|number| (number, reading.enabled))
            .collect()
    };
    read.flat_map(slot).collect()
}

#[test]
fn no_version_is_removed_while_the_slot_points_at_it() {
    in_all_worlds(|case| {
        obey(case, |moment| {
            let Op::Function(_, op) = moment.op else { return None };
            let held: Vec<u64> =
                slots(moment.before, moment.ground).into_iter().map(|(number, _)| number).collect();
            match op {
                function::Op::Prune { number, .. } => {
                    held.contains(number).then(|| format!("version {number} is in a slot"))
                }
                function::Op::Delete => {
                    (!held.is_empty()).then(|| format!("versions {held:?} are in slots"))
                }
                _ => None,
            }
        });
    });
}

#[test]
fn the_function_stays_while_it_has_logs_to_prove() {
    in_all_worlds(|case| {
        obey(case, |moment| {
            let group = logs::group(&moment.ground.stack.names.function);
            let role = moment.before.roles.get(&moment.ground.stack.names.role);
            let made = role.map(|role| role.created);
            let is_ours = |found: &logs::Group| {
                let by_tag =
                    stack_in(&found.tags).as_ref() == Some(&moment.ground.stack.names.stack);
                by_tag || made.is_some_and(|made| made <= found.created)
            };
            let mut groups = moment.before.logs.values().filter_map(|groups| groups.get(&group));
            let left = groups.any(is_ours);
            let ends = matches!(moment.op, Op::Function(_, function::Op::Delete));
            (ends && left).then(|| "nothing would prove whose its logs are".to_owned())
        });
    });
}

/// Before the first apply has ended nobody is told of a switch, and the page comes last.
#[test]
fn while_visitors_can_ask_for_the_page_it_stays() {
    fn asked(world: &World, ground: &Ground) -> bool {
        let function = world.functions.get(&ground.stack.names.function);
        let runs = |number: u64| {
            function
                .is_some_and(|live| live.versions.iter().any(|version| version.number == number))
        };
        slots(world, ground).iter().any(|(number, reached)| *reached && runs(*number))
    }
    fn lies(world: &World, ground: &Ground) -> bool {
        let keys = &ground.stack.names.keys;
        world.buckets.get(&ground.stack.bucket).is_some_and(|bucket| {
            bucket.objects.contains_key(&keys.off) || bucket.objects.contains_key(&keys.on)
        })
    }
    in_all_worlds(|case| {
        obey(case, |moment| {
            let lost = lies(moment.before, moment.ground)
                && !lies(moment.after, moment.ground)
                && asked(moment.after, moment.ground);
            lost.then(|| "visitors can ask for a page that is gone".to_owned())
        });
    });
}

/// The window, but for the page that is shown in it.
fn window(world: &World, ground: &Ground) -> Option<Metadata> {
    let mut headers =
        world.buckets.get(&ground.stack.bucket)?.headers.get(&ground.stack.names.keys.on)?.clone();
    headers.metadata.remove(window::PAGE);
    Some(headers.metadata)
}

#[test]
fn apply_does_not_turn_the_switch() {
    in_all_worlds(|case| {
        if case.intent == Intent::Provision {
            obey(case, |moment| {
                let (before, after) =
                    (window(moment.before, moment.ground), window(moment.after, moment.ground));
                (before != after).then(|| format!("turned from {before:?} to {after:?}"))
            });
        }
    });
}

#[test]
fn destroy_leaves_nothing_of_ours_and_everything_of_others() {
    let destroy = |case: &Case<'_>| {
        let case = Case { intent: Intent::Destroy, ..*case };
        let memory = Memory::new(case.world(), case.order, Cut::Never);
        let before = others(&memory.world(), case.ground);
        let (live, plan) = memory.plan(case.ground, case.intent, &choices());
        if !plan.can_apply() {
            return;
        }
        let own = live.distribution.map(|distribution| distribution.id);
        let rest = memory.settle(case.ground, case.intent, &choices());
        assert!(rest.is_empty(), "{case:?}: {rest:#?}");
        let world = memory.world();
        assert_eq!(others(&world, case.ground), before, "{case:?}");
        assert_eq!(ours(&world, case.ground, own.as_ref()), Vec::<String>::new(), "{case:?}");
    };
    in_all_worlds(destroy);
    // Without drift, the world is again as it was before the first apply.
    for ground in [&*OWNED, &*ATTACHED_TO, &*LOGGING] {
        let memory = Memory::new(ground.built.clone(), 0, Cut::Never);
        assert!(memory.settle(ground, Intent::Destroy, &choices()).is_empty());
        let (after, before) = (known(&memory.world(), ground), known(&neighbourhood(), ground));
        assert!(after == before, "{ground:?}\n--- before\n{before}\n--- after\n{after}");
    }
}

/// Behaviors whose viewer-request slot runs our function; others' events are not ours, whoever put
/// it there.
fn our_slots(world: &World, ground: &Ground) -> Vec<Behavior> {
    let runs = |live: &distribution::Live, behavior: &Behavior| {
        occupant(live, behavior)
            .is_some_and(|arn| ground.stack.any_version().number_in(&arn).is_some())
    };
    let behaviors = |found: &Distribution| {
        found
            .live
            .document
            .read()
            .behaviors
            .into_keys()
            .filter(|name| runs(&found.live, name))
            .collect()
    };
    let theirs = world
        .functions
        .get(&ground.stack.names.function)
        .is_some_and(|live| !function::plan::is_ours(live, &ground.stack.names.stack));
    if theirs {
        Vec::new()
    } else {
        world.distributions.values().flat_map::<Vec<Behavior>, _>(behaviors).collect()
    }
}

/// Whatever carries our name on it.
/// `own` was our distribution.
fn ours(world: &World, ground: &Ground, own: Option<&DistributionId>) -> Vec<String> {
    let World {
        buckets,
        roles,
        functions,
        logs: groups,
        access,
        distributions,
        account,
        // Numbers, and what time washes away.
        format: _,
        delays: _,
        serial: _,
        numbers: _,
        born: _,
        replicas: _,
        references: _,
    } = world;
    let stack = &ground.stack.names.stack;
    let grants = buckets.values();
    let buckets = buckets
        .iter()
        .filter(|(_, found)| bucket::plan::is_ours(&found.live, stack))
        .map(|(name, _)| format!("bucket {name}"));
    // In a bucket that is not ours, only the distribution that a statement names can prove that it
    // is ours.
    let provable = |found: &Bucket| {
        bucket::plan::is_ours(&found.live, stack)
            || own.is_some() && grant::distribution(found.policy.as_ref()).as_ref() == own
    };
    let granted = |found: &&Bucket| provable(found) && grant::exists(found.policy.as_ref());
    let grants = grants.filter(granted);
    // A function that nothing proves to be ours any more goes on running with it.
    let strangers = functions.values().filter(|live| !function::plan::is_ours(live, stack));
    let used: BTreeSet<_> = strangers.flat_map(|live| live.roles(account)).collect();
    let roles = roles
        .iter()
        .filter(|(name, live)| role::plan::is_ours(live, stack) && !used.contains(name))
        .map(|(name, _)| format!("role {name}"));
    // A function of somebody else's that has taken the name writes to the groups now.
    let free = !functions.contains_key(&ground.stack.names.function);
    let functions = functions
        .iter()
        .filter(|(_, live)| function::plan::is_ours(live, stack))
        .map(|(name, _)| format!("function {name}"));
    let group = logs::group(&ground.stack.names.function);
    let groups = groups.iter().filter_map(|(region, groups)| Some((region, groups.get(&group)?)));
    let groups = groups.filter(|(_, group)| free && stack_in(&group.tags).as_ref() == Some(stack));
    let groups = groups.map(|(region, _)| format!("logs {region}"));
    let access = access
        .values()
        .filter(|live| live.description == access::description(stack))
        .map(|live| format!("access {}", live.name));
    let distributions =
        distributions.values().filter(|found| distribution::owner::is_ours(&found.live, stack));
    let slots = our_slots(world, ground).into_iter().map(|behavior| format!("slot of {behavior}"));
    let distributions = distributions.map(|found| format!("distribution {}", found.live.id));
    buckets
        .chain(grants.map(|_| "grant".into()))
        .chain(roles)
        .chain(functions)
        .chain(groups)
        .chain(access)
        .chain(distributions)
        .chain(slots)
        .collect()
}
