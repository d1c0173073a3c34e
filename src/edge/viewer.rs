//! Answers one visitor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::behavior::{dress, function_runs, object_key, refusal, rooted};
use super::conditions::Conditions;
use super::event::{ViewerRequest, viewer_event};
use super::journal::Journal;
use super::origin::{self, Reader};
use super::pool::Pool;
use super::verdict::{Judgement, Refusal, Verdict, judge};
use super::{EdgeEvent, EdgeSettings, FunctionTime, Object, Objects, Reply, Visit};
use super::{entropy, error_page};

/// So many keys are remembered for `X-Cache`; then memory starts afresh.
const REMEMBERED: usize = 10_000;

/// Everything that answering a visitor takes.
pub(super) struct Edge {
    pub settings: EdgeSettings,
    pub objects: Arc<dyn Objects>,
    pub pool: Arc<Pool>,
    pub journal: Arc<Journal>,
    pub now: fn() -> SystemTime,
    /// The name of this edge in `Via`.
    pub id: String,
    /// The entity tag under which each key was served last.
    pub served: Mutex<HashMap<String, String>>,
}

impl Edge {
    /// Answers a request, and tells the journal. `size` is that of request line and headers in
    /// bytes.
    pub(super) async fn visit(&self, request: ViewerRequest, has_body: bool, size: usize) -> Reply {
        let begun = Instant::now();
        let (method, path) =
            (request.method.clone(), masked(&request.target(), &self.settings.masked));
        let request_id = entropy::request_id();
        let mut time = None;
        let (reply, x_cache) = match refusal(&request, has_body, size, &request_id) {
            Some(reply) => (reply, "Error"),
            None => self.pass(request, &request_id, &mut time).await,
        };
        let reply = dress(reply, x_cache, &self.id, &request_id);
        self.journal.tell(EdgeEvent::Visit(Visit {
            at: (self.now)(),
            method,
            path,
            status: reply.status,
            x_cache,
            function: time,
            took: begun.elapsed(),
        }));
        reply
    }

    /// Through the function, if it stands there, and on to the origin.
    async fn pass(
        &self,
        mut request: ViewerRequest,
        id: &str,
        time: &mut Option<FunctionTime>,
    ) -> (Reply, &'static str) {
        let distribution = &self.settings.distribution;
        if function_runs(distribution, &request.uri) {
            if distribution.root_before_function {
                request.uri = rooted(distribution, &request.uri);
            }
            let event = viewer_event(&request, distribution, id);
            let (result, took) = self.pool.invoke(event, id.to_owned()).await;
            *time = took;
            match result.map(|payload| judge(&payload, &request)) {
                Ok(Judgement { verdict, warnings }) => {
                    for warning in warnings {
                        self.journal.warn_once(warning);
                    }
                    match verdict {
                        Verdict::Continue(edited) => request = edited,
                        Verdict::Respond(reply) => return (reply, "LambdaGeneratedResponse"),
                        Verdict::Refused(refusal) => {
                            let line = format!("{id} ERROR Validation error: {}", refusal.reason);
                            self.journal.tell(EdgeEvent::Log { instance: 0, line });
                            return refused(&refusal, id);
                        }
                    }
                }
                Err(refusal) => return refused(&refusal, id),
            }
        }
        self.origin(&request).await
    }

    /// The origin's answer, or the custom error page in its place; the function does not see that
    /// request (docs/aws.md, "no run for an error page").
    async fn origin(&self, request: &ViewerRequest) -> (Reply, &'static str) {
        let conditions = Conditions::read(|name| request.header(name));
        let (reply, x_cache) =
            self.fetch(&rooted(&self.settings.distribution, &request.uri), &conditions).await;
        let rule =
            self.settings.distribution.custom_errors.iter().find(|rule| rule.code == reply.status);
        let Some(rule) = rule else {
            return (reply, x_cache);
        };
        let (page, _) = self.fetch(&rule.page, &Conditions::default()).await;
        if page.status == 200 {
            (Reply { status: rule.answer, ..page }, "Error")
        } else {
            (reply, "Error")
        }
    }

    async fn fetch(&self, uri: &str, conditions: &Conditions) -> (Reply, &'static str) {
        let Some(key) = object_key(uri) else {
            return (
                origin::failure(400, "InvalidURI", "Couldn't parse the specified URI.", None),
                "Error",
            );
        };
        // An empty key asks for the bucket itself, which needs s3:ListBucket, which the
        // distribution does not have.
        let is_hidden = is_hidden(&self.settings.distribution.hidden, &key);
        let object =
            if key.is_empty() || is_hidden { Ok(None) } else { self.objects.get(&key).await };
        let object = match object {
            Ok(object) => object,
            Err(text) => {
                self.journal.tell(EdgeEvent::Warning(format!("cannot read {key}: {text}")));
                let text = "We encountered an internal error. Please try again.";
                return (origin::failure(500, "InternalError", text, None), "Error");
            }
        };
        let x_cache = object.as_ref().map_or("Error", |object| self.remember(&key, object));
        let reply = origin::read(Reader::Distribution, &key, object, conditions);
        let x_cache = if reply.status >= 400 { "Error" } else { x_cache };
        (reply, x_cache)
    }

    /// `RefreshHit` if the object was served before and is still the same.
    fn remember(&self, key: &str, object: &Object) -> &'static str {
        let rules = &object.headers.cache_control;
        if ["no-store", "private"].iter().any(|rule| rules.contains(rule)) {
            return "Miss";
        }
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if served.get(key) == Some(&object.etag) {
            return "RefreshHit";
        }
        if served.len() >= REMEMBERED {
            served.clear();
        }
        served.insert(key.to_owned(), object.etag.clone());
        "Miss"
    }
}

/// The path as it may be shown: a token in its query lets in whoever has it.
fn masked(target: &str, name: &str) -> String {
    let Some((path, query)) = target.split_once('?').filter(|_| !name.is_empty()) else {
        return target.to_owned();
    };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if key == name => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", shown.collect::<Vec<_>>().join("&"))
}

/// Is the key, or a folder above it, among these?
fn is_hidden(hidden: &[String], key: &str) -> bool {
    hidden.iter().any(|one| key == one || one.ends_with('/') && key.starts_with(one.as_str()))
}

fn refused(refusal: &Refusal, request_id: &str) -> (Reply, &'static str) {
    (error_page::error_page(refusal.status, &refusal.text, request_id), refusal.x_cache)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_token_in_a_query_is_not_shown() {
        for (target, shown) in [
            ("/a?b=c", "/a?b=c"),
            ("/a?key=secret", "/a?key=***"),
            ("/a?b=c&key=secret&key=", "/a?b=c&key=***&key=***"),
            ("/a?keys=c&key", "/a?keys=c&key"),
            ("/key=secret", "/key=secret"),
        ] {
            assert_eq!(masked(target, "key"), shown);
        }
        assert_eq!(masked("/a?key=secret", ""), "/a?key=secret");
    }
}
