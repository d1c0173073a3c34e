//! Turning the switch: one write. The page stays under its own key; `on` puts a copy of it under
//! the on key, `off` deletes that. There is no state in between, so there is none that another turn
//! could take for something else.
//!
//! What people leave who rename the page by hand is read as visitors get it, and its own key is
//! filled again first.

use super::window::{self, State};
use super::{Keys, Metadata, Op, Put, Side, Sides, is_ours};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, ObjectKey, StackName};
use crate::resource::content::Content;
use crate::resource::{Planned, site};

/// What visitors shall get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The page.
    On(On),
    /// The site.
    Off {
        /// The standard page, in case that it is nowhere any more.
        standard: Standard,
    },
}

/// The page that the spec names, or why it cannot be read.
pub type Standard = Result<Content, String>;

/// A window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// Its metadata. What an open or scheduled window has more of (its end, its bypass) stays.
    pub window: Metadata,
    /// What of that does not stay.
    pub without: Vec<&'static str>,
    /// Another page than the standard one, for this window only.
    pub once: Option<Content>,
    /// The standard page, in case that it is nowhere any more.
    pub standard: Standard,
    /// 128 bits in hex that no other write has.
    pub mark: String,
}

/// Plans the turn.
#[must_use]
pub fn plan(
    stack: &StackName,
    bucket: &BucketName,
    keys: &Keys,
    wanted: &Wanted,
    sides: &Sides,
) -> Planned<Op> {
    let mut turn = Turn { stack, bucket, keys, planned: Planned::default() };
    let conflict = if let Some(owner) = sides.owner(stack) {
        Some(Conflict {
            address: Address::new(Kind::Page, &keys.on),
            reason: format!("bucket {bucket} holds the page of stack `{owner}`, not of `{stack}`"),
            hint: "correct `bucket.name` in the spec, or turn the switch with the spec of that \
                stack"
                .into(),
        })
    } else {
        sides.elsewhere(stack, keys).map(|reason| Conflict {
            address: Address::new(Kind::Page, &keys.on),
            reason,
            hint: "turn the switch with the spec that was applied last; `provision apply` deploys \
                this one"
                .into(),
        })
    };
    if let Some(conflict) = conflict {
        turn.planned.conflicts.push(conflict);
        return turn.planned;
    }
    match wanted {
        Wanted::On(on) => turn.on(on, sides),
        Wanted::Off { standard } => turn.off(standard, sides),
    }
    turn.planned
}

/// Does the switch stand as the turn wanted it? Of an `on` only its own window counts; one that had
/// nothing to write is content with any.
#[must_use]
pub fn holds(wanted: &Wanted, keys: &Keys, planned: &[&Op], on: Option<&Side>) -> bool {
    match wanted {
        Wanted::On(wanted) => {
            let sets_a_window =
                planned.iter().any(|op| matches!(op, Op::Put(put) if put.object.key == keys.on));
            on.is_some_and(|on| {
                !sets_a_window || on.metadata.get(window::WINDOW) == Some(&wanted.mark)
            })
        }
        Wanted::Off { .. } => on.is_none(),
    }
}

struct Turn<'a> {
    stack: &'a StackName,
    bucket: &'a BucketName,
    keys: &'a Keys,
    planned: Planned<Op>,
}

