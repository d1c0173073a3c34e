//! What is under both page keys, and what that tells of the switch.

use super::{Keys, Metadata, is_ours, window};
use crate::edge::ObjectHeaders;
use crate::name::{ObjectKey, StackName};
use crate::resource::content::Content;
use crate::resource::site::index::{MOVING, SWITCH};
use crate::resource::site::{self, FoundIndex};
use jiff::Timestamp;

/// The object under one key, with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Without quotes.
    pub etag: String,
    /// The page, without a window's mark.
    pub page: Content,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: Metadata,
}

impl Side {
    /// An object as it is.
    #[must_use]
    pub fn of(etag: String, bytes: &[u8], headers: ObjectHeaders, metadata: Metadata) -> Self {
        Self { etag, page: Content::in_memory(window::unmarked(bytes), headers), metadata }
    }
}

/// What is under one key, and when that was seen by S3's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The object, if there is one.
    pub side: Option<Side>,
    /// By S3's clock, by which windows are counted.
    pub seen: Timestamp,
}

/// Which apply ended last in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// None.
    Never,
    /// One of this other stack.
    Of(String),
    /// One of ours, with these keys: the page's own, and the on key.
    With(ObjectKey, ObjectKey),
}

impl Applied {
    /// As the index tells.
    #[must_use]
    pub fn told(index: Option<FoundIndex>) -> Self {
        match index {
            Some(FoundIndex { ours: Some(index), .. }) => match index.keys {
                Some((off, on)) => Self::With(off, on),
                None => Self::Never,
            },
            Some(FoundIndex { owner: Some(owner), .. }) => Self::Of(owner),
            _ => Self::Never,
        }
    }
}

/// The switch as observed: both keys, looked at closely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Under the page's own key.
    pub off: Option<Side>,
    /// Under the on key.
    pub on: Option<Side>,
    /// When, by S3's clock.
    pub seen: Timestamp,
    /// What the index tells of the apply that ended last. It is asked where no page of ours is
    /// under its own key.
    pub applied: Option<Applied>,
}

impl Sides {
    /// The other stack whose switch this is: the bucket's index carries its mark, or one side does
    /// and none carries ours.
    #[must_use]
    pub fn owner(&self, stack: &StackName) -> Option<&str> {
        let sides = || [&self.off, &self.on].into_iter().flatten();
        let ours = sides().any(|side| is_ours(&side.metadata, stack));
        let mut marks = sides().filter_map(|side| side.metadata.get(site::STACK_METADATA));
        match &self.applied {
            Some(Applied::Of(owner)) => Some(owner),
            _ if ours => None,
            _ => marks.next_back().map(String::as_str),
        }
    }

    /// Why a turn of this switch would be in vain, where the page, or without it the index, tells
    /// of another than the spec. A fragment.
    #[must_use]
    pub fn elsewhere(&self, stack: &StackName, keys: &Keys) -> Option<String> {
        let on = match (self.telling(stack), &self.applied) {
            (Some(off), _) => match off.metadata.get(SWITCH) {
                Some(on) if on != MOVING => on.as_str(),
                _ => {
                    return Some(
                        "the page says that its switch has moved, or that an apply moves it and \
                        has not ended"
                            .into(),
                    );
                }
            },
            (None, Some(Applied::With(off, _))) if *off != keys.off => {
                return Some(format!(
                    "the page was applied as {off}, and the spec says {}",
                    keys.off
                ));
            }
            (None, Some(Applied::With(_, on))) => on.as_str(),
            // A page that was renamed to the on key still tells that it is the on key.
            (None, Some(applied @ (Applied::Never | Applied::Of(_)))) => {
                let told = self.told_by_on().filter(|_| *applied == Applied::Never);
                let Some(on) = told else {
                    return Some("no apply of this stack has ended in this bucket".into());
                };
                on
            }
            (None, None) => return None,
        };
        (on != keys.on.as_str()).then(|| {
            format!(
                "the function that was deployed last looks at {on}, and the spec says {}",
                keys.on
            )
        })
    }

    /// The page of ours that tells which key the on key is. One that was a window's, and was
    /// renamed by hand, does not.
    fn telling(&self, stack: &StackName) -> Option<&Side> {
        let tells =
            |off: &&Side| is_ours(&off.metadata, stack) && off.metadata.contains_key(SWITCH);
        self.off.as_ref().filter(tells)
    }

    /// Does the page tell of its switch? Else the index has to be asked.
    #[must_use]
    pub fn are_told(&self, stack: &StackName) -> bool {
        self.telling(stack).is_some()
    }

    fn told_by_on(&self) -> Option<&str> {
        let told = self.on.as_ref()?.metadata.get(SWITCH)?;
        (told != MOVING).then_some(told)
    }

    /// What visitors get.
    #[must_use]
    pub fn state(&self) -> window::State {
        window::judge(self.on.as_ref().map(|on| &on.metadata), self.seen)
    }
}
