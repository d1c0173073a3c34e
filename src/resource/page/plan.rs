//! What the page needs. Never turns the switch.

use super::{Keys, Live, Op, Settings};
use crate::change::{Address, Kind, Notice};
use crate::name::{BucketName, StackName};
use crate::resource::Planned;

/// Plans the page's upload under whichever key it lies; a lost page comes back under the off key. Where both keys are taken, the
/// page under the on key may be for one window only, and stays as it is.
#[must_use]
pub fn plan(stack: &StackName, bucket: &BucketName, keys: &Keys, desired: &Settings, live: &Live) -> Planned<Op> {
    let mut planned = Planned::default();
    let (key, seen) = match (&live.on, &live.off) {
        (Some(on), None) => (&keys.on, Some(on)),
        (_, off) => (&keys.off, off.as_ref()),
    };
    if live.on.is_some() && live.off.is_some() {
        planned.notices.push(Notice {
            address: Address::new(Kind::Page, &keys.on),
            text: "lies under both keys, and visitors see the one under the on key; `provision maintenance status` says why".into(),
        });
    }
    let before = seen.map(|object| object.etag.clone());
    if before.as_ref() != Some(&desired.content.md5) {
        planned.ops.push(Op::Put {
            bucket: bucket.clone(),
            stack: stack.clone(),
            key: key.clone(),
            content: desired.content.clone(),
            before,
            window: None,
        });
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::content::Content;
    use crate::resource::site::Object;

    #[test]
    fn the_page_is_repaired_where_it_lies() {
        let page = Content::in_memory(b"page", "text/html", "no-store");
        let same = || Some(Object { etag: page.md5.clone(), size: 4 });
        let other = || Some(Object { etag: "x".into(), size: 4 });
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        for (off, on, puts, notices) in [
            (None, None, Some("m.html"), 0),
            (same(), None, None, 0),
            (other(), None, Some("m.html"), 0),
            (None, same(), None, 0),
            (None, other(), Some("m-on.html"), 0),
            (same(), same(), None, 1),
            (same(), other(), None, 1),
            (other(), same(), Some("m.html"), 1),
        ] {
            let live = Live { off, on };
            let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &keys, &Settings { content: page.clone() }, &live);
            assert_eq!(planned.ops.first().map(|op| op.change().address.name).as_deref(), puts, "{live:?}");
            assert_eq!(planned.notices.len(), notices, "{live:?}");
        }
    }
}
