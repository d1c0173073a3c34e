//! What the role reaches while a stack moves, and what may not move while a window is open.

use super::slots::{self, Next, Slot};
use super::tagged::Thing;
use super::usage::ends_function;
use super::{Choices, Plan, Stage};
use crate::change::{Address, Conflict, Kind};
use crate::desired::Desired;
use crate::name::BucketName;
use crate::resource::function::Page;
use crate::resource::role::{self, Reach};
use crate::resource::site;
use crate::stack::{Clues, Live, Op, Stack};
use std::collections::BTreeSet;

/// The pages that visitors may get: those at which running versions look.
pub(super) struct Watched {
    pub(super) now: BTreeSet<Page>,
    /// After the plan, from versions of an earlier spec.
    pub(super) after: BTreeSet<Page>,
}

impl Watched {
    /// By the slots that run a function of ours, and those of them that the plan leaves so.
    pub(super) fn of(stack: &Stack, live: &Live, running: &[Slot], staying: &[&Slot]) -> Self {
        let unknown = known(stack, live).pages;
        let after = slots::pages(staying.iter().copied(), &unknown);
        Self { now: slots::pages(running, &unknown), after }
    }
}

/// What the policies of the stack's roles name.
fn known(stack: &Stack, live: &Live) -> Reach {
    let (name, account) = (&stack.names.stack, &stack.account);
    let ours = live.role.as_ref().filter(|live| role::plan::is_ours(live, name));
    let roles = ours.into_iter().chain(live.former.roles.values());
    let reach = roles.map(|live| Reach::of(live.settings.policy.as_ref(), account));
    reach.fold(Reach::default(), Reach::with)
}

/// The role reaches what the versions in all slots need, before and after the plan, and names what
/// an earlier spec named, so that it is found again. In the end it is narrowed to what is left.
pub(super) fn role(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    running: &[Slot],
    watched: &Watched,
) {
    let account = &stack.account;
    let wanted = Reach::of(desired.role.policy.as_ref(), account);
    let known = known(stack, live);
    let doubtful = doubtful(stack, live);
    let unknown = (&known.pages, &doubtful.pages);
    plan.conflicts.extend(windows(plan, stack, live, running, &wanted.pages, unknown));
    let ends = |bucket: &BucketName| plan.deletes(Thing::Bucket(bucket));
    let remembered = |bucket: &BucketName| -> Vec<Page> {
        let named = known.pages.iter().filter(|(known, _)| known == bucket);
        let named: Vec<Page> = named.cloned().collect();
        if named.is_empty() { vec![(bucket.clone(), stack.names.keys.on.clone())] } else { named }
    };
    let former = live.former.buckets.keys();
    let told = |kind| choices.delete.contains(&kind);
    // What is not there may be about to be made by another run, and what cannot be told to be the
    // stack's, or may not be looked at, is found again by this policy. It forgets what this plan
    // ends, and, where an apply is told to delete such things, what is gone.
    let here = |bucket: &BucketName| *bucket == stack.bucket;
    let stays = |bucket: &BucketName| !here(bucket) && !told(Kind::Bucket) && !ends(bucket);
    let unseen_pages = known.pages.union(&doubtful.pages).filter(|(bucket, _)| stays(bucket));
    let unseen_functions = known.functions.union(&doubtful.functions);
    let unseen_functions =
        unseen_functions.filter(|name| !told(Kind::Function) && !ends_function(plan, name));
    let left = Reach {
        pages: former
            .clone()
            .filter(|bucket| !ends(bucket))
            .flat_map(remembered)
            .chain(watched.after.iter().cloned())
            .chain(unseen_pages.cloned())
            .collect(),
        functions: live
            .former
            .functions
            .keys()
            .filter(|name| !ends_function(plan, name))
            .chain(unseen_functions)
            .cloned()
            .collect(),
    };
    let end = wanted.with(left);
    let leaving = Reach {
        pages: former.flat_map(remembered).chain(watched.now.iter().cloned()).collect(),
        functions: live.former.functions.keys().cloned().collect(),
    };
    let now = end.clone().with(leaving);
    let settings = role::Settings { policy: Some(now.policy(account)), ..desired.role.clone() };
    let (stack_name, name) = (&stack.names.stack, &stack.names.role);
    let adopt = choices.adopt.contains(&Kind::Role);
    let planned = role::plan::plan(stack_name, name, &settings, live.role.as_ref(), adopt);
    plan.take(Stage::Role, planned, |op| Op::Role(name.clone(), op));
    if now != end {
        let before = Some(now.policy(account));
        let narrow = role::Op::PutPolicy { before, after: end.policy(account) };
        plan.add(Stage::Narrow, [Op::Role(name.clone(), narrow)]);
    }
}

