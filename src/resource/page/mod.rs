//! The maintenance page under its own key, which it never leaves, and the switch: while an object
//! is under the other key, the on key, the edge shows that one.

use super::Standing;
use super::content::Content;
use super::site;
use super::site::index::{MOVING, SWITCH, Served};
use super::site::plan::Claim;
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{BucketName, ObjectKey, StackName};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
mod sides;
pub(crate) mod simulate;
pub mod turn;
pub mod window;

pub use sides::{Applied, Look, Side, Sides};

/// A page that is a little too large is told by the check of the spec; what is larger than this is
/// something else. In bytes.
pub const LARGEST: u64 = 1024 * 1024;

/// How the page should be. Whether it is shown is not a setting: only `maintenance on|off` turns
/// the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The page.
    pub content: Content,
}

/// The two keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// The page's own.
    pub off: ObjectKey,
    /// While something is here, visitors get it.
    pub on: ObjectKey,
}

impl Keys {
    /// What the page under its own key says of the on key.
    pub fn told(&self) -> impl Iterator<Item = (String, String)> {
        [(SWITCH.to_owned(), self.on.to_string())].into_iter()
    }
}

/// The page as an apply observes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// What the object under its own key needs.
    pub own: Claim,
    /// Under the on key.
    pub on: Option<Shown>,
    /// No visitor reaches the function yet, so what is under the on key is not shown before this
    /// plan.
    pub opens: bool,
}

/// The object under the on key, without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Without quotes.
    pub etag: String,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: Metadata,
    /// When it was looked at, by S3's clock.
    pub seen: Timestamp,
}

/// User metadata of an object, without `x-amz-meta-`.
pub type Metadata = BTreeMap<String, String>;

/// Did we put the object with this metadata?
#[must_use]
pub fn is_ours(metadata: &Metadata, stack: &StackName) -> bool {
    metadata.get(site::STACK_METADATA).is_some_and(|mark| mark == stack.as_str())
}

/// An on key that the switch leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    pub key: ObjectKey,
    /// The `ETag` that was seen there.
    pub etag: Option<String>,
}

/// One mutation of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    Put(Put),
    /// Remove the object under one key.
    Remove {
        bucket: BucketName,
        key: ObjectKey,
        /// The `ETag` that was seen. Guards the deletion.
        before: String,
    },
}

/// Uploads the page under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Put {
    /// The page; under the on key with a window's mark.
    #[serde(flatten)]
    pub object: site::Put,
    /// What the switch leaves with this upload. Guards the write: a window that was opened since
    /// would be left open.
    pub leaves: Option<Box<Left>>,
    /// The metadata that was seen under the on key, of which nothing stays. Under its own key, what
    /// people put beside the page does.
    pub replaced: Metadata,
    /// The metadata to put beside it: of the window, or, under its own key, which key the on key
    /// is.
    pub metadata: Metadata,
}

impl Put {
    /// Does it replace the page under its own key? What people put beside that one stays.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.object.before.is_some() && self.metadata.contains_key(SWITCH)
    }

    /// The metadata of the new object, in the place of one with these.
    #[must_use]
    pub fn metadata_over(&self, seen: Option<&Metadata>) -> Metadata {
        let kept = seen.filter(|_| self.keeps()).map(window::theirs).unwrap_or_default();
        let told = self.metadata.clone();
        kept.into_iter()
            .chain(told)
            .chain(site::mark(&self.object.stack, &self.object.key))
            .collect()
    }
}

/// How the page stands under its own key.
#[must_use]
pub fn standing(keys: &Keys, objects: &site::Live) -> Standing {
    Standing::of(&keys.off, objects.objects.contains_key(&keys.off))
}

impl Op {
    #[must_use]
    pub fn bucket(&self) -> &BucketName {
        match self {
            Self::Put(put) => &put.object.bucket,
            Self::Remove { bucket, .. } => bucket,
        }
    }

    /// The same upload, telling that the switch moves away from `leaves`. Its bytes differ from what
    /// it replaces, so that another run that moves the switch cannot end what this one begins, and
    /// no index of the same second is believed about it.
    #[must_use]
    pub fn while_it_moves(&self, from: Option<Left>) -> Self {
        let mut op = self.clone();
        if let Self::Put(Put { object, leaves, metadata, .. }) = &mut op {
            metadata.insert(SWITCH.to_owned(), MOVING.to_owned());
            object.content = window::moving(&object.content, object.before.as_deref());
            *leaves = from.map(Box::new);
        }
        op
    }

    /// The same upload, over an object that is taken over.
    #[must_use]
    pub(super) fn taking_over(mut self) -> Self {
        if let Self::Put(put) = &mut self {
            put.object.adopts = true;
        }
        self
    }

    /// The same upload, over the one that told that the switch moves.
    #[must_use]
    pub fn after_it_moved(mut self) -> Self {
        if let Self::Put(Put { object, .. }) = &mut self {
            let site::Put { content, before, served, .. } = object;
            *before = Some(window::moving(content, before.as_deref()).md5.clone());
            *served = Some(Box::new(Served { switch: MOVING.into(), ..Served::of(content) }));
        }
        self
    }

    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Put(Put { object, replaced, metadata, .. }) => {
                let site::Put { bucket, key, content, before, served, adopts, .. } = object;
                let action = if before.is_some() { Action::Update } else { Action::Create };
                let page = metadata.get(window::PAGE);
                let next = Served {
                    switch: metadata.get(SWITCH).cloned().unwrap_or_default(),
                    ..Served::of(content)
                };
                let summary = match page {
                    _ if next.switch == MOVING && before.is_some() => {
                        format!("tell that the switch in bucket {bucket} moves")
                    }
                    Some(page) if replaced.get(window::PAGE) == Some(page) => {
                        "set the window".to_owned()
                    }
                    Some(_) => format!("show the page, {}", site::bytes(content.size)),
                    None => format!(
                        "{}upload {}",
                        if *adopts { "adopt, " } else { "" },
                        site::bytes(content.size)
                    ),
                };
                let etag = before.as_ref().filter(|_| page.is_none());
                Change::new(Address::new(Kind::Page, key), action, summary)
                    .with(
                        etag.and_then(|before| FieldChange::between("etag", before, &content.md5)),
                    )
                    .with(served.iter().flat_map(|served| served.changes(&next)))
                    .with(window_changes(replaced, metadata))
            }
            Self::Remove { key, .. } => {
                Change::new(Address::new(Kind::Page, key), Action::Delete, "remove")
            }
        }
    }
}

/// What becomes different about the window. Of a bypass only the hash is known, and not even that
/// is shown.
fn window_changes(before: &Metadata, after: &Metadata) -> Vec<FieldChange> {
    let change = |name: &str| {
        let label = name.trim_start_matches("provision-");
        let shown = |value: &String| {
            if name == window::BYPASS { "by link and cookie".to_owned() } else { value.clone() }
        };
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) if before == after => None,
            (Some(_), Some(_)) if name == window::BYPASS => {
                FieldChange::between(label, &"by link and cookie", &"by a new link and cookie")
            }
            (Some(before), Some(after)) => FieldChange::between(label, before, after),
            (None, Some(after)) => Some(FieldChange::set(label, shown(after))),
            (Some(before), None) => Some(FieldChange::removed(label, shown(before))),
            (None, None) => None,
        }
    };
    window::SHOWN.into_iter().filter_map(change).collect()
}
