//! Sections and their keys: what is there, what is unknown, what is given twice.

use super::Given;
use super::nearest::{listed, nearest};
use crate::spec::keys::{self, Key, TABLE};
use crate::spec::node::{Entry, Node, Value};
use crate::spec::problem::{Place, Problem, visible};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Reads a tree and gathers the problems on the way.
pub(super) struct Reader<'p> {
    pub(super) problems: &'p mut Vec<Problem>,
    pub(super) given: BTreeMap<String, Given>,
    pub(super) mentioned: BTreeSet<String>,
}

/// The keys of one section; empty if the section is not there.
pub(super) struct Section<'n> {
    name: &'static str,
    entries: BTreeMap<&'n str, &'n Entry>,
}

impl<'n> Section<'n> {
    /// Whether the key stands in the file, with whatever value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The key with its value.
    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.row(key)?;
        self.entries.get(key).copied()
    }

    /// The least and the most that the number under `key` may be.
    pub(super) fn range(&self, key: &str) -> RangeInclusive<u64> {
        self.row(key).map_or(0..=u64::MAX, |row| row.value.range())
    }

    /// The words that `key` takes.
    pub(super) fn words(&self, key: &str) -> Vec<&'static str> {
        self.row(key).map_or_else(Vec::new, |row| row.value.words())
    }

    /// The key in the table. A key that is read and not there could never be given: a mistake of
    /// the decoder, which every test of a spec meets.
    fn row(&self, key: &str) -> Option<&'static Key> {
        let row = keys::find(&self.address(key));
        debug_assert!(row.is_some(), "`{}` is not in the table of keys", self.address(key));
        row
    }

    /// The key's full name: `bucket.site`.
    pub(super) fn address(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

impl<'p> Reader<'p> {
    pub(super) fn new(problems: &'p mut Vec<Problem>) -> Self {
        Self { problems, given: BTreeMap::new(), mentioned: BTreeSet::new() }
    }

    /// The whole file as a section.
    pub(super) fn top<'n>(&mut self, tree: &'n Node) -> Section<'n> {
        self.open("", tree, &tree.place, &[])
    }

    /// The section under `key`.
    pub(super) fn section<'n>(&mut self, parent: &Section<'n>, key: &str) -> Section<'n> {
        self.section_with_refusals(parent, key, &[])
    }

    /// The section under `key`; keys of `refused` are known, but refused with a reason.
    pub(super) fn section_with_refusals<'n>(
        &mut self,
        parent: &Section<'n>,
        key: &str,
        refused: &[Refused],
    ) -> Section<'n> {
        let name = parent.row(key).map_or("", |row| row.path);
        match parent.entry(key) {
            Some(entry) => self.open(name, &entry.value, &entry.key.place, refused),
            None => Section { name, entries: BTreeMap::new() },
        }
    }

    fn open<'n>(
        &mut self,
        name: &'static str,
        node: &'n Node,
        place: &Place,
        refused: &[Refused],
    ) -> Section<'n> {
        let known: &[&str] = &keys::below(name).map(Key::name).collect::<Vec<_>>();
        let mut section = Section { name, entries: BTreeMap::new() };
        let entries = match &node.value {
            Value::Map(entries) => entries,
            // `bucket:` with every key below it commented out means the defaults.
            Value::Null | Value::Broken => return section,
            _ => {
                let title =
                    if name.is_empty() { "the spec".to_owned() } else { format!("`{name}`") };
                let what = format!("{title} must be keys with values, found {}", node.described());
                let rule = format!("the keys are {}", listed(known));
                let key = known.first().copied().unwrap_or_default();
                self.problems.push(Problem::error(
                    place,
                    what,
                    rule,
                    format!("write `{key}: …` and so on, each on its own line"),
                ));
                return section;
            }
        };
        let entries = self.distinct(entries);
        for &(key, entry) in &entries {
            if let Some(refusal) = refused.iter().find(|refusal| refusal.keys.contains(&key)) {
                self.problems.push(refusal.problem(name, key, &entry.key.place));
            } else if known.contains(&key) {
                self.mentioned.insert(section.address(key));
                section.entries.insert(key, entry);
            } else {
                self.problems.push(unknown(name, key, &entry.key.place, known));
            }
        }
        // What stands below a misspelt key is read as if it were spelt well, so that its problems
        // are told now, too.
        let misspelt = |key: &str| {
            !known.contains(&key) && !refused.iter().any(|refusal| refusal.keys.contains(&key))
        };
        for (key, entry) in entries.into_iter().filter(|(key, _)| misspelt(key)) {
            if let Some(meant) = nearest(key, known).filter(|meant| !section.has(meant)) {
                self.mentioned.insert(section.address(meant));
                section.entries.insert(meant, entry);
            }
        }
        section
    }

    /// The entries with their keys as text, each key once.
    pub(super) fn distinct<'n>(&mut self, entries: &'n [Entry]) -> Vec<(&'n str, &'n Entry)> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut kept = Vec::new();
        for entry in entries {
            let Value::Text(key) = &entry.key.value else {
                let what = format!("a key must be text, found {}", entry.key.described());
                let fix = if entry.key.written.is_empty() {
                    "write a word before the `:`".to_owned()
                } else {
                    format!("write `\"{}\"`", entry.key.shown())
                };
                self.problems.push(Problem::error(
                    &entry.key.place,
                    what,
                    "YAML reads an unquoted number, `true` and `~` as such",
                    fix,
                ));
                continue;
            };
            if seen.insert(key) {
                kept.push((key.as_str(), entry));
            } else {
                let what = format!("the key `{}` is given twice", visible(key));
                self.problems.push(Problem::error(
                    &entry.key.place,
                    what,
                    "YAML 1.2: the keys of a mapping are distinct",
                    "remove one of them",
                ));
            }
        }
        kept
    }

    /// Reports a value that has the right type and is refused nevertheless; later rules then do not
    /// look at it.
    pub(super) fn refuse(
        &mut self,
        section: &Section<'_>,
        key: &str,
        place: &Place,
        what: impl Into<String>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.given.remove(&section.address(key));
        self.problems.push(Problem::error(place, what, rule, fix));
    }
}

/// Keys that other tools have, and that are refused here for a reason worth telling.
pub(super) struct Refused {
    pub(super) keys: &'static [&'static str],
    pub(super) rule: String,
    pub(super) fix: &'static str,
}

impl Refused {
    fn problem(&self, section: &str, key: &str, place: &Place) -> Problem {
        Problem::error(
            place,
            format!("`{section}.{key}` cannot be set"),
            self.rule.clone(),
            self.fix,
        )
    }
}

fn unknown(section: &str, key: &str, place: &Place, known: &[&str]) -> Problem {
    let inside = if section.is_empty() { String::new() } else { format!(" in `{section}`") };
    let what = format!("unknown key `{}`{inside}", visible(key));
    let mut elsewhere = TABLE.iter().filter(|row| row.name() == key && row.section() != section);
    let fix = match (nearest(key, known), elsewhere.next().map(Key::section)) {
        (Some(meant), _) => format!("write `{meant}`"),
        (None, Some("")) => format!("`{key}` stands at the top: write it without indentation"),
        (None, Some(name)) => format!("`{key}` belongs into `{name}`"),
        (None, None) => format!("remove it; known here are {}", listed(known)),
    };
    Problem::error(
        place,
        what,
        "every key must be known, so that a typo is not passed over in silence",
        fix,
    )
}
