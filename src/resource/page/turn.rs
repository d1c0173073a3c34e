//! Turning the switch: one write. The page stays under its own key; `on` puts a copy of it under
//! the on key, `off` deletes that. There is no state in between, so there is none that another turn
//! could take for something else.
//!
//! What people leave who rename the page by hand is read as visitors get it, and its own key is
//! filled again first.

use super::window::{self, State};
use super::{Keys, Metadata, Op, Side, Sides, is_ours};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, ObjectKey, StackName};
use crate::resource::Planned;
use crate::resource::content::Content;
use crate::resource::site::STACK_METADATA;

/// What visitors shall get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The page.
    On(On),
    /// The site.
    Off {
        /// The standard page, in case that it lies nowhere any more.
        standard: Content,
    },
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// Its metadata. What an open or scheduled window has more of (its end, its bypass) stays.
    pub window: Metadata,
    /// What of that does not stay.
    pub without: Vec<&'static str>,
    /// Another page than the standard one, for this window only.
    pub once: Option<Content>,
    /// The standard page, in case that it lies nowhere any more.
    pub standard: Content,
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
    let marks = [&sides.off, &sides.on]
        .into_iter()
        .flatten()
        .filter_map(|side| side.metadata.get(STACK_METADATA));
    if let Some(owner) = marks.into_iter().find(|mark| *mark != stack.as_str()) {
        turn.planned.conflicts.push(Conflict {
            address: Address::new(Kind::Page, &keys.on),
            reason: format!("bucket {bucket} holds the page of stack `{owner}`, not of `{stack}`"),
            hint:
                "correct `bucket.name` in the spec, or turn the switch with the spec of that stack"
                    .into(),
        });
        return turn.planned;
    }
    if let Some(told) = sides.elsewhere(stack, keys) {
        turn.planned.conflicts.push(Conflict {
            address: Address::new(Kind::Page, &keys.on),
            reason: format!(
                "the function that was deployed last looks at {told}, not at {} as the \
                spec says",
                keys.on
            ),
            hint: "run `provision apply` first, or turn the switch with the spec that was applied \
                last"
                .into(),
        });
        return turn.planned;
    }
    let theirs = |side: &Side| !is_ours(&side.metadata, stack);
    if sides.off.as_ref().is_some_and(theirs) && sides.on.as_ref().is_none_or(theirs) {
        turn.planned.conflicts.push(Conflict {
            address: Address::new(Kind::Page, &keys.off),
            reason: format!(
                "bucket {bucket} holds an object under this key that `provision` did \
                not put"
            ),
            hint: "`provision plan` says what else is not ours; `provision apply --adopt page` \
                takes it over"
                .into(),
        });
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
                planned.iter().any(|op| matches!(op, Op::Put { key, .. } if *key == keys.on));
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
        let standard = self.standard_page(&wanted.standard, sides);
        let open = sides.on.as_ref().filter(|_| sides.state().lasts());
        let mut window = wanted.window.clone();
        if let Some(open) = open {
            self.go_on(&mut window, open, sides.state(), &wanted.without);
        }
        // Another page than the standard one stays for the whole of its window, also one that
        // somebody put by hand.
        let kept = open.filter(|open| {
            open.metadata.contains_key(window::ONCE) || !is_ours(&open.metadata, self.stack)
        });
        if let Some(kept) = kept.filter(|_| wanted.once.is_none()) {
            let whose = if is_ours(&kept.metadata, self.stack) {
                "another page than the standard one"
            } else {
                "the page that was put by hand"
            };
            self.note(
                &self.keys.on,
                &format!("{whose} stays for this window; `provision maintenance off` ends it"),
            );
        }
        let page = wanted.once.as_ref().or(kept.map(|open| &open.page)).unwrap_or(&standard);
        if page.md5 != standard.md5 {
            window.insert(window::ONCE.to_owned(), "true".to_owned());
        }
        if window::judge(Some(&window), sides.seen) == State::Over || never_opens(&window) {
            self.planned.conflicts.push(Conflict {
                address: Address::new(Kind::Page, &self.keys.on),
                reason: "the window would be over before it begins".into(),
                hint: "give it another end with `--for` or `--until`, or none with `--no-end`"
                    .into(),
            });
            return;
        }
        if sides.state().shows_page()
            && window::judge(Some(&window), sides.seen) == State::Scheduled
        {
            self.planned.conflicts.push(Conflict {
                address: Address::new(Kind::Page, &self.keys.on),
                reason: "maintenance is on, and visitors would see the site until that moment"
                    .into(),
                hint: "leave `--from` out to keep it on; or run `provision maintenance off` first"
                    .into(),
            });
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
        let theirs =
            open.or(sides.off.as_ref()).or(sides.on.as_ref()).map(theirs).unwrap_or_default();
        let before = sides.on.as_ref();
        self.planned.ops.push(Op::Put {
            bucket: self.bucket.clone(),
            stack: self.stack.clone(),
            key: self.keys.on.clone(),
            content: window::marked(page, &wanted.mark),
            before: before.map(|on| on.etag.clone()),
            served: None,
            adopts: false,
            replaced: before.map(|on| on.metadata.clone()).unwrap_or_default(),
            metadata: theirs.into_iter().chain(window).collect(),
        });
    }

    fn off(&mut self, standard: &Content, sides: &Sides) {
        let _ = self.standard_page(standard, sides);
        let Some(on) = &sides.on else { return };
        if !is_ours(&on.metadata, self.stack) {
            self.note(&self.keys.on, "was put by hand");
        }
        let (bucket, key, before) = (self.bucket.clone(), self.keys.on.clone(), on.etag.clone());
        self.planned.ops.push(Op::Remove { bucket, key, before });
    }

    /// The page under its own key. Where it is not there, it is put back first: from under the on
    /// key, or as the spec has it.
    fn standard_page(&mut self, standard: &Content, sides: &Sides) -> Content {
        if let Some(off) = &sides.off {
            return off.page.clone();
        }
        let renamed = sides.on.as_ref().filter(|on| !on.metadata.contains_key(window::ONCE));
        let text = match renamed {
            Some(_) => "lay under the on key alone, and is put back under its own key first",
            None => {
                "was lost, and is uploaded again; if the keys of the spec are not those that were \
                    applied last, visitors see no change"
            }
        };
        self.note(&self.keys.off, text);
        let page = renamed.map_or(standard, |on| &on.page).clone();
        self.planned.ops.push(Op::Put {
            bucket: self.bucket.clone(),
            stack: self.stack.clone(),
            key: self.keys.off.clone(),
            content: page.clone(),
            before: None,
            served: None,
            adopts: false,
            replaced: Metadata::new(),
            metadata: renamed
                .map(theirs)
                .unwrap_or_default()
                .into_iter()
                .chain(self.keys.told())
                .collect(),
        });
        page
    }

    /// What an open or scheduled window has and the new one does not say.
    fn go_on(&mut self, window: &mut Metadata, open: &Side, state: State, without: &[&str]) {
        if let Some(since) = open.metadata.get(window::SINCE).filter(|_| state.shows_page()) {
            window.insert(window::SINCE.to_owned(), since.clone());
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
