//! What a maintenance page may be: it is served by the edge function, alone, while everything else
//! of the site answers 503.

pub mod security;

/// What CloudFront takes from a viewer-request function, headers included (CloudFront Developer
/// Guide, "Quotas").
pub const LARGEST_RESPONSE: usize = 40_960;
/// What is set aside for the headers: half for the security policy, half for all others.
pub const HEADERS: usize = 2_048;
/// What helps against references to the site.
pub const ALLOW_HINT: &str = "put it into the page itself, or add its path to `maintenance.allow`";

/// A reference from the page to the site's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// From 1.
    pub line: usize,
    /// As written.
    pub target: String,
}

/// Checks size, encoding, and that it is HTML at all.
///
/// # Errors
/// A fragment that fits behind the page's name.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("is empty: visitors would see a blank page".to_owned());
    }
    let limit = LARGEST_RESPONSE - HEADERS;
    if bytes.len() > limit {
        return Err(format!(
            "has {} bytes; at most {limit} fit into CloudFront's 40 KB with their headers",
            bytes.len()
        ));
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err("is not UTF-8, and the edge hands it on as text".to_owned());
    }
    if has_no_markup(bytes) {
        return Err(format!("{NO_MARKUP}: name the page's own file, or {MARKUP_HINT}"));
    }
    Ok(())
}

/// What a page without any markup most likely is: another file.
pub const NO_MARKUP: &str = "holds no `<`, so it is no HTML";
/// What helps where it is the page after all.
pub const MARKUP_HINT: &str = "write it as HTML, such as `<h1>Back soon</h1>`";

/// Is it anything but HTML?
#[must_use]
pub fn has_no_markup(bytes: &[u8]) -> bool {
    !bytes.contains(&b'<')
}

/// Finds what the page asks of its own site, and what `allow` does not let through. A scan, not a
/// parser: it may overlook what a script builds, and never names what is not written there.
#[must_use]
pub fn own_references(page: &str, allow: &[String]) -> Vec<Reference> {
    let lines = page.lines().enumerate();
    let found =
        lines.flat_map(|(at, line)| targets(line).into_iter().map(move |target| (at + 1, target)));
    let own = found.filter(|(_, target)| is_own(target) && !is_allowed(target, allow));
    own.map(|(line, target)| Reference { line, target }).collect()
}

/// What stands in `src`, `href` of a stylesheet or icon, `srcset`, `poster`, `data`, and in CSS's
/// `url(…)`.
fn targets(line: &str) -> Vec<String> {
    let lower = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for mark in ["src=", "poster=", "data=", "srcset="] {
        found.extend(
            lower.match_indices(mark).filter_map(|(at, _)| value(&line[at + mark.len()..])),
        );
    }
    // A link that people click is theirs to follow; a stylesheet is loaded at once.
    for (at, _) in lower.match_indices("<link") {
        let tag = &line[at..];
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        found.extend(tag.to_ascii_lowercase().find("href=").and_then(|at| value(&tag[at + 5..])));
    }
    for (at, mark) in lower.match_indices("url(") {
        let inside = &line[at + mark.len()..];
        found.extend(
            inside.find(')').map(|end| inside[..end].trim().trim_matches(['"', '\'']).to_owned()),
        );
    }
    found
}

fn value(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    if matches!(quote, '"' | '\'') {
        return text[1..].split(quote).next().map(str::to_owned);
    }
    text.split([' ', '>']).next().map(str::to_owned)
}

/// Relative, or absolute on the same host.
fn is_own(target: &str) -> bool {
    let scheme = target.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    !(target.is_empty() || scheme || target.starts_with("//") || target.starts_with('#'))
}

fn is_allowed(target: &str, allow: &[String]) -> bool {
    let path = format!(
        "/{}",
        target
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim_start_matches("./")
            .trim_start_matches('/')
    );
    allow
        .iter()
        .any(|rule| rule.strip_suffix('*').map_or(*rule == path, |prefix| path.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_the_site_are_found_with_their_lines() {
        let page = "<link rel=stylesheet href=/style.css>\n<img src=\"logo.png\"><img \
            src='/ok/a.png'>\n<a href=\"/home\">x</a>\n\
            <img src=\"data:image/png;base64,x\"><script \
            src=https://cdn.example/x.js></script>\n<style>b{background:url('bg.jpg')}</style>";
        let found = own_references(page, &["/ok/*".to_owned()]);
        let found: Vec<_> =
            found.iter().map(|reference| (reference.line, reference.target.as_str())).collect();
        assert_eq!(found, [(1, "/style.css"), (2, "logo.png"), (5, "bg.jpg")]);
    }

    #[test]
    fn size_and_encoding_are_checked() {
        assert_eq!(check(&vec![b'<'; LARGEST_RESPONSE - HEADERS]), Ok(()));
        assert!(check(&vec![b'<'; LARGEST_RESPONSE - HEADERS + 1]).is_err());
        assert!(check(b"<\xff").is_err());
        assert!(check(b"stack: shop\n").is_err());
    }
}
