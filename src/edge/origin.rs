//! What S3 answers to a read of one object.

use hyper::body::Bytes;

use super::conditions::{Answer, Conditions, whole_seconds};
use super::error_page::escaped;
use super::{Object, Reply};

/// Who asks: it decides what a missing key looks like (S3 API Reference, `GetObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// CloudFront through its origin access control, without `s3:ListBucket`: 403.
    Distribution,
    /// The function's role, which may list: 404.
    Function,
}

/// Answers a GET of `key`; for a HEAD the connection leaves the body away.
pub(super) fn read(
    reader: Reader,
    key: &str,
    object: Option<Object>,
    conditions: &Conditions,
) -> Reply {
    let Some(object) = object else {
        return match reader {
            Reader::Distribution => failure(403, "AccessDenied", "Access Denied", None),
            Reader::Function => {
                failure(404, "NoSuchKey", "The specified key does not exist.", Some(("Key", key)))
            }
        };
    };
    let length = object.body.len();
    let answer = conditions.decide(&object.etag, object.last_modified, length);
    let (status, body) = match &answer {
        Answer::Whole => (200, object.body.clone()),
        Answer::Part(range) => (206, object.body.slice(range.clone())),
        Answer::NotModified => (304, Bytes::new()),
        Answer::PreconditionFailed => {
            let text = "At least one of the pre-conditions you specified did not hold";
            return failure(412, "PreconditionFailed", text, None);
        }
        Answer::NotSatisfiable => {
            let mut reply =
                failure(416, "InvalidRange", "The requested range is not satisfiable", None);
            reply.headers.push(("content-range".into(), format!("bytes */{length}")));
            return reply;
        }
    };
    let mut headers = described(&object);
    if let Answer::Part(range) = answer {
        headers.push((
            "content-range".into(),
            format!("bytes {}-{}/{length}", range.start, range.end - 1),
        ));
    }
    Reply { status, description: None, headers, body }
}

/// S3's error document.
pub(super) fn failure(
    status: u16,
    code: &str,
    message: &str,
    detail: Option<(&str, &str)>,
) -> Reply {
    let detail = detail
        .map_or_else(String::new, |(name, value)| format!("<{name}>{}</{name}>", escaped(value)));
    let body = format!(
        "<?xml version=\"1.0\" \
            encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message>{detail}\
         <RequestId>PROVISIONDEV</RequestId><HostId>local</HostId></Error>",
        escaped(message)
    );
    Reply { status, description: None, headers: common("application/xml"), body: body.into() }
}

/// The headers that S3 sends with an object.
fn described(object: &Object) -> Vec<(String, String)> {
    let kind = object.headers.content_type.as_str();
    let mut headers = common(if kind.is_empty() { "binary/octet-stream" } else { kind });
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    add("etag", &object.etag);
    add("last-modified", &httpdate::fmt_http_date(whole_seconds(object.last_modified)));
    add("accept-ranges", "bytes");
    add("x-amz-server-side-encryption", "AES256");
    for (name, value) in object.headers.others() {
        add(name, value);
    }
    for (name, value) in &object.metadata {
        add(&format!("x-amz-meta-{}", name.to_lowercase()), value);
    }
    headers
}

fn common(content_type: &str) -> Vec<(String, String)> {
    let pairs = [
        ("server", "AmazonS3"),
        ("content-type", content_type),
        ("x-amz-request-id", "PROVISIONDEV"),
        ("x-amz-id-2", "local"),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::edge::ObjectHeaders;

    pub(in crate::edge) fn page() -> Object {
        Object {
            body: Bytes::from_static(b"<h1>home</h1>"),
            etag: "\"abc\"".into(),
            last_modified: UNIX_EPOCH + Duration::from_hours(500_000),
            headers: ObjectHeaders::new("text/html", "max-age=60"),
            metadata: BTreeMap::from([("provision-from".into(), "2026-11-22T10:00:00Z".into())]),
        }
    }

    fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
        reply.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn an_object_comes_with_everything_s3_says_about_it() {
        let reply = read(Reader::Distribution, "home.html", Some(page()), &Conditions::default());
        assert_eq!((reply.status, &reply.body[..]), (200, &b"<h1>home</h1>"[..]));
        for (name, value) in [
            ("etag", "\"abc\""),
            ("last-modified", "Fri, 15 Jan 2027 08:00:00 GMT"),
            ("content-type", "text/html"),
            ("cache-control", "max-age=60"),
            ("server", "AmazonS3"),
            ("accept-ranges", "bytes"),
            ("x-amz-meta-provision-from", "2026-11-22T10:00:00Z"),
        ] {
            assert_eq!(header(&reply, name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_missing_key_is_denied_to_the_distribution_and_not_found_for_the_function() {
        for (reader, status, code) in
            [(Reader::Distribution, 403, "AccessDenied"), (Reader::Function, 404, "NoSuchKey")]
        {
            let reply = read(reader, "a&b", None, &Conditions::default());
            assert_eq!(reply.status, status);
            assert!(String::from_utf8_lossy(&reply.body).contains(&format!("<Code>{code}</Code>")));
        }
    }

    #[test]
    fn parts_and_conditions_have_their_own_statuses() {
        for (name, value, status, length) in
            [("range", "bytes=1-2", 206, 2), ("if-none-match", "\"abc\"", 304, 0)]
        {
            let conditions = Conditions::read(|asked| (asked == name).then_some(value));
            let reply = read(Reader::Distribution, "home.html", Some(page()), &conditions);
            assert_eq!((reply.status, reply.body.len()), (status, length));
        }
        for (name, value, status) in [("range", "bytes=99-", 416), ("if-match", "\"x\"", 412)] {
            let conditions = Conditions::read(|asked| (asked == name).then_some(value));
            assert_eq!(
                read(Reader::Function, "home.html", Some(page()), &conditions).status,
                status
            );
        }
    }
}
