//! `provision sweep`.

use super::confirm::somebody_is_there;
use super::failure::{Failure, Reason};
use super::session::{self, Session};
use super::words::{Words, choices};
use super::{Exit, signals};
use crate::commands::global::Global;
use crate::name::StackName;
use crate::spec::Spec;
use crate::spec::load::{Files, from_text};
use crate::sweep::{Choice, Remains};
use crate::view::View;
use crate::view::remains::{Listing, Then};
use clap::Args;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Find what earlier stacks left in the account, and take down what you choose
#[derive(Debug, Args)]
#[command(after_help = "\
Everything that carries our tag or marker and that the spec at hand (if there is one) does not \
cover is shown. Without a choice
(--stack, --expired, --older-than, --all) it only shows. With one, it takes down what was chosen, \
as `provision destroy` with the
stack's spec would: at a terminal it asks for the name of each stack, with --yes it does not ask. \
`protect` and `account` of
the spec at hand hold, and so does what a stack's own tags protect. A spec at hand that is wrong \
stops it.

With --yes, --older-than and --all pass over stacks that visitors use (whose distribution is \
enabled, or whose function runs in
somebody else's) unless --in-use is said. A stack whose own `ttl` is over, or that --stack names, \
is taken down in any case.

Examples:
  provision sweep
  provision sweep --older-than 30d
  provision sweep --expired --yes
  provision sweep --stack old-demo --yes")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Sweep {
    /// Do not ask; needs a choice
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
    /// Every stack of the account but that of the spec at hand
    #[arg(long, conflicts_with_all = ["stack", "older_than", "expired"])]
    pub all: bool,
    /// With --older-than or --all: also stacks that visitors use
    #[arg(long)]
    pub in_use: bool,
    /// Delete objects in their buckets that `provision` did not put, too
    #[arg(long)]
    pub delete_data: bool,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub async fn run(global: &Global, verb: &Sweep) -> Result<Exit, Failure> {
    let view = View::new(global.json);
    let chooses = verb.all || verb.expired || verb.stack.is_some() || verb.older_than.is_some();
    if verb.yes && !chooses {
        let what = "`--yes` alone would take down every stack of the account, without a question";
        let hint = "say which: `--stack NAME`, `--expired`, `--older-than DURATION` or `--all`";
        return Err(Failure::Usage(Reason::new(what).hinted(hint)));
    }
    let at_hand = at_hand(global, view)?;
    let named = verb.stack.is_some();
    let choice = Choice {
        stack: verb.stack.clone(),
        covered: at_hand.as_ref().filter(|_| !named).map(|spec| spec.stack.clone()),
        older_than: verb.older_than,
        expired: verb.expired,
        // Who is asked sees it, and answers with the stack's name.
        in_use: verb.in_use || !verb.yes,
    };
    let anybody = || from_remains(&global.file, "stack: sweep\n");
    let session =
        Session::open_with(global, at_hand.map_or_else(anybody, Ok)?, signals::listen()).await;
    let found = session.discover().await?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let chosen: Vec<Remains> =
        found.remains.into_iter().filter(|remains| remains.is_chosen(&choice, now)).collect();
    let ends = chooses && (verb.yes || somebody_is_there());
    let (going, staying): (Vec<_>, Vec<_>) =
        chosen.iter().partition(|remains| !remains.stays(&choice));
    let then = match (ends, chooses) {
        (true, _) if going.is_empty() => Then::Nothing,
        (true, _) => Then::Ends,
        (false, true) => Then::MayEnd,
        (false, false) => Then::Choose,
    };
    view.remains(&Listing {
        chosen: &chosen,
        staying: &staying,
        notices: &found.notices,
        now,
        then,
    });
    if !ends {
        if chooses && !going.is_empty() {
            let hint = "add `--yes` to take them down without asking";
            let reason = Reason::new("nobody is there to confirm").hinted(hint);
            return Err(Failure::Refused(reason));
        }
        return Ok(Exit::Done);
    }
    let mut worst = Exit::Done;
    for remains in going {
        // What keeps one stack from its end does not keep the next.
        let ended = end(global, view, verb, remains, &session).await;
        let exit = ended.unwrap_or_else(|failure| {
            failure.show(view);
            if let Failure::Spec(_) = failure { Exit::Failed } else { failure.exit() }
        });
        worst = worse(worst, exit);
        if worst == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// The spec at hand, which covers its stack. Only where none was named and none lies here nothing
/// is covered: a spec that cannot be read may stand for a site that people visit, in another
/// account.
fn at_hand(global: &Global, view: View) -> Result<Option<Spec>, Failure> {
    let absent = |error: std::io::Error| error.kind() == ErrorKind::NotFound;
    if global.is_default_file() && global.file.symlink_metadata().is_err_and(absent) {
        return Ok(None);
    }
    session::spec(global, view, Files::Spared).map(Some)
}

fn from_remains(file: &Path, text: &str) -> Result<Spec, Failure> {
    from_text(file, text).map_err(Failure::Spec)
}

/// Takes one stack down, as `provision destroy` with its spec would.
async fn end(
    global: &Global,
    view: View,
    verb: &Sweep,
    remains: &Remains,
    asked: &Session,
) -> Result<Exit, Failure> {
    let mut spec = from_remains(&global.file, &remains.spec())?;
    if asked.spec.stack == spec.stack {
        spec.protect.clone_from(&asked.spec.protect);
    }
    let session = Session {
        also: remains.clues(),
        ..Session::open_with(global, spec, asked.stop.clone()).await
    };
    let picture =
        session.destroy(&choices(&session.spec, &Words::default(), verb.delete_data, true)).await?;
    view.plan(&picture.plan);
    if !picture.plan.can_apply() {
        return Ok(Exit::Refused);
    }
    if picture.plan.is_empty() {
        return Ok(Exit::Done);
    }
    session.confirm_the_end(verb.yes).await?;
    let (outcome, exit) =
        session.carry_out(&picture.plan, &picture.stack, &picture.live, Duration::ZERO).await;
    let data = if verb.delete_data { " --delete-data" } else { "" };
    view.swept(
        &outcome,
        &format!("`provision sweep --stack {}{data} --yes{}`", remains.stack, session.flags),
    );
    Ok(exit)
}

/// What the whole run ends with: a failure weighs more than a refusal, that more than something
/// pending.
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
