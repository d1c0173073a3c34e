//! `provision apply`.

use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::saved::{self, Said};
use crate::session::words::{Words, choices, flags, joined};
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
    let choices = choices(&session.spec, &verb.words, false, verb.wait == Wait::Deployed);
    let picture = session.provision(&choices).await?;
    saved.map_or(Ok(()), |saved| saved.is_still(&picture.plan))?;
    session.place.view.plan(&picture.plan);
    if !picture.plan.can_apply() {
        return Ok(Exit::Refused);
    }
    if picture.plan.is_empty() {
        session.place.view.unchanged(&picture.stack, &picture.live, &session.place.flags);
        return Ok(Exit::Done);
    }
    if !verb.yes && picture.plan.has_changes() {
        let answers = ["y", "Y", "yes", "Yes", "YES"];
        let question = "Carry out this plan? [y/N]";
        session.place.confirm(&session.spec.stack, question, &answers).await?;
    }
    let (outcome, exit) =
        session.place.carry_out(&picture.plan, &picture.stack, &picture.live, Duration::ZERO).await;
    let words = joined(&flags(&verb.words, false));
    let (plan, stack, live) = (&picture.plan, &picture.stack, &picture.live);
    session.place.view.outcome((plan, stack, live), &outcome, (&session.place.flags, &words));
    Ok(exit)
}
