//! Which slots run a function of ours, and which pages these versions look at: what visitors get
//! now, whatever the spec says.

use super::Plan;
use super::tagged::Thing;
use crate::name::DistributionId;
use crate::resource::association;
use crate::resource::distribution::{self, Behavior, document::EVENT};
use crate::resource::function::Page;
use crate::stack::{Live, Op, Stack};
use std::collections::BTreeSet;

/// A slot that runs a function of ours.
pub(super) struct Slot {
    pub(super) distribution: DistributionId,
    pub(super) behavior: Behavior,
    pub(super) event: String,
    pub(super) arn: String,
    /// Where its version looks, if that tells.
    pub(super) page: Option<Page>,
}

/// What the plan makes of a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It runs the same version.
    Same,
    /// It runs another one of ours.
    Another,
    /// It is emptied, or ends with its distribution.
    Nothing,
}

impl Slot {
    pub(super) fn show(&self) -> String {
        let behavior = association::show_behavior(&self.behavior);
        format!("{behavior} of distribution {}", self.distribution)
    }

    /// What becomes of it.
    pub(super) fn next(&self, plan: &Plan) -> Next {
        if plan.deletes(Thing::Distribution(&self.distribution)) {
            return Next::Nothing;
        }
        // We turn slots of this event alone.
        let turned = plan.steps.iter().filter(|_| self.event == EVENT);
        let mut turned = turned.filter_map(|step| match &step.op {
            Op::Association(id, association::Op::Turn { slots, .. })
                if *id == self.distribution =>
            {
                let turn = slots.get(&self.behavior)?;
                Some(if turn.fill { Next::Another } else { Next::Nothing })
            }
            Op::Distribution(distribution::Op::Update { id, slot: Some(_), .. }) => {
                let here = *id == self.distribution && self.behavior == Behavior::Default;
                here.then_some(Next::Another)
            }
            _ => None,
        });
        turned.next_back().unwrap_or(Next::Same)
    }
}

/// All slots that run a function of ours.
pub(super) fn running(stack: &Stack, live: &Live) -> Vec<Slot> {
    let functions = live.functions(stack);
    slots(stack, live, |arn| functions.run(arn))
}

/// All slots that run the function which the spec names, whoever owns it.
pub(super) fn running_named(stack: &Stack, live: &Live) -> Vec<Slot> {
    let named = stack.any_version();
    slots(stack, live, |arn| named.names(arn))
}

fn slots(stack: &Stack, live: &Live, runs: impl Fn(&str) -> bool) -> Vec<Slot> {
    let functions = live.functions(stack);
    let mut running = Vec::new();
    for found in live.distributions() {
        for (behavior, reading) in found.document.read().behaviors {
            let held = reading.functions.into_iter().filter(|(_, arn)| runs(arn));
            running.extend(held.map(|(event, arn)| Slot {
                distribution: found.id.clone(),
                behavior: behavior.clone(),
                event,
                page: functions.version(&arn).and_then(|version| version.frozen.page()),
                arn,
            }));
        }
    }
    running
}

/// The pages at which the versions in these slots look. Of a version that does not tell, `unknown`.
pub(super) fn pages<'a>(
    slots: impl IntoIterator<Item = &'a Slot>,
    unknown: &BTreeSet<Page>,
) -> BTreeSet<Page> {
    let mut pages = BTreeSet::new();
    for slot in slots {
        match &slot.page {
            Some(page) => drop(pages.insert(page.clone())),
            None => pages.extend(unknown.iter().cloned()),
        }
    }
    pages
}
