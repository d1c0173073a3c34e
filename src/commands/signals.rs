//! Ctrl-C and SIGTERM: the first asks to stop after the step in flight, the second stops at once.

use super::Exit;
use tokio::sync::watch;

/// Listens from now on. The receiver turns true at the first signal.
#[must_use]
pub fn listen() -> watch::Receiver<bool> {
    let (stop, receiver) = watch::channel(false);
    tokio::spawn(async move {
        next().await;
        anstream::eprintln!("Stopping as soon as it is safe; once more stops at once.");
        let _ = stop.send(true);
        next().await;
        #[expect(clippy::disallowed_methods, clippy::exit, reason = "the user insists")]
        std::process::exit(i32::from(Exit::Interrupted as u8));
    });
    receiver
}

#[cfg(unix)]
async fn next() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn next() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
