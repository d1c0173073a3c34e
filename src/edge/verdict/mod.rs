//! What CloudFront makes of a function's result (docs/aws.md, "a generated response", "request
//! edits", "invalid results are a 502").

use super::event::ViewerRequest;
use super::headers;
use super::{Reply, error_page};
use serde_json::{Map, Value};

mod request;
mod response;

/// What happens next.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// On to the origin, with the request as the function left it.
    Continue(ViewerRequest),
    /// The visitor gets this, as it is; it is never stored.
    Respond(Reply),
    /// The visitor gets CloudFront's own error page.
    Refused(Refusal),
}

/// Why a visitor gets an error page instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// 502 or 503.
    pub status: u16,
    /// Without ` from cloudfront`.
    pub x_cache: &'static str,
    /// What the page says.
    pub text: String,
    /// What the log says; the page does not give this away.
    pub reason: String,
}

/// The rules that a result must keep, and what is doubtful about it all the same.
#[derive(Debug, PartialEq)]
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub warnings: Vec<String>,
}

/// One broken rule: what CloudFront tells the visitor, and what it writes to the log.
struct Broken {
    text: &'static str,
    reason: String,
}

const RESULT: &str = "The Lambda function result failed validation: The body is not a string, is \
    not an object, or exceeds the maximum size.";
const HEADERS: &str = "The Lambda function returned an invalid entry in the headers object: Each \
    header entry in the headers object must be an array.";
const HEADER: &str = "The Lambda function returned an invalid entry in the headers object: The \
    header is read-only, is not allowed, or has an invalid value.";
const REQUEST: &str = "The Lambda function result failed validation: The request object has an \
    invalid or a read-only field.";
const STATUS: &str =
    "The Lambda function result failed validation: The status is missing or invalid.";
const NOT_JSON: &str =
    "The Lambda function returned invalid JSON: The JSON output must be an object type.";

/// Judges the `payload` that the function answered to the request that it had been `sent`.
pub(super) fn judge(payload: &[u8], sent: &ViewerRequest) -> Judgement {
    let mut warnings = Vec::new();
    let verdict = match serde_json::from_slice(payload) {
        Ok(Value::Object(result)) if result.contains_key("status") => {
            response::check(&result, &mut warnings).map(Verdict::Respond)
        }
        Ok(Value::Object(result)) => request::check(&result, sent).map(Verdict::Continue),
        Ok(other) => {
            Err(broken(NOT_JSON, format!("the result is {}, not an object", kind(&other))))
        }
        Err(error) => Err(broken(NOT_JSON, format!("the result is not JSON: {error}"))),
    };
    let verdict = verdict.unwrap_or_else(|Broken { text, reason }| {
        Verdict::Refused(Refusal {
            status: 502,
            x_cache: "LambdaValidationError",
            text: text.to_owned(),
            reason,
        })
    });
    Judgement { verdict, warnings }
}

impl Refusal {
    /// The function threw, ended, took too long, could not be started, or its result could not be
    /// marshalled.
    pub(super) fn execution(reason: String) -> Self {
        Refusal {
            status: 503,
            x_cache: "LambdaExecutionError",
            text: error_page::EXECUTION.to_owned(),
            reason,
        }
    }

    /// No instance became free in time.
    pub(super) fn throttled() -> Self {
        Refusal {
            status: 503,
            x_cache: "LambdaLimitExceeded",
            text: error_page::THROTTLED.to_owned(),
            reason: "throttled: all instances are busy".to_owned(),
        }
    }
}

fn broken(text: &'static str, reason: impl Into<String>) -> Broken {
    Broken { text, reason: reason.into() }
}

/// The word for a JSON value's type.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Reads a headers object: names, and arrays of `{key?, value}`. The returned lines are
/// `(name, key, value)`.
fn header_lines(result: &Map<String, Value>) -> Result<Vec<(String, String, String)>, Broken> {
    let map = match result.get("headers") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(other) => {
            return Err(broken(HEADERS, format!("headers is {}, not an object", kind(other))));
        }
    };
    let mut lines = Vec::new();
    for (name, entries) in map {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(broken(
                HEADERS,
                format!("the name {name} must be in lower case; its key may be spelled freely"),
            ));
        }
        if !headers::is_token(name) {
            return Err(broken(HEADER, format!("{name:?} is no header name")));
        }
        let Value::Array(entries) = entries else {
            return Err(broken(
                HEADERS,
                format!("{name} is {}, not an array of {{key, value}}", kind(entries)),
            ));
        };
        for entry in entries {
            let Some(value) = entry.get("value").and_then(Value::as_str) else {
                return Err(broken(
                    HEADERS,
                    format!("{name} has an entry without a value of type string"),
                ));
            };
            if let Some(character) = headers::bad_character(value) {
                let code = character as u32;
                return Err(broken(
                    HEADER,
                    format!(
                        "invalid character : '%{code:02X}' in header value, headerName : {name}"
                    ),
                ));
            }
            let key = entry.get("key").and_then(Value::as_str).unwrap_or(name);
            lines.push((name.clone(), key.to_owned(), value.to_owned()));
        }
    }
    Ok(lines)
}
