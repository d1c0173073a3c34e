//! What the page needs. Never turns the switch.

use super::window::{self, ONCE, PAGE, WINDOW};
use super::{Keys, Live, Metadata, Op, Put, Settings, Shown, is_ours};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, ObjectKey, StackName};
use crate::resource::content::Content;
use crate::resource::site::index::Served;
use crate::resource::site::plan::Claim;
use crate::resource::{Planned, site};

/// What the page needs, told apart: when its own key is written depends on the rest of the stack.
#[derive(Debug, Default, PartialEq)]
pub struct PagePlan {
    /// The upload under its own key.
    pub own: Option<Op>,
    /// The open window, and all that is to be said.
    pub window: Planned<Op>,
}

impl PagePlan {
    /// All of it, in order.
    #[must_use]
    pub fn whole(self) -> Planned<Op> {
        let ops = self.own.into_iter().chain(self.window.ops).collect();
        Planned { ops, ..self.window }
    }
}

fn object(
    stack: &StackName,
    bucket: &BucketName,
    key: &ObjectKey,
    content: Content,
    before: Option<String>,
) -> site::Put {
    let (bucket, stack, key) = (bucket.clone(), stack.clone(), key.clone());
    site::Put { bucket, stack, key, content, before, served: None, adopts: false }
}

/// The page's upload under its own key.
#[must_use]
pub fn put(
    stack: &StackName,
    bucket: &BucketName,
    keys: &Keys,
    desired: &Settings,
    before: Option<String>,
    served: Option<Served>,
) -> Op {
    let object = object(stack, bucket, &keys.off, desired.content.clone(), before);
    Op::Put(Put {
        object: site::Put { served: served.map(Box::new), ..object },
        leaves: None,
        replaced: Metadata::new(),
        metadata: keys.told().collect(),
    })
}

/// Plans the page's upload under its own key. A window of ours that shows the standard page shows
/// the new one; a page for one window only, and what another user put under the on key, stay as
/// they are.
#[must_use]
pub fn plan(
    stack: &StackName,
    bucket: &BucketName,
    keys: &Keys,
    desired: &Settings,
    live: &Live,
    adopt: bool,
) -> PagePlan {
    let put = |before, served| Some(put(stack, bucket, keys, desired, before, served));
    let mut planned = window(stack, bucket, keys, desired, live, adopt);
    let own = match live.own.clone() {
        Claim::Nothing => None,
        Claim::Put { before, served } => put(before, served),
        Claim::Foreign(etag) if adopt => put(Some(etag), None).map(Op::taking_over),
        Claim::Foreign(_) => {
            let conflict = Conflict {
                address: Address::new(Kind::Page, &keys.off),
                reason: "would replace an object that `provision` did not put".into(),
                hint: "move it away, write other `maintenance.keys`, or take it over with \
                    `--adopt page`"
                    .into(),
            };
            planned.conflicts.insert(0, conflict);
            None
        }
    };
    PagePlan { own, window: planned }
}

