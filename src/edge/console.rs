//! The page for people: the switch, the stack, the last requests.
//!
//! # Safety against other pages
//! - It has its own port, so it is another origin than the site: no script of the site can read it.
//! - The `Host` must be a loopback name: a foreign name that was made to resolve to 127.0.0.1 gets
//!   nothing.
//! - Turning the switch takes the token that only this page holds, in a header that no form can
//!   send, and an `Origin`
//!   that is the page's own. The page cannot be framed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Uri};
use serde_json::{Value, json};

use super::journal::Journal;
use super::{Addresses, Fact, Reply, Switch, SwitchState, Visit, entropy};

const PAGE: &str = include_str!("../../config/dev/console.html");
const STYLE: &str = include_str!("../../config/dev/console.css");
const SCRIPT: &str = include_str!("../../config/dev/console.js");
/// Where the page is, on both ports.
const PLACE: &str = "/__provision/";
const TOKEN: &str = "x-provision-token";
/// Enough for `{"on":false}`; in bytes.
const BODY_LIMIT: usize = 256;

pub(super) struct Console {
    addresses: Addresses,
    about: Vec<Fact>,
    switch: Arc<dyn Switch>,
    journal: Arc<Journal>,
    token: String,
}

/// The part of a path after `/__provision/`, if it begins so.
pub(super) fn place(path: &str) -> Option<&str> {
    if path == PLACE.trim_end_matches('/') { Some("") } else { path.strip_prefix(PLACE) }
}

/// Leads a browser from the visitors' port to the console's. 307 keeps the method, but a switch
/// turned this way has the wrong origin and is refused.
pub(super) fn leads_to(console: SocketAddr, place: &str) -> Reply {
    let mut reply = plain(307, "the console has its own port");
    reply.headers.push(("location".into(), format!("http://{console}{PLACE}{place}")));
    reply
}

impl Console {
    pub(super) fn new(
        addresses: Addresses,
        about: Vec<Fact>,
        switch: Arc<dyn Switch>,
        journal: Arc<Journal>,
    ) -> Console {
        Console { addresses, about, switch, journal, token: entropy::secret() }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Reply {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let caller = Caller {
            host: header("host"),
            origin: header("origin"),
            site: header("sec-fetch-site"),
            token: header(TOKEN),
        };
        let writes = request.method() == Method::POST;
        if let Err(reason) = caller.admitted(writes, &self.token) {
            return plain(403, reason);
        }
        match (request.method().as_str(), place(request.uri().path())) {
            ("GET" | "HEAD", Some("")) => self.page(),
            ("GET" | "HEAD", Some("state")) => {
                let switch = self.switch.state().await;
                self.state(switch)
            }
            ("POST", Some("switch")) => self.turn(request).await,
            ("GET" | "HEAD", None) if request.uri().path() == "/" => {
                leads_to(self.addresses.console, "")
            }
            ("GET" | "HEAD", _) => plain(404, "there is nothing here"),
            _ => plain(405, "this cannot be done here"),
        }
    }

    fn page(&self) -> Reply {
        let nonce = entropy::secret();
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
                connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let page = [
            ("{{style}}", STYLE),
            ("{{script}}", SCRIPT),
            ("{{nonce}}", &nonce),
            ("{{token}}", &self.token),
        ]
        .iter()
        .fold(PAGE.to_owned(), |page, (name, text)| page.replace(name, text));
        let mut reply = plain(200, &page);
        set(&mut reply, "content-type", "text/html; charset=utf-8");
        set(&mut reply, "content-security-policy", &policy);
        set(&mut reply, "cross-origin-opener-policy", "same-origin");
        reply
    }

    async fn turn(&self, request: Request<Incoming>) -> Reply {
        let body = Limited::new(request.into_body(), BODY_LIMIT).collect().await;
        let wish =
            body.ok().and_then(|body| serde_json::from_slice::<Value>(&body.to_bytes()).ok());
        let Some(on) = wish.as_ref().and_then(|wish| wish.get("on")).and_then(Value::as_bool)
        else {
            return plain(400, "the body must be {\"on\": true} or {\"on\": false}");
        };
        let switch = self.switch.turn(on).await;
        let failed = switch.is_err();
        let mut reply = self.state(switch);
        if failed {
            reply.status = 500;
        }
        reply
    }

    fn state(&self, switch: Result<SwitchState, String>) -> Reply {
        let (count, visits, lines) = self.journal.recent();
        let switch = switch.map_or_else(|error| json!({ "error": error }), |state| json!(state));
        let document = json!({
            "viewer": format!("http://{}/", self.addresses.viewer),
            "switch": switch,
            "about": self.about,
            "count": count,
            "visits": visits.iter().map(shown).collect::<Vec<_>>(),
            "log": lines,
        });
        let mut reply = plain(200, &document.to_string());
        set(&mut reply, "content-type", "application/json");
        reply
    }
}

/// Times in milliseconds.
fn shown(visit: &Visit) -> Value {
    let milliseconds = |time: std::time::Duration| (time.as_secs_f64() * 100_000.0).round() / 100.0;
    json!({
        "at": visit.at.duration_since(UNIX_EPOCH).map_or(0,
            |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        "method": visit.method,
        "path": visit.path,
        "status": visit.status,
        "xCache": visit.x_cache,
        "cold": visit.function.and_then(|time| time.cold).map(milliseconds),
        "run": visit.function.map(|time| milliseconds(time.run)),
        "took": milliseconds(visit.took),
    })
}

/// What a request says about where it comes from.
struct Caller<'a> {
    host: Option<&'a str>,
    origin: Option<&'a str>,
    site: Option<&'a str>,
    token: Option<&'a str>,
}

impl Caller<'_> {
    fn admitted(&self, writes: bool, token: &str) -> Result<(), &'static str> {
        let host = self.host.ok_or("a Host is missing")?;
        if !is_loopback(host) {
            return Err("this page answers to loopback names only");
        }
        if self.origin.is_some_and(|origin| origin != format!("http://{host}")) {
            return Err("another page's script may not ask here");
        }
        // A person who follows a link arrives from another site; that may show the page, but do
        // nothing.
        if writes && self.site.is_some_and(|site| site != "same-origin") {
            return Err("another page's script may not ask here");
        }
        if writes && self.token != Some(token) {
            return Err("the page's token is missing: load the page again");
        }
        Ok(())
    }
}

