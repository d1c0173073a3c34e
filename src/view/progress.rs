//! Progress for people: whole lines, one for each step that ends, and one now and then for a step
//! that waits. Where no line came for a while, how far the uploads are, or whom AWS lets wait.

use super::human::duration;
use crate::apply::Event;
use crate::change::{Action, Address, Done};
use crate::resource::site::bytes;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Nobody is left without a line for longer while bytes are under way or a call has no answer.
const SILENCE: Duration = Duration::from_secs(3);
/// Lines that come no oftener than this are for a log.
const LIVELY: Duration = Duration::from_secs(10);
/// A call is worth its name from this age on; younger ones are in full swing.
const SLOW: Duration = Duration::from_secs(2);

/// Remembers when each waiting step began and was last spoken of.
#[derive(Debug)]
pub(crate) struct Ticker {
    every: Duration,
    waits: Mutex<BTreeMap<Address, (Instant, Instant)>>,
    between: Mutex<Between>,
}

/// What was said between the lines of steps.
#[derive(Debug)]
struct Between {
    /// When the first bytes were seen, and how many those were.
    begin: Option<(Instant, u64)>,
    /// The last line of any kind.
    spoken: Instant,
    /// The last line about bytes, or about a call without an answer.
    told: Option<Instant>,
}

impl Default for Ticker {
    /// Every ten seconds at a terminal; once a minute in a log.
    fn default() -> Self {
        let every = if std::io::stderr().is_terminal() { LIVELY } else { Duration::from_mins(1) };
        let between = Between { begin: None, spoken: Instant::now(), told: None };
        Self { every, waits: Mutex::new(BTreeMap::new()), between: Mutex::new(between) }
    }
}

impl Ticker {
    /// The line for an event, if it deserves one.
    pub(crate) fn line(&self, event: &Event<'_>) -> Option<String> {
        let line = match event {
            Event::Sending { sent, all } => return self.sending(*sent, *all),
            Event::Unanswered(call, age) => return self.unanswered(call, *age),
            Event::Started(change) if change.action == Action::Await => {
                Some(format!("  {}: waiting for the deployment", change.address))
            }
            Event::Started(_) => None,
            Event::Waiting(address, what) => self.waiting(address, what),
            Event::Ended(change, done, elapsed) => {
                let what = match done {
                    Done::Changed(_) if change.action == Action::Await => "deployed".to_owned(),
                    Done::Changed(detail) if detail.is_empty() => change.summary.clone(),
                    Done::Changed(detail) => format!("{}: {detail}", change.summary),
                    Done::AlreadySo => format!("{}: already so", change.summary),
                    Done::Deferred(later) => format!("not yet: {}", later.reason),
                };
                Some(format!("  {}: {what} [{}]", change.address, duration(*elapsed)))
            }
            Event::Failed(change, fault, elapsed) => Some(format!(
                "  {}: failed: {} [{}]",
                change.address,
                fault.told(),
                duration(*elapsed)
            )),
        };
        if line.is_some() {
            self.between().spoken = Instant::now();
        }
        line
    }

    fn between(&self) -> MutexGuard<'_, Between> {
        self.between.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sending(&self, sent: u64, all: u64) -> Option<String> {
        let mut between = self.between();
        let now = Instant::now();
        let (begin, first) = *between.begin.get_or_insert((now, sent));
        if !between.is_due(now, self.every) {
            return None;
        }
        let left = left(now.duration_since(begin), sent.saturating_sub(first), all - sent);
        let left = left.map_or_else(String::new, |left| format!(", {} left", duration(left)));
        Some(format!("  uploading: {} of {} sent{left}", bytes(sent), bytes(all)))
    }

    fn unanswered(&self, call: &str, age: Duration) -> Option<String> {
        let is_due = age >= SLOW && self.between().is_due(Instant::now(), self.every);
        is_due.then(|| format!("  still waiting for {call} [{}]", duration(age)))
    }

    fn waiting(&self, address: &Address, what: &str) -> Option<String> {
        let now = Instant::now();
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let (begin, last) = waits.entry(address.clone()).or_insert((now, now));
        if now.duration_since(*last) < self.every {
            return None;
        }
        *last = now;
        Some(format!(
            "  {address}: still waiting for {what} [{}]",
            duration(now.duration_since(*begin))
        ))
    }
}

impl Between {
    /// May a line come now? At a terminal whenever nothing else was said; in a log soon, and then now
    /// and then.
    fn is_due(&mut self, now: Instant, every: Duration) -> bool {
        let pause = if every > LIVELY { every } else { SILENCE };
        let is_due = self.told.is_none_or(|told| now.duration_since(told) >= pause)
            && now.duration_since(self.spoken) >= SILENCE;
        if is_due {
            (self.spoken, self.told) = (now, Some(now));
        }
        is_due
    }
}

/// How long the rest takes at the pace up to now, once there is one.
fn left(elapsed: Duration, sent: u64, rest: u64) -> Option<Duration> {
    let millis = u128::from(rest) * elapsed.as_millis() / u128::from(sent).max(1);
    (sent > 0 && !elapsed.is_zero())
        .then(|| Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_where_nothing_else_was_said_for_a_while() {
        let long_ago = Instant::now() - SILENCE;
        let ticker = |every| {
            let ticker = Ticker { every, ..Ticker::default() };
            ticker.between().spoken = long_ago;
            ticker
        };
        let half = Event::Sending { sent: 600_000_000, all: 1_200_000_000 };
        let terminal = ticker(Duration::from_secs(10));
        assert_eq!(terminal.line(&half).unwrap(), "  uploading: 600 MB of 1200 MB sent");
        assert_eq!(terminal.line(&half), None, "it was just said");
        let again = |ticker: &Ticker| {
            let mut between = ticker.between();
            (between.spoken, between.told) = (long_ago, Some(long_ago));
            between.begin = Some((Instant::now() - Duration::from_mins(1), 0));
            drop(between);
            ticker.line(&half)
        };
        let line = again(&terminal).unwrap();
        assert!(line.starts_with("  uploading: 600 MB of 1200 MB sent, 1m "), "{line}");
        let log = ticker(Duration::from_mins(1));
        assert!(log.line(&half).is_some(), "soon");
        assert_eq!(again(&log), None, "and then not again for a minute");
        let (address, done) =
            (Address::new(crate::change::Kind::Site, "a"), Done::Changed(String::new()));
        let change = crate::change::Change::new(address, Action::Create, "upload");
        let busy = ticker(Duration::from_secs(10));
        assert!(busy.line(&Event::Ended(&change, &done, SILENCE)).is_some());
        assert_eq!(busy.line(&half), None, "the step's own line is enough");
        let hangs = |age| Event::Unanswered("S3 PutObject at s3.example", age);
        let waits = ticker(Duration::from_secs(10));
        assert_eq!(waits.line(&hangs(SLOW / 2)), None, "a call in full swing");
        let line = "  still waiting for S3 PutObject at s3.example [13s]";
        let slow = hangs(Duration::from_secs(13));
        assert_eq!(waits.line(&slow).unwrap(), line);
        assert_eq!(waits.line(&slow), None, "it was just said");
    }

    #[test]
    fn the_rest_takes_as_long_as_the_pace_says() {
        let minute = Duration::from_mins(1);
        for (sent, rest, told) in [
            (0, 9, None),
            (5, 10, Some(2 * minute)),
            (1, u64::MAX, Some(Duration::from_millis(u64::MAX))),
        ] {
            assert_eq!(left(minute, sent, rest), told, "{sent} of {rest}");
        }
        assert_eq!(left(Duration::ZERO, 1, 1), None);
    }
}
