//! `provision maintenance off`.

use super::look::look;
use super::turn::turn;
use crate::desired;
use crate::resource::page::turn::Wanted;
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::failure::Failure;
use crate::session::global::Global;
use clap::Args;

/// Show visitors the site again
#[derive(Debug, Args)]
pub(crate) struct Off {}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, _: &Off) -> Result<Exit, Failure> {
    let session = Session::open_switch(global).await?;
    let deadline = Deadline::new(session.place.watch());
    let (stack, _, sides) = look(&session, &deadline).await?;
    let wanted = Wanted::Off { standard: desired::standard_page(&session.spec) };
    Ok(turn(&session, &deadline, &stack, &wanted, sides, async {}).await)
}
