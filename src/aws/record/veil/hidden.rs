//! Values that are somebody's wherever they stand: in plain, with signs between their letters, and
//! as the hexadecimal of their bytes.

use super::Class;
use super::meant::Meant;
use std::collections::BTreeMap;

/// Shorter ones are hidden in their own places alone: numbers as short are everywhere.
const SHORTEST: usize = 6;

/// As many letters are known without the signs between them.
const LONG: usize = 8;

/// What is hidden, by the first letter of each form.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden {
    values: BTreeMap<String, Class>,
    forms: BTreeMap<char, Vec<Form>>,
}

#[derive(Clone, Debug)]
struct Form {
    letters: Vec<char>,
    value: String,
    class: Class,
}

impl Hidden {
    /// In all forms.
    pub(super) fn insert(&mut self, value: &str, class: Class) {
        if value.len() >= SHORTEST && self.values.insert(value.to_owned(), class).is_none() {
            self.put(value, value, class);
            self.put(&hex::encode(value), value, class);
        }
    }

    /// In hexadecimal alone: word by word it is replaced anyway.
    pub(super) fn insert_words(&mut self, value: &str) {
        // The hexadecimal of a shorter one is a number as any other.
        if value.len() >= 4 {
            self.put(&hex::encode(value), value, Class::Name);
        }
    }

    fn put(&mut self, written: &str, value: &str, class: Class) {
        let letters: Vec<char> = written.chars().map(|c| c.to_ascii_lowercase()).collect();
        let form = Form { letters, value: value.to_owned(), class };
        self.forms.entry(form.letters[0]).or_default().push(form);
    }

    /// What stands there in some form, and where it ends.
    pub(super) fn at(&self, meant: &Meant<'_>, at: usize) -> Option<(usize, &str, Class)> {
        let forms = self.forms.get(&meant.letters[at].to_ascii_lowercase())?;
        if !meant.is_edge(at) {
            return None;
        }
        let found = forms.iter().filter_map(|form| Some((form.end(meant, at)?, form)));
        let (end, form) = found.max_by_key(|(end, _)| *end)?;
        Some((end, &form.value, form.class))
    }
}

impl Form {
    /// Where it ends if it begins there. Between two of its letters there may be a sign; where the
    /// value itself has one, there is one, unless the rest is long enough to be known without.
    fn end(&self, meant: &Meant<'_>, from: usize) -> Option<usize> {
        let is_sign = |at: usize| meant.letters.get(at).is_some_and(|it| !it.is_alphanumeric());
        let is_long = self.letters.iter().filter(|it| it.is_alphanumeric()).count() >= LONG;
        let (mut at, mut may_skip) = (from, false);
        for wanted in &self.letters {
            if !wanted.is_alphanumeric() {
                if is_sign(at) {
                    at += 1;
                } else if !is_long {
                    return None;
                }
                may_skip = false;
                continue;
            }
            if may_skip && is_sign(at) {
                at += 1;
            }
            if !meant.letters.get(at)?.eq_ignore_ascii_case(wanted) {
                return None;
            }
            (at, may_skip) = (at + 1, true);
        }
        meant.is_edge(at).then_some(at)
    }
}
