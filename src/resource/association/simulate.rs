//! What the ops do to a distribution of another owner.

use super::Op;
use crate::change::{Fault, FaultKind};
use crate::resource::distribution::{Live, simulate::guard};

/// Returns the distribution after `op`; `arn` is our version's.
///
/// # Errors
/// What CloudFront would refuse.
pub(crate) fn simulate(live: Live, op: &Op, arn: &str, serial: u64) -> Result<Live, Fault> {
    let Op::Turn { etag, .. } = op else { return Ok(live) };
    guard(&live, etag)?;
    let document = live
        .document
        .edit(&op.edits(arn))
        .map_err(|why| Fault::new(FaultKind::Refused, "update the distribution", why))?;
    Ok(Live { document, etag: format!("ETAG{serial}"), deployed: false, ..live })
}
