//! How durations are written and read, in specs and on the command line: a number with a unit, or
//! several of them, and no unit that is longer than a week.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The parser's words.
    Malformed(String),
    /// `M` is one letter beside `m`.
    Months,
    /// Months and years are not all of one length.
    Long,
}

/// Reads a duration.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str) -> Result<Duration, Unread> {
    let duration =
        humantime::parse_duration(text).map_err(|error| Unread::Malformed(error.to_string()))?;
    let units = text.split(|char: char| !char.is_ascii_alphabetic());
    let long = units.filter_map(|unit| match unit {
        "M" => Some(Unread::Months),
        unit if unit.starts_with("month") || unit.starts_with('y') => Some(Unread::Long),
        _ => None,
    });
    long.min_by_key(|why| *why != Unread::Months).map_or(Ok(duration), Err)
}

/// The same from the command line.
///
/// # Errors
/// What is wrong, with the way out.
pub fn said(text: &str) -> Result<Duration, String> {
    read(text).map_err(|why| match why {
        Unread::Malformed(why) => why,
        why => format!("{}: {}", why.rule(), why.fix(text)),
    })
}

impl Unread {
    /// What holds for durations.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "a duration is a number with a unit, or several of them",
            Self::Months => "`M` would be months, `m` is minutes",
            Self::Long => "months and years are not all of one length",
        }
    }

    /// What to do about a text that is shown so.
    #[must_use]
    pub fn fix(&self, shown: &str) -> String {
        match self {
            Self::Malformed(_) => "write for example `5s`, `10m` or `1h30m`".to_owned(),
            Self::Months => format!("write `{}`", shown.replace('M', "m")),
            Self::Long => "write it in days or weeks, such as `30d`".to_owned(),
        }
    }
}

/// A duration of whole seconds as a spec writes it: in the largest unit that needs no other.
#[must_use]
pub fn written(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("d", 24 * 3600), ("h", 3600), ("m", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds > 0 && seconds.is_multiple_of(*length));
    unit.map_or_else(
        || format!("{seconds}s"),
        |(unit, length)| format!("{}{unit}", seconds / length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_so_that_it_is_read_as_the_same() {
        for text in ["0s", "90s", "1m", "119m", "2h", "7d", "365d"] {
            assert_eq!(written(read(text).unwrap()), text);
        }
    }

    #[test]
    fn no_unit_is_longer_than_a_week() {
        for text in ["45m", "45min", "1h 30m", "2days", "3w", "1week", "5ms", "1minute"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("45M", Unread::Months),
            ("1h45M", Unread::Months),
            ("1month", Unread::Long),
            ("2months 1d", Unread::Long),
            ("1y", Unread::Long),
            ("3years", Unread::Long),
            ("1yr", Unread::Long),
            ("1y 2M", Unread::Months),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert!(matches!(read("soon"), Err(Unread::Malformed(_))));
        let told = "`M` would be months, `m` is minutes: write `45m`";
        assert_eq!(said("45M").unwrap_err(), told);
    }
}
