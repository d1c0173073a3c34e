//! A result that is the request, edited or not.

use serde_json::{Map, Value};

use super::{Broken, REQUEST, broken, header_lines};
use crate::edge::event::{HeaderLine, ViewerRequest};
use crate::edge::headers;

/// Path and query that a function sets must be shorter (CloudFront Developer Guide, "Restrictions
/// on all edge functions"). In characters.
const URI_LIMIT: usize = 8192;

/// Gives the request as it goes on. What the function never saw, the disallowed headers, stays as
/// the viewer sent it.
pub(super) fn check(
    result: &Map<String, Value>,
    sent: &ViewerRequest,
) -> Result<ViewerRequest, Broken> {
    for (field, before) in
        [("method", sent.method.clone()), ("clientIp", sent.client_ip.to_string())]
    {
        if text(result, field)? != before {
            return Err(broken(REQUEST, format!("{field} is read-only")));
        }
    }
    let uri = text(result, "uri")?;
    if !uri.starts_with('/') {
        return Err(broken(REQUEST, format!("uri {uri:?} does not begin with /")));
    }
    let querystring =
        if result.contains_key("querystring") { text(result, "querystring")? } else { "" };
    if uri.chars().count() + querystring.chars().count() >= URI_LIMIT {
        return Err(broken(
            REQUEST,
            format!("uri and querystring have {URI_LIMIT} characters or more"),
        ));
    }
    for (field, value) in [("uri", uri), ("querystring", querystring)] {
        let bad =
            |character: char| character.is_ascii_control() || character == ' ' || character == '#';
        if let Some(character) = value.chars().find(|&character| bad(character)) {
            return Err(broken(REQUEST, format!("{field} holds {character:?}")));
        }
    }
    Ok(ViewerRequest {
        client_ip: sent.client_ip,
        method: sent.method.clone(),
        uri: uri.to_owned(),
        querystring: querystring.to_owned(),
        headers: edited_headers(result, sent)?,
    })
}

fn edited_headers(
    result: &Map<String, Value>,
    sent: &ViewerRequest,
) -> Result<Vec<HeaderLine>, Broken> {
    let lines: Vec<HeaderLine> = header_lines(result)?
        .into_iter()
        .map(|(name, key, value)| HeaderLine { name, key, value })
        .collect();
    for line in &lines {
        let added = || sent.values(&line.name).is_empty();
        if headers::is_disallowed(&line.name) || (headers::is_cloudfronts(&line.name) && added()) {
            return Err(broken(super::HEADER, format!("{} may not be added", line.name)));
        }
    }
    for name in headers::READ_ONLY {
        let now: Vec<&str> =
            lines.iter().filter(|line| line.name == name).map(|line| line.value.as_str()).collect();
        if now != sent.values(name) {
            return Err(broken(super::HEADER, format!("{name} is read-only at viewer request")));
        }
    }
    let unseen = sent.headers.iter().filter(|line| headers::is_disallowed(&line.name)).cloned();
    Ok(lines.into_iter().chain(unseen).collect())
}

fn text<'a>(result: &'a Map<String, Value>, field: &str) -> Result<&'a str, Broken> {
    result
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| broken(REQUEST, format!("{field} is missing or no string")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::edge::event::tests::{distribution, request};
    use crate::edge::event::viewer_event;
    use crate::edge::verdict::{Verdict, judge};

    fn returned() -> Value {
        viewer_event(
            &request(&[(
                "Via",
                "1.1 \
            proxy",
            )]),
            &distribution(),
            "id",
        )["Records"][0]["cf"]["request"]
            .clone()
    }

    fn after(edit: impl FnOnce(&mut Value)) -> Verdict {
        let mut result = returned();
        edit(&mut result);
        judge(
            result.to_string().as_bytes(),
            &request(&[("Via", "1.1 proxy"), ("Connection", "close")]),
        )
        .verdict
    }

    #[test]
    fn an_untouched_request_goes_on_as_it_came() {
        let sent = request(&[("Via", "1.1 proxy"), ("Connection", "close")]);
        assert_eq!(after(|_| ()), Verdict::Continue(sent));
    }

    #[test]
    fn allowed_edits_are_kept() {
        let verdict = after(|result| {
            result["uri"] = "/app/index.html".into();
            result["querystring"] = "a=1".into();
            result["headers"]["x-team"] = json!([{ "value": "web" }]);
        });
        let Verdict::Continue(edited) = verdict else { unreachable!("{verdict:?}") };
        assert_eq!(
            (edited.target().as_str(), edited.header("x-team")),
            ("/app/index.html?a=1", Some("web"))
        );
    }

    #[test]
    fn every_broken_rule_is_a_502() {
        type Edit = fn(&mut Value);
        let cases: [(&str, Edit); 18] = [
            ("uri without slash", |r| r["uri"] = "index.html".into()),
            ("uri missing", |r| r["uri"] = Value::Null),
            ("method", |r| r["method"] = "HEAD".into()),
            ("client address", |r| r["clientIp"] = "203.0.113.1".into()),
            ("too long", |r| r["uri"] = format!("/{}", "a".repeat(8191)).into()),
            ("space in query", |r| r["querystring"] = "a b".into()),
            ("hash in query", |r| r["querystring"] = "a#b".into()),
            ("control in query", |r| r["querystring"] = "a\u{7}".into()),
            ("disallowed", |r| r["headers"]["x-edge-x"] = json!([{ "value": "1" }])),
            ("disallowed, even if the viewer had sent it", |r| {
                r["headers"]["connection"] = json!([{"value": "close"}]);
            }),
            ("CloudFront's own", |r| {
                r["headers"]["cloudfront-viewer-country"] = json!([{ "value": "AT" }]);
            }),
            ("host changed", |r| r["headers"]["host"][0]["value"] = "other.example".into()),
            ("via removed", |r| {
                drop(r["headers"].as_object_mut().and_then(|map| map.remove("via")));
            }),
            ("length added", |r| r["headers"]["content-length"] = json!([{ "value": "1" }])),
            ("not an array", |r| r["headers"]["x-a"] = "1".into()),
            ("no value", |r| r["headers"]["x-a"] = json!([{ "key": "X-A" }])),
            ("number", |r| r["headers"]["x-a"] = json!([{ "value": 1 }])),
            ("line break", |r| r["headers"]["x-a"] = json!([{ "value": "a\r\nb" }])),
        ];
        for (name, edit) in cases {
            let verdict = after(edit);
            let Verdict::Refused(refusal) = verdict else { unreachable!("{name}: {verdict:?}") };
            assert_eq!((refusal.status, refusal.x_cache), (502, "LambdaValidationError"), "{name}");
        }
    }
}
