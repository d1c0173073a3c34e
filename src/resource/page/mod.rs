//! The maintenance page: one object, two keys. Which key exists is the switch; on wins if both do.

use super::content::Content;
use super::site::{self, Object};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{BucketName, ObjectKey, StackName};
use serde::Serialize;
use std::collections::BTreeMap;

pub mod aws;
pub mod plan;
pub mod simulate;
pub mod turn;

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

/// The object under one key, with what the edge function reads of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Without quotes.
    pub etag: String,
    /// MIME type.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: Metadata,
}

/// User metadata of an object, without `x-amz-meta-`.
pub type Metadata = BTreeMap<String, String>;

/// The switch as observed: both keys, looked at closely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Under the off key.
    pub off: Option<Side>,
    /// Under the on key.
    pub on: Option<Side>,
}

/// Metadata that describes a window; it travels with the page, so that turning the switch needs no new function version.
pub mod window {
    /// Visitors see the page from this moment, RFC 3339 in UTC.
    pub const FROM: &str = "provision-from";
    /// Visitors see the site again from this moment, RFC 3339 in UTC.
    pub const UNTIL: &str = "provision-until";
    /// SHA-256 of the bypass token, in hex.
    pub const BYPASS: &str = "provision-bypass";
    /// When the switch was turned on.
    pub const SINCE: &str = "provision-since";
    /// Who turned it on: the caller's ARN.
    pub const BY: &str = "provision-by";
    /// The page is for this window only; the standard page waits under the off key.
    pub const ONCE: &str = "provision-once";
    /// All of them, in the order in which they are shown.
    pub const ALL: [&str; 6] = [BY, FROM, ONCE, SINCE, UNTIL, BYPASS];
    /// Those that change what visitors see.
    pub const JUDGED: [&str; 3] = [FROM, UNTIL, BYPASS];
}

/// One mutation of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Copy the page, with this metadata in place of its own; onto itself, where only the window changes.
    Copy {
        /// In which bucket.
        bucket: BucketName,
        /// From where.
        from: ObjectKey,
        /// To where.
        to: ObjectKey,
        /// The source as seen. Guards the read.
        source: String,
        /// The target as seen; `None`: nothing was there. Guards the write.
        before: Option<String>,
        /// The target's metadata as seen, of which nothing stays.
        replaced: Metadata,
        /// MIME type.
        content_type: String,
        /// `Cache-Control`.
        cache_control: String,
        /// All of it.
        metadata: Metadata,
    },
    /// Remove the object under one key.
    Remove {
        /// From which bucket.
        bucket: BucketName,
        /// Which key.
        key: ObjectKey,
        /// As seen. Guards the deletion.
        before: String,
    },
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
        /// The window to put beside it; `None`: the one that the object has.
        window: Option<Metadata>,
    },
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Put { key, content, before, window, .. } => {
                let action = if before.is_some() { Action::Update } else { Action::Create };
                let change = Change::new(Address::new(Kind::Page, key), action, format!("upload {}", site::bytes(content.size)));
                let changed = before.as_ref().and_then(|before| FieldChange::between("etag", before, &content.md5));
                change.with(changed).with(window.iter().flat_map(|window| window_changes(&Metadata::new(), window)))
            }
            Self::Copy { from, to, replaced, metadata, .. } => {
                let change = if from == to {
                    Change::new(Address::new(Kind::Page, to), Action::Update, "set the window")
                } else {
                    Change::new(Address::new(Kind::Page, to), Action::Create, format!("copy from {from}"))
                };
                change.with(window_changes(replaced, metadata))
            }
            Self::Remove { key, .. } => Change::new(Address::new(Kind::Page, key), Action::Delete, "remove"),
        }
    }
}

/// What becomes different about the window. Of a bypass only the hash is known, and not even that is shown.
fn window_changes(before: &Metadata, after: &Metadata) -> Vec<FieldChange> {
    let change = |name: &str| {
        let label = name.trim_start_matches("provision-");
        let shown = |value: &String| if name == window::BYPASS { "by link and cookie".to_owned() } else { value.clone() };
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) if before == after => None,
            (Some(_), Some(_)) if name == window::BYPASS => FieldChange::between(label, &"by link and cookie", &"by a new link and cookie"),
            (Some(before), Some(after)) => FieldChange::between(label, before, after),
            (None, Some(after)) => Some(FieldChange::set(label, shown(after))),
            (Some(before), None) => Some(FieldChange::removed(label, shown(before))),
            (None, None) => None,
        }
    };
    window::ALL.into_iter().filter_map(change).collect()
}
