//! The spec changes: every ordered pair of specs, applied one after the other, whole and cut short,
//! with and without the word that lets an apply delete what is no longer in the spec.
//!
//! Every pair is tried whole, and cut at a sample of its steps; `PROVISION_MOVES=all` cuts at every
//! step. Whatever happened, one more run of either spec converges, and a destroy with either spec
//! leaves nothing that carries the stack's mark.

use crate::ground::{ATTACHED, Ground, neighbourhood, the_site};
use crate::memory::{Cut, Memory, Moment};
use provision::apply;
use provision::change::Kind;
use provision::cloud::world::{Distribution, Headers, World};
use provision::name::{BucketName, DistributionId, FunctionName, ObjectKey, RoleName};
use provision::plan::{self, Choices, Intent, Plan, Stage, Step};
use provision::resource::distribution::{Behavior, document::EVENT};
use provision::resource::page::turn::{On, Wanted};
use provision::resource::page::window;
use provision::resource::site::{Object, mark};
use provision::resource::{
    PROTECT_TAG, access, bucket, distribution, function, grant, page, role, site, stack_in,
};
use provision::stack::Op;
use provision::view::report::Existing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const ANOTHER: &str = "E3ANOTHER000";

const SPECS: [(&str, &str); 17] = [
    ("owned", "stack: shop"),
    ("attached to A", "stack: shop\ndistribution: {id: E1ATTACHED00, behaviors: [default]}"),
    ("attached to B", "stack: shop\ndistribution: {id: E3ANOTHER000, behaviors: [default]}"),
    (
        "other behaviors of A",
        "stack: shop\ndistribution: {id: E1ATTACHED00, behaviors: [\"/app/*\"]}",
    ),
    ("another bucket", "stack: shop\nbucket: {name: shop-moved}"),
    ("another role", "stack: shop\nrole: {name: shop-moved}"),
    ("another function", "stack: shop\nfunction: {name: shop-moved}"),
    (
        "all names",
        "stack: shop\nbucket: {name: shop-else}\nrole: {name: shop-else}\nfunction: {name: \
            shop-else}",
    ),
    (
        "all names, attached to A",
        "stack: shop\nbucket: {name: shop-else}\nrole: {name: shop-else}\nfunction: {name: \
            shop-else}\n\
         distribution: {id: E1ATTACHED00, behaviors: [default]}",
    ),
    (
        "other page keys",
        "stack: shop\nmaintenance: {keys: {off: closed.html, on: closed-now.html}}",
    ),
    ("no site", "stack: shop # no site"),
    (
        "aliases",
        "stack: shop\ndistribution: {aliases: [www.example.org], \
         certificate: \"arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555\"}",
    ),
    ("logs are kept", "stack: shop\nfunction: {log_retention: 30d}"),
    ("protected", "stack: shop\nprotect: [bucket]"),
    ("other code", "stack: shop\nmaintenance: {retry_after: 99s}"),
    (
        "attached to A with other page keys",
        "stack: shop\nmaintenance: {keys: {off: closed.html, on: closed-now.html}}\n\
         distribution: {id: E1ATTACHED00, behaviors: [default]}",
    ),
    (
        "a third bucket, where the page's key is the on key",
        "stack: shop\nbucket: {name: shop-third}\n\
         maintenance: {keys: {off: closed.html, on: maintenance.html}}",
    ),
];

static GROUNDS: LazyLock<Vec<Ground>> = LazyLock::new(|| {
    let built =
        SPECS.iter().map(|(name, text)| Ground::built_in(name, text, site_of(name), before()));
    let mut all: Vec<Ground> = built.collect();
    let distributions = all.iter_mut().flat_map(|ground| ground.built.distributions.values_mut());
    distributions.for_each(|found| found.deployed_at = 0);
    all
});

fn site_of(name: &str) -> site::Settings {
    if name == "no site" { site::Settings::default() } else { the_site() }
}

/// The neighbourhood, and a second distribution to which one can attach.
fn before() -> World {
    let mut world = neighbourhood();
    let mut another = world.distributions[&ATTACHED.parse::<DistributionId>().unwrap()].clone();
    another.live.id = ANOTHER.parse().unwrap();
    world.distributions.insert(another.live.id.clone(), another);
    world
}

