//! `provision maintenance status`.

use super::look::look;
use super::{probe, reach};
use crate::change::Fault;
use crate::cloud::Cloud;
use crate::edge::{Fact, SwitchState};
use crate::resource::page::window::{self, State};
use crate::resource::page::{Side, Sides, is_ours};
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::{Deadline, ENDED};
use crate::session::failure::{Failure, Reason};
use crate::session::global::Global;
use crate::session::times;
use crate::spec::{DistributionSpec, Spec};
use crate::stack::Stack;
use crate::view::switch::{Row, SwitchStatus};
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Show what visitors get, since when, until when, and who turned it
#[derive(Debug, Args)]
pub struct Status {
    /// Ask the site itself whether visitors see what the switch says; exit 1 if they do not
    #[arg(long)]
    pub probe: bool,
    /// Where to ask; default: the first alias, or the distribution's own domain
    #[arg(long, value_name = "URL", requires = "probe")]
    pub url: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub async fn run(global: &Global, verb: &Status) -> Result<Exit, Failure> {
    let session = Session::open_switch(global).await?;
    let deadline = Deadline::new(session.place.watch());
    let (stack, caller, sides) = look(&session, &deadline).await?;
    let late = clock(sides.seen);
    let mut status = whole(&sides, &stack);
    status.notes.extend(late);
    let asked = [("account", caller.account.to_string()), ("caller", caller.arn)];
    status.rows.extend(asked.map(|(name, value)| Row { name: name.into(), value }));
    if status.state.is_some() {
        let reach = reach::ask(&session, &deadline, &stack).await;
        reach::tell(&mut status, reach);
    }
    let shows_page = status.visitors_see_page;
    session.place.view.switch(&status);
    let Some(shows_page) = shows_page else { return Ok(Exit::Refused) };
    if !verb.probe {
        return Ok(Exit::Done);
    }
    if verb.url.is_none() && global.sandbox.is_some() {
        let hint = "run `provision dev --sandbox`, and name its address with `--url`";
        return Err(Failure::Usage(
            Reason::new("the sandbox has no web server for `--probe` to ask").hinted(hint),
        ));
    }
    let url = match (&verb.url, site(&session.spec)) {
        (Some(url), _) => url.clone(),
        (None, Some(site)) => site,
        (None, None) => address(&session, &deadline, &stack).await?,
    };
    let report =
        probe::probe(&session.place.web()?, &url, shows_page).await.map_err(|why| unnamed(&why))?;
    session.place.view.probe(&report);
    Ok(if report.as_expected { Exit::Done } else { Exit::Failed })
}

/// Where the spec itself says that visitors come in.
#[must_use]
pub fn site(spec: &Spec) -> Option<String> {
    match &spec.distribution {
        DistributionSpec::Owned(owned) => {
            owned.aliases.first().map(|alias| format!("https://{alias}/"))
        }
        DistributionSpec::Attached(_) => None,
    }
}

/// Where visitors come in by the distribution's own name. Takes more rights than the switch.
///
/// # Errors
/// Any call's.
pub async fn found_site(
    session: &Session,
    deadline: &Deadline,
    stack: &Stack,
) -> Result<Option<String>, Fault> {
    let asked = session.place.cloud.observe_distribution(stack);
    let found = deadline.answer(ENDED, asked).await?;
    Ok(found.map(|found| format!("https://{}/", found.domain)))
}

async fn address(session: &Session, deadline: &Deadline, stack: &Stack) -> Result<String, Failure> {
    let found = found_site(session, deadline, stack).await?;
    found.ok_or_else(|| unnamed("there is no distribution to ask"))
}

fn unnamed(what: &str) -> Failure {
    Failure::Local(Reason::new(what).hinted("name the site with `--url https://…/`"))
}

/// The switch as the local edge's console shows it.
#[must_use]
pub fn facts(sides: &Sides, stack: &Stack) -> SwitchState {
    let status = whole(sides, stack);
    let first = Fact { name: "now".into(), value: status.headline };
    let rows = status.rows.into_iter().map(|row| Fact { name: row.name, value: row.value });
    let notes = status.notes.into_iter().map(|value| Fact { name: "note".into(), value });
    SwitchState {
        on: sides.on.is_some(),
        facts: [first].into_iter().chain(rows).chain(notes).collect(),
    }
}

/// Both keys, with what is odd about them.
fn whole(sides: &Sides, stack: &Stack) -> SwitchStatus {
    if let Some(unknown) = unknown(sides, stack) {
        return unknown;
    }
    let mut status = judged(sides.on.as_ref(), sides.seen);
    if let Some(on) = sides.on.as_ref().filter(|on| !is_ours(&on.metadata, &stack.names.stack)) {
        let bytes = on.page.size;
        status.notes.push(format!(
            "the page under {} was put by hand ({bytes} bytes)",
            stack.names.keys.on
        ));
    }
    if sides.off.is_none() {
        let lost = if sides.on.is_some() { "" } else { "the page is lost: " };
        let key = &stack.names.keys.off;
        status.notes.push(format!(
            "{lost}nothing is under the page's own key, {key}; the next \
            turn or `provision apply` puts it back"
        ));
    }
    status
}

/// Says that the switch of the spec is not the one that decides what visitors get, where it is not.
#[must_use]
pub fn unknown(sides: &Sides, stack: &Stack) -> Option<SwitchStatus> {
    let (name, keys) = (&stack.names.stack, &stack.names.keys);
    let whose = sides.owner(name).map(|owner| {
        format!("bucket {} holds the page of stack `{owner}`, not of `{name}`", stack.bucket)
    });
    let why = whose.or_else(|| sides.elsewhere(name, keys))?;
    let headline = format!("not known what visitors see: {why}");
    let hint = "ask with the spec that was applied last; `provision apply` deploys this one";
    Some(SwitchStatus { headline, notes: vec![hint.to_owned()], ..SwitchStatus::default() })
}

/// Says what visitors get from the object under the on key.
#[must_use]
pub fn judged(on: Option<&Side>, seen: Timestamp) -> SwitchStatus {
    let state = window::judge(on.map(|on| &on.metadata), seen);
    let zone = seen.to_zoned(TimeZone::system());
    let said = |name: &str| on.and_then(|on| on.metadata.get(name)).cloned();
    let unread = |name: &&str| {
        on.is_some_and(|on| window::moment(&on.metadata, name).is_none()) && said(name).is_some()
    };
    let at = |name: &str| said(name).map(|text| times::shown(&text, &zone)).unwrap_or_default();
    let headline = match state {
        State::Off => "visitors see the site".to_owned(),
        State::On if said(window::UNTIL).is_none() || unread(&window::UNTIL) => {
            "visitors see the maintenance page".to_owned()
        }
        State::On => format!("visitors see the maintenance page until {}", at(window::UNTIL)),
        State::Scheduled => {
            format!("visitors see the site; maintenance begins at {}", at(window::FROM))
        }
        State::Over => format!("visitors see the site; the window ended at {}", at(window::UNTIL)),
    };
    let known = [
        ("since", window::SINCE),
        ("by", window::BY),
        ("from", window::FROM),
        ("until", window::UNTIL),
    ];
    let known = known.map(|(label, name)| said(name).map(|text| (label, text)));
    let switch = match state {
        State::Over => "over; `provision maintenance off` tidies up".to_owned(),
        state => state.to_string(),
    };
    let shown = known
        .iter()
        .flatten()
        .map(|(label, text)| ((*label).to_owned(), times::shown(text, &zone)));
    let once = said(window::ONCE)
        .map(|_| ("page".to_owned(), "another one, for this window only".to_owned()));
    let bypass =
        said(window::BYPASS).map(|_| ("bypass".to_owned(), "by link and cookie".to_owned()));
    let rows = [("switch".to_owned(), switch)].into_iter().chain(shown).chain(once).chain(bypass);
    SwitchStatus {
        headline,
        state: Some(state),
        visitors_see_page: Some(state.shows_page()),
        rows: rows.map(|(name, value)| Row { name, value }).collect(),
        window: known.into_iter().flatten().collect(),
        notes: [window::FROM, window::UNTIL].into_iter().filter(unread).map(ignored).collect(),
    }
}

/// As the edge reads it.
fn ignored(name: &str) -> String {
    format!("`{name}` of the page is no moment as RFC 3339 writes it; the edge passes it over")
}

/// Beyond this, a clock is off; below it are answers that took their time.
const TOLERATED: SignedDuration = SignedDuration::from_mins(1);

/// Says that this machine's clock is off. To be asked right after S3's answer came.
#[must_use]
pub fn clock(seen: Timestamp) -> Option<String> {
    let ahead = Timestamp::now().duration_since(seen);
    let how = if ahead.is_negative() { "slow" } else { "fast" };
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let many = if minutes == 1 { "" } else { "s" };
    (ahead.abs() > TOLERATED).then(|| {
        format!("this machine's clock is {minutes} minute{many} {how}; windows are counted by S3's")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ObjectHeaders;

    #[test]
    fn first_of_all_it_says_what_visitors_get() {
        let seen: Timestamp = "2026-11-22T21:30:00Z".parse().unwrap();
        let side = |pairs: &[(&str, &str)]| {
            let metadata = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Some(Side::of("e".into(), b"page", ObjectHeaders::default(), metadata))
        };
        let (past, future) = ("2026-11-22T21:00:00Z", "2026-11-22T22:00:00Z");
        for (on, begins, sees) in [
            (None, "visitors see the site", false),
            (side(&[]), "visitors see the maintenance page", true),
            (
                side(&[(window::UNTIL, future)]),
                "visitors see the maintenance page until 2026-11-22 22:00:00 UTC",
                true,
            ),
            (
                side(&[(window::FROM, future)]),
                "visitors see the site; maintenance begins at 2026-11-22 22:00:00 UTC",
                false,
            ),
            (
                side(&[(window::UNTIL, past)]),
                "visitors see the site; the window ended at 2026-11-22 21:00:00 UTC",
                false,
            ),
        ] {
            let status = judged(on.as_ref(), seen);
            assert!(status.headline.starts_with(begins), "{status:?}");
            assert_eq!(status.visitors_see_page, Some(sees), "{status:?}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_named() {
        let off = |seconds: i64| clock(Timestamp::now() + SignedDuration::from_secs(seconds));
        assert_eq!([off(0), off(-40), off(40)], [None, None, None]);
        assert_eq!(
            off(14 * 60).as_deref(),
            Some("this machine's clock is 14 minutes slow; windows are counted by S3's")
        );
        assert_eq!(
            off(-62).as_deref(),
            Some("this machine's clock is 1 minute fast; windows are counted by S3's")
        );
    }
}
