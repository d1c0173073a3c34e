//! `provision maintenance off`.

use crate::commands::Exit;
use crate::commands::global::Global;
use crate::commands::session::Session;
use crate::resource::page::turn::Wanted;
use crate::spec::load::Files;
use crate::stack::Live;
use crate::{desired, plan};
use clap::Args;
use std::time::Duration;

/// Show visitors the site again
#[derive(Debug, Args)]
pub struct Off {}

/// Runs the verb.
///
/// # Errors
/// The exit code, after the reason was shown.
pub async fn run(global: &Global, _: &Off) -> Result<Exit, Exit> {
    let session = Session::open(global, Files::Spared).await?;
    let (stack, _, sides) = session.switch().await?;
    // Needed only where the standard page lies nowhere any more.
    let standard = desired::page(&session.spec).unwrap_or_else(|_| desired::page_of(desired::BUILTIN_PAGE));
    let plan = plan::turn(&stack, &Wanted::Off { standard }, &sides);
    session.view.plan(&plan);
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    let (outcome, exit) = session.carry_out(&plan, &stack, &Live::default(), Duration::ZERO).await;
    session.view.outcome(&plan, &stack, &Live::default(), &outcome, &session.flags);
    Ok(exit)
}
