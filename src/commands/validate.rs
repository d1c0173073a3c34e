//! `provision validate`.

use super::{Exit, session};
use crate::commands::global::Global;
use crate::spec::load::Files;
use crate::view::View;
use clap::Args;

/// Check the spec without asking AWS
#[derive(Debug, Args)]
pub struct Validate {}

/// Runs the verb.
#[must_use]
pub fn run(global: &Global, _: &Validate) -> Exit {
    let view = View::new(global.json);
    match session::spec(global, view, Files::Needed) {
        Ok(spec) => {
            view.valid(&spec);
            Exit::Done
        }
        Err(exit) => exit,
    }
}
