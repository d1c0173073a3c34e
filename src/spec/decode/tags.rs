//! `tags`: the user's own.

use super::Given;
use super::reader::{Reader, Section};
use crate::resource::tags;
use crate::spec::node::Value;
use crate::spec::problem::{Problem, visible};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
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
    // IAM's `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, of whose separators the space alone is meant.
    let kinds = CodePointMapData::<GeneralCategory>::new();
    let allowed = |letter: char| {
        let kind = kinds.get(letter);
        GeneralCategoryGroup::Letter.contains(kind)
            || GeneralCategoryGroup::Number.contains(kind)
            || letter == ' '
            || "_.:/=+-@".contains(letter)
    };
    if text.chars().all(allowed) {
        None
    } else if text.chars().any(|letter| GeneralCategoryGroup::Mark.contains(kinds.get(letter))) {
        Some((
            "holds an accent or a vowel sign of its own, which IAM does not take",
            "write letters that hold theirs, or another text",
        ))
    } else {
        Some((
            "may hold only letters, digits, spaces and `_.:/=+-@`",
            "leave the other characters out",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What IAM's pattern takes, and what it refuses although it is part of words.
    #[test]
    fn letters_are_those_that_iam_takes() {
        for good in ["web-1_a.b:c/d=e+f@g", "Käse", "日本語", "한글", "½ Ⅷ", ""] {
            assert_eq!(broken_letters(good), None, "{good}");
        }
        for (bad, said) in [
            ("हिन्दी", "vowel sign"),
            ("ภาษาไทยนี้", "vowel sign"),
            ("e\u{301}", "accent"),
            ("Ⓐ", "may hold only letters"),
            ("a?", "may hold only letters"),
            ("a\tb", "may hold only letters"),
            ("\u{1f600}", "may hold only letters"),
        ] {
            let (broken, _) = broken_letters(bad).unwrap();
            assert!(broken.contains(said), "{bad}: {broken}");
        }
    }
}
