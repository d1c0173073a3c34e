//! What the ops do to the bucket's objects.

use super::{Object, Op};
use crate::change::{Fault, FaultKind};
use crate::name::ObjectKey;
use std::collections::BTreeMap;

/// Returns the objects after `op`.
///
/// # Errors
/// [`FaultKind::MovedOn`] where a guard does not hold.
pub(crate) fn simulate(
    mut objects: BTreeMap<ObjectKey, Object>,
    op: &Op,
) -> Result<BTreeMap<ObjectKey, Object>, Fault> {
    match op {
        Op::Put { key, content, before, .. } => {
            guard(&objects, key, before.as_deref())?;
            objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
        }
        Op::Delete { key, before, .. } => {
            if objects.contains_key(key) {
                guard(&objects, key, Some(before))?;
                objects.remove(key);
            }
        }
    }
    Ok(objects)
}

/// S3's conditional requests: the object is still as it was seen.
///
/// # Errors
/// [`FaultKind::MovedOn`].
pub(crate) fn guard(
    objects: &BTreeMap<ObjectKey, Object>,
    key: &ObjectKey,
    before: Option<&str>,
) -> Result<(), Fault> {
    if objects.get(key).map(|object| object.etag.as_str()) == before {
        return Ok(());
    }
    let mut fault = Fault::new(
        FaultKind::MovedOn,
        format!("write {key}"),
        "at least one of the pre-conditions you specified did not hold",
    );
    fault.code = Some("PreconditionFailed".into());
    Err(fault.hinted(
        "another user changed it in the meantime: run the same command again, it plans anew",
    ))
}
