//! What the function answers: the visitor gets a whole HTTP answer, the function's or CloudFront's
//! own error page.

use crate::damage::{Bytes, json_text};
use crate::edge::Edge;
use crate::trial::hold;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// In place of Python: answers each request with what is in the file `answer`, whose first byte
/// says how. `F`: the rest is a result. `C`: the rest is all that goes over the channel.
const PROGRAM: &str = r#"#!/bin/sh
if [ "$1" = -c ]; then echo "$0"; echo 13; exit; fi
exec python3 -c '
import os, sys
folder = os.path.dirname(sys.argv[1])
requests, replies = os.fdopen(0, "rb"), os.fdopen(1, "wb")
def send(frame):
    replies.write(frame)
    replies.flush()
send(b"\0\0\0\1I")
while head := requests.read(4):
    requests.read(int.from_bytes(head, "big"))
    answer = open(os.path.join(folder, "answer"), "rb").read()
    if answer[:1] == b"C":
        send(answer[1:])
        sys.exit()
    send(len(answer).to_bytes(4, "big") + b"R" + answer[1:])
' "$0"
"#;

const TOKENS: [&[u8]; 16] = [
    b"\"status\": \"200\",",
    b"\"status\": 204,",
    b"\"status\": \"304\",",
    b"\"statusDescription\": \"a\\r\\nb\",",
    b"\"body\": \"x\",",
    b"\"bodyEncoding\": \"base64\",",
    b"{\"key\": \"\", \"value\": \"\"},",
    b"\"headers\": {},",
    b"\"content-length\"",
    b"\"transfer-encoding\"",
    b"\"connection\"",
    b"\"set-cookie\"",
    b"\\r\\n",
    b"\\u0000",
    b"\\ud800",
    b"NaN",
];

fn results() -> Vec<Value> {
    vec![
        json!({"status": "503", "statusDescription": "Service Unavailable", "body": "<h1>Back soon \
            é</h1>", "bodyEncoding": "text",
               "headers": {"retry-after": [{"key": "Retry-After", "value": "600"}],
                   "cache-control": [{"value": "no-store"}],
                           "set-cookie": [{"key": "Set-Cookie", "value": "a=1"},
                               {"key": "Set-Cookie", "value": "b=2"}]}}),
        json!({"status": "200", "body": "PGgxPng8L2gxPg==", "bodyEncoding": "base64",
            "headers": {"content-type": [{"value": "text/html"}]}}),
        json!({"status": "302", "headers": {"location": [{"key": "Location", "value": "/docs/"}]}}),
        json!({"clientIp": "127.0.0.1", "method": "GET", "uri": "/docs/a%20b.txt",
            "querystring": "a=1",
               "headers": {"host": [{"key": "Host", "value": "shop"}],
                   "x-team": [{"value": "web"}]}}),
    ]
}

