//! What is in the bucket: the site, the page, and the index of both.

use super::reach::Watched;
use super::tagged::Thing;
use super::{Choices, Plan, Stage};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::desired::Desired;
use crate::name::{BucketName, ObjectKey};
use crate::resource::function::Page;
use crate::resource::page::window;
use crate::resource::site::index::{MOVING, Served};
use crate::resource::site::plan::{Claim, Writes};
use crate::resource::{association, bucket, distribution, invalidation, page, site};
use crate::stack::{Live, Op, Stack};
use std::collections::BTreeSet;

/// Plans the objects.
pub(super) fn objects(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    watched: &Watched,
) {
    let (keys, Watched { now: watched, after: lingering }) = (&stack.names.keys, watched);
    let here = watched.iter().filter(|(bucket, _)| *bucket == stack.bucket).map(|(_, key)| key);
    let planner = site::plan::Planner {
        stack: &stack.names.stack,
        bucket: &stack.bucket,
        page_keys: here.chain([&keys.off, &keys.on]).collect(),
        adopt: choices.adopt.contains(&Kind::Site),
        delete: choices.delete.contains(&Kind::Site),
    };
    let before = live.former.buckets.values().map(|found| &found.objects);
    let site = planner.plan(&desired.site, &live.objects, before);
    plan.conflicts.extend(site.conflicts);
    let deletes = site.ops.iter().any(|op| matches!(op, site::Op::Delete { .. }));
    plan.conflicts.extend(deserts(plan, stack, desired, live).filter(|_| deletes));
    invalidate(plan, stack, desired, live, choices, &site.ops);
    plan.notices.extend(site.notices);
    plan.notices.extend(desired.unled.notice(&stack.bucket));
    for op in site.ops {
        let stage = match &op {
            site::Op::Delete { .. } => Stage::Leftovers,
            put if site::plan::is_document(put) => Stage::Documents,
            site::Op::Put(_) => Stage::Files,
        };
        plan.add(stage, [Op::Site(op)]);
    }
    page(plan, stack, desired, live, choices, watched);
    if watched.iter().any(|page| *page != (stack.bucket.clone(), keys.on.clone())) {
        let left = elsewhere(plan, stack, desired, live, lingering);
        // What goes afterwards goes as it was put.
        let put = |bucket: &BucketName, key: &ObjectKey| {
            left.iter().find_map(|op| match op {
                page::Op::Put(page::Put { object, .. })
                    if object.bucket == *bucket && object.key == *key =>
                {
                    Some(object.content.md5.clone())
                }
                _ => None,
            })
        };
        for step in &mut plan.steps {
            match &mut step.op {
                Op::Site(site::Op::Delete { bucket, key, before }) => {
                    *before = put(bucket, key).unwrap_or_else(|| before.clone());
                }
                Op::Bucket(name, bucket::Op::Empty(bucket::Empty { versions, .. })) => {
                    for version in versions.iter_mut().filter(|version| version.etag.is_some()) {
                        version.etag = put(name, &version.key).or(version.etag.take());
                    }
                }
                _ => {}
            }
        }
        plan.add(Stage::Moves, left.into_iter().map(Op::Page));
    }
    plan.conflicts.extend(opens(plan, stack, watched));
    let told = Served::of(&desired.page.content).with_switch(&keys.on);
    let puts = plan.steps.iter().any(|step| match &step.op {
        Op::Site(site::Op::Put(_)) => true,
        Op::Page(page::Op::Put(page::Put { object, .. })) => {
            object.bucket == stack.bucket && object.key == keys.off
        }
        _ => false,
    });
    let own = (&keys.off, &desired.page.content, told);
    let writes = Writes {
        puts,
        drops: plan.steps.iter().any(|step| step.stage == Stage::InvalidateGone),
        turns: plan.steps.iter().any(|step| step.stage == Stage::InvalidateMoved),
    };
    let indexing = planner.index(&desired.site, own, writes, &live.objects);
    plan.add(Stage::Warning, indexing.warning.map(Op::Site));
    plan.take(Stage::Index, indexing.index, Op::Site);
    plan.add(Stage::Settled, indexing.settled.map(Op::Site));
}

/// Does our distribution change so that edges hold answers that it would not give any more?
fn turns(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| match &step.op {
        Op::Distribution(op) => op.outdates_copies(),
        _ => false,
    })
}

