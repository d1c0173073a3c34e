//! What the distribution itself decides: refusals, where the function stands, keys, custom errors,
//! headers.

use super::error_page::error_page;
use super::event::ViewerRequest;
use super::{Distribution, Reply};

/// A longer path and query is answered with 414, a larger request with 494 (docs/aws.md, "limits of
/// a request"). In bytes.
const URL_LIMIT: usize = 8192;
const REQUEST_LIMIT: usize = 32_768;

/// A rule that answers one status of the origin with another page (CloudFront API Reference,
/// `CustomErrorResponse`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomError {
    /// The origin's status.
    pub code: u16,
    /// Of the page, with a leading slash.
    pub page: String,
    /// The status that the visitor gets.
    pub answer: u16,
}

impl CustomError {
    /// The rules by which what is not there is the object under this key, with this status
    /// (docs/aws.md, "a single page needs 403 and 404").
    #[must_use]
    pub fn missing(key: &str, answer: u16) -> Vec<CustomError> {
        [403, 404].map(|code| CustomError { code, page: format!("/{key}"), answer }).into()
    }
}

/// Gives the answer to a request that CloudFront refuses before any function runs, or `None`.
/// `size` is that of request line and headers in bytes.
pub(super) fn refusal(
    request: &ViewerRequest,
    has_body: bool,
    size: usize,
    request_id: &str,
) -> Option<Reply> {
    let (status, text) = if request.target().len() > URL_LIMIT {
        (414, "The URL is too long.")
    } else if size > REQUEST_LIMIT {
        (494, "The request headers are too large.")
    } else if !["GET", "HEAD"].contains(&request.method.as_str()) {
        (
            403,
            "This distribution is not configured to allow the HTTP request method that was used \
                for this request. \
             The distribution supports only cachable requests.",
        )
    } else if has_body {
        (403, "Bad request.")
    } else {
        return None;
    };
    Some(error_page(status, text, request_id))
}

/// Whether the function stands in front of this path.
pub(super) fn function_runs(distribution: &Distribution, uri: &str) -> bool {
    distribution.function_on.iter().any(|pattern| {
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        matches(pattern.as_bytes(), uri.strip_prefix('/').unwrap_or(uri).as_bytes())
    })
}

/// Matches a path pattern: `*` is any run of characters, `?` is one; the rest is compared exactly.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < path.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|&wanted| wanted == b'?' || wanted == path[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            at = after + 1;
            seen = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&rest| rest == b'*')
}

/// The path with the default root object in place: for `/` only, never for a folder (CloudFront
/// Developer Guide, "Specify a default root object").
pub(super) fn rooted(distribution: &Distribution, uri: &str) -> String {
    match &distribution.default_root_object {
        Some(root) if uri == "/" => format!("/{root}"),
        _ => uri.to_owned(),
    }
}

/// The object key of a path: decoded, without the leading slash. `None`: not UTF-8, or a broken
/// escape.
pub(super) fn object_key(uri: &str) -> Option<String> {
    let path = uri.strip_prefix('/').unwrap_or(uri).as_bytes();
    let mut key = Vec::with_capacity(path.len());
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|&digit| char::from(digit).to_digit(16));
            let (high, low) = (digit()?, digit()?);
            key.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            key.push(byte);
        }
    }
    String::from_utf8(key).ok()
}

/// Makes an answer look as CloudFront sends it: what S3 says to CloudFront alone is gone, and it
/// says who it is (docs/aws.md, "headers that CloudFront adds").
pub(super) fn dress(mut reply: Reply, x_cache: &str, edge_id: &str, request_id: &str) -> Reply {
    reply.headers.retain(|(name, _)| !STRIPPED.contains(&name.as_str()));
    if !reply.headers.iter().any(|(name, _)| name == "server") {
        reply.headers.push(("server".into(), "CloudFront".into()));
    }
    let own = [
        ("x-cache", format!("{x_cache} from cloudfront")),
        ("via", format!("1.1 {edge_id}.cloudfront.net (CloudFront)")),
        ("x-amz-cf-pop", "LOC50-P1".to_owned()),
        ("x-amz-cf-id", request_id.to_owned()),
    ];
    reply.headers.extend(own.map(|(name, value)| (name.to_owned(), value)));
    reply
}

