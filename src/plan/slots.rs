//! Which slots run a function of ours, and which pages these versions look at: what visitors get
//! now, whatever the spec says.

use super::Plan;
use crate::name::DistributionId;
use crate::resource::distribution::{self, Behavior, document::EVENT};
use crate::resource::function::{Functions, Page};
use crate::resource::{association, distribution as own};
use crate::stack::{Live, Op, Stack};
use std::collections::BTreeSet;

/// A slot that runs a function of ours.
pub(super) struct Slot {
    pub(super) distribution: DistributionId,
    pub(super) behavior: Behavior,
    pub(super) event: String,
    pub(super) arn: String,
}

impl Slot {
    pub(super) fn show(&self) -> String {
        let behavior = association::show_behavior(&self.behavior);
        format!("{behavior} of distribution {}", self.distribution)
    }

    /// Does the plan leave it as it is?
    pub(super) fn stays(&self, plan: &Plan) -> bool {
        !plan.steps.iter().any(|step| match &step.op {
            Op::Association(association::Op::Turn { id, slots, .. }) => {
                *id == self.distribution
                    && self.event == EVENT
                    && slots.contains_key(&self.behavior)
            }
            Op::Distribution(own::Op::Update { id, occupant: Some(_), .. }) => {
                *id == self.distribution
                    && self.event == EVENT
                    && self.behavior == Behavior::Default
            }
            Op::Distribution(own::Op::Delete { id, .. }) => *id == self.distribution,
            _ => false,
        })
    }

    /// Does the plan put another version into it?
    pub(super) fn is_filled(&self, plan: &Plan) -> bool {
        let ends = |op: &Op| matches!(op, Op::Distribution(own::Op::Delete { id, .. }) if *id == self.distribution);
        let fills = |op: &Op| match op {
            Op::Association(association::Op::Turn { id, slots, .. }) => {
                *id == self.distribution && slots.get(&self.behavior).is_some_and(|turn| turn.fill)
            }
            _ => true,
        };
        !self.stays(plan)
            && !plan.steps.iter().any(|step| ends(&step.op))
            && plan.steps.iter().all(|step| {
                let about = |op: &Op| {
                    matches!(op, Op::Association(association::Op::Turn { id, .. })
                        if *id == self.distribution)
                };
                !about(&step.op) || fills(&step.op)
            })
    }
}

/// All slots that run a function of ours.
pub(super) fn running(stack: &Stack, live: &Live) -> Vec<Slot> {
    let functions = live.functions(stack);
    let all = live.distribution.iter().chain(&live.attached).chain(&live.holders);
    all.flat_map(slots_of).filter(|slot| functions.run(&slot.arn)).collect()
}

fn slots_of(found: &distribution::Live) -> Vec<Slot> {
    let behaviors = found.document.read().behaviors.into_iter();
    let slots = behaviors.flat_map(|(behavior, reading)| {
        reading.functions.into_iter().map(move |(event, arn)| (behavior.clone(), event, arn))
    });
    slots
        .map(|(behavior, event, arn)| Slot { distribution: found.id.clone(), behavior, event, arn })
        .collect()
}

/// Those that the plan neither turns nor ends.
pub(super) fn staying(plan: &Plan, stack: &Stack, live: &Live) -> Vec<Slot> {
    let mut slots = running(stack, live);
    slots.retain(|slot| slot.stays(plan));
    slots
}

/// The pages at which the versions in these slots look. Of a version that does not tell, `unknown`.
pub(super) fn pages(
    slots: &[Slot],
    functions: &Functions<'_>,
    unknown: &BTreeSet<Page>,
) -> BTreeSet<Page> {
    let mut pages = BTreeSet::new();
    for slot in slots {
        match functions.version(&slot.arn).and_then(|version| version.frozen.page()) {
            Some(page) => drop(pages.insert(page)),
            None => pages.extend(unknown.iter().cloned()),
        }
    }
    pages
}
