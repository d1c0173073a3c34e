//! What an invalidation does: no setting of the distribution becomes another one.

use super::Op;
use crate::change::{Fault, FaultKind};
use crate::resource::distribution;

/// Drops cached copies, of which no observation tells.
///
/// # Errors
/// There is no such distribution.
pub(crate) fn simulate(live: Option<&distribution::Live>, op: &Op) -> Result<(), Fault> {
    let absent = || {
        let tried = format!("invalidate paths of distribution {}", op.distribution);
        Fault::new(FaultKind::NotFound, tried, "the specified distribution does not exist")
    };
    live.map(|_| ()).ok_or_else(absent)
}