/// What may have been the stack's, by whichever trail it was found.
fn doubtful(stack: &Stack, live: &Live) -> Reach {
    let refused = live.former.refused.iter().map(|(id, _)| id);
    let disputed = live.former.disputed.iter().map(|(id, _)| id);
    let mut clues = Clues::default();
    refused.chain(disputed).for_each(|id| clues.of_id(id));
    let page = |bucket| (bucket, stack.names.keys.on.clone());
    Reach { pages: clues.buckets.into_iter().map(page).collect(), functions: clues.functions }
}

/// A slot that the plan turns would leave an open window, or come into one: its visitors would get
/// the site, or the page, without anybody having said so. `unknown` is what a slot may look for that
/// does not say it, `doubtful` what may have been the stack's.
fn windows(
    plan: &Plan,
    stack: &Stack,
    live: &Live,
    running: &[Slot],
    wanted: &BTreeSet<Page>,
    (unknown, doubtful): (&BTreeSet<Page>, &BTreeSet<Page>),
) -> Option<Conflict> {
    // Once the switch has moved, a window where only slots look that stay could not be ended.
    let moves = plan.steps.iter().any(|step| step.stage == Stage::Switch);
    let leaves = |slot: &&Slot| moves || slot.next(plan) != Next::Same;
    let left = slots::pages(running.iter().filter(leaves), unknown);
    let objects = |bucket: &BucketName| -> Option<&site::Live> {
        if *bucket == stack.bucket {
            Some(&live.objects)
        } else {
            Some(&live.former.buckets.get(bucket)?.objects)
        }
    };
    let lies = |(bucket, key): &&Page| {
        objects(bucket).is_some_and(|objects| objects.objects.contains_key(key))
    };
    if let Some((bucket, key)) = left.difference(wanted).find(lies) {
        return Some(Conflict {
            address: Address::new(Kind::Page, key),
            reason: format!(
                "a maintenance window is under this key in bucket {bucket}, and the switch would \
                no longer be there: visitors would get the site, or nobody could end it"
            ),
            hint: "end the window first: `provision maintenance off` with the spec that was \
                applied last (after an apply of that spec, where a move was cut short)"
                .into(),
        });
    }
    let is_in_doubt = |bucket: &BucketName| {
        objects(bucket).is_none() && doubtful.iter().any(|(other, _)| other == bucket)
    };
    if let Some((bucket, key)) = left.difference(wanted).find(|(bucket, _)| is_in_doubt(bucket)) {
        return Some(Conflict {
            address: Address::new(Kind::Page, key),
            reason: format!(
                "whether a maintenance window is under this key in bucket {bucket} is not known, \
                and the switch would no longer be there"
            ),
            hint: "put that bucket's tag back, or get the right to look at it, and plan again"
                .into(),
        });
    }
    let is_filled = |slot: &&Slot| slot.next(plan) == Next::Another;
    let filled = slots::pages(running.iter().filter(is_filled), unknown);
    let comes = filled.difference(wanted).next().is_some();
    let (bucket, key) = wanted.difference(&filled).find(lies).filter(|_| comes)?;
    Some(Conflict {
        address: Address::new(Kind::Page, key),
        reason: format!(
            "a maintenance window is under this key in bucket {bucket}; visitors who get the \
            site now would get the page"
        ),
        hint: "end that window first, or delete its object".into(),
    })
}
