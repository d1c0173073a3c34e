//! Objects on the wire.

use crate::aws::Clients;
use crate::aws::body;
use crate::aws::fault::{NO_SUCH_BUCKET, absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, BucketName, ObjectKey, StackName};
use crate::resource::site::{Fetched, Object, Op, Put, unquoted};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::EncodingType;
use std::collections::{BTreeMap, HashMap};

mod listed;
mod observe;
mod upload;

pub(crate) use listed::Listed;
pub(crate) use observe::{observe, observe_all};
use upload::{Sent, Upload};

/// Whose objects are looked at, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The bucket's owner.
    pub account: &'a AccountId,
    /// Whose mark makes an object ours.
    pub stack: &'a StackName,
    pub bucket: &'a BucketName,
    pub page_keys: [&'a ObjectKey; 2],
}

fn seconds(moment: Option<&DateTime>) -> u64 {
    moment.and_then(|moment| u64::try_from(moment.secs()).ok()).unwrap_or_default()
}

pub(crate) async fn apply(
    clients: &Clients,
    account: &AccountId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    match op {
        Op::Put(op) => put(clients, account, op, op.marks(), context).await,
        Op::Delete { bucket, key, before } => {
            delete(clients, account, bucket, key, &context.etag(bucket, key, before)).await
        }
    }
}

/// Deletes one object, guarded by the `ETag` that was seen.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where another user wrote in between.
pub(crate) async fn delete(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &ObjectKey,
    before: &str,
) -> Result<Done, Fault> {
    let request = clients.s3.delete_object().bucket(bucket.as_str()).key(key.as_str());
    let request = request.expected_bucket_owner(account.as_str());
    let sent = request.if_match(format!("\"{before}\"")).send().await;
    let deleted = absent(sent.map_err(|error| fault(format!("delete object {key}"), &error)))?;
    Ok(deleted.map_or(Done::AlreadySo, |_| Done::Changed(String::new())))
}

/// Uploads one object with these metadata, guarded by the `ETag` that was seen.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where another user wrote in between, unless what they wrote
/// is the same, or took away what was to be replaced.
pub(crate) async fn put(
    clients: &Clients,
    account: &AccountId,
    put: &Put,
    metadata: BTreeMap<String, String>,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let planned = &put.content.md5;
    let put = &as_stored(put, context);
    let Put { bucket, key, content, .. } = put;
    let metadata: HashMap<String, String> = metadata.into_iter().collect();
    let upload = Upload { clients, account, put, metadata: &metadata };
    match upload.send(context).await {
        Ok(Sent::Stopped(later)) => Ok(Done::Deferred(later)),
        Ok(Sent::Stored(etag)) => {
            // Where a KMS key encrypts, the ETag is no MD5 (docs/aws.md, "the ETag is the MD5").
            if !etag.is_empty() && etag != *planned {
                let planned = (bucket.clone(), key.clone(), planned.clone());
                context.references(|known| known.stored.insert(planned, etag));
            }
            Ok(Done::Changed(String::new()))
        }
        // A lost reply of ours, or another run of the same plan: the same bytes with the same
        // headers are the same object.
        Err(fault) if fault.kind == FaultKind::MovedOn || is_ended(&fault) => {
            let request = clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str());
            let sent = request.expected_bucket_owner(account.as_str()).send().await;
            let is_it = |head: &HeadObjectOutput| {
                let same =
                    unquoted(head.e_tag()) == content.md5 && head.metadata() == Some(&metadata);
                same && headers!(head.clone()) == content.headers
            };
            match sent {
                Ok(head) if is_it(&head) => Ok(Done::AlreadySo),
                _ => Err(fault),
            }
        }
        // What was to be replaced is not there any more (docs/aws.md, "conditional writes").
        Err(fault) if is_absent_object(&fault) => Err(Fault { kind: FaultKind::MovedOn, ..fault }),
        Err(fault) => Err(fault),
    }
}

