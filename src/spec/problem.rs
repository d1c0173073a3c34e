//! What is wrong with a spec, where, why, and what to type instead.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::ops::Range;

/// How many problems [`Problems::render`] shows in full; a file that is not a spec at all has
/// thousands.
const SHOWN: usize = 100;

/// Whether a problem keeps the spec from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The spec is refused.
    Error,
    /// The spec is used; the user should know.
    Warning,
}

/// A place in the source text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the source text.
    pub span: Range<usize>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where; `None` if it is about the whole file.
    pub place: Option<Place>,
    /// What is wrong: a lower-case fragment without a period. Never holds the value of an
    /// environment variable.
    pub what: String,
    /// The rule behind it, with the AWS document's name when the rule is AWS's.
    pub rule: String,
    /// What to type.
    pub fix: String,
}

impl Problem {
    /// A problem that refuses the spec.
    pub fn error(
        place: &Place,
        what: impl Into<String>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            place: Some(place.clone()),
            what: what.into(),
            rule: rule.into(),
            fix: fix.into(),
        }
    }

    /// A problem that the user should know of.
    pub fn warning(
        place: &Place,
        what: impl Into<String>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, what, rule, fix) }
    }

    /// An error of the file as a whole.
    pub fn of_file(
        what: impl Into<String>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { place: None, ..Self::error(&Place::default(), what, rule, fix) }
    }
}

/// All problems of one file, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    file: String,
    source: String,
    list: Vec<Problem>,
}

impl Problems {
    /// Sorts `list` by place; what is about the whole file comes first. The same problem at the
    /// same place is kept once (a YAML alias is read as often as it is used).
    #[must_use]
    pub fn new(file: &str, source: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.place.as_ref().map(|place| place.span.start));
        list.dedup();
        Self { file: file.to_owned(), source: source.to_owned(), list }
    }

    /// The problems, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Number of problems of both severities.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.len() - self.errors()
    }

    /// The problems as people read them: message, `file:line:column`, the source line with a caret,
    /// rule and help.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for problem in self.list.iter().take(SHOWN) {
            text.push_str(&self.render_one(problem, &renderer));
            text.push_str("\n\n");
        }
        match self.len().saturating_sub(SHOWN) {
            0 => text.truncate(text.trim_end().len()),
            1 => text.push_str("and 1 more problem"),
            more => text.extend(["and ", &more.to_string(), " more problems"]),
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    fn render_one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = match &problem.place {
            Some(_) => problem.what.clone(),
            None => format!("{}: {}", visible(&self.file), problem.what),
        };
        let mut group = annotate_snippets::Group::with_title(level.primary_title(title));
        if let Some(place) = &problem.place {
            let line = line_around(&self.source, &place.span);
            let start = place.span.start.clamp(line.start, line.end) - line.start;
            let end = place.span.end.clamp(line.start + start, line.end) - line.start;
            let first = self.source.get(..line.start).unwrap_or_default().matches('\n').count() + 1;
            group = group.element(
                Snippet::source(self.source.get(line).unwrap_or_default())
                    .path(visible(&self.file))
                    .line_start(first)
                    .annotation(AnnotationKind::Primary.span(start..end)),
            );
        }
        let group = group
            .element(Level::NOTE.with_name("rule").message(problem.rule.as_str()))
            .element(Level::HELP.message(problem.fix.as_str()));
        renderer.render(&[group])
    }

    /// The problems as programs read them.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let entry = |problem: &Problem| {
            serde_json::json!({
                "severity": match problem.severity { Severity::Error => "error",
                    Severity::Warning => "warning" },
                "file": self.file,
                "line": problem.place.as_ref().map(|place| place.line),
                "column": problem.place.as_ref().map(|place| place.column),
                "message": problem.what,
                "rule": problem.rule,
                "fix": problem.fix,
            })
        };
        self.list.iter().map(entry).collect()
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The bytes of the line on which `span` begins, without its end-of-line.
fn line_around(source: &str, span: &Range<usize>) -> Range<usize> {
    let at = source.floor_char_boundary(span.start);
    let start = source.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let rest = source.get(start..).unwrap_or_default();
    let length = rest.find('\n').unwrap_or(rest.len());
    start..start + rest.get(..length).unwrap_or_default().trim_end_matches('\r').len()
}

/// Can this character make a terminal do or show something else than the text that is there? So can
/// bidirectional controls, separators of lines and what has no width; and U+FFFE and U+FFFF are no
/// characters at all.
#[must_use]
pub fn steers(letter: char) -> bool {
    let reorders = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(letter, '\u{2028}' | '\u{2029}');
    let hides = matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    letter.is_control()
        || reorders
        || separates
        || hides
        || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// `text` as it may stand in a message: one line, no control characters, not endless.
#[must_use]
pub fn visible(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    for (position, letter) in text.chars().enumerate() {
        if position == LONGEST {
            shown.push('…');
            break;
        }
        if steers(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: usize, column: usize, span: Range<usize>) -> Place {
        Place { line, column, span }
    }

    #[test]
    fn problems_are_shown_in_the_order_of_their_places() {
        let source = "stack: Shop\nregion: Eü\n";
        let later = Problem::warning(&place(2, 9, 20..23), "later", "a rule", "a fix");
        let first = Problem::error(&place(1, 8, 7..11), "first", "a rule", "a fix");
        let file = Problem::of_file("whole", "a rule", "a fix");
        let problems =
            Problems::new("provision.yaml", source, vec![later.clone(), first, file, later]);
        let expected = "\
error: provision.yaml: whole
 |
 = rule: a rule
 = help: a fix

error: first
 --> provision.yaml:1:8
  |
1 | stack: Shop
  |        ^^^^
  |
  = rule: a rule
  = help: a fix

warning: later
 --> provision.yaml:2:9
  |
2 | region: Eü
  |         ^^
  |
  = rule: a rule
  = help: a fix
";
        assert_eq!(problems.render(false), expected);
        assert_eq!((problems.errors(), problems.warnings()), (2, 1));
        assert!(problems.render(true).contains("\u{1b}["));
        assert_eq!(problems.json()[1]["line"], 1);
        assert_eq!(problems.json()[0]["line"], serde_json::Value::Null);
    }

    #[test]
    fn a_flood_is_cut_short_but_not_in_json() {
        let list = (0..250)
            .map(|n| Problem::error(&place(1, 1, 0..1), format!("no {n}"), "r", "f"))
            .collect();
        let problems = Problems::new("x", "y", list);
        assert!(problems.render(false).ends_with("and 150 more problems\n"));
        assert_eq!(problems.json().as_array().unwrap().len(), 250);
    }

    #[test]
    fn what_could_lie_to_a_terminal_is_escaped() {
        assert_eq!(visible("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\nb\\u{202e}");
        assert_eq!(visible(&"x".repeat(200)).chars().count(), 81);
    }
}
