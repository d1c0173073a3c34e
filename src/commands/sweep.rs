//! `provision sweep`.

use crate::aws::Patience;
use crate::name::{EDGE_REGION, StackName};
use crate::plan::Choices;
use crate::session::confirm;
use crate::session::failure::{Failure, Reason};
use crate::session::global::Global;
use crate::session::place::{Place, Target};
use crate::session::run::{Consent, Run};
use crate::session::{self, Exit, signals};
use crate::spec::load::Files;
use crate::spec::{Spec, duration};
use crate::sweep::{Remains, Selection};
use crate::view::View;
use crate::view::remains::{Listing, Then};
use clap::Args;
use std::io::ErrorKind;
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
another owner's) unless --in-use is said. A stack whose own `ttl` is over, or that --stack names, \
is taken down in any case.

Examples:
  provision sweep
  provision sweep --older-than 30d
  provision sweep --expired --yes
  provision sweep --stack old-demo --yes")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Sweep {
    /// Do not ask; needs a choice
    #[arg(short, long)]
    pub yes: bool,
    /// Only this stack, even if the spec at hand covers it
    #[arg(long, value_name = "NAME", value_parser = |text: &str| text.parse::<StackName>())]
    pub stack: Option<StackName>,
    /// Only stacks that are at least this old, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = duration::said)]
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
    /// Delete objects in their buckets and policies in their roles that `provision` did not put, too
    #[arg(long)]
    pub delete_data: bool,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &Sweep) -> Result<Exit, Failure> {
    let view = global.view();
    let chooses = verb.all || verb.expired || verb.stack.is_some() || verb.older_than.is_some();
    if verb.yes && !chooses {
        let what = "`--yes` alone would take down every stack of the account, without a question";
        let hint = "say which: `--stack NAME`, `--expired`, `--older-than DURATION` or `--all`";
        return Err(Failure::Usage(Reason::new(what).hinted(hint)));
    }
    let at_hand = at_hand(global, view)?;
    let named = verb.stack.is_some();
    let selection = Selection {
        stack: verb.stack.clone(),
        covered: at_hand.as_ref().filter(|_| !named).map(|spec| spec.stack.clone()),
        older_than: verb.older_than,
        expired: verb.expired,
        // Who is asked sees it, and answers with the stack's name.
        in_use: verb.in_use || !verb.yes,
    };
    let region = at_hand.as_ref().map_or_else(|| EDGE_REGION.parse(), |it| Ok(it.region.clone()));
    let region = region.map_err(|why: &str| Failure::Local(Reason::new(why)))?;
    let file = at_hand.as_ref().map_or(&global.file, |spec| &spec.file);
    let place = Place::open(global, file, region, signals::listen(), Patience::RUN).await?;
    let (account, found) = place.discover(at_hand.as_ref().map(session::target).as_ref()).await?;
    let notices = found.notices();
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let chosen: Vec<Remains> =
        found.remains.into_iter().filter(|remains| remains.is_chosen(&selection, now)).collect();
    let ends = chooses && (verb.yes || confirm::has_terminal());
    let (going, staying): (Vec<_>, Vec<_>) =
        chosen.iter().partition(|remains| !remains.stays(&selection));
    let then = match (ends, chooses) {
        (true, _) if going.is_empty() => Then::Nothing,
        (true, _) => Then::Ends,
        (false, true) => Then::MayEnd,
        (false, false) => Then::Choose,
    };
    view.remains(&Listing {
        account: &account,
        stack: verb.stack.as_ref(),
        chosen: &chosen,
        staying: &staying,
        notices: &notices,
        now,
        then,
    });
    if !ends {
        if chooses && !going.is_empty() {
            let hint = "add `--yes` to take them down without asking";
            return Err(Failure::Refused(confirm::no_terminal().hinted(hint)));
        }
        return Ok(Exit::Done);
    }
    let mut worst = Exit::Done;
    for remains in going {
        // What keeps one stack from its end does not keep the next.
        let ended = end(&place, verb, remains, at_hand.as_ref()).await;
        let exit = ended.unwrap_or_else(|failure| {
            failure.show(view);
            failure.exit()
        });
        worst = worse(worst, exit);
        if worst == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// The spec at hand, which covers its stack. Only where none was named and none is here nothing
/// is covered: a spec that cannot be read may stand for a site that people visit, in another
/// account.
fn at_hand(global: &Global, view: View) -> Result<Option<Spec>, Failure> {
    let absent = |error: std::io::Error| error.kind() == ErrorKind::NotFound;
    if global.is_default_file() && global.file.symlink_metadata().is_err_and(absent) {
        return Ok(None);
    }
    session::spec(global, view, Files::Spared).map(Some)
}

/// Takes one stack down, as `provision destroy` with its spec would.
async fn end(
    place: &Place,
    verb: &Sweep,
    remains: &Remains,
    at_hand: Option<&Spec>,
) -> Result<Exit, Failure> {
    let stack = &remains.stack;
    let names = remains.names().map_err(|why| {
        let hint = "delete by hand what has that name";
        Failure::Local(Reason::new(format!("stack `{stack}`: {why}")).hinted(hint))
    })?;
    let place = place.in_region(&names.region);
    let protect = at_hand.filter(|spec| spec.stack == *stack).map(|spec| spec.protect.clone());
    let choices = Choices {
        delete_data: verb.delete_data,
        wait: true,
        protect: protect.unwrap_or_default(),
        ..Choices::default()
    };
    // The account is the one in which the remains were found.
    let looked = place.destroy(&Target { names, account: None }, &choices).await;
    // Others may be gone.
    let picture = looked.map_err(|failure| match failure {
        Failure::Interrupted(_) => Failure::Interrupted(Some(stack.clone())),
        failure => failure,
    })?;
    match place.run(&picture, Consent::ToEnd.unless(verb.yes), Duration::ZERO).await? {
        Run::Refused => Ok(Exit::Refused),
        Run::Unchanged => Ok(Exit::Done),
        Run::Ended(outcome, exit) => {
            let data = if verb.delete_data { " --delete-data" } else { "" };
            let again = format!("`provision sweep --stack {stack}{data} --yes{}`", place.flags);
            place.view.swept(&outcome, &again);
            Ok(exit)
        }
    }
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
