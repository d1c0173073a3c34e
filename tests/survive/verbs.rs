//! The commands that have to survive, and what is there before them.

use crate::support::Rules;

pub(crate) struct Verb {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    /// In a distribution of another owner?
    pub(crate) attached: bool,
    /// What ran before.
    pub(crate) history: &'static [Past],
    pub(crate) rules: fn() -> Rules,
}

pub(crate) enum Past {
    Run(&'static str),
    Write(&'static str, &'static str),
}

const APPLIED: Past = Past::Run("apply --yes");
const ON: Past = Past::Run("maintenance on --for 45m");
const CHANGED: Past = Past::Write("edge.py", "def handler(event, context):\n    return None\n");

/// Whoever does not wait is found out.
fn slow() -> Rules {
    // What an earlier, cut run made a moment ago is found again by a look, not by being remembered.
    Rules { deploy_polls: 4, replica_tries: 0, new_tries: 0, ..Rules::aws() }
}

fn stubborn() -> Rules {
    Rules { replica_tries: 2, ..slow() }
}

const VERB: Verb =
    Verb { name: "", arguments: "apply --yes", attached: false, history: &[], rules: slow };

pub(crate) const APPLY: Verb = Verb { name: "apply, owned", ..VERB };
pub(crate) const APPLY_ATTACHED: Verb = Verb { name: "apply, attached", attached: true, ..VERB };
pub(crate) const CHANGE: Verb =
    Verb { name: "change, owned", history: &[APPLIED, CHANGED], ..VERB };
pub(crate) const CHANGE_ATTACHED: Verb =
    Verb { name: "change, attached", attached: true, ..CHANGE };
pub(crate) const TURN_ON: Verb = Verb {
    name: "maintenance on",
    arguments: "maintenance on --for 45m",
    history: &[APPLIED],
    ..VERB
};
pub(crate) const TURN_OFF: Verb =
    Verb { name: "maintenance off", arguments: "maintenance off", history: &[APPLIED, ON], ..VERB };
pub(crate) const DESTROY: Verb =
    Verb { name: "destroy, owned", arguments: "destroy --yes", history: &[APPLIED, ON], ..VERB };
pub(crate) const DESTROY_ATTACHED: Verb =
    Verb { name: "destroy, attached", attached: true, ..DESTROY };
pub(crate) const DESTROY_PENDING: Verb =
    Verb { name: "destroy, replicas stay", rules: stubborn, ..DESTROY };
