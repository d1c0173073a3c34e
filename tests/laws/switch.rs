//! The switch under many hands: the writes of two turns in every order, of three in random ones,
//! with every fault of one.
//!
//! A turn is a look, its writes, and a last look. Whoever is killed takes no further step; a late
//! write comes to pass when its sender is long gone; a reply that is lost makes the SDK send the
//! same write again.

use crate::ground::OWNED;
use provision::change::{Done, Fault as Refusal};
use provision::cloud::world::World;
use provision::context::{Context, References};
use provision::edge::ObjectHeaders;
use provision::name::ObjectKey;
use provision::resource::content::Content;
use provision::resource::page::turn::{self, Wanted, holds};
use provision::resource::page::window::{self, State};
use provision::resource::page::{self, Applied, Keys, Look, Metadata, Op, Side, Sides};
use provision::resource::site::index::Served;
use provision::resource::site::{Object, STACK_METADATA};
use provision::resource::{Planned, site};
use provision::stack::{Op as AnyOp, Scope, Stack};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

const NOW: u64 = 1_790_000_000;
const PAST: &str = "2026-01-01T00:00:00Z";
const FUTURE: &str = "2999-01-01T00:00:00Z";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    On,
    OnUntil,
    OnOnce,
    Off,
    /// Of a new page.
    Apply,
}
const TURNS: [Turn; 5] = [Turn::On, Turn::OnUntil, Turn::OnOnce, Turn::Off, Turn::Apply];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The first write is carried out, its reply is lost, and it is sent again some time later.
    Retried,
    /// Nobody waits for the first write any more; it still comes, some time later.
    Late,
    KilledBeforeWrite,
    KilledAfterWrite,
}
const FAULTS: [Fault; 5] =
    [Fault::None, Fault::Retried, Fault::Late, Fault::KilledBeforeWrite, Fault::KilledAfterWrite];

/// How the bucket is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Off,
    On,
    Over,
    Once,
    /// By hand.
    Renamed,
    Lost,
}
const BEGINS: [Begin; 6] =
    [Begin::Off, Begin::On, Begin::Over, Begin::Once, Begin::Renamed, Begin::Lost];

/// Whose write it is, and which of theirs. Sent twice, it is still the same.
type Written = (usize, usize);

/// A bucket, and which write put each object there.
#[derive(Clone)]
struct Bucket {
    world: World,
    bytes: BTreeMap<String, Vec<u8>>,
    written: BTreeMap<ObjectKey, Written>,
}

fn stack() -> &'static Stack {
    &OWNED.stack
}

fn keys() -> &'static Keys {
    &stack().names.keys
}

fn content(text: &str) -> Content {
    Content::in_memory(text.as_bytes(), ObjectHeaders::new("text/html", "no-store"))
}

impl Bucket {
    fn new(begin: Begin) -> Self {
        let mut world = World::empty(stack().account.clone(), OWNED.built.delays);
        world.buckets.insert(stack().bucket.clone(), OWNED.built.buckets[&stack().bucket].clone());
        let mut bucket = Self { world, bytes: BTreeMap::new(), written: BTreeMap::new() };
        let found = bucket.world.buckets.get_mut(&stack().bucket).unwrap();
        (found.objects, found.headers) = Default::default();
        let ours = [(STACK_METADATA, stack().names.stack.as_str())];
        if !matches!(begin, Begin::Renamed | Begin::Lost) {
            bucket.lay(&keys().off, &content("page"), &ours);
        }
        let shown = content("page");
        let marked = window::marked(&shown, &"e".repeat(32));
        match begin {
            Begin::Off | Begin::Lost => {}
            Begin::On => bucket.lay(
                &keys().on,
                &marked,
                &[&ours[..], &[(window::PAGE, &shown.md5)]].concat(),
            ),
            Begin::Over => bucket.lay(
                &keys().on,
                &marked,
                &[&ours[..], &[(window::PAGE, &shown.md5), (window::UNTIL, PAST)]].concat(),
            ),
            Begin::Once => {
                let other = content("other");
                let marked = window::marked(&other, &"e".repeat(32));
                bucket.lay(
                    &keys().on,
                    &marked,
                    &[&ours[..], &[(window::PAGE, &other.md5), (window::ONCE, "true")]].concat(),
                );
            }
            Begin::Renamed => bucket.lay(&keys().on, &shown, &[]),
        }
        bucket
    }

    fn lay(&mut self, key: &ObjectKey, content: &Content, metadata: &[(&str, &str)]) {
        let found = self.world.buckets.get_mut(&stack().bucket).unwrap();
        found.objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
        let mut metadata: Metadata = metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if !metadata.is_empty() {
            metadata.extend(site::mark(&stack().names.stack, key));
            let told = || keys().told();
            let window = || (window::WINDOW.to_owned(), "e".repeat(32));
            let more: Metadata =
                if *key == keys().off { told().collect() } else { [window()].into() };
            metadata.extend(more);
        }
        found.headers.entry(key.clone()).or_default().metadata = metadata;
        self.bytes.insert(content.md5.clone(), content.read().unwrap());
        self.written.insert(key.clone(), (0, 0));
    }

