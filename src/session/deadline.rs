//! How long a turn of the switch may take, whatever AWS does: a user waits for it.

use super::watch::{Limit, Watch};
use crate::change::Fault;
use std::time::Duration;
use tokio::time::Instant;

/// From the beginning of the command until it has looked.
pub(crate) const LOOKED: Duration = Duration::from_secs(20);
/// Until it has written; what has no answer by then may still come to pass.
pub(crate) const WRITTEN: Duration = Duration::from_secs(20);
/// Until it has looked again, and ends.
pub(crate) const ENDED: Duration = Duration::from_secs(30);
// Each has something left for the next.
const _: () = assert!(LOOKED.as_secs() <= WRITTEN.as_secs() && WRITTEN.as_secs() < ENDED.as_secs());

/// Counts from the beginning of a command.
#[derive(Clone, Debug)]
pub struct Deadline {
    begin: Instant,
    watch: Watch,
}

impl Deadline {
    /// Begins now.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { begin: Instant::now(), watch }
    }

    /// What is asked, if it comes in time.
    ///
    /// # Errors
    /// See [`Watch::answer`].
    pub async fn answer<T>(
        &self,
        within: Duration,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.watch.answer(Limit::At { begin: self.begin, within }, asked).await
    }

    /// The same for what says itself whom it waits for.
    ///
    /// # Errors
    /// See [`answer`](Self::answer).
    pub(crate) async fn silent_answer<T>(
        &self,
        within: Duration,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let watch = Watch { view: None, ..self.watch.clone() };
        watch.answer(Limit::At { begin: self.begin, within }, asked).await
    }
}
