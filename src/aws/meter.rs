//! The calls: which have no answer yet, what for, where they were sent, what AWS said to their last
//! try, and when it answered last; so that a user who waits knows whom for. With `-v` also one line
//! on stderr for each call, as it ends.

use super::lost;
use super::tries::{Tried, persists};
use crate::change::{Address, Fault};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

tokio::task_local! {
    /// What the op is about that makes the calls.
    static ABOUT: Address;
}

/// Carries out an op whose calls are `about` this. An op's calls are made in the op's own future.
pub(crate) async fn about<T>(about: Address, op: impl Future<Output = T>) -> T {
    ABOUT.scope(about, op).await
}

/// The calls of all clients.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    begun: u64,
    /// By the order in which they began.
    open: BTreeMap<u64, Unanswered>,
    answered: u64,
    last: Option<Instant>,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// `S3 GetObject at HOST`, and for which op.
    pub call: String,
    pub since: Instant,
    /// When the try was sent that is under way; `None` before the first and between two.
    pub sent: Option<Instant>,
    /// How long nothing may move until that try ends.
    pub patience: Duration,
    /// What AWS refused, which ends by itself: the call is tried again.
    pub refused: Option<Fault>,
}

impl Unanswered {
    /// How long it takes at the most, if it is not tried again.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        self.sent.map_or(Duration::ZERO, |sent| (sent + self.patience).duration_since(now))
    }
}

/// What is known of the calls at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The oldest call without an answer; first of those that AWS refuses.
    pub(crate) open: Option<Unanswered>,
    /// How many answers there were, refusals too.
    pub(crate) answered: u64,
    /// When the last one came.
    pub(crate) last: Option<Instant>,
}

impl Calls {
    fn book<T>(&self, with: impl FnOnce(&mut Book) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn seen(&self) -> Seen {
        self.book(|book| {
            let refused = book.open.values().find(|call| call.refused.is_some());
            Seen {
                open: refused.or_else(|| book.open.values().next()).cloned(),
                answered: book.answered,
                last: book.last,
            }
        })
    }
}

/// Keeps the book of calls, and prints them where the user wants that.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) calls: Calls,
    /// How long nothing may move in one try, or how long it may take.
    pub(crate) patience: Duration,
    pub(crate) is_verbose: bool,
}

/// A call that has begun. It goes out of the book with its operation, also where nobody waits for
/// the answer any more.
#[derive(Debug)]
struct Open {
    number: u64,
    name: String,
    since: Instant,
    calls: Calls,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.calls.book(|book| book.open.remove(&self.number));
    }
}

impl Storable for Open {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    // The first moment at which the operation has a name.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) =
            bag.load::<Metadata>().map_or(("?", "?"), |call| (call.service(), call.name()));
        let (name, since) = (format!("{service} {operation}"), Instant::now());
        let number = self.calls.book(|book| {
            book.begun += 1;
            let call = format!("{name}, whose credentials are not there yet");
            let patience = self.patience;
            let open = Unanswered { call, since, sent: None, patience, refused: None };
            book.open.insert(book.begun, open);
            book.begun
        });
        let open = Open { number, name, since, calls: self.calls.clone() };
        bag.interceptor_state().store_put(open);
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Open { number, name, .. }) = bag.load::<Open>() {
            let uri = context.request().uri().split_once("://").map_or("", |(_, rest)| rest);
            let authority = uri.split(['/', '?']).next().unwrap_or_default();
            // An address may have a password before it.
            let host = authority.rsplit('@').next().unwrap_or_default();
            let about = ABOUT.try_with(|about| format!(" for {about}")).unwrap_or_default();
            self.calls.book(|book| {
                if let Some(open) = book.open.get_mut(number) {
                    open.call = format!("{name} at {host}{about}");
                    open.sent = Some(Instant::now());
                }
            });
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        lost::hear(bag.load::<Metadata>().map_or("?", Metadata::name), context);
        if let Some(Open { number, .. }) = bag.load::<Open>() {
            let last = bag.load::<Tried>().and_then(|tried| tried.last.clone());
            let refused = last.filter(|fault| persists(fault.kind));
            self.calls.book(|book| {
                if let Some(open) = book.open.get_mut(number) {
                    (open.sent, open.refused) = (None, refused);
                }
            });
        }
        if context.response().is_some() {
            self.calls.book(|book| {
                book.answered += 1;
                book.last = Some(Instant::now());
            });
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Open { name, since, .. }) = bag.load::<Open>().filter(|_| self.is_verbose) else {
            return Ok(());
        };
        let status = context.response().map_or_else(
            || "no answer".to_owned(),
            |response| response.status().as_u16().to_string(),
        );
        // A full disk behind stderr ends no call.
        let _ =
            writeln!(anstream::stderr(), "  {name} {status} {} ms", since.elapsed().as_millis());
        Ok(())
    }
}
