//! What is told of a call without an answer, by the texts of its causes.

use super::*;
use std::fmt;

/// An error as the SDK nests them. Its debug text holds what means something else.
struct Nested(&'static str, Option<Box<Nested>>);

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io(127.0.0.1:40712, certificate, sso session, credential, dns error)")
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Nested {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}

fn nested(texts: &[&'static str]) -> Nested {
    let (first, rest) = texts.split_first().unwrap();
    Nested(first, (!rest.is_empty()).then(|| Box::new(nested(rest))))
}

const LOADING: &str = "an error occurred while loading credentials";

#[test]
fn the_texts_of_the_causes_tell_what_to_do() {
    let connect = ["dispatch failure", "io error", "client error (Connect)"];
    for (texts, kind, cure) in [
        (&["tcp connect error", "Connection refused (os error 111)"][..], Unreachable, REFUSED),
        (
            &["dns error", "failed to lookup address information: Name or service not known"],
            Unreachable,
            NAME,
        ),
        (&["tunnel error", "proxy authorization required"], Unreachable, PROXY),
        (&["invalid peer certificate: UnknownIssuer"], Unreachable, CERTIFICATE),
        (&["operation timed out"], Unreachable, SLOW),
        (&["connection closed before message completed"], Unreachable, SLOW),
        (&[LOADING, "the SSO token has expired and cannot be refreshed"], Credentials, SIGN_IN),
        (&[LOADING, "tcp connect error", "Connection refused"], Unreachable, REFUSED),
        // What the user's own program says is not what it means here.
        (
            &[LOADING, "error retrieving credentials from external process: no certificate, 407"],
            Credentials,
            PROCESS,
        ),
        (&["no credentials found in chain. tried: a, b"], Credentials, NONE),
    ] {
        let all: Vec<_> = connect.iter().chain(texts).copied().collect();
        assert_eq!(meaning(&nested(&all)), Meaning { kind, cure: Some(cure) }, "{texts:?}");
    }
}

#[test]
fn only_what_says_something_is_told() {
    let error = nested(&["dispatch failure", "io error", "dns error", "dns error: no such host"]);
    assert_eq!(causes(&error), "dns error: no such host");
    assert_eq!(causes(&nested(&["io error"])), "io error");
    let address =
        "failed to apply endpoint `a:1` to request `Request { uri: Uri { a: \"/`: \" } }`";
    let address = nested(&["other", address, "endpoint must contain scheme"]);
    assert_eq!(causes(&address), "failed to apply endpoint `a:1`: endpoint must contain scheme");
    assert_eq!(meaning(&address), Meaning { kind: Refused, cure: Some(SCHEME) });
    let chain = nested(&["x", "no credentials found in chain. tried: a, b"]);
    assert_eq!(causes(&chain), "x: no AWS credentials were found");
}
