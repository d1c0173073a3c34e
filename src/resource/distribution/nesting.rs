//! How deep the elements of an XML text lie in one another, found without recursion.

/// Counts as a parser would, up to the first place that is not well-formed, where a parser stops.
pub(super) fn depth(text: &str) -> usize {
    let (mut rest, mut depth, mut deepest) = (text, 0_usize, 0);
    while let Some(markup) = rest.find('<').and_then(|at| rest.get(at..)) {
        let Some(end) = end(markup) else { break };
        let (tag, after) = markup.split_at(end);
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !(tag.starts_with("<!") || tag.starts_with("<?") || tag.ends_with("/>")) {
            depth += 1;
            deepest = deepest.max(depth);
        }
        rest = after;
    }
    deepest
}

/// Where the markup ends that the text begins with: a comment, character data, an instruction, or a
/// tag.
pub(super) fn end(markup: &str) -> Option<usize> {
    for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if let Some(inside) = markup.strip_prefix(begin) {
            return inside.find(end).map(|at| begin.len() + at + end.len());
        }
    }
    let mut quote = None;
    for (at, byte) in markup.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_elements_that_are_open_count() {
        for (text, expected) in [
            ("", 0),
            ("<a/>", 0),
            ("<a></a>", 1),
            ("<?xml version=\"1.0\"?><a><b/><b>é</b><b><c></c></b></a>", 3),
            ("<a x='/>'><b y=\">\"><c>", 3),
            ("<a><!--></a>--><b><![CDATA[</b></a>]]><c>", 3),
            ("<a><b", 1),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }
}
