//! YAML text → a tree in which every key and value knows its place.
//!
//! The tree is read before any rule is applied, so that one wrong value does not hide the next one.

use super::problem::{Place, Problem, visible};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Spanned};
use std::fmt;

/// A value, or a key, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: Value,
    /// A scalar as the user wrote it (a text without its quotes, before variables are filled in);
    /// else empty.
    pub written: String,
    pub place: Place,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// Another number.
    Number(f64),
    /// Text, variables filled in.
    Text(String),
    /// `[…]` or `- …`.
    List(Vec<Node>),
    /// `{…}` or `key: value`, duplicates included.
    Map(Vec<Entry>),
    /// Already reported; silently skipped from there on.
    Broken,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Node,
    pub value: Node,
}

impl Node {
    /// The scalar as it may stand in a message: as written, never with the value of a variable in
    /// it.
    #[must_use]
    pub fn shown(&self) -> String {
        visible(&self.written)
    }

    /// What this is, for "found …".
    #[must_use]
    pub fn described(&self) -> String {
        match &self.value {
            Value::Null | Value::Broken => "nothing".to_owned(),
            Value::Bool(_) => format!("`{}`", self.shown()),
            Value::Whole(_) | Value::Number(_) => format!("the number `{}`", self.shown()),
            Value::Text(_) => format!("the text `{}`", self.shown()),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "keys with values".to_owned(),
        }
    }
}

/// Reads `text`, which must hold one YAML document.
///
/// # Errors
/// What keeps the text from being YAML, with its place.
pub fn parse(text: &str) -> Result<Node, Box<Problem>> {
    let options = serde_yaml::options! {
        // Reported by `decode`, each with its place, together with everything else.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 10_000, max_replay_stack_depth: 8 },
        budget: serde_yaml::budget! { max_events: 100_000, max_nodes: 50_000, max_depth: 32, flow_nesting_limit: 32 },
    };
    serde_yaml::from_str_with_options::<Spanned<Content>>(text, options)
        .map(|content| Node::new(content, text))
        .map_err(|error| Box::new(refusal(text, &error)))
}

fn refusal(text: &str, error: &serde_yaml::Error) -> Problem {
    let error = error.without_snippet();
    let full = error.to_string();
    // The place stands in front of the source line already.
    let what = full.split(" at line ").next().unwrap_or(&full);
    let place = match error.location() {
        Some(location) => place_of(text, location),
        None => Place { line: 1, column: 1, span: 0..0 },
    };
    if matches!(error, serde_yaml::Error::MultipleDocuments { .. }) {
        let rule = "one file describes one stack";
        return Problem::error(
            &place,
            "the file holds more than one YAML document",
            rule,
            "remove the line `---` and what follows it",
        );
    }
    if let Some(tab) = leading_tab(text).filter(|_| what.contains("tab")) {
        let fix = "write spaces instead of the tab, two for each level";
        return Problem::error(
            &tab,
            "a tab indents this line",
            "YAML 1.2: indentation is made of spaces",
            fix,
        );
    }
    let line = text.lines().nth(place.line - 1).unwrap_or_default();
    let fix = match what {
        _ if what.contains("flow") && line.contains("${") => {
            "put a value with `${…}` inside of braces or brackets in quotes"
        }
        _ if what.starts_with("mapping values are not allowed") => {
            "put a value that holds `: ` in quotes, or check the indentation"
        }
        _ if what.starts_with("unclosed") => "close it on the same line",
        _ if what.contains("unknown anchor") => {
            "define it with `&name` first, or put a value that begins with `*` in quotes"
        }
        _ if what.contains("budget") || what.contains("recursion") || what.contains("alias") => {
            "a spec is small and flat: write the values out"
        }
        _ => "check quotes, brackets and indentation on this line and the one before it",
    };
    Problem::error(
        &place,
        format!("this is not YAML: {}", visible(what)),
        "a spec is one YAML 1.2 document",
        fix,
    )
}

