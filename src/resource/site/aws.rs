//! Objects on the wire.

use super::{CONCURRENCY, Fetched, Inventory, Live, Object, Op, STACK_METADATA, Settings};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::name::{AccountId, BucketName, ObjectKey, StackName};
use crate::resource::bucket::ObjectVersion;
use crate::resource::content::Content;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Lists the objects; unexpected ones are asked whether they carry our mark.
///
/// # Errors
/// Any call's.
pub async fn observe(
    clients: &Clients,
    account: &AccountId,
    stack: &StackName,
    bucket: &BucketName,
    expected: &Settings,
    page_keys: [&ObjectKey; 2],
) -> Result<Live, Fault> {
    let mut pages = clients.s3.list_objects_v2().bucket(bucket.as_str()).expected_bucket_owner(account.as_str()).into_paginator().send();
    let mut objects = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| fault(format!("list the objects of bucket {bucket}"), &error))?;
        for object in page.contents.unwrap_or_default() {
            let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
            if let Some(key) = object.key.map(ObjectKey::listed) {
                objects.insert(key, Object { etag: unquoted(object.e_tag), size });
            }
        }
    }
    let mut live = Live { objects, ..Live::default() };
    live.marked =
        marked(clients, account, stack, bucket, live.foreign(expected, page_keys).map(|key| (key.clone(), None)).collect()).await?;
    Ok(live)
}

/// Lists every version, marker and upload; the objects are the latest versions.
///
/// # Errors
/// Any call's.
pub async fn observe_all(
    clients: &Clients,
    account: &AccountId,
    stack: &StackName,
    bucket: &BucketName,
    expected: &Settings,
    page_keys: [&ObjectKey; 2],
) -> Result<(Live, Inventory), Fault> {
    let mut live = Live::default();
    // S3 lists the versions of a key from the newest to the oldest.
    let mut newest: BTreeMap<ObjectKey, String> = BTreeMap::new();
    let mut inventory = Inventory::default();
    let (mut key_marker, mut version_marker) = (None, None);
    loop {
        let page = clients
            .s3
            .list_object_versions()
            .bucket(bucket.as_str())
            .expected_bucket_owner(account.as_str())
            .set_key_marker(key_marker)
            .set_version_id_marker(version_marker)
            .send()
            .await
            .map_err(|error| fault(format!("list the object versions of bucket {bucket}"), &error))?;
        for version in page.versions.unwrap_or_default() {
            let Some(key) = version.key.map(ObjectKey::listed) else { continue };
            let size = u64::try_from(version.size.unwrap_or_default()).unwrap_or_default();
            if version.is_latest == Some(true) {
                live.objects.insert(key.clone(), Object { etag: unquoted(version.e_tag), size });
            }
            let version = version.version_id.unwrap_or_else(|| "null".into());
            newest.entry(key.clone()).or_insert_with(|| version.clone());
            inventory.versions.push(ObjectVersion { key, version });
        }
        for marker in page.delete_markers.unwrap_or_default() {
            if let Some(key) = marker.key.map(ObjectKey::listed) {
                inventory.versions.push(ObjectVersion { key, version: marker.version_id.unwrap_or_else(|| "null".into()) });
            }
        }
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
        if page.is_truncated != Some(true) || key_marker.is_none() {
            break;
        }
    }
    inventory.uploads = uploads(clients, account, bucket).await?;
    inventory.versions.sort();
    live.buried = newest.keys().filter(|key| !live.objects.contains_key(*key)).cloned().collect();
    let version = |key: &ObjectKey| newest.get(key).filter(|_| live.buried.contains(key)).cloned();
    let unproven = live.foreign(expected, page_keys).map(|key| (key.clone(), version(key))).collect();
    live.marked = marked(clients, account, stack, bucket, unproven).await?;
    Ok((live, inventory))
}

async fn uploads(clients: &Clients, account: &AccountId, bucket: &BucketName) -> Result<Vec<(ObjectKey, String)>, Fault> {
    let mut uploads = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let page = clients
            .s3
            .list_multipart_uploads()
            .bucket(bucket.as_str())
            .expected_bucket_owner(account.as_str())
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker)
            .send()
            .await
            .map_err(|error| fault(format!("list the incomplete uploads of bucket {bucket}"), &error))?;
        for upload in page.uploads.unwrap_or_default() {
            if let (Some(key), Some(id)) = (upload.key.map(ObjectKey::listed), upload.upload_id) {
                uploads.push((key, id));
            }
        }
        (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
        if page.is_truncated != Some(true) || key_marker.is_none() {
            return Ok(uploads);
        }
    }
}