    fn look(&self, key: &ObjectKey) -> Look {
        self.world.look_at_page(stack(), key, |etag| Ok(self.bytes[etag].clone()), NOW).unwrap()
    }

    fn sides(&self) -> Sides {
        let (off, on) = (self.look(&keys().off), self.look(&keys().on));
        let applied = Applied::With(keys().off.clone(), keys().on.clone());
        Sides { off: off.side, on: on.side, seen: on.seen, applied: Some(applied) }
    }

    fn has(&self, key: &ObjectKey) -> bool {
        self.written.contains_key(key)
    }

    /// Carries out a write of a user who has seen what `seen` says. Gives what it breaks.
    fn write(
        &mut self,
        op: &Op,
        written: Written,
        seen: &BTreeMap<ObjectKey, Written>,
    ) -> (Result<Done, Refusal>, Option<String>) {
        let key = match op {
            Op::Put(put) => &put.object.key,
            Op::Remove { key, .. } => key,
        };
        if let Op::Put(put) = op {
            let content = &put.object.content;
            self.bytes.insert(content.md5.clone(), content.read().unwrap());
        }
        let had_page = self.has(&keys().off);
        let context = Context::new(
            References::default(),
            &|_, _| (),
            watch::channel(false).1,
            Duration::ZERO,
        );
        let done = self.world.apply(stack(), &AnyOp::Page(op.clone()), &context, NOW);
        let mut broken = None;
        if matches!(done, Ok(Done::Changed(_))) {
            if let Some(lost) = self
                .written
                .get(key)
                .filter(|lost| seen.get(key) != Some(lost) && lost.0 != written.0)
            {
                broken = Some(format!("{key} is lost, which write {lost:?} put there later"));
            }
            match op {
                Op::Put(_) => drop(self.written.insert(key.clone(), written)),
                Op::Remove { .. } => drop(self.written.remove(key)),
            }
        }
        if had_page && !self.has(&keys().off) {
            broken = Some("the page is gone".into());
        }
        (done, broken)
    }
}

/// A user at work.
#[derive(Clone)]
struct Person {
    turn: Turn,
    fault: Fault,
    name: usize,
    wanted: Option<Wanted>,
    seen: BTreeMap<ObjectKey, Written>,
    ops: Vec<Op>,
    next: usize,
    stage: Stage,
    failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Look,
    Write,
    /// The SDK sends the first write again.
    Again,
    Last,
    Gone,
}

impl Person {
    fn new(name: usize, turn: Turn, fault: Fault) -> Self {
        let window = |pairs: &[(&str, &str)], once| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let by = (window::BY.to_owned(), name.to_string());
            // What `getrandom` gives: no two of them are equal.
            let mark = format!("{name:032x}");
            let window = pairs.chain([by]).collect::<Metadata>();
            Some(Wanted::On(turn::On {
                window,
                without: Vec::new(),
                once,
                standard: Ok(content("page")),
                mark,
            }))
        };
        let wanted = match turn {
            Turn::On => window(&[], None),
            Turn::OnUntil => window(&[(window::UNTIL, FUTURE)], None),
            Turn::OnOnce => window(&[], Some(content("closed"))),
            Turn::Off => Some(Wanted::Off { standard: Ok(content("page")) }),
            Turn::Apply => None,
        };
        Self {
            turn,
            fault,
            name,
            wanted,
            seen: BTreeMap::new(),
            ops: Vec::new(),
            next: 0,
            stage: Stage::Look,
            failed: false,
        }
    }

    fn plan(&self, bucket: &Bucket) -> Planned<Op> {
        let (name, files) = (&stack().names.stack, site::Settings::default());
        match &self.wanted {
            Some(wanted) => turn::plan(name, &stack().bucket, keys(), wanted, &bucket.sides()),
            None => {
                let (_, live) = bucket.world.observe(&stack().names, &files, Scope::Stack, NOW);
                let page = content("new page");
                let own = site::plan::claim(
                    &live.objects,
                    &keys().off,
                    &page.md5,
                    &Served::of(&page).with_switch(&keys().on),
                );
                let live = page::Live { own, on: live.shown, opens: false };
                page::plan::plan(
                    name,
                    &stack().bucket,
                    keys(),
                    &page::Settings { content: page },
                    &live,
                    false,
                )
                .whole()
            }
        }
    }

    /// Takes the next step. Gives what it breaks.
    fn step(&mut self, bucket: &mut Bucket) -> Option<String> {
        match self.stage {
            Stage::Look => {
                let planned = self.plan(bucket);
                assert!(planned.conflicts.is_empty());
                (self.ops, self.seen) = (planned.ops, bucket.written.clone());
                self.stage = match self.fault {
                    Fault::KilledBeforeWrite => Stage::Gone,
                    _ if self.ops.is_empty() => Stage::Last,
                    _ => Stage::Write,
                };
                None
            }
            Stage::Write => {
                let (done, broken) =
                    bucket.write(&self.ops[self.next], (self.name, self.next), &self.seen);
                let is_first = self.next == 0;
                self.failed |= done.is_err();
                self.next += 1;
                self.stage = match self.fault {
                    Fault::Late | Fault::KilledAfterWrite if is_first => Stage::Gone,
                    Fault::Retried if is_first => {
                        self.next = 0;
                        Stage::Again
                    }
                    _ if self.failed || self.next == self.ops.len() => Stage::Last,
                    _ => Stage::Write,
                };
                broken
            }
            Stage::Again => {
                self.fault = Fault::None;
                self.failed = false;
                self.stage = Stage::Write;
                self.step(bucket)
            }
            Stage::Last => {
                self.stage = Stage::Gone;
                self.ends(bucket)
            }
            Stage::Gone => None,
        }
    }

    /// What it says at its end is so.
    fn ends(&self, bucket: &Bucket) -> Option<String> {
        let look = bucket.look(&keys().on);
        let Some(wanted) = &self.wanted else { return None };
        let done = holds(wanted, keys(), &self.ops.iter().collect::<Vec<_>>(), look.side.as_ref());
        let by = |side: &Side| side.metadata.get(window::BY).cloned();
        let mine = look
            .side
            .as_ref()
            .is_some_and(|side| self.ops.is_empty() || by(side) == Some(self.name.to_string()));
        let so = if self.turn == Turn::Off {
            look.side.is_none()
        } else {
            mine || !self.turns() && look.side.is_some()
        };
        (done != so).then(|| format!("{:?} says done: {done}, and so it is: {so}", self.turn))
    }

    /// Does it set a window, or only heal?
    fn turns(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Put(put) if put.object.key == keys().on))
    }
}

