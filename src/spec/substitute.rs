//! Fills `${NAME}` in from the environment, in text values only.

use super::node::{Node, Value};
use super::problem::{Place, Problem, visible};

/// Looks a variable up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Fills in every variable below `node`. `source` is the text that `node` was read from.
pub fn substitute(
    node: &mut Node,
    source: &str,
    environment: Environment<'_>,
    problems: &mut Vec<Problem>,
) {
    match &mut node.value {
        Value::List(items) => {
            for item in items {
                substitute(item, source, environment, problems);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                substitute(&mut entry.value, source, environment, problems);
            }
        }
        Value::Text(text) => match fill(text, environment) {
            Ok(filled) => *text = filled,
            Err(refusals) => {
                problems
                    .extend(refusals.iter().map(|refusal| refusal.problem(&node.place, source)));
                node.value = Value::Broken;
            }
        },
        _ => {}
    }
}

/// Why a reference cannot be filled in.
enum Refusal {
    Unset(String),
    Misspelt(String),
    Open,
}

impl Refusal {
    fn problem(&self, place: &Place, source: &str) -> Problem {
        match self {
            Self::Unset(name) => {
                let what = format!("the environment variable `{name}` is not set");
                let fix = format!("set `{name}`, or write `$${{{name}}}` for the plain text");
                Problem::error(
                    &within(place, source, &format!("${{{name}}}")),
                    what,
                    "`${NAME}` stands for an environment variable",
                    fix,
                )
            }
            Self::Misspelt(name) => {
                let what =
                    format!("`${{{}}}` does not name an environment variable", visible(name));
                let rule = "a variable's name is made of letters, digits and `_`, and does not \
                    begin with a digit";
                Problem::error(
                    &within(place, source, &format!("${{{name}}}")),
                    what,
                    rule,
                    "write `$${` for a plain `${`",
                )
            }
            Self::Open => {
                let rule = "`${NAME}` stands for an environment variable";
                Problem::error(
                    place,
                    "`${` is not closed",
                    rule,
                    "close it with `}`, or write `$${` for a plain `${`",
                )
            }
        }
    }
}

/// The place of `needle` inside `place`, if it stands there literally.
fn within(place: &Place, source: &str, needle: &str) -> Place {
    let slice = source.get(place.span.clone()).unwrap_or_default();
    match slice.find(needle) {
        Some(at) if !slice.get(..at).unwrap_or_default().contains('\n') => Place {
            line: place.line,
            column: place.column + slice.get(..at).unwrap_or_default().chars().count(),
            span: place.span.start + at..place.span.start + at + needle.len(),
        },
        _ => place.clone(),
    }
}

fn fill(text: &str, environment: Environment<'_>) -> Result<String, Vec<Refusal>> {
    let mut filled = String::new();
    let mut refusals = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let before = rest.get(..at).unwrap_or_default();
        let after = rest.get(at + 2..).unwrap_or_default();
        if let Some(escaped) = before.strip_suffix('$') {
            filled.push_str(escaped);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let Some((name, following)) = after.split_once('}') else {
            refusals.push(Refusal::Open);
            rest = "";
            break;
        };
        if !is_name(name) {
            refusals.push(Refusal::Misspelt(name.to_owned()));
        } else if let Some(value) = environment(name) {
            filled.push_str(&value);
        } else {
            refusals.push(Refusal::Unset(name.to_owned()));
        }
        rest = following;
    }
    filled.push_str(rest);
    if refusals.is_empty() { Ok(filled) } else { Err(refusals) }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::node::parse;

    fn filled(text: &str) -> (Node, Vec<Problem>) {
        let source = format!("{text:?}");
        let mut node = parse(&source).unwrap();
        let mut problems = Vec::new();
        let environment = |name: &str| (name == "A").then(|| "${A} x".to_owned());
        substitute(&mut node, &source, &environment, &mut problems);
        (node, problems)
    }

    #[test]
    fn variables_are_filled_in_once() {
        for (text, expected) in [
            ("", ""),
            ("$A", "$A"),
            ("<${A}>", "<${A} x>"),
            ("$${A}", "${A}"),
            ("$${A}${A}", "${A}${A} x"),
            ("$", "$"),
        ] {
            let (node, problems) = filled(text);
            assert_eq!(problems, []);
            assert_eq!(node.value, Value::Text(expected.to_owned()));
            assert_eq!(node.written, text);
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_told_at_its_place() {
        for (text, column, what) in [
            ("a ${B} ${A}", 4, "`B` is not set"),
            ("${A:-x}", 2, "`${A:-x}` does not name"),
            ("${}", 2, "does not name"),
            ("${A", 1, "is not closed"),
        ] {
            let (node, problems) = filled(text);
            assert_eq!(node.value, Value::Broken);
            assert_eq!(problems.len(), 1);
            assert!(problems[0].what.contains(what), "{problems:?}");
            assert_eq!(problems[0].place.as_ref().unwrap().column, column);
        }
        assert_eq!(filled("${B}${C}").1.len(), 2);
    }
}
