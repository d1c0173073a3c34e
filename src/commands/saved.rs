//! Plans in files: `plan --out FILE`, `apply FILE`.

use super::Exit;
use super::session::{Session, Words};
use crate::change::Kind;
use crate::file;
use crate::name::{AccountId, StackName};
use crate::plan::{Intent, Plan};
use crate::view::View;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Write;
use std::path::Path;

/// The format that this program reads and writes.
const FORMAT: u32 = 2;

/// A plan in a file. It is compared, never executed: what is carried out is always a plan that was made just now.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    format: u32,
    /// Of which stack.
    pub stack: StackName,
    /// In which account.
    pub account: AccountId,
    /// Takes down instead of building up.
    pub destroy: bool,
    /// What it was allowed to take over.
    pub adopt: Vec<Kind>,
    /// What it was allowed to delete that the spec no longer asks for.
    pub delete: Vec<Kind>,
    /// Whether it was allowed to delete other people's objects.
    pub delete_data: bool,
    plan: Value,
}

impl Saved {
    /// What a person said when it was made.
    #[must_use]
    pub fn words(&self) -> Words {
        Words { adopt: self.adopt.clone(), delete: self.delete.clone() }
    }
}

/// What every version's plan says.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn refuse(view: View, file: &Path, what: &str, hint: &str) -> Exit {
    view.error(&format!("plan {}: {what}", file.display()), Some(hint));
    Exit::Refused
}

const PLAN_AGAIN: &str = "make a new one with `provision plan --out FILE`";

/// Writes the plan to `file`.
///
/// # Errors
/// [`Exit::Failed`], after it was shown.
pub fn save(view: View, flags: &str, file: &Path, plan: &Plan, words: &Words, delete_data: bool) -> Result<(), Exit> {
    let value = serde_json::to_value(plan).map_err(|error| refuse(view, file, &error.to_string(), PLAN_AGAIN))?;
    let (stack, account) = (plan.stack.clone(), plan.account.clone());
    let Words { adopt, delete } = words.clone();
    let saved = Saved { format: FORMAT, stack, account, destroy: plan.intent == Intent::Destroy, adopt, delete, delete_data, plan: value };
    let text = serde_json::to_vec_pretty(&saved).map_err(|error| refuse(view, file, &error.to_string(), PLAN_AGAIN))?;
    if text.len() as u64 > file::LARGEST_RECORD {
        let what = format!("would have {} bytes, and at most {} can be read again", text.len(), file::LARGEST_RECORD);
        return Err(refuse(view, file, &what, "apply without a saved plan"));
    }
    std::fs::File::create(file).and_then(|mut opened| opened.write_all(&text)).map_err(|error| {
        view.error(&format!("could not write {}: {error}", file.display()), None);
        Exit::Failed
    })?;
    view.saved(file, flags);
    Ok(())
}

/// Reads a saved plan.
///
/// # Errors
/// [`Exit::Refused`], after it was shown.
pub fn read(view: View, path: &Path) -> Result<Saved, Exit> {
    let text = file::read_record(path).map_err(|error| refuse(view, path, &format!("cannot be read: {error}"), PLAN_AGAIN))?;
    let no_plan = |error: String| refuse(view, path, &format!("is not a saved plan: {error}"), PLAN_AGAIN);
    // Another version's plan may look different in all but this.
    let Version { format } = file::parse(&text).map_err(no_plan)?;
    if format != FORMAT {
        return Err(refuse(view, path, &format!("has format {format}, this program reads format {FORMAT}"), PLAN_AGAIN));
    }
    file::parse(&text).map_err(no_plan)
}

/// Is the plan for the stack of this spec?
///
/// # Errors
/// [`Exit::Refused`], after it was shown.
pub fn same_stack(session: &Session, file: &Path, saved: &Saved) -> Result<(), Exit> {
    if saved.stack == session.spec.stack {
        return Ok(());
    }
    let what = format!("is for stack `{}`, the spec is for stack `{}`", saved.stack, session.spec.stack);
    Err(refuse(session.view, file, &what, "name the right spec with `--file`"))
}

/// Would the very same plan be made now?
///
/// # Errors
/// [`Exit::Refused`], after it was shown.
pub fn same_plan(view: View, file: &Path, saved: &Saved, now: &Plan) -> Result<(), Exit> {
    if saved.account != now.account {
        let what = format!("is for account {}, the credentials are for account {}", saved.account, now.account);
        return Err(refuse(view, file, &what, "choose the right profile (`--profile`, AWS_PROFILE)"));
    }
    let value = serde_json::to_value(now).map_err(|error| refuse(view, file, &error.to_string(), PLAN_AGAIN))?;
    if saved.plan == value {
        return Ok(());
    }
    let what = format!("what it was made from has moved on ({})", difference(&saved.plan, &value, "plan"));
    Err(refuse(view, file, &what, PLAN_AGAIN))
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
            found.map_or_else(|| path.to_owned(), |at| difference(&a[at], &b[at], &format!("{path}[{at}]")))
        }
        (Value::Array(a), Value::Array(b)) => format!("{path}: {} steps then, {} now", a.len(), b.len()),
        _ => format!("{path}: {} then, {} now", short(&before.to_string()), short(&now.to_string())),
    }
}

/// The file may hold keys and values without end.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