/// All specs, each with the world after its first apply.
pub(crate) fn all() -> &'static [Ground] {
    &GROUNDS
}

/// Nothing may go, or everything that is no longer in the spec.
pub(crate) fn words(all: bool) -> Choices {
    use Kind::{Association, Bucket, Distribution, Function, Role, Site};
    let delete = [Association, Bucket, Distribution, Function, Role, Site].into();
    // Without a site in the spec, its files go in any case.
    Choices { wait: true, delete: if all { delete } else { [Site].into() }, ..Choices::default() }
}

pub(crate) fn pairs() -> impl Iterator<Item = (usize, &'static Ground, &'static Ground)> {
    let all = GROUNDS.iter().flat_map(|from| GROUNDS.iter().map(move |to| (from, to)));
    all.filter(|(from, to)| from.name != to.name)
        .enumerate()
        .map(|(number, (from, to))| (number, from, to))
}

/// Everything that carries the stack's mark, and what others run of ours.
pub(crate) fn ours(world: &World, ground: &Ground) -> BTreeSet<String> {
    let World {
        buckets,
        roles,
        functions,
        logs,
        access,
        distributions,
        // Numbers, and what time washes away.
        format: _,
        account: _,
        delays: _,
        serial: _,
        numbers: _,
        born: _,
        replicas: _,
        references: _,
    } = world;
    let stack = &ground.stack.names.stack;
    let functions = functions.iter().filter(|(_, live)| function::plan::is_ours(live, stack));
    let functions: Vec<&FunctionName> = functions.map(|(name, _)| name).collect();
    let buckets = buckets.iter().filter(|(_, found)| bucket::plan::is_ours(&found.live, stack));
    let roles = roles.iter().filter(|(_, live)| role::plan::is_ours(live, stack));
    let controls = access.values().filter(|live| access::plan::is_ours(live, stack));
    let groups =
        logs.iter().flat_map(|(region, groups)| groups.iter().map(move |group| (region, group)));
    let groups = groups.filter(|(_, (_, group))| stack_in(&group.tags).as_ref() == Some(stack));
    let is_own = |found: &Distribution| distribution::owner::is_ours(&found.live, stack);
    let distributions = distributions.values().map(|found| {
        let slots = slots(found).into_iter().filter(|(_, name, _)| functions.contains(&name));
        let slots =
            slots.map(|(behavior, name, _)| format!("slot {} {behavior} {name}", found.live.id));
        let own = is_own(found).then(|| format!("distribution {}", found.live.id));
        slots.chain(own).collect::<Vec<_>>()
    });
    let distributions: Vec<String> = distributions.flatten().collect();
    buckets
        .map(|(name, _)| format!("bucket {name}"))
        .chain(roles.map(|(name, _)| format!("role {name}")))
        .chain(functions.iter().map(|name| format!("function {name}")))
        .chain(controls.map(|live| format!("access {}", live.name)))
        .chain(groups.map(|(region, (name, _))| format!("logs {region} {name}")))
        .chain(distributions)
        .collect()
}

/// Our slots: behavior, function, version.
pub(crate) fn slots(found: &Distribution) -> Vec<(String, FunctionName, u64)> {
    let account = "123456789012".parse().unwrap();
    let behaviors = found.live.document.read().behaviors.into_iter();
    let arns = behaviors
        .filter_map(|(pattern, behavior)| Some((pattern, behavior.functions.get(EVENT)?.clone())));
    let parse = |(behavior, arn): (Behavior, String)| {
        let number = arn.rsplit(':').next()?.parse().ok()?;
        Some((behavior.to_string(), FunctionName::from_arn(&arn, &account)?, number))
    };
    arns.filter_map(parse).collect()
}