/// Edges may hold copies of what is put or goes. A new distribution has none. Of one that read
/// another bucket or gave other answers, and where no index tells what visitors got, they may hold
/// anything.
fn invalidate(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    ops: &[site::Op],
) {
    let Some(own) = &live.distribution else { return };
    let reads = live.readers.contains(&(stack.bucket.clone(), own.id.clone()));
    let stays =
        desired.distribution.is_some() || reads && !plan.deletes(Thing::Distribution(&own.id));
    if !stays {
        return;
    }
    let index = live.objects.index.as_ref();
    let wanted = desired.distribution.as_ref().map(|wanted| &wanted.settings.default_root_object);
    let planner = invalidation::plan::Planner {
        distribution: &own.id,
        root: wanted.map(String::as_str).unwrap_or_default(),
        seen: index.map(|found| found.etag.as_str()).unwrap_or_default(),
        until_completed: choices.wait,
    };
    let op = Op::Invalidation;
    let knows = index.is_some_and(|found| found.ours.is_some());
    let old = invalidation::plan::stale(ops, &desired.site, &live.objects);
    // Nobody knows the paths any more that an earlier run did not come to.
    let lingers = live.objects.lingers();
    let turns = turns(plan) || lingers && old.gone.is_empty();
    if !reads || turns || !knows && !own.deployed {
        plan.add(Stage::InvalidateMoved, [op(planner.everything())]);
    } else if !knows {
        plan.add(Stage::Invalidate, [op(planner.everything())]);
    }
    if !reads {
        return;
    }
    if knows && !turns {
        plan.add(Stage::Invalidate, planner.of(&old.changed).map(op));
    }
    let gone = if lingers && !old.gone.is_empty() {
        Some(planner.everything_gone(&old.gone))
    } else {
        planner.of(&old.gone)
    };
    plan.add(Stage::InvalidateGone, gone.map(op));
}

/// Our distribution, which the spec gives up and which goes on serving visitors, would have nothing
/// left to serve.
fn deserts(plan: &Plan, stack: &Stack, desired: &Desired, live: &Live) -> Option<Conflict> {
    let own = live.distribution.as_ref().filter(|_| desired.distribution.is_none())?;
    let reads = live.readers.contains(&(stack.bucket.clone(), own.id.clone()));
    let serves =
        reads && own.document.read().enabled && !plan.deletes(Thing::Distribution(&own.id));
    (serves && desired.site.files.is_empty()).then(|| Conflict {
        address: Address::new(Kind::Site, &stack.bucket),
        reason: format!(
            "distribution {}, which the spec does not name any more, goes on serving these objects",
            own.id
        ),
        hint: "add `--delete distribution`, which ends it first, or keep `bucket.site`".into(),
    })
}

/// Something is to be put where a version looks that visitors get now: they would get the page.
fn opens(plan: &Plan, stack: &Stack, watched: &BTreeSet<Page>) -> Option<Conflict> {
    let put = |op: &Op| match op {
        Op::Site(site::Op::Put(object)) => Some((object.bucket.clone(), object.key.clone())),
        Op::Page(page::Op::Put(page::Put { object, .. })) if object.key != stack.names.keys.on => {
            Some((object.bucket.clone(), object.key.clone()))
        }
        _ => None,
    };
    let (_, key) =
        plan.steps.iter().filter_map(|step| put(&step.op)).find(|at| watched.contains(at))?;
    Some(Conflict {
        address: Address::new(Kind::Page, &key),
        reason: "the function that is deployed now looks for the page under this key: with an \
            object there, visitors would get it"
            .into(),
        hint: "choose another name for it; once the function looks elsewhere, this one is free"
            .into(),
    })
}

