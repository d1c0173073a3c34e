//! A result that is a generated response (docs/aws.md, "a generated response").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use serde_json::{Map, Value};

use super::{Broken, HEADER, RESULT, STATUS, broken, header_lines, kind};
use crate::edge::{Reply, headers};

/// Headers and body together, in bytes; AWS says 40 KB (CloudFront Developer Guide, "Quotas"), and
/// not how it counts (docs/aws.md, "how the 40 KB are counted").
const LIMIT: usize = 40_960;
/// From here on a page deserves a warning.
const NEAR_LIMIT: usize = 36 * 1024;

/// Gives the answer for the visitor; the warnings are about what AWS leaves undocumented.
pub(super) fn check(
    result: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<Reply, Broken> {
    let status = status(result.get("status"), warnings)?;
    let lines = header_lines(result)?;
    for (name, _, _) in &lines {
        if headers::is_disallowed(name) || headers::READ_ONLY.contains(&name.as_str()) {
            return Err(broken(HEADER, format!("{name} may not be set in a generated response")));
        }
    }
    let (body, as_sent) = body(result)?;
    if status == 204 && !body.is_empty() {
        return Err(broken(RESULT, "status 204 with a body"));
    }
    // The name and not the entry's key, which may be empty: it is what the visitor gets.
    let head: usize = lines.iter().map(|(name, _, value)| name.len() + value.len()).sum();
    let size = head + body.len();
    if size > LIMIT {
        return Err(broken(
            RESULT,
            format!("headers and body have {size} bytes, and {LIMIT} are allowed"),
        ));
    }
    if head + as_sent > LIMIT {
        warnings.push(format!(
            "the response has {} bytes as base64: AWS does not say whether its limit of {LIMIT} is \
                for these",
            head + as_sent
        ));
    } else if size >= NEAR_LIMIT {
        warnings
            .push(format!("the response has {size} bytes; from {LIMIT} on, visitors get a 502"));
    }
    Ok(Reply {
        status,
        description: result.get("statusDescription").and_then(Value::as_str).map(str::to_owned),
        headers: lines.into_iter().map(|(name, _, value)| (name, value)).collect(),
        body,
    })
}

fn status(value: Option<&Value>, warnings: &mut Vec<String>) -> Result<u16, Broken> {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => {
            warnings.push("status is a number; AWS documents a string".to_owned());
            number.to_string()
        }
        other => {
            return Err(broken(STATUS, format!("status is {}", other.map_or("missing", kind))));
        }
    };
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(status @ 200..=599) if digits => Ok(status),
        _ => Err(broken(STATUS, format!("status {text:?} is not between 200 and 599"))),
    }
}

