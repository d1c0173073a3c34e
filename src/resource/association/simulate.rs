//! What the ops do to a distribution of another owner.

use super::Op;
use crate::change::Fault;
use crate::resource::distribution::{Live, simulate::update};

/// Returns the distribution after `op`; `arn` is our version's.
///
/// # Errors
/// What [`update`] refuses.
pub(crate) fn simulate(live: Live, op: &Op, arn: &str, serial: u64) -> Result<Live, Fault> {
    let Op::Turn { etag, document, .. } = op else { return Ok(live) };
    update(live, (etag, document), &op.edits(arn), serial)
}
