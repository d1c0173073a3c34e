//! The instances of the function: grown when all are busy, kept warm, replaced when the package
//! changes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::instance::{Failure, Instance, Launch};
use super::journal::Journal;
use super::verdict::Refusal;
use super::{EdgeEvent, Function, FunctionTime, PackageSource, interpreter};

/// How old the knowledge about the package may be.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a visitor waits for an instance. Lambda would throttle at once, but its limit is a
/// thousand, not a few.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Pool {
    function: Function,
    source: PackageSource,
    storage: SocketAddr,
    access_key: String,
    journal: Arc<Journal>,
    free: Semaphore,
    closing: watch::Sender<bool>,
    state: Mutex<State>,
    /// Held while the package is looked at, so that one request does it for all.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    looked: Option<(Instant, Result<Arc<Launch>, String>)>,
    idle: Vec<Instance>,
    started: u32,
}

impl Pool {
    pub(super) fn new(
        function: Function,
        source: PackageSource,
        storage: SocketAddr,
        access_key: String,
        journal: Arc<Journal>,
    ) -> Arc<Pool> {
        let free = Semaphore::new(function.instances.max(1));
        Arc::new(Pool {
            function,
            source,
            storage,
            access_key,
            journal,
            free,
            closing: watch::Sender::new(false),
            state: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        })
    }

    /// Runs the function once. A visitor who goes away does not stop it, as at Lambda; closing the
    /// pool does.
    pub(super) async fn invoke(
        self: &Arc<Self>,
        event: Value,
        request_id: String,
    ) -> (Result<Vec<u8>, Refusal>, Option<FunctionTime>) {
        let pool = Arc::clone(self);
        let run = tokio::spawn(async move {
            let mut closing = pool.closing.subscribe();
            tokio::select! {
                biased;
                _ = closing.wait_for(|&closing| closing) => {
                    (Err(Refusal::execution("the edge is closing".to_owned())), None)
                }
                done = pool.run(&event, &request_id) => done,
            }
        });
        run.await.unwrap_or_else(|error| (Err(Refusal::execution(error.to_string())), None))
    }

    /// Kills every instance, idle or busy, and returns when none is left. No new one starts
    /// afterwards.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let all = u32::try_from(self.function.instances.max(1)).unwrap_or(u32::MAX);
        // A busy instance is dropped, and so killed, before its permit comes back.
        timeout(Duration::from_secs(2), self.free.acquire_many(all)).await.ok();
        self.free.close();
        self.state().idle.clear();
    }

    async fn run(
        &self,
        event: &Value,
        request_id: &str,
    ) -> (Result<Vec<u8>, Refusal>, Option<FunctionTime>) {
        let Ok(Ok(_permit)) = timeout(PATIENCE, self.free.acquire()).await else {
            return (Err(Refusal::throttled()), None);
        };
        let begun = Instant::now();
        let (mut instance, cold) = match self.warm_or_new().await {
            Ok((instance, true)) => (instance, Some(begun.elapsed())),
            Ok((instance, false)) => (instance, None),
            Err(reason) => {
                let time = FunctionTime { cold: Some(begun.elapsed()), run: Duration::ZERO };
                return (Err(self.failed(0, reason)), Some(time));
            }
        };
        let handed_over = Instant::now();
        let result = instance.invoke(event, request_id).await;
        let time = Some(FunctionTime { cold, run: handed_over.elapsed() });
        match result {
            Ok(payload) => {
                self.state().idle.push(instance);
                (Ok(payload), time)
            }
            Err(Failure::Threw(trace)) => {
                let id = instance.id;
                self.state().idle.push(instance);
                (Err(self.failed(id, trace)), time)
            }
            Err(Failure::Lost(reason)) => (Err(self.failed(instance.id, reason)), time),
        }
    }

    /// Gives an instance of the present package, and whether it had to be started.
    async fn warm_or_new(&self) -> Result<(Instance, bool), String> {
        let launch = self.launch().await?;
        let (warm, id) = {
            let mut state = self.state();
            state.idle.retain(|instance| Arc::ptr_eq(&instance.launch, &launch));
            let warm = state.idle.pop();
            if warm.is_none() {
                state.started += 1;
            }
            (warm, state.started)
        };
        match warm {
            Some(instance) => Ok((instance, false)),
            None => match Instance::start(launch, id, &self.journal).await {
                Ok(instance) => Ok((instance, true)),
                Err(Failure::Threw(reason) | Failure::Lost(reason)) => Err(reason),
            },
        }
    }

    /// What is to run now; looks at the package again if the last look is old.
    async fn launch(&self) -> Result<Arc<Launch>, String> {
        if let Some(known) = self.known() {
            return known;
        }
        let _looking = self.looking.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let before =
            self.state().looked.as_ref().and_then(|(_, launch)| launch.as_ref().ok().cloned());
        let looked = self.look(before.as_ref()).await;
        if let (Some(before), Ok(now)) = (before, &looked)
            && !Arc::ptr_eq(&before, now)
        {
            self.journal.tell(EdgeEvent::Reloaded { hash: now.package.hash.clone() });
        }
        self.state().looked = Some((Instant::now(), looked.clone()));
        looked
    }

    fn known(&self) -> Option<Result<Arc<Launch>, String>> {
        let state = self.state();
        let (at, launch) = state.looked.as_ref()?;
        (at.elapsed() < LOOK_AGAIN).then(|| launch.clone())
    }

    async fn look(&self, before: Option<&Arc<Launch>>) -> Result<Arc<Launch>, String> {
        let source = Arc::clone(&self.source);
        let package = tokio::task::spawn_blocking(move || source())
            .await
            .map_err(|error| error.to_string())??;
        let program = match before {
            Some(before) if before.package == package => return Ok(Arc::clone(before)),
            Some(before) if before.package.runtime == package.runtime => before.program.clone(),
            _ => {
                let found = interpreter::find(package.runtime, &self.function.search_path).await?;
                if let Some(text) = found.warning {
                    self.journal.tell(EdgeEvent::Warning(text));
                }
                found.program
            }
        };
        let (function, access_key) = (self.function.clone(), self.access_key.clone());
        Ok(Arc::new(Launch { program, package, function, storage: self.storage, access_key }))
    }

    /// Puts a failure into the log, where the people who can mend it will look.
    fn failed(&self, instance: u32, reason: String) -> Refusal {
        for line in reason.lines() {
            self.journal.tell(EdgeEvent::Log { instance, line: line.to_owned() });
        }
        Refusal::execution(reason)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
