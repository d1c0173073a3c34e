//! `provision validate`.

use super::failure::Failure;
use super::{Exit, session};
use crate::commands::global::Global;
use crate::spec::load::Files;
use crate::view::View;
use clap::Args;

/// Check the spec without asking AWS
#[derive(Debug, Args)]
pub struct Validate {}

/// Runs the verb.
///
/// # Errors
/// The spec has problems.
pub fn run(global: &Global, _: &Validate) -> Result<Exit, Failure> {
    let view = View::new(global.json);
    let spec = session::spec(global, view, Files::Needed)?;
    view.valid(&spec);
    Ok(Exit::Done)
}
