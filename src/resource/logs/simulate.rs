//! What the ops do to a log group.

use super::{Group, Op};

/// Returns the group after `op`; `None`: it does not exist.
#[must_use]
pub(crate) fn simulate(live: Option<Group>, op: &Op) -> Option<Group> {
    match op {
        Op::Create { tags, .. } => {
            live.or_else(|| Some(Group { tags: tags.clone(), ..Group::default() }))
        }
        Op::SetRetention { after, .. } => {
            live.map(|group| Group { retention: Some(*after), ..group })
        }
        Op::SetTags { tags, .. } => live.map(|group| Group {
            tags: group.tags.into_iter().chain(tags.clone()).collect(),
            ..group
        }),
        Op::Delete => None,
    }
}
