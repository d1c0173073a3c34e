//! `bucket.headers`: how files are served, by patterns of their keys.

use super::Given;
use super::nearest;
use super::reader::{Reader, Section};
use crate::resource::site::rules::{HEADERS, Pattern, Rule};
use crate::spec::node::{Entry, Value};
use crate::spec::problem::{Place, Problem, visible};

const KEY: &str = "headers";
const DOCUMENT: &str = "Amazon S3 User Guide, \"Working with object metadata\"";
/// S3 bounds what it keeps beside an object, and nobody needs as much. In bytes.
const LONGEST: usize = 1024;

pub(super) fn read(reader: &mut Reader<'_>, bucket: &Section<'_>) -> Vec<Rule> {
    let Some(entry) = bucket.entry(KEY) else { return Vec::new() };
    let entries = match &entry.value.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Broken => return Vec::new(),
        _ => {
            reader.wrong_type(bucket, KEY, "keys with values");
            return Vec::new();
        }
    };
    let given = Given { shown: bucket.address(KEY), place: entry.key.place.clone() };
    reader.given.insert(bucket.address(KEY), given);
    let rules = reader.distinct(entries).into_iter();
    rules.filter_map(|(pattern, entry)| rule(reader, pattern, entry)).collect()
}

/// What is no pattern, as `shown`.
pub(super) fn no_pattern(place: &Place, shown: &str, why: &str) -> Problem {
    Problem::error(
        place,
        format!("`{shown}` is no pattern of keys: {why}"),
        "`*` and `?` stand for what is between two `/`, `**` alone between two `/` for folders",
        "write for example `\"downloads/*.pdf\"`",
    )
}

fn rule(reader: &mut Reader<'_>, pattern: &str, entry: &Entry) -> Option<Rule> {
    let files = pattern.parse::<Pattern>();
    if let Err(why) = files {
        reader.problems.push(no_pattern(&entry.key.place, &visible(pattern), why));
    }
    let Value::Map(headers) = &entry.value.value else {
        if entry.value.value != Value::Broken {
            let what = format!(
                "`{}` must be keys with values, found {}",
                visible(pattern),
                entry.value.described()
            );
            reader.problems.push(Problem::error(
                &entry.key.place,
                what,
                format!("the keys are {}", nearest::listed(&HEADERS)),
                "write for example `{ content_disposition: attachment }` after it",
            ));
        }
        return None;
    };
    let headers = reader.distinct(headers).into_iter();
    let headers = headers.filter_map(|(name, entry)| header(reader, name, entry)).collect();
    Some(Rule { files: files.ok()?, headers })
}

fn header(reader: &mut Reader<'_>, name: &str, entry: &Entry) -> Option<(&'static str, String)> {
    let Some(known) = HEADERS.into_iter().find(|known| *known == name) else {
        reader.problems.push(Problem::error(
            &entry.key.place,
            format!("unknown key `{}` in `bucket.headers`", visible(name)),
            DOCUMENT,
            nearest::fix(name, &HEADERS),
        ));
        return None;
    };
    let value = match &entry.value.value {
        Value::Text(value) => value,
        Value::Broken => return None,
        _ => {
            let what = format!("`{known}` must be text, found {}", entry.value.described());
            let fix = format!("write it in quotes, or `\"\"` to send no {}", shown(known));
            reader.problems.push(Problem::error(&entry.key.place, what, DOCUMENT, fix));
            return None;
        }
    };
    if let Some(broken) = broken(known, value) {
        reader.problems.push(Problem::error(
            &entry.value.place,
            format!("`{known}` {broken}, found `{}`", entry.value.shown()),
            "RFC 9110, \"Fields\": what is sent in a header",
            format!("write it as it shall stand behind `{}:`", shown(known)),
        ));
        return None;
    }
    Some((known, value.clone()))
}

/// As HTTP writes it.
fn shown(name: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(word).collect::<Vec<_>>().join("-")
}

fn broken(name: &str, value: &str) -> Option<&'static str> {
    let is_type = |value: &str| {
        let (kind, rest) = value.split_once('/')?;
        let token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
        };
        let subtype = rest.split(';').next().unwrap_or_default().trim_end();
        (token(kind) && token(subtype)).then_some(())
    };
    if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || value.trim() != value {
        return Some("may hold only ASCII characters, without spaces around them");
    }
    if value.len() > LONGEST {
        return Some("must have at most 1024 characters");
    }
    (name == "content_type" && !value.is_empty() && is_type(value).is_none())
        .then_some("must be a media type such as `text/html; charset=utf-8`")
}
