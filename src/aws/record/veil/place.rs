//! What is a secret by its place in a text, whatever it looks like.

use super::meant::Meant;
use std::ops::Range;

/// Elements of XML that are dropped: a refused signature is answered with all that was signed, the
/// session's token among it, and a refused token with the token.
const DROPPED: &[&str] = &[
    "<CanonicalRequest>",
    "<CanonicalRequestBytes>",
    "<StringToSign>",
    "<StringToSignBytes>",
    "<SignatureProvided>",
    "<AWSAccessKeyId>",
    "<Token-0>",
];

/// From here to the end of its member, for the services that answer so in their text.
const SIGNED: &str = "The Canonical String for this request should have been";

/// A header that only an origin may see.
const HEADER: &str = "<HeaderValue>";

/// Members of JSON, in lower case: a function's environment, the signed address of its package, and
/// what a policy asks for that only the right caller knows.
const MEMBERS: &[&str] =
    &["variables", "location", "sts:externalid", "externalid", "aws:referer", "aws:useragent"];

/// A place, with where what is in it begins and ends.
pub(super) enum Place {
    Dropped(Range<usize>),
    Secret(Range<usize>),
}

/// The place that begins there.
pub(super) fn at(meant: &Meant<'_>, at: usize) -> Option<Place> {
    let width = meant.width(at);
    let element = |names: &[&str]| {
        let name = names.iter().find(|name| meant.begins_with(at, name))?;
        let begin = at + name.len();
        Some(begin..meant.next(begin, '<', width))
    };
    match meant.letters[at] {
        '<' => {
            element(DROPPED).map(Place::Dropped).or_else(|| element(&[HEADER]).map(Place::Secret))
        }
        'T' if meant.begins_with(at, SIGNED) => {
            let begin = at + SIGNED.len();
            let is_xml = meant.letters.iter().find(|letter| !letter.is_whitespace()) == Some(&'<');
            Some(Place::Dropped(begin..meant.next(begin, if is_xml { '<' } else { '"' }, 1)))
        }
        '"' => member(meant, at).map(Place::Secret),
        _ => None,
    }
}

/// The value of a member whose name begins there.
fn member(meant: &Meant<'_>, at: usize) -> Option<Range<usize>> {
    let width = meant.width(at);
    let fits = |name: &&&str| {
        let end = at + 1 + name.len();
        meant.letters.get(end) == Some(&'"') && meant.text(at + 1, end).eq_ignore_ascii_case(name)
    };
    let name = MEMBERS.iter().find(fits)?;
    let blanks = |from: usize| {
        let rest = meant.letters.iter().skip(from);
        from + rest.take_while(|letter| **letter == ' ').count()
    };
    let colon = blanks(at + name.len() + 2);
    let begin = (meant.letters.get(colon) == Some(&':')).then(|| blanks(colon + 1))?;
    let close = match meant.letters.get(begin)? {
        '"' => return Some(begin + 1..meant.next(begin + 1, '"', width)),
        '[' => ']',
        '{' => '}',
        _ => return None,
    };
    // What closes it is not in a string.
    let (mut end, mut is_in_text) = (begin + 1, false);
    while end < meant.letters.len() && (is_in_text || meant.letters[end] != close) {
        is_in_text ^= meant.letters[end] == '"' && meant.width(end) == width;
        end += 1;
    }
    Some(begin + 1..end)
}

/// The values in a place: its strings, or all of it.
pub(super) fn values(meant: &Meant<'_>, place: &Range<usize>) -> Vec<String> {
    let content = meant.text(place.start, place.end);
    if meant.letters[..place.start].last() == Some(&'"') || !content.contains('"') {
        return vec![content];
    }
    content.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
