//! The ground that wire tests stand on: an emulator of AWS behind a proxy that behaves like AWS.
//!
//! ```no_run
//! let ground = Ground::start();
//! ground.fault(At::Operation("iam:CreateRole", 1), Fault::ReplyLost);
//! Command::new(env!("CARGO_BIN_EXE_provision")).envs(ground.environment());
//! assert_eq!(ground.count("iam:CreateRole"), 1);
//! ```

// Every test binary compiles this module, and none uses all of it; `expect` would not hold in each.
#![allow(clippy::allow_attributes, dead_code, unused_imports, unreachable_pub)]
// What goes wrong here fails a test. The emulator needs the PATH of this process, and a scripted
// latency has to pass.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]
#![allow(clippy::print_stderr, clippy::print_stdout)]

pub mod emulator;
mod kill;
mod ministack;
mod moto;
pub mod namespace;
pub mod proxy;
pub mod tls;
pub mod venv;

use std::sync::Arc;
use std::time::Duration;

use proxy::Upstreams;
use proxy::classify::Request;
use proxy::reply::Reply;
use proxy::rules::{Caller, World};

pub use emulator::Emulator;
pub use ministack::MINISTACK;
pub use moto::MOTO;
pub use proxy::Proxy;
pub use proxy::faults::{At, Fault, Held, Moment};
pub use proxy::ledger::{self, Call};
pub use proxy::rules::Rules;

/// One emulator and one proxy: a world of its own for a test.
pub struct Ground {
    pub proxy: Proxy,
    emulators: Vec<Emulator>,
}

/// Whoever sets it to `moto` has moto answer for all but CloudFront and STS.
pub const EMULATOR: &str = "PROVISION_EMULATOR";

/// Installs what `Ground::start` starts.
pub fn install() {
    (MINISTACK.python)();
    if is_on_moto() {
        (MOTO.python)();
    }
}

fn is_on_moto() -> bool {
    match std::env::var(EMULATOR).as_deref() {
        Ok("moto") => true,
        Ok("ministack") | Err(_) => false,
        Ok(other) => panic!("{EMULATOR} is `{other}`, and may be `ministack` or `moto`"),
    }
}

impl Ground {
    /// Starts with AWS's rules in force and any credentials accepted.
    pub fn start() -> Self {
        if is_on_moto() { Self::start_on_both() } else { Self::on(Emulator::start(&MINISTACK)) }
    }

    /// Starts with signatures and IAM policies checked, which moto does not do.
    pub fn start_with_auth() -> Self {
        Self::on(Emulator::start_with(&MINISTACK, &ministack::WITH_AUTH))
    }

    fn on(ministack: Emulator) -> Self {
        let address = ministack.address();
        let upstreams = Upstreams { others: address, cloudfront_and_sts: address };
        Self { proxy: Proxy::start(upstreams), emulators: vec![ministack] }
    }

    fn start_on_both() -> Self {
        let moto = std::thread::spawn(|| Emulator::start(&MOTO));
        let ministack = Emulator::start(&MINISTACK);
        let moto = moto.join().unwrap();
        let upstreams =
            Upstreams { others: moto.address(), cloudfront_and_sts: ministack.address() };
        Self { proxy: Proxy::start(upstreams), emulators: vec![ministack, moto] }
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// Everything that a child process needs to find this AWS and no other. The key is the
    /// account's root, also where signatures are checked.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.endpoint().as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("NO_PROXY", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Forgets all resources, calls and callers, and what was scripted; rules and latency stay.
    pub fn reset(&self) {
        self.proxy.wait_idle();
        self.emulators.iter().for_each(Emulator::reset);
        self.proxy.world(World::forget);
        self.clear_faults();
        self.clear_calls();
    }

    pub fn calls(&self) -> Vec<Call> {
        self.proxy.book(|book| book.ledger.calls().to_vec())
    }

    /// Starts the ledger and the numbers of `At` anew.
    pub fn clear_calls(&self) {
        self.proxy.book(|book| {
            book.ledger.clear();
            book.script.restart();
        });
    }

    /// How often one operation was called.
    pub fn count(&self, operation: &str) -> usize {
        self.calls().iter().filter(|call| call.operation == operation).count()
    }

    /// See `ledger::rounds`.
    pub fn rounds(&self) -> usize {
        ledger::rounds(&self.calls())
    }

    /// Changes the rules: `ground.rules(|rules| rules.deploy_polls = 3)`.
    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        self.proxy.world(|world| change(&mut world.rules));
    }

    /// Holds the caller with this key to what this policy allows; see
    /// `proxy::rules::for_the_emulator`.
    pub fn restrict(&self, key: &str, policy: &serde_json::Value) {
        let (key, policy) = (key.to_owned(), policy.clone());
        self.proxy.world(|world| {
            let is_linked = world.caller.as_ref().is_some_and(|caller| caller.is_linked);
            world.caller = Some(Caller { key, policy, is_linked });
        });
    }

    /// Shows every request that the emulator has answered, and lets the answer be changed. Replaces
    /// what was said here before.
    pub fn amend(&self, amend: impl Fn(&Request, &mut Reply) + Send + Sync + 'static) {
        self.proxy.world(|world| world.amend = Some(Arc::new(amend)));
    }

    /// Makes every call take this much longer.
    pub fn latency(&self, latency: Duration) {
        self.proxy.book(|book| book.script.latency = latency);
    }

    pub fn fault(&self, at: At, fault: Fault) {
        self.proxy.book(|book| book.script.add(at, fault));
    }

    pub fn clear_faults(&self) {
        self.proxy.book(|book| book.script.clear());
    }

    /// Holds a call on one of its two sides until the test says how it goes on.
    pub fn hold(&self, at: At, moment: Moment) -> Held {
        self.proxy.book(|book| book.script.hold(at, moment))
    }

    /// See `Proxy::wait_idle`.
    pub fn wait_idle(&self) {
        self.proxy.wait_idle();
    }

    /// See `Proxy::plug_in`.
    pub fn plug_in(&self) {
        self.proxy.plug_in();
    }
}
