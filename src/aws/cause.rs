//! Why no answer came: credentials that the SDK could not get, and networks. Their errors have no
//! code, so the texts of their causes are what tells them apart.

use super::refusal::Meaning;
use crate::change::FaultKind::{self, Credentials, Refused, Unreachable};
use aws_smithy_types::error::metadata::ErrorMetadata;
use std::error::Error;

const SIGN_IN: &str = "sign in again: `aws sso login`, with `--profile NAME` where the profile is \
    not the default one";
const PROXY: &str = "the proxy in HTTPS_PROXY refuses: put its user and password into the address \
    (`http://USER:PASSWORD@HOST:PORT`), or name the hosts in NO_PROXY that need none";
const CERTIFICATE: &str = "something between here and AWS shows a certificate of its own, as \
    companies' proxies do: name the file with that authority's certificate in AWS_CA_BUNDLE; \
    where you expect no such proxy, do not go on";
pub(super) const NAME: &str = "the name cannot be looked up: check the network, the VPN and DNS, \
    and whether a proxy is needed (HTTPS_PROXY); then run the same command again";
pub(super) const REFUSED: &str = "nothing listens there: check `--endpoint-url`, \
    AWS_ENDPOINT_URL and the proxy variables; then run the same command again";
pub(super) const SLOW: &str = "check the network, the VPN and the proxy variables \
    (HTTPS_PROXY, NO_PROXY); then run the same command again";
const PROCESS: &str = "run the `credential_process` of the profile by hand: it has to print the \
    keys as JSON, and to end with 0";
const SCHEME: &str = "write the address with `http://` or `https://`: `--endpoint-url`, or \
    AWS_ENDPOINT_URL and its kin";
pub(super) const GARBLED: &str = "something on the way, such as a proxy, may have changed it: run the same \
    command again; `--record DIR` keeps what came";
const PLAIN: &str = "what answers there does not speak TLS: write the address with `http://` \
    (`--endpoint-url`, AWS_ENDPOINT_URL), or correct its port";
const TLS: &str = "what answers there does not speak plain HTTP: write the address with `https://` \
    (`--endpoint-url`, AWS_ENDPOINT_URL), or correct its port";
pub(super) const PAGE: &str = "a network or a proxy answers in AWS's place: where it wants you to \
    sign in, open any page in a browser, sign in there, then run the same command again; where it \
    blocks AWS, its owner can let it through";
const NONE: &str = "sign in (`aws sso login`, `aws login`), or name a profile with `--profile` or \
    AWS_PROFILE; `aws sts get-caller-identity` tries them";

const NOBODY: &str = "no AWS credentials were found";

/// A part of a cause, in lower case, and what it means. The first that fits decides.
const CAUSES: &[(&str, FaultKind, &str)] = &[
    // It has the user's own program in it, which may say anything.
    ("external process", Credentials, PROCESS),
    ("credential_process", Credentials, PROCESS),
    ("endpoint must contain scheme", Refused, SCHEME),
    ("proxy authorization required", Unreachable, PROXY),
    ("received corrupt message", Unreachable, PLAIN),
    ("certificate", Unreachable, CERTIFICATE),
    ("invalid http version parsed", Unreachable, TLS),
    ("sso session", Credentials, SIGN_IN),
    ("sso token", Credentials, SIGN_IN),
    ("cached sso", Credentials, SIGN_IN),
    ("token has expired", Credentials, SIGN_IN),
    // Also on the way to credentials.
    ("dns error", Unreachable, NAME),
    ("failed to lookup address", Unreachable, NAME),
    ("connection refused", Unreachable, REFUSED),
    ("credential", Credentials, NONE),
    ("profile", Credentials, NONE),
];

/// The first of its causes that has this type.
pub(super) fn within<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What a call without an answer means.
pub(super) fn meaning(error: &dyn Error) -> Meaning {
    let mut chain = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        chain = format!("{chain} {error}").to_lowercase();
        next = error.source();
    }
    let found = CAUSES.iter().find(|(text, ..)| chain.contains(text));
    let (kind, cure) = found.map_or((Unreachable, SLOW), |(_, kind, cure)| (*kind, *cure));
    Meaning { kind, cure: Some(cure) }
}

/// Where the SDK has no type for a refusal, it shows one for machines.
fn plain(error: &(dyn Error + 'static)) -> String {
    if let Some(refusal) = error.downcast_ref::<ErrorMetadata>() {
        return refusal.message().or(refusal.code()).unwrap_or_default().to_owned();
    }
    let text = error.to_string();
    let code = text.strip_prefix("unhandled error (").and_then(|rest| rest.strip_suffix(')'));
    code.map_or_else(|| text.clone(), str::to_owned)
}

/// The SDK shows the whole request where its address is no address.
fn without_dump(text: &str) -> String {
    match (text.split_once(" to request `Request {"), text.rsplit_once('`')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => text.to_owned(),
    }
}

/// The causes of an error, outermost first, without those that only say that one went wrong.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    const EMPTY: [&str; 6] = [
        "dispatch failure",
        "response error",
        "io error",
        "client error",
        "error trying to connect",
        "other",
    ];
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = without_dump(&plain(error));
        let is_empty = EMPTY.iter().any(|word| text.starts_with(word))
            || text.ends_with(" interceptor encountered an error");
        // Some repeat what the next one says.
        said.retain(|before| !text.contains(before.as_str()));
        if !is_empty && !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
        next = error.source();
    }
    let said = if said.is_empty() { error.to_string() } else { said.join(": ") };
    // The SDK lists every place at which it looked, and why each had none.
    match said.split_once("no credentials found in chain") {
        Some((before, _)) => format!("{before}{NOBODY}"),
        None => said.replace("the credential provider was not enabled", NOBODY),
    }
}

#[cfg(test)]
mod tests;
