//! Takes out of a text whatever is somebody's. Only words that AWS's own vocabulary has stay; every
//! other word is replaced, the same one by the same stand-in everywhere, so that the conversation
//! still makes sense. Escapes of URLs, XML and JSON are read as what they stand for, so no form of
//! a name slips through.

use crate::aws::refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Member names, enumerations and errors of the operations that we call, from the services' API
/// models; words of AWS's texts; those of our own marks and of the spec's keys; media types;
/// regions.
const WORDS: &str = include_str!("words.txt");

/// The codes of refusals: those of the operations that we call, from the services' API models, and
/// those that every service may use (Amazon S3 API Reference, "Error responses"; the "Common error
/// types" of each service's API reference).
const CODES: &str = include_str!("codes.txt");

/// What else may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    Nothing,
    /// Digests in hexadecimal: `ETag`s of objects, the index.
    Digests,
}

/// Replaces, and remembers what it has replaced.
#[derive(Clone, Debug)]
pub(crate) struct Veil {
    spoken: BTreeSet<&'static str>,
    stand_ins: BTreeMap<String, String>,
    counts: BTreeMap<Class, usize>,
}

/// What a word may be, as far as its form tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Twelve digits.
    Account,
    /// As CloudFront gives to distributions, access controls and `ETag`s.
    Id,
    /// Any other long number.
    Number,
    /// Of a machine or a network.
    Address,
    AddressV6,
    Name,
}

