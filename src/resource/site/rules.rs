//! What a spec says of the site's files by patterns of their keys.

use crate::edge::ObjectHeaders;
use glob::MatchOptions;
use std::str::FromStr;

/// A pattern of keys, as people know it from `.gitignore`: `*` and `?` stand for what is between two
/// `/`, `**/` for folders. It is for files and for all below folders. Without a `/` inside it is for
/// names in any folder; one at its beginning holds it to the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    glob: glob::Pattern,
    is_name: bool,
}

impl FromStr for Pattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let inside = text.trim_end_matches('/');
        let path = inside.strip_prefix('/').unwrap_or(inside);
        if path.is_empty() {
            return Err("it is for nothing");
        }
        // Names of pages hold brackets, as `[slug].html`; sets of letters nobody needs.
        let literal = path.replace('[', "[[]");
        let glob = glob::Pattern::new(&literal).map_err(|error| error.msg)?;
        Ok(Self { glob, is_name: !inside.contains('/') })
    }
}

impl Pattern {
    /// Is it for the file under this key, or for a folder above it?
    #[must_use]
    pub fn is_for(&self, key: &str) -> bool {
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        if self.is_name {
            return key.split('/').any(|name| self.glob.matches_with(name, options));
        }
        let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
        ends.into_iter().any(|end| self.glob.matches_with(&key[..end], options))
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
            ("/*.pdf", "docs/a.pdf", false),
            ("/a.pdf", "a.pdf", true),
            ("*.PDF", "a.pdf", false),
            ("docs/*.pdf", "docs/a.pdf", true),
            ("/docs/*.pdf", "docs/a.pdf", true),
            ("docs/*.pdf", "old/docs/a.pdf", false),
            ("docs/*.pdf", "docs/deep/a.pdf", false),
            ("docs/**/*.pdf", "docs/deep/er/a.pdf", true),
            ("docs/**/*.pdf", "docs/a.pdf", true),
            ("docs/**", "docs/a/b", true),
            ("docs/**", "docs", false),
            ("docs/", "docs/a/b", true),
            ("docs", "old/docs/a", true),
            ("/docs", "old/docs/a", false),
            ("docs", "docs.html", false),
            ("**", "a/b", true),
            ("?.txt", "a.txt", true),
            ("[slug].html", "[slug].html", true),
            ("[slug].html", "s.html", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().is_for(key), is_for, "{pattern} {key}");
        }
        assert!("/".parse::<Pattern>().is_err());
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
