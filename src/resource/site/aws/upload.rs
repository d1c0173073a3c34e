//! How an object's bytes get to S3: from their file, in one piece or in parts, never all in memory.
//!
//! Each piece carries the MD5 that was planned, and S3 refuses other bytes (docs/aws.md,
//! "Content-MD5"). So the file is read once for the plan and once for each try, and what was read
//! need not be held until it is proven.

use super::observe::uploads;
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::change::{Fault, Later};
use crate::context::Context;
use crate::name::AccountId;
use crate::resource::content::{Content, Digest, Parts, Source};
use crate::resource::site::{Put, unquoted};
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::HashMap;
use std::time::Duration;

/// S3's code for bytes that are not those of their `Content-MD5`.
const BAD_DIGEST: &str = "BadDigest";

/// How an upload ended.
pub(super) enum Sent {
    /// With this `ETag`.
    Stored(String),
    /// The user stopped it.
    Stopped(Later),
}

/// One object on its way.
#[derive(Clone, Copy)]
pub(super) struct Upload<'a> {
    pub clients: &'a Clients,
    pub account: &'a AccountId,
    pub put: &'a Put,
    pub metadata: &'a HashMap<String, String>,
}

/// A request that begins an upload, with what S3 keeps beside the bytes. Two types of the SDK have
/// the same setters.
macro_rules! described {
    ($upload:expr, $request:expr) => {{
        let headers = &$upload.put.content.headers;
        $request
            .set_content_type(said(&headers.content_type))
            .set_cache_control(said(&headers.cache_control))
            .set_content_encoding(said(&headers.content_encoding))
            .set_content_language(said(&headers.content_language))
            .set_content_disposition(said(&headers.content_disposition))
            .set_metadata(Some($upload.metadata.clone()))
    }};
}

