//! Ctrl-C and SIGTERM: the first asks to stop after the step in flight, the second stops at once.

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
}

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
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