/// Where the code of a version looks for the page; the settings are baked into it.
fn page_of(code: &str) -> Option<&'static (BucketName, page::Keys)> {
    static PAGES: LazyLock<Vec<(String, (BucketName, page::Keys))>> = LazyLock::new(|| {
        let page = |ground: &Ground| (ground.stack.bucket.clone(), ground.stack.names.keys.clone());
        GROUNDS
            .iter()
            .map(|ground| (ground.desired.function.package.sha256.clone(), page(ground)))
            .collect()
    });
    PAGES.iter().find(|(known, _)| known == code).map(|(_, page)| page)
}

/// What visitors can ask for and is not there.
fn missed(world: &World, ground: &Ground) -> BTreeSet<String> {
    let enabled = world.distributions.values().filter(|found| found.live.document.read().enabled);
    enabled.flat_map(|found| missed_behind(world, ground, found)).collect()
}

fn missed_behind(world: &World, ground: &Ground, found: &Distribution) -> Vec<String> {
    let id = &found.live.id;
    let mut missed = Vec::new();
    for (_, name, number) in slots(found) {
        let versions = world.functions.get(&name).map(|live| &live.versions);
        let version = versions.and_then(|all| all.iter().find(|version| version.number == number));
        let Some(version) = version else {
            if !name.as_str().starts_with("theirs") {
                missed.push(format!("{id} runs {name}:{number}, which is gone"));
            }
            continue;
        };
        let Some((bucket, keys)) = page_of(&version.frozen.code_sha256) else { continue };
        let role = RoleName::from_arn(&version.frozen.role, &world.account);
        let role = role.and_then(|role| world.roles.get(&role));
        let reach =
            role::Reach::of(role.and_then(|role| role.settings.policy.as_ref()), &world.account);
        let page = (bucket.clone(), keys.on.clone());
        if !reach.pages.contains(&page) || !reach.functions.contains(&name) {
            missed.push(format!("{name}:{number} may not read {page:?}"));
        }
        let lies = |key: &ObjectKey| {
            world.buckets.get(bucket).is_some_and(|found| found.objects.contains_key(key))
        };
        // Under other keys than the spec's nobody can turn the switch any more.
        if !world.buckets.contains_key(bucket)
            || *keys == ground.stack.names.keys && !lies(&keys.off) && !lies(&keys.on)
        {
            missed.push(format!("{name}:{number} reads {page:?}, which is gone"));
        }
    }
    for (origin, reading) in found.live.document.read().origins {
        let host =
            reading.domain.split_once(".s3.").filter(|_| origin.starts_with("provision-shop"));
        let bucket =
            host.and_then(|(name, _)| Some((name, world.buckets.get(&name.parse().ok()?)?)));
        if let (Some((name, _)), Some((_, found))) = (host, bucket)
            && grant::distribution(found.policy.as_ref()).as_ref() != Some(id)
        {
            missed.push(format!("{id} may not read {name}"));
        }
        if host.is_some() && bucket.is_none() {
            missed.push(format!("the origin of {id} is gone"));
        }
    }
    missed
}

/// What visitors of each of our slots get: the page, if an object lies where its version looks.
fn shown(world: &World) -> BTreeMap<String, bool> {
    let enabled = world.distributions.values().filter(|found| found.live.document.read().enabled);
    let slots = enabled.flat_map(|found| {
        slots(found)
            .into_iter()
            .map(|(behavior, name, number)| (format!("{} {behavior}", found.live.id), name, number))
    });
    let page = |name: &FunctionName, number: u64| {
        let versions = &world.functions.get(name)?.versions;
        let version = versions.iter().find(|version| version.number == number)?;
        page_of(&version.frozen.code_sha256)
    };
    let lies = |(bucket, keys): &(BucketName, page::Keys)| {
        world.buckets.get(bucket).is_some_and(|found| found.objects.contains_key(&keys.on))
    };
    slots.filter_map(|(slot, name, number)| Some((slot, lies(page(&name, number)?)))).collect()
}

/// The switch is the user's: no move shows visitors the page, or the site, who had the other.
fn turned(moment: &Moment<'_>) -> Option<String> {
    let (before, after) = (shown(moment.before), shown(moment.after));
    let other = |(slot, is_shown): &(&String, &bool)| {
        before.get(*slot).is_some_and(|was_shown| was_shown != *is_shown)
    };
    let (slot, is_shown) = after.iter().find(other)?;
    Some(format!("visitors of {slot} get the {}", if *is_shown { "page" } else { "site" }))
}

