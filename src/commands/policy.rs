//! `provision policy`.

use crate::permissions::{self, Purpose};
use crate::session::Exit;
use crate::session::Session;
use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::spec::load::Files;
use clap::Args;

/// Print the IAM policy that running `provision` takes, for this spec
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  provision policy --for apply > operator.json\n  provision policy \
        --for toggle"
)]
pub(crate) struct Policy {
    /// What it shall allow
    #[arg(long = "for", value_enum, value_name = "PURPOSE")]
    pub purpose: Purpose,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &Policy) -> Result<Exit, Failure> {
    let session = Session::open(global, Files::Spared).await?;
    let stack = session.place.stack(&session.target()).await?;
    let boundary = session.spec.role.permissions_boundary.as_deref();
    session.place.view.policy(&permissions::policy(&stack, boundary, verb.purpose));
    Ok(Exit::Done)
}
