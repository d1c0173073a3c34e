//! What the ops do to the bucket's objects.

use super::{Left, Op};
use crate::change::{Fault, FaultKind};
use crate::name::ObjectKey;
use crate::resource::site::{Object, simulate::guard};
use std::collections::BTreeMap;

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

/// Returns the objects after `op`.
///
/// # Errors
/// [`MovedOn`](FaultKind::MovedOn) where a guard does not hold.
pub(crate) fn simulate(
    mut objects: BTreeMap<ObjectKey, Object>,
    op: &Op,
) -> Result<BTreeMap<ObjectKey, Object>, Fault> {
    match op {
        Op::Put { key, content, before, leaves, .. } => {
            if let Some(left) = leaves {
                guard_left(left, objects.get(&left.key).map(|found| found.etag.as_str()))?;
            }
            guard(&objects, key, before.as_deref())?;
            objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
        }
        Op::Remove { key, before, .. } => {
            if objects.contains_key(key) {
                guard(&objects, key, Some(before))?;
                objects.remove(key);
            }
        }
    }
    Ok(objects)
}
