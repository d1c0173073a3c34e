//! A window: what the object under the on key says of itself, and what visitors get at a moment.
//!
//! The bytes of that object end with a mark that no other write has, so that its `ETag` names the
//! window: a write that was planned for one window fails at every other, however late it comes.

use super::Metadata;
use crate::resource::content::{Content, Source};
use crate::resource::site::index::SWITCH;
use crate::resource::site::{KEY_METADATA, STACK_METADATA};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Visitors see the page from this moment, RFC 3339 in UTC.
pub const FROM: &str = "provision-from";
/// Visitors see the site again from this moment, RFC 3339 in UTC.
pub const UNTIL: &str = "provision-until";
/// SHA-256 of the bypass token, in hex.
pub const BYPASS: &str = "provision-bypass";
/// When the switch was turned on.
pub const SINCE: &str = "provision-since";
/// Who turned it on: the caller's ARN.
pub const BY: &str = "provision-by";
/// The page is for this window only.
pub const ONCE: &str = "provision-once";
/// MD5 of the page without the mark, in hex.
pub const PAGE: &str = "provision-page";
/// Which window it is: the mark of the `on` that set it, also when an apply has put another page
/// there since.
pub const WINDOW: &str = "provision-window";
/// What is shown to people, in this order.
pub const SHOWN: [&str; 6] = [BY, FROM, ONCE, SINCE, UNTIL, BYPASS];
/// What changes what visitors see.
pub const JUDGED: [&str; 3] = [FROM, UNTIL, BYPASS];

/// A page while its switch moves, in the place of the object with this `ETag`.
#[must_use]
pub fn moving(page: &Content, before: Option<&str>) -> Content {
    marked(page, &next_mark(before.unwrap_or_default(), page))
}

/// What people put beside a page (the edge knows a status of its own, for instance), without our
/// words.
#[must_use]
pub fn theirs(metadata: &Metadata) -> Metadata {
    let ours = |name: &str| {
        SHOWN.contains(&name)
            || [PAGE, WINDOW, SWITCH, STACK_METADATA, KEY_METADATA].contains(&name)
    };
    metadata
        .iter()
        .filter(|(name, _)| !ours(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What visitors get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The site; nothing is under the on key.
    Off,
    /// The site, until the window begins.
    Scheduled,
    /// The page.
    On,
    /// The site again: the window has ended.
    Over,
}

impl State {
    /// Do visitors get the page?
    #[must_use]
    pub fn shows_page(self) -> bool {
        self == Self::On
    }

    /// Is there a window that another `on` goes on with?
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::On | Self::Scheduled)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Scheduled => "scheduled",
            Self::On => "on",
            Self::Over => "over",
        })
    }
}

/// A moment in the metadata. What cannot be read does not bound the window, as at the edge.
#[must_use]
pub fn moment(metadata: &Metadata, name: &str) -> Option<Timestamp> {
    instant(metadata.get(name)?)
}

/// A date and time as RFC 3339 writes it, and as the edge function reads it: at most nine digits
/// of a second, no leap second, and the years 0001 to 9998.
fn instant(text: &str) -> Option<Timestamp> {
    let (whole, rest) = text.split_at_checked("2026-11-22T12:00:00".len())?;
    let (zone, fraction) = match rest.strip_prefix('.') {
        Some(rest) => {
            let zone = rest.trim_start_matches(|char: char| char.is_ascii_digit());
            (zone, rest.len() - zone.len())
        }
        None => (rest, 1),
    };
    let shape = |char: char| if char.is_ascii_digit() { '9' } else { char.to_ascii_uppercase() };
    let shape: String = whole.chars().chain(zone.chars()).map(shape).collect();
    let is_shaped = ["Z", "+99:99", "-99:99"]
        .iter()
        .any(|zone| shape.strip_suffix(zone) == Some("9999-99-99T99:99:99"));
    let in_range = !["0000", "9999"].contains(&whole.get(..4)?)
        && whole.get(17..)? < "60"
        && zone.get(1..3).is_none_or(|hours| hours < "24")
        && (1..=9).contains(&fraction);
    (is_shaped && in_range).then(|| text.parse().ok()).flatten()
}

