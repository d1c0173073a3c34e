//! `ListObjectsV2`, as far as a function may need it: prefix, start-after, max-keys, continuation,
//! URL encoding.

use super::behavior::object_key;
use super::conditions::whole_seconds;
use super::error_page::escaped;
use super::{Listed, Reply, origin};

/// S3's own upper bound for a page.
const MOST_KEYS: usize = 1000;

/// What a listing asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListingRequest {
    pub prefix: String,
    after: String,
    most: usize,
    url_encoded: bool,
}

impl ListingRequest {
    /// Reads the query string of a listing; `None`: it is not one of version 2, or asks for what is
    /// not offered here.
    pub(super) fn read(query: &str) -> Option<Self> {
        let mut asked = ListingRequest { most: MOST_KEYS, ..Self::default() };
        let mut version_2 = false;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = object_key(&format!("/{}", value.replace('+', "%20")))?;
            match name {
                "list-type" => version_2 = value == "2",
                "prefix" => asked.prefix = value,
                "start-after" if asked.after.is_empty() => asked.after = value,
                "continuation-token" => asked.after = value,
                "max-keys" => asked.most = value.parse::<usize>().ok()?.min(MOST_KEYS),
                "encoding-type" => asked.url_encoded = value == "url",
                "delimiter" if !value.is_empty() => return None,
                _ => {}
            }
        }
        version_2.then_some(asked)
    }

    /// Answers with the page of `objects`, which are all that have the prefix, in order.
    pub(super) fn answer(&self, bucket: &str, objects: &[Listed]) -> Reply {
        let rest: Vec<&Listed> = objects.iter().filter(|object| object.key > self.after).collect();
        let page = &rest[..rest.len().min(self.most)];
        let encode = |key: &str| {
            if self.url_encoded { url_encoded(key) } else { escaped(key) }
        };
        let contents: Vec<String> = page
            .iter()
            .map(|object| {
                format!(
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                    encode(&object.key),
                    iso(object.last_modified),
                    escaped(&object.etag),
                    object.size
                )
            })
            .collect();
        let contents = contents.concat();
        let next = match page.last() {
            Some(last) if page.len() < rest.len() => {
                format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last.key))
            }
            _ => String::new(),
        };
        let encoding = if self.url_encoded { "<EncodingType>url</EncodingType>" } else { "" };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
                xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>{bucket}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{}</MaxKeys>{encoding}\
             <IsTruncated>{}</IsTruncated>{next}{contents}</ListBucketResult>",
            encode(&self.prefix),
            page.len(),
            self.most,
            page.len() < rest.len(),
        );
        let mut reply = origin::failure(200, "", "", None);
        reply.body = body.into();
        reply
    }
}

fn url_encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The time as S3 writes it in XML: RFC 3339 with milliseconds that are always zero. Made from the
/// HTTP date, whose calendar is known to be right: `Fri, 15 Jan 2027 08:00:00 GMT`.
fn iso(time: std::time::SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = httpdate::fmt_http_date(whole_seconds(time));
    let words: Vec<&str> = date.split(' ').collect();
    let [_, day, month, year, clock, _] = words[..] else {
        return date;
    };
    let month = MONTHS.iter().position(|&name| name == month).map_or(1, |index| index + 1);
    format!("{year}-{month:02}-{day}T{clock}.000Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn listed(key: &str) -> Listed {
        Listed {
            key: key.into(),
            size: 1,
            etag: "\"e\"".into(),
            last_modified: UNIX_EPOCH + Duration::from_hours(500_000),
        }
    }

    #[test]
    fn pages_follow_each_other() {
        let objects = [listed("a b"), listed("c&d"), listed("é")];
        let text = |query: &str| {
            let reply = ListingRequest::read(query).unwrap().answer("bucket", &objects);
            String::from_utf8_lossy(&reply.body).into_owned()
        };
        let first = text("list-type=2&max-keys=2");
        assert!(first.contains(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>c&amp;d</NextContinuationToken>"
        ));
        assert!(first.contains("<LastModified>2027-01-15T08:00:00.000Z</LastModified>"));
        let second = text("list-type=2&continuation-token=c%26d&encoding-type=url");
        assert!(second.contains("<KeyCount>1</KeyCount>") && second.contains("<Key>%C3%A9</Key>"));
    }

    #[test]
    fn times_that_have_no_http_date_are_the_nearest_that_have_one() {
        assert_eq!(iso(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(UNIX_EPOCH + Duration::from_hours(70_389_528)), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn other_listings_are_not_offered() {
        for query in ["", "prefix=a", "list-type=2&delimiter=%2F", "list-type=2&max-keys=x"] {
            assert_eq!(ListingRequest::read(query), None, "{query}");
        }
    }
}
