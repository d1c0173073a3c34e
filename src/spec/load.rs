//! The way from a file to a [`Spec`]: read, parse, fill in, decode, check.

use super::problem::{Problem, Problems};
use super::substitute::{Environment, substitute};
use super::{Spec, check, decode, node};
use crate::file;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A spec is a page of text; more than this is another file.
const LARGEST: u64 = 1024 * 1024;

/// A spec that may be used, and what the user should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub spec: Spec,
    /// Warnings only.
    pub warnings: Problems,
}

/// Reads a spec that is not in a file.
///
/// # Errors
/// All problems at once.
#[cfg(test)]
pub(crate) fn from_text(file: &Path, source: &str) -> Result<Spec, Problems> {
    judged(&file.display().to_string(), source, interpret(file, source, &|_| None, Files::Spared))
        .map(|loaded| loaded.spec)
}

/// Must the files that a spec names be there? What takes a stack down needs none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// They are about to be used.
    Needed,
    /// They may be gone.
    Spared,
}

/// Reads the spec in `file`. `${NAME}` in it is looked up in `env`.
///
/// Nothing but the local file system is asked.
///
/// # Errors
/// All problems at once, warnings included, if at least one of them is an error.
pub fn load(file: &Path, env: Environment<'_>, files: Files) -> Result<Loaded, Problems> {
    let name = file.display().to_string();
    let source = match read(file) {
        Ok(source) => source,
        Err((problem, source)) => return Err(Problems::new(&name, &source, vec![*problem])),
    };
    judged(&name, &source, interpret(file, &source, env, files))
}

/// One error is enough: a value that was refused has its default in the spec.
fn judged(
    name: &str,
    source: &str,
    (spec, list): (Option<Spec>, Vec<Problem>),
) -> Result<Loaded, Problems> {
    let problems = Problems::new(name, source, list);
    match spec {
        Some(spec) if problems.errors() == 0 => Ok(Loaded { spec, warnings: problems }),
        _ => Err(problems),
    }
}

/// All between the text and the spec. Without an error among the problems there is a spec.
fn interpret(
    file: &Path,
    source: &str,
    env: Environment<'_>,
    files: Files,
) -> (Option<Spec>, Vec<Problem>) {
    let mut tree = match node::parse(source) {
        Ok(tree) => tree,
        Err(problem) => return (None, vec![*problem]),
    };
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut problems = Vec::new();
    substitute(&mut tree, source, env, &mut problems);
    let draft = decode::decode(&tree, &file, &mut problems);
    if let Some(draft) = &draft {
        check::check(draft, &folder, files, &mut problems);
    }
    (draft.map(|draft| draft.spec), problems)
}

type Unreadable = (Box<Problem>, String);

fn read(file: &Path) -> Result<String, Unreadable> {
    let refuse = |what: &str, rule: &str, fix: &str| {
        (Box::new(Problem::of_file(what, rule, fix)), String::new())
    };
    let bytes = file::read(file, LARGEST).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => refuse(
            "is larger than 1 MiB",
            "a spec is a page of text",
            "name another file with `--file`",
        ),
        ErrorKind::NotFound => {
            let fix = "run `provision init` to write one, or name another file with `--file`";
            refuse(&format!("cannot be read: {error}"), "the spec is a file of text", fix)
        }
        _ => {
            let fix = "name another file with `--file`, or give yourself the right to read it";
            refuse(&format!("cannot be read: {error}"), "the spec is a file of text", fix)
        }
    })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(not_utf8(bytes, error.valid_up_to())),
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Unreadable {
    let source = String::from_utf8_lossy(bytes).into_owned();
    let before = source.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let place = super::problem::Place {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        span: at..at + '\u{fffd}'.len_utf8(),
    };
    let problem = Problem::error(
        &place,
        "this is not UTF-8",
        "a spec is text in UTF-8",
        "save the file as UTF-8",
    );
    (Box::new(problem), source)
}

#[cfg(test)]
mod tests;
