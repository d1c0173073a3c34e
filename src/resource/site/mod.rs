//! The site: a folder of files, as objects in the bucket. The two page keys are not its own.
//!
//! An object is ours if it carries our mark: the [`index`] tells most of them at once, and what it
//! does not tell is asked.

use super::Standing;
use super::bucket::ObjectVersion;
use super::content::Content;
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::edge::ObjectHeaders;
use crate::name::{BucketName, ObjectKey, StackName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) mod aws;
mod caching;
pub mod folder;
pub mod index;
mod mark;
mod media;
pub mod pages;
pub(crate) mod permissions;
pub mod plan;
pub mod rules;
pub(crate) mod simulate;

use index::{Index, Served};
pub use mark::{KEY_METADATA, STACK_METADATA, is_marked, mark, seal};

/// How the site should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The spec names a folder.
    pub named: bool,
    /// Key → content.
    pub files: BTreeMap<ObjectKey, Content>,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
}

/// The bucket's objects as observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Every object, the page included, the index not.
    pub objects: BTreeMap<ObjectKey, Object>,
    /// What is under the index's key.
    pub index: Option<FoundIndex>,
    /// Every object that the index does not prove to be ours, with the answer to a closer look.
    pub looks: BTreeMap<ObjectKey, Look>,
    /// Every version that is not the current one, by its id, each with the answer to a closer look:
    /// no list shows their marks. Only on the way to deleting the bucket.
    pub older: BTreeMap<ObjectKey, BTreeMap<String, Look>>,
}

/// What is under the index's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundIndex {
    /// Without quotes.
    pub etag: String,
    /// What it says; `None` where it does not carry our mark.
    pub ours: Option<Index>,
    /// When it was written, in seconds since the Unix epoch.
    pub modified: u64,
    /// The KMS key that has encrypted it.
    pub kms_key: Option<String>,
    /// The stack whose mark it carries.
    pub owner: Option<String>,
}

impl FoundIndex {
    /// Judges an object by its mark and its bytes. A damaged one of ours says nothing.
    #[must_use]
    pub fn judged(object: &Fetched, stack: &StackName, bucket: &BucketName) -> Self {
        let key = ObjectKey::listed(index::KEY.to_owned());
        let ours = is_marked(&object.metadata, (stack, bucket), &key, [&key, &key]);
        Self {
            etag: unquoted(Some(&object.etag)),
            ours: ours.then(|| Index::read(&object.body, stack).unwrap_or_default()),
            modified: object.modified,
            kms_key: object.kms_key.clone(),
            owner: object.metadata.get(STACK_METADATA).cloned(),
        }
    }
}

/// What a closer look at one object found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It carries our mark, and is served so.
    Ours(Served),
    /// It does not.
    Foreign,
    /// Nobody looked: so many others were found foreign before it. Counts as foreign.
    Spared,
}

impl Look {
    fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }
}

/// An `ETag` as S3 sends it, without its quotes.
pub(crate) fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// After so many foreign objects nobody is asked any more: what others have in the bucket must not
/// cost thousands of calls. What is ours is always asked, however much it is.
pub const PATIENCE: usize = 40;

/// How many objects are looked at or moved at the same time.
pub const CONCURRENCY: usize = 16;

/// Everything in a bucket, as its deletion needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every version and delete marker.
    pub versions: Vec<ObjectVersion>,
    /// Incomplete multipart uploads: key and upload id.
    pub uploads: Vec<(ObjectKey, String)>,
}

impl Live {
    /// The stack that the index names, of whichever stack it is.
    #[must_use]
    pub fn index_owner(&self) -> Option<&str> {
        self.index.as_ref().and_then(|index| index.owner.as_deref())
    }

    /// May edges hold copies of what an earlier run took away, or of what the distribution was?
    #[must_use]
    pub fn lingers(&self) -> bool {
        let ours = self.index.as_ref().and_then(|index| index.ours.as_ref());
        ours.is_some_and(|index| index.lingers)
    }

    /// Does the object under `key` have these bytes, as far as anybody can tell?
    #[must_use]
    pub fn holds(&self, key: &ObjectKey, md5: &str) -> bool {
        let known = self.index.as_ref().and_then(|index| index.ours.as_ref());
        self.objects.get(key).is_some_and(|object| {
            object.etag == md5 || known.is_some_and(|known| known.has_put(key, &object.etag, md5))
        })
    }

    /// How the object under `key` is served, if it is ours.
    #[must_use]
    pub fn ours(&self, key: &ObjectKey) -> Option<&Served> {
        match self.looks.get(key) {
            Some(Look::Ours(served)) => Some(served),
            Some(Look::Foreign | Look::Spared) => None,
            None => self.told(key, self.objects.get(key)?),
        }
    }

    fn told(&self, key: &ObjectKey, object: &Object) -> Option<&Served> {
        self.index.as_ref()?.ours.as_ref()?.served(key, &object.etag)
    }

    /// The keys of what is not ours.
    pub fn foreign(&self) -> impl Iterator<Item = &ObjectKey> {
        self.looks.iter().filter(|(_, look)| !look.is_ours()).map(|(key, _)| key)
    }

    /// Was the object under this key not asked?
    #[must_use]
    pub fn spared(&self, key: &ObjectKey) -> bool {
        self.looks.get(key) == Some(&Look::Spared)
    }

    /// Were the foreign ones among the older versions under this key not asked?
    #[must_use]
    pub fn spared_before(&self, key: &ObjectKey) -> bool {
        let versions = self.older.get(key).into_iter().flat_map(BTreeMap::values);
        versions.filter(|look| !look.is_ours()).all(|look| *look == Look::Spared)
    }

