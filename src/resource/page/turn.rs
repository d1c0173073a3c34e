//! Turning the switch: copy, then remove, so that the page is never gone. Re-entrant: every state that an interrupted turn can
//! leave is a state that the next turn starts from.

use super::{Keys, Metadata, Op, Side, Sides, window};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, StackName};
use crate::resource::Planned;
use crate::resource::content::Content;
use crate::resource::site::STACK_METADATA;

/// Where the page shall lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Visitors see the page.
    On {
        /// The window. Without a bypass in it, the one in force stays.
        window: Metadata,
        /// Another page than the standard one, for this window only.
        once: Option<Content>,
    },
    /// Visitors see the site.
    Off {
        /// The standard page, in case that it lies nowhere any more.
        standard: Content,
    },
}

/// Plans the turn.
#[must_use]
pub fn plan(stack: &StackName, bucket: &BucketName, keys: &Keys, wanted: &Wanted, sides: &Sides) -> Planned<Op> {
    let turn = Turn { stack, bucket, keys };
    match wanted {
        Wanted::On { window, once } => turn.on(window, once.as_ref(), sides),
        Wanted::Off { standard } => turn.off(standard, sides),
    }
}

struct Turn<'a> {
    stack: &'a StackName,
    bucket: &'a BucketName,
    keys: &'a Keys,
}

impl Turn<'_> {
    fn on(&self, window: &Metadata, once: Option<&Content>, sides: &Sides) -> Planned<Op> {
        let mut planned = Planned::default();
        let keys = self.keys;
        match (once, &sides.on, &sides.off) {
            (Some(content), on, off) => {
                if let (Some(on), None) = (on, off) {
                    planned.ops.push(self.copy(on, &keys.on, &keys.off, &Metadata::new()));
                }
                let before = on.as_ref().map(|on| on.etag.clone());
                let mut wanted = on.as_ref().map_or_else(|| window.clone(), |on| continued(window, on));
                wanted.insert(window::ONCE.to_owned(), "true".to_owned());
                planned.ops.push(self.put(&keys.on, content, before, wanted));
            }
            (None, None, None) => planned.conflicts.push(Conflict {
                address: Address::new(Kind::Page, &keys.off),
                reason: "the page lies under neither key, so there is nothing to show".into(),
                hint: "run `provision apply`, which uploads it, or name a page with `--page FILE`".into(),
            }),
            (None, None, Some(off)) => {
                planned.ops.push(self.copy(off, &keys.off, &keys.on, window));
                planned.ops.push(self.remove(&keys.off, off));
            }
            (None, Some(on), off) => {
                let mut wanted = continued(window, on);
                let judged = |metadata: &Metadata| window::JUDGED.map(|name| metadata.get(name).cloned());
                let is_once = on.metadata.contains_key(window::ONCE);
                if judged(&wanted) != judged(&on.metadata) {
                    if is_once {
                        wanted.insert(window::ONCE.to_owned(), "true".to_owned());
                    }
                    planned.ops.push(self.copy(on, &keys.on, &keys.on, &wanted));
                }
                // Under both keys without a reason: an earlier turn was interrupted.
                planned.ops.extend(off.as_ref().filter(|_| !is_once).map(|off| self.remove(&keys.off, off)));
            }
        }
        planned
    }

    fn off(&self, standard: &Content, sides: &Sides) -> Planned<Op> {
        let mut planned = Planned::default();
        let keys = self.keys;
        match (&sides.on, &sides.off) {
            (Some(on), off) => {
                match off {
                    Some(_) => {}
                    None if on.metadata.contains_key(window::ONCE) => {
                        planned.ops.push(self.put(&keys.off, standard, None, Metadata::new()));
                    }
                    None => planned.ops.push(self.copy(on, &keys.on, &keys.off, &Metadata::new())),
                }
                planned.ops.push(self.remove(&keys.on, on));
            }
            (None, Some(_)) => {}
            (None, None) => planned.notices.push(Notice {
                address: Address::new(Kind::Page, &keys.off),
                text: "lies under neither key: visitors see the site, but the page is lost; `provision apply` uploads it again".into(),
            }),
        }
        planned
    }

    /// Onto itself, or to where nothing is.
    fn copy(&self, side: &Side, from: &crate::name::ObjectKey, to: &crate::name::ObjectKey, window: &Metadata) -> Op {
        let before = (from == to).then(|| side.etag.clone());
        let replaced = if from == to { side.metadata.clone() } else { Metadata::new() };
        let own = side.metadata.iter().filter(|(name, _)| !window::ALL.contains(&name.as_str()));
        Op::Copy {
            bucket: self.bucket.clone(),
            from: from.clone(),
            to: to.clone(),
            source: side.etag.clone(),
            before,
            replaced,
            content_type: side.content_type.clone(),
            cache_control: side.cache_control.clone(),
            metadata: own
                .chain(window)
                .map(|(name, value)| (name.clone(), value.clone()))
                .chain([(STACK_METADATA.to_owned(), self.stack.to_string())])
                .collect(),
        }
    }

    fn put(&self, key: &crate::name::ObjectKey, content: &Content, before: Option<String>, window: Metadata) -> Op {
        Op::Put {
            bucket: self.bucket.clone(),
            stack: self.stack.clone(),
            key: key.clone(),
            content: content.clone(),
            before,
            window: Some(window),
        }
    }

    fn remove(&self, key: &crate::name::ObjectKey, side: &Side) -> Op {
        Op::Remove { bucket: self.bucket.clone(), key: key.clone(), before: side.etag.clone() }
    }
}

