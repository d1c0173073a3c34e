//! `provision status`.

use crate::plan::Choices;
use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::words::{Words, choices};
use crate::spec::load::Files;
use clap::Args;

/// Show what exists, and whether it is as the spec says
#[derive(Debug, Args)]
pub(crate) struct Status {}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, _: &Status) -> Result<Exit, Failure> {
    let session = Session::open(global, Files::Needed).await?;
    let choices = Choices { wait: false, ..choices(&session.spec, &Words::default()) };
    let picture = session.provision(&choices).await?;
    session.place.view.status(&picture.plan, &picture.stack, &picture.live, &session.place.flags);
    Ok(Exit::Done)
}
