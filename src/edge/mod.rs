//! The local edge: what a visitor would get from CloudFront, on loopback.
//!
//! ```text
//! viewer ─► behavior ─► event ─► pool ─► instance (python3 | node) ─► verdict ─┬─► generated response ─┐
//!              │ refused                    │ reads over storage (loopback S3) ├─► CloudFront's error  ├─► viewer
//!              └────────────────────────────┼──────────────────────────────────┘                       │
//!                                           └ continue ─► origin (S3's own answer) ─► custom errors ───┘
//! ```
//!
//! `headers`, `event`, `verdict`, `behavior`, `conditions`, `origin`, `listing` and `error_page`
//! are pure; `viewer`, `storage` and `console` answer with what the caller supplies; `pool`,
//! `instance`, `interpreter`, `package`, `folder` and `server` touch the machine.
//! `docs/aws.md` says what all this takes for granted about AWS.
//!
//! # Guarantees
//! - It listens on 127.0.0.1 only and never writes an object: the only way to change anything is
//!   [`Switch::turn`].
//! - The function's package runs unchanged, in child processes that end when [`serve`] ends, or
//!   when this process does.
//!
//! # Not as at the real edge
//! - No cached object is served unseen: each request looks at the object again, so `X-Cache` says
//!   `RefreshHit` where
//!   CloudFront may say `Hit`. A local edit shows at once.
//! - HTTP/1.1 without TLS, so no `redirect-to-https`; no compression; one place, one region.
//! - The names of request headers reach the function as an HTTP/2 viewer sends them, in lower case
//!   (docs/aws.md, "the event").

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;

mod behavior;
mod conditions;
mod console;
mod entropy;
mod error_page;
mod event;
mod folder;
mod headers;
mod instance;
mod interpreter;
mod journal;
mod listing;
mod origin;
mod package;
mod pool;
mod server;
mod storage;
mod verdict;
mod viewer;

#[cfg(test)]
mod tests;

pub use behavior::CustomError;
pub use folder::{Folder, Labels};
pub use package::{Package, Runtime, fingerprint};
pub use server::{EdgeError, serve};

/// A future that a trait object can return.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Gives the package as it is now. Called at most twice a second, on a thread that may block; a new
/// [`hash`](Package::hash) makes the edge start afresh with it. The error text is for people.
pub type PackageSource = Arc<dyn Fn() -> Result<Package, String> + Send + Sync>;

/// How the edge is to behave. Everything here is fixed while it runs.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// The port of the visitors' side; 0 takes a free one.
    pub port: u16,
    /// The distribution as visitors notice it.
    pub distribution: Distribution,
    /// The function that stands in front of it.
    pub function: Function,
    /// The bucket's name, as the function asks for it.
    pub bucket: String,
    /// What the console page shows about the stack, in this order; the first value is also its
    /// heading.
    pub about: Vec<Fact>,
    /// The address that visitors seem to come from; `None`: the one they really come from, which is
    /// loopback.
    pub viewer_address: Option<IpAddr>,
    /// Whose value in a query nobody but the visitor may read; empty: none's.
    pub masked: String,
}

/// The part of a distribution that a visitor can notice.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Such as `E2ABCDEF0123`.
    pub id: String,
    /// Such as `d111111abcdef8.cloudfront.net`.
    pub domain_name: String,
    /// Without a leading slash.
    pub default_root_object: Option<String>,
    /// Which of the origin's errors become another page; the first that fits counts.
    pub custom_errors: Vec<CustomError>,
    /// Keys, and folders, that the bucket does not let it read.
    pub hidden: Vec<String>,
    /// The path patterns at whose viewer request the function stands; `*` is the default behavior.
    /// Empty: nowhere.
    pub function_on: Vec<String>,
    /// Whether the function sees `/home.html` instead of `/`. AWS does not say (docs/aws.md, "the
    /// root object in events"); a good function gives the same answer to both, and this is how to
    /// find out.
    pub root_before_function: bool,
}

/// The function's own settings, beside its package.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in us-east-1; a replica sees `us-east-1.<name>` (docs/aws.md, "a replica's name").
    pub name: String,
    /// The number of the published version that this seems to be.
    pub version: String,
    /// Twelve digits, for the function's own ARN.
    pub account: String,
    /// The region in which the replica seems to run.
    pub region: String,
    /// In MiB.
    pub memory: u32,
    /// For one invocation; loading has ten seconds of its own, as at Lambda.
    pub timeout: Duration,
    /// `PATH`, on which python3 or node is looked for and which the function gets.
    pub search_path: String,
    /// How many instances may run at the same time; each answers one request at a time, as at
    /// Lambda. At least 1.
    pub instances: usize,
}

