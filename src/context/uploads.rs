//! How far the uploads of a plan are: never more than the whole, never less than before, and the
//! whole once every one has come to its end.

use crate::change::{Done, Fault};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So much goes to the connection at once: of less nobody can say how far it is. In bytes.
pub const AT_ONCE: usize = 64 * 1024;

tokio::task_local! {
    /// The bytes of the upload that is under way.
    static MOVED: Moved;
}

/// Bytes that are on their way or were taken. A try that failed takes its own back.
#[derive(Clone, Debug, Default)]
pub struct Moved(Arc<AtomicU64>);

impl Moved {
    /// Those of the upload that is under way; outside of one they count for nobody.
    #[must_use]
    pub fn here() -> Self {
        MOVED.try_with(Self::clone).unwrap_or_default()
    }

    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn take_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All uploads of a run.
#[derive(Debug, Default)]
pub struct Uploads(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of those that have ended.
    ended: u64,
    open: BTreeMap<u64, Upload>,
    number: u64,
}

#[derive(Debug)]
struct Upload {
    size: u64,
    moved: Moved,
    /// The most that was told of it.
    most: u64,
}

impl Upload {
    fn told(&mut self) -> u64 {
        self.most = self.most.max(self.moved.count().min(self.size));
        self.most
    }
}

impl Uploads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out an op that uploads so many bytes. What moves meanwhile beside them, as questions
    /// do, is never more than the whole.
    ///
    /// # Errors
    /// The op's.
    pub async fn of(
        &self,
        size: u64,
        op: impl Future<Output = Result<Done, Fault>>,
    ) -> Result<Done, Fault> {
        if size == 0 {
            return op.await;
        }
        let moved = Moved::default();
        let number = {
            let mut state = self.state();
            state.number += 1;
            let number = state.number;
            state.open.insert(number, Upload { size, moved: moved.clone(), most: 0 });
            number
        };
        let ended = MOVED.scope(moved, op).await;
        let mut state = self.state();
        let told = state.open.remove(&number).map_or(0, |mut upload| upload.told());
        let is_there = matches!(ended, Ok(Done::Changed(_) | Done::AlreadySo));
        state.ended += if is_there { size } else { told };
        ended
    }

    /// How many bytes of `all` are on their way, where that says anything: not of little, and not
    /// once all is handed over and the answer is what is waited for.
    #[must_use]
    pub fn sent(&self, all: u64) -> Option<u64> {
        let mut state = self.state();
        let open: u64 = state.open.values_mut().map(Upload::told).sum();
        let sent = state.ended + open;
        (!state.open.is_empty() && all >= AT_ONCE as u64 && sent < all).then_some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::FaultKind;
    use proptest::prelude::*;
    use std::cell::RefCell;

    /// An upload: its size, what moves in each of its tries, and whether the last one is taken.
    fn upload() -> impl Strategy<Value = (u64, Vec<u64>, bool)> {
        let tries = prop::collection::vec(0..200_000_u64, 1..4);
        (1..150_000_u64, tries, any::<bool>())
    }

    proptest! {
        /// Also where tries fail, and where questions beside the upload move more than it has.
        #[test]
        fn what_is_told_grows_up_to_the_whole(
            plan in prop::collection::vec(upload(), 1..6)
        ) {
            let all: u64 = plan.iter().map(|(size, ..)| size).sum();
            let uploads = Uploads::default();
            let told = RefCell::new(vec![0]);
            let look = || told.borrow_mut().extend(uploads.sent(all));
            let run = async {
                for (size, tries, is_taken) in &plan {
                    let op = async {
                        for moves in tries {
                            let moved = Moved::here();
                            moved.add(moves / 2);
                            look();
                            moved.add(moves - moves / 2);
                            look();
                            moved.take_back(*moves);
                            look();
                        }
                        Moved::here().add(*size);
                        look();
                        let fault = Fault::new(FaultKind::Refused, "upload", "no");
                        if *is_taken { Ok(Done::AlreadySo) } else { Err(fault) }
                    };
                    let _ = uploads.of(*size, op).await;
                }
            };
            futures_util::FutureExt::now_or_never(run).unwrap();
            let told = told.into_inner();
            prop_assert!(told.is_sorted() && told.iter().all(|sent| *sent < all), "{told:?}");
            prop_assert!(all >= AT_ONCE as u64 || told == [0], "{told:?}");
            prop_assert_eq!(uploads.state().ended, all);
            prop_assert_eq!(uploads.sent(all), None);
        }
    }
}
