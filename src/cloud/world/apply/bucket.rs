//! Buckets and what is in them: S3 writes over nothing that its guard does not name.

use super::changed;
use crate::change::{Done, Fault, FaultKind};
use crate::cloud::world::{Bucket, Headers, World};
use crate::name::{BucketName, ObjectKey};
use crate::resource::{bucket, page, site, tags};
use std::collections::BTreeMap;

impl World {
    pub(super) fn bucket(&mut self, name: &BucketName) -> Result<&mut Bucket, Fault> {
        self.buckets.get_mut(name).ok_or_else(|| {
            Fault::new(
                FaultKind::NotFound,
                format!("use bucket {name}"),
                "the specified bucket does not exist",
            )
        })
    }

    pub(super) fn apply_bucket(
        &mut self,
        name: &BucketName,
        op: &bucket::Op,
    ) -> Result<Done, Fault> {
        match (op, self.buckets.get_mut(name)) {
            (bucket::Op::Create { settings, .. }, Some(found))
                if !tags::hold(&found.live.settings.tags, &settings.tags) =>
            {
                Err(Fault::new(
                    FaultKind::AlreadyExists,
                    format!("create bucket {name}"),
                    "your previous request to create the named bucket succeeded and you already \
                        own it",
                ))
            }
            (bucket::Op::Delete, Some(found))
                if !found.objects.is_empty() || !found.older.is_empty() =>
            {
                let mut fault = Fault::new(
                    FaultKind::InUse,
                    format!("delete bucket {name}"),
                    "the bucket you tried to delete is not empty",
                );
                fault.code = Some("BucketNotEmpty".into());
                Err(fault.hinted(
                    "another user put objects into it since it was looked at, or S3 does not see \
                        yet that the last ones went: run the same command again, it looks anew",
                ))
            }
            (bucket::Op::Create { .. }, Some(_)) | (bucket::Op::Delete, None) => {
                Ok(Done::AlreadySo)
            }
            (bucket::Op::Empty(bucket::Empty { versions, .. }), Some(found)) => {
                for bucket::ObjectVersion { key, version, etag } in versions {
                    match etag {
                        Some(etag) => drop(delete(found, key, etag, self.serial)?),
                        None => found.purge(key, version),
                    }
                }
                Ok(changed())
            }
            (_, found) => {
                let before = found.map(|found| found.live.clone());
                match bucket::simulate::simulate(before, op) {
                    None => drop(self.buckets.remove(name)),
                    Some(live) => match self.buckets.get_mut(name) {
                        Some(found) => found.live = live,
                        None => {
                            let new = Bucket {
                                live,
                                policy: None,
                                objects: BTreeMap::new(),
                                headers: BTreeMap::new(),
                                older: BTreeMap::new(),
                                index: String::new(),
                            };
                            self.buckets.insert(name.clone(), new);
                        }
                    },
                }
                Ok(changed())
            }
        }
    }

    pub(super) fn apply_site(&mut self, op: &site::Op, now: u64) -> Result<Done, Fault> {
        match op {
            site::Op::Put(put) => {
                let site::Put { bucket, key, content, .. } = put;
                let done = self.put(put, put.marks(), now)?;
                if key.as_str() == site::index::KEY {
                    self.bucket(bucket)?.index =
                        String::from_utf8(content.read()?).unwrap_or_default();
                }
                Ok(done)
            }
            site::Op::Delete { bucket, key, before } => self.remove(bucket, key, before),
        }
    }

    pub(super) fn apply_page(&mut self, op: &page::Op, now: u64) -> Result<Done, Fault> {
        match op {
            page::Op::Put(put) => {
                let found = self.bucket(&put.object.bucket)?;
                if let Some(left) = &put.leaves {
                    let there = found.objects.get(&left.key);
                    page::simulate::guard_left(left, there.map(|object| object.etag.as_str()))?;
                }
                let seen = found.headers.get(&put.object.key).map(|headers| &headers.metadata);
                let metadata = put.metadata_over(seen);
                self.put(&put.object, metadata, now)
            }
            page::Op::Remove { bucket, key, before } => self.remove(bucket, key, before),
        }
    }

    fn put(
        &mut self,
        put: &site::Put,
        metadata: BTreeMap<String, String>,
        now: u64,
    ) -> Result<Done, Fault> {
        let site::Put { bucket, key, content, .. } = put;
        let headers = Headers {
            sent: content.headers.clone(),
            metadata,
            modified: now,
            version: String::new(),
        };
        let serial = self.serial;
        let found = self.bucket(bucket)?;
        let before = found.current(key);
        if let Err(moved_on) = site::simulate::put(&mut found.objects, put) {
            let same_bytes =
                found.objects.get(key).is_some_and(|object| object.etag == content.md5);
            let same = |have: &Headers| {
                Headers { modified: now, version: String::new(), ..have.clone() } == headers
            };
            let is_it = same_bytes && found.headers.get(key).is_some_and(same);
            return if is_it { Ok(Done::AlreadySo) } else { Err(moved_on) };
        }
        let version = found.succeed(key, before, serial);
        found.headers.insert(key.clone(), Headers { version, ..headers });
        Ok(changed())
    }

    fn remove(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        before: &str,
    ) -> Result<Done, Fault> {
        let serial = self.serial;
        let existed = delete(self.bucket(bucket)?, key, before, serial)?;
        Ok(if existed { changed() } else { Done::AlreadySo })
    }
}

/// Deletes the current object as it was seen; returns whether there was one.
fn delete(found: &mut Bucket, key: &ObjectKey, before: &str, serial: u64) -> Result<bool, Fault> {
    let current = found.current(key);
    let existed = site::simulate::delete(&mut found.objects, key, before)?;
    found.headers.remove(key);
    if existed {
        found.succeed(key, current, serial);
    }
    Ok(existed)
}