/// The page tells which key the function looks at. It does so once every edge has that function,
/// and tells nothing in between: a turn of either switch could be in vain then.
fn page(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    watched: &BTreeSet<Page>,
) {
    let (name, keys, content) = (&stack.names.stack, &stack.names.keys, &desired.page.content);
    let told = Served::of(content).with_switch(&keys.on);
    let own = site::plan::claim(&live.objects, &keys.off, &content.md5, &told);
    let opens = !watched.contains(&(stack.bucket.clone(), keys.on.clone()));
    let live_page = page::Live { own: own.clone(), on: live.shown.clone(), opens };
    let adopt = choices.adopt.contains(&Kind::Page);
    let planned = page::plan::plan(name, &stack.bucket, keys, &desired.page, &live_page, adopt);
    let tells = |switch: &str| {
        matches!(&own, Claim::Put { before: Some(_), served: Some(served) }
            if served.switch == switch)
    };
    let mut distributions = live.distribution.iter().chain(&live.attached);
    let is_deployed = distributions.all(|found| found.deployed);
    if let Some(telling) = planned.own {
        let creates = |op: &Op| matches!(op, Op::Distribution(distribution::Op::Create { .. }));
        if !opens && (is_deployed || tells(keys.on.as_str())) {
            plan.add(Stage::Page, [Op::Page(telling)]);
        } else if plan.steps.iter().any(|step| creates(&step.op)) && watched.is_empty() {
            plan.add(Stage::FirstPage, [Op::Page(telling)]);
        } else if watched.is_empty() {
            plan.add(Stage::Switch, [Op::Page(telling)]);
        } else {
            let leaves = match &own {
                Claim::Put { served: Some(served), .. } => leaves(served, &live.objects),
                _ => None,
            };
            plan.add(Stage::Moves, [Op::Page(telling.while_it_moves(leaves))]);
            plan.add(Stage::Switch, [Op::Page(telling.after_it_moved())]);
        }
    }
    plan.take(Stage::Page, planned.window, Op::Page);
    if let Some(on) = live.shown.as_ref().filter(|_| !opens && fills(plan)) {
        let state = window::judge(Some(&on.metadata), on.seen);
        if state.lasts() {
            plan.notices.push(Notice {
                address: Address::new(Kind::Page, &keys.on),
                text: "is an open or a scheduled window: the visitors of the new slots get the \
                    page as the window says, once this is deployed"
                    .into(),
            });
        }
    }
}

/// Does the plan fill a slot that is empty now?
fn fills(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| match &step.op {
        Op::Association(_, association::Op::Turn { slots, .. }) => {
            slots.values().any(|turn| turn.fill && turn.before.is_none())
        }
        Op::Distribution(distribution::Op::Update { slot: Some(slot), .. }) => {
            slot.before.is_none() && slot.after.is_some()
        }
        Op::Distribution(distribution::Op::Create { .. }) => true,
        _ => false,
    })
}

/// The on key of which a page tells, and what was seen there.
fn leaves(served: &Served, objects: &site::Live) -> Option<page::Left> {
    if served.switch == MOVING {
        return None;
    }
    let key: ObjectKey = served.switch.parse().ok()?;
    let etag = objects.objects.get(&key).map(|object| object.etag.clone());
    Some(page::Left { key, etag })
}

/// The pages of earlier specs tell that the switch leaves them, before the function does. Those
/// that tell it already tell it again where another switch moves: the run that began it may still
/// be under way.
fn elsewhere(
    plan: &Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    lingering: &BTreeSet<Page>,
) -> Vec<page::Op> {
    let moving = ObjectKey::listed(MOVING.to_owned());
    let lingers = |bucket: &BucketName| lingering.iter().any(|(at, _)| at == bucket);
    let former = live.former.buckets.iter().filter(|(bucket, _)| !lingers(bucket));
    let former = former.map(|(bucket, found)| (bucket, &found.objects));
    let moves = plan.steps.iter().any(|step| step.stage == Stage::Switch);
    let mut ops = Vec::new();
    for (bucket, found) in [(&stack.bucket, &live.objects)].into_iter().chain(former) {
        let is_of_the_spec = |key: &ObjectKey| {
            *bucket == stack.bucket
                && (*key == stack.names.keys.off || desired.site.files.contains_key(key))
        };
        for (key, object) in found.objects.iter().filter(|(key, _)| !is_of_the_spec(key)) {
            let tells =
                |served: &&Served| !served.switch.is_empty() && (moves || served.switch != MOVING);
            let Some(served) = found.ours(key).filter(tells) else { continue };
            let keys = page::Keys { off: key.clone(), on: moving.clone() };
            let (before, told) = (Some(object.etag.clone()), Some(served.clone()));
            let name = &stack.names.stack;
            let put = page::plan::put(name, bucket, &keys, &desired.page, before, told);
            ops.push(put.while_it_moves(leaves(served, found)));
        }
    }
    ops
}
