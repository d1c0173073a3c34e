//! What a spec says of the bucket and of the site's files.

use super::rules::assert_problem;
use super::*;

#[test]
fn a_bucket_s_name_is_in_its_namespace() {
    let folder = folder();
    for (text, expected) in [
        (
            "bucket: { name: shop, namespace: account-regional }",
            "bucket name `shop` is not in namespace `account-regional`",
        ),
        (
            "bucket: { name: a-123456789012-us-east-1-an, namespace: global }",
            "bucket name `a-123456789012-us-east-1-an` is not in namespace `global`",
        ),
        (
            "region: me-south-1\nbucket: { namespace: account-regional }",
            "there is no namespace `account-regional` in me-south-1",
        ),
    ] {
        assert_problem(&folder, text, expected);
    }
}

#[test]
fn every_rule_of_patterns_and_headers_is_kept() {
    let folder = folder();
    for (text, expected) in [
        ("bucket: { ignore: \"*.map\" }", "`bucket.ignore` must be a list, found the text `*.map`"),
        (
            "bucket: { ignore: [\"a**\"] }",
            "`a**` is no pattern of keys: recursive wildcards must \
            form a single path component",
        ),
        ("bucket: { headers: [a] }", "`bucket.headers` must be keys with values, found a list"),
        ("bucket: { headers: { \"/\": {} } }", "`/` is no pattern of keys: it is for nothing"),
        ("bucket: { headers: { a: b } }", "`a` must be keys with values, found the text `b`"),
        (
            "bucket: { headers: { a: { cache-control: no-store } } }",
            "unknown key `cache-control` in `bucket.headers`",
        ),
        (
            "bucket: { headers: { a: { cache_control: 7 } } }",
            "`cache_control` must be text, found the number `7`",
        ),
        (
            "bucket: { headers: { a: { content_type: html } } }",
            "`content_type` must be a media type such as `text/html; charset=utf-8`, found `html`",
        ),
        (
            "bucket: { headers: { a: { content_language: \"d\\né\" } } }",
            "`content_language` may hold only ASCII characters, without spaces around them, found \
                `d\\né`",
        ),
    ] {
        assert_problem(&folder, text, expected);
    }
}

#[test]
fn what_looks_like_a_secret_is_warned_of() {
    let folder = folder();
    std::fs::write(folder.path().join("other/id_rsa"), "key").unwrap();
    let site = "distribution: { default_root_object: home.html }\nbucket: { site: ./other";
    assert_problem(
        &folder,
        &format!("{site} }}"),
        "warning: the site's file `id_rsa` looks like a secret",
    );
    let ignored = format!("stack: shop\n{site}, ignore: [\"id_*\"] }}\n");
    assert_eq!(problems_of(folder.path(), &ignored), Vec::<String>::new());
}
