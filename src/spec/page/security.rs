//! What the page may do on the site's host. Whoever may turn the switch may put another page there,
//! and that must not become a script that runs as the site.

use super::value;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// With more scripts, their digests would need more of the answer than is set aside for headers.
const MOST: usize = 8;

/// The Content Security Policy (W3C, "Content Security Policy Level 3") under which this page does
/// what it does now: styles, pictures and fonts from anywhere, and of scripts those that stand in
/// it, and what it loads by a whole address or from the site.
#[must_use]
pub fn policy(html: &str) -> String {
    let mut allowed = BTreeSet::new();
    for script in scripts(html) {
        match script {
            Script::At(origin) => allowed.insert(origin),
            Script::Here(text) => {
                let digest = BASE64_STANDARD.encode(Sha256::digest(text));
                allowed.insert(format!("'sha256-{digest}'"))
            }
        };
    }
    let allowed: Vec<String> = allowed.into_iter().take(MOST).collect();
    let scripts = ["'self'".to_owned()].into_iter().chain(allowed).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'self' https: data:; style-src 'self' https: data: 'unsafe-inline'; \
         script-src {scripts}; object-src 'none'; base-uri 'none'"
    )
}

enum Script<'a> {
    /// Loaded from this origin.
    At(String),
    Here(&'a str),
}

/// A scan, not a parser: what it overlooks does not run.
fn scripts(html: &str) -> Vec<Script<'_>> {
    const OPEN: &str = "<script";
    let lower = html.to_ascii_lowercase();
    let begins = lower.match_indices(OPEN).filter_map(|(at, _)| {
        let end = at + lower[at..].find('>')?;
        let close = end + 1 + lower[end + 1..].find("</script")?;
        Some((&html[at + OPEN.len()..end], &html[end + 1..close]))
    });
    begins
        .filter_map(|(attributes, text)| match source(attributes) {
            Some(source) => origin(&source).map(Script::At),
            None => Some(Script::Here(text)),
        })
        .collect()
}

/// The value of `src`.
fn source(attributes: &str) -> Option<String> {
    let at = attributes.to_ascii_lowercase().find("src=")?;
    value(attributes[at + 4..].trim_start())
}

/// `https://host:port` of an address; none of a path on the site itself.
fn origin(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("//"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(html: &str) -> String {
        let policy = policy(html);
        let (_, rest) = policy.split_once("script-src 'self'").unwrap();
        rest.split(';').next().unwrap().trim().to_owned()
    }

    #[test]
    fn only_the_page_s_own_scripts_run() {
        // printf 'go()' | openssl dgst -sha256 -binary | base64
        let go = "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='";
        for (html, expected) in [
            ("<p>soon</p>", String::new()),
            ("<script>go()</script>", go.to_owned()),
            ("<SCRIPT type=module>go()</SCRIPT>", go.to_owned()),
            ("<script src=/app.js></script>", String::new()),
            ("<script src='https://cdn.example/a.js'></script>", "https://cdn.example".into()),
            (
                "<script async src=\"//cdn.example:8443?a\"></script>",
                "https://cdn.example:8443".into(),
            ),
            ("<script src=\"https://a b;c/\"></script>", String::new()),
            ("<script>go()", String::new()),
            ("<script>go()</script><script>go()</script>", go.to_owned()),
            ("<p onclick='go()'>é</p>", String::new()),
        ] {
            assert_eq!(allowed(html), expected, "{html}");
        }
        let many: Vec<String> =
            (0..20).map(|number| format!("<script>{number}</script>")).collect();
        assert_eq!(allowed(&many.concat()).split(' ').count(), MOST);
    }

    #[test]
    fn it_fits_into_what_is_set_aside_for_headers() {
        let script =
            |n: usize| format!("<script src=https://{}{n}.example/></script>", "a".repeat(60));
        let longest: String = (0..MOST).map(script).collect();
        assert!(policy(&longest).len() < 1_024);
    }
}
