//! Why a command ended without what it was asked for: a value, which `cli` shows once and turns
//! into the exit code.

use super::exit::Exit;
use crate::change::Fault;
use crate::name::StackName;
use crate::spec::problem::Problems;
use crate::view::View;
use crate::view::switch::SwitchStatus;

/// Why.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for what cannot be, as far as clap cannot tell.
    Usage(Reason),
    Spec(Problems),
    /// It is not done: a guard, a saved plan, or no confirmation.
    Refused(Reason),
    /// It could not be done on this machine.
    Local(Reason),
    /// AWS refused a call, or did not answer.
    Fault(Fault),
    /// AWS did not let us look at the switch, so nobody knows what visitors get.
    Unlooked(Fault),
    /// The user stopped it before anything was written, of this stack where there may be others.
    Interrupted(Option<StackName>),
}

/// What is wrong, and the way out.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// A lower-case fragment.
    pub what: String,
    /// What to do, if there is anything to do.
    pub hint: Option<String>,
}

impl Reason {
    /// A reason without a way out of its own.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// The same with a way out.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Spec(_) => Exit::Spec,
            Self::Refused(_) => Exit::Refused,
            Self::Local(_) | Self::Fault(_) | Self::Unlooked(_) => Exit::Failed,
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }

    pub fn show(&self, view: View) {
        match self {
            Self::Usage(reason) | Self::Refused(reason) | Self::Local(reason) => {
                view.error(&reason.what, reason.hint.as_deref());
            }
            Self::Spec(problems) => view.problems(problems),
            Self::Fault(fault) => view.fault(fault),
            Self::Unlooked(fault) => {
                view.fault(fault);
                let headline = "not known what visitors see: nobody could look, and nothing was \
                    changed";
                let headline = headline.to_owned();
                view.switch(&SwitchStatus { headline, ..SwitchStatus::default() });
            }
            Self::Interrupted(stack) => {
                let stack = stack.as_ref().map(|stack| format!(" in stack `{stack}`"));
                let what = format!("stopped; nothing was changed{}", stack.unwrap_or_default());
                view.error(&what, None);
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
