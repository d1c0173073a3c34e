//! `provision maintenance on | off | status`: the switch, and nothing but the switch.

use crate::session::Exit;
use crate::session::failure::Failure;
use crate::session::global::Global;
use clap::{Args, Subcommand};

pub(crate) mod look;
pub(crate) mod off;
pub(crate) mod on;
pub(crate) mod probe;
mod reach;
pub mod status;
pub(crate) mod turn;

/// Turn the maintenance window on or off, or look at it
#[derive(Debug, Args)]
#[command(after_help = "\
The page stays under its own key; `on` puts a copy under the on key, `off` deletes that. An \
identity that
may do nothing else is enough (`provision policy --for toggle`). Visitors notice within the spec's \
`maintenance.cache`.

Examples:
  provision maintenance on
  provision maintenance on --for 45m --bypass
  provision maintenance status --probe
  provision maintenance off")]
pub struct Maintenance {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    On(on::On),
    Off(off::Off),
    Status(status::Status),
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub async fn run(global: &Global, verb: &Maintenance) -> Result<Exit, Failure> {
    match &verb.verb {
        Verb::On(verb) => on::run(global, verb).await,
        Verb::Off(verb) => off::run(global, verb).await,
        Verb::Status(verb) => status::run(global, verb).await,
    }
}