/// Asks objects (a given version, or the current one) whether they carry our mark.
async fn marked(
    clients: &Clients,
    account: &AccountId,
    stack: &StackName,
    bucket: &BucketName,
    unproven: Vec<(ObjectKey, Option<String>)>,
) -> Result<BTreeSet<ObjectKey>, Fault> {
    stream::iter(unproven)
        .map(|(key, version)| async move {
            let request = clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str()).expected_bucket_owner(account.as_str());
            let sent = request.set_version_id(version).send().await;
            let head = absent(sent.map_err(|error| fault(format!("look at object {key}"), &error)))?;
            let mark = head.and_then(|head| head.metadata).and_then(|metadata| metadata.get(STACK_METADATA).cloned());
            Ok::<_, Fault>((mark.as_deref() == Some(stack.as_str())).then_some(key))
        })
        .buffer_unordered(CONCURRENCY)
        .try_filter_map(|key| async move { Ok(key) })
        .try_collect()
        .await
}

fn unquoted(etag: Option<String>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(clients: &Clients, account: &AccountId, op: &Op) -> Result<Done, Fault> {
    match op {
        Op::Put { bucket, stack, key, content, before } => {
            put(clients, account, bucket, key, content, before.as_deref(), [(STACK_METADATA.to_owned(), stack.to_string())].into()).await
        }
        Op::Delete { bucket, key, before } => {
            let sent = clients
                .s3
                .delete_object()
                .bucket(bucket.as_str())
                .key(key.as_str())
                .expected_bucket_owner(account.as_str())
                .if_match(format!("\"{before}\""))
                .send()
                .await;
            match absent(sent.map_err(|error| fault(format!("delete object {key}"), &error)))? {
                Some(_) => Ok(Done::Changed(String::new())),
                None => Ok(Done::AlreadySo),
            }
        }
    }
}

/// Uploads one object, guarded by the ETag that was seen.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where somebody else wrote in between, unless what they wrote is the same.
pub async fn put(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &ObjectKey,
    content: &Content,
    before: Option<&str>,
    metadata: BTreeMap<String, String>,
) -> Result<Done, Fault> {
    let metadata: HashMap<String, String> = metadata.into_iter().collect();
    let request = clients
        .s3
        .put_object()
        .bucket(bucket.as_str())
        .key(key.as_str())
        .expected_bucket_owner(account.as_str())
        .content_type(&content.content_type)
        .cache_control(&content.cache_control)
        .set_metadata(Some(metadata.clone()))
        .body(content.read()?.into());
    let request = match before {
        Some(etag) => request.if_match(format!("\"{etag}\"")),
        None => request.if_none_match("*"),
    };
    match request.send().await.map_err(|error| fault(format!("upload object {key}"), &error)) {
        Ok(_) => Ok(Done::Changed(String::new())),
        // A lost reply of ours, or another run of the same plan: the same bytes with the same metadata are the same object.
        Err(fault) if fault.kind == FaultKind::MovedOn => {
            let sent = clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str()).send().await;
            match sent {
                Ok(head) if unquoted(head.e_tag.clone()) == content.md5 && head.metadata() == Some(&metadata) => Ok(Done::AlreadySo),
                _ => Err(fault),
            }
        }
        Err(fault) => Err(fault),
    }
}

/// Reads one object.
///
/// # Errors
/// The call's.
pub async fn fetch(clients: &Clients, bucket: &BucketName, key: &str) -> Result<Option<Fetched>, Fault> {
    let tried = format!("read object {key}");
    let sent = clients.s3.get_object().bucket(bucket.as_str()).key(key).send().await;
    let Some(answer) = absent(sent.map_err(|error| fault(&tried, &error)))? else { return Ok(None) };
    let modified = answer.last_modified().and_then(|moment| u64::try_from(moment.secs()).ok()).unwrap_or_default();
    let (etag, content_type, cache_control) = (answer.e_tag.unwrap_or_default(), answer.content_type, answer.cache_control);
    let (content_encoding, metadata) = (answer.content_encoding, answer.metadata.unwrap_or_default().into_iter().collect());
    let body = answer.body.collect().await.map_err(|error| Fault::new(FaultKind::Unreachable, tried, error.to_string()))?.to_vec();
    Ok(Some(Fetched { body, etag, modified, content_type, cache_control, content_encoding, metadata }))
}

/// Lists the objects below `prefix`: key, object, and when it was written in seconds since the Unix epoch.
///
/// # Errors
/// The call's.
pub async fn list(clients: &Clients, bucket: &BucketName, prefix: &str) -> Result<Vec<(String, Object, u64)>, Fault> {
    let mut pages = clients.s3.list_objects_v2().bucket(bucket.as_str()).prefix(prefix).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| fault(format!("list the objects of bucket {bucket}"), &error))?;
        all.extend(page.contents.unwrap_or_default().into_iter().map(|object| {
            let modified = object.last_modified().and_then(|moment| u64::try_from(moment.secs()).ok()).unwrap_or_default();
            let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
            (object.key.unwrap_or_default(), Object { etag: unquoted(object.e_tag), size }, modified)
        }));
    }
    Ok(all)
}
