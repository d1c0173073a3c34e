//! Asks the person at the terminal.

use super::failure::Reason;
use crate::view::out;
use std::io::IsTerminal;

/// Is there a terminal on both sides?
#[must_use]
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Why nothing was asked.
#[must_use]
pub(crate) fn no_terminal() -> Reason {
    Reason::new("cannot ask for confirmation: there is no terminal")
}

/// Asks for one of the answers, to the letter; blanks around it do not count. A line that does not
/// end is no answer.
pub(crate) async fn ask(question: &str, answers: &[&str]) -> bool {
    out::aside(format_args!("{question} "));
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    matches!(line.await, Ok(Ok(line)) if line.ends_with('\n') && answers.contains(&line.trim()))
}
