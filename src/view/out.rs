//! Where all that is said goes. A stream that takes nothing more ends no work: a closed one was read
//! as far as somebody wanted, and of a full disk the exit code tells.

use super::clean;
use serde_json::Value;
use std::fmt::Display;
use std::io::{Error, ErrorKind, Write};
use std::sync::OnceLock;

/// Why something that belongs on stdout is not there.
static LOST: OnceLock<String> = OnceLock::new();

/// On stdout: what was asked for.
pub(crate) fn result(text: impl Display) {
    keep(put(anstream::stdout().lock(), &clean::shown(text)));
}

/// On stdout: what was asked for, as JSON.
pub(crate) fn document(document: &Value, pretty: bool) {
    keep(put(anstream::stdout().lock(), &(clean::json(document, pretty) + "\n")));
}

fn keep(lost: Option<String>) {
    if let Some(why) = lost {
        let _ = LOST.set(why);
    }
}

/// On stderr: what is worth knowing meanwhile.
pub(crate) fn aside(text: impl Display) {
    put(anstream::stderr().lock(), &clean::shown(text));
}

/// Why not all results were written, if that is so.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

fn put(mut stream: impl Write, text: &str) -> Option<String> {
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    let is_lost = |error: &Error| error.kind() != ErrorKind::BrokenPipe;
    written.err().filter(is_lost).map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Takes(usize, ErrorKind);

    impl Write for Takes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_reader_does_not_want_is_not_lost() {
        for (takes, kind, is_lost) in [
            (9, ErrorKind::StorageFull, false),
            (4, ErrorKind::StorageFull, true),
            (4, ErrorKind::BrokenPipe, false),
        ] {
            assert_eq!(put(Takes(takes, kind), "a result\n").is_some(), is_lost, "{kind}");
        }
    }
}
