//! What a spec says of the site's files by patterns of their keys.

use crate::edge::ObjectHeaders;
use glob::MatchOptions;
use std::str::FromStr;

/// A pattern of keys: `*` and `?` stand for what is between two `/`, `**/` for folders. Without a
/// `/` it is for names in any folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(glob::Pattern);

impl FromStr for Pattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        glob::Pattern::new(text.trim_start_matches('/')).map(Self).map_err(|error| error.msg)
    }
}

impl Pattern {
    /// Is it for the file under this key?
    #[must_use]
    pub fn is_for(&self, key: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        let name = key.rsplit('/').next().unwrap_or_default();
        let is_name = !self.0.as_str().contains('/');
        self.0.matches_with(if is_name { name } else { key }, options)
    }
}

/// The headers that a spec may set, by its words.
pub const HEADERS: [&str; 5] = [
    "content_type",
    "cache_control",
    "content_encoding",
    "content_language",
    "content_disposition",
];

/// How some files are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub files: Pattern,
    /// One of [`HEADERS`], and its value; empty takes the header away.
    pub headers: Vec<(&'static str, String)>,
}

/// What the spec says instead, where it says something of the file under this key: of two rules the
/// later.
#[must_use]
pub fn ruled(rules: &[Rule], key: &str, mut served: ObjectHeaders) -> ObjectHeaders {
    for (name, value) in
        rules.iter().filter(|rule| rule.files.is_for(key)).flat_map(|rule| &rule.headers)
    {
        let header = match *name {
            "content_type" => &mut served.content_type,
            "cache_control" => &mut served.cache_control,
            "content_encoding" => &mut served.content_encoding,
            "content_language" => &mut served.content_language,
            _ => &mut served.content_disposition,
        };
        header.clone_from(value);
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_names_or_for_keys() {
        for (pattern, key, is_for) in [
            ("*.pdf", "a.pdf", true),
            ("*.pdf", "docs/deep/a.pdf", true),
            ("*.pdf", "a.pdf/b", false),
            ("docs/*.pdf", "docs/a.pdf", true),
            ("/docs/*.pdf", "docs/a.pdf", true),
            ("docs/*.pdf", "docs/deep/a.pdf", false),
            ("docs/**/*.pdf", "docs/deep/er/a.pdf", true),
            ("docs/**/*.pdf", "docs/a.pdf", true),
            ("docs/**", "docs/a/b", true),
            ("docs/**", "docs", false),
            ("**", "a/b", true),
            ("?.txt", "a.txt", true),
            ("[ab].txt", "c.txt", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().is_for(key), is_for, "{pattern} {key}");
        }
        assert!("a[".parse::<Pattern>().is_err());
        assert!("a**".parse::<Pattern>().is_err());
    }

    #[test]
    fn the_later_rule_holds_header_by_header() {
        let rule = |files: &str, headers: &[(&'static str, &str)]| Rule {
            files: files.parse().unwrap(),
            headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        };
        let rules = [
            rule("*.gz", &[("content_type", "text/csv"), ("content_encoding", "gzip")]),
            rule("raw/*", &[("content_encoding", ""), ("content_disposition", "attachment")]),
            rule("*.txt", &[("content_language", "de"), ("cache_control", "no-cache")]),
        ];
        let by_name = || ObjectHeaders::new("application/gzip", "public");
        let served = ruled(&rules, "raw/a.gz", by_name());
        let attached = ObjectHeaders { content_disposition: "attachment".into(), ..by_name() };
        assert_eq!(served, ObjectHeaders { content_type: "text/csv".into(), ..attached });
        let served = ruled(&rules, "a.txt", by_name());
        let cached = ObjectHeaders::new("application/gzip", "no-cache");
        assert_eq!(served, ObjectHeaders { content_language: "de".into(), ..cached });
    }
}
