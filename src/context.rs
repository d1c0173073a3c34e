//! What an op may use while it is carried out, besides itself.

use crate::change::{Address, Kind};
use crate::name::{BucketName, DistributionId, ObjectKey, Region};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uploads::Uploads;

pub mod uploads;

/// What stands behind symbolic references: filled from what was observed, completed while a plan is
/// carried out.
///
/// A plan can name everything except what AWS numbers itself; those few things are looked up here
/// at the moment of the call. Nothing is decided from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Version name (by content) → AWS's version number.
    pub versions: BTreeMap<String, u64>,
    /// The function's latest revision, after our own writes.
    pub revision: Option<String>,
    /// The origin access control's id.
    pub access: Option<String>,
    /// The distribution's id, ours or attached.
    pub distribution: Option<DistributionId>,
    /// The ETags of distributions, after our own writes.
    pub etags: BTreeMap<DistributionId, String>,
    /// Where buckets of an earlier spec are.
    pub regions: BTreeMap<BucketName, Region>,
    /// The ETags that S3 gave to objects, where they are not the planned ones: bucket, key and planned
    /// ETag → the one that came.
    pub stored: BTreeMap<(BucketName, ObjectKey, String), String>,
    /// Where visitors find the distribution.
    pub domain: Option<String>,
}

/// Handed to every op.
pub struct Context<'a> {
    references: Mutex<References>,
    made: Mutex<BTreeSet<Kind>>,
    /// How far the uploads are.
    pub uploads: Uploads,
    tick: &'a (dyn Fn(&Address, &str) + Send + Sync),
    stop: watch::Receiver<bool>,
    /// How long an op may wait for a replicated function to become deletable; zero: not at all.
    pub patience: Duration,
}

impl<'a> Context<'a> {
    /// A context whose references begin as `references`. `tick` hears of waits; `stop` turns true
    /// when the user has had enough.
    pub fn new(
        references: References,
        tick: &'a (dyn Fn(&Address, &str) + Send + Sync),
        stop: watch::Receiver<bool>,
        patience: Duration,
    ) -> Self {
        Self {
            references: Mutex::new(references),
            made: Mutex::default(),
            uploads: Uploads::default(),
            tick,
            stop,
            patience,
        }
    }

    /// Reads or completes the references. A poisoned lock only means that another op panicked; the
    /// values stay valid.
    pub fn references<T>(&self, with: impl FnOnce(&mut References) -> T) -> T {
        with(&mut self.references.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The `ETag` of an object that was seen, or that this run has put and planned so.
    #[must_use]
    pub fn etag(&self, bucket: &BucketName, key: &ObjectKey, planned: &str) -> String {
        let planned = (bucket.clone(), key.clone(), planned.to_owned());
        let came = self.references(|known| known.stored.get(&planned).cloned());
        came.unwrap_or(planned.2)
    }

    /// Remembers that this run has made one of this kind: AWS may not know it everywhere yet.
    pub fn made(&self, kind: Kind) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(kind);
    }

    /// Has this run made one of these?
    #[must_use]
    pub fn has_made(&self, kinds: &[Kind]) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().any(|kind| made.contains(kind))
    }

    /// Says that the op at `address` is waiting for `what`.
    pub fn waiting(&self, address: &Address, what: &str) {
        (self.tick)(address, what);
    }

    /// Has the user asked to stop?
    #[must_use]
    pub fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns once the user asks to stop; never, where nobody can ask any more.
    pub async fn until_stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
