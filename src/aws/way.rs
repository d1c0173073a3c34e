//! What the way to a server tells of a call that was lost on it: which proxy did not pass it on,
//! which name nobody knows. The SDK tells neither.

use super::cause::{self, causes};
use crate::name::EDGE_REGION;
use aws_smithy_runtime_api::client::result::ConnectorError;
use hyper::Uri;
use hyper_util::client::proxy::matcher::Intercept;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long it may take to find out why; the call is lost in any case.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a call was lost, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost {
    said: String,
    pub(super) cure: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl Error for Lost {}

/// The proxy that was to pass a call on.
struct Proxy<'a> {
    address: &'a str,
    /// The variable that names it.
    name: &'static str,
}

/// The same error with what the way tells.
pub(super) async fn told(
    error: ConnectorError,
    uri: &Uri,
    proxy: Option<&Intercept>,
    name: &'static str,
) -> ConnectorError {
    let said = causes(&error);
    let (host, mut facts) = (uri.host().unwrap_or_default(), Facts::default());
    if proxy.is_some() && said.contains(UNSUCCESSFUL) {
        facts.answer = proxy_answer(uri, proxy).await;
    }
    if proxy.is_none() && said.contains(NO_NAME) && region(host).is_some() {
        let known = (format!("sts.{EDGE_REGION}.amazonaws.com"), 443);
        facts.others_are_known =
            timeout(PATIENCE, lookup_host(known)).await.is_ok_and(|found| found.is_ok());
    }
    let address = proxy.and_then(|proxy| proxy.uri().authority()).map(ToString::to_string);
    let proxy = address.as_deref().map(|address| Proxy { address, name });
    let Some(lost) = judged(&said, uri, proxy.as_ref(), &facts) else { return error };
    let lost = Box::new(lost);
    let told = match (error.is_timeout(), error.is_io(), error.is_user()) {
        (true, _, _) => ConnectorError::timeout(lost),
        (_, true, _) => ConnectorError::io(lost),
        (_, _, true) => ConnectorError::user(lost),
        _ => ConnectorError::other(lost, error.as_other()),
    };
    told.never_connected()
}

/// What had to be asked for.
#[derive(Default)]
struct Facts {
    /// What the proxy answers instead of a tunnel.
    answer: Option<String>,
    /// Names of AWS in other regions are known here.
    others_are_known: bool,
}

const UNSUCCESSFUL: &str = "tunnel error: unsuccessful";
const NO_NAME: &str = "dns error";

/// `said` are the causes as the SDK tells them.
fn judged(said: &str, uri: &Uri, proxy: Option<&Proxy<'_>>, facts: &Facts) -> Option<Lost> {
    let host = uri.host().unwrap_or_default();
    let lower = said.to_lowercase();
    let is_of_the_way =
        ["tunnel error", NO_NAME, "tcp connect error", "connect timeout", "connection refused"]
            .iter()
            .any(|text| lower.contains(text));
    if !is_of_the_way {
        return None;
    }
    let Some(Proxy { address, name }) = proxy else {
        return if lower.contains(NO_NAME) {
            Some(unknown_name(said, host, facts))
        } else {
            unconnected(said, uri)
        };
    };
    let correct = format!("correct {name}, or name {host} in NO_PROXY if it needs no proxy");
    let (said, cure) = if lower.contains("proxy authorization required") {
        // `cause` knows what to do.
        return None;
    } else if lower.contains(UNSUCCESSFUL) {
        let answer = facts.answer.as_deref().unwrap_or("something else than a tunnel");
        (
            format!("the proxy {address} answered {answer} when it was asked for {host}"),
            format!(
                "ask whoever runs the proxy to let {host} through, or name it in NO_PROXY if it \
                    needs no proxy; {name} names the proxy"
            ),
        )
    } else if lower.contains(NO_NAME) {
        (format!("the name of the proxy {address} cannot be looked up: {said}"), correct)
    } else if lower.contains("connection refused") {
        (format!("nothing listens at the proxy {address}: {said}"), correct)
    } else {
        (format!("by the proxy {address}: {said}"), correct)
    };
    Some(Lost { said, cure })
}

/// Whoever hands out credentials at an address of the link need not be there.
fn unconnected(said: &str, uri: &Uri) -> Option<Lost> {
    let host = uri.host()?;
    if host.starts_with("169.254.") || host.starts_with("[fd00:ec2") {
        return None;
    }
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    let (what, cure) = if said.to_lowercase().contains("connection refused") {
        ("nothing listens at", cause::REFUSED)
    } else {
        ("there is no connection to", cause::SLOW)
    };
    Some(Lost { said: format!("{what} {host}:{port}: {said}"), cure: cure.to_owned() })
}

/// Where others of AWS's names are known, it is the region that is none.
fn unknown_name(said: &str, host: &str, facts: &Facts) -> Lost {
    let said = format!("the name {host} cannot be looked up: {said}");
    let region = region(host).filter(|_| facts.others_are_known);
    let cure = region.map_or_else(
        || cause::NAME.to_owned(),
        |region| {
            let place = if host.split('.').any(|part| part == "s3") {
                "`region` in the spec"
            } else {
                "AWS_REGION, or `region` and `sso_region` in the profile"
            };
            format!(
                "other names of AWS are known, so there seems to be no region {region}: correct \
                    {place}"
            )
        },
    );
    Lost { said, cure }
}

