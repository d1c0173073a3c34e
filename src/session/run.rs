//! From a plan to its outcome, for every verb that changes a stack: it is shown, agreed to, and
//! carried out.

use super::confirm;
use super::exit::Exit;
use super::failure::{Failure, Reason};
use super::place::{Picture, Place};
use super::times;
use crate::apply::Outcome;
use crate::name::StackName;
use jiff::Zoned;
use std::time::Duration;

/// Who agrees to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The command line did (`--yes`).
    Given,
    /// The person at the terminal, with a yes.
    ToChange,
    /// The person at the terminal, with the stack's name: it goes.
    ToEnd,
}

impl Consent {
    /// `self`, unless the command line gives it.
    #[must_use]
    pub(crate) fn unless(self, yes: bool) -> Self {
        if yes { Self::Given } else { self }
    }
}

/// What became of a plan.
pub(crate) enum Run {
    /// It has conflicts.
    Refused,
    /// There was nothing to do.
    Unchanged,
    Ended(Box<Outcome>, Exit),
}

impl Place {
    /// Shows the plan, asks for consent where it changes something, and carries it out.
    ///
    /// # Errors
    /// [`Failure::Refused`] or [`Failure::Interrupted`].
    pub(crate) async fn run(
        &self,
        picture: &Picture,
        consent: Consent,
        patience: Duration,
    ) -> Result<Run, Failure> {
        let Picture { stack, live, plan } = picture;
        self.view.plan(plan);
        if !plan.can_apply() {
            return Ok(Run::Refused);
        }
        if plan.is_empty() {
            return Ok(Run::Unchanged);
        }
        if plan.has_changes() {
            self.agree(&plan.stack, consent).await?;
        }
        self.warn_of_credentials(patience).await;
        let (outcome, exit) = self.carry_out(plan, stack, live, patience).await;
        Ok(Run::Ended(Box::new(outcome), exit))
    }

    async fn agree(&self, stack: &StackName, consent: Consent) -> Result<(), Failure> {
        match consent {
            Consent::Given => Ok(()),
            Consent::ToChange => {
                let answers = ["y", "Y", "yes", "Yes", "YES"];
                self.confirm(stack, "Carry out this plan? [y/N]", &answers).await
            }
            Consent::ToEnd => {
                let question =
                    format!("This cannot be undone. Type the stack's name (`{stack}`) to go on:");
                self.confirm(stack, &question, &[stack.as_str()]).await
            }
        }
    }

    async fn confirm(
        &self,
        stack: &StackName,
        question: &str,
        answers: &[&str],
    ) -> Result<(), Failure> {
        if !confirm::has_terminal() {
            let hint = "add `--yes` to carry the plan out without asking";
            return Err(Failure::Refused(confirm::no_terminal().hinted(hint)));
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            is_confirmed = confirm::ask(question, answers) => {
                if is_confirmed {
                    return Ok(());
                }
                let what = format!("not confirmed; nothing was changed in stack `{stack}`");
                Err(Failure::Refused(Reason::new(what)))
            }
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Failure::Interrupted(Some(stack.clone()))),
        }
    }

    /// A run that waits may outlast the credentials.
    async fn warn_of_credentials(&self, patience: Duration) {
        let Some(end) = self.credentials_end_within(patience).await else { return };
        let end = times::shown(&times::stored(end), &Zoned::now());
        self.view.warning(
            &format!("the credentials end at {end}, perhaps before the replicas do"),
            "unless they renew themselves, the run then ends with exit code 3: sign in and run the \
                same command again",
        );
    }
}
