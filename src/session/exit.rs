//! How the program ends.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
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
