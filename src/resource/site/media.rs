//! What a file is, by its name and its bytes: media type and encoding.
//!
//! Types are those of IANA's registry "Media Types" and, where browsers decide, of the WHATWG's
//! "HTML" and "MIME Sniffing". `mime_guess` knows most of them; [`TYPES`] has what it calls by an
//! older name, or not at all.

use crate::resource::content::Seen;

/// Ending → type, sorted.
const TYPES: &[(&str, &str)] = &[
    ("3mf", "model/3mf"),
    ("cjs", "text/javascript"),
    ("dwg", "image/vnd.dwg"),
    ("dxf", "image/vnd.dxf"),
    ("emf", "image/emf"),
    ("ipynb", "application/x-ipynb+json"),
    ("ktx2", "image/ktx2"),
    ("m2t", "video/mp2t"),
    ("m2ts", "video/mp2t"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("map", "application/json"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript"),
    ("mtl", "model/mtl"),
    ("mts", "video/mp2t"),
    ("obj", "model/obj"),
    ("otf", "font/otf"),
    ("psd", "image/vnd.adobe.photoshop"),
    ("rar", "application/vnd.rar"),
    ("sql", "application/sql"),
    ("step", "model/step"),
    ("stl", "model/stl"),
    ("stp", "model/step"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("ttml", "application/ttml+xml"),
    ("usdz", "model/vnd.usdz+zip"),
    ("wgsl", "text/wgsl"),
    ("wmf", "image/wmf"),
    ("woff", "font/woff"),
    ("wrl", "model/vrml"),
    // RFC 9512.
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    // RFC 8878.
    ("zst", "application/zstd"),
];

/// Names without an ending that are JSON, wherever they lie: Apple's "Supporting associated
/// domains", and "`OpenID` Connect Discovery 1.0", 4.2.
const JSON: [&str; 2] = ["apple-app-site-association", "openid-configuration"];

/// Ending → the encoding that bytes with this beginning have. Brotli has no such sign (RFC 7932).
const ENCODINGS: &[(&str, &str, &[u8])] = &[
    ("br", "br", &[]),
    ("gz", "gzip", &[0x1f, 0x8b]),
    ("svgz", "gzip", &[0x1f, 0x8b]),
    ("zst", "zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
];

/// What a web page loads in an encoded form. Anything else that is compressed is a file to keep, as
/// `backup.sql.gz` or `source.tar.gz`.
const LOADED: &[&str] = &[
    "cjs",
    "css",
    "data",
    "htm",
    "html",
    "js",
    "json",
    "map",
    "mjs",
    "svg",
    "symbols",
    "txt",
    "wasm",
    "webmanifest",
    "xml",
];

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Media {
    /// With its charset, where that is known.
    pub(super) content_type: String,
    /// As `Content-Encoding` says it.
    pub(super) encoding: Option<&'static str>,
}

/// The file under this key, of which this was seen.
pub(super) fn of(key: &str, seen: Seen) -> Media {
    let name = key.rsplit('/').next().unwrap_or_default();
    let (plain, encoding) = match encoded(name, seen) {
        Some((plain, encoding)) => (plain, Some(encoding)),
        None => (name, None),
    };
    let plain = type_of(plain);
    // Of what is encoded nobody has seen the text.
    let is_utf8 = seen.is_utf8 && encoding.is_none() && takes_charset(&plain);
    let content_type = if is_utf8 { format!("{plain}; charset=utf-8") } else { plain };
    Media { content_type, encoding }
}

/// The name without the ending of its encoding, and that.
fn encoded(name: &str, seen: Seen) -> Option<(&str, &'static str)> {
    let (plain, last) = name.rsplit_once('.')?;
    let fits = |(ending, _, sign): &&(&str, &str, &[u8])| {
        last.eq_ignore_ascii_case(ending) && seen.begin.starts_with(sign)
    };
    let (ending, encoding, _) = ENCODINGS.iter().find(fits)?;
    if *ending == "svgz" {
        return Some((name, encoding));
    }
    let (_, inner) = plain.rsplit_once('.')?;
    LOADED.contains(&inner.to_ascii_lowercase().as_str()).then_some((plain, *encoding))
}

fn type_of(name: &str) -> String {
    if JSON.contains(&name) {
        return "application/json".into();
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let known = ending.and_then(|ending| {
        let at = TYPES.binary_search_by_key(&ending.as_str(), |(known, _)| known).ok()?;
        Some(TYPES[at].1.to_owned())
    });
    known.unwrap_or_else(|| mime_guess::from_path(name).first_or_octet_stream().to_string())
}

/// Does the type say how its text is encoded? JSON is always UTF-8 (RFC 8259, 8.1).
fn takes_charset(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || media_type.ends_with("+xml")
        || matches!(media_type, "application/xml" | "application/javascript")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GZIP: Seen = Seen { is_utf8: false, begin: [0x1f, 0x8b, 8, 0] };
    const TEXT: Seen = Seen { is_utf8: true, begin: *b"text" };
    const LATIN_1: Seen = Seen { is_utf8: false, begin: *b"text" };

    #[test]
    fn the_table_can_be_searched() {
        assert!(TYPES.is_sorted_by_key(|(ending, _)| ending));
    }

    #[test]
    fn a_file_is_what_browsers_need_it_to_be() {
        let plain = |kind: &str| Media { content_type: kind.into(), encoding: None };
        let encoded = |kind: &str, encoding| Media { encoding: Some(encoding), ..plain(kind) };
        for (key, seen, expected) in [
            ("a/index.html", TEXT, plain("text/html; charset=utf-8")),
            ("a/index.html", LATIN_1, plain("text/html")),
            ("INDEX.HTML", TEXT, plain("text/html; charset=utf-8")),
            ("feed.xml", LATIN_1, plain("text/xml")),
            ("notes.txt", LATIN_1, plain("text/plain")),
            ("logo.svg", TEXT, plain("image/svg+xml; charset=utf-8")),
            ("app.js", TEXT, plain("text/javascript; charset=utf-8")),
            ("app.mjs", TEXT, plain("text/javascript; charset=utf-8")),
            ("app.js.map", TEXT, plain("application/json")),
            ("data.json", TEXT, plain("application/json")),
            ("app.webmanifest", TEXT, plain("application/manifest+json")),
            ("a.woff", LATIN_1, plain("font/woff")),
            ("a.woff2", LATIN_1, plain("font/woff2")),
            ("a.otf", LATIN_1, plain("font/otf")),
            ("a.ttf", LATIN_1, plain("font/ttf")),
            ("a.usdz", LATIN_1, plain("model/vnd.usdz+zip")),
            ("a.ts", LATIN_1, plain("video/mp2t")),
            ("a.wasm", LATIN_1, plain("application/wasm")),
            (".well-known/apple-app-site-association", TEXT, plain("application/json")),
            (".well-known/openid-configuration", TEXT, plain("application/json")),
            ("LICENSE", TEXT, plain("application/octet-stream")),
            ("gz", GZIP, plain("application/octet-stream")),
            ("x.js.br", LATIN_1, encoded("text/javascript", "br")),
            ("x.wasm.gz", GZIP, encoded("application/wasm", "gzip")),
            ("x.wasm.gz", LATIN_1, plain("application/gzip")),
            ("Build/game.data.gz", GZIP, encoded("application/octet-stream", "gzip")),
            ("x.json.zst", LATIN_1, plain("application/zstd")),
            ("x.svgz", GZIP, encoded("image/svg+xml", "gzip")),
            ("x.svgz", TEXT, plain("image/svg+xml; charset=utf-8")),
            ("source.tar.gz", GZIP, plain("application/gzip")),
            ("backup.sql.gz", GZIP, plain("application/gzip")),
        ] {
            assert_eq!(of(key, seen), expected, "{key} {seen:?}");
        }
    }
}
