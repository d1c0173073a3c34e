//! What is ours and no longer in the spec: an apply names it, and ends it where the command line
//! says so (`--delete KIND`). What visitors may still use never ends in passing.

use super::slots::{Next, Slot, running_named};
use super::tagged::{Tagged, Thing, tagged};
use super::teardown::{
    end_access, end_bucket, end_distribution, end_function, end_role, leave_slots,
};
use super::usage::{reader_of_bucket, user_of_role};
use super::{Choices, Plan, Stage, protected};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::desired::Desired;
use crate::name::{FunctionName, RoleName};
use crate::resource::tags::Difference;
use crate::resource::{access, association, function};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};
use std::collections::{BTreeMap, BTreeSet};

/// Names what is no longer in the spec, and plans the end of what may go. Returns the slots that
/// still run a function of ours after that, as before: what these versions need has to stay.
pub(super) fn former<'a>(
    plan: &mut Plan,
    stack: &Stack,
    desired: &Desired,
    live: &Live,
    choices: &Choices,
    running: &'a [Slot],
) -> Vec<&'a Slot> {
    plan.notices.extend(live.former.left_alone());
    plan.notices.extend(forgotten(stack, live));
    disputed(plan, live, choices);
    let end = End { stack, desired, live, choices, kept: protected(stack, live, choices) };
    end.distribution(plan);
    end.slots(plan);
    end.other_events(plan);
    let staying: Vec<&Slot> = running.iter().filter(|slot| slot.next(plan) == Next::Same).collect();
    end.functions(plan, &staying);
    end.buckets(plan, &staying);
    end.roles(plan, &staying);
    end.versions(plan);
    end.other_switches(plan, &staying);
    staying
}

/// The names of earlier specs are lost, and nobody could look for them in the whole account.
pub(super) fn forgotten(stack: &Stack, live: &Live) -> Option<Notice> {
    let is_lost = live.has_lost_its_memory(stack) && stack.names.also.is_empty();
    let name = &stack.names.stack;
    is_lost.then(|| Notice {
        address: Address::new(Kind::Role, &stack.names.role),
        text: format!(
            "has lost the policy by which buckets and functions of earlier specs are found; \
            `provision sweep --stack {name}` finds what is left of them"
        ),
    })
}

/// What is not surely the stack's any more may need what the command line says is to be deleted.
fn disputed(plan: &mut Plan, live: &Live, choices: &Choices) {
    let disputed = live.former.disputes();
    if choices.delete.iter().any(|kind| !matches!(kind, Kind::Site | Kind::Association)) {
        plan.conflicts.extend(disputed);
        return;
    }
    plan.notices.extend(disputed.map(|conflict| {
        let reason = format!("was named by an earlier spec; {}", conflict.reason);
        Notice::from(Conflict { reason, ..conflict })
    }));
}

/// What an earlier spec named carries the tags of this one, so that `protect` and `ttl` mean all of
/// the stack.
pub(super) fn tags(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live) {
    let is_left = |one: &Tagged<'_>| {
        one.is_former
            || one.protected() == Protected::Distribution && desired.distribution.is_none()
    };
    let all = tagged(stack, live).into_iter().filter(is_left);
    let staying = all.filter(|one| !plan.deletes(one.thing));
    let sets = staying.filter_map(|one| {
        let tags = Difference::between(one.tags, &desired.role.tags);
        (!tags.is_empty()).then(|| one.set(stack, tags))
    });
    let sets: Vec<Op> = sets.collect();
    plan.add(Stage::Narrow, sets);
}

struct End<'a> {
    stack: &'a Stack,
    desired: &'a Desired,
    live: &'a Live,
    choices: &'a Choices,
    kept: BTreeMap<Protected, &'static str>,
}