/// The region in a name of AWS's: `eu-central-1` of `s3.eu-central-1.amazonaws.com`.
fn region(host: &str) -> Option<&str> {
    let is_region = |part: &&str| {
        let words: Vec<&str> = part.split('-').collect();
        matches!(words.as_slice(), [area, middle @ .., number]
            if area.len() == 2
                && !middle.is_empty()
                && middle.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_awss = host.ends_with(".amazonaws.com") || host.ends_with(".amazon.com");
    host.split('.').find(|part| is_awss && is_region(part))
}

/// What the proxy says in a tunnel's place: its status, which is lost on the way.
async fn proxy_answer(uri: &Uri, proxy: Option<&Intercept>) -> Option<String> {
    let proxy = proxy.filter(|proxy| proxy.uri().scheme_str() == Some("http"))?;
    let host = uri.host()?;
    let auth = proxy.basic_auth().and_then(|auth| auth.to_str().ok());
    let auth = auth.map(|auth| format!("Proxy-Authorization: {auth}\r\n")).unwrap_or_default();
    let port = uri.port_u16().unwrap_or(443);
    let place = (proxy.uri().host()?, proxy.uri().port_u16().unwrap_or(80));
    let asked = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{auth}\r\n");
    let answered = async {
        let mut stream = TcpStream::connect(place).await.ok()?;
        stream.write_all(asked.as_bytes()).await.ok()?;
        let mut head = Vec::new();
        let mut some = [0; 256];
        while !head.contains(&b'\n') && head.len() < 1024 {
            match stream.read(&mut some).await {
                Ok(read @ 1..) => head.extend_from_slice(&some[..read]),
                _ => break,
            }
        }
        Some(String::from_utf8_lossy(&head).into_owned())
    };
    let head = timeout(PATIENCE, answered).await.ok()??;
    let (_, status) = head.lines().next()?.split_once(' ')?;
    Some(status.trim().to_owned()).filter(|status| !status.is_empty() && !status.starts_with("200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_call_names_the_proxy_or_the_name() {
        let proxy = Proxy { address: "proxy.example:3128", name: "HTTPS_PROXY" };
        let (by, direct) = (Some(&proxy), None);
        let (s3, sts) = ("s3.eu-central-3.amazonaws.com", "sts.eu-central-3.amazonaws.com");
        let refusal = Facts { answer: Some("502 Bad Gateway".into()), ..Facts::default() };
        let known = Facts { others_are_known: true, ..Facts::default() };
        let none = Facts::default();
        for (said, host, proxy, facts, words, cure) in [
            (
                "dns error: no such host",
                s3,
                by,
                &none,
                "name of the proxy proxy.example:3128",
                "correct HTTPS_PROXY",
            ),
            (
                "tunnel error: failed to create: tcp connect error: Connection refused",
                s3,
                by,
                &none,
                "nothing listens at the proxy proxy.example:3128",
                "correct HTTPS_PROXY",
            ),
            (
                "tunnel error: unsuccessful",
                s3,
                by,
                &refusal,
                "the proxy proxy.example:3128 answered 502 Bad Gateway when it was asked for s3.",
                "HTTPS_PROXY names the proxy",
            ),
            (
                "HTTP connect timeout occurred after 5s",
                s3,
                by,
                &none,
                "by the proxy proxy.example:3128",
                "HTTPS_PROXY",
            ),
            (
                "dns error: no such host",
                s3,
                direct,
                &known,
                "the name s3.eu-central-3.amazonaws.com",
                "no region eu-central-3: correct `region` in the spec",
            ),
            (
                "dns error: no such host",
                sts,
                direct,
                &known,
                "the name sts.eu-central-3",
                "`sso_region` in the profile",
            ),
            ("dns error: no such host", s3, direct, &none, "the name s3.", "check the network"),
            (
                "dns error: no such host",
                "nowhere.example",
                direct,
                &known,
                "the name nowhere.",
                "check the network",
            ),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            let lost = judged(said, &uri, proxy, facts).unwrap();
            assert!(lost.said.contains(words), "{lost:?}");
            assert!(lost.cure.contains(cure), "{lost:?}");
        }
    }

    #[test]
    fn a_call_that_found_no_connection_names_the_place() {
        let none = Facts::default();
        for (said, url, words, cure) in [
            (
                "tcp connect error: Connection refused",
                "http://127.0.0.1:4566/",
                "nothing listens at 127.0.0.1:4566: tcp",
                "nothing listens there: check `--endpoint-url`",
            ),
            (
                "HTTP connect timeout occurred after 5s",
                "https://sts.amazonaws.com/",
                "there is no connection to sts.amazonaws.com:443: HTTP",
                "the VPN",
            ),
        ] {
            let lost = judged(said, &url.parse().unwrap(), None, &none).unwrap();
            assert!(lost.said.contains(words) && lost.cure.contains(cure), "{lost:?}");
        }
    }

    #[test]
    fn what_the_way_does_not_tell_is_left_to_the_sdk() {
        let proxy = Proxy { address: "proxy.example:3128", name: "HTTPS_PROXY" };
        let (by, direct, s3) = (Some(&proxy), None, "s3.eu-central-1.amazonaws.com");
        for (said, host, proxy) in [
            ("tunnel error: proxy authorization required", s3, by),
            ("connection closed before message completed", s3, by),
            ("connection closed before message completed", s3, direct),
            // An agent that is not there is no lost call.
            ("HTTP connect timeout occurred after 1s", "169.254.169.254", direct),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            assert_eq!(judged(said, &uri, proxy, &Facts::default()), None, "{said}");
        }
    }

    #[test]
    fn a_region_is_read_from_every_name_of_awss() {
        for (host, expected) in [
            ("s3.eu-central-3.amazonaws.com", Some("eu-central-3")),
            ("shop.s3.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("eu-central-1.signin.aws.amazon.com", Some("eu-central-1")),
            ("oidc.ap-southeast-2.amazonaws.com", Some("ap-southeast-2")),
            ("cloudfront.amazonaws.com", None),
            ("my-own-1.example", None),
        ] {
            assert_eq!(region(host), expected, "{host}");
        }
    }
}