/// What ends while some edge may still use it: visitors get the old configuration until the new one
/// is deployed.
fn hasty(moment: &Moment<'_>) -> Option<String> {
    let narrows = |before: Option<&serde_json::Value>, after: &serde_json::Value| {
        let reach = |policy| role::Reach::of(policy, &moment.before.account);
        let (before, after) = (reach(before), reach(Some(after)));
        !before.pages.is_subset(&after.pages) || !before.functions.is_subset(&after.functions)
    };
    let ends = match moment.op {
        Op::Bucket(_, op) => {
            matches!(op, bucket::Op::Empty(bucket::Empty { .. }) | bucket::Op::Delete)
        }
        Op::Function(_, op) => {
            matches!(op, function::Op::Prune { .. } | function::Op::Delete)
        }
        Op::Role(_, role::Op::PutPolicy { before, after, .. }) => narrows(before.as_ref(), after),
        Op::Role(_, op) => matches!(op, role::Op::DeletePolicy { .. } | role::Op::Delete),
        Op::Site(op) => matches!(op, site::Op::Delete { .. }),
        _ => false,
    };
    // Files are asked for through our own distribution alone.
    let own = |found: &&Distribution| {
        distribution::owner::is_ours(&found.live, &moment.ground.stack.names.stack)
    };
    let concerned = |found: &&Distribution| !matches!(moment.op, Op::Site(_)) || own(found);
    let mut deploying =
        moment.before.distributions.values().filter(|found| moment.now < found.deployed_at);
    let still = deploying.find(concerned)?;
    ends.then(|| format!("{} is still deploying", still.live.id))
}

fn watch(moment: &Moment<'_>) -> Option<String> {
    let creates = matches!(moment.op, Op::Distribution(distribution::Op::Create { .. }));
    let before = missed(moment.before, moment.ground);
    let new: Vec<String> = missed(moment.after, moment.ground)
        .into_iter()
        .filter(|what| !before.contains(what))
        .collect();
    // Until the first grant is given, nobody can know the new distribution.
    let new: Vec<String> =
        new.into_iter().filter(|what| !(creates && what.contains("may not read"))).collect();
    if new.is_empty() { hasty(moment).or_else(|| turned(moment)) } else { Some(new.join("; ")) }
}

fn run(
    world: &World,
    to: &'static Ground,
    intent: Intent,
    choices: &Choices,
    cut: Cut,
) -> (Memory, Plan) {
    let memory = Memory::new(world.clone(), 3, cut).watched(to, intent, watch);
    let (live, plan) = memory.plan(to, intent, choices);
    if plan.can_apply() {
        let outcome = memory.carry_out(to, &live, &plan);
        if cut == Cut::Never && intent == Intent::Provision {
            let fresh = memory.plan(to, intent, choices).0;
            let told = Existing::after(&plan, &to.stack, &live, &outcome);
            let found = Existing::of(&to.stack, &fresh);
            // The switch is told as it was when the run began.
            let told = told.map(|told| Existing { switch: found.switch, ..told });
            assert_eq!(told, Some(found), "what is reported is what a look finds");
        }
    }
    memory.later();
    (memory, plan)
}

/// Runs to the end, as somebody does who repeats the command.
fn settle(memory: &Memory, to: &'static Ground, intent: Intent, choices: &Choices, what: &str) {
    let rest = memory.settle(to, intent, choices);
    assert!(rest.is_empty() && rest.can_apply(), "{what}: {rest:#?}");
    assert_eq!(memory.broken(), Vec::<String>::new(), "{what}");
}

/// Some time later.
fn without_protection(mut world: World) -> World {
    let buckets = world.buckets.values_mut().map(|found| &mut found.live.settings.tags);
    let roles = world.roles.values_mut().map(|live| &mut live.settings.tags);
    let functions = world.functions.values_mut().map(|live| &mut live.settings.tags);
    let distributions = world.distributions.values_mut().map(|found| &mut found.live.tags);
    let tags = buckets.chain(roles).chain(functions).chain(distributions);
    tags.for_each(|tags| drop(tags.remove(PROTECT_TAG)));
    world.distributions.values_mut().for_each(|found| found.deployed_at = 0);
    world
}