fn leading_tab(text: &str) -> Option<Place> {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(at) = line.get(..indentation).and_then(|spaces| spaces.find('\t')) {
            return Some(Place {
                line: number + 1,
                column: at + 1,
                span: start + at..start + at + 1,
            });
        }
        start += line.len();
    }
    None
}

fn place_of(text: &str, location: Location) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let span = location.span();
    let bytes = if let (Some(start), Some(length)) = (span.byte_offset(), span.byte_len()) {
        number(start)..number(start).saturating_add(number(length))
    } else {
        // The scanner's own errors count in characters only.
        let at = |characters: u64| {
            text.char_indices().nth(number(characters)).map_or(text.len(), |(byte, _)| byte)
        };
        at(span.offset())..at(span.offset().saturating_add(span.len()))
    };
    let start = bytes.start.min(text.len());
    Place {
        line: number(location.line()).max(1),
        column: number(location.column()).max(1),
        span: start..bytes.end.clamp(start, text.len()),
    }
}

impl Node {
    fn new(content: Spanned<Content>, text: &str) -> Self {
        let place = place_of(text, content.defined);
        let source = || text.get(place.span.clone()).unwrap_or_default().to_owned();
        let (value, written) = match content.value {
            Content::Null => (Value::Null, String::new()),
            Content::Bool(flag) => (Value::Bool(flag), source()),
            Content::Whole(number) => (Value::Whole(number), source()),
            Content::Number(number) => (Value::Number(number), source()),
            Content::Text(text) => (Value::Text(text.clone()), text),
            Content::List(items) => (
                Value::List(items.into_iter().map(|item| Self::new(item, text)).collect()),
                String::new(),
            ),
            Content::Map(entries) => {
                let entry = |(key, value)| Entry {
                    key: Self::new(key, text),
                    value: Self::new(value, text),
                };
                (Value::Map(entries.into_iter().map(entry).collect()), String::new())
            }
        };
        Self { value, written, place }
    }
}

/// [`Value`] while serde hands it over.
enum Content {
    Null,
    Bool(bool),
    Whole(i128),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Content>>),
    Map(Vec<(Spanned<Content>, Spanned<Content>)>),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Content::Whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Content, E> {
        Ok(Content::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Content::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let text = "é: {off: 'a', n: 012}\nstack: x\nstack: y\n";
        let Value::Map(entries) = parse(text).unwrap().value else { panic!("a map") };
        assert_eq!(entries.len(), 3);
        let Value::Map(inner) = &entries[0].value.value else { panic!("a map") };
        assert_eq!(inner[0].key.value, Value::Text("off".to_owned()));
        assert_eq!((inner[0].value.place.line, inner[0].value.place.column), (1, 10));
        assert_eq!(&text[inner[0].value.place.span.clone()], "'a'");
        assert_eq!(inner[1].value.written, "012");
        assert_eq!(entries[2].key.place.line, 3);
    }

    #[test]
    fn what_is_not_yaml_is_refused_at_its_place() {
        let deep_flow = "[".repeat(5000);
        let deep_block = "- ".repeat(50_000);
        let aliases = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c \
            [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: \
            [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
        let rows = [
            ("a: 1\n\tb: 2\n", 2, 1, "a tab indents"),
            ("a: [1,\nb: 2", 1, 4, "unclosed"),
            ("a: b: c\n", 1, 5, "mapping values"),
            ("---\na: 1\n---\nb: 2\n", 4, 1, "more than one"),
            ("\"abc", 1, 1, "unclosed"),
            ("x: 1\ny: *z\n", 2, 4, "unknown anchor"),
            (deep_flow.as_str(), 1, 33, "not YAML"),
            (deep_block.as_str(), 1, 0, "not YAML"),
            (aliases, 0, 0, "not YAML"),
        ];
        for (text, line, column, what) in rows {
            let problem = parse(text).unwrap_err();
            let place = problem.place.clone().unwrap();
            assert!(problem.what.contains(what), "{problem:?}");
            assert!(line == 0 || place.line == line, "{problem:?}");
            assert!(column == 0 || place.column == column, "{problem:?}");
        }
    }
}
