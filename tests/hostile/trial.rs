//! How long and how often a law is tried, and what ends a try that does not end.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No input may take longer. Far above what any takes: a bound on hanging, not on speed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tries `law` on `cases` inputs, or for as many rounds of that as fit into the time that the
/// environment gives.
pub(crate) fn hold<S: Strategy>(cases: u32, inputs: &S, law: impl Fn(S::Value)) {
    let budget = budget();
    let watch = Watch::begin();
    let begun = Instant::now();
    let mut seed = seed(budget);
    loop {
        let config = Config {
            cases,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            max_shrink_time: 60_000,
            max_shrink_iters: 10_000,
            ..Config::default()
        };
        let tried = TestRunner::new(config).run(inputs, |input| {
            watch.now_trying(Some(format!("{input:?}")));
            law(input);
            watch.now_trying(None);
            Ok(())
        });
        if let Err(error) = tried {
            panic!("PROPTEST_RNG_SEED={seed}: {error}");
        }
        if budget.is_none_or(|budget| begun.elapsed() >= budget) {
            return;
        }
        seed = seed.wrapping_add(1);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no caller who could hand it in")]
fn budget() -> Option<Duration> {
    let seconds = std::env::var("PROVISION_FUZZ_SECONDS").ok()?;
    Some(Duration::from_secs(seconds.parse().unwrap()))
}

/// The given one; or always the same, so that everybody's `cargo test` does the same; or, for a
/// search, a new one.
fn seed(budget: Option<Duration>) -> u64 {
    match (Config::default().rng_seed, budget) {
        (RngSeed::Fixed(seed), _) => seed,
        (RngSeed::Random, None) => 7,
        (RngSeed::Random, Some(_)) => fastrand::u64(..),
    }
}

type Trying = Arc<Mutex<Option<(Instant, String)>>>;

/// Ends the whole process, with the input on stderr, if one try takes too long: a thread that hangs
/// cannot be stopped.
struct Watch {
    trying: Trying,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn begin() -> Self {
        let trying = Trying::default();
        let (end, ended) = channel();
        let seen = Arc::clone(&trying);
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                if let Some((since, input)) = &*seen.lock().unwrap()
                    && since.elapsed() > PATIENCE
                {
                    // Past the harness, which keeps what a test prints and would die with it.
                    let _ = writeln!(
                        std::io::stderr(),
                        "after {PATIENCE:?} there is no end to {input}"
                    );
                    std::process::abort();
                }
            }
        });
        Self { trying, end: Some(end), thread: Some(thread) }
    }

    fn now_trying(&self, input: Option<String>) {
        *self.trying.lock().unwrap() = input.map(|input| (Instant::now(), input));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
