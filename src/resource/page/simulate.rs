//! What the ops do to the bucket's objects.

use super::Op;
use crate::change::Fault;
use crate::name::ObjectKey;
use crate::resource::site::{Object, simulate::guard};
use std::collections::BTreeMap;

/// Returns the objects after `op`.
///
/// # Errors
/// [`MovedOn`](crate::change::FaultKind::MovedOn) where a guard does not hold.
pub fn simulate(
    mut objects: BTreeMap<ObjectKey, Object>,
    op: &Op,
) -> Result<BTreeMap<ObjectKey, Object>, Fault> {
    match op {
        Op::Put { key, content, before, .. } => {
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
