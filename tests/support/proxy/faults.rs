//! The scripted plan: what goes wrong, and at which call.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::watch;

/// Which call. Numbers start at 1 and are counted since the calls were last cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The nth call of all.
    Call(usize),
    /// The nth call of one operation.
    Operation(&'static str, usize),
    /// Every call of one operation, until the faults are cleared.
    Every(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset before AWS has seen the request.
    Reset,
    /// As `Reset`, and from then on every connection is refused, until `Ground::plug_in`.
    Unplugged,
    /// AWS carries the call out, and the connection ends without an answer.
    ReplyLost,
    /// AWS carries the call out, and the answer breaks off in its middle.
    Truncated,
    /// AWS does nothing and never answers.
    Hang,
    /// AWS does nothing and answers 500 or 503.
    Status(u16),
    /// AWS does nothing and says so in the service's own words.
    Throttled,
    ClockSkew,
    ExpiredCredentials,
    Denied,
    /// AWS does nothing and answers with this status, code and text.
    Says(u16, &'static str, &'static str),
    /// AWS does nothing, and what arrives is a success that nobody understands.
    Garbled,
    /// AWS does nothing, and what arrives is a success without a byte.
    Empty,
    /// AWS does nothing: another write of the object is under way. S3 says so of each object.
    Conflict,
    /// A network that wants its user to sign in answers in AWS's place, with a page.
    SignInPage,
    /// The call takes longer.
    Latency(Duration),
}

/// On which side of a call a client is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// AWS has not seen the request yet.
    Before,
    /// AWS has carried it out; the client does not know.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Release,
    Drop,
}

/// A call that is to be held. Dropping it drops the connection of a call that waits.
pub struct Held {
    reached: mpsc::Receiver<()>,
    verdict: watch::Sender<Option<Verdict>>,
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

impl Held {
    /// Waits until the call has come. Waits for ever if it never comes.
    pub fn wait_reached(&self) {
        self.reached.recv().unwrap();
    }

    /// Waits until the call has come, or until `gave_up` says that it will not; true if it has
    /// come.
    pub fn wait_reached_unless(&self, mut gave_up: impl FnMut() -> bool) -> bool {
        loop {
            match self.reached.recv_timeout(BETWEEN_LOOKS) {
                Ok(()) => return true,
                // The client may have ended right after the call came: look once more.
                Err(RecvTimeoutError::Timeout) if gave_up() => {
                    return self.reached.try_recv().is_ok();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Lets the call go on as if nothing had been.
    pub fn release(self) {
        self.verdict.send_replace(Some(Verdict::Release));
    }

    /// Ends the call without an answer; held before, AWS never sees it.
    pub fn drop_connection(self) {
        self.verdict.send_replace(Some(Verdict::Drop));
    }
}

pub struct Gate {
    reached: mpsc::Sender<()>,
    verdict: watch::Receiver<Option<Verdict>>,
}

impl Gate {
    /// Waits for the test's word; true if the call may go on.
    pub async fn passes(mut self) -> bool {
        let _ = self.reached.send(());
        let verdict = self.verdict.wait_for(Option::is_some).await;
        verdict.is_ok_and(|verdict| *verdict == Some(Verdict::Release))
    }
}

/// What is to happen to one call.
#[derive(Default)]
pub struct Due {
    pub latency: Duration,
    pub fault: Option<Fault>,
    pub before: Option<Gate>,
    pub after: Option<Gate>,
}

#[derive(Default)]
pub struct Script {
    faults: Vec<(At, Fault)>,
    gates: Vec<(At, Moment, Gate)>,
    seen: usize,
    seen_of: BTreeMap<String, usize>,
    /// Added to every call.
    pub latency: Duration,
}

impl Script {
    pub fn add(&mut self, at: At, fault: Fault) {
        self.faults.push((at, fault));
    }

    pub fn hold(&mut self, at: At, moment: Moment) -> Held {
        let (tell, reached) = mpsc::channel();
        let (verdict, word) = watch::channel(None);
        self.gates.push((at, moment, Gate { reached: tell, verdict: word }));
        Held { reached, verdict }
    }

    pub fn clear(&mut self) {
        self.faults.clear();
        self.gates.clear();
    }

    /// Starts counting calls anew.
    pub fn restart(&mut self) {
        self.seen = 0;
        self.seen_of.clear();
    }

    pub fn next(&mut self, operation: &str) -> Due {
        self.seen += 1;
        let nth = self.seen_of.entry(operation.to_owned()).or_default();
        *nth += 1;
        let (seen, nth) = (self.seen, *nth);
        let is_due = |at: At| match at {
            At::Call(number) => number == seen,
            At::Operation(name, number) => name == operation && number == nth,
            At::Every(name) => name == operation,
        };
        let mut due = Due { latency: self.latency, ..Due::default() };
        self.faults.retain(|&(at, fault)| {
            let is_now = is_due(at);
            match fault {
                Fault::Latency(more) if is_now => due.latency += more,
                _ if is_now => due.fault = Some(fault),
                _ => {}
            }
            !is_now || matches!(at, At::Every(_))
        });
        while let Some(index) = self.gates.iter().position(|(at, ..)| is_due(*at)) {
            let (_, moment, gate) = self.gates.remove(index);
            match moment {
                Moment::Before => due.before = Some(gate),
                Moment::After => due.after = Some(gate),
            }
        }
        due
    }
}
