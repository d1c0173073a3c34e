//! Values of keys: texts, names, numbers, flags, durations (`duration`), paths, lists.

use super::Given;
use super::reader::{Reader, Section};
use crate::spec::node::{Node, Value};
use crate::spec::problem::{Place, Problem};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

mod duration;

/// A text with variables filled in.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// The text. May hold a secret: use `shown` in messages.
    pub(super) text: String,
    /// How it may stand in a message.
    pub(super) shown: String,
    /// Whether the user wrote this very text, so that parts of it may stand in a message.
    pub(super) literal: bool,
    pub(super) place: Place,
}

/// What to say when a name is refused by its type.
pub(super) struct Naming {
    pub(super) title: &'static str,
    pub(super) rule: &'static str,
    pub(super) example: &'static str,
}

impl Word {
    fn new(text: &str, node: &Node) -> Self {
        Self {
            text: text.to_owned(),
            shown: node.shown(),
            literal: text == node.written,
            place: node.place.clone(),
        }
    }
}

impl Reader<'_> {
    /// The text under `key`, if there is one.
    pub(super) fn word(&mut self, section: &Section<'_>, key: &str) -> Option<Word> {
        let entry = section.entry(key)?;
        let Value::Text(text) = &entry.value.value else {
            self.wrong_type(section, key, "text");
            return None;
        };
        self.note(section, key);
        Some(Word::new(text, &entry.value))
    }

    /// The name under `key`.
    pub(super) fn name<T: FromStr<Err = &'static str>>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        naming: &Naming,
    ) -> Option<T> {
        let word = self.word(section, key)?;
        match word.text.parse() {
            Ok(name) => Some(name),
            Err(broken) => {
                let tidied = tidied(&word.text);
                let fix = if word.literal && tidied.parse::<T>().is_ok() {
                    format!("write `{tidied}`")
                } else {
                    format!("write for example `{}`", naming.example)
                };
                let what = format!("{} `{}` {broken}", naming.title, word.shown);
                self.refuse(section, key, &word.place, what, naming.rule, fix);
                None
            }
        }
    }

    /// The flag under `key`, if it is there.
    pub(super) fn flag(&mut self, section: &Section<'_>, key: &str) -> Option<bool> {
        let entry = section.entry(key)?;
        match &entry.value.value {
            Value::Bool(flag) => {
                self.note(section, key);
                Some(*flag)
            }
            // A variable can only be text.
            Value::Text(text)
                if *text != entry.value.written && (text == "true" || text == "false") =>
            {
                self.note(section, key);
                Some(text == "true")
            }
            _ => {
                self.wrong_type(section, key, "`true` or `false`");
                None
            }
        }
    }

    /// The whole number under `key`.
    pub(super) fn whole<T: TryFrom<i128> + Copy>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        default: T,
        rule: &str,
    ) -> T {
        let Some(entry) = section.entry(key) else { return default };
        let number = match &entry.value.value {
            Value::Whole(number) => Some(*number),
            Value::Text(text) if *text != entry.value.written => text.parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.wrong_type(section, key, "a whole number");
            return default;
        };
        let range = section.range(key);
        let range = i128::from(*range.start())..=i128::from(*range.end());
        match T::try_from(number) {
            Ok(fitting) if range.contains(&number) => {
                self.note(section, key);
                fitting
            }
            _ => {
                let what = format!(
                    "`{}` must be {} to {}, found `{}`",
                    section.address(key),
                    range.start(),
                    range.end(),
                    entry.value.shown()
                );
                let nearest = if number < *range.start() { range.start() } else { range.end() };
                self.refuse(
                    section,
                    key,
                    &entry.value.place,
                    what,
                    rule,
                    format!("write for example `{key}: {nearest}`"),
                );
                default
            }
        }
    }

    /// The path under `key`, made absolute on `folder`. Whether it may be used is for `check` to
    /// say.
    pub(super) fn path(
        &mut self,
        section: &Section<'_>,
        key: &str,
        folder: &Path,
    ) -> Option<PathBuf> {
        let word = self.word(section, key)?;
        let rule = "paths start from the spec's folder, so that a copy of the folder is complete";
        if word.text.is_empty() {
            let what = format!("`{}` names nothing", section.address(key));
            self.refuse(section, key, &word.place, what, rule, "write a path, or remove the key");
            return None;
        }
        if Path::new(&word.text).is_absolute() {
            let what = format!("`{}` is an absolute path", word.shown);
            self.refuse(
                section,
                key,
                &word.place,
                what,
                rule,
                "write the path from the spec's folder, such as `./site`",
            );
            return None;
        }
        Some(resolved(folder, &word.text))
    }

    /// The texts of the list under `key`, each once.
    pub(super) fn words(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<Word>> {
        let entry = section.entry(key)?;
        let items = match &entry.value.value {
            Value::List(items) => items,
            Value::Text(_) => {
                let what = format!(
                    "`{}` must be a list, found {}",
                    section.address(key),
                    entry.value.described()
                );
                let fix = format!("write `{key}: [\"{}\"]`", entry.value.shown());
                self.problems.push(Problem::error(
                    &entry.value.place,
                    what,
                    "a list of one thing is still a list",
                    fix,
                ));
                return None;
            }
            _ => {
                self.wrong_type(section, key, "a list");
                return None;
            }
        };
        self.given.insert(
            section.address(key),
            Given { shown: key.to_owned(), place: entry.key.place.clone() },
        );
        let mut seen = BTreeSet::new();
        let mut words = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) if seen.insert(text) => words.push(Word::new(text, item)),
                Value::Text(_) => {
                    let what = format!("`{}` is named twice", item.shown());
                    let rule = format!("the entries of `{}` are distinct", section.address(key));
                    self.problems.push(Problem::error(
                        &item.place,
                        what,
                        rule,
                        "remove one of them",
                    ));
                }
                Value::Broken => {}
                _ => {
                    let what = format!(
                        "an entry of `{}` must be text, found {}",
                        section.address(key),
                        item.described()
                    );
                    let fix = if item.written.is_empty() {
                        "write a text in quotes".to_owned()
                    } else {
                        format!("write `\"{}\"`", item.shown())
                    };
                    self.problems.push(Problem::error(
                        &item.place,
                        what,
                        "YAML reads an unquoted number, `true` and `~` as such",
                        fix,
                    ));
                }
            }
        }
        Some(words)
    }

    fn note(&mut self, section: &Section<'_>, key: &str) {
        if let Some(entry) = section.entry(key) {
            self.given.insert(
                section.address(key),
                Given { shown: entry.value.shown(), place: entry.value.place.clone() },
            );
        }
    }

    /// Reports that the value under `key` should be `expected`.
    pub(super) fn wrong_type(&mut self, section: &Section<'_>, key: &str, expected: &str) {
        let Some(entry) = section.entry(key) else { return };
        let node = &entry.value;
        let address = section.address(key);
        let problem = match &node.value {
            Value::Broken => return,
            Value::Null => {
                let fix = format!("write {expected} after `{key}:`, or remove the key");
                Problem::error(
                    &entry.key.place,
                    format!("`{address}` has no value"),
                    "a key without a value is probably forgotten; without the key the default \
                        holds",
                    fix,
                )
            }
            Value::List(_) | Value::Map(_) => {
                let what = format!("`{address}` must be {expected}, found {}", node.described());
                Problem::error(
                    &entry.key.place,
                    what,
                    "a key holds one kind of value",
                    format!("write {expected} after `{key}:`"),
                )
            }
            Value::Whole(_) | Value::Number(_) | Value::Bool(_) if expected == "text" => {
                let what = format!("`{address}` must be text, found {}", node.described());
                let rule = format!(
                    "YAML reads `{}` without quotes as a number or a truth value, and changes it \
                        on the way",
                    node.shown()
                );
                Problem::error(
                    &node.place,
                    what,
                    rule,
                    format!("write it in quotes: `{key}: \"{}\"`", node.shown()),
                )
            }
            Value::Text(text) => {
                let what = format!("`{address}` must be {expected}, found {}", node.described());
                let bare = *text == node.written
                    && (text.parse::<i128>().is_ok() || text == "true" || text == "false");
                let fix = if bare {
                    format!("write it without quotes: `{key}: {text}`")
                } else {
                    format!("write {expected} after `{key}:`")
                };
                Problem::error(&node.place, what, "a key holds one kind of value", fix)
            }
            _ => {
                let what = format!("`{address}` must be {expected}, found {}", node.described());
                Problem::error(
                    &node.place,
                    what,
                    "a key holds one kind of value",
                    format!("write {expected} after `{key}:`"),
                )
            }
        };
        self.problems.push(problem);
    }
}

/// `text` as most names would allow it.
fn tidied(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    lower.replace(['_', ' ', '.'], "-").trim_matches('-').to_owned()
}

/// `path` on `folder` without `.` and `..`, as far as that goes by the text alone.
fn resolved(folder: &Path, path: &str) -> PathBuf {
    let mut whole = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}
