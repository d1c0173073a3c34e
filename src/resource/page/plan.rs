//! What the page needs. Never turns the switch.

use super::window::{self, ONCE, PAGE};
use super::{Keys, Live, Op, Settings, Shown, is_ours};
use crate::change::{Address, Kind, Notice};
use crate::name::{BucketName, StackName};
use crate::resource::Planned;

/// Plans the page's upload under its own key. A window of ours that shows the standard page shows the new one; a page for one
/// window only, and what somebody else put under the on key, stay as they are.
#[must_use]
pub fn plan(stack: &StackName, bucket: &BucketName, keys: &Keys, desired: &Settings, live: &Live) -> Planned<Op> {
    let mut planned = Planned::default();
    let page = &desired.content;
    let before = live.off.as_ref().map(|object| object.etag.clone());
    if before.as_ref() != Some(&page.md5) {
        planned.ops.push(Op::Put {
            bucket: bucket.clone(),
            stack: stack.clone(),
            key: keys.off.clone(),
            content: page.clone(),
            before,
            replaced: super::Metadata::new(),
            metadata: None,
        });
    }
    let Some(Shown { etag, metadata, .. }) = &live.on else { return planned };
    let mut note = |text: &str| planned.notices.push(Notice { address: Address::new(Kind::Page, &keys.on), text: text.into() });
    if !is_ours(metadata, stack) {
        note("was put by hand, and visitors get it as the maintenance page; `provision maintenance off` removes it");
    } else if metadata.contains_key(ONCE) {
        note("is another page, for this window only, and stays as it is");
    } else if metadata.get(PAGE) != Some(&page.md5) {
        let next = metadata.clone().into_iter().chain([(PAGE.to_owned(), page.md5.clone())]).collect();
        planned.ops.push(Op::Put {
            bucket: bucket.clone(),
            stack: stack.clone(),
            key: keys.on.clone(),
            content: window::marked(page, &window::next_mark(etag, page)),
            before: Some(etag.clone()),
            replaced: metadata.clone(),
            metadata: Some(next),
        });
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::content::Content;
    use crate::resource::site::{Object, STACK_METADATA};

    #[test]
    fn the_page_is_repaired_under_its_own_key_and_in_an_open_window() {
        let page = Content::in_memory(b"page", "text/html", "no-store");
        let same = || Some(Object { etag: page.md5.clone(), size: 4 });
        let other = || Some(Object { etag: "x".into(), size: 4 });
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let shown = |pairs: &[(&str, &str)]| {
            let metadata = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Some(Shown { etag: "w".into(), metadata, ..Shown::default() })
        };
        let ours = (STACK_METADATA, "shop");
        let (new, old) = (shown(&[ours, (PAGE, &page.md5)]), shown(&[ours, (PAGE, "x")]));
        for (off, on, puts, notices) in [
            (None, None, vec!["m.html"], 0),
            (same(), None, vec![], 0),
            (other(), None, vec!["m.html"], 0),
            (same(), new.clone(), vec![], 0),
            (same(), old.clone(), vec!["m-on.html"], 0),
            (other(), old.clone(), vec!["m.html", "m-on.html"], 0),
            (None, old, vec!["m.html", "m-on.html"], 0),
            (None, new, vec!["m.html"], 0),
            (other(), shown(&[ours, (PAGE, "x"), (ONCE, "true")]), vec!["m.html"], 1),
            (same(), shown(&[]), vec![], 1),
            (None, shown(&[(STACK_METADATA, "shop-2"), (PAGE, "x")]), vec!["m.html"], 1),
        ] {
            let live = Live { off, on };
            let plan = || plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &keys, &Settings { content: page.clone() }, &live);
            let planned = plan();
            assert_eq!(planned.ops.iter().map(|op| op.change().address.name).collect::<Vec<_>>(), puts, "{live:?}");
            assert_eq!(planned.notices.len(), notices, "{live:?}");
            assert_eq!(planned.ops, plan().ops, "a saved plan would not be equal");
        }
    }
}
