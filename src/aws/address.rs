//! The addresses that a user's surroundings name: of an emulator, and of proxies. They are checked
//! before anybody is asked: the SDK passes over what it cannot read, and would ask AWS directly.

use crate::change::{Fault, FaultKind};
use hyper::Uri;

/// How a variable of the environment is read.
pub(crate) type Variable = fn(&str) -> Option<String>;

/// For each kind of proxy, its variables. The first that is set counts, even where it is empty, as
/// the SDK reads them.
const PROXIES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The services that have an endpoint of their own (AWS SDKs and Tools Reference Guide,
/// "Service-specific endpoints").
const SERVICES: [&str; 9] =
    ["S3", "IAM", "LAMBDA", "CLOUDFRONT", "CLOUDWATCH_LOGS", "STS", "SSO", "SSO_OIDC", "SIGNIN"];

/// Is it an address that can be asked, `http://HOST:PORT`?
///
/// # Errors
/// What is wrong with it: a fragment without the address itself, in which a password may be.
pub(crate) fn checked(text: &str) -> Result<Uri, &'static str> {
    if text.trim().is_empty() {
        return Err("it is empty");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("there is a blank in it");
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err("it does not begin with `http://` or `https://`");
    }
    let uri: Uri = text.parse().map_err(|_| "it is no address")?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or("it names no host")?;
    // What stands behind the host is its port, or nothing.
    let rest = authority.as_str().rsplit('@').next().unwrap_or_default();
    if rest.len() > authority.host().len() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err("its port is no number from 1 to 65535");
    }
    Ok(uri)
}

/// Is it the address of a proxy that can be used? Without a scheme it is `http://`.
fn proxy(text: &str) -> Result<(), &'static str> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some(scheme) if scheme.starts_with("socks") => {
            Err("it is a SOCKS proxy, and only HTTP proxies can be used here")
        }
        Some(_) => checked(text).map(drop),
        None => checked(&format!("http://{text}")).map(drop),
    }
}

/// The endpoints, and how each is named: `--endpoint-url`, variables, the profile.
///
/// # Errors
/// One is no address.
pub(super) fn endpoint(
    flag: Option<&str>,
    variable: Variable,
    profile: Option<&str>,
) -> Result<Option<Endpoint>, Fault> {
    let refuse = |name: &str, why: &str| {
        let tried = format!("use the address in {name}");
        Fault::new(FaultKind::Local, tried, why)
            .hinted("write it as `http://HOST:PORT`, or leave it out to ask AWS itself")
    };
    let named = |name: &str, url: String| {
        checked(&url).map_err(|why| refuse(name, why))?;
        Ok(Some(Endpoint { name: name.to_owned(), url }))
    };
    if variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").as_deref() != Some("true") {
        for service in SERVICES {
            let name = format!("AWS_ENDPOINT_URL_{service}");
            if let Some(url) = variable(&name) {
                named(&name, url)?;
            }
        }
    }
    if let Some(url) = flag {
        return named("--endpoint-url", url.to_owned());
    }
    if let Some(url) = variable("AWS_ENDPOINT_URL") {
        return named("AWS_ENDPOINT_URL", url);
    }
    profile.map_or(Ok(None), |url| named("`endpoint_url` of the profile", url.to_owned()))
}

/// What is asked in AWS's place, and what named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) url: String,
}

/// Can the proxies be used that the environment names?
///
/// # Errors
/// One cannot; without its address, as there may be a password in it.
pub(crate) fn proxies(variable: Variable) -> Result<(), Fault> {
    for names in PROXIES {
        let Some((name, text)) = set(names, variable) else { continue };
        if text.is_empty() {
            continue;
        }
        proxy(&text).map_err(|why| {
            Fault::new(FaultKind::Local, format!("use the proxy in {name}"), why).hinted(
                "write it as `http://HOST:PORT`, or `http://USER:PASSWORD@HOST:PORT` with the \
                    blanks and signs of both in percent-encoding; nothing is asked around it",
            )
        })?;
    }
    Ok(())
}

/// The variable that names the proxy for such an address.
pub(super) fn proxy_for(scheme: &str, variable: Variable) -> &'static str {
    let [https, http, all] = PROXIES;
    let own = if scheme == "https" { https } else { http };
    let named = [own, all].into_iter().find_map(|names| {
        set(names, variable).filter(|(_, text)| !text.is_empty()).map(|(name, _)| name)
    });
    named.unwrap_or(own[0])
}

fn set(names: [&'static str; 2], variable: Variable) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| variable(name).map(|text| (name, text)))
}

#[cfg(test)]
mod tests;