/// Whatever was left, the next turn alone does what it says, and the page is under its own key.
fn settles(bucket: &Bucket) -> Option<String> {
    for (turn, state) in
        [(Turn::On, State::On), (Turn::Off, State::Off), (Turn::Apply, bucket.sides().state())]
    {
        let mut bucket = bucket.clone();
        let mut person = Person::new(99, turn, Fault::None);
        while person.stage != Stage::Gone {
            if let Some(broken) = person.step(&mut bucket) {
                return Some(format!("afterwards: {broken}"));
            }
        }
        let there = bucket.has(&keys().off);
        if person.failed
            || !there
            || bucket.sides().state() != state
            || !person.plan(&bucket).ops.is_empty()
        {
            return Some(format!("afterwards {turn:?} does not settle it: {:?}", bucket.sides()));
        }
    }
    None
}

/// Every order of steps from here on; gives the number of orders.
fn every_order(bucket: &Bucket, people: &[Person], told: &mut Vec<String>) -> usize {
    let mut orders = 0;
    for (index, person) in
        people.iter().enumerate().filter(|(_, person)| person.stage != Stage::Gone)
    {
        let (mut bucket, mut people) = (bucket.clone(), people.to_vec());
        told.push(format!("{} ({:?}, {:?})", person.name, person.turn, person.fault));
        if let Some(broken) = people[index].step(&mut bucket) {
            panic!("{broken}; steps of {told:?}");
        }
        orders += every_order(&bucket, &people, told);
        told.pop();
    }
    if orders == 0 {
        if let Some(broken) = settles(bucket) {
            panic!("{broken}; after steps of {told:?}");
        }
        return 1;
    }
    orders
}

#[test]
fn no_order_of_two_turns_loses_anything() {
    let mut orders = 0;
    for begin in BEGINS {
        for (one, other) in TURNS.iter().flat_map(|one| TURNS.map(|other| (*one, other))) {
            for fault in FAULTS {
                let people = [Person::new(1, one, fault), Person::new(2, other, Fault::None)];
                orders +=
                    every_order(&Bucket::new(begin), &people, &mut vec![format!("{begin:?}")]);
            }
        }
    }
    println!("{orders} orders");
}

#[test]
fn no_order_of_three_turns_loses_anything() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let begin = *random.choice(&BEGINS).unwrap();
        let mut bucket = Bucket::new(begin);
        let mut people: Vec<Person> = (1..=3)
            .map(|name| {
                Person::new(name, *random.choice(&TURNS).unwrap(), *random.choice(&FAULTS).unwrap())
            })
            .collect();
        let mut told = vec![format!("{begin:?}")];
        while people.iter().any(|person| person.stage != Stage::Gone) {
            let person = random.choice(&mut people).unwrap();
            told.push(format!("{} ({:?}, {:?})", person.name, person.turn, person.fault));
            assert_eq!(person.step(&mut bucket), None, "steps of {told:?}");
        }
        assert_eq!(settles(&bucket), None, "after steps of {told:?}");
    }
}
