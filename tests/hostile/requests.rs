//! What comes over the sockets of the local edge: an answer or a closed connection, and the next
//! visitor is served.

use crate::damage::{Bytes, bytes};
use crate::edge::{Edge, HOME, exchange};
use crate::trial::hold;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::fs::File;
use std::time::{Duration, SystemTime};

const PASS: &str = "def handler(event, context): return event['Records'][0]['cf']['request']\n";

const TOKENS: [&[u8]; 34] = [
    b"HEAD ",
    b"POST ",
    b"OPTIONS * HTTP/1.1\r\n",
    b"CONNECT shop:80 HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"http://127.0.0.1:1/x",
    b"//shop.example/",
    b"HTTP/1.0",
    b"HTTP/9.9",
    b"Host: ",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n",
    b"Range: bytes=18446744073709551615-\r\n",
    b"Range: bytes=-0\r\n",
    b"Range: bytes=5-2,1-1\r\n",
    b"If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
    b"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n",
    b"If-None-Match: W/\"\", *, \"\r\n",
    b"Cookie: a=1; a=2\r\n",
    b" folded: line\r\n",
    b"%2e%2e%2f",
    b"%00",
    b"%",
    b"%ff",
    b"/../",
    b"?list-type=2&max-keys=0",
    b"\xe2\x82\xac",
    b"/__provision/state",
];

/// Requests for the three sides of the edge.
fn examples() -> Vec<Vec<u8>> {
    let console = "Host: 127.0.0.1:1\r\nOrigin: http://127.0.0.1:1\r\nx-provision-token: \
        0\r\nSec-Fetch-Site: same-origin\r\n";
    let signed = "Host: shop\r\nAuthorization: AWS4-HMAC-SHA256 \
        Credential=DEV/20261122/eu-west-1/s3/aws4_request\r\n";
    [
        "GET / HTTP/1.1\r\nHost: d111111abcdef8.cloudfront.net\r\nUser-Agent: \
            curl/7.66.0\r\nAccept: */*\r\nCookie: a=1\r\n\r\n"
            .to_owned(),
        "GET /docs/a%20b.txt?x=1&y=%20 HTTP/1.1\r\nHost: shop\r\nRange: \
            bytes=0-1\r\nIf-None-Match: \"x\"\r\nAccept-Encoding: gzip\r\n\r\n"
            .into(),
        "POST / HTTP/1.1\r\nHost: shop\r\nContent-Type: text/plain\r\nContent-Length: \
            5\r\n\r\nhello"
            .into(),
        "POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: \
            chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            .into(),
        format!("GET /__provision/ HTTP/1.1\r\n{console}\r\n"),
        format!("GET /__provision/state HTTP/1.1\r\n{console}\r\n"),
        format!(
            "POST /__provision/switch HTTP/1.1\r\n{console}Content-Length: \
            11\r\n\r\n{{\"on\":true}}"
        ),
        format!("GET /shop/home.html HTTP/1.1\r\n{signed}\r\n"),
        format!(
            "GET /shop?list-type=2&prefix=d&max-keys=1&start-after=a&encoding-type=url \
            HTTP/1.1\r\n{signed}\r\n"
        ),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// A request that is put together from what such requests are made of; most of them go the whole
/// way.
fn composed() -> impl Strategy<Value = Bytes> {
    let methods = ["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "get", "\u{e9}"];
    let parts = [
        "/",
        "/docs",
        "/home.html",
        "a%20b.txt",
        "..",
        "%2e%2e",
        "%2F",
        "%00",
        "%",
        "%4",
        "%zz",
        "%ff",
        "%E2%82%AC",
        "\u{e9}",
        "//",
        "?",
        "&",
        "x=1",
        "list-type=2",
        "&prefix=%ff",
        "&max-keys=0",
        "&max-keys=-1",
        "*",
        "shop",
        "/__provision/",
        "state",
        "switch",
        "+",
        "=",
        "\"",
        "'",
        "\\",
        "|",
    ];
    let target = vec(select(parts.to_vec()), 0..6).prop_map(|parts| format!("/{}", parts.concat()));
    let lines = TOKENS
        .iter()
        .filter(|token| token.ends_with(b"\r\n") && token.contains(&b':'))
        .copied()
        .collect::<Vec<_>>();
    (select(methods.to_vec()), target, vec(select(lines), 0..5)).prop_map(
        |(method, target, lines)| {
            Bytes(
                [
                    format!("{method} {target} HTTP/1.1\r\nHost: shop\r\n").as_bytes(),
                    &lines.concat(),
                    b"\r\n",
                ]
                .concat(),
            )
        },
    )
}

/// After whatever came: it ends most of what was begun, and asks for the connection's end.
const LAST: &[u8] = b"\r\n\r\nGET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";

#[test]
fn a_damaged_request_harms_nobody_else() {
    let edge = Edge::start(PASS, |_| ());
    let sides = [edge.addresses.viewer, edge.addresses.console, edge.addresses.storage];
    let served = || {
        let answer = edge.ask(&LAST[4..]);
        let text = String::from_utf8(answer).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with(HOME), "{text}");
    };
    served();
    let requests = prop_oneof![bytes(examples(), &TOKENS), composed()];
    hold(
        120,
        &(requests, prop_oneof![2 => Just(0), 1 => 1..sides.len()]),
        |(Bytes(mut request), side)| {
            request.extend_from_slice(LAST);
            let answer = exchange(sides[side], &request);
            assert!(answer.is_empty() || is_status_line(&answer), "{}", answer.escape_ascii());
            served();
            edge.is_sound();
        },
    );
}

fn is_status_line(answer: &[u8]) -> bool {
    let line = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "));
    line.is_some_and(|rest| {
        rest.len() > 4 && rest[..3].iter().all(u8::is_ascii_digit) && rest[3] == b' '
    })
}

/// HTTP's dates begin later than a file system's.
#[test]
fn a_file_older_than_unix_is_served() {
    let edge = Edge::start(PASS, |_| ());
    let page = File::options().write(true).open(edge.folder.path().join("site/home.html")).unwrap();
    page.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).unwrap();
    let answer = edge.ask(&LAST[4..]);
    edge.is_sound();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
}
