//! The keys of the spec: the one place that says which there are.
//!
//! The decoder asks the table which keys a section has, which words a key takes and how large a
//! number may be; the JSON Schema for editors and the tables in `docs/spec.md` are written from it.

use super::duration::written;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

mod schema;
mod table;
#[cfg(test)]
pub(super) mod tests;

pub use schema::schema;
pub use table::TABLE;

#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands: `maintenance.keys.on`.
    pub path: &'static str,
    /// What stands behind it.
    pub value: Value,
    /// What holds without it.
    pub default: Fallback,
    /// A value that may stand there, in YAML; empty for a section.
    pub example: &'static str,
    pub meaning: &'static str,
}

/// What a key takes, with its limits. Where these are words, they complete the type's own.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// The keys below it.
    Section,
    /// Text; the words say which.
    Text(&'static str),
    /// `true` or `false`.
    Flag,
    /// A whole number: the least and the most.
    Whole(u64, u64),
    /// Megabytes, with or without the unit.
    Megabytes(u64, u64),
    /// A number with a unit; the least and the most in seconds.
    Duration(u64, u64),
    /// A duration of exactly so many days.
    Days(&'static [u32]),
    /// One of these words.
    OneOf(fn() -> Vec<&'static str>),
    /// A list of texts.
    List(&'static str),
    /// A list of these words.
    ListOf(fn() -> Vec<&'static str>),
    /// Keys of the user's own, with texts.
    Tags(&'static str),
    /// Keys of the user's own, the words say which, each with some of these keys and their texts.
    Rules(&'static str, &'static [&'static str]),
}

/// What holds without a key.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// Nothing: the key must be there.
    Required,
    /// Nothing is done.
    None,
    /// This value, in YAML.
    Value(&'static str),
    /// What becomes of this with the names filled in.
    Derived(&'static str),
    /// What the words say.
    Words(&'static str),
}

/// The keys of `distribution` for one that exists; the others are for one of our own.
pub const ATTACHED: [&str; 3] = ["id", "behaviors", "replace"];

#[must_use]
pub fn find(path: &str) -> Option<&'static Key> {
    TABLE.iter().find(|key| key.path == path)
}

/// The keys right below `section`, which is empty for the whole file.
pub fn below(section: &str) -> impl Iterator<Item = &'static Key> {
    TABLE.iter().filter(move |key| key.section() == section)
}

impl Key {
    /// The section that it stands in.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// Its name in its section.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }
}

impl Value {
    /// The least and the most of a number.
    #[must_use]
    pub fn range(&self) -> RangeInclusive<u64> {
        match *self {
            Self::Whole(least, most)
            | Self::Megabytes(least, most)
            | Self::Duration(least, most) => least..=most,
            _ => 0..=u64::MAX,
        }
    }

    /// The words that there are to choose from.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::OneOf(words) | Self::ListOf(words) => words(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |seconds: &u64| written(Duration::from_secs(*seconds));
        let words = || self.words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
        match self {
            Self::Section => f.write_str("keys"),
            Self::Text(which) => f.write_str(which),
            Self::Flag => f.write_str("`true` or `false`"),
            Self::Whole(least, most) => write!(f, "whole number, {least} to {most}"),
            Self::Megabytes(least, most) => {
                write!(f, "{least} to {most} megabytes, such as `{least}` or `{least}MB`")
            }
            Self::Duration(least, most) => {
                write!(f, "duration, {} to {}", seconds(least), seconds(most))
            }
            Self::Days(days) => {
                let days: Vec<String> = days.iter().map(|days| format!("{days}d")).collect();
                write!(f, "one of {}", days.join(", "))
            }
            Self::OneOf(_) => write!(f, "one of {}", words().join(", ")),
            Self::List(which) => write!(f, "list of {which}"),
            Self::ListOf(_) => write!(f, "list of {}", words().join(", ")),
            Self::Tags(which) => write!(f, "keys with texts, {which}"),
            Self::Rules(which, keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "{which}, each with {}", keys.join(", "))
            }
        }
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("none: it must be there"),
            Self::None => f.write_str("none"),
            Self::Value(value) | Self::Derived(value) => write!(f, "`{value}`"),
            Self::Words(words) => f.write_str(words),
        }
    }
}
