//! A viewer's request, and the event that a function gets for it (CloudFront Developer Guide,
//! "Lambda@Edge event structure").

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Distribution, headers};

/// A request in the form in which edge functions see and return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ViewerRequest {
    pub client_ip: IpAddr,
    pub method: String,
    /// The path only, not decoded.
    pub uri: String,
    /// Without the question mark; empty if there is none.
    pub querystring: String,
    pub headers: Vec<HeaderLine>,
}

/// One header line. Repeated headers are several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderLine {
    /// In lower case.
    pub name: String,
    /// As it was spelled.
    pub key: String,
    pub value: String,
}

impl ViewerRequest {
    /// The value of the first header line of this lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|line| line.name == name).map(|line| line.value.as_str())
    }

    /// All values of one header, in order.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|line| line.name == name)
            .map(|line| line.value.as_str())
            .collect()
    }

    /// The lines that a function sees, and that a request has after it.
    pub(super) fn visible(&self) -> impl Iterator<Item = &HeaderLine> {
        self.headers.iter().filter(|line| !headers::is_disallowed(&line.name))
    }

    /// Path and query as one.
    pub(super) fn target(&self) -> String {
        if self.querystring.is_empty() {
            self.uri.clone()
        } else {
            format!("{}?{}", self.uri, self.querystring)
        }
    }
}

/// Builds the `viewer-request` event.
pub(super) fn viewer_event(
    request: &ViewerRequest,
    distribution: &Distribution,
    request_id: &str,
) -> Value {
    let mut lines: Map<String, Value> = Map::new();
    for line in request.visible() {
        let entry = json!({ "key": line.key, "value": line.value });
        match lines.get_mut(&line.name) {
            Some(Value::Array(entries)) => entries.push(entry),
            _ => {
                lines.insert(line.name.clone(), Value::Array(vec![entry]));
            }
        }
    }
    json!({ "Records": [{ "cf": {
        "config": {
            "distributionDomainName": distribution.domain_name,
            "distributionId": distribution.id,
            "eventType": "viewer-request",
            "requestId": request_id,
        },
        "request": {
            "clientIp": request.client_ip.to_string(),
            "headers": lines,
            "method": request.method,
            "querystring": request.querystring,
            "uri": request.uri,
        },
    } }] })
}

/// Reads a header value: UTF-8, or else ISO-8859-1 (CloudFront Developer Guide, "Restrictions on
/// Lambda@Edge").
pub(super) fn header_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A GET of `/` by curl, with the lines given on top.
    pub(in crate::edge) fn request(more: &[(&str, &str)]) -> ViewerRequest {
        let lines = [
            ("Host", "d111111abcdef8.cloudfront.net"),
            ("user-agent", "curl/7.66.0"),
            ("accept", "*/*"),
        ];
        ViewerRequest {
            client_ip: IpAddr::from([203, 0, 113, 178]),
            method: "GET".into(),
            uri: "/".into(),
            querystring: String::new(),
            headers: lines
                .iter()
                .chain(more)
                .map(|(key, value)| HeaderLine {
                    name: key.to_lowercase(),
                    key: (*key).into(),
                    value: (*value).into(),
                })
                .collect(),
        }
    }

    pub(in crate::edge) fn distribution() -> Distribution {
        Distribution {
            id: "EDFDVBD6EXAMPLE".into(),
            domain_name: "d111111abcdef8.cloudfront.net".into(),
            default_root_object: Some("home.html".into()),
            custom_errors: Vec::new(),
            hidden: Vec::new(),
            function_on: vec!["*".into()],
            root_before_function: false,
        }
    }

    #[test]
    fn the_event_is_the_documented_one() {
        let event = viewer_event(&request(&[]), &distribution(), "4TyzHTaYWb1GX1qTfsHhEqV6HUDd");
        let documented = json!({"Records":[{"cf":{
            "config":{"distributionDomainName":"d111111abcdef8.cloudfront.net","distributionId":"EDFDVBD6EXAMPLE",
                      "eventType":"viewer-request","requestId":"4TyzHTaYWb1GX1qTfsHhEqV6HUDd"},
            "request":{"clientIp":"203.0.113.178",
              "headers":{"host":[{"key":"Host","value":"d111111abcdef8.cloudfront.net"}],
                         "user-agent":[{"key":"user-agent","value":"curl/7.66.0"}],
                         "accept":[{"key":"accept","value":"*/*"}]},
              "method":"GET","querystring":"","uri":"/"}}}]});
        assert_eq!(event, documented);
    }

    #[test]
    fn repeated_headers_are_several_entries_and_disallowed_ones_are_absent() {
        let event = viewer_event(
            &request(&[
                ("cookie", "a=1"),
                ("Cookie", "b=2"),
                ("Connection", "close"),
                ("X-Amz-Cf-Id", "x"),
            ]),
            &distribution(),
            "id",
        );
        let headers = &event["Records"][0]["cf"]["request"]["headers"];
        assert_eq!(
            headers["cookie"],
            json!([{"key":"cookie","value":"a=1"},{"key":"Cookie","value":"b=2"}])
        );
        assert!(headers.get("connection").is_none() && headers.get("x-amz-cf-id").is_none());
    }

    #[test]
    fn header_values_that_are_not_utf8_are_latin_1() {
        assert_eq!(header_text("é".as_bytes()), "é");
        assert_eq!(header_text(b"\xe9"), "é");
    }
}
