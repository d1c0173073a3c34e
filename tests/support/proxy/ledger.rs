//! What was asked, in which order, and what had to wait for what.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderMap;

use super::classify::Request;

/// One request that reached the proxy. A client's retry is a call of its own.
#[derive(Clone, Debug)]
pub struct Call {
    /// 1 for the first call since the ledger was last cleared.
    pub number: usize,
    /// Service and operation, for instance `cloudfront:UpdateDistribution`.
    pub operation: String,
    pub method: Method,
    /// The name in the `Host` header.
    pub host: String,
    /// Path and query as they were sent.
    pub path: String,
    pub headers: HeaderMap,
    /// What was sent with it.
    pub body: Bytes,
    pub started: Instant,
    /// `None` while it is under way, and for ever if the client got no answer.
    pub ended: Option<Instant>,
    /// What the client was told; `None` if it was told nothing.
    pub status: Option<u16>,
}

impl Call {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What it was signed with: access key, region and service.
    pub fn scope(&self) -> Option<[&str; 3]> {
        let (_, scope) = self.header("authorization").split_once("Credential=")?;
        let parts: Vec<&str> = scope.split(',').next()?.split('/').collect();
        Some([parts.first()?, parts.get(2)?, parts.get(3)?])
    }
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
    pub fn open(&mut self, request: &Request) -> Entry {
        let number = self.calls.len() + 1;
        self.calls.push(Call {
            number,
            operation: request.operation.clone(),
            method: request.method.clone(),
            host: request.host.clone(),
            path: request.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
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
