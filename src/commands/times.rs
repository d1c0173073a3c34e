//! Moments on the command line: RFC 3339, or `HH:MM` on this machine's clock.

use jiff::civil::Time;
use jiff::{Timestamp, ToSpan, Zoned};

/// Reads a moment. `HH:MM` is the next time that the clock shows it.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let rule = || format!("`{text}` is neither a time like `22:45` nor a moment like `2026-11-22T22:45:00+01:00`");
    let time = Time::strptime("%H:%M", text).map_err(|_| rule())?;
    let today = now.with().time(time).build().map_err(|error| error.to_string())?;
    let next = if &today > now { today } else { today.checked_add(1.day()).map_err(|error| error.to_string())? };
    Ok(next.timestamp())
}

/// As it is stored: UTC, whole seconds.
#[must_use]
pub fn stored(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As it is shown: UTC and local.
#[must_use]
pub fn shown(stored: &str, now: &Zoned) -> String {
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
            ("22:30", "2026-11-23T21:30:00Z"),
            ("06:00", "2026-11-23T05:00:00Z"),
            ("2026-11-22T23:00:00+01:00", "2026-11-22T22:00:00Z"),
        ] {
            assert_eq!(parse(text, &now).map(stored).as_deref(), Ok(moment), "{text}");
        }
        assert!(parse("soon", &now).is_err() && parse("25:00", &now).is_err());
        assert_eq!(shown("2026-11-22T21:45:00Z", &now), "2026-11-22 21:45:00 UTC (22:45 local)");
    }
}
