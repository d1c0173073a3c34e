//! `provision apply`.

use crate::plan::Choices;
use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::place::Picture;
use crate::session::run::{Consent, Run};
use crate::session::saved::{self, Said};
use crate::session::words::{Words, choices};
use crate::spec::load::Files;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Make everything as the spec says
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  provision apply\n  provision apply --yes --wait none\n  provision \
        apply next.plan --yes"
)]
pub(crate) struct Apply {
    /// A plan that `provision plan --out` saved: carry out exactly that, or nothing
    #[arg(value_name = "PLANFILE")]
    pub plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// What to wait for
    #[arg(long, value_enum, default_value_t = Wait::Deployed)]
    pub wait: Wait,
    #[command(flatten)]
    words: Words,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Nothing that takes minutes.
    None,
    /// The change has reached every edge.
    Deployed,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &Apply) -> Result<Exit, Failure> {
    let said = Said { destroy: false, words: &verb.words, delete_data: false };
    let saved = saved::read(verb.plan.as_deref(), said, &global.again())?;
    let session = Session::open(global, Files::Needed).await?;
    saved.as_ref().map_or(Ok(()), |saved| saved.is_for(&session))?;
    let wait = verb.wait == Wait::Deployed;
    let choices = Choices { wait, ..choices(&session.spec, &verb.words) };
    let picture = session.provision(&choices).await?;
    saved.map_or(Ok(()), |saved| saved.is_still(&picture.plan))?;
    let place = &session.place;
    let Picture { stack, live, plan } = &picture;
    match place.run(&picture, Consent::ToChange.unless(verb.yes), Duration::ZERO).await? {
        Run::Refused => Ok(Exit::Refused),
        Run::Unchanged => {
            place.view.unchanged(stack, live, &place.flags);
            Ok(Exit::Done)
        }
        Run::Ended(outcome, exit) => {
            place.view.outcome((plan, stack, live), &outcome, (&place.flags, &said.joined()));
            Ok(exit)
        }
    }
}
