//! Buckets and what is in them: S3 writes over nothing that its guard does not name.

use super::changed;
use crate::change::{Done, Fault, FaultKind};
use crate::cloud::world::{Bucket, Headers, World};
use crate::name::{BucketName, ObjectKey};
use crate::resource::content::Content;
use crate::resource::site::index::SWITCH;
use crate::resource::site::{self, Object};
use crate::resource::{bucket, page, tags};
use crate::stack::Stack;
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
            (bucket::Op::Delete, Some(found)) if !found.objects.is_empty() => {
                let mut fault = Fault::new(
                    FaultKind::InUse,
                    format!("delete bucket {name}"),
                    "the bucket you tried to delete is not empty",
                );
                fault.code = Some("BucketNotEmpty".into());
                Err(fault.hinted(
                    "another user put objects into it since it was looked at; run the \
                    same command again",
                ))
            }
            (bucket::Op::Create { .. }, Some(_)) | (bucket::Op::Delete, None) => {
                Ok(Done::AlreadySo)
            }
            (bucket::Op::Empty(bucket::Empty { versions, .. }), Some(found)) => {
                for version in versions {
                    let key = &version.key;
                    if found.objects.contains_key(key) {
                        site::simulate::guard(&found.objects, key, version.etag.as_deref())?;
                    }
                    found.objects.remove(&version.key);
                    found.headers.remove(&version.key);
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

    pub(super) fn put(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        content: &Content,
        before: Option<&str>,
        headers: Headers,
    ) -> Result<Done, Fault> {
        let found = self.bucket(bucket)?;
        if let Err(moved_on) = site::simulate::guard(&found.objects, key, before) {
            let same_bytes =
                found.objects.get(key).is_some_and(|object| object.etag == content.md5);
            let same =
                |have: &Headers| Headers { modified: headers.modified, ..have.clone() } == headers;
            let is_it = same_bytes && found.headers.get(key).is_some_and(same);
            return if is_it { Ok(Done::AlreadySo) } else { Err(moved_on) };
        }
        found.objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
        found.headers.insert(key.clone(), headers);
        Ok(changed())
    }

    pub(super) fn apply_page(
        &mut self,
        stack: &Stack,
        op: &page::Op,
        now: u64,
    ) -> Result<Done, Fault> {
        match op {
            page::Op::Put { bucket, key, content, before, metadata, leaves, .. } => {
                if let Some(left) = leaves {
                    let found = self.bucket(bucket)?.objects.get(&left.key);
                    page::simulate::guard_left(left, found.map(|object| object.etag.as_str()))?;
                }
                let found =
                    self.bucket(bucket)?.headers.get(key).filter(|_| metadata.contains_key(SWITCH));
                let kept = found
                    .map(|headers| page::window::theirs(&headers.metadata))
                    .unwrap_or_default();
                let headers = headers(
                    stack,
                    key,
                    content,
                    kept.into_iter().chain(metadata.clone()).collect(),
                    now,
                );
                self.put(bucket, key, content, before.as_deref(), headers)
            }
            page::Op::Remove { bucket, key, .. } => {
                let found = self.bucket(bucket)?;
                let existed = found.objects.contains_key(key);
                found.objects = page::simulate::simulate(found.objects.clone(), op)?;
                found.headers.remove(key);
                Ok(if existed { changed() } else { Done::AlreadySo })
            }
        }
    }
}

pub(super) fn headers(
    stack: &Stack,
    key: &ObjectKey,
    content: &Content,
    metadata: BTreeMap<String, String>,
    now: u64,
) -> Headers {
    let metadata = metadata.into_iter().chain(site::mark(&stack.names.stack, key)).collect();
    Headers {
        content_type: content.content_type.clone(),
        cache_control: content.cache_control.clone(),
        metadata,
        modified: now,
    }
}
