//! `provision destroy`.

use crate::plan::Choices;
use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::place::Picture;
use crate::session::run::{Consent, Run};
use crate::session::saved::{self, Said};
use crate::session::words::{Words, choices};
use crate::spec::duration;
use crate::spec::load::Files;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Take everything down that is ours
#[derive(Debug, Args)]
#[command(after_help = "\
CloudFront keeps replicas of an edge function for minutes to hours after its last use, and AWS \
lets nobody delete it before.
Then the rest is gone, the exit code is 3, and running the same command later finishes.
`provision explain destroy` says more.

Examples:
  provision destroy
  provision destroy --yes --wait 2h
  provision destroy end.plan --yes")]
pub(crate) struct Destroy {
    /// A plan that `provision plan --destroy --out` saved: carry out exactly that, or nothing
    #[arg(value_name = "PLANFILE")]
    pub plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for CloudFront to remove its replicas, such as 2h
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    #[arg(value_parser = duration::said)]
    pub wait: Duration,
    /// Delete objects in the bucket and policies in the role that `provision` did not put, too
    #[arg(long)]
    pub delete_data: bool,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &Destroy) -> Result<Exit, Failure> {
    let words = Words::default();
    let said = Said { destroy: true, words: &words, delete_data: verb.delete_data };
    let saved = saved::read(verb.plan.as_deref(), said, &global.again())?;
    let session = Session::open(global, Files::Spared).await?;
    saved.as_ref().map_or(Ok(()), |saved| saved.is_for(&session))?;
    let choices = Choices { delete_data: verb.delete_data, ..choices(&session.spec, &words) };
    let picture = session.destroy(&choices).await?;
    saved.map_or(Ok(()), |saved| saved.is_still(&picture.plan))?;
    let place = &session.place;
    let Picture { stack, live, plan } = &picture;
    match place.run(&picture, Consent::ToEnd.unless(verb.yes), verb.wait).await? {
        Run::Refused => Ok(Exit::Refused),
        Run::Unchanged => Ok(Exit::Done),
        Run::Ended(outcome, exit) => {
            place.view.outcome((plan, stack, live), &outcome, (&place.flags, &said.joined()));
            Ok(exit)
        }
    }
}
