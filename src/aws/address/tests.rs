//! What is an address, and what is told of what is none.

use super::*;

#[test]
fn only_an_address_is_asked() {
    for text in [
        "http://127.0.0.1:4566",
        "https://aws.example",
        "HTTP://[::1]:1/",
        "http://localhost:4566/prefix",
        "http://user:p%40ss@proxy.example:3128",
    ] {
        assert!(checked(text).is_ok(), "{text}");
    }
    for (text, why) in [
        ("", "empty"),
        (" ", "empty"),
        (" http://127.0.0.1:1", "blank"),
        ("http://127.0.0.1:1\n", "blank"),
        ("http://a b", "blank"),
        ("htp://127.0.0.1:1", "does not begin"),
        ("http:/127.0.0.1:1", "does not begin"),
        ("127.0.0.1:1", "does not begin"),
        ("http://", "no address"),
        ("http://:80", "no host"),
        ("http://a:x", "port"),
        ("http://a:99999", "port"),
        ("http://a:0", "port"),
        ("http://a:", "port"),
    ] {
        let said = checked(text).err().unwrap_or_default();
        assert!(said.contains(why), "{text:?}: {said:?}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
    for (text, fits) in [
        ("http://proxy.example:3128", true),
        ("proxy.example:3128", true),
        ("https://user:secret@proxy.example", true),
        ("garbage://x", false),
        ("http://us er:secret@127.0.0.1:1", false),
        (" http://127.0.0.1:1", false),
        ("socks5://user:secret@127.0.0.1:1", false),
        ("SOCKS4://127.0.0.1:1", false),
        ("http:/127.0.0.1:1", false),
        ("http://user:secret", false),
        ("/", false),
    ] {
        let said = proxy(text);
        assert_eq!(said.is_ok(), fits, "{text}");
        assert!(!said.err().unwrap_or_default().contains("secret"), "{text}");
    }
}

#[test]
fn every_variable_is_looked_at_and_the_first_that_is_set_counts() {
    for name in PROXIES.into_iter().flatten() {
        let fault = match name {
            "HTTPS_PROXY" => proxies(|name| (name == "HTTPS_PROXY").then(|| "x://".into())),
            "https_proxy" => proxies(|name| (name == "https_proxy").then(|| "x://".into())),
            "HTTP_PROXY" => proxies(|name| (name == "HTTP_PROXY").then(|| "x://".into())),
            "http_proxy" => proxies(|name| (name == "http_proxy").then(|| "x://".into())),
            "ALL_PROXY" => proxies(|name| (name == "ALL_PROXY").then(|| "x://".into())),
            _ => proxies(|name| (name == "all_proxy").then(|| "x://".into())),
        };
        assert_eq!(fault.unwrap_err().tried, format!("use the proxy in {name}"));
    }
    let none = |name: &str| match name {
        "HTTPS_PROXY" => Some(String::new()),
        "https_proxy" => Some("x://".to_owned()),
        _ => None,
    };
    assert_eq!(proxies(none), Ok(()));
    assert_eq!(proxy_for("https", |name| (name == "all_proxy").then(|| "a:1".into())), "all_proxy");
    assert_eq!(proxy_for("http", |_| None), "HTTP_PROXY");
}

#[test]
fn the_nearest_endpoint_counts_and_every_one_is_checked() {
    let url = |name: &str| (name == "AWS_ENDPOINT_URL").then(|| "http://a:1".to_owned());
    let named = |found: Result<Option<Endpoint>, Fault>| found.unwrap().map(|it| it.name);
    assert_eq!(named(endpoint(Some("http://b:1"), url, None)).as_deref(), Some("--endpoint-url"));
    let found = endpoint(None, url, Some("http://c:1"));
    assert_eq!(named(found).as_deref(), Some("AWS_ENDPOINT_URL"));
    assert_eq!(named(endpoint(None, |_| None, None)), None);
    assert!(endpoint(None, |_| None, Some("")).is_err(), "the SDK ends badly with it");
    let bad = |name: &str| (name == "AWS_ENDPOINT_URL_S3").then(|| "s3.example".to_owned());
    let fault = endpoint(Some("http://b:1"), bad, None).unwrap_err();
    assert_eq!(fault.tried, "use the address in AWS_ENDPOINT_URL_S3");
}