impl Class {
    fn of(word: &str) -> Self {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = |word: &str| {
            word.starts_with('E')
                && (10..=15).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        match word.len() {
            12 if is_number => Self::Account,
            _ if is_number => Self::Number,
            _ if is_id(word) => Self::Id,
            _ => Self::Name,
        }
    }

    fn stand_in(self, count: usize) -> String {
        match self {
            Self::Account => format!("{:012}", 100_000_000_000 + count),
            Self::Id => format!("E{count:012}"),
            Self::Number => format!("{:016}", 9_111_111_111_111_000_u64 + count as u64),
            // As a spec takes them, from networks that are nobody's (RFC 2544, RFC 3849).
            Self::Address => format!("198.{}.{}.0", 18 + count / 256 % 2, count % 256),
            Self::AddressV6 => format!("2001:db8:{count:x}::"),
            Self::Name => format!("n{count}"),
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Account => "account numbers",
            Self::Id => "ids",
            Self::Number => "long numbers",
            Self::Address => "addresses (IPv4)",
            Self::AddressV6 => "addresses (IPv6)",
            Self::Name => "names and other words",
        }
    }
}

impl Veil {
    /// A veil that leaves no name whole, also where AWS uses all of its words.
    pub(crate) fn hiding(names: &[String]) -> Self {
        let words = [WORDS, CODES].into_iter().flat_map(str::split_whitespace);
        // What our own table knows decides what a replay does.
        let known = refusal::codes().flat_map(|code| code.split('.'));
        let mut spoken: BTreeSet<&'static str> = words.chain(known).collect();
        for name in names {
            let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
            if words.iter().all(|word| stays(word) || spoken.contains(*word)) {
                spoken.retain(|spoken| !words.contains(spoken));
            }
        }
        Self { spoken, stand_ins: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// How many different ones of each kind were replaced.
    pub(crate) fn replaced(&self) -> Vec<(&'static str, usize)> {
        self.counts.iter().map(|(class, count)| (class.shown(), *count)).collect()
    }

    /// The text with stand-ins.
    pub(crate) fn text(&mut self, text: &str, keeps: Keeps) -> String {
        let mut veiled = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(hash) = code_hash(rest) {
                veiled += hash;
                rest = &rest[hash.len()..];
            } else if let Some((before, secret)) = secret(rest) {
                veiled += before;
                veiled += &self.secret(secret);
                rest = &rest[before.len() + secret.len()..];
            } else if let Some((written, class)) = address(rest, veiled_end(text, rest)) {
                veiled += &self.stand_in_as(written.to_owned(), class);
                rest = &rest[written.len()..];
            } else {
                let (written, word) = token(rest);
                let stays = word.as_ref().is_none_or(|word| {
                    (keeps == Keeps::Digests && is_digest(word))
                        || stays(word)
                        || self.spoken.contains(word.as_str())
                });
                veiled += &match word {
                    Some(word) if !stays => self.stand_in(word),
                    _ => written.to_owned(),
                };
                rest = &rest[written.len()..];
            }
        }
        veiled
    }

    /// A text of which no word stays, whatever it is.
    fn secret(&mut self, mut text: &str) -> String {
        let mut veiled = String::new();
        while !text.is_empty() {
            let (written, word) = token(text);
            veiled += &word.map_or_else(|| written.to_owned(), |word| self.stand_in(word));
            text = &text[written.len()..];
        }
        veiled
    }

    fn stand_in(&mut self, word: String) -> String {
        let class = Class::of(&word);
        self.stand_in_as(word, class)
    }

    fn stand_in_as(&mut self, word: String, class: Class) -> String {
        if let Some(known) = self.stand_ins.get(&word) {
            return known.clone();
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let stand_in = class.stand_in(*count);
        self.stand_ins.insert(word, stand_in.clone());
        stand_in
    }
}

/// `"CodeSha256":"` and what follows: a plan compares it with the package at hand, and it tells
/// nothing else.
fn code_hash(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\"CodeSha256\":")?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest).strip_prefix('"')?;
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let hash = rest.bytes().take_while(|byte| is_base64(*byte)).count();
    (hash == 44).then(|| &text[..text.len() - rest.len() + hash])
}

/// What is a secret by its place, with what stands before it: headers that only an origin may see,
/// a function's environment, the signed address of its package.
fn secret(text: &str) -> Option<(&str, &str)> {
    const PLACES: [(&str, char); 5] = [
        ("<HeaderValue>", '<'),
        ("\"Variables\":{", '}'),
        ("\"Variables\": {", '}'),
        ("\"Location\":\"", '"'),
        ("\"Location\": \"", '"'),
    ];
    let (before, end) = PLACES.iter().find(|(before, _)| text.starts_with(before))?;
    let (before, rest) = text.split_at(before.len());
    Some((before, &rest[..rest.find(*end).unwrap_or(rest.len())]))
}

/// What stands before `rest` in the text.
fn veiled_end(text: &str, rest: &str) -> Option<char> {
    text[..text.len() - rest.len()].chars().next_back()
}

/// An address that the text begins with; `before` is what stands before it.
fn address(text: &str, before: Option<char>) -> Option<(&str, Class)> {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    if before.is_some_and(|c| is_part(c) || c.is_alphanumeric()) {
        return None;
    }
    let run = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    let run = run.trim_end_matches('.');
    if text[run.len()..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    match run.parse().ok()? {
        IpAddr::V4(_) => Some((run, Class::Address)),
        IpAddr::V6(_) => Some((run, Class::AddressV6)),
    }
}

/// Short numbers, and moments: `30T13`, `51Z`, milliseconds since 1970.
fn stays(word: &str) -> bool {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = |word: &str| is_number(word) && word.len() < 12;
    let time = word.strip_suffix('Z').unwrap_or(word);
    let is_time = time.split_once('T').is_some_and(|(day, time)| is_short(day) && is_short(time));
    word.is_empty()
        || is_short(time)
        || is_time
        || (word.len() == 13 && word.starts_with('1') && is_number(word))
}

/// MD5, SHA-256, the many in an index, and our mark on an object.
fn is_digest(word: &str) -> bool {
    (word.len() == 16 || word.len().is_multiple_of(32))
        && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What the text begins with, as it is written: a word, which is then told as it is meant, or a
/// character that belongs to none.
fn token(text: &str) -> (&str, Option<String>) {
    let (mut word, mut length) = (String::new(), 0);
    while let Some((more, Some(letter))) = unit(&text[length..]) {
        word.push(letter);
        length += more;
    }
    if word.is_empty() {
        let length = unit(text).map_or(text.len(), |(length, _)| length);
        return (&text[..length], None);
    }
    (&text[..length], Some(word))
}

/// The next character as it is written, with how it is meant where it can be part of a word.
fn unit(text: &str) -> Option<(usize, Option<char>)> {
    let first = text.chars().next()?;
    let escaped = match first {
        '%' => percent(text),
        '&' => entity(text),
        '\\' => backslash(text),
        _ => None,
    };
    let (length, meant) = escaped.unwrap_or((first.len_utf8(), first));
    let is_letter = meant.is_alphanumeric() || !meant.is_ascii();
    Some((length, is_letter.then_some(meant)))
}

/// `%41`, `%2541`, and so on. Bytes that are no ASCII belong to some letter.
fn percent(text: &str) -> Option<(usize, char)> {
    let mut at = 1;
    while text[at..].starts_with("25") && hex(text.get(at + 2..at + 4)?).is_some() {
        at += 2;
    }
    let byte = hex(text.get(at..at + 2)?)?;
    let meant = u8::try_from(byte).ok()?;
    Some((at + 2, if meant.is_ascii() { char::from(meant) } else { 'é' }))
}

/// `&amp;`, `&#65;`, `&#x41;`.
fn entity(text: &str) -> Option<(usize, char)> {
    const LONGEST: usize = 12;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let meant = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((end + 1, meant))
}

/// JSON's escapes.
fn backslash(text: &str) -> Option<(usize, char)> {
    let kind = text[1..].chars().next()?;
    match kind {
        'u' => {
            let number = hex(text.get(2..6)?)?;
            // Half of a pair belongs to some letter, or to a picture.
            Some((6, char::from_u32(number).unwrap_or('é')))
        }
        'n' | 'r' | 't' | 'b' | 'f' => Some((2, ' ')),
        '"' | '\\' | '/' => Some((2, kind)),
        _ => None,
    }
}

fn hex(digits: &str) -> Option<u32> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