/// The window after another `on`: it was turned on when it was, and a bypass stays unless there is a new one.
fn continued(window: &Metadata, on: &Side) -> Metadata {
    let mut window = window.clone();
    if let Some(since) = on.metadata.get(window::SINCE) {
        window.insert(window::SINCE.to_owned(), since.clone());
    }
    if let Some(bypass) = on.metadata.get(window::BYPASS) {
        window.entry(window::BYPASS.to_owned()).or_insert_with(|| bypass.clone());
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the rows below read as `Sides` do")]
    fn side(etag: &str, metadata: &[(&str, &str)]) -> Option<Side> {
        let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Some(Side { etag: etag.into(), content_type: "text/html".into(), cache_control: "no-store".into(), metadata })
    }

    fn ops(wanted: &Wanted, off: Option<Side>, on: Option<Side>) -> Vec<String> {
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &keys, wanted, &Sides { off, on });
        let shown = planned.ops.iter().map(|op| match op {
            Op::Copy { from, to, .. } => format!("{from} > {to}"),
            Op::Put { key, .. } => format!("put {key}"),
            Op::Remove { key, .. } => format!("remove {key}"),
        });
        shown.chain(planned.conflicts.into_iter().map(|_| "conflict".to_owned())).collect()
    }

    fn until(moment: &str) -> Metadata {
        Metadata::from([(window::UNTIL.to_owned(), moment.to_owned())])
    }

    #[test]
    fn the_switch_turns_once_and_from_every_state() {
        let page = Content::in_memory(b"page", "text/html", "no-store");
        let on = |window: Metadata| Wanted::On { window, once: None };
        let off = Wanted::Off { standard: page.clone() };
        let plain = on(Metadata::new());
        let nothing: [&str; 0] = [];
        assert_eq!(ops(&plain, side("p", &[]), None), ["m.html > m-on.html", "remove m.html"]);
        assert_eq!(ops(&plain, None, side("p", &[])), nothing, "already");
        assert_eq!(ops(&plain, side("p", &[]), side("p", &[])), ["remove m.html"], "interrupted between copy and remove");
        assert_eq!(ops(&plain, None, None), ["conflict"]);
        assert_eq!(ops(&on(until("t")), None, side("p", &[(window::UNTIL, "t"), (window::BY, "x")])), nothing);
        assert_eq!(ops(&on(until("t")), None, side("p", &[(window::UNTIL, "s")])), ["m-on.html > m-on.html"]);
        assert_eq!(ops(&plain, None, side("p", &[(window::BYPASS, "h")])), nothing, "the team stays in");
        assert_eq!(ops(&off, None, side("p", &[])), ["m-on.html > m.html", "remove m-on.html"]);
        assert_eq!(ops(&off, side("p", &[]), side("p", &[])), ["remove m-on.html"], "interrupted between copy and remove");
        assert_eq!(ops(&off, side("p", &[]), None), nothing, "already");
    }

    #[test]
    fn a_page_for_one_window_leaves_the_standard_page_alone() {
        let page = Content::in_memory(b"page", "text/html", "no-store");
        let once = Wanted::On { window: Metadata::new(), once: Some(page.clone()) };
        let off = Wanted::Off { standard: page };
        assert_eq!(ops(&once, side("p", &[]), None), ["put m-on.html"]);
        assert_eq!(ops(&once, None, side("p", &[])), ["m-on.html > m.html", "put m-on.html"]);
        assert_eq!(ops(&off, side("p", &[]), side("q", &[(window::ONCE, "true")])), ["remove m-on.html"]);
        assert_eq!(ops(&off, None, side("q", &[(window::ONCE, "true")])), ["put m.html", "remove m-on.html"]);
        let plain = Wanted::On { window: Metadata::new(), once: None };
        assert_eq!(ops(&plain, side("p", &[]), side("q", &[(window::ONCE, "true")])), [""; 0]);
    }

    #[test]
    fn what_is_in_force_stays_where_nobody_says_otherwise() {
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let page = Content::in_memory(b"page", "text/html", "no-store");
        let on = side("p", &[(window::SINCE, "first"), (window::BYPASS, "h"), (window::UNTIL, "t"), (window::BY, "x")]);
        let given = [(window::SINCE, "now"), (window::BY, "y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (once, shown) in [
            (None, vec!["by: x -> y", "until: t -> -"]),
            (Some(page), vec!["by: - -> y", "once: - -> true", "since: - -> first", "bypass: - -> by link and cookie"]),
        ] {
            let wanted = Wanted::On { window: given.clone().into(), once };
            let sides = Sides { off: side("q", &[]), on: on.clone() };
            let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &keys, &wanted, &sides);
            let fields = planned.ops[0].change().fields.into_iter().filter(|field| field.field != "etag");
            let side = |value: Option<String>| value.unwrap_or_else(|| "-".into());
            let told: Vec<String> =
                fields.map(|field| format!("{}: {} -> {}", field.field, side(field.before), side(field.after))).collect();
            assert_eq!(told, shown);
        }
    }

    #[test]
    fn the_window_goes_with_the_page_and_comes_back_off() {
        let keys = Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() };
        let sides = Sides { off: None, on: side("p", &[(window::UNTIL, "t"), ("theirs", "kept")]) };
        let wanted = Wanted::Off { standard: Content::in_memory(b"page", "text/html", "no-store") };
        let planned = plan(&"shop".parse().unwrap(), &"shop-1".parse().unwrap(), &keys, &wanted, &sides);
        let Op::Copy { metadata, .. } = &planned.ops[0] else { panic!("{planned:?}") };
        assert_eq!(metadata.keys().collect::<Vec<_>>(), ["provision-stack", "theirs"]);
    }
}
