//! What a bucket keeps of objects that were replaced or deleted (Amazon S3 User Guide, "How S3
//! Versioning works").

use super::{Bucket, Headers};
use crate::name::ObjectKey;
use crate::resource::bucket::Versioning;
use crate::resource::site::Object;
use serde::{Deserialize, Serialize};

/// A version that is not the current one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// `None`: a delete marker.
    pub object: Option<Object>,
    pub headers: Headers,
}

impl Older {
    /// S3's id of it.
    pub(super) fn id(&self) -> String {
        let version = &self.headers.version;
        if version.is_empty() { "null".to_owned() } else { version.clone() }
    }
}

impl Bucket {
    /// What is under the key now.
    pub(super) fn current(&self, key: &ObjectKey) -> Option<Older> {
        let object = self.objects.get(key)?.clone();
        let headers = self.headers.get(key).cloned().unwrap_or_default();
        Some(Older { object: Some(object), headers })
    }

    /// Another one, or nothing, has taken the place of `before`. Returns the id of what has.
    pub(super) fn succeed(
        &mut self,
        key: &ObjectKey,
        before: Option<Older>,
        serial: u64,
    ) -> String {
        let versioning = self.live.settings.versioning;
        let version = match versioning {
            Versioning::Enabled => format!("version-{serial}"),
            Versioning::Off | Versioning::Suspended => String::new(),
        };
        if versioning != Versioning::Off {
            let older = self.older.entry(key.clone()).or_default();
            older.extend(before);
            // There is one `null` version of a key at most.
            older.retain(|older| !version.is_empty() || !older.headers.version.is_empty());
            if !self.objects.contains_key(key) {
                let headers = Headers { version: version.clone(), ..Headers::default() };
                older.push(Older { object: None, headers });
            }
            if older.is_empty() {
                self.older.remove(key);
            }
        }
        version
    }

    /// Deletes one version for good; the one before it becomes the current one.
    pub(super) fn purge(&mut self, key: &ObjectKey, version: &str) {
        if self.current(key).is_some_and(|current| current.id() == version) {
            self.objects.remove(key);
            self.headers.remove(key);
        }
        let Some(older) = self.older.get_mut(key) else { return };
        older.retain(|older| older.id() != version);
        if !self.objects.contains_key(key)
            && let Some(Older { object: Some(object), headers }) =
                older.pop_if(|last| last.object.is_some())
        {
            self.objects.insert(key.clone(), object);
            self.headers.insert(key.clone(), headers);
        }
        if older.is_empty() {
            self.older.remove(key);
        }
    }
}
