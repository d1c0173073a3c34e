//! Answers, and AWS's errors in the form that each service gives them.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::classify::Request;
use super::xml::Element;

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self { status, headers: HeaderMap::new(), body: body.into() };
        reply.set_header("content-type", content_type);
        reply.set_header("x-amzn-requestid", REQUEST_ID);
        reply
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.set_header(name, value);
        self
    }

    pub fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn set_json(&mut self, value: &serde_json::Value) {
        self.body = value.to_string().into();
    }
}

pub const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// An error in the form of the service that `request` is for.
pub fn error(request: &Request, status: u16, code: &str, message: &str) -> Reply {
    let text = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    match request.service() {
        "s3" if request.method == Method::HEAD => Reply::new(status, "application/xml", ""),
        "s3" => Reply::new(
            status,
            "application/xml",
            format!(
                "<?xml version=\"1.0\" \
                    encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{text}</Message>\
                 <RequestId>{REQUEST_ID}</RequestId></Error>"
            ),
        ),
        "lambda" => {
            let kind = if status < 500 { "User" } else { "Service" };
            let body = serde_json::json!({ "Type": kind, "message": message, "Message": message });
            Reply::new(status, "application/json", body.to_string())
                .with_header("x-amzn-errortype", code)
        }
        "logs" => {
            let body = serde_json::json!({ "__type": code, "message": message });
            Reply::new(status, "application/x-amz-json-1.1", body.to_string())
        }
        service => {
            let namespace = match service {
                "cloudfront" => "http://cloudfront.amazonaws.com/doc/2020-05-31/",
                "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
                _ => "https://sts.amazonaws.com/doc/2011-06-15/",
            };
            Reply::new(
                status,
                "text/xml",
                format!(
                    "<?xml version=\"1.0\"?>\n<ErrorResponse \
                        xmlns=\"{namespace}\"><Error><Type>{kind}</Type>\
                     <Code>{code}</Code><Message>{text}</Message></Error><RequestId>{REQUEST_ID}</RequestId>\
                     </ErrorResponse>"
                ),
            )
        }
    }
}

pub fn throttled(request: &Request) -> Reply {
    match request.service() {
        "s3" => error(request, 503, "SlowDown", "Please reduce your request rate."),
        "lambda" => error(request, 429, "TooManyRequestsException", "Rate exceeded"),
        "logs" => error(request, 400, "ThrottlingException", "Rate exceeded"),
        _ => error(request, 400, "Throttling", "Rate exceeded"),
    }
}

pub fn broken(request: &Request, status: u16) -> Reply {
    let code = match (request.service(), status) {
        ("lambda", _) => "ServiceException",
        ("logs", _) => "ServiceUnavailableException",
        ("iam" | "sts", 500) => "ServiceFailure",
        (_, 503) => "ServiceUnavailable",
        _ => "InternalError",
    };
    error(request, status, code, "We encountered an internal error. Please try again.")
}

pub fn clock_skew(request: &Request) -> Reply {
    match request.service() {
        "s3" => error(
            request,
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        "lambda" => error(request, 403, "InvalidSignatureException", SIGNATURE_EXPIRED),
        "logs" => error(request, 400, "InvalidSignatureException", SIGNATURE_EXPIRED),
        _ => error(request, 403, "SignatureDoesNotMatch", SIGNATURE_EXPIRED),
    }
}

const SIGNATURE_EXPIRED: &str = "Signature expired: 20000101T000000Z is now earlier than \
    20000101T001000Z (20000101T001500Z - 5 min.)";

pub fn expired_credentials(request: &Request) -> Reply {
    match request.service() {
        "s3" => error(request, 400, "ExpiredToken", "The provided token has expired."),
        "lambda" => error(request, 403, "ExpiredTokenException", TOKEN_EXPIRED),
        "logs" => error(request, 400, "ExpiredTokenException", TOKEN_EXPIRED),
        _ => error(request, 403, "ExpiredToken", TOKEN_EXPIRED),
    }
}

const TOKEN_EXPIRED: &str = "The security token included in the request is expired";

/// docs/aws.md, "conditional writes".
pub fn conflict(request: &Request) -> Reply {
    let (code, text) = ("ConditionalRequestConflict", "A conflicting operation occurred.");
    if request.operation != "s3:DeleteObjects" {
        return error(request, 409, code, text);
    }
    let sent = Element::parse(&request.body).unwrap_or_default();
    let told = |object: &Element| {
        let key = Element::new("Key", object.text_at(&["Key"]));
        let children = vec![key, Element::new("Code", code), Element::new("Message", text)];
        Element { children, ..Element::new("Error", "") }
    };
    let children = sent.children.iter().filter(|sent| sent.name == "Object").map(told).collect();
    let answer = Element { children, ..Element::new("DeleteResult", "") };
    Reply::new(200, "application/xml", answer.document("http://s3.amazonaws.com/doc/2006-03-01/"))
}

pub fn denied(request: &Request) -> Reply {
    let operation = &request.operation;
    let message = format!(
        "User: arn:aws:iam::{}:user/test is not authorized to perform: {operation} because no \
            identity-based policy \
         allows the {operation} action",
        request.account()
    );
    match request.service() {
        "lambda" => error(request, 403, "AccessDeniedException", &message),
        "logs" => error(request, 400, "AccessDeniedException", &message),
        _ => error(request, 403, "AccessDenied", &message),
    }
}