/// Judges the object under the on key as the edge does.
#[must_use]
pub fn judge(on: Option<&Metadata>, now: Timestamp) -> State {
    let Some(metadata) = on else { return State::Off };
    if moment(metadata, UNTIL).is_some_and(|until| until <= now) {
        State::Over
    } else if moment(metadata, FROM).is_some_and(|from| now < from) {
        State::Scheduled
    } else {
        State::On
    }
}

const BEFORE: &str = "<!-- provision window ";
const AFTER: &str = " -->\n";
/// Of the mark's own text, in hex digits.
const DIGITS: usize = 32;

/// The page with this mark behind it: a comment, which HTML and XHTML allow after everything else.
#[must_use]
pub fn marked(page: &Content, mark: &str) -> Content {
    let Source::Memory(bytes) = &page.source else { return page.clone() };
    let bytes = [bytes, BEFORE.as_bytes(), mark.as_bytes(), AFTER.as_bytes()].concat();
    Content::in_memory(&bytes, page.headers.clone())
}

/// The page without the mark, if it has one.
#[must_use]
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    let length = BEFORE.len() + DIGITS + AFTER.len();
    let split = || {
        let (page, tail) = bytes.split_at_checked(bytes.len().checked_sub(length)?)?;
        let mark = std::str::from_utf8(tail).ok()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        mark.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(page)
    };
    split().unwrap_or(bytes)
}

/// The mark of what takes the place of the object with this `ETag`. As that one was unique, so is
/// this; and a plan that is made twice is the same.
#[must_use]
pub fn next_mark(etag: &str, page: &Content) -> String {
    let mut mark = hex::encode(Sha256::digest(format!("{etag} {}", page.md5)));
    mark.truncate(DIGITS);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ObjectHeaders;

    /// The edge function's own tests read the same rows.
    #[test]
    fn moments_are_read_as_the_edge_reads_them() {
        let rows: Vec<(String, Option<f64>)> =
            serde_json::from_str(include_str!("../../../tests/edge/moments.json")).unwrap();
        for (text, moment) in rows {
            let read = instant(&text).map(|moment| moment.as_duration().as_secs_f64());
            assert_eq!(read, moment, "{text}");
        }
    }

    #[test]
    fn a_window_is_judged_by_the_moment() {
        let now = "2026-11-22T21:30:00Z".parse().unwrap();
        let (past, future) = ("2026-11-22T21:00:00Z", "2026-11-22T22:00:00Z");
        for (metadata, state) in [
            (vec![], State::On),
            (vec![(FROM, past), (UNTIL, future)], State::On),
            (vec![(FROM, "2026-11-22T21:30:00Z")], State::On),
            (vec![(FROM, future)], State::Scheduled),
            (vec![(UNTIL, past)], State::Over),
            (vec![(UNTIL, "2026-11-22T21:30:00Z")], State::Over),
            (vec![(FROM, future), (UNTIL, past)], State::Over),
            (vec![(FROM, "soon"), (UNTIL, "later")], State::On),
        ] {
            let pairs =
                metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(judge(Some(&pairs.collect()), now), state, "{metadata:?}");
        }
        assert_eq!(judge(None, now), State::Off);
    }

    #[test]
    fn a_mark_comes_off_as_it_went_on() {
        let mark = "0123456789abcdef0123456789abcdef";
        for text in ["", "<h1>soon</h1>", "<h1>soon</h1>\n"] {
            let page =
                Content::in_memory(text.as_bytes(), ObjectHeaders::new("text/html", "no-store"));
            let shown = marked(&page, mark);
            let bytes = shown.read().unwrap();
            assert_eq!(unmarked(&bytes), text.as_bytes());
            assert_ne!(shown.md5, page.md5);
            assert_eq!(unmarked(text.as_bytes()), text.as_bytes());
        }
        let torn = format!("{BEFORE}{}{AFTER}", "x".repeat(DIGITS));
        assert_eq!(unmarked(torn.as_bytes()), torn.as_bytes());
    }
}