impl Upload<'_> {
    /// Sends the bytes.
    ///
    /// # Errors
    /// The call's, and that the file is not as planned.
    pub(super) async fn send(self, context: &Context<'_>) -> Result<Sent, Fault> {
        let planned = &self.put.content;
        planned.is_as_planned()?;
        let sent = match &planned.parts {
            None => self.whole().await,
            Some(parts) => self.in_parts(parts, context).await,
        };
        sent.map_err(|fault| match fault.code.as_deref() {
            // Either the file has changed, or the bytes were damaged on their way.
            Some(BAD_DIGEST) => match planned.copy_to(&mut std::io::sink()) {
                Ok(()) => fault,
                Err(changed) => {
                    let Fault { code, request_id, .. } = fault;
                    Fault { code, request_id, ..changed }
                }
            },
            // A file that became shorter breaks its own upload off.
            _ => planned.is_as_planned().err().unwrap_or(fault),
        })
    }

    fn tried(self) -> String {
        format!("upload object {}", self.put.key)
    }

    async fn whole(self) -> Result<Sent, Fault> {
        let Put { bucket, key, content, before, .. } = self.put;
        let request = self.clients.s3.put_object().bucket(bucket.as_str()).key(key.as_str());
        let request = request.expected_bucket_owner(self.account.as_str());
        let request = described!(self, request)
            .content_md5(BASE64_STANDARD.encode(hex::decode(&content.md5).unwrap_or_default()))
            .body(body(content, 0, content.size).await?);
        let request = match before {
            Some(etag) => request.if_match(format!("\"{etag}\"")),
            None => request.if_none_match("*"),
        };
        let sent = request.send().await.map_err(|error| fault(self.tried(), &error))?;
        Ok(Sent::Stored(unquoted(sent.e_tag())))
    }

    /// Leaves nothing behind where it does not come to its end. What a run left that was killed goes
    /// before the next one begins: nobody could ever use it.
    async fn in_parts(self, parts: &Parts, context: &Context<'_>) -> Result<Sent, Fault> {
        let Put { bucket, key, .. } = self.put;
        let left = uploads(self.clients, self.account, bucket, Some(key.as_str())).await?;
        for (_, id) in left.iter().filter(|(left, _)| left == key) {
            self.abort(id).await?;
        }
        let request = self.clients.s3.create_multipart_upload().bucket(bucket.as_str());
        let request = request.key(key.as_str()).expected_bucket_owner(self.account.as_str());
        let request = described!(self, request);
        let begun = request.send().await.map_err(|error| fault(self.tried(), &error))?;
        let id = begun.upload_id.unwrap_or_default();
        let sent = self.pieces(parts, &id, context).await;
        if !matches!(sent, Ok(Sent::Stored(_))) {
            // Why it did not end weighs more than why its parts stay; the next apply of the file,
            // or the destroy, finds these.
            drop(self.abort(&id).await);
        }
        sent
    }

    async fn pieces(self, parts: &Parts, id: &str, context: &Context<'_>) -> Result<Sent, Fault> {
        let Put { bucket, key, content, before, .. } = self.put;
        let mut sent = Vec::new();
        for (number, digest) in (1..).zip(&parts.digests) {
            if context.stopped() {
                let reason = format!("the upload of {key} was stopped, and nothing of it stays");
                let try_again_after = Duration::ZERO;
                return Ok(Sent::Stopped(Later { reason, try_again_after, said: None }));
            }
            let tag = self.piece(parts, id, number, digest).await?;
            sent.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
        }
        let all = CompletedMultipartUpload::builder().set_parts(Some(sent)).build();
        let request = self.clients.s3.complete_multipart_upload().bucket(bucket.as_str());
        let request = request
            .key(key.as_str())
            .expected_bucket_owner(self.account.as_str())
            .upload_id(id)
            .mpu_object_size(i64::try_from(content.size).unwrap_or(i64::MAX))
            .multipart_upload(all);
        let request = match before {
            Some(etag) => request.if_match(format!("\"{etag}\"")),
            None => request.if_none_match("*"),
        };
        let sent = request.send().await.map_err(|error| fault(self.tried(), &error))?;
        Ok(Sent::Stored(unquoted(sent.e_tag())))
    }

    /// Sends one part, and returns its `ETag`.
    async fn piece(
        self,
        parts: &Parts,
        id: &str,
        number: i32,
        digest: &Digest,
    ) -> Result<Option<String>, Fault> {
        let Put { bucket, key, content, .. } = self.put;
        let begin = parts.size * u64::from(number.unsigned_abs() - 1);
        let length = parts.size.min(content.size - begin);
        let request = self.clients.s3.upload_part().bucket(bucket.as_str()).key(key.as_str());
        let request = request
            .expected_bucket_owner(self.account.as_str())
            .upload_id(id)
            .part_number(number)
            .content_md5(BASE64_STANDARD.encode(digest))
            .body(body(content, begin, length).await?);
        let tried = || format!("{}, part {number} of {}", self.tried(), parts.digests.len());
        let sent = request.send().await.map_err(|error| fault(tried(), &error))?;
        Ok(sent.e_tag)
    }

    async fn abort(self, id: &str) -> Result<(), Fault> {
        let Put { bucket, key, .. } = self.put;
        let request = self.clients.s3.abort_multipart_upload().bucket(bucket.as_str());
        let request = request.key(key.as_str()).upload_id(id);
        let sent = request.expected_bucket_owner(self.account.as_str()).send().await;
        let sent = sent.map_err(|error| fault(format!("abort an upload of {key}"), &error));
        crate::aws::fault::absent(sent).map(drop)
    }
}

/// A piece of the content. One from a file is opened and read anew for each try.
async fn body(content: &Content, begin: u64, length: u64) -> Result<ByteStream, Fault> {
    match &content.source {
        Source::Memory(bytes) => Ok(bytes.to_vec().into()),
        Source::File(path) => {
            let piece = ByteStream::read_from().path(path).offset(begin);
            let piece = piece.length(Length::Exact(length)).build().await;
            piece.map_err(|error| content.unread(&error))
        }
    }
}

/// A header's value, if it has one.
fn said(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}