/// Whether a `Host` names this machine by a name that nobody else can give it.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Uri>() else {
        return false;
    };
    let name = authority.host().unwrap_or_default().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn plain(status: u16, text: &str) -> Reply {
    let headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Reply { status, description: None, headers: headers.into(), body: text.to_owned().into() }
}

fn set(reply: &mut Reply, name: &str, value: &str) {
    reply.headers.retain(|(known, _)| known != name);
    reply.headers.push((name.to_owned(), value.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("localhost:1", true),
            ("LOCALHOST", true),
            ("[::1]:80", true),
            ("127.8.8.8", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:8080", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), ours, "{host}");
        }
    }

    #[test]
    fn who_may_read_and_who_may_turn() {
        let page = Caller {
            host: Some("127.0.0.1:9"),
            origin: Some("http://127.0.0.1:9"),
            site: Some("same-origin"),
            token: Some("t"),
        };
        let rows = [
            (Caller { ..page }, true),
            (Caller { origin: None, site: None, ..page }, true),
            (Caller { token: None, ..page }, false),
            (Caller { token: Some("u"), ..page }, false),
            (Caller { site: Some("cross-site"), ..page }, false),
            (Caller { site: Some("same-site"), ..page }, false),
            (Caller { origin: Some("http://127.0.0.1:8"), ..page }, false),
            (Caller { origin: Some("null"), ..page }, false),
            (
                Caller {
                    host: Some("evil.example:9"),
                    origin: Some("http://evil.example:9"),
                    ..page
                },
                false,
            ),
            (Caller { host: None, ..page }, false),
        ];
        for (number, (caller, may_turn)) in rows.iter().enumerate() {
            assert_eq!(caller.admitted(true, "t").is_ok(), *may_turn, "row {number}");
        }
        let link = Caller { origin: None, site: Some("cross-site"), token: None, ..page };
        assert!(link.admitted(false, "t").is_ok() && link.admitted(true, "t").is_err());
    }

    #[test]
    fn both_spellings_of_the_place_are_known() {
        for (path, found) in [
            ("/__provision", Some("")),
            ("/__provision/", Some("")),
            ("/__provision/state", Some("state")),
            ("/__provisions", None),
        ] {
            assert_eq!(place(path), found);
        }
    }
}
