//! `provision status`.

use super::Exit;
use super::session::Session;
use super::words::{Words, choices};
use crate::commands::global::Global;
use crate::spec::load::Files;
use clap::Args;

/// Show what exists, and whether it is as the spec says
#[derive(Debug, Args)]
pub struct Status {}

/// Runs the verb.
pub async fn run(global: &Global, _: &Status) -> Exit {
    match try_run(global).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(global: &Global) -> Result<Exit, Exit> {
    let session = Session::open(global, Files::Needed).await?;
    let picture =
        session.provision(&choices(&session.spec, &Words::default(), false, false)).await?;
    session.view.status(&picture.plan, &picture.stack, &picture.live, &session.flags);
    Ok(Exit::Done)
}