fn destroyed(memory: &Memory, with: &'static Ground, what: &str) {
    let choices = Choices { wait: true, ..Choices::default() };
    // What is protected stays until somebody takes the tag off.
    let memory = &Memory::new(without_protection(memory.world()), 5, Cut::Never).watched(
        with,
        Intent::Destroy,
        watch,
    );
    memory.later();
    settle(memory, with, Intent::Destroy, &choices, what);
    assert_eq!(ours(&memory.world(), with), BTreeSet::new(), "{what}: something is left");
}

#[test]
fn a_spec_that_changes_loses_nothing() {
    for (_, from, to) in pairs() {
        for all in [false, true] {
            let what = format!(
                "{from:?} -> {to:?}, {}",
                if all { "all may go" } else { "nothing may go" }
            );
            let (memory, plan) = run(&from.built, to, Intent::Provision, &words(all), Cut::Never);
            assert!(plan.can_apply(), "{what}: {:#?}", plan.conflicts);
            settle(&memory, to, Intent::Provision, &words(all), &what);
            let left = ours(&memory.world(), to);
            let wanted = ours(&to.built, to);
            let named: Vec<String> = memory
                .plan(to, Intent::Provision, &words(all))
                .1
                .notices
                .iter()
                .map(|n| n.address.to_string())
                .collect();
            for former in
                left.iter().filter(|one| !one.starts_with("logs") && !is_wanted(one, &wanted))
            {
                assert!(!all || from.name == "protected", "{what}: {former} is left");
                assert!(is_named(former, &named), "{what}: {former} is not named by {named:?}");
            }
            destroyed(&memory, to, &what);
        }
    }
}

/// Opens a window of ours where the first spec says.
fn with_a_window(mut world: World, ground: &Ground) -> World {
    let (bucket, key) = (&ground.stack.bucket, &ground.stack.names.keys.on);
    let found = world.buckets.get_mut(bucket).unwrap();
    let window = (window::WINDOW.to_owned(), "f".repeat(32));
    let metadata = mark(&ground.stack.names.stack, key).chain([window]).collect();
    found.objects.insert(key.clone(), Object { etag: "window".into(), size: 1 });
    found.headers.insert(key.clone(), Headers { metadata, ..Headers::default() });
    world
}

/// Two moves, one after the other: on with the words, or back; with a window open or not. Where one
/// is refused, the window is still open for the next.
#[test]
fn no_move_opens_or_ends_a_window() {
    let mut refused = 0;
    for (number, from, to) in pairs() {
        let begins = [from.built.clone(), with_a_window(from.built.clone(), from)];
        let sample = |at: usize| is_whole() || number % 2 == at;
        for (at, begin) in begins.into_iter().enumerate().filter(|(at, _)| sample(*at)) {
            let (next, all) =
                if (number + at).is_multiple_of(2) { (to, true) } else { (from, false) };
            let what = format!("{from:?} -> {to:?} -> {next:?}, {all}, window {at}");
            let mut world = begin;
            for (with, all) in [(to, false), (next, all)] {
                let (memory, plan) = run(&world, with, Intent::Provision, &words(all), Cut::Never);
                refused += usize::from(!plan.can_apply());
                assert_eq!(memory.broken(), Vec::<String>::new(), "{what}");
                if plan.can_apply() {
                    settle(&memory, with, Intent::Provision, &words(all), &what);
                }
                world = memory.world();
            }
        }
    }
    assert!(refused > 10, "windows stand in the way: {refused}");
}

/// Ids and numbers differ from world to world.
fn is_wanted(one: &str, wanted: &BTreeSet<String>) -> bool {
    let plain = |text: &str| -> String {
        let known = text.contains(ATTACHED) || text.contains(ANOTHER);
        if text.starts_with("distribution ") || text.starts_with("slot ") && !known {
            text.split(' ').filter(|word| !word.starts_with('E')).collect::<Vec<_>>().join(" ")
        } else {
            text.to_owned()
        }
    };
    wanted.iter().any(|other| plain(other) == plain(one))
}

