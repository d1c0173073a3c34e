//! `--record`: what a run says to AWS and hears from it, so that a report of a fault can be
//! replayed. It is kept in memory as it was; `veil` takes out whatever is somebody's before anything
//! is written.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use veil::{Keeps, Veil};

#[cfg(test)]
mod tests;
pub(crate) mod veil;

/// The headers of a request that decide what it means. No other is recorded: not the signature, no
/// token.
const ASKED: &[&str] =
    &["if-match", "if-none-match", "x-amz-target", "x-amz-expected-bucket-owner"];

/// The headers of an answer that decide what it means.
const SAID: &[&str] = &[
    "cache-control",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "x-amz-bucket-region",
    "x-amz-delete-marker",
    "x-amz-server-side-encryption",
    "x-amz-version-id",
    "x-amzn-errortype",
];

/// User metadata of objects.
const METADATA: &str = "x-amz-meta-";

/// The digest of what lets the team past the page.
const BYPASS: &str = "x-amz-meta-provision-bypass";

/// What a user signs with; no part of it is recorded, and no answer may repeat it.
const TOKEN: &str = "x-amz-security-token";

/// A longer text is not kept. In bytes; a page of a list has less.
const LONGEST: usize = 4 * 1024 * 1024;

/// A body: its text, or how long it is where it is no text, or an object of the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    #[default]
    None,
    Text(String),
    Bytes(u64),
}

/// One attempt of a call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exchange {
    service: String,
    operation: String,
    /// The region that the request is signed for.
    region: String,
    method: String,
    /// With the query.
    path: String,
    asked: BTreeMap<String, String>,
    sent: Body,
    /// Missing where no answer came.
    status: Option<u16>,
    said: BTreeMap<String, String>,
    answer: Body,
}

impl Exchange {
    /// Carries an object of the site. Their bytes decide nothing, unlike those of the index.
    fn has_data(&self) -> bool {
        self.service == "s3"
            && matches!(self.operation.as_str(), "PutObject" | "UploadPart" | "GetObject")
            && !self.path.contains(INDEX)
    }

    /// Everything in it that may be somebody's.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let headers = self.asked.iter().chain(&self.said).map(|(_, value)| value.as_str());
        let bodies = [&self.sent, &self.answer].into_iter().filter_map(|body| match body {
            Body::Text(text) => Some(text.as_str()),
            Body::None | Body::Bytes(_) => None,
        });
        headers.chain(bodies).chain([self.path.as_str()])
    }

    /// The same without anything that is somebody's.
    pub(crate) fn veiled(&self, veil: &mut Veil) -> Self {
        // Digests name an object's bytes, and are what a plan compares.
        let is_object = self.service == "s3" && (self.operation.contains("Object"));
        let keeps = if is_object { Keeps::Digests } else { Keeps::Nothing };
        let mut headers = |headers: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let named = headers.iter().map(|(name, value)| {
                let keeps = if name == BYPASS { Keeps::Nothing } else { keeps };
                (veil.text(name, Keeps::Nothing), veil.text(value, keeps))
            });
            named.collect()
        };
        let (asked, said) = (headers(&self.asked), headers(&self.said));
        let mut body = |body: &Body| match body {
            Body::Text(text) => Body::Text(veil.text(text, keeps)),
            other => other.clone(),
        };
        let (sent, answer) = (body(&self.sent), body(&self.answer));
        Self { path: veil.text(&self.path, keeps), asked, sent, said, answer, ..self.clone() }
    }
}

/// What was recorded so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    exchanges: Vec<Exchange>,
    names: Vec<String>,
    /// What the requests were signed with.
    keys: BTreeSet<String>,
    spec: Option<String>,
}

