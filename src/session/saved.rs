//! Plans in files: `plan --out FILE`, `apply FILE`, `destroy FILE`.
//!
//! A plan in a file is compared, never executed: what is carried out is always a plan that was made
//! just now, from the spec, the live state and the words on the command line. Nothing that stands
//! in the file chooses anything, so a file that a user tampered with can only make us refuse.

use super::Session;
use super::failure::{Failure, Reason};
use super::words::{Words, flags, joined};
use crate::change::{Conflict, Kind, Notice};
use crate::file::{self, Readers};
use crate::name::{AccountId, StackName};
use crate::plan::{Intent, Plan, Step};
use crate::spec::Spec;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The format that this program reads and writes.
const FORMAT: u32 = 2;

/// What a person says that decides what a plan may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// Take down instead of build up.
    pub destroy: bool,
    /// What may be taken over, and deleted.
    pub words: &'a Words,
    /// Other people's objects may be deleted.
    pub delete_data: bool,
}

impl Said<'_> {
    /// As on the command line, each with a space before it.
    pub(crate) fn joined(&self) -> String {
        joined(&self.flags())
    }

    /// As on the command line.
    fn flags(&self) -> Vec<String> {
        flags(self.words, self.delete_data)
    }

    /// The whole command that carries out a plan in a file. `flags` has a space before each.
    fn command(&self, file: &Path, flags: &str) -> String {
        let verb = if self.destroy { "destroy" } else { "apply" };
        let said = self.joined();
        format!("provision {verb} {}{said}{flags}", file.display())
    }
}

/// A saved plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved<P = Value> {
    format: u32,
    stack: StackName,
    account: AccountId,
    destroy: bool,
    adopt: Vec<Kind>,
    delete: Vec<Kind>,
    delete_data: bool,
    plan: P,
    #[serde(skip)]
    file: PathBuf,
}

/// What of a plan is agreed to: all but its waits, which write nothing.
#[derive(Serialize)]
struct Agreed<'a> {
    stack: &'a StackName,
    account: &'a AccountId,
    intent: Intent,
    steps: Vec<&'a Step>,
    conflicts: &'a [Conflict],
    notices: &'a [Notice],
}

impl<'a> Agreed<'a> {
    fn of(plan: &'a Plan) -> Self {
        let Plan { stack, account, intent, steps, conflicts, notices } = plan;
        let writes = |step: &&Step| !step.op.is_wait();
        let steps = steps.iter().filter(writes).collect();
        Self { stack, account, intent: *intent, steps, conflicts, notices }
    }
}

/// What every version's plan says.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// What no record but a saved plan says, whatever its version.
#[derive(Deserialize)]
#[expect(dead_code, reason = "that they are there is what is asked")]
struct Mark {
    format: u32,
    stack: StackName,
    account: AccountId,
    plan: IgnoredAny,
}

fn refuse(file: &Path, what: &str, hint: &str) -> Failure {
    Failure::Refused(Reason::new(format!("plan {}: {what}", file.display())).hinted(hint))
}

const PLAN_AGAIN: &str = "make a new one with `provision plan --out FILE`";
const ELSEWHERE: &str = "choose another place with `--out FILE`";

/// Writes the plan to `file`, for its owner alone. Replaces an older plan, and nothing else.
///
/// # Errors
/// [`Failure::Refused`] or [`Failure::Local`]; what was there is then still there.
pub(crate) fn save(
    session: &Session,
    file: &Path,
    plan: &Plan,
    said: Said<'_>,
) -> Result<(), Failure> {
    let view = session.place.view;
    may_be_written(&session.spec, file).map_err(|what| refuse(file, &what, ELSEWHERE))?;
    let Words { adopt, delete } = said.words.clone();
    let saved = Saved {
        format: FORMAT,
        stack: plan.stack.clone(),
        account: plan.account.clone(),
        destroy: said.destroy,
        adopt,
        delete,
        delete_data: said.delete_data,
        plan: Agreed::of(plan),
        file: PathBuf::new(),
    };
    // Piece by piece: of a large plan the text takes more memory than the plan.
    let written = file::replace_with(file, Readers::Owner, |to| {
        let mut to = BufWriter::new(Bounded { to, left: file::LARGEST_RECORD });
        serde_json::to_writer_pretty(&mut to, &saved)?;
        to.flush()
    });
    written.map_err(|error| match error.kind() {
        // The system has limits of its own.
        ErrorKind::FileTooLarge if error.raw_os_error().is_none() => {
            let most = file::LARGEST_RECORD;
            let what = format!("would have more than {most} bytes, which could not be read again");
            refuse(file, &what, "apply without a saved plan")
        }
        _ => Failure::Local(Reason::new(format!("could not write {}: {error}", file.display()))),
    })?;
    view.saved(&said.command(file, &session.place.flags));
    Ok(())
}

/// A file that takes so many bytes and no more.
struct Bounded<'a> {
    to: &'a mut File,
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64).ok_or(ErrorKind::FileTooLarge)?;
        self.to.write_all(bytes)?;
        self.left = left;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// Why nothing may be written there.