/// The same upload with the `ETag`s that came in place of those that were planned: in its guard,
/// and in what the index says.
fn as_stored(put: &Put, context: &Context<'_>) -> Put {
    let Put { bucket, key, before, .. } = put;
    let before = before.as_ref().map(|before| context.etag(bucket, key, before));
    let told = (key.as_str() == super::index::KEY).then(|| {
        context.references(|known| {
            let here = known.stored.iter().filter(|((at, ..), _)| at == bucket);
            let etags =
                here.map(|((_, key, planned), came)| (key, planned.as_str(), came.as_str()));
            super::index::stored(&put.content, etags)
        })
    });
    Put { before, content: told.flatten().unwrap_or_else(|| put.content.clone()), ..put.clone() }
}

/// The upload in parts that was to be completed is over: completed by a try whose reply was lost,
/// or aborted by another run.
fn is_ended(fault: &Fault) -> bool {
    fault.code.as_deref() == Some("NoSuchUpload")
}

fn is_absent_object(fault: &Fault) -> bool {
    fault.kind == FaultKind::NotFound && fault.code.as_deref() != Some(NO_SUCH_BUCKET)
}

/// What an answer of S3 says of how an object is served.
macro_rules! headers {
    ($answer:expr) => {{
        let said = |value: Option<&str>| value.unwrap_or_default().to_owned();
        $crate::edge::ObjectHeaders {
            content_type: said($answer.content_type()),
            cache_control: said($answer.cache_control()),
            content_encoding: said($answer.content_encoding()),
            content_language: said($answer.content_language()),
            content_disposition: said($answer.content_disposition()),
        }
    }};
}
pub(crate) use headers;

/// Reads one object.
pub(crate) async fn fetch(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &str,
) -> Result<Option<Fetched>, Fault> {
    read(clients, account, bucket, key, u64::MAX).await
}

/// Reads one object; where it has more than `most` bytes, without them.
async fn read(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &str,
    most: u64,
) -> Result<Option<Fetched>, Fault> {
    let tried = format!("read object {key}");
    let call = || async {
        let request = clients.s3.get_object().bucket(bucket.as_str()).key(key);
        let sent = request.expected_bucket_owner(account.as_str()).send().await;
        absent(sent.map_err(|error| fault(&tried, &error)))
    };
    let Some((answer, body)) = body::read(&tried, most, call).await? else { return Ok(None) };
    let (modified, body) = (seconds(answer.last_modified()), body.unwrap_or_default());
    if let Some(recording) = clients.recording.as_ref().filter(|_| key == super::index::KEY) {
        recording.was_read(key, &body);
    }
    let headers = headers!(answer);
    Ok(Some(Fetched {
        body,
        etag: answer.e_tag.unwrap_or_default(),
        modified,
        headers,
        metadata: answer.metadata.unwrap_or_default().into_iter().collect(),
        kms_key: answer.ssekms_key_id,
    }))
}

/// A key, what is under it, and when it was written, in seconds since the Unix epoch.
pub(crate) type Listing = Vec<(ObjectKey, Object, u64)>;

/// Lists the objects, or those below `prefix`.
pub(crate) async fn list(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    prefix: Option<&str>,
) -> Result<Listing, Fault> {
    let request = clients.s3.list_objects_v2().bucket(bucket.as_str());
    let request = request.set_prefix(prefix.map(str::to_owned)).encoding_type(EncodingType::Url);
    let mut pages = request.expected_bucket_owner(account.as_str()).into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| fault(format!("list the objects of bucket {bucket}"), &error))?;
        let keys = Listed(page.encoding_type.as_ref());
        for object in page.contents.unwrap_or_default() {
            let (etag, modified) = (unquoted(object.e_tag()), seconds(object.last_modified()));
            let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
            let Some(key) = object.key() else { continue };
            listed.push((keys.key(key)?, Object { etag, size }, modified));
        }
    }
    Ok(listed)
}
