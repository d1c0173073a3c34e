//! The plan: what has to happen, in which order, and why it may not.
//!
//! Pure. `(stack, desired, live) → Plan`; everything that is decided is decided here.

use crate::change::{Conflict, Kind, Notice};
use crate::name::{AccountId, StackName};
use crate::resource::{Planned, bucket, distribution, function, page, role};
use crate::spec::Protected;
use crate::stack::{Op, Stack};
use serde::Serialize;
use std::collections::BTreeSet;

mod destroy;
mod former;
mod objects;
mod protect;
mod provision;
mod reach;
mod slots;
mod stage;
mod tagged;
mod teardown;
mod usage;

pub use destroy::destroy;
pub use protect::protected;
pub use provision::provision;
pub use stage::Stage;
use tagged::Thing;

/// What the command wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Make it so.
    Provision,
    /// Take it down.
    Destroy,
    /// Visitors see the page.
    On,
    /// Visitors see the site.
    Off,
}

/// What the user chose on the command line or by `protect:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Kinds that may be taken over.
    pub adopt: BTreeSet<Kind>,
    /// Kinds of which an apply may delete what the spec no longer asks for.
    pub delete: BTreeSet<Kind>,
    /// Objects that we did not put may be deleted with the bucket.
    pub delete_data: bool,
    /// Wait until a changed distribution is deployed.
    pub wait: bool,
    /// What a destroy leaves alone.
    pub protect: BTreeSet<Protected>,
}

/// One op in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    pub stage: Stage,
    pub op: Op,
}

/// What has to happen.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub stack: StackName,
    pub account: AccountId,
    /// What the command wants.
    pub intent: Intent,
    /// Sorted by stage, which is also the order in which people read it.
    pub steps: Vec<Step>,
    /// Why it may not be carried out.
    pub conflicts: Vec<Conflict>,
    pub notices: Vec<Notice>,
}

impl Plan {
    pub(crate) fn new(stack: &Stack, intent: Intent) -> Self {
        Self {
            stack: stack.names.stack.clone(),
            account: stack.account.clone(),
            intent,
            steps: Vec::new(),
            conflicts: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Does it write anything, or only wait?
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| !step.op.is_wait())
    }

    /// May it be carried out?
    #[must_use]
    pub fn can_apply(&self) -> bool {
        self.conflicts.is_empty()
    }

    /// Does it delete this thing?
    fn deletes(&self, thing: Thing<'_>) -> bool {
        self.steps.iter().any(|step| match (&step.op, thing) {
            (Op::Bucket(name, bucket::Op::Delete), Thing::Bucket(it)) => name == it,
            (Op::Role(name, role::Op::Delete), Thing::Role(it)) => name == it,
            (Op::Function(name, function::Op::Delete), Thing::Function(it)) => name == it,
            (Op::Distribution(distribution::Op::Delete { id, .. }), Thing::Distribution(it)) => {
                id == it
            }
            _ => false,
        })
    }

    pub(super) fn add(&mut self, stage: Stage, ops: impl IntoIterator<Item = Op>) {
        self.steps.extend(ops.into_iter().map(|op| Step { stage, op }));
    }

    pub(super) fn take<O>(&mut self, stage: Stage, planned: Planned<O>, wrap: impl Fn(O) -> Op) {
        self.add(stage, planned.ops.into_iter().map(wrap));
        self.conflicts.extend(planned.conflicts);
        self.notices.extend(planned.notices);
    }

    pub(super) fn sorted(mut self) -> Self {
        self.steps.sort_by_key(|step| step.stage);
        self.conflicts.sort_by_key(|conflict| conflict.address.kind);
        self.notices.sort_by_key(|notice| notice.address.kind);
        self
    }
}

/// Plans the turn of the switch. Writes under the on key, and under the page's own key where the
/// page is not there.
pub fn turn(stack: &Stack, wanted: &page::turn::Wanted, sides: &page::Sides) -> Plan {
    let intent = match wanted {
        page::turn::Wanted::On(_) => Intent::On,
        page::turn::Wanted::Off { .. } => Intent::Off,
    };
    let mut plan = Plan::new(stack, intent);
    let planned =
        page::turn::plan(&stack.names.stack, &stack.bucket, &stack.names.keys, wanted, sides);
    plan.take(Stage::Switch, planned, Op::Page);
    plan
}
