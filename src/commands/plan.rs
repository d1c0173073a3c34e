//! `provision plan`.

use crate::plan::Choices;
use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::saved::{self, Said};
use crate::session::words::{Words, choices};
use crate::spec::load::Files;
use clap::Args;
use std::path::PathBuf;

/// Show what would change; changes nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  provision plan\n  provision plan --destroy\n  provision plan --out \
        next.plan && provision apply next.plan --yes\n  provision plan --destroy --out end.plan && \
        provision destroy end.plan --yes"
)]
pub(crate) struct PlanVerb {
    /// Plan the destruction instead
    #[arg(long, conflicts_with_all = ["adopt", "delete"])]
    pub destroy: bool,
    /// Save the plan, for `apply FILE` (or `destroy FILE`); replaces only a saved plan
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    words: Words,
    /// With --destroy: delete objects and policies that `provision` did not put, too
    #[arg(long, requires = "destroy")]
    pub delete_data: bool,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &PlanVerb) -> Result<Exit, Failure> {
    let files = if verb.destroy { Files::Spared } else { Files::Needed };
    let session = Session::open(global, files).await?;
    let choices = Choices { delete_data: verb.delete_data, ..choices(&session.spec, &verb.words) };
    let picture = if verb.destroy {
        session.destroy(&choices).await?
    } else {
        session.provision(&choices).await?
    };
    session.place.view.plan(&picture.plan);
    if let Some(file) = verb.out.as_ref().filter(|_| picture.plan.can_apply()) {
        let said =
            Said { destroy: verb.destroy, words: &verb.words, delete_data: verb.delete_data };
        saved::save(&session, file, &picture.plan, said)?;
    }
    Ok(if !picture.plan.can_apply() {
        Exit::Refused
    } else if verb.detailed_exitcode && picture.plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Done
    })
}