fn is_named(former: &str, named: &[String]) -> bool {
    let mut words = former.split(' ');
    let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // What a function writes goes with it; a slot of our own distribution goes with that.
    kind == "access" && named.iter().any(|address| address.starts_with("distribution"))
        || named.iter().any(|address| address.ends_with(name))
}

/// Whatever a run has left, a turn of the switch is refused, or somebody looks at it.
fn turned_in_vain(world: &World, ground: &'static Ground) -> Option<String> {
    let (stack, keys) = (&ground.stack, &ground.stack.names.keys);
    let look = |key: &ObjectKey| {
        world.look_at_page(stack, key, |_| Ok(b"page".to_vec()), 0).ok().map(|look| look.side)
    };
    let (off, on) = (look(&keys.off)?, look(&keys.on)?);
    let is_ours = |off: &page::Side| page::is_ours(&off.metadata, &stack.names.stack);
    let applied = (!off.as_ref().is_some_and(is_ours)).then(|| world.applied(stack));
    let sides = page::Sides { off, on, applied, ..page::Sides::default() };
    let standard = Ok(ground.desired.page.content.clone());
    let mark = "0".repeat(32);
    let (window, without) = (page::Metadata::new(), Vec::new());
    let wanted = Wanted::On(On { window, without, once: None, standard, mark });
    if !plan::turn(stack, &wanted, &sides).can_apply() {
        return None;
    }
    let enabled = world.distributions.values().filter(|found| found.live.document.read().enabled);
    let watched: Vec<_> = enabled
        .flat_map(slots)
        .filter_map(|(_, name, number)| {
            let versions = &world.functions.get(&name)?.versions;
            versions.iter().find(|version| version.number == number)?.frozen.page()
        })
        .collect();
    let here = (stack.bucket.clone(), keys.on.clone());
    (!watched.contains(&here))
        .then(|| format!("{here:?} is turned, and visitors are shown by {watched:?}"))
}

pub(crate) fn is_whole() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much to try is said to the test, not to the program"
    )]
    std::env::var("PROVISION_MOVES").is_ok_and(|value| value == "all")
}

#[test]
fn a_move_cut_short_goes_on_goes_back_or_ends() {
    let whole = is_whole();
    let (mut cuts, mut runs) = (0, 0);
    for (number, from, to) in pairs() {
        for all in [false, true] {
            let (_, plan) = run(&from.built, to, Intent::Provision, &words(all), Cut::Never);
            let steps = plan.steps.len();
            let turn = number + usize::from(all);
            let sample = |at: &usize| whole || *at == turn % steps.max(1);
            for at in (0..steps).filter(sample) {
                for cut in [Cut::Killed(at), Cut::ReplyLost(at)] {
                    if !whole && matches!(cut, Cut::Killed(_)) != turn.is_multiple_of(3) {
                        continue;
                    }
                    let (memory, _) = run(&from.built, to, Intent::Provision, &words(all), cut);
                    let broken = memory.world();
                    assert_eq!(memory.broken(), Vec::<String>::new(), "{from:?} -> {to:?} {cut:?}");
                    cuts += 1;
                    for with in [from, to] {
                        let vain = turned_in_vain(&broken, with);
                        assert_eq!(vain, None, "{from:?} -> {to:?} {cut:?}, turned by {with:?}");
                    }
                    let nexts = [(Some(to), to), (Some(from), from), (None, to), (None, from)];
                    for (which, (next, with)) in nexts.into_iter().enumerate() {
                        if !whole && which != turn / 2 % 4 {
                            continue;
                        }
                        let what = format!(
                            "{from:?} -> {to:?}, {all}, {cut:?}, then {next:?}, ended by {with:?}"
                        );
                        let memory = Memory::new(broken.clone(), 5, Cut::Never).watched(
                            with,
                            Intent::Provision,
                            watch,
                        );
                        memory.later();
                        if let Some(next) = next {
                            settle(&memory, next, Intent::Provision, &words(all), &what);
                        }
                        destroyed(&memory, with, &what);
                        runs += 1;
                    }
                }
            }
        }
    }
    println!("{} pairs, {cuts} cuts, {runs} runs after them", pairs().count());
}

