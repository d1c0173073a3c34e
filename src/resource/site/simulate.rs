//! What uploads and deletions do to the bucket's objects.

use super::{Object, Put};
use crate::change::{Fault, FaultKind};
use crate::name::ObjectKey;
use std::collections::BTreeMap;

/// Uploads.
///
/// # Errors
/// [`FaultKind::MovedOn`] where its guard does not hold.
pub(crate) fn put(
    objects: &mut BTreeMap<ObjectKey, Object>,
    Put { key, content, before, .. }: &Put,
) -> Result<(), Fault> {
    guard(objects, key, before.as_deref())?;
    objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
    Ok(())
}

/// Deletes what was seen as `before`; returns whether there was something.
///
/// # Errors
/// [`FaultKind::MovedOn`] where its guard does not hold.
pub(crate) fn delete(
    objects: &mut BTreeMap<ObjectKey, Object>,
    key: &ObjectKey,
    before: &str,
) -> Result<bool, Fault> {
    if objects.contains_key(key) {
        guard(objects, key, Some(before))?;
    }
    Ok(objects.remove(key).is_some())
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