fn may_be_written(spec: &Spec, file: &Path) -> Result<(), String> {
    if let Some(what) = spec.publishes(file) {
        return Err(format!("is in {what}"));
    }
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot be looked at: {error}")),
        Ok(found) if !found.is_file() => Err(format!("is {}", file::described(found.file_type()))),
        Ok(_) => {
            let text = file::read_record(file).map_err(|error| error.to_string());
            let is_plan = text.and_then(|text| file::parse::<Mark>(&text));
            is_plan.map(drop).map_err(|_| "is no saved plan, and would be lost".to_owned())
        }
    }
}

/// Reads a saved plan, if one is named, and compares its words with what is said now.
///
/// # Errors
/// [`Failure::Refused`].
pub(crate) fn read(
    file: Option<&Path>,
    said: Said<'_>,
    flags: &str,
) -> Result<Option<Saved>, Failure> {
    let Some(path) = file else { return Ok(None) };
    let text = file::read_record(path)
        .map_err(|error| refuse(path, &format!("cannot be read: {error}"), PLAN_AGAIN))?;
    let no_plan =
        |error: String| refuse(path, &format!("is not a saved plan: {error}"), PLAN_AGAIN);
    // Another version's plan may look different in all but this.
    let Version { format } = file::parse(&text).map_err(no_plan)?;
    if format != FORMAT {
        let what = format!("has format {format}, this program reads format {FORMAT}");
        return Err(refuse(path, &what, PLAN_AGAIN));
    }
    let saved = Saved { file: path.to_owned(), ..file::parse::<Saved>(&text).map_err(no_plan)? };
    saved.was_made_with(said).map_err(|(what, remedy)| {
        let hint = if remedy == Remedy::SayIt {
            let words = Words { adopt: saved.adopt.clone(), delete: saved.delete.clone() };
            let then =
                Said { destroy: saved.destroy, words: &words, delete_data: saved.delete_data };
            format!("if that is what you want, say so: `{}`", then.command(path, flags))
        } else {
            PLAN_AGAIN.to_owned()
        };
        refuse(path, &what, &hint)
    })?;
    Ok(Some(saved))
}

/// What helps against a plan that was made with other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// The same words on the command line.
    SayIt,
    PlanAgain,
}

impl Saved {
    /// Why it is another plan than the one that is asked for, and what helps.
    fn was_made_with(&self, said: Said<'_>) -> Result<(), (String, Remedy)> {
        let words = Words { adopt: self.adopt.clone(), delete: self.delete.clone() };
        let then = Said { destroy: self.destroy, words: &words, delete_data: self.delete_data };
        if then.destroy != said.destroy {
            let what = if then.destroy { "takes the stack down" } else { "takes nothing down" };
            return Err((what.to_owned(), Remedy::SayIt));
        }
        let (then, now) = (then.flags(), said.flags());
        let lacks = |these: &[String], others: &[String]| {
            let quoted = |flag: &String| format!("`{flag}`");
            others
                .iter()
                .filter(|flag| !these.contains(flag))
                .map(quoted)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (lacks(&now, &then), lacks(&then, &now)) {
            (missing, more) if missing.is_empty() && more.is_empty() => Ok(()),
            (missing, more) if missing.is_empty() => {
                Err((format!("was made without {more}"), Remedy::PlanAgain))
            }
            (missing, _) => Err((format!("was made with {missing}"), Remedy::SayIt)),
        }
    }

    /// Is the plan for the stack of this spec?
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn is_for(&self, session: &Session) -> Result<(), Failure> {
        if self.stack == session.spec.stack {
            return Ok(());
        }
        let what = format!(
            "is for stack `{}`, the spec is for stack `{}`",
            self.stack, session.spec.stack
        );
        Err(refuse(&self.file, &what, "name the right spec with `--file`"))
    }

    /// Would the very same plan be made now?
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn is_still(&self, now: &Plan) -> Result<(), Failure> {
        let file = &self.file;
        if self.account != now.account {
            let (then, now) = (&self.account, &now.account);
            let what = format!("is for account {then}, the credentials are for account {now}");
            return Err(refuse(file, &what, "choose the right profile (`--profile`, AWS_PROFILE)"));
        }
        let value = serde_json::to_value(Agreed::of(now));
        let value = value.map_err(|error| refuse(file, &error.to_string(), PLAN_AGAIN))?;
        if self.plan == value {
            return Ok(());
        }
        let what = format!(
            "what it was made from has moved on ({})",
            difference(&self.plan, &value, "plan")
        );
        Err(refuse(file, &what, PLAN_AGAIN))
    }
}

/// The first place where two values differ, as a path.
fn difference(before: &Value, now: &Value, path: &str) -> String {
    match (before, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                if a.get(key) != b.get(key) {
                    return difference(
                        a.get(key).unwrap_or(&Value::Null),
                        b.get(key).unwrap_or(&Value::Null),
                        &format!("{path}.{}", short(key)),
                    );
                }
            }
            path.to_owned()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let found = a.iter().zip(b).position(|(a, b)| a != b);
            found.map_or_else(
                || path.to_owned(),
                |at| difference(&a[at], &b[at], &format!("{path}[{at}]")),
            )
        }
        (Value::Array(a), Value::Array(b)) => {
            format!("{path}: {} steps then, {} now", a.len(), b.len())
        }
        _ => {
            format!("{path}: {} then, {} now", short(&before.to_string()), short(&now.to_string()))
        }
    }
}

/// The file may hold keys and values without end.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