/// A generated response that is put together from what such responses are made of, good and bad.
fn composed() -> impl Strategy<Value = Bytes> {
    let statuses = [
        "99", "100", "199", "200", "204", "206", "301", "304", "503", "599", "600", "999", "+20",
        "2e2", "", "200 OK",
    ];
    let numbers =
        [json!(200), json!(204), json!(99), json!(1000), json!(200.0), json!(true), Value::Null];
    let status = select(statuses.map(Value::from).into_iter().chain(numbers).collect::<Vec<_>>());
    let texts = [
        "",
        "x",
        "eA==",
        "eA",
        "é\u{1F600}",
        "\0",
        "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "chunked",
        "5",
        "close",
    ]
    .map(str::to_owned);
    let texts = texts
        .into_iter()
        .chain([40_000, 40_960, 40_961, 70_000].map(|length| "x".repeat(length)))
        .collect::<Vec<_>>();
    let names = [
        "a",
        "",
        "x a",
        "X-Upper",
        "é",
        "a:b",
        "content-length",
        "transfer-encoding",
        "connection",
        "trailer",
        "set-cookie",
        "content-type",
        "date",
        "server",
        "via",
        "x-cache",
        "content-encoding",
        "location",
        "te",
        "keep-alive",
    ];
    let line = (select(names.to_vec()), select(names.to_vec()), select(texts.clone()));
    let encodings = select(vec![Value::Null, json!("text"), json!("base64"), json!("gzip")]);
    (status, select(texts.clone()), select(texts), encodings, vec(line, 0..4)).prop_map(
        |(status, description, body, encoding, lines)| {
            let mut headers = Map::new();
            for (name, key, value) in lines {
                headers.insert(name.to_owned(), json!([{"key": key, "value": value}]));
            }
            let result = json!({"status": status, "statusDescription": description, "body": body,
                "bodyEncoding": encoding, "headers": headers});
            Bytes(result.to_string().into_bytes())
        },
    )
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";

fn start() -> Edge {
    Edge::start("", |programs: &Path| {
        let program = programs.join("python3.13");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    })
}

/// The visitor's answer to a function that answers so.
fn visit(edge: &Edge, mode: u8, answer: &[u8]) -> Answer {
    std::fs::write(edge.folder.path().join("programs/answer"), [&[mode], answer].concat()).unwrap();
    let got = edge.ask(REQUEST);
    edge.is_sound();
    Answer::read(&got)
        .unwrap_or_else(|why| panic!("{why}: {}", got[..got.len().min(2_000)].escape_ascii()))
}

#[test]
fn any_result_is_a_whole_answer() {
    let edge = start();
    hold(200, &prop_oneof![json_text(results(), &TOKENS), composed()], |Bytes(result)| {
        let answer = visit(&edge, b'F', &result);
        match answer.x_cache() {
            "LambdaGeneratedResponse" => {
                let result: Value = serde_json::from_slice(&result).unwrap();
                let status = &result["status"];
                assert_eq!(
                    status.as_str().map_or_else(|| status.to_string(), str::to_owned),
                    answer.status.to_string()
                );
                assert!((200..=599).contains(&answer.status), "{answer:?}");
                if !matches!(answer.status, 204 | 304) && result["bodyEncoding"] != "base64" {
                    assert_eq!(result["body"].as_str().unwrap_or_default().as_bytes(), answer.body);
                }
            }
            "LambdaValidationError" => assert!(answer.is_error_page(502), "{answer:?}"),
            "Miss" | "RefreshHit" | "Error" => {
                let result: Value = serde_json::from_slice(&result).unwrap();
                assert!(result.get("status").is_none() && result["uri"].is_string(), "{result}");
            }
            other => panic!("{other}: {answer:?}"),
        }
    });
}

#[test]
fn anything_on_the_channel_is_a_failed_run() {
    let edge = start();
    let frame = any::<Vec<u8>>().prop_flat_map(|payload| {
        let length = u32::try_from(payload.len()).unwrap();
        // The right length, or any; the right tags, or any.
        let lengths = prop_oneof![Just(length), any::<u32>(), Just(u32::MAX), Just(0)];
        (lengths, select(vec![vec![], vec![b'R'], vec![b'E'], vec![b'I']]), Just(payload))
    });
    hold(20, &frame, |(length, tag, payload)| {
        let answer = visit(&edge, b'C', &[&length.to_be_bytes()[..], &tag, &payload].concat());
        assert!(
            answer.is_error_page(503)
                || answer.is_error_page(502)
                || answer.x_cache() == "LambdaGeneratedResponse",
            "{answer:?}"
        );
    });
    assert_eq!(visit(&edge, b'F', br#"{"status": "200", "body": "again"}"#).body, b"again");
}

/// What a function writes behind its reply is no reply to the next visitor.
#[test]
fn more_than_one_reply_ends_the_process() {
    let edge = start();
    assert!(visit(&edge, b'C', b"\0\0\0\x01R\0\0\0\x05R1234").is_error_page(503));
    assert_eq!(visit(&edge, b'F', br#"{"status": "200", "body": "again"}"#).body, b"again");
}

/// An answer's headers are counted by what the visitor gets, not by keys that may be empty.
#[test]
fn a_flood_of_headers_is_refused() {
    let edge = start();
    let names: Vec<String> =
        (0..40_000).map(|n| format!("\"h{n}\": [{{\"key\": \"\", \"value\": \"\"}}]")).collect();
    let lines = vec![r#"{"key": "", "value": ""}"#; 60_000].join(",");
    for headers in [names.join(","), format!("\"a\": [{lines}]")] {
        let answer = visit(
            &edge,
            b'F',
            format!("{{\"status\": \"200\", \"headers\": {{{headers}}}}}").as_bytes(),
        );
        assert!(answer.is_error_page(502), "{answer:?}");
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// Reads one answer and nothing after it, as strictly as RFC 9112 allows.
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or("the head has no end")?;
        let head: String = bytes[..end].iter().map(|byte| char::from(*byte)).collect();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.split_once(' '))
            .ok_or("no status line")?;
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or("a line without a colon")?;
            let token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty()
                || !name.bytes().all(token)
                || value.chars().any(|c| c.is_ascii_control() && c != '\t')
            {
                return Err("a bad header");
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let status = status.0.parse().map_err(|_| "a bad status")?;
        let answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        let length = answer
            .header("content-length")
            .map(|length| length.parse::<usize>().map_err(|_| "a bad length"))
            .transpose()?;
        match (status, length) {
            (204 | 304, _) if answer.body.is_empty() => Ok(answer),
            (204 | 304, _) => Err("a body where none may be"),
            (_, Some(length)) if length == answer.body.len() => Ok(answer),
            (_, Some(_)) => Err("the body has another length"),
            (_, None) => Err("no length"),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn x_cache(&self) -> &str {
        self.header("x-cache")
            .and_then(|value| value.strip_suffix(" from cloudfront"))
            .unwrap_or_default()
    }

    fn is_error_page(&self, status: u16) -> bool {
        self.status == status
            && String::from_utf8_lossy(&self.body).contains(&format!("<H1>{status} ERROR</H1>"))
    }
}
