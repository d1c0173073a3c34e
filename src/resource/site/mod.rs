//! The site: a folder of files, as objects in the bucket. The two page keys are not its own.

use super::bucket::ObjectVersion;
use super::content::Content;
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{BucketName, ObjectKey, StackName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub mod aws;
pub mod folder;
pub mod plan;
pub mod simulate;

/// The metadata key (without `x-amz-meta-`) that marks an object as put by us; its value is the stack's name.
pub const STACK_METADATA: &str = "provision-stack";

/// How the site should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
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
    /// Every object, the page included.
    pub objects: BTreeMap<ObjectKey, Object>,
    /// Keys whose newest version lies under a delete marker; looked at only on the way to deleting the bucket.
    pub buried: BTreeSet<ObjectKey>,
    /// Those among the unexpected ones, buried ones included, that carry our mark.
    pub marked: BTreeSet<ObjectKey>,
}

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
    /// Keys that we cannot prove to be ours: not in the site's folder, not a page key, not marked.
    pub fn foreign<'a>(&'a self, expected: &'a Settings, page_keys: [&'a ObjectKey; 2]) -> impl Iterator<Item = &'a ObjectKey> {
        let all = self.objects.keys().chain(&self.buried);
        all.filter(move |key| !expected.files.contains_key(*key) && !page_keys.contains(key) && !self.marked.contains(*key))
    }
}

/// An object with its bytes, as a visitor's edge reads it.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// All of it.
    pub body: Vec<u8>,
    /// With its quotes.
    pub etag: String,
    /// Seconds since the Unix epoch.
    pub modified: u64,
    /// MIME type.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// One mutation of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Upload.
    Put {
        /// Into which bucket.
        bucket: BucketName,
        /// Marks the object.
        stack: StackName,
        /// Under which key.
        key: ObjectKey,
        /// What.
        content: Content,
        /// The `ETag` that was seen; `None`: nothing was there. Guards the write.
        before: Option<String>,
    },
    /// Delete an object of ours that the folder no longer has.
    Delete {
        /// From which bucket.
        bucket: BucketName,
        /// Which key.
        key: ObjectKey,
        /// The `ETag` that was seen. Guards the deletion.
        before: String,
    },
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Put { key, content, before, .. } => {
                let action = if before.is_some() { Action::Update } else { Action::Create };
                let kind = content.content_type.split(';').next().unwrap_or_default();
                let change = Change::new(Address::new(Kind::Site, key), action, format!("upload {}, {kind}", bytes(content.size)));
                match before {
                    Some(before) => change.with(FieldChange::between("etag", before, &content.md5)),
                    None => change,
                }
            }
            Self::Delete { key, .. } => Change::new(Address::new(Kind::Site, key), Action::Delete, "delete"),
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
