//! Asking the person at the terminal.

use super::failure::{Failure, Reason};
use super::session::Session;
use std::io::IsTerminal;

/// Can anybody be asked?
#[must_use]
pub fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

impl Session {
    /// Asks the person at the terminal, who has to type one of the answers, to the letter; blanks
    /// around it do not count. A line that does not end is no answer. Without a terminal, `--yes`
    /// is the only way.
    ///
    /// # Errors
    /// [`Failure::Refused`] or [`Failure::Interrupted`].
    pub async fn confirm(
        &self,
        yes: bool,
        question: &str,
        answers: &[&str],
    ) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !somebody_is_there() {
            let hint = "add `--yes` to carry the plan out without asking";
            let reason = Reason::new("nobody is there to confirm").hinted(hint);
            return Err(Failure::Refused(reason));
        }
        anstream::eprint!("{question} ");
        let mut stop = self.stop.clone();
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        tokio::select! {
            line = line => match line {
                Ok(Ok(line)) if line.ends_with('\n') && answers.contains(&line.trim()) => Ok(()),
                _ => {
                    let what = "not confirmed; nothing was changed in stack";
                    Err(Failure::Refused(Reason::new(format!("{what} `{}`", self.spec.stack))))
                }
            },
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Failure::Interrupted),
        }
    }

    /// Asks for the stack's name before it is taken down.
    ///
    /// # Errors
    /// Those of [`Self::confirm`].
    pub async fn confirm_the_end(&self, yes: bool) -> Result<(), Failure> {
        let name = self.spec.stack.as_str();
        self.confirm(
            yes,
            &format!("This cannot be undone. Type the stack's name (`{name}`) to go on:"),
            &[name],
        )
        .await
    }
}
