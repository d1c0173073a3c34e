//! Which objects to upload and which to delete.

use super::{Live, Op, Settings};
use crate::change::{Address, Kind, Notice};
use crate::name::{BucketName, ObjectKey, StackName};
use crate::resource::Planned;

/// Plans uploads of what differs, and deletions of what we put and the folder no longer has. Objects that we did not put
/// are left alone and counted in a notice.
#[must_use]
pub fn plan(stack: &StackName, bucket: &BucketName, desired: &Settings, page_keys: [&ObjectKey; 2], live: &Live) -> Planned<Op> {
    let mut planned = Planned::default();
    for (key, content) in &desired.files {
        let before = live.objects.get(key).map(|object| object.etag.clone());
        if before.as_ref() != Some(&content.md5) {
            planned.ops.push(Op::Put { bucket: bucket.clone(), stack: stack.clone(), key: key.clone(), content: content.clone(), before });
        }
    }
    let unexpected = live.objects.iter().filter(|(key, _)| !desired.files.contains_key(*key) && !page_keys.contains(key));
    let (ours, foreign): (Vec<_>, Vec<_>) = unexpected.partition(|(key, _)| live.marked.contains(*key));
    for (key, object) in ours {
        planned.ops.push(Op::Delete { bucket: bucket.clone(), key: key.clone(), before: object.etag.clone() });
    }
    if let Some((first, _)) = foreign.first() {
        let others = if foreign.len() == 1 { String::new() } else { format!(" and {} more", foreign.len() - 1) };
        planned.notices.push(Notice {
            address: Address::new(Kind::Bucket, bucket),
            text: format!("holds objects that `provision` did not put and leaves alone: {first}{others}"),
        });
    }
    planned
}

/// Is this a document, which visitors load first and which points at the other files?
#[must_use]
pub fn is_document(op: &Op) -> bool {
    matches!(op, Op::Put { content, .. } if content.content_type.starts_with("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Action::{Create, Delete, Update};
    use crate::resource::content::Content;
    use crate::resource::site::Object;

    #[test]
    fn only_differences_move_and_only_our_objects_go() {
        let file = |text: &str| Content::in_memory(text.as_bytes(), "text/plain", "");
        let desired = Settings { files: [("new", "n"), ("same", "s"), ("edited", "e")].map(|(k, t)| (k.parse().unwrap(), file(t))).into() };
        let object = |text: &str| Object { etag: file(text).md5, size: 1 };
        let live = Live {
            objects: [("same", "s"), ("edited", "x"), ("ours", "o"), ("theirs", "t"), ("m.html", "m")]
                .map(|(key, text)| (key.parse().unwrap(), object(text)))
                .into(),
            buried: [].into(),
            marked: ["ours"].map(|key| key.parse().unwrap()).into(),
        };
        let (off, on) = ("m.html".parse().unwrap(), "m-on.html".parse().unwrap());
        let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &desired, [&off, &on], &live);
        let shown: Vec<_> = planned.ops.iter().map(|op| (op.change().action, op.change().address.name)).collect();
        assert_eq!(shown, [(Update, "edited".into()), (Create, "new".into()), (Delete, "ours".into())]);
        assert!(planned.notices[0].text.ends_with("leaves alone: theirs"));
    }
}
