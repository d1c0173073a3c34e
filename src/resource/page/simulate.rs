//! What guards a move of the switch, besides what guards every object.

use super::Left;
use crate::change::{Fault, FaultKind};

/// Is the on key that the switch leaves as it was seen?
///
/// # Errors
/// [`MovedOn`](FaultKind::MovedOn) where a turn came in between.
pub(crate) fn guard_left(left: &Left, found: Option<&str>) -> Result<(), Fault> {
    if found == left.etag.as_deref() {
        return Ok(());
    }
    let tried = format!("move the switch away from {}", left.key);
    let fault = Fault::new(FaultKind::MovedOn, tried, "the switch was turned in the meantime");
    Err(fault.hinted(
        "end the window with `provision maintenance off` and the spec that was applied last; then \
        run the same command again",
    ))
}
