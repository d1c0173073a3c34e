//! Moments on the command line: RFC 3339, or `HH:MM` in this machine's zone.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

/// A moment as it was said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoken {
    /// Exactly.
    Moment(Timestamp),
    /// The next time that a clock shows this.
    Clock(Time),
}

/// A time that passed so recently may have been meant. One that passed longer ago is tomorrow's:
/// `02:00`, said by day.
const JUST_PASSED: SignedDuration = SignedDuration::from_hours(6);

/// Reads a moment.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn parse(text: &str) -> Result<Spoken, String> {
    let rule = || {
        format!(
            "`{text}` is neither a time like `22:45` nor a moment like `2026-11-22T22:45:00+01:00`"
        )
    };
    match text.parse::<Timestamp>() {
        Ok(moment) => Ok(Spoken::Moment(moment)),
        Err(_) => Time::strptime("%H:%M", text).map(Spoken::Clock).map_err(|_| rule()),
    }
}

impl Spoken {
    /// The moment that was meant at `now`.
    ///
    /// # Errors
    /// There is no such moment any more, or the clock has just shown this time: whether today's or
    /// tomorrow's was meant is a difference of a day for visitors.
    pub(crate) fn after(self, now: &Zoned) -> Result<Timestamp, String> {
        let time = match self {
            Self::Moment(moment) => return Ok(moment),
            Self::Clock(time) => time,
        };
        let today = now.with().time(time).build().map_err(|error| error.to_string())?;
        if &today > now {
            return Ok(today.timestamp());
        }
        let tomorrow = today.checked_add(1.day()).map_err(|error| error.to_string())?;
        if now.duration_since(&today) < JUST_PASSED {
            return Err(format!(
                "it was {} already; for tomorrow say `{}`",
                time.strftime("%H:%M"),
                tomorrow.strftime("%Y-%m-%dT%H:%M:%S%:z")
            ));
        }
        Ok(tomorrow.timestamp())
    }
}

/// As it is stored: UTC, whole seconds.
#[must_use]
pub(crate) fn stored(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As it is shown: UTC and local.
#[must_use]
pub(crate) fn shown(stored: &str, now: &Zoned) -> String {
    let Ok(moment) = stored.parse::<Timestamp>() else { return stored.to_owned() };
    let local = moment.to_zoned(now.time_zone().clone());
    format!("{} ({} local)", moment.strftime("%Y-%m-%d %H:%M:%S UTC"), local.strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_time_is_the_next_one() {
        let now: Zoned = "2026-11-22T22:30:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, moment) in [
            ("22:45", "2026-11-22T21:45:00Z"),
            ("16:00", "2026-11-23T15:00:00Z"),
            ("06:00", "2026-11-23T05:00:00Z"),
            ("2026-11-22T23:00:00+01:00", "2026-11-22T22:00:00Z"),
        ] {
            let said = parse(text).and_then(|spoken| spoken.after(&now));
            assert_eq!(said.map(stored).as_deref(), Ok(moment), "{text}");
        }
        for text in ["22:30", "22:29", "17:00"] {
            let said = parse(text).and_then(|spoken| spoken.after(&now));
            let tomorrow = format!("for tomorrow say `2026-11-23T{text}:00+01:00`");
            assert!(said.as_ref().is_err_and(|why| why.contains(&tomorrow)), "{text}: {said:?}");
        }
        assert!(parse("soon").is_err() && parse("25:00").is_err());
        assert_eq!(shown("2026-11-22T21:45:00Z", &now), "2026-11-22 21:45:00 UTC (22:45 local)");
    }
}
