//! `provision sweep`.

use super::session::{self, Session};
use super::words::{Words, choices};
use super::{Exit, signals};
use crate::cloud::Cloud;
use crate::commands::global::Global;
use crate::name::StackName;
use crate::spec::load::{Files, from_text};
use crate::sweep::{Choice, Remains};
use crate::view::View;
use clap::Args;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Find what earlier stacks left in the account, and take it down with --yes
#[derive(Debug, Args)]
#[command(after_help = "\
Everything that carries our tag or marker and that the spec at hand (if there is one) does not cover is shown. Taking a stack
down is the same as `provision destroy` with the spec that it had. Without --stack, a spec at hand that is wrong stops it:
what it covers is not known.

Examples:
  provision sweep
  provision sweep --expired --yes
  provision sweep --stack old-demo --yes")]
pub struct Sweep {
    /// Take it down
    #[arg(short, long)]
    pub yes: bool,
    /// Only this stack, even if the spec at hand covers it
    #[arg(long, value_name = "NAME", value_parser = |text: &str| text.parse::<StackName>())]
    pub stack: Option<StackName>,
    /// Only stacks that are at least this old, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub older_than: Option<Duration>,
    /// Only stacks whose `ttl` is over
    #[arg(long)]
    pub expired: bool,
    /// Delete objects in their buckets that `provision` did not put, too
    #[arg(long)]
    pub delete_data: bool,
}

/// Runs the verb.
pub async fn run(global: &Global, verb: &Sweep) -> Exit {
    match try_run(global, verb).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(global: &Global, verb: &Sweep) -> Result<Exit, Exit> {
    let view = View::new(global.json);
    let covered = if verb.stack.is_some() { None } else { covered(global, view)? };
    let session = Session::open_with(global, spec(view, &global.file, "stack: sweep\n")?, signals::listen()).await;
    let found = session.cloud.discover().await.map_err(|fault| {
        view.fault(&fault);
        Exit::Failed
    })?;
    let choice = Choice { stack: verb.stack.clone(), covered, older_than: verb.older_than, expired: verb.expired };
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let chosen: Vec<Remains> = found.remains.into_iter().filter(|remains| remains.is_chosen(&choice, now)).collect();
    view.remains(&chosen, &found.notices, now, verb.yes);
    if !verb.yes || chosen.is_empty() {
        return Ok(Exit::Done);
    }
    let mut worst = Exit::Done;
    for remains in &chosen {
        worst = worse(worst, end(global, view, verb, remains, &session).await);
        if worst == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// The stack of the spec at hand. Only where none was named and none lies here nothing is covered: a spec that cannot be read
/// may stand for a site that people visit.
fn covered(global: &Global, view: View) -> Result<Option<StackName>, Exit> {
    let absent = |error: std::io::Error| error.kind() == ErrorKind::NotFound;
    if global.is_default_file() && global.file.symlink_metadata().is_err_and(absent) {
        return Ok(None);
    }
    session::spec(global, view, Files::Spared).map(|spec| Some(spec.stack))
}

fn spec(view: View, file: &Path, text: &str) -> Result<crate::spec::Spec, Exit> {
    from_text(file, text).map_err(|problems| {
        view.problems(&problems);
        Exit::Failed
    })
}

/// Takes one stack down, as `provision destroy` with its spec would.
async fn end(global: &Global, view: View, verb: &Sweep, remains: &Remains, asked: &Session) -> Exit {
    let spec = match spec(view, &global.file, &remains.spec()) {
        Ok(spec) => spec,
        Err(exit) => return exit,
    };
    let session = Session::open_with(global, spec, asked.stop.clone()).await;
    let picture = match session.destroy(&choices(&session.spec, &Words::default(), verb.delete_data, true)).await {
        Ok(picture) => picture,
        Err(exit) => return exit,
    };
    view.plan(&picture.plan);
    if !picture.plan.can_apply() {
        return Exit::Refused;
    }
    let (outcome, exit) = session.carry_out(&picture.plan, &picture.stack, &picture.live, Duration::ZERO).await;
    let data = if verb.delete_data { " --delete-data" } else { "" };
    view.swept(&outcome, &format!("`provision sweep --stack {}{data} --yes{}`", remains.stack, session.flags));
    exit
}

/// What the whole run ends with: a failure weighs more than a refusal, that more than something pending.
fn worse(a: Exit, b: Exit) -> Exit {
    let weight = |exit: Exit| match exit {
        Exit::Interrupted => 4,
        Exit::Failed => 3,
        Exit::Refused => 2,
        Exit::Pending => 1,
        _ => 0,
    };
    if weight(b) > weight(a) { b } else { a }
}
