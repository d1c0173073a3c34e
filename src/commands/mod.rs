//! One short file for each verb. A verb chooses an intent and a view; the pipeline is the same for
//! all ([`session`]).

use crate::cloud::world::Delays;

pub mod apply;
pub mod confirm;
pub mod deadline;
pub mod destroy;
pub mod dev;
pub mod explain;
pub mod failure;
pub mod global;
pub mod init;
pub mod maintenance;
pub mod place;
pub mod plan;
pub mod policy;
pub mod saved;
pub mod session;
pub mod signals;
pub mod status;
pub mod sweep;
pub mod times;
pub mod validate;
pub mod words;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// A step failed.
    Failed = 1,
    /// `plan --detailed-exitcode`: there are changes.
    Changes = 2,
    /// Nothing failed, something is deferred; run again later.
    Pending = 3,
    /// Conflicts, or the answer was no.
    Refused = 4,
    /// Wrong command line.
    Usage = 64,
    /// Wrong spec.
    Spec = 65,
    /// The user stopped the run.
    Interrupted = 130,
}

/// Reads `deploy=2,replicas=20` (seconds).
///
/// # Errors
/// What is wrong with the text.
pub fn parse_delays(text: &str) -> Result<Delays, String> {
    let mut delays = Delays::default();
    for part in text.split(',') {
        let (name, seconds) =
            part.split_once('=').ok_or_else(|| format!("`{part}` is not NAME=SECONDS"))?;
        let seconds: u64 =
            seconds.parse().map_err(|_| format!("`{seconds}` is not a number of seconds"))?;
        if seconds > 86_400 {
            return Err(format!("`{seconds}` seconds are more than a day"));
        }
        match name {
            "deploy" => delays.deploy = seconds,
            "replicas" => delays.replicas = seconds,
            _ => return Err(format!("`{name}` is neither `deploy` nor `replicas`")),
        }
    }
    Ok(delays)
}
