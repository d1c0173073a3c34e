//! Plans in files: `plan --out FILE`, `apply FILE`.

use super::Exit;
use super::session::Session;
use crate::change::Kind;
use crate::name::{AccountId, StackName};
use crate::plan::{Intent, Plan};
use crate::view::View;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;

/// The format that this program reads and writes.
const FORMAT: u32 = 1;

/// No plan is larger; a larger file is something else.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A plan in a file. It is compared, never executed: what is carried out is always a plan that was made just now.
#[derive(Debug, Serialize, Deserialize)]
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
    /// Whether it was allowed to delete other people's objects.
    pub delete_data: bool,
    plan: Value,
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
pub fn save(view: View, flags: &str, file: &Path, plan: &Plan, adopt: &[Kind], delete_data: bool) -> Result<(), Exit> {
    let value = serde_json::to_value(plan).map_err(|error| refuse(view, file, &error.to_string(), PLAN_AGAIN))?;
    let (stack, account) = (plan.stack.clone(), plan.account.clone());
    let saved =
        Saved { format: FORMAT, stack, account, destroy: plan.intent == Intent::Destroy, adopt: adopt.to_vec(), delete_data, plan: value };
    let text = serde_json::to_vec_pretty(&saved).map_err(|error| refuse(view, file, &error.to_string(), PLAN_AGAIN))?;
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
pub fn read(view: View, file: &Path) -> Result<Saved, Exit> {
    let mut text = Vec::new();
    let opened = std::fs::File::open(file).and_then(|opened| opened.take(LARGEST + 1).read_to_end(&mut text));
    opened.map_err(|error| refuse(view, file, &format!("cannot be read: {error}"), PLAN_AGAIN))?;
    if text.len() as u64 > LARGEST {
        return Err(refuse(view, file, "is too large to be a plan", PLAN_AGAIN));
    }
    let saved: Saved =
        serde_json::from_slice(&text).map_err(|error| refuse(view, file, &format!("is not a saved plan: {error}"), PLAN_AGAIN))?;
    if saved.format != FORMAT {
        return Err(refuse(view, file, &format!("has format {}, this program reads format {FORMAT}", saved.format), PLAN_AGAIN));
    }
    Ok(saved)
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
                    return difference(a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"));
                }
            }
            path.to_owned()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let found = a.iter().zip(b).position(|(a, b)| a != b);
            found.map_or_else(|| path.to_owned(), |at| difference(&a[at], &b[at], &format!("{path}[{at}]")))
        }
        (Value::Array(a), Value::Array(b)) => format!("{path}: {} steps then, {} now", a.len(), b.len()),
        _ => {
            let short = |value: &Value| value.to_string().chars().take(60).collect::<String>();
            format!("{path}: {} then, {} now", short(before), short(now))
        }
    }
}
