//! Keys in S3's lists: URL-encoded where that is asked for, which the emulator does in one list of
//! three, and with spaces as nobody else writes them (docs/aws.md, "keys in lists").

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::classify::Request;
use super::super::reply::Reply;

const LISTS: [&str; 3] = ["s3:ListObjectsV2", "s3:ListObjectVersions", "s3:ListMultipartUploads"];

/// The elements that S3 encodes.
const ENCODED: [&str; 6] =
    ["Key", "Prefix", "Delimiter", "StartAfter", "KeyMarker", "NextKeyMarker"];

pub fn settle(request: &Request, reply: &mut Reply) {
    let asked = request.query("encoding-type").as_deref() == Some("url");
    if !asked || !LISTS.contains(&request.operation.as_str()) {
        return;
    }
    // The emulator's own document may be none: nothing but its text can be trusted.
    let text = reply.text();
    let is_encoded = text.contains("<EncodingType>");
    let encode = |shown: &str| {
        if is_encoded { shown.replace("%20", "+") } else { url_encoded(&unescaped(shown)) }
    };
    let mut text = ENCODED.iter().fold(text, |text, name| within(&text, name, encode));
    if !is_encoded {
        text = text.replacen("<MaxKeys>", "<EncodingType>url</EncodingType><MaxKeys>", 1);
        text = text.replacen("<MaxUploads>", "<EncodingType>url</EncodingType><MaxUploads>", 1);
    }
    reply.body = text.into();
}

/// The document with the text of every element of this name changed.
fn within(document: &str, name: &str, change: impl Fn(&str) -> String) -> String {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = document.split(&begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (inside, rest) = part.split_once(&end).unwrap_or((part, ""));
        format!("{text}{begin}{}{end}{rest}", change(inside))
    })
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn url_encoded(key: &str) -> String {
    utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().replace("%2F", "/").replace("%20", "+")
}