/// Gives the body, and its length as the function returned it.
fn body(result: &Map<String, Value>) -> Result<(Bytes, usize), Broken> {
    let text = match result.get("body") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(other) => {
            return Err(broken(RESULT, format!("body is {}, not a string", kind(other))));
        }
    };
    let bytes = match result.get("bodyEncoding") {
        None | Some(Value::Null) => text.as_bytes().to_vec(),
        Some(Value::String(encoding)) if encoding == "text" => text.as_bytes().to_vec(),
        Some(Value::String(encoding)) if encoding == "base64" => STANDARD
            .decode(text)
            .map_err(|error| broken(RESULT, format!("body is not base64: {error}")))?,
        Some(other) => {
            return Err(broken(RESULT, format!("bodyEncoding {other} is neither text nor base64")));
        }
    };
    Ok((Bytes::from(bytes), text.len()))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use serde_json::{Value, json};

    use crate::edge::event::tests::request;
    use crate::edge::verdict::{Judgement, Verdict, judge};

    fn judged(result: &Value) -> Judgement {
        judge(result.to_string().as_bytes(), &request(&[]))
    }

    #[test]
    fn a_page_is_sent_as_it_is() {
        let Judgement { verdict: Verdict::Respond(reply), warnings } = judged(&json!({
            "status": "503", "statusDescription": "Down for a while", "body": "<h1>é</h1>",
            "headers": {"retry-after": [{"key": "Retry-After", "value": "600"}],
                "x-a": [{"value": "1"}, {"value": "2"}]},
        })) else {
            unreachable!()
        };
        assert_eq!((reply.status, reply.description.as_deref()), (503, Some("Down for a while")));
        assert_eq!(reply.body, "<h1>é</h1>".as_bytes());
        let headers: Vec<_> =
            reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(headers, ["retry-after: 600", "x-a: 1", "x-a: 2"]);
        assert!(warnings.is_empty());
    }

    #[test]
    fn every_broken_rule_is_a_502() {
        let long = "a".repeat(40_961);
        let cases = [
            json!({"status": "abc"}),
            json!({"status": null}),
            json!({"status": "199"}),
            json!({"status": "600"}),
            json!({"status": "+200"}),
            json!({"status": 200.5}),
            json!({"status": "204", "body": "x"}),
            json!({"status": "200", "body": {}}),
            json!({"status": "200", "body": 1}),
            json!({"status": "200", "body": long}),
            json!({"status": "200", "headers": {"a".repeat(1_000): vec![json!({"key": "",
                "value": ""}); 41]}}),
            json!({"status": "200", "body": "a".repeat(40_960),
                "headers": {"a": [{"value": "b"}]}}),
            json!({"status": "200",
                "body": base64::engine::general_purpose::STANDARD.encode(&long),
                "bodyEncoding": "base64"}),
            json!({"status": "200", "body": "#", "bodyEncoding": "base64"}),
            json!({"status": "200", "body": "", "bodyEncoding": "gzip"}),
            json!({"status": "200", "headers": []}),
            json!({"status": "200", "headers": {"a": "b"}}),
            json!({"status": "200", "headers": {"a": [{"key": "A"}]}}),
            json!({"status": "200", "headers": {"a": [{"value": 1}]}}),
            json!({"status": "200", "headers": {"A": [{"value": "b"}]}}),
            json!({"status": "200", "headers": {"a b": [{"value": "b"}]}}),
            json!({"status": "302", "headers": {"location": [{"value": "/x\r\nset-cookie: a"}]}}),
            json!({"status": "200", "headers": {"content-length": [{"value": "1"}]}}),
            json!({"status": "200", "headers": {"via": [{"value": "1.1 me"}]}}),
            json!({"status": "200", "headers": {"x-cache": [{"value": "Hit"}]}}),
            json!({"status": "200", "headers": {"connection": [{"value": "close"}]}}),
            json!(null),
            json!("text"),
            json!([]),
            json!({}),
        ];
        for case in cases {
            let verdict = judged(&case).verdict;
            let Verdict::Refused(refusal) = verdict else { unreachable!("{case}: {verdict:?}") };
            assert_eq!((refusal.status, refusal.x_cache), (502, "LambdaValidationError"), "{case}");
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused_in_cloudfronts_words() {
        for payload in [&b"null"[..], b"<h1>", b"[1]", b"{\"a\":NaN}", b"\xff"] {
            let Verdict::Refused(refusal) = judge(payload, &request(&[])).verdict else {
                unreachable!()
            };
            assert!(
                refusal.text.ends_with("The JSON output must be an object type."),
                "{}",
                refusal.text
            );
        }
    }

    #[test]
    fn the_limit_is_for_headers_and_body_and_is_announced_early() {
        let fits = judged(&json!({"status": "200", "body": "a".repeat(40_950),
                "headers": {"a": [{"value": "b"}]}}));
        assert!(matches!(fits.verdict, Verdict::Respond(_)));
        assert_eq!(fits.warnings.len(), 1);
        assert!(judged(&json!({"status": "200", "body": "a".repeat(36_000)})).warnings.is_empty());
    }

    #[test]
    fn what_is_undocumented_passes_with_a_warning() {
        let encoded = base64::engine::general_purpose::STANDARD.encode("a".repeat(35_000));
        for doubtful in [
            json!({"status": 503}),
            json!({"status": "200", "body": encoded, "bodyEncoding": "base64"}),
        ] {
            let judged = judged(&doubtful);
            assert!(matches!(judged.verdict, Verdict::Respond(_)));
            assert_eq!(judged.warnings.len(), 1);
        }
    }

    #[test]
    fn no_content_and_no_body_go_together() {
        for result in [json!({"status": "204"}), json!({"status": "204", "body": ""})] {
            assert!(matches!(judged(&result).verdict, Verdict::Respond(_)));
        }
    }
}
