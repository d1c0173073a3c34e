//! `tags`: the user's own.

use super::Given;
use super::reader::{Reader, Section};
use crate::resource::tags;
use crate::spec::node::Value;
use crate::spec::problem::{Problem, visible};
use std::collections::BTreeMap;

/// How long a tag's value may be; our own tag lists the keys in one.
const LONGEST: usize = 256;
/// AWS allows 50 on a thing; some are ours.
const MOST: usize = 45;
const DOCUMENT: &str = "AWS General Reference, \"Tagging AWS resources\"";

pub(super) fn read(reader: &mut Reader<'_>, top: &Section<'_>) -> BTreeMap<String, String> {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    let Some(entry) = top.entry("tags") else { return given };
    let entries = match &entry.value.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Broken => return given,
        _ => {
            reader.wrong_type(top, "tags", "keys with values");
            return given;
        }
    };
    reader.given.insert(
        "tags".to_owned(),
        Given { shown: "tags".to_owned(), place: entry.key.place.clone() },
    );
    for (key, tag) in reader.distinct(entries) {
        if let Some((broken, fix)) = broken_key(key) {
            reader.problems.push(Problem::error(
                &tag.key.place,
                format!("tag key `{}` {broken}", visible(key)),
                DOCUMENT,
                fix,
            ));
        } else if given.keys().any(|other| other.to_lowercase() == key.to_lowercase()) {
            let rule = "IAM User Guide, \"Tags for AWS Identity and Access Management resources\": \
                upper and lower case make no difference in a role's tag keys";
            reader.problems.push(Problem::error(
                &tag.key.place,
                format!("tag key `{}` is given twice", visible(key)),
                rule,
                "remove one of them",
            ));
        }
        let value = match &tag.value.value {
            Value::Text(value) => value,
            Value::Broken => continue,
            _ => {
                let what = format!("the tag's value must be text, found {}", tag.value.described());
                let (place, fix) = if tag.value.written.is_empty() {
                    (&tag.key.place, "write a text after the key, or `\"\"` for none".to_owned())
                } else {
                    (&tag.value.place, format!("write it in quotes: `\"{}\"`", tag.value.shown()))
                };
                reader.problems.push(Problem::error(place, what, DOCUMENT, fix));
                continue;
            }
        };
        if let Some((broken, fix)) = broken_value(value) {
            reader.problems.push(Problem::error(
                &tag.value.place,
                format!("tag value `{}` {broken}", tag.value.shown()),
                DOCUMENT,
                fix,
            ));
        }
        given.insert(key.to_owned(), value.clone());
    }
    if given.len() > MOST {
        let what = format!("{} tags are more than {MOST}", given.len());
        let rule = format!("{DOCUMENT}: 50 on one thing; `provision` adds its own");
        reader.problems.push(Problem::error(
            &entry.key.place,
            what,
            rule,
            format!("keep {MOST} of them"),
        ));
    } else if tags::list(given.keys()).chars().count() > LONGEST {
        let what = format!("the tags' keys are together longer than {LONGEST} characters");
        let rule = format!(
            "{DOCUMENT}: a value holds that many, and the tag `{}` lists the keys, so that one \
                which you remove here goes",
            tags::LISTED
        );
        reader.problems.push(Problem::error(
            &entry.key.place,
            what,
            rule,
            "write shorter keys, or fewer",
        ));
    }
    given
}

fn broken_key(key: &str) -> Option<(&'static str, &'static str)> {
    let lower = key.to_lowercase();
    if key.is_empty() || key.chars().count() > 128 {
        return Some(("must be 1 to 128 characters long", "write a shorter key"));
    }
    if lower.starts_with("aws:") {
        return Some((
            "must not begin with `aws:`, which AWS keeps for itself",
            "write another key",
        ));
    }
    if lower.starts_with("provision:") {
        return Some((
            "must not begin with `provision:`, by which `provision` finds what it made",
            "write another key",
        ));
    }
    broken_letters(key)
}

fn broken_value(value: &str) -> Option<(&'static str, &'static str)> {
    if value.chars().count() > LONGEST {
        Some(("must be at most 256 characters long", "write a shorter value"))
    } else {
        broken_letters(value)
    }
}

fn broken_letters(text: &str) -> Option<(&'static str, &'static str)> {
    let allowed =
        |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
    if text.chars().all(allowed) {
        None
    } else {
        Some((
            "may hold only letters, digits, spaces and `_.:/=+-@`",
            "leave the other characters out",
        ))
    }
}
