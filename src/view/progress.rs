//! Progress for people: whole lines, one for each step that ends, and one now and then for a step
//! that waits.

use super::human::duration;
use crate::apply::Event;
use crate::change::{Action, Address, Done};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Remembers when each waiting step began and was last spoken of.
#[derive(Debug)]
pub(crate) struct Ticker {
    every: Duration,
    waits: Mutex<BTreeMap<Address, (Instant, Instant)>>,
}

impl Default for Ticker {
    /// Every ten seconds at a terminal; once a minute in a log.
    fn default() -> Self {
        let every = if std::io::stderr().is_terminal() {
            Duration::from_secs(10)
        } else {
            Duration::from_mins(1)
        };
        Self { every, waits: Mutex::new(BTreeMap::new()) }
    }
}

impl Ticker {
    /// The line for an event, if it deserves one.
    pub(crate) fn line(&self, event: &Event<'_>) -> Option<String> {
        match event {
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
                    Done::Deferred { reason, .. } => format!("not yet: {reason}"),
                };
                Some(format!("  {}: {what} [{}]", change.address, duration(*elapsed)))
            }
            Event::Failed(change, fault, elapsed) => Some(format!(
                "  {}: failed: {} [{}]",
                change.address,
                fault.message,
                duration(*elapsed)
            )),
        }
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