/// What the edge serves and what it runs; all of it belongs to the caller.
#[derive(Clone)]
pub struct Supplies {
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// The switch, for the console page.
    pub switch: Arc<dyn Switch>,
    /// What is to run.
    pub package: PackageSource,
    /// The time, for the visits.
    pub now: fn() -> SystemTime,
}

/// Read access to the bucket.
pub trait Objects: Send + Sync {
    /// Returns the object under `key`, or `None` if there is none. The error text is for people;
    /// the visitor gets S3's 500.
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>>;

    /// Returns every object whose key begins with `prefix`, in the order of their keys' bytes.
    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>>;
}

/// The maintenance switch, as the console page uses it.
pub trait Switch: Send + Sync {
    /// Tells where the switch stands. Asked each second while a user looks at the page.
    fn state(&self) -> Later<'_, Result<SwitchState, String>>;

    /// Turns the window on or off; turning it to where it is already is no error.
    fn turn(&self, on: bool) -> Later<'_, Result<SwitchState, String>>;
}

/// Where the switch stands, and what else is worth showing about it: since when, until when, by
/// whom.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SwitchState {
    /// Whether the page is under its on-key.
    pub on: bool,
    /// In the order in which they are shown.
    pub facts: Vec<Fact>,
}

/// A line of a table for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fact {
    /// A word or two.
    pub name: String,
    pub value: String,
}

/// One object with what S3 says about it.
#[derive(Debug, Clone)]
pub struct Object {
    pub body: Bytes,
    /// With its quotes.
    pub etag: String,
    /// Shown with whole seconds.
    pub last_modified: SystemTime,
    pub headers: ObjectHeaders,
    /// User metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// What S3 keeps with an object and sends as headers of the same names (Amazon S3 User Guide,
/// "Working with object metadata": what users control of the system's). Empty is none.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct ObjectHeaders {
    /// MIME type; without one, S3 says `binary/octet-stream`.
    pub content_type: String,
    pub cache_control: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_encoding: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_language: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_disposition: String,
}

impl ObjectHeaders {
    /// These two alone.
    #[must_use]
    pub fn new(content_type: &str, cache_control: &str) -> Self {
        let (content_type, cache_control) = (content_type.into(), cache_control.into());
        Self { content_type, cache_control, ..Self::default() }
    }

    /// Each with its name, also those that are empty.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &String); 5] {
        [
            ("content-type", &self.content_type),
            ("cache-control", &self.cache_control),
            ("content-encoding", &self.content_encoding),
            ("content-language", &self.content_language),
            ("content-disposition", &self.content_disposition),
        ]
    }

    /// Name and value of what there is, the type aside.
    pub fn others(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let [_, all @ ..] = self.all();
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
    }
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Not encoded.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// Shown with whole seconds.
    pub last_modified: SystemTime,
}

/// What happens at the edge, as it happens.
#[derive(Debug, Clone)]
pub enum EdgeEvent {
    /// First of all, once.
    Listening(Addresses),
    /// A visitor was answered.
    Visit(Visit),
    /// Something the function printed, without the line's end, or the stack trace of what it threw.
    Log {
        /// Which instance; 0 if it was CloudFront that spoke.
        instance: u32,
        line: String,
    },
    /// The package is another one now.
    Reloaded {
        /// The new one's [`Package::hash`].
        hash: String,
    },
    /// Not wrong by the rules, but worth knowing; or something of the caller's that failed.
    Warning(String),
}

/// Where the edge listens; all on loopback.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// For visitors. `/__provision/` leads on to the console.
    pub viewer: SocketAddr,
    /// The console page, at `/__provision/`. Its own port makes it another origin than the site, so
    /// that no script of the site can read the page's token and turn the switch.
    pub console: SocketAddr,
    /// The S3 endpoint for the function.
    pub storage: SocketAddr,
}

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// When the answer was ready.
    pub at: SystemTime,
    /// As the visitor sent it.
    pub method: String,
    /// Path and query as the visitor sent them.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Without ` from cloudfront`: `Miss`, `RefreshHit`, `LambdaGeneratedResponse`, …
    /// (docs/aws.md, "words of X-Cache").
    pub x_cache: &'static str,
    /// `None`: the function does not stand there, or was not reached.
    pub function: Option<FunctionTime>,
    /// From the last byte of the request's head to the answer being ready.
    pub took: Duration,
}

/// How long the function took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionTime {
    /// Starting the process and loading the function, if it was cold; `None` if it was warm.
    pub cold: Option<Duration>,
    /// The invocation itself, with its way there and back.
    pub run: Duration,
}

/// An answer on its way to whoever asked; header names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    status: u16,
    /// The reason phrase, if it is not the usual one.
    description: Option<String>,
    headers: Vec<(String, String)>,
    body: Bytes,
}
