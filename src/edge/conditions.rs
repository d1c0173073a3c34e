//! Conditional requests and ranges, as S3 and CloudFront's cache judge them (RFC 9110, sections 13
//! and 14).

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a request asks beside the object itself; each is the header's value.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<String>,
    pub if_unmodified_since: Option<String>,
    pub if_range: Option<String>,
    pub range: Option<String>,
}

/// How to answer for an object that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Whole,
    Part(Range<usize>),
    NotModified,
    PreconditionFailed,
    NotSatisfiable,
}

impl Conditions {
    /// Reads the conditions; `header` gives the value of a lower-case name.
    pub(super) fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let of = |name| header(name).map(str::to_owned);
        Conditions {
            if_match: of("if-match"),
            if_none_match: of("if-none-match"),
            if_modified_since: of("if-modified-since"),
            if_unmodified_since: of("if-unmodified-since"),
            if_range: of("if-range"),
            range: of("range"),
        }
    }

    /// Decides for an object with this entity tag (with its quotes), time and length in bytes.
    pub(super) fn decide(&self, etag: &str, modified: SystemTime, length: usize) -> Answer {
        let modified = whole_seconds(modified);
        let passed = match (&self.if_match, date(self.if_unmodified_since.as_deref())) {
            (Some(wanted), _) => names(wanted, etag),
            (None, Some(limit)) => modified <= limit,
            (None, None) => true,
        };
        if !passed {
            return Answer::PreconditionFailed;
        }
        let unchanged = match (&self.if_none_match, date(self.if_modified_since.as_deref())) {
            (Some(known), _) => names(known, etag),
            (None, Some(since)) => modified <= since,
            (None, None) => false,
        };
        if unchanged {
            return Answer::NotModified;
        }
        let range_holds =
            self.if_range.as_deref().is_none_or(|validator| match date(Some(validator)) {
                Some(time) => time == modified,
                None => validator == etag,
            });
        match self.range.as_deref().and_then(parse_range) {
            Some(wanted) if range_holds => wanted.within(length),
            _ => Answer::Whole,
        }
    }
}

enum Wanted {
    From(usize),
    Between(usize, usize),
    Last(usize),
}

impl Wanted {
    fn within(&self, length: usize) -> Answer {
        let range = match *self {
            Wanted::From(first) => first..length,
            Wanted::Between(first, last) => first..last.saturating_add(1).min(length),
            Wanted::Last(count) => length.saturating_sub(count)..length,
        };
        if range.is_empty() { Answer::NotSatisfiable } else { Answer::Part(range) }
    }
}

/// Reads one byte range. Anything else, several ranges too, counts as no range: S3 answers with the
/// whole object.
fn parse_range(value: &str) -> Option<Wanted> {
    let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", count) => Some(Wanted::Last(count.parse().ok()?)),
        (first, "") => Some(Wanted::From(first.parse().ok()?)),
        (first, last) => {
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(Wanted::Between(first, last))
        }
    }
}

/// Whether a list of entity tags names this one. Compared weakly, as a cache may.
fn names(list: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    list.trim() == "*" || list.split(',').any(|tag| bare(tag) == bare(etag))
}

fn date(value: Option<&str>) -> Option<SystemTime> {
    httpdate::parse_http_date(value?).ok()
}

/// HTTP dates have no fractions, four digits for the year, and for a computer no time before its
/// own: a file may be older or newer.
pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    const LAST: u64 = 253_402_300_799;
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UNIX_EPOCH + Duration::from_secs(seconds.min(LAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: &str = "Sun, 22 Nov 2026 10:00:00 GMT";
    const EARLIER: &str = "Sun, 22 Nov 2026 09:59:59 GMT";

    #[test]
    fn one_row_per_condition() {
        let rows: [(&[(&str, &str)], Answer); 21] = [
            (&[], Answer::Whole),
            (&[("if-none-match", "\"abc\"")], Answer::NotModified),
            (&[("if-none-match", "W/\"abc\"")], Answer::NotModified),
            (&[("if-none-match", "\"x\", \"abc\"")], Answer::NotModified),
            (&[("if-none-match", "*")], Answer::NotModified),
            (&[("if-none-match", "\"x\"")], Answer::Whole),
            (&[("if-none-match", "\"x\""), ("if-modified-since", THEN)], Answer::Whole),
            (&[("if-modified-since", THEN)], Answer::NotModified),
            (&[("if-modified-since", EARLIER)], Answer::Whole),
            (&[("if-modified-since", "yesterday")], Answer::Whole),
            (&[("if-match", "\"x\"")], Answer::PreconditionFailed),
            (&[("if-match", "\"abc\"")], Answer::Whole),
            (&[("if-unmodified-since", EARLIER)], Answer::PreconditionFailed),
            (&[("range", "bytes=2-4")], Answer::Part(2..5)),
            (&[("range", "bytes=8-99")], Answer::Part(8..10)),
            (&[("range", "bytes=-3")], Answer::Part(7..10)),
            (&[("range", "bytes=4-")], Answer::Part(4..10)),
            (&[("range", "bytes=10-")], Answer::NotSatisfiable),
            (&[("range", "bytes=0-1,3-4")], Answer::Whole),
            (&[("range", "bytes=0-1"), ("if-range", "\"x\"")], Answer::Whole),
            (&[("range", "bytes=0-1"), ("if-range", THEN)], Answer::Part(0..2)),
        ];
        let modified = httpdate::parse_http_date(THEN).unwrap() + Duration::from_millis(700);
        for (headers, answer) in rows {
            let of = |name: &str| {
                headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
            };
            assert_eq!(Conditions::read(of).decide("\"abc\"", modified, 10), answer, "{headers:?}");
        }
    }
}
