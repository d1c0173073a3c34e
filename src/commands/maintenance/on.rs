//! `provision maintenance on`.

use super::look::look;
use super::status::{found_site, site};
use super::turn::turn;
use crate::desired::{self, page_of};
use crate::file;
use crate::resource::content::Content;
use crate::resource::page::turn::{self, Wanted};
use crate::resource::page::{LARGEST, window};
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::failure::{Failure, Reason};
use crate::session::global::Global;
use crate::session::times;
use crate::spec::{Spec, duration, page};
use crate::stack::Stack;
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Show visitors the maintenance page
#[derive(Debug, Args)]
pub(crate) struct On {
    /// End after this time, such as 45m; the edge ends it by itself
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    #[arg(value_parser = duration::said)]
    pub length: Option<Duration>,
    /// End at this time: the next HH:MM here (not one that has just passed), or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Begin at this time: the next HH:MM here, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Print a link that lets the team see the site
    #[arg(long)]
    pub bypass: bool,
    /// Show this page instead, for this window only
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Drop the end of a window that is open or scheduled; without this and without another end it
    /// stays
    #[arg(long, conflicts_with_all = ["length", "until"])]
    pub no_end: bool,
    /// Drop the bypass of a window that is open or scheduled; without this it stays
    #[arg(long, conflicts_with = "bypass")]
    pub no_bypass: bool,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &On) -> Result<Exit, Failure> {
    let session = Session::open_switch(global).await?;
    let deadline = Deadline::new(session.place.watch());
    let usage = |what: String| Failure::Usage(Reason::new(what));
    let spoken =
        |text: &Option<String>| text.as_deref().map(times::parse).transpose().map_err(usage);
    let (from, until) = (spoken(&verb.from)?, spoken(&verb.until)?);
    let random = || random().map_err(|error| usage(format!("no random numbers: {error}")));
    let (mark, token) = (random()?, verb.bypass.then(random).transpose()?);
    let once = verb
        .page
        .as_deref()
        .map(|file| other_page(file, &session.spec, &session).map_err(usage))
        .transpose()?;

    let (stack, caller, sides) = look(&session, &deadline).await?;
    // The zone is this machine's, the clock is S3's.
    let now = sides.seen.to_zoned(TimeZone::system());
    let from = from.map(|from| from.after(&now)).transpose().map_err(usage)?;
    let until = match (until, verb.length) {
        (Some(until), _) => Some(until.after(&now).map_err(usage)?),
        (None, Some(length)) => Some(end(from.unwrap_or(sides.seen), length).map_err(usage)?),
        (None, None) => None,
    };
    let window = [
        (window::FROM, from.map(times::stored)),
        (window::UNTIL, until.map(times::stored)),
        (window::BYPASS, token.as_ref().map(|token| hex::encode(Sha256::digest(token)))),
        (window::SINCE, Some(times::stored(sides.seen))),
        (window::BY, Some(caller.arn)),
    ];
    let without = [(verb.no_end, window::UNTIL), (verb.no_bypass, window::BYPASS)];
    let wanted = Wanted::On(turn::On {
        window: window
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
            .collect(),
        without: without.into_iter().filter(|(drop, _)| *drop).map(|(_, name)| name).collect(),
        once,
        standard: desired::standard_page(&session.spec),
        mark,
    });
    // The token exists nowhere else: it does not wait for how the turn ends.
    let shown = async {
        if let Some(token) = &token {
            session.place.view.bypass(&link(&session, &deadline, &stack, token).await, token);
        }
    };
    Ok(turn(&session, &deadline, &stack, &wanted, sides, shown).await)
}

fn end(begin: Timestamp, length: Duration) -> Result<Timestamp, String> {
    let end = SignedDuration::try_from(length).and_then(|length| begin.checked_add(length));
    end.map_err(|_| "the window would end after the year 9999".into())
}

/// Reads and checks a page for one window.
fn other_page(path: &Path, spec: &Spec, session: &Session) -> Result<Content, String> {
    let bytes = file::read(path, LARGEST)
        .map_err(|error| format!("page {} cannot be read: {error}", path.display()))?;
    page::check(&bytes).map_err(|why| format!("page {} {why}", path.display()))?;
    for reference in page::own_references(&String::from_utf8_lossy(&bytes), &spec.maintenance.allow)
    {
        let (line, target) = (reference.line, reference.target);
        session.place.view.warning(
            &format!(
                "{}:{line}: `{target}` is part of the site, so visitors get 503 for it too",
                path.display()
            ),
            page::ALLOW_HINT,
        );
    }
    Ok(page_of(&bytes))
}

/// 128 bits from the operating system, safe in links and cookies as they are.
///
/// # Errors
/// The operating system has none.
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// The link that lets the team in. Whoever may only turn the switch may not look for the site's
/// address: then it is what to put behind it.
async fn link(session: &Session, deadline: &Deadline, stack: &Stack, token: &str) -> String {
    let site = match site(&session.spec) {
        Some(site) => Some(site),
        None => {
            let found = found_site(session, deadline, stack);
            session.place.unless_stopped(found).await.ok().flatten()
        }
    };
    format!(
        "{}?{}={token}",
        site.unwrap_or_else(|| "/".into()),
        session.spec.maintenance.bypass_cookie
    )
}
