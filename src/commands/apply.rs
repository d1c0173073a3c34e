//! `provision apply`.

use super::session::{Picture, Session, Words, choices};
use super::{Exit, saved as plans};
use crate::commands::global::Global;
use crate::spec::load::Files;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Make everything as the spec says
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  provision apply\n  provision apply --yes --wait none\n  provision apply next.plan --yes")]
pub struct Apply {
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
pub enum Wait {
    /// Nothing that takes minutes.
    None,
    /// The change has reached every edge.
    Deployed,
}

/// Runs the verb.
pub async fn run(global: &Global, verb: &Apply) -> Exit {
    match try_run(global, verb).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(global: &Global, verb: &Apply) -> Result<Exit, Exit> {
    let (session, picture) = match &verb.plan {
        Some(file) => saved(global, file).await?,
        None => {
            let session = Session::open(global, Files::Needed).await?;
            let picture = session.provision(&choices(&session.spec, &verb.words, false, verb.wait == Wait::Deployed)).await?;
            (session, picture)
        }
    };
    session.view.plan(&picture.plan);
    if !picture.plan.can_apply() {
        return Ok(Exit::Refused);
    }
    if picture.plan.is_empty() {
        session.view.unchanged(&picture.stack, &picture.live, &session.flags);
        return Ok(Exit::Done);
    }
    session.confirm(verb.yes || !picture.plan.has_changes(), "Carry out this plan? [y/N]", "y").await?;
    let (outcome, exit) = session.carry_out(&picture.plan, &picture.stack, &picture.live, Duration::ZERO).await;
    session.view.outcome(&picture.plan, &picture.stack, &picture.live, &outcome, &session.flags);
    Ok(exit)
}

/// A saved plan is carried out only if the very same plan would be made now: whatever it was made from that has moved on since
/// (an ETag, a revision, a file, the spec) makes a difference. Nothing in the file is ever executed.
async fn saved(global: &Global, file: &std::path::Path) -> Result<(Session, Picture), Exit> {
    let view = crate::view::View::new(global.json);
    let saved = plans::read(view, file)?;
    let files = if saved.destroy { Files::Spared } else { Files::Needed };
    let session = Session::open(global, files).await?;
    plans::same_stack(&session, file, &saved)?;
    let choices = choices(&session.spec, &saved.words(), saved.delete_data, true);
    let picture = if saved.destroy { session.destroy(&choices).await? } else { session.provision(&choices).await? };
    plans::same_plan(session.view, file, &saved, &picture.plan)?;
    Ok((session, picture))
}