/// A run that stands still, and what it still has to do.
struct Paused {
    memory: Memory,
    rest: Plan,
}

impl Paused {
    /// Before the step `at` of the move.
    fn at(at: usize, from: &Ground, to: &Ground) -> Self {
        let memory = Memory::new(from.built.clone(), 3, Cut::Killed(at));
        let (live, mut rest) = memory.plan(to, Intent::Provision, &words(false));
        let begun = memory.carry_out(to, &live, &rest);
        memory.later();
        let is_done =
            |step: &Step| begun.done.iter().any(|(change, _)| *change == step.op.change());
        rest.steps.retain(|step| !is_done(step));
        Self { memory, rest }
    }

    /// Another run goes back meanwhile; then this one goes on, and still knows what it has made.
    fn crossed_by(self, from: &Ground, to: &Ground) -> World {
        let Self { memory, rest } = self;
        let _ = memory.settle(from, Intent::Provision, &words(false));
        let (live, _) = memory.plan(to, Intent::Provision, &words(false));
        let _ = memory.carry_out(to, &live, &rest);
        memory.later();
        memory.world()
    }
}

/// A run moves the switch, another one moves it back meanwhile, and the first goes on.
#[test]
fn moves_that_cross_leave_no_switch_that_is_turned_in_vain() {
    let (whole, choices) = (is_whole(), words(false));
    let mut crossed = 0;
    for (number, from, to) in pairs() {
        let (_, plan) = run(&from.built, to, Intent::Provision, &choices, Cut::Never);
        let moves = plan.can_apply() && plan.steps.iter().any(|step| step.stage == Stage::Switch);
        let sample = |at: &usize| whole || at % 8 == number % 8;
        for at in (0..plan.steps.len()).filter(|_| moves).filter(sample) {
            let paused = Paused::at(at, from, to);
            // Between the last mark and the write of the slots, no guard can tell.
            let waits = |stage| paused.rest.steps.iter().any(|step| step.stage == stage);
            let turns = waits(Stage::Distribution) || waits(Stage::Association);
            if turns && !waits(Stage::Moves) && plan.steps.iter().any(|s| s.stage == Stage::Moves) {
                continue;
            }
            let world = paused.crossed_by(from, to);
            for with in [from, to] {
                let vain = turned_in_vain(&world, with);
                assert_eq!(vain, None, "{from:?} -> {to:?} at {at}, turned by {with:?}");
            }
            crossed += 1;
        }
    }
    println!("{crossed} crossings");
}

/// An apply makes what another one, with an older spec, has looked for in vain: the older one does
/// not forget its name.
#[test]
fn what_crossing_applies_leave_is_found_with_either_spec() {
    let (whole, choices) = (is_whole(), words(false));
    let mut crossed = 0;
    for (number, from, to) in pairs() {
        let (_, plan) = run(&from.built, to, Intent::Provision, &choices, Cut::Never);
        let sample = |at: &usize| whole || at % 12 == number % 12;
        for at in (0..plan.steps.len()).filter(|_| plan.can_apply()).filter(sample) {
            let world = Paused::at(at, from, to).crossed_by(from, to);
            for with in [from, to] {
                let left = without_protection(world.clone());
                let memory = Memory::new(left, 3, Cut::Never);
                let _ = memory.settle(with, Intent::Destroy, &words(false));
                let left = ours(&memory.world(), with);
                assert!(left.is_empty(), "{from:?} -> {to:?} at {at}, {with:?}: {left:?}");
            }
            crossed += 1;
        }
    }
    println!("{crossed} crossings, each taken down with either spec");
}

