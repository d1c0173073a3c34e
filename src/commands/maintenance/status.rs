//! `provision maintenance status`.

use super::probe;
use crate::change::Fault;
use crate::cloud::Cloud;
use crate::commands::Exit;
use crate::commands::global::Global;
use crate::commands::session::Session;
use crate::commands::times;
use crate::edge::{Fact, SwitchState};
use crate::resource;
use crate::resource::page::{Sides, window};
use crate::spec::load::Files;
use crate::spec::{DistributionSpec, Spec};
use crate::stack::{Names, Scope};
use crate::view::switch::{Row, SwitchStatus};
use clap::Args;
use jiff::{Timestamp, Zoned};

/// Show whether maintenance is on, since when, until when, and who turned it
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
/// The exit code, after the reason was shown.
pub async fn run(global: &Global, verb: &Status) -> Result<Exit, Exit> {
    let session = Session::open(global, Files::Spared).await?;
    let (_, _, sides) = session.switch().await?;
    let status = read(&sides, &Zoned::now());
    let shows_page = status.visitors_see_page;
    session.view.switch(&status);
    if !verb.probe {
        return Ok(Exit::Done);
    }
    let url = match (&verb.url, site(&session.spec)) {
        (Some(url), _) => url.clone(),
        (None, Some(site)) => site,
        (None, None) => address(&session).await?,
    };
    let report = probe::probe(&url, shows_page).await.map_err(|why| {
        session.view.error(&why, Some("name the site with `--url https://…/`"));
        Exit::Failed
    })?;
    session.view.probe(&report);
    Ok(if report.as_expected { Exit::Done } else { Exit::Failed })
}

/// Where the spec itself says that visitors come in.
#[must_use]
pub fn site(spec: &Spec) -> Option<String> {
    match &spec.distribution {
        DistributionSpec::Owned(owned) => owned.aliases.first().map(|alias| format!("https://{alias}/")),
        DistributionSpec::Attached(_) => None,
    }
}

/// Where visitors come in by the distribution's own name. Takes a closer look, and more rights, than the switch.
///
/// # Errors
/// Any call's.
pub async fn found_site(session: &Session) -> Result<Option<String>, Fault> {
    let (_, live) = session.cloud.observe(&Names::of(&session.spec), &resource::site::Settings::default(), Scope::Stack).await?;
    Ok(live.distribution.or(live.attached).map(|found| format!("https://{}/", found.domain)))
}

async fn address(session: &Session) -> Result<String, Exit> {
    let found = found_site(session).await.map_err(|fault| {
        session.view.fault(&fault);
        Exit::Failed
    })?;
    found.ok_or_else(|| {
        session.view.error("there is no distribution to ask", Some("name the site with `--url https://…/`"));
        Exit::Failed
    })
}

/// The switch as the local edge's console shows it.
#[must_use]
pub fn facts(sides: &Sides) -> SwitchState {
    let status = read(sides, &Zoned::now());
    let anomaly = status.anomaly.map(|text| Fact { name: "note".into(), value: text });
    let rows = status.rows.into_iter().map(|row| Fact { name: row.name, value: row.value });
    SwitchState { on: status.on, facts: rows.chain(anomaly).collect() }
}

/// Judges the window as the edge function does.
fn read(sides: &Sides, now: &Zoned) -> SwitchStatus {
    let Some(on) = &sides.on else {
        let lost = sides.off.is_none();
        let anomaly = lost.then(|| "the page lies under neither key; `provision apply` uploads it again".to_owned());
        return SwitchStatus { anomaly, ..SwitchStatus::default() };
    };
    let moment = |name: &str| on.metadata.get(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (from, until) = (moment(window::FROM), moment(window::UNTIL));
    let current = now.timestamp();
    let begun = from.is_none_or(|from| from <= current);
    let over = until.is_some_and(|until| until <= current);
    let known = [("since", window::SINCE), ("by", window::BY), ("from", window::FROM), ("until", window::UNTIL)];
    let known = known.map(|(label, name)| on.metadata.get(name).map(|text| (label, text.clone())));
    let shown = known.iter().flatten().map(|(label, text)| Row { name: (*label).to_owned(), value: times::shown(text, now) });
    let state = match (begun, over) {
        (_, true) => "over: visitors see the site; `provision maintenance off` tidies up",
        (false, _) => "not yet: visitors see the site until it begins",
        _ => "open: visitors see the maintenance page",
    };
    let once = on.metadata.contains_key(window::ONCE);
    let more = [
        once.then(|| Row { name: "page".into(), value: "another one, for this window only".into() }),
        on.metadata.contains_key(window::BYPASS).then(|| Row { name: "bypass".into(), value: "by link and cookie".into() }),
    ];
    let rows = [Row { name: "window".into(), value: state.into() }].into_iter().chain(shown).chain(more.into_iter().flatten()).collect();
    let anomaly = match (&sides.off, once) {
        (Some(_), false) => Some(
            "the page lies under both keys: an earlier turn was interrupted; `provision maintenance on` or `off` finishes it".to_owned(),
        ),
        (None, true) => {
            Some("the page is for this window only, and the standard page is gone; `provision maintenance off` restores it".to_owned())
        }
        _ => None,
    };
    let window = known.into_iter().flatten().collect();
    SwitchStatus { on: true, visitors_see_page: begun && !over, window, rows, anomaly }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::page::Side;

    #[test]
    fn the_window_is_judged_as_the_edge_judges_it() {
        let now: Zoned = "2026-11-22T22:30:00+01:00[Europe/Berlin]".parse().unwrap();
        let side = |pairs: &[(&str, &str)]| {
            let metadata = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Some(Side { metadata, ..Side::default() })
        };
        let (past, future) = ("2026-11-22T21:00:00Z", "2026-11-22T22:00:00Z");
        for (off, on, sees, anomalous) in [
            (side(&[]), None, false, false),
            (None, None, false, true),
            (None, side(&[]), true, false),
            (side(&[]), side(&[]), true, true),
            (side(&[]), side(&[(window::ONCE, "true")]), true, false),
            (None, side(&[(window::FROM, future)]), false, false),
            (None, side(&[(window::FROM, past), (window::UNTIL, future)]), true, false),
            (None, side(&[(window::UNTIL, past)]), false, false),
        ] {
            let status = read(&Sides { off: off.clone(), on: on.clone() }, &now);
            assert_eq!((status.visitors_see_page, status.anomaly.is_some()), (sees, anomalous), "{off:?} {on:?}");
        }
    }
}
