//! How long a turn of the switch may take, whatever AWS does: a user waits for it.

use crate::change::{Fault, FaultKind};
use crate::view::View;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// After this time it is said who is waited for.
const SILENCE: Duration = Duration::from_secs(3);
/// From the beginning of the command until it has looked.
pub(crate) const LOOKED: Duration = Duration::from_secs(20);
/// Until it has written; what has no answer by then may still come to pass.
pub(crate) const WRITTEN: Duration = Duration::from_secs(20);
/// Until it has looked again, and ends.
pub(crate) const ENDED: Duration = Duration::from_secs(30);

/// Counts from the beginning of a command.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    begin: Instant,
    view: View,
}

impl Deadline {
    /// Begins now.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self { begin: Instant::now(), view }
    }

    /// The answer of `whom`, if it comes in time.
    ///
    /// # Errors
    /// The answer's; [`FaultKind::Unreachable`] where none came.
    pub async fn answer<T>(
        &self,
        within: Duration,
        whom: &str,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::pin!(asked);
        let (spoken, end) = (Instant::now() + SILENCE, self.begin + within);
        if let Ok(answer) = timeout_at(spoken.min(end), &mut asked).await {
            return answer;
        }
        if spoken < end {
            self.view.waiting(whom, SILENCE);
            if let Ok(answer) = timeout_at(end, asked).await {
                return answer;
            }
        }
        let seconds = within.as_secs();
        Err(Fault::new(
            FaultKind::Unreachable,
            format!("ask {whom}"),
            format!("there was no answer within {seconds} seconds"),
        )
        .hinted("check the network and whether AWS has trouble; then run the same command again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_said() {
        let deadline = Deadline::new(View::new(true));
        let over = Duration::ZERO;
        assert_eq!(
            deadline.answer(over, "S3", async { Ok(1) }).await,
            Ok(1),
            "what is there is taken"
        );
        let fault = deadline.answer(over, "S3", pending::<Result<(), Fault>>()).await.unwrap_err();
        assert_eq!((fault.kind, fault.tried.as_str()), (FaultKind::Unreachable, "ask S3"));
        assert!(
            SILENCE < LOOKED && LOOKED <= WRITTEN && WRITTEN < ENDED,
            "each has something left for the next"
        );
    }
}