/// A window that was opened after the plan was made is noticed before the switch leaves it.
#[test]
fn a_move_meets_the_window_that_was_opened_since() {
    let choices = words(false);
    let mut met = 0;
    for (_, from, to) in pairs() {
        let memory = Memory::new(from.built.clone(), 3, Cut::Never);
        let (live, plan) = memory.plan(to, Intent::Provision, &choices);
        let leaves = plan.steps.iter().any(|step| {
            matches!(&step.op, Op::Page(page::Op::Put(page::Put { leaves: Some(left), object, .. }))
                if object.bucket == from.stack.bucket && left.key == from.stack.names.keys.on)
        });
        if !(leaves && plan.can_apply()) {
            continue;
        }
        let window = Memory::new(with_a_window(from.built.clone(), from), 3, Cut::Never);
        let before = shown(&window.world());
        let outcome = window.carry_out(to, &live, &plan);
        assert!(!outcome.failed.is_empty(), "{from:?} -> {to:?}");
        let after = shown(&window.world());
        for (slot, shows) in before {
            assert_eq!(after.get(&slot), Some(&shows), "{from:?} -> {to:?}: {slot}");
        }
        met += 1;
    }
    assert!(met > 10, "{met}");
}

/// Until something looks at the switch, nobody can turn it.
#[test]
fn a_first_apply_cut_short_has_no_switch() {
    for to in GROUNDS.iter() {
        let (_, plan) = run(&before(), to, Intent::Provision, &words(false), Cut::Never);
        for at in 0..plan.steps.len() {
            let cut = if at % 2 == 0 { Cut::Killed(at) } else { Cut::ReplyLost(at) };
            let (memory, _) = run(&before(), to, Intent::Provision, &words(false), cut);
            assert_eq!(turned_in_vain(&memory.world(), to), None, "{to:?} {cut:?}");
        }
    }
}

/// What is reported after a run is what a look finds, whatever the run has taken down.
#[test]
fn nothing_is_known_of_a_distribution_that_has_gone() {
    let (from, to) = (&GROUNDS[0], &GROUNDS[1]);
    let memory = Memory::new(from.built.clone(), 0, Cut::Never);
    let (live, plan) = memory.plan(to, Intent::Provision, &words(true));
    let outcome = memory.carry_out(to, &live, &plan);
    let told = Existing::after(&plan, &to.stack, &live, &outcome).unwrap();
    assert_eq!(told.distribution.as_deref(), Some(ATTACHED));
    assert_eq!(
        apply::references(&memory.plan(to, Intent::Provision, &words(true)).0)
            .distribution
            .map(|id| id.to_string()),
        told.distribution
    );
}

#[test]
fn the_stacks_own_distribution_is_not_attached_to() {
    let owned = &GROUNDS[0];
    let own =
        |found: &&Distribution| distribution::owner::is_ours(&found.live, &owned.stack.names.stack);
    let id = owned.built.distributions.values().find(own).unwrap().live.id.clone();
    let text = format!("stack: shop\ndistribution: {{id: {id}, behaviors: [default]}}");
    let named = Ground::read_only("own id named", &text, owned.built.clone());
    let memory = Memory::new(owned.built.clone(), 0, Cut::Never);
    let (_, plan) = memory.plan(&named, Intent::Provision, &words(true));
    assert!(
        plan.conflicts.iter().any(|conflict| conflict.reason.contains("this stack's own")),
        "{plan:#?}"
    );
    let (live, plan) = memory.plan(&named, Intent::Destroy, &words(true));
    assert!(plan.can_apply(), "{plan:#?}");
    let outcome = memory.carry_out(&named, &live, &plan);
    assert!(outcome.failed.is_empty(), "{outcome:#?}");
}

#[test]
fn a_distribution_of_another_stack_is_not_attached_to() {
    let text = "stack: shop\ndistribution: {id: E9OTHER0000, behaviors: [default]}";
    let named = Ground::read_only("another stack's", text, before());
    let (_, plan) =
        Memory::new(before(), 0, Cut::Never).plan(&named, Intent::Provision, &words(true));
    assert!(
        plan.conflicts.iter().any(|conflict| conflict.reason.contains("stack `shop-2`")),
        "{plan:#?}"
    );
}
