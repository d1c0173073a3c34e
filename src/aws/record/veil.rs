//! Takes out of a text whatever is somebody's. Only words that AWS's own vocabulary has stay; every
//! other word is replaced, the same one by the same stand-in everywhere, so that the conversation
//! still makes sense. Escapes of URLs, XML and JSON are read as what they stand for, so no form of
//! a name slips through.

use crate::aws::refusal;
use hidden::Hidden;
use meant::{Meant, is_of_a_word};
use place::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Range;

mod hidden;
mod meant;
mod place;

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
    hidden: Hidden,
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
        let mut hidden = Hidden::default();
        for name in names {
            let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
            if words.iter().all(|word| stays(word) || spoken.contains(*word)) {
                spoken.retain(|spoken| !words.contains(spoken));
            }
            hidden.insert_words(name);
        }
        let mut veil = Self { spoken, hidden, stand_ins: BTreeMap::new(), counts: BTreeMap::new() };
        for name in names {
            veil.learn(name);
        }
        veil
    }

    /// Hides a value wherever it stands.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.hidden.insert(secret, Class::of(secret));
    }

    /// Remembers what in this text is somebody's, by its place or its form, to find it in other
    /// texts however it is written there.
    pub(crate) fn learn(&mut self, text: &str) {
        let meant = Meant::of(text);
        let mut at = 0;
        while at < meant.letters.len() {
            match self.piece(&meant, at, Keeps::Nothing) {
                (_, Piece::Dropped(place)) => at = place.end,
                (_, Piece::Secret(place)) => {
                    let is_spoken = |word: &str| word.is_empty() || self.spoken.contains(word);
                    let mut values = place::values(&meant, &place);
                    values.retain(|value| {
                        !value.split(|letter| !is_of_a_word(letter)).all(is_spoken)
                    });
                    for value in values {
                        self.hide(&value);
                    }
                    at = place.end;
                }
                (end, Piece::Somebodys(word, class)) => {
                    if !matches!(class, Class::Name | Class::Id | Class::Number) {
                        self.hidden.insert(&word, class);
                    }
                    at = end;
                }
                (end, Piece::Stays) => at = end,
            }
        }
    }

    /// How many different ones of each kind were replaced.
    pub(crate) fn replaced(&self) -> Vec<(&'static str, usize)> {
        self.counts.iter().map(|(class, count)| (class.shown(), *count)).collect()
    }

    /// The text with stand-ins.
    pub(crate) fn text(&mut self, text: &str, keeps: Keeps) -> String {
        let meant = Meant::of(text);
        let mut veiled = String::with_capacity(text.len());
        let mut at = 0;
        while at < meant.letters.len() {
            let (end, piece) = self.piece(&meant, at, keeps);
            match piece {
                Piece::Stays => veiled += meant.written(at, end),
                Piece::Somebodys(word, class) => veiled += &self.stand_in(word, class),
                Piece::Dropped(place) => veiled += meant.written(at, place.start),
                Piece::Secret(place) => {
                    veiled += meant.written(at, place.start);
                    veiled += &self.secret(&meant, place);
                }
            }
            at = end;
        }
        veiled
    }

    /// What the text has from there on, and where that ends.
    fn piece(&self, meant: &Meant<'_>, at: usize, keeps: Keeps) -> (usize, Piece) {
        if let Some(end) = code_hash(meant, at) {
            return (end, Piece::Stays);
        }
        match place::at(meant, at) {
            Some(Place::Dropped(place)) => return (place.end, Piece::Dropped(place)),
            Some(Place::Secret(place)) => return (place.end, Piece::Secret(place)),
            None => {}
        }
        if let Some((end, value, class)) = self.hidden.at(meant, at) {
            return (end, Piece::Somebodys(value.to_owned(), class));
        }
        if let Some((end, account)) = grouped_account(meant, at) {
            return (end, Piece::Somebodys(account, Class::Account));
        }
        if let Some((end, class)) = address(meant, at) {
            return (end, Piece::Somebodys(meant.text(at, end), class));
        }
        let end = meant.word_end(at);
        let word = meant.text(at, end);
        let stays = (keeps == Keeps::Digests && is_digest(&word))
            || stays(&word)
            || self.spoken.contains(word.as_str());
        let class = Class::of(&word);
        (end.max(at + 1), if stays { Piece::Stays } else { Piece::Somebodys(word, class) })
    }

    /// A text of which no word stays, whatever it is.
    fn secret(&mut self, meant: &Meant<'_>, place: Range<usize>) -> String {
        let mut veiled = String::new();
        let mut at = place.start;
        while at < place.end {
            let end = meant.word_end(at).min(place.end);
            if end == at {
                veiled += meant.written(at, at + 1);
            } else {
                let word = meant.text(at, end);
                let class = Class::of(&word);
                veiled += &self.stand_in(word, class);
            }
            at = end.max(at + 1);
        }
        veiled
    }

    fn stand_in(&mut self, word: String, class: Class) -> String {
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

/// What a text has in one place.
enum Piece {
    Stays,
    /// A word or a value, as it is meant.
    Somebodys(String, Class),
    Dropped(Range<usize>),
    Secret(Range<usize>),
}

/// `"CodeSha256":"` and what follows: a plan compares it with the package at hand, and it tells
/// nothing else. Where it ends.
fn code_hash(meant: &Meant<'_>, at: usize) -> Option<usize> {
    let opens = ["\"CodeSha256\":\"", "\"CodeSha256\": \""];
    let begin = at + opens.iter().find(|opens| meant.begins_with(at, opens))?.len();
    let is_base64 =
        |letter: &&char| letter.is_ascii_alphanumeric() || matches!(**letter, '+' | '/' | '=');
    let length = meant.letters[begin..].iter().take_while(is_base64).count();
    (length == 44).then_some(begin + length)
}

/// An account in groups, as people write it: `1111-2222-3333`.
fn grouped_account(meant: &Meant<'_>, at: usize) -> Option<(usize, String)> {
    const LENGTH: usize = 14;
    let group = meant.letters.get(at..at + LENGTH)?;
    let sign = group[4];
    let fits = group.iter().enumerate().all(|(number, letter)| match number {
        4 | 9 => *letter == sign && matches!(sign, '-' | ' ' | '.' | '_' | '+'),
        _ => letter.is_ascii_digit(),
    });
    let is_whole = meant.is_edge(at) && meant.is_edge(at + LENGTH);
    let digits = group.iter().filter(|letter| letter.is_ascii_digit());
    (fits && is_whole).then(|| (at + LENGTH, digits.collect()))
}

/// An address that begins there, and where it ends. It may have a port or a full stop behind it.
fn address(meant: &Meant<'_>, at: usize) -> Option<(usize, Class)> {
    let is_part = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, ':' | '.');
    let before = at.checked_sub(1).map(|before| meant.letters[before]);
    if !meant.is_edge(at) || before == Some('.') || !is_part(meant.letters[at]) {
        return None;
    }
    let length = meant.letters[at..].iter().take_while(|letter| is_part(**letter)).count();
    let run = meant.text(at, at + length);
    let ends = [run.as_str(), run.trim_end_matches(['.', ':'])];
    let port = run.split_once(':').map(|(host, _)| host);
    ends.into_iter().chain(port).find_map(|run| {
        let end = at + run.len();
        let class = match run.parse().ok()? {
            IpAddr::V4(_) => Class::Address,
            IpAddr::V6(_) if before == Some(':') => return None,
            IpAddr::V6(_) => Class::AddressV6,
        };
        meant.is_edge(end).then_some((end, class))
    })
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

#[cfg(test)]
pub(super) mod tests;
