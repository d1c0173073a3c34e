//! Progress for people: whole lines, one for each step that ends, and one now and then for a step
//! that waits. Where no line came for a while, how far the uploads are, or whom AWS lets wait. Once
//! the user wants to stop, for which call that has to wait.

use super::human::{duration, stopping, unanswered};
use crate::apply::Event;
use crate::aws::meter::Unanswered;
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

/// Remembers when each waiting step began, when it was last spoken of, and how.
#[derive(Debug)]
pub(crate) struct Ticker {
    every: Duration,
    waits: Mutex<BTreeMap<Address, Wait>>,
    between: Mutex<Between>,
}

/// A step that waits.
#[derive(Debug)]
struct Wait {
    begin: Instant,
    /// When it was last spoken of, and as what it waits for.
    told: Option<(Instant, String)>,
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
    /// It was said that the run is about to stop.
    stops: bool,
}

impl Default for Ticker {
    /// Every ten seconds at a terminal; once a minute in a log.
    fn default() -> Self {
        let every = if std::io::stderr().is_terminal() { LIVELY } else { Duration::from_mins(1) };
        let between = Between { begin: None, spoken: Instant::now(), told: None, stops: false };
        Self { every, waits: Mutex::new(BTreeMap::new()), between: Mutex::new(between) }
    }
}

impl Ticker {
    /// The line for an event, if it deserves one.
    pub(crate) fn line(&self, event: &Event<'_>) -> Option<String> {
        let line = match event {
            Event::Sending { sent, all } => return self.sending(*sent, *all),
            Event::Unanswered(call) => return self.unanswered(call),
            Event::Stopping(call, flows) => return self.stopping(call, *flows),
            Event::Started(change) if change.action == Action::Await => {
                self.announced(&change.address);
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
        // At a terminal whenever nothing else was said; in a log soon, and then now and then.
        let pause = if self.every > LIVELY { self.every } else { SILENCE };
        if !between.is_due(now, pause) {
            return None;
        }
        let left = left(now.duration_since(begin), sent.saturating_sub(first), all - sent);
        let left = left.map_or_else(String::new, |left| format!(", {} left", duration(left)));
        Some(format!("  uploading: {} of {} sent{left}", bytes(sent), bytes(all)))
    }

    fn unanswered(&self, call: &Unanswered) -> Option<String> {
        let now = Instant::now();
        let is_due = now - call.since >= SLOW && self.between().is_due(now, LIVELY);
        is_due.then(|| format!("  {} [{}]", unanswered(call), duration(now - call.since)))
    }

    /// At once, and then now and then.
    fn stopping(&self, call: &Unanswered, flows: bool) -> Option<String> {
        let (now, mut between) = (Instant::now(), self.between());
        let is_first = !std::mem::replace(&mut between.stops, true);
        if is_first {
            (between.spoken, between.told) = (now, Some(now));
        }
        (is_first || between.is_due(now, LIVELY))
            .then(|| format!("  {}", stopping(call, now, flows)))
    }

    /// Soon, and then now and then. What the step's first line has announced is no news soon.
    fn waiting(&self, address: &Address, what: &str) -> Option<String> {
        let now = Instant::now();
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = waits.entry(address.clone()).or_insert(Wait { begin: now, told: None });
        let is_due = match &wait.told {
            None => now.duration_since(wait.begin) >= SILENCE,
            Some((last, told)) => {
                // What changes is worth a line, too.
                let every = if told.is_empty() || told == what { self.every } else { LIVELY };
                now.duration_since(*last) >= every
            }
        };
        if !is_due {
            return None;
        }
        wait.told = Some((now, what.to_owned()));
        let time = duration(now.duration_since(wait.begin));
        Some(format!("  {address}: still waiting for {what} [{time}]"))
    }

    fn announced(&self, address: &Address) {
        let now = Instant::now();
        let wait = Wait { begin: now, told: Some((now, String::new())) };
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone(), wait);
    }
}

impl Between {
    /// May a line come now: the first soon, and then one after each pause?
    fn is_due(&mut self, now: Instant, pause: Duration) -> bool {
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
    use crate::change::{Fault, FaultKind};

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
        let waits = ticker(Duration::from_secs(10));
        assert_eq!(waits.line(&Event::Unanswered(&call(SLOW / 2))), None, "a call in full swing");
        let hangs = call(Duration::from_secs(13));
        let line = "  still waiting for S3 PutObject at s3.example [13s]";
        assert_eq!(waits.line(&Event::Unanswered(&hangs)).unwrap(), line);
        assert_eq!(waits.line(&Event::Unanswered(&hangs)), None, "it was just said");
    }