/// Removed from what the origin says (docs/aws.md, "headers that CloudFront takes away"). A
/// generated response cannot hold them, but for its cookies, which pass.
const STRIPPED: [&str; 4] = ["x-amz-id-2", "x-amz-request-id", "trailer", "upgrade"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::event::tests::{distribution, request};

    #[test]
    fn only_reads_without_a_body_and_of_sane_size_pass() {
        let mut long = request(&[]);
        long.uri = "/".repeat(8193);
        let mut post = request(&[]);
        post.method = "POST".into();
        let mut options = request(&[]);
        options.method = "OPTIONS".into();
        let rows = [
            (request(&[]), false, 100, None),
            (request(&[]), true, 100, Some(403)),
            (request(&[]), false, 32_769, Some(494)),
            (long, false, 100, Some(414)),
            (post, false, 100, Some(403)),
            (options, false, 100, Some(403)),
        ];
        for (request, has_body, size, status) in rows {
            assert_eq!(refusal(&request, has_body, size, "id").map(|reply| reply.status), status);
        }
    }

    #[test]
    fn path_patterns_are_cloudfronts() {
        for (pattern, path, stands) in [
            ("*", "/", true),
            ("/app/*", "/app/a/b.js", true),
            ("app/*", "/app/", true),
            ("/app/*", "/app", false),
            ("*.jpg", "/a/b.jpg", true),
            ("/a?c", "/abc", true),
            ("/A", "/a", false),
            ("/*/b/*c", "/x/b/y/b/zc", true),
            ("/a", "/ab", false),
        ] {
            let mut there = distribution();
            there.function_on = vec![pattern.into()];
            assert_eq!(function_runs(&there, path), stands, "{pattern} {path}");
        }
        let nowhere = Distribution { function_on: Vec::new(), ..distribution() };
        assert!(!function_runs(&nowhere, "/"));
    }

    #[test]
    fn the_root_object_is_for_the_root_only() {
        for (uri, rooted_uri) in [("/", "/home.html"), ("/docs/", "/docs/"), ("/a", "/a")] {
            assert_eq!(rooted(&distribution(), uri), rooted_uri);
        }
        assert_eq!(rooted(&Distribution { default_root_object: None, ..distribution() }, "/"), "/");
    }

    #[test]
    fn keys_are_decoded_once() {
        for (uri, key) in [
            ("/a%20b", Some("a b")),
            ("/%C3%A9", Some("é")),
            ("/a+b", Some("a+b")),
            ("/%2541", Some("%41")),
            ("/%ff", None),
            ("/%4", None),
            ("/", Some("")),
            ("//a", Some("/a")),
        ] {
            assert_eq!(object_key(uri).as_deref(), key, "{uri}");
        }
    }

    #[test]
    fn the_origins_own_headers_are_stripped_and_cloudfronts_are_set() {
        let from_s3 = Reply {
            status: 200,
            description: None,
            headers: [
                ("server", "AmazonS3"),
                ("x-amz-id-2", "x"),
                ("x-amz-request-id", "x"),
                ("x-amz-meta-a", "b"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            body: "".into(),
        };
        let dressed = dress(from_s3, "Miss", "0a1b", "id==");
        let lines: Vec<String> =
            dressed.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            lines,
            [
                "server: AmazonS3",
                "x-amz-meta-a: b",
                "x-cache: Miss from cloudfront",
                "via: 1.1 0a1b.cloudfront.net (CloudFront)",
                "x-amz-cf-pop: LOC50-P1",
                "x-amz-cf-id: id==",
            ]
        );
    }
}
