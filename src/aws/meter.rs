//! The calls: which have no answer yet, where they were sent, and when AWS answered last; so that a
//! user who waits knows whom for. With `-v` also one line on stderr for each call, as it ends.

use super::lost;
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
use tokio::time::Instant;

/// The calls of all clients.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    begun: u64,
    /// By the order in which they began.
    open: BTreeMap<u64, Call>,
    answered: u64,
    last: Option<Instant>,
}

/// A call without an answer.
#[derive(Debug)]
struct Call {
    name: String,
    since: Instant,
    /// When the try was sent that is under way.
    sent: Option<Instant>,
}

/// What is known of the calls at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The oldest call without an answer, `S3 GetObject at HOST`, and when it began.
    pub(crate) open: Option<(String, Instant)>,
    /// When it was sent, unless it pauses before the next try.
    pub(crate) sent: Option<Instant>,
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
            let oldest = book.open.values().next();
            Seen {
                open: oldest.map(|call| (call.name.clone(), call.since)),
                sent: oldest.and_then(|call| call.sent),
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
            let unsent = format!("{name}, whose credentials are not there yet");
            book.open.insert(book.begun, Call { name: unsent, since, sent: None });
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
        if let Some(Open { number, name, since, .. }) = bag.load::<Open>() {
            let uri = context.request().uri().split_once("://").map_or("", |(_, rest)| rest);
            let authority = uri.split(['/', '?']).next().unwrap_or_default();
            // An address may have a password before it.
            let host = authority.rsplit('@').next().unwrap_or_default();
            let (name, sent) = (format!("{name} at {host}"), Some(Instant::now()));
            self.calls.book(|book| book.open.insert(*number, Call { name, since: *since, sent }));
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
            self.calls.book(|book| book.open.get_mut(number).map(|call| call.sent = None));
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