impl Recording {
    /// The text of the spec, and the names in it that have to be hidden even where they are words
    /// of AWS's own.
    pub(crate) fn is_about(&self, spec: String, names: impl IntoIterator<Item = String>) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.spec = Some(spec);
        recorded.names.extend(names);
    }

    /// The exchanges, a JSON object on each line, and the spec, both veiled; and what was replaced.
    pub(crate) fn veiled(&self) -> (String, Option<String>, Veil) {
        let recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut veil = Veil::hiding(&recorded.names);
        for key in &recorded.keys {
            veil.hide(key);
        }
        let texts = recorded.exchanges.iter().flat_map(Exchange::texts);
        for text in texts.chain(recorded.spec.as_deref()) {
            veil.learn(text);
        }
        let mut lines = String::new();
        for exchange in &recorded.exchanges {
            // Nothing in it that JSON cannot have.
            lines += &serde_json::to_string(&exchange.veiled(&mut veil)).unwrap_or_default();
            lines.push('\n');
        }
        let spec = recorded.spec.as_ref().map(|spec| veil.text(spec, Keeps::Nothing));
        (lines, spec, veil)
    }

    /// The body of an object that was read last and decides what is done; a body that streams
    /// passes the recorder by.
    pub(crate) fn was_read(&self, key: &str, text: &[u8]) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |found: &&mut Exchange| {
            found.operation == "GetObject" && found.path.contains(key) && found.status == Some(200)
        };
        if let (Some(found), Ok(text)) =
            (recorded.exchanges.iter_mut().rev().find(read), std::str::from_utf8(text))
        {
            found.answer = Body::Text(text.to_owned());
        }
    }

    fn hides<'a>(&self, keys: impl Iterator<Item = &'a str>) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.keys.extend(keys.map(str::to_owned));
    }

    /// How many attempts of calls there were.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).exchanges.len()
    }
}

/// Records every attempt of every call, also one that AWS never answers.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(pub(crate) Recording);

/// What was asked, until the answer comes.
#[derive(Clone, Debug)]
struct Asked(Exchange);

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let (service, operation) = bag.load::<Metadata>().map_or_else(Default::default, |call| {
            (call.service().to_lowercase(), call.name().to_owned())
        });
        let headers = request.headers();
        let authorization = headers.get("authorization").unwrap_or_default();
        let keys = [headers.get(TOKEN).unwrap_or_default(), of_scope(authorization, 0)];
        self.0.hides(keys.into_iter().filter(|key| !key.is_empty()));
        let mut exchange = Exchange {
            service: if service.ends_with("logs") { "logs".to_owned() } else { service },
            operation,
            region: of_scope(authorization, 2).to_owned(),
            method: request.method().to_owned(),
            path: path(request.uri()).to_owned(),
            asked: chosen(headers, ASKED),
            sent: Body::None,
            status: None,
            said: BTreeMap::new(),
            answer: Body::None,
        };
        exchange.sent = body(request.body(), exchange.has_data());
        bag.interceptor_state().store_put(Asked(exchange));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Asked(mut exchange)) = bag.load::<Asked>().cloned() else { return Ok(()) };
        if let Some(response) = context.response() {
            let is_data = response.status().is_success() && exchange.has_data();
            exchange.status = Some(response.status().as_u16());
            exchange.said = chosen(response.headers(), SAID);
            exchange.answer = body(response.body(), is_data);
        }
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).exchanges.push(exchange);
        Ok(())
    }
}

fn chosen(headers: &Headers, names: &[&str]) -> BTreeMap<String, String> {
    let chosen =
        headers.iter().filter(|(name, _)| names.contains(name) || name.starts_with(METADATA));
    chosen.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// In the key of the index of what is ours, however it is written.
const INDEX: &str = ".provision";

fn body(body: &SdkBody, is_data: bool) -> Body {
    let length = body.content_length().unwrap_or_default();
    match body.bytes() {
        Some([]) => Body::None,
        Some(bytes) if !is_data && bytes.len() <= LONGEST => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains("\"ZipFile\""));
            text.map_or(Body::Bytes(bytes.len() as u64), |text| Body::Text(text.to_owned()))
        }
        Some(bytes) => Body::Bytes(bytes.len() as u64),
        None => Body::Bytes(length),
    }
}

/// Path and query of an address.
fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// One part of the scope of a signature: `Credential=KEY/DATE/REGION/SERVICE/…`.
fn of_scope(authorization: &str, part: usize) -> &str {
    let scope = authorization.split_once("Credential=").map(|(_, scope)| scope);
    scope.and_then(|scope| scope.split('/').nth(part)).unwrap_or_default()
}
