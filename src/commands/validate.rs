//! `provision validate`.

use crate::session::failure::Failure;
use crate::session::global::Global;
use crate::session::{self, Exit};
use crate::spec::keys;
use crate::spec::load::Files;
use clap::Args;

/// Check the spec without asking AWS
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Print the JSON Schema of a spec, for editors, and check nothing
    #[arg(long)]
    pub schema: bool,
}

/// Runs the verb.
///
/// # Errors
/// The spec has problems.
pub(crate) fn run(global: &Global, verb: &Validate) -> Result<Exit, Failure> {
    let view = global.view();
    if verb.schema {
        view.schema(&keys::schema());
        return Ok(Exit::Done);
    }
    let spec = session::spec(global, view, Files::Needed)?;
    view.valid(&spec);
    Ok(Exit::Done)
}
