//! `provision maintenance on`.

use super::status::{found_site, site};
use crate::commands::Exit;
use crate::commands::global::Global;
use crate::commands::session::Session;
use crate::commands::times;
use crate::desired::{LARGEST_PAGE, page_of};
use crate::file;
use crate::plan;
use crate::resource::content::Content;
use crate::resource::page::turn::Wanted;
use crate::resource::page::{Metadata, window};
use crate::spec::Spec;
use crate::spec::load::Files;
use crate::spec::page;
use crate::stack::Live;
use clap::Args;
use jiff::{SignedDuration, Timestamp, Zoned};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Show visitors the maintenance page
#[derive(Debug, Args)]
pub struct On {
    /// End after this time, such as 45m; the edge ends it by itself
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "until")]
    pub length: Option<Duration>,
    /// End at this time: HH:MM, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Begin at this time: HH:MM, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Print a link that lets the team see the site
    #[arg(long)]
    pub bypass: bool,
    /// Show this page instead, for this window only
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// The exit code, after the reason was shown.
pub async fn run(global: &Global, verb: &On) -> Result<Exit, Exit> {
    let session = Session::open(global, Files::Spared).await?;
    let now = Zoned::now();
    let usage = |what: String| {
        session.view.error(&what, None);
        Exit::Usage
    };
    let mut metadata = moments(verb, &now).map_err(usage)?;
    let token = verb.bypass.then(|| token().map_err(|error| usage(format!("no random numbers: {error}")))).transpose()?;
    if let Some(token) = &token {
        metadata.insert(window::BYPASS.to_owned(), hex::encode(Sha256::digest(token)));
    }
    let once = verb.page.as_deref().map(|file| other_page(file, &session.spec, &session).map_err(usage)).transpose()?;

    let (stack, caller, sides) = session.switch().await?;
    metadata.insert(window::SINCE.to_owned(), times::stored(now.timestamp()));
    metadata.insert(window::BY.to_owned(), caller.arn);
    let plan = plan::turn(&stack, &Wanted::On { window: metadata, once }, &sides);
    session.view.plan(&plan);
    if !plan.can_apply() {
        return Ok(Exit::Refused);
    }
    let exit = if plan.is_empty() {
        Exit::Done
    } else {
        let (outcome, exit) = session.carry_out(&plan, &stack, &Live::default(), Duration::ZERO).await;
        session.view.outcome(&plan, &stack, &Live::default(), &outcome, &session.flags);
        exit
    };
    if let Some(token) = token.filter(|_| exit == Exit::Done) {
        session.view.bypass(&link(&session, &token).await, &token);
    }
    Ok(exit)
}

/// The window's begin and end, as they are stored.
fn moments(verb: &On, now: &Zoned) -> Result<Metadata, String> {
    let from = verb.from.as_deref().map(|text| times::parse(text, now)).transpose()?;
    let begin = from.unwrap_or(now.timestamp());
    let until = match (&verb.until, verb.length) {
        (Some(text), _) => Some(times::parse(text, now)?),
        (None, Some(length)) => Some(after(begin, length)?),
        (None, None) => None,
    };
    if let Some(until) = until.filter(|until| *until <= begin || *until <= now.timestamp()) {
        return Err(format!("the window would be over before it begins: until {}", times::shown(&times::stored(until), now)));
    }
    let known = [(window::FROM, from), (window::UNTIL, until)];
    Ok(known.into_iter().filter_map(|(name, moment)| moment.map(|moment| (name.to_owned(), times::stored(moment)))).collect())
}

fn after(begin: Timestamp, length: Duration) -> Result<Timestamp, String> {
    let end = SignedDuration::try_from(length).and_then(|length| begin.checked_add(length));
    end.map_err(|_| "the window would end after the year 9999".into())
}

/// Reads and checks a page for one window.
fn other_page(path: &Path, spec: &Spec, session: &Session) -> Result<Content, String> {
    let bytes = file::read(path, LARGEST_PAGE).map_err(|error| format!("page {} cannot be read: {error}", path.display()))?;
    page::check(&bytes).map_err(|why| format!("page {} {why}", path.display()))?;
    for reference in page::own_references(&String::from_utf8_lossy(&bytes), &spec.maintenance.allow) {
        let (line, target) = (reference.line, reference.target);
        session.view.warning(
            &format!("{}:{line}: `{target}` is part of the site, so visitors get 503 for it too", path.display()),
            page::ALLOW_HINT,
        );
    }
    Ok(page_of(&bytes))
}

/// 128 bits from the operating system, safe in links and cookies as they are.
fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// The link that lets the team in. Whoever may only turn the switch may not look for the site's address: then it is what to put
/// behind it.
async fn link(session: &Session, token: &str) -> String {
    let site = match site(&session.spec) {
        Some(site) => Some(site),
        None => found_site(session).await.ok().flatten(),
    };
    format!("{}?{}={token}", site.unwrap_or_else(|| "/".into()), session.spec.maintenance.bypass_cookie)
}
