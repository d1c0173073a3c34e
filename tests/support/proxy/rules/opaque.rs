//! `ETag`s that are no MD5, as S3 gives them where a KMS key encrypts: in answers the emulator's
//! digests are turned around, and in requests turned back.

use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};

use super::super::classify::Request;
use super::super::reply::Reply;
use super::World;

/// Of an MD5 in hex.
const LENGTH: usize = 32;

pub fn adapt(world: &World, request: &mut Request) {
    if !world.rules.opaque_etags || request.service() != "s3" {
        return;
    }
    headers(&mut request.headers, &["if-match", "if-none-match"]);
    if ["s3:DeleteObjects", "s3:CompleteMultipartUpload"].contains(&request.operation.as_str()) {
        request.body = turned(&String::from_utf8_lossy(&request.body)).into();
    }
}

pub fn settle(world: &World, request: &Request, reply: &mut Reply) {
    if !world.rules.opaque_etags || request.service() != "s3" {
        return;
    }
    headers(&mut reply.headers, &["etag"]);
    if request.operation != "s3:GetObject" && !reply.body.is_empty() {
        reply.body = turned(&reply.text()).into();
        reply.headers.remove(CONTENT_LENGTH);
    }
}

fn headers(headers: &mut HeaderMap, names: &[&'static str]) {
    for name in names {
        if let Some(value) = headers.get(*name).and_then(|value| value.to_str().ok()) {
            let turned = HeaderValue::from_str(&turned(value)).unwrap();
            headers.insert(*name, turned);
        }
    }
}

/// The text with every word that is an MD5 turned around.
fn turned(text: &str) -> String {
    let mut turned = String::with_capacity(text.len());
    for part in text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let is_md5 = word.len() == LENGTH && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        turned += &if is_md5 { word.chars().rev().collect() } else { word.to_owned() };
        turned += &part[word.len()..];
    }
    turned
}
