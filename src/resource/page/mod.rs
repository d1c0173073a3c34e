//! The maintenance page: one object, two keys. Which key exists is the switch; on wins if both do.

use super::content::Content;
use super::site::{self, Object};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{BucketName, ObjectKey, StackName};
use serde::Serialize;

pub mod aws;
pub mod plan;
pub mod simulate;

/// How the page should be. Where it lies is not a setting: only `maintenance on|off` turns the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The page.
    pub content: Content,
}

/// The two keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// Where the page lies while the site is shown.
    pub off: ObjectKey,
    /// Where it lies while the page is shown.
    pub on: ObjectKey,
}

/// What a visitor gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// The page.
    On,
    /// The site.
    Off,
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// The page as observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Under the off key.
    pub off: Option<Object>,
    /// Under the on key.
    pub on: Option<Object>,
}

impl Live {
    /// Finds the page among the bucket's objects.
    #[must_use]
    pub fn among(objects: &site::Live, keys: &Keys) -> Self {
        Self { off: objects.objects.get(&keys.off).cloned(), on: objects.objects.get(&keys.on).cloned() }
    }

    /// What the edge function makes of it.
    #[must_use]
    pub fn switch(&self) -> Switch {
        if self.on.is_some() { Switch::On } else { Switch::Off }
    }
}

/// One mutation of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Upload the page under `key`; what else was known about the object (its window) is kept.
    Put {
        /// Into which bucket.
        bucket: BucketName,
        /// Marks the object.
        stack: StackName,
        /// Under which key.
        key: ObjectKey,
        /// The page.
        content: Content,
        /// The ETag that was seen. Guards the write.
        before: Option<String>,
    },
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        let Self::Put { key, content, before, .. } = self;
        let action = if before.is_some() { Action::Update } else { Action::Create };
        let change = Change::new(Address::new(Kind::Page, key), action, format!("upload {}", site::bytes(content.size)));
        match before {
            Some(before) => change.with(FieldChange::between("etag", before, &content.md5)),
            None => change,
        }
    }
}