    /// The keys that have older versions which are not ours.
    pub fn foreign_before(&self) -> impl Iterator<Item = &ObjectKey> {
        let is_foreign =
            |versions: &BTreeMap<String, Look>| versions.values().any(|look| !look.is_ours());
        self.older.iter().filter(move |(_, versions)| is_foreign(versions)).map(|(key, _)| key)
    }

    /// Takes in what a closer look found, at the current object or at a version by its id.
    pub(crate) fn looked(&mut self, key: ObjectKey, version: Option<String>, look: Look) {
        match version {
            Some(version) => drop(self.older.entry(key).or_default().insert(version, look)),
            None => drop(self.looks.insert(key, look)),
        }
    }

    /// Takes the listing in, and says which objects have to be asked, in this order: page, wanted
    /// files, everything else. `listed` says when each was written.
    #[must_use]
    pub fn unproven(
        &mut self,
        listed: Vec<(ObjectKey, Object, u64)>,
        expected: &Settings,
        page_keys: [&ObjectKey; 2],
    ) -> Vec<ObjectKey> {
        let written = self.index.as_ref().map(|index| index.modified);
        let mut unproven = Vec::new();
        for (key, object, modified) in listed {
            if key.as_str() == index::KEY {
                continue;
            }
            let is_newer = written.is_none_or(|written| modified > written);
            if is_newer || self.told(&key, &object).is_none() {
                unproven.push(key.clone());
            }
            self.objects.insert(key, object);
        }
        unproven.sort_by_key(|key| (!page_keys.contains(&key), !expected.files.contains_key(key)));
        unproven
    }
}

/// An object with its bytes, as a visitor's edge reads it.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    pub body: Vec<u8>,
    /// With its quotes.
    pub etag: String,
    /// Seconds since the Unix epoch.
    pub modified: u64,
    pub headers: ObjectHeaders,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The KMS key that has encrypted it.
    pub kms_key: Option<String>,
}

/// One mutation of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    Put(Put),
    /// Delete an object of ours that the folder no longer has.
    Delete {
        bucket: BucketName,
        key: ObjectKey,
        /// The `ETag` that was seen. Guards the deletion.
        before: String,
    },
}

/// Uploads one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Put {
    /// Into which bucket.
    pub bucket: BucketName,
    /// Marks the object.
    pub stack: StackName,
    pub key: ObjectKey,
    pub content: Content,
    /// The `ETag` that was seen; `None`: nothing was there. Guards the write.
    pub before: Option<String>,
    /// How what was seen is served, where that is known.
    pub served: Option<Box<Served>>,
    /// What was seen is not ours.
    pub adopts: bool,
}

/// How the site stands: all objects in the bucket, if there is one, but for the page's two.
#[must_use]
pub fn standing(live: &Live, page_keys: [&ObjectKey; 2], has_bucket: bool) -> Standing {
    let count = live.objects.keys().filter(|key| !page_keys.contains(key)).count();
    let objects = if count == 1 { "object" } else { "objects" };
    Standing::of(format!("{count} {objects}"), has_bucket)
}

impl Put {
    /// The user metadata that mark it.
    #[must_use]
    pub fn marks(&self) -> BTreeMap<String, String> {
        if self.key.as_str() == index::KEY {
            mark(&self.stack, &self.key).collect()
        } else {
            [seal(&self.stack, &self.bucket, &self.key)].into()
        }
    }
}

impl Op {
    /// The same upload, over an object that is taken over.
    #[must_use]
    pub(super) fn taking_over(mut self) -> Self {
        if let Self::Put(put) = &mut self {
            put.adopts = true;
        }
        self
    }

    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Put(Put { key, content, before, served, adopts, .. }) => {
                let action = if before.is_some() { Action::Update } else { Action::Create };
                let address = Address::new(Kind::Site, key);
                if key.as_str() == index::KEY {
                    let summary = if index::settles(content) {
                        "record that no edge holds what went"
                    } else if index::warns(content) {
                        "record which objects are ours, and that edges may hold old copies"
                    } else {
                        "record which objects are ours"
                    };
                    return Change::new(address, action, summary);
                }
                let kind = content.headers.content_type.split(';').next().unwrap_or_default();
                let adopts = if *adopts { "adopt, " } else { "" };
                let headers = &content.headers;
                let kept = headers.cache_control.contains("immutable").then_some("immutable");
                let encoded = Some(headers.content_encoding.as_str());
                let encoded = encoded.filter(|coding| !coding.is_empty());
                let traits: Vec<&str> = [kind].into_iter().chain(encoded).chain(kept).collect();
                let summary =
                    format!("{adopts}upload {}, {}", bytes(content.size), traits.join(", "));
                let change = Change::new(address, action, summary);
                let etag = before
                    .as_ref()
                    .and_then(|before| FieldChange::between("etag", before, &content.md5));
                let next = Served::of(content);
                change.with(etag).with(served.iter().flat_map(|served| served.changes(&next)))
            }
            Self::Delete { key, .. } => {
                Change::new(Address::new(Kind::Site, key), Action::Delete, "delete")
            }
        }
    }
}

/// A size for people.
#[must_use]
pub fn bytes(size: u64) -> String {
    match size {
        1 => "1 byte".into(),
        0..=9_999 => format!("{size} bytes"),
        10_000..=9_999_999 => format!("{} KB", size / 1000),
        _ => format!("{} MB", size / 1_000_000),
    }
}
