//! What was asked, in which order, and what had to wait for what.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;

/// One request that reached the proxy. A client's retry is a call of its own.
#[derive(Clone, Debug)]
pub struct Call {
    /// 1 for the first call since the ledger was last cleared.
    pub number: usize,
    /// Service and operation, for instance `cloudfront:UpdateDistribution`.
    pub operation: String,
    /// Path and query as they were sent.
    pub path: String,
    /// What was sent with it.
    pub body: Bytes,
    pub started: Instant,
    /// `None` while it is under way, and for ever if the client got no answer.
    pub ended: Option<Instant>,
    /// What the client was told; `None` if it was told nothing.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub struct Ledger {
    calls: Vec<Call>,
    /// Calls from before the last clearing that end later must not be taken for new ones.
    generation: usize,
}

/// Names an entry across clearings.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    generation: usize,
    pub number: usize,
}

impl Ledger {
    pub fn open(&mut self, operation: &str, path: &str, body: &Bytes) -> Entry {
        let number = self.calls.len() + 1;
        self.calls.push(Call {
            number,
            operation: operation.to_owned(),
            path: path.to_owned(),
            body: body.clone(),
            started: Instant::now(),
            ended: None,
            status: None,
        });
        Entry { generation: self.generation, number }
    }

    pub fn close(&mut self, entry: Entry, status: Option<u16>) {
        if entry.generation == self.generation {
            let call = &mut self.calls[entry.number - 1];
            call.ended = Some(Instant::now());
            call.status = status;
        }
    }

    pub fn clear(&mut self) {
        self.calls.clear();
        self.generation += 1;
    }

    pub fn calls(&self) -> &[Call] {
        &self.calls
    }
}

/// How often each operation was called.
pub fn counts(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    counts
}

/// The length of the longest chain of calls in which each started after the one before it had
/// ended.
///
/// It is the number of steps that were taken one after another. Calls that overlap share a step.
/// Two independent calls may miss each other by chance on a fast loopback; a latency on every call
/// (`Ground::latency`) makes everything overlap that was sent without waiting for an answer.
pub fn rounds(calls: &[Call]) -> usize {
    // Taking the earliest end first gives the largest set of intervals that do not overlap.
    let mut intervals: Vec<_> =
        calls.iter().filter_map(|call| Some((call.ended?, call.started))).collect();
    intervals.sort_unstable();
    let mut last_end = None;
    let mut rounds = 0;
    for (ended, started) in intervals {
        if last_end.is_none_or(|end| started >= end) {
            rounds += 1;
            last_end = Some(ended);
        }
    }
    rounds
}
