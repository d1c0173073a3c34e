//! Whom a run asks, and as whom: checked before anybody is asked, and told again where a call fails
//! for it.

use super::address::{self, Endpoint};
use super::signer::Signer;
use super::{Connection, cause, profile};
use crate::change::{Fault, FaultKind};
use aws_config::profile::ProfileSet;

/// What the user's flags, environment and files say together.
#[derive(Clone, Debug)]
pub struct Surroundings {
    endpoint: Option<Endpoint>,
    signer: Option<Signer>,
    /// Why nobody can be asked.
    unusable: Option<Fault>,
}

impl Surroundings {
    pub(super) fn of(connection: &Connection, profiles: &ProfileSet) -> Self {
        let (flag, variable) = (connection.profile.as_deref(), connection.variable);
        let url = connection.endpoint_url.as_deref();
        let mut unusable = None;
        let mut keep = |fault: Fault| {
            unusable.get_or_insert(fault);
        };
        let endpoint = address::endpoint(url, variable, profiles.get("endpoint_url"));
        let endpoint = endpoint.unwrap_or_else(|fault| {
            keep(fault);
            None
        });
        address::proxies(variable).unwrap_or_else(&mut keep);
        profile::exists(flag, profiles, variable).unwrap_or_else(&mut keep);
        let signer = Signer::of(flag, variable, profiles).map_err(&mut keep).ok();
        Self { endpoint, signer, unusable }
    }

    /// Can anybody be asked?
    ///
    /// # Errors
    /// Why not.
    pub(super) fn usable(&self) -> Result<(), Fault> {
        self.unusable.clone().map_or(Ok(()), Err)
    }

    /// What of the user's files is not heeded, and the way out.
    pub(crate) fn unheeded(&self) -> Option<(String, String)> {
        self.signer.as_ref()?.unheeded()
    }

    /// The same fault with the way out that only those know who know whom was asked, and as whom.
    pub(crate) fn explain(&self, fault: Fault) -> Fault {
        let fault = match &self.endpoint {
            Some(endpoint) => at(endpoint, fault),
            None => fault,
        };
        self.signer.as_ref().map_or(fault.clone(), |signer| signer.explain(fault))
    }
}

/// What stands at an address of the user's own may be no AWS.
fn at(Endpoint { name, url }: &Endpoint, fault: Fault) -> Fault {
    let path =
        url.split_once("://").and_then(|(_, rest)| rest.trim_end_matches('/').split_once('/'));
    let is_page = fault.hint.as_deref() == Some(cause::PAGE);
    // Whatever answers for AWS has a code for it.
    let is_no_aws = fault.code.is_none() && fault.kind == FaultKind::NotFound;
    let hint = match path {
        _ if is_page => format!(
            "what answers at {url} ({name}) is a web server and no AWS: correct the address or the \
                port, or leave it out to ask AWS itself"
        ),
        Some((_, path)) if is_no_aws => format!(
            "{name} has a path (/{path}), below which the emulator was asked: leave it out of the \
                address, unless the emulator wants it"
        ),
        _ => return fault,
    };
    fault.hinted(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_aws_is_told_by_its_address() {
        let endpoint = |url: &str| Endpoint { name: "AWS_ENDPOINT_URL".into(), url: url.into() };
        let fault = |kind, hint: &str| Fault::new(kind, "x", "y").hinted(hint);
        let (root, below) = (endpoint("http://a:1/"), endpoint("http://a:1/foo/"));
        let page = fault(FaultKind::Unreachable, cause::PAGE);
        let lost = fault(FaultKind::NotFound, "another user");
        for (endpoint, fault, says) in [
            (&root, &page, "http://a:1/ (AWS_ENDPOINT_URL) is a web server"),
            (&below, &page, "is a web server"),
            (&root, &lost, "another user"),
            (&below, &lost, "AWS_ENDPOINT_URL has a path (/foo)"),
        ] {
            let hint = at(endpoint, fault.clone()).hint.unwrap();
            assert!(hint.contains(says), "{hint}");
        }
        let coded = Fault { code: Some("NoSuchKey".into()), ..lost };
        assert_eq!(at(&below, coded.clone()), coded);
    }
}
