//! Ctrl-C, SIGTERM and SIGHUP (a terminal that is closed, an ssh that breaks): the first asks to stop
//! after the step in flight, the second stops at once. And SIGXFSZ, which no write shall end with.

use super::exit::Exit;
use crate::view::out;
use tokio::sync::watch;

/// Listens from now on. The receiver turns true at the first signal.
#[must_use]
pub(crate) fn listen() -> watch::Receiver<bool> {
    let (stop, receiver) = watch::channel(false);
    // Registered before anything else happens: a signal that comes at once is not lost.
    let Ok(mut signals) = Signals::register() else { return receiver };
    tokio::spawn(async move {
        signals.next().await;
        // Said first: what hears the signal may end the program at once.
        out::aside("Stopping as soon as it is safe; once more stops at once.\n");
        let _ = stop.send(true);
        signals.next().await;
        #[expect(clippy::disallowed_methods, clippy::exit, reason = "the user insists")]
        std::process::exit(i32::from(Exit::Interrupted as u8));
    });
    receiver
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None`: the run is to outlive its terminal.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: (!is_under_nohup()).then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Did whoever began the program want SIGHUP to be ignored, as `nohup` does? Only Linux tells.
#[cfg(unix)]
fn is_under_nohup() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is that of the signal with the number 1, SIGHUP.
    ignored.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).is_ok_and(|bits| bits & 1 == 1))
}

/// A write that a limit (`ulimit -f`) forbids fails from now on like one that a full disk does,
/// where SIGXFSZ would kill the program without a word: a handler stays for good.
pub(crate) fn limits_are_errors() {
    #[cfg(unix)]
    {
        /// Linux and the BSDs agree.
        const SIGXFSZ: i32 = 25;
        let kind = tokio::signal::unix::SignalKind::from_raw(SIGXFSZ);
        drop(tokio::signal::unix::signal(kind));
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn register() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn whoever_wants_a_run_to_outlive_its_terminal_is_heard() {
        for (status, ignores) in [
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0\n", true),
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\nSigCgt:\t1\n", false),
            ("", false),
        ] {
            assert_eq!(ignores_hangup(status), ignores, "{status}");
        }
    }
}