    fn call(age: Duration) -> Unanswered {
        let (call, now) = ("S3 PutObject at s3.example".to_owned(), Instant::now());
        let patience = Duration::from_mins(1);
        Unanswered { call, since: now - age, sent: Some(now - age), patience, refused: None }
    }

    #[test]
    fn a_call_without_an_answer_is_told_soon_and_then_every_ten_seconds() {
        let fault = Fault::new(FaultKind::Throttled, "ask", "Rate exceeded");
        let slow = call(Duration::from_secs(13));
        let refused = Unanswered { refused: Some(fault), ..slow.clone() };
        for every in [LIVELY, Duration::from_mins(1)] {
            let slow_says = "still waiting for S3 PutObject";
            for (call, says) in [(&slow, slow_says), (&refused, "AWS throttles S3 PutObject")] {
                let ticker = Ticker { every, ..Ticker::default() };
                let after = |spoken: Duration, told: Option<Duration>| {
                    let now = Instant::now();
                    (ticker.between().spoken, ticker.between().told) =
                        (now - spoken, told.map(|told| now - told));
                    ticker.line(&Event::Unanswered(call))
                };
                assert_eq!(after(Duration::ZERO, None), None);
                assert!(after(SILENCE, None).unwrap().contains(says));
                let soon = LIVELY / 2;
                assert_eq!(after(soon, Some(soon)), None);
                assert!(after(LIVELY, Some(LIVELY)).unwrap().contains(says));
            }
        }
    }

    #[test]
    fn whoever_stops_hears_at_once_for_which_call_that_waits_and_how_long() {
        let ticker = Ticker::default();
        let sent = call(Duration::from_secs(13));
        let line = ticker.line(&Event::Stopping(&sent, false)).unwrap();
        assert!(
            line.starts_with("  waiting for the end of S3 PutObject at s3.example: 4"),
            "{line}"
        );
        assert!(line.ends_with("s at the most"), "{line}");
        assert_eq!(ticker.line(&Event::Stopping(&sent, false)), None, "it was just said");
    }

    #[test]
    fn a_wait_is_told_soon_and_what_hinders_it_when_that_begins() {
        let ticker = Ticker { every: Duration::from_mins(1), ..Ticker::default() };
        let address = Address::new(crate::change::Kind::Distribution, "d");
        let ago = |pause: Duration| {
            let mut waits = ticker.waits.lock().unwrap();
            let wait = waits.get_mut(&address).unwrap();
            wait.begin -= pause;
            wait.told.iter_mut().for_each(|(last, _)| *last -= pause);
        };
        assert_eq!(ticker.line(&Event::Waiting(&address, "it")), None);
        ago(SILENCE);
        let line = ticker.line(&Event::Waiting(&address, "it")).unwrap();
        assert_eq!(line, "  distribution d: still waiting for it [3s]");
        ago(LIVELY);
        assert_eq!(ticker.line(&Event::Waiting(&address, "it")), None, "not yet a minute");
        assert!(ticker.line(&Event::Waiting(&address, "it; nobody answers: no")).is_some());
        let change = crate::change::Change::new(address.clone(), Action::Await, "wait");
        assert!(ticker.line(&Event::Started(&change)).is_some());
        ago(LIVELY);
        assert_eq!(ticker.line(&Event::Waiting(&address, "it")), None, "the first line told it");
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