/// Plans what is under the on key.
fn window(
    stack: &StackName,
    bucket: &BucketName,
    keys: &Keys,
    desired: &Settings,
    live: &Live,
    adopt: bool,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let page = &desired.content;
    let Some(Shown { etag, metadata, .. }) = &live.on else { return planned };
    let mut note = |text: &str| {
        planned
            .notices
            .push(Notice { address: Address::new(Kind::Page, &keys.on), text: text.into() });
    };
    let is_window = is_ours(metadata, stack) && metadata.contains_key(WINDOW);
    if live.opens && is_window {
        note(
            "is an open or a scheduled window: visitors get the page as the window says, once \
            this is deployed",
        );
    }
    if !is_window {
        if live.opens && !adopt {
            planned.conflicts.push(Conflict {
                address: Address::new(Kind::Page, &keys.on),
                reason: "an object that is no maintenance window is under this key, and with \
                    this plan visitors would get it in place of the site"
                    .into(),
                hint: "move it away, write other `maintenance.keys`, or let it be shown with \
                    `--adopt page`"
                    .into(),
            });
            return planned;
        }
        note(
            "was put by hand, and is the maintenance page as long as its metadata says; `provision \
            maintenance off` removes it",
        );
    } else if metadata.contains_key(ONCE) {
        note("is another page, for this window only, and stays as it is");
    } else if metadata.get(PAGE) != Some(&page.md5) {
        let next =
            metadata.clone().into_iter().chain([(PAGE.to_owned(), page.md5.clone())]).collect();
        let shown = window::marked(page, &window::next_mark(etag, page));
        planned.ops.push(Op::Put(Put {
            object: object(stack, bucket, &keys.on, shown, Some(etag.clone())),
            leaves: None,
            replaced: metadata.clone(),
            metadata: next,
        }));
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ObjectHeaders;
    use crate::resource::content::Content;
    use crate::resource::site::STACK_METADATA;
    use crate::resource::site::index::SWITCH;

    #[test]
    fn the_page_is_repaired_under_its_own_key_and_in_an_open_window() {
        let page = Content::in_memory(b"page", ObjectHeaders::new("text/html", "no-store"));
        let same = || Claim::Nothing;
        let none = || Claim::Put { before: None, served: None };
        let other = || Claim::Put { before: Some("x".into()), served: Some(Served::default()) };
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let shown = |pairs: &[(&str, &str)]| {
            let metadata = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Some(Shown { etag: "w".into(), metadata, ..Shown::default() })
        };
        let ours = (STACK_METADATA, "shop");
        let window = (WINDOW, "w");
        let new = shown(&[ours, window, (PAGE, &page.md5)]);
        let old = shown(&[ours, window, (PAGE, "x")]);
        for (own, on, puts, notices) in [
            (none(), None, vec!["m.html"], 0),
            (same(), None, vec![], 0),
            (other(), None, vec!["m.html"], 0),
            (same(), new.clone(), vec![], 0),
            (same(), old.clone(), vec!["m-on.html"], 0),
            (other(), old.clone(), vec!["m.html", "m-on.html"], 0),
            (none(), old, vec!["m.html", "m-on.html"], 0),
            (none(), new, vec!["m.html"], 0),
            (other(), shown(&[ours, window, (PAGE, "x"), (ONCE, "true")]), vec!["m.html"], 1),
            (same(), shown(&[]), vec![], 1),
            // No window of ours: a user renamed a page of ours, or wants this key for something.
            (same(), shown(&[ours, (PAGE, "x")]), vec![], 1),
            (none(), shown(&[(STACK_METADATA, "shop-2"), (PAGE, "x")]), vec!["m.html"], 1),
        ] {
            let live = Live { own, on, opens: false };
            let plan = || {
                plan(
                    &"shop".parse().unwrap(),
                    &"shop-1".parse().unwrap(),
                    &keys,
                    &Settings { content: page.clone() },
                    &live,
                    false,
                )
                .whole()
            };
            let planned = plan();
            assert_eq!(
                planned.ops.iter().map(|op| op.change().address.name).collect::<Vec<_>>(),
                puts,
                "{live:?}"
            );
            assert_eq!(planned.notices.len(), notices, "{live:?}");
            assert_eq!(planned.ops, plan().ops, "a saved plan would not be equal");
        }
    }

    /// The op under the page's own key, and the one in an open window.
    #[test]
    fn what_people_put_beside_the_page_stays_where_the_page_is_replaced() {
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let page = Content::in_memory(b"page", ObjectHeaders::new("text/html", "no-store"));
        let (stack, bucket) = ("shop".parse().unwrap(), "shop-1".parse().unwrap());
        let pairs = |names: &[&str]| -> Metadata {
            names.iter().map(|name| ((*name).to_owned(), String::new())).collect()
        };
        let seen = pairs(&["status", SWITCH, WINDOW]);
        let window = Shown { metadata: pairs(&[WINDOW]), ..Shown::default() };
        let ours = (STACK_METADATA.to_owned(), "shop".to_owned());
        let on = Shown { metadata: window.metadata.into_iter().chain([ours]).collect(), ..window };
        for (before, kept) in [(None, [false, false]), (Some("x".to_owned()), [true, false])] {
            let own = Claim::Put { before, served: None };
            let live = Live { own, on: Some(on.clone()), opens: false };
            let desired = Settings { content: page.clone() };
            let planned = plan(&stack, &bucket, &keys, &desired, &live, false).whole();
            let keeps = planned.ops.iter().map(|op| {
                let Op::Put(put) = op else { panic!("{op:?}") };
                let written = put.metadata_over(Some(&seen));
                assert_eq!(written.get(STACK_METADATA).map(String::as_str), Some("shop"));
                written.contains_key("status")
            });
            assert_eq!(keeps.collect::<Vec<_>>(), kept);
        }
    }

    #[test]
    fn what_somebody_else_put_is_taken_over_and_shown_only_where_it_was_said() {
        let page = Content::in_memory(b"page", ObjectHeaders::new("text/html", "no-store"));
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let theirs = || Some(Shown::default());
        let ours = [(STACK_METADATA.to_owned(), "shop".to_owned())];
        let renamed = || Some(Shown { metadata: ours.clone().into(), ..Shown::default() });
        let foreign = || Claim::Foreign("x".into());
        for (own, on, opens, adopt, conflicts, puts) in [
            (foreign(), None, false, false, vec!["m.html"], 0),
            (foreign(), None, false, true, vec![], 1),
            (Claim::Nothing, theirs(), false, false, vec![], 0),
            (Claim::Nothing, theirs(), true, false, vec!["m-on.html"], 0),
            (Claim::Nothing, theirs(), true, true, vec![], 0),
            (foreign(), theirs(), true, false, vec!["m.html", "m-on.html"], 0),
            (Claim::Nothing, renamed(), true, false, vec!["m-on.html"], 0),
        ] {
            let live = Live { own, on, opens };
            let (stack, bucket) = ("shop".parse().unwrap(), "shop-1".parse().unwrap());
            let planned =
                plan(&stack, &bucket, &keys, &Settings { content: page.clone() }, &live, adopt)
                    .whole();
            let names: Vec<_> =
                planned.conflicts.into_iter().map(|conflict| conflict.address.name).collect();
            assert_eq!(
                (names, planned.ops.len()),
                (conflicts.into_iter().map(str::to_owned).collect(), puts),
                "{live:?}"
            );
        }
    }
}