impl End<'_> {
    /// Why this stays, if it does.
    fn stays(&self, protected: Protected, kind: Kind) -> Option<String> {
        if let Some(why) = self.kept.get(&protected) {
            return Some((*why).to_owned());
        }
        let kind = if kind == Kind::Logs { Kind::Function } else { kind };
        let told = self.choices.delete.contains(&kind);
        (!told).then(|| format!("`provision apply --delete {kind}` deletes it"))
    }

    fn distribution(&self, plan: &mut Plan) {
        let Self { stack, desired, live, choices, .. } = self;
        if desired.distribution.is_some() {
            return;
        }
        let told = choices.delete.contains(&Kind::Distribution);
        if let Some(own) = &live.distribution {
            let address = Address::new(Kind::Distribution, &own.id);
            let serves =
                if own.document.read().enabled { ", and goes on serving visitors" } else { "" };
            match self.stays(Protected::Distribution, Kind::Distribution) {
                Some(why) => plan.notices.push(left(address, serves, &why)),
                None => end_distribution(plan, stack, live),
            }
        } else if told {
            end_access(plan, &stack.names.stack, live);
        } else if let Some(control) =
            live.access.as_ref().filter(|live| access::plan::is_ours(live, &stack.names.stack))
        {
            let text =
                "is ours and nothing uses it; `provision apply --delete distribution` deletes it"
                    .into();
            plan.notices.push(Notice { address: Address::new(Kind::Access, &control.name), text });
        }
    }

    /// Slots of distributions that the spec does not name (any more).
    fn slots(&self, plan: &mut Plan) {
        let Self { stack, live, choices, .. } = self;
        let functions = live.functions(stack);
        for held in &live.holders {
            if choices.delete.contains(&Kind::Association) {
                leave_slots(plan, stack, live, held);
            } else {
                plan.notices.extend(association::plan::unnamed(held, &functions, &BTreeSet::new()));
            }
        }
    }

    /// Slots whose visitors this spec's switch does not reach.
    fn other_switches(&self, plan: &mut Plan, staying: &[&Slot]) {
        let own = (&self.stack.bucket, &self.stack.names.keys.on);
        for slot in staying {
            let Some((bucket, key)) = &slot.page else { continue };
            if (bucket, key) != own {
                plan.notices.push(Notice {
                    address: Address::new(Kind::Association, &slot.distribution),
                    text: format!(
                        "{} looks for the page under {key} in bucket {bucket}: the switch of this \
                        spec does not reach its visitors",
                        slot.show()
                    ),
                });
            }
        }
    }

    /// Slots of other events, where another user put a function of ours.
    fn other_events(&self, plan: &mut Plan) {
        let functions = self.live.functions(self.stack);
        let all = self.live.distributions();
        let held = all.flat_map(|found| association::plan::held(found, &functions));
        plan.notices
            .extend(held.map(|Conflict { address, reason, .. }| Notice { address, text: reason }));
    }

    fn functions(&self, plan: &mut Plan, staying: &[&Slot]) {
        for (name, (function, groups)) in &self.live.former.functions {
            let address =
                Address::new(if function.is_some() { Kind::Function } else { Kind::Logs }, name);
            if let Some(why) = self.stays(Protected::Function, address.kind) {
                plan.notices.push(left(address, "", &why));
                continue;
            }
            let arn = |slot: &&&Slot| {
                FunctionName::from_arn(&slot.arn, &self.stack.account).as_ref() == Some(name)
            };
            match staying.iter().find(arn) {
                Some(slot) => plan.conflicts.push(Conflict {
                    address,
                    reason: format!("is still run by {}", slot.show()),
                    hint: self.way_out(slot),
                }),
                None => {
                    let groups = (!self.kept.contains_key(&Protected::Logs)).then_some(groups);
                    let since = self.live.since(&self.stack.names.stack);
                    end_function(plan, self.stack, name, function.as_ref(), groups, since);
                }
            }
        }
    }

    fn buckets(&self, plan: &mut Plan, staying: &[&Slot]) {
        for (name, found) in &self.live.former.buckets {
            let address = Address::new(Kind::Bucket, name);
            if let Some(why) = self.stays(Protected::Bucket, address.kind) {
                plan.notices.push(left(address, "", &why));
                continue;
            }
            let looks_here =
                |slot: &&&Slot| slot.page.as_ref().is_none_or(|(bucket, _)| bucket == name);
            if let Some(slot) = staying.iter().find(looks_here) {
                plan.conflicts.push(Conflict {
                    address,
                    reason: format!("may hold the page of the version that {} runs", slot.show()),
                    hint: self.way_out(slot),
                });
                continue;
            }
            let reader = reader_of_bucket(plan, Some(self.desired), self.live, name);
            end_bucket(plan, name, found, reader, self.choices);
        }
    }

    /// What empties the slot.
    fn way_out(&self, slot: &Slot) -> String {
        let own = self.live.distribution.as_ref().map(|own| &own.id);
        if own == Some(&slot.distribution) {
            "add `--delete distribution`, which ends the one that the spec does not name".into()
        } else {
            "add `--delete association`, which empties the slots that the spec does not name".into()
        }
    }

    fn roles(&self, plan: &mut Plan, staying: &[&Slot]) {
        for (name, role) in &self.live.former.roles {
            let address = Address::new(Kind::Role, name);
            if let Some(why) = self.stays(Protected::Role, address.kind) {
                plan.notices.push(left(address, "", &why));
                continue;
            }
            match user_of_role(plan, self.stack, self.live, name, staying) {
                Some(user) => plan.conflicts.push(Conflict {
                    address,
                    reason: format!("is still the role of {user}"),
                    hint: "what uses it has to go first or with it: add `--delete function`, \
                        `--delete association` or `--delete distribution`"
                        .into(),
                }),
                None => end_role(plan, self.stack, name, Some(role), self.choices),
            }
        }
    }

    /// Superseded versions, and those whose role goes; never one that a slot runs, also while the
    /// function is not ours yet.
    fn versions(&self, plan: &mut Plan) {
        let Self { stack, desired, live, .. } = self;
        let reference = stack.any_version();
        let running = running_named(stack, live);
        let staying = running.iter().filter(|slot| slot.next(plan) == Next::Same);
        let in_use = staying.filter_map(|slot| reference.number_in(&slot.arn)).collect();
        let loses = |frozen: &function::Frozen| {
            RoleName::from_arn(&frozen.role, &stack.account)
                .is_some_and(|role| plan.deletes(Thing::Role(&role)))
        };
        let prune =
            function::plan::prune(&desired.function, live.function.as_ref(), &in_use, loses);
        let prune = prune.into_iter().map(|op| Op::Function(stack.names.function.clone(), op));
        plan.add(Stage::Prune, prune);
    }
}

fn left(address: Address, what: &str, why: &str) -> Notice {
    Notice { address, text: format!("is ours and no longer in the spec{what}; {why}") }
}