impl Turn<'_> {
    fn on(&mut self, wanted: &On, sides: &Sides) {
        let open = sides.on.as_ref().filter(|_| sides.state().lasts());
        let own = sides.off.as_ref().filter(|off| is_ours(&off.metadata, self.stack));
        // What is under the own key may be a stranger's: then nobody publishes it.
        let standard = match (&sides.off, own) {
            (Some(_), None) => None,
            _ => self.standard_page(&wanted.standard, sides),
        };
        let mut window = wanted.window.clone();
        if let Some(open) = open {
            self.go_on(&mut window, open, sides.state(), &wanted.without);
        }
        // Another page than the standard one stays for the whole of its window, also one that
        // another user put by hand.
        let is_other = |open: &&Side| {
            let by_hand = !is_ours(&open.metadata, self.stack);
            by_hand || open.metadata.contains_key(window::ONCE) || standard.is_none()
        };
        let kept = open.filter(is_other);
        if let Some(kept) = kept.filter(|_| wanted.once.is_none()) {
            let whose = if is_ours(&kept.metadata, self.stack) {
                "the page that visitors get now"
            } else {
                "the page that was put by hand"
            };
            self.note(
                &self.keys.on,
                &format!("{whose} stays for this window; `provision maintenance off` ends it"),
            );
        }
        let shown = wanted.once.as_ref().or(kept.map(|open| &open.page)).or(standard.as_ref());
        let Some(page) = shown else {
            if self.planned.conflicts.is_empty() {
                self.planned.conflicts.push(Conflict {
                    address: Address::new(Kind::Page, &self.keys.off),
                    reason: "`provision` did not put the object under this key, and does not show \
                        it to visitors"
                        .into(),
                    hint: "take it over with `provision apply --adopt page`, or show another page \
                        with `--page FILE`"
                        .into(),
                });
            }
            return;
        };
        if standard.as_ref().is_none_or(|standard| page.md5 != standard.md5) {
            window.insert(window::ONCE.to_owned(), "true".to_owned());
        }
        if self.refuses(&window, sides) {
            return;
        }
        let judged = |metadata: &Metadata| window::JUDGED.map(|name| metadata.get(name).cloned());
        if open.is_some_and(|open| {
            judged(&window) == judged(&open.metadata) && page.md5 == open.page.md5
        }) {
            return;
        }
        window.insert(window::PAGE.to_owned(), page.md5.clone());
        window.insert(window::WINDOW.to_owned(), wanted.mark.clone());
        let theirs = open.or(own).or(sides.on.as_ref()).map(theirs).unwrap_or_default();
        let before = sides.on.as_ref();
        let replaced = before.map(|on| on.metadata.clone()).unwrap_or_default();
        let (etag, content) =
            (before.map(|on| on.etag.clone()), window::marked(page, &wanted.mark));
        let metadata = theirs.into_iter().chain(window).collect();
        self.put(&self.keys.on, content, etag, replaced, metadata);
    }

    /// Refuses a window that would never open, and one that would close an open one first.
    fn refuses(&mut self, window: &Metadata, sides: &Sides) -> bool {
        let state = window::judge(Some(window), sides.seen);
        let (reason, hint) = if state == State::Over || never_opens(window) {
            (
                "the window would be over before it begins",
                "give it another end with `--for` or `--until`, or none with `--no-end`",
            )
        } else if sides.state().shows_page() && state == State::Scheduled {
            (
                "maintenance is on, and visitors would see the site until that moment",
                "leave `--from` out to keep it on; or run `provision maintenance off` first",
            )
        } else {
            return false;
        };
        let address = Address::new(Kind::Page, &self.keys.on);
        let (reason, hint) = (reason.into(), hint.into());
        self.planned.conflicts.push(Conflict { address, reason, hint });
        true
    }

    fn off(&mut self, standard: &Standard, sides: &Sides) {
        let _ = self.standard_page(standard, sides);
        // The window ends, whatever else is lost.
        for conflict in std::mem::take(&mut self.planned.conflicts) {
            self.note(&self.keys.off, &conflict.reason);
        }
        let Some(on) = &sides.on else { return };
        if !is_ours(&on.metadata, self.stack) {
            self.note(&self.keys.on, "was put by hand");
        }
        let (bucket, key, before) = (self.bucket.clone(), self.keys.on.clone(), on.etag.clone());
        self.planned.ops.push(Op::Remove { bucket, key, before });
    }

    /// The page under its own key. Where it is not there, it is put back first: from under the on
    /// key, or as the spec has it.
    fn standard_page(&mut self, standard: &Standard, sides: &Sides) -> Option<Content> {
        if let Some(off) = &sides.off {
            return Some(off.page.clone());
        }
        let renamed = sides.on.as_ref().filter(|on| !on.metadata.contains_key(window::ONCE));
        let page = match (renamed, standard) {
            (Some(on), _) => {
                let text = "lay under the on key alone, and is put back under its own key first";
                self.note(&self.keys.off, text);
                on.page.clone()
            }
            (None, Ok(standard)) => {
                self.note(&self.keys.off, "was lost, and is uploaded again");
                standard.clone()
            }
            (None, Err(why)) => {
                self.planned.conflicts.push(Conflict {
                    address: Address::new(Kind::Page, &self.keys.off),
                    reason: format!("the page was lost, and cannot be put back: {why}"),
                    hint: "restore that file, or show another page with `--page FILE`".into(),
                });
                return None;
            }
        };
        let theirs = renamed.map(theirs).unwrap_or_default();
        let metadata = theirs.into_iter().chain(self.keys.told()).collect();
        self.put(&self.keys.off, page.clone(), None, Metadata::new(), metadata);
        Some(page)
    }

    /// What an open or scheduled window has and the new one does not say.
    fn go_on(&mut self, window: &mut Metadata, open: &Side, state: State, without: &[&str]) {
        // The same window, said again later, is no other one.
        let waits = state == State::Scheduled
            && window
                .get(window::FROM)
                .is_some_and(|from| open.metadata.get(window::FROM) == Some(from));
        if let Some(since) =
            open.metadata.get(window::SINCE).filter(|_| state.shows_page() || waits)
        {
            window.insert(window::SINCE.to_owned(), since.clone());
        }
        let begins = open.metadata.get(window::FROM).filter(|_| state == State::Scheduled);
        if let Some(from) = begins.filter(|_| !window.contains_key(window::FROM)) {
            self.note(
                &self.keys.on,
                &format!("was to begin at {from}, and begins now; to begin later, give `--from`"),
            );
        }
        for (name, flag) in [(window::UNTIL, "--no-end"), (window::BYPASS, "--no-bypass")] {
            let Some(value) = open
                .metadata
                .get(name)
                .filter(|_| !window.contains_key(name) && !without.contains(&name))
            else {
                continue;
            };
            let label = name.trim_start_matches("provision-");
            let value_shown = if name == window::BYPASS { "" } else { value.as_str() };
            self.note(
                &self.keys.on,
                &format!(
                    "{} stays; `{flag}` drops it",
                    format!("{label} {value_shown}").trim_end()
                ),
            );
            window.insert(name.to_owned(), value.clone());
        }
    }

    fn put(
        &mut self,
        key: &ObjectKey,
        content: Content,
        before: Option<String>,
        replaced: Metadata,
        metadata: Metadata,
    ) {
        let object = site::Put {
            bucket: self.bucket.clone(),
            stack: self.stack.clone(),
            key: key.clone(),
            content,
            before,
            served: None,
            adopts: false,
        };
        self.planned.ops.push(Op::Put(Put { object, leaves: None, replaced, metadata }));
    }

    fn note(&mut self, key: &ObjectKey, text: &str) {
        self.planned
            .notices
            .push(Notice { address: Address::new(Kind::Page, key), text: text.to_owned() });
    }
}

fn theirs(side: &Side) -> Metadata {
    window::theirs(&side.metadata)
}

fn never_opens(window: &Metadata) -> bool {
    let moment = |name| window::moment(window, name);
    moment(window::FROM).zip(moment(window::UNTIL)).is_some_and(|(from, until)| until <= from)
}

#[cfg(test)]
mod tests;
