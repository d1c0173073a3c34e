//! The S3 endpoint that the function talks to: path-style, read only.
//!
//! Signatures are not verified, as the keys are made up; but the request must name the access key
//! that only the function was given. Without that, any page in a browser on this machine could try
//! to reach a real bucket's objects.

use super::behavior::object_key;
use super::conditions::Conditions;
use super::event::ViewerRequest;
use super::listing::ListingRequest;
use super::origin::{self, Reader, failure};
use super::{Objects, Reply};

/// Answers one S3 request.
pub(super) async fn answer(
    objects: &dyn Objects,
    bucket: &str,
    access_key: &str,
    request: &ViewerRequest,
) -> Reply {
    if !names_key(request, access_key) {
        return failure(403, "AccessDenied", "Access Denied", None);
    }
    if !["GET", "HEAD"].contains(&request.method.as_str()) {
        return failure(
            403,
            "AccessDenied",
            "Access Denied: provision dev offers read access only",
            None,
        );
    }
    let Some(path) = object_key(&request.uri) else {
        return failure(400, "InvalidURI", "Couldn't parse the specified URI.", None);
    };
    let (asked, key) = path.split_once('/').unwrap_or((&path, ""));
    if asked != bucket {
        return failure(
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
            Some(("BucketName", asked)),
        );
    }
    if !key.is_empty() {
        return match objects.get(key).await {
            Ok(object) => origin::read(
                Reader::Function,
                key,
                object,
                &Conditions::read(|name| request.header(name)),
            ),
            Err(text) => failure(500, "InternalError", &text, None),
        };
    }
    if request.method == "HEAD" {
        return Reply { body: "".into(), ..failure(200, "", "", None) };
    }
    let Some(listing) = ListingRequest::read(&request.querystring) else {
        return failure(
            501,
            "NotImplemented",
            "provision dev offers ListObjectsV2 without delimiter only",
            None,
        );
    };
    match objects.list(&listing.prefix).await {
        Ok(listed) => listing.answer(bucket, &listed),
        Err(text) => failure(500, "InternalError", &text, None),
    }
}

/// Whether the request, signed by header or by query, names this access key.
fn names_key(request: &ViewerRequest, access_key: &str) -> bool {
    let by_header =
        request.header("authorization").and_then(|value| value.split("Credential=").nth(1));
    let by_query =
        request.querystring.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="));
    [by_header, by_query].into_iter().flatten().any(|credential| credential.starts_with(access_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::event::tests::request;
    use crate::edge::origin::tests::page;
    use crate::edge::{Later, Listed, Object};

    struct One;

    impl Objects for One {
        fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>> {
            Box::pin(async move {
                match key {
                    "home.html" => Ok(Some(page())),
                    "broken" => Err("no network".to_owned()),
                    _ => Ok(None),
                }
            })
        }

        fn list<'a>(&'a self, _: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    #[tokio::test]
    async fn one_row_per_answer() {
        let signed = (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=DEVKEY/20261122/eu-west-1/s3/aws4_request, …",
        );
        let rows = [
            ("GET", "/bucket/home.html", vec![signed], 200),
            ("HEAD", "/bucket/home.html", vec![signed], 200),
            ("GET", "/bucket/home.html", vec![signed, ("If-None-Match", "\"abc\"")], 304),
            ("GET", "/bucket/missing", vec![signed], 404),
            ("GET", "/other/home.html", vec![signed], 404),
            ("GET", "/bucket/broken", vec![signed], 500),
            ("GET", "/bucket?list-type=2&prefix=a", vec![signed], 200),
            ("GET", "/bucket?acl", vec![signed], 501),
            ("HEAD", "/bucket", vec![signed], 200),
            ("PUT", "/bucket/home.html", vec![signed], 403),
            ("DELETE", "/bucket/home.html", vec![signed], 403),
            ("GET", "/bucket/home.html", vec![], 403),
            (
                "GET",
                "/bucket/home.html",
                vec![("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/…")],
                403,
            ),
            ("GET", "/bucket/home.html?X-Amz-Credential=DEVKEY%2F20261122", vec![], 200),
        ];
        for (method, target, headers, status) in rows {
            let mut asked = request(&headers);
            let (uri, query) = target.split_once('?').unwrap_or((target, ""));
            (asked.method, asked.uri, asked.querystring) =
                (method.into(), uri.into(), query.into());
            assert_eq!(
                answer(&One, "bucket", "DEVKEY", &asked).await.status,
                status,
                "{method} {target}"
            );
        }
    }
}
