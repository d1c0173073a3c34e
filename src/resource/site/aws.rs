//! Objects on the wire.

use super::index::{self, Served};
use super::{CONCURRENCY, Fetched, FoundIndex, Inventory, Live, Look, Object, Op, PATIENCE};
use super::{Settings, is_marked, mark};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::name::{AccountId, BucketName, ObjectKey, StackName};
use crate::resource::bucket::ObjectVersion;
use crate::resource::content::Content;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use futures_util::{StreamExt, stream, try_join};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whose objects are looked at, and where.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The bucket's owner.
    pub account: &'a AccountId,
    /// Whose mark makes an object ours.
    pub stack: &'a StackName,
    /// The bucket.
    pub bucket: &'a BucketName,
    /// The page's.
    pub page_keys: [&'a ObjectKey; 2],
}

/// A key, what lies under it, and when it was written.
type Listed = Vec<(ObjectKey, Object, u64)>;

/// Lists the objects and reads the index; what that does not prove to be ours is asked.
///
/// # Errors
/// Any call's.
pub async fn observe(
    clients: &Clients,
    place: Place<'_>,
    expected: &Settings,
) -> Result<Live, Fault> {
    let (listed, index) = try_join!(listed(clients, place), index(clients, place))?;
    let mut live = Live { index, ..Live::default() };
    let unproven = live.unproven(listed, expected, place.page_keys);
    live.looks =
        look(clients, place, unproven.into_iter().map(|key| (key, None)).collect()).await?;
    Ok(live)
}

async fn listed(clients: &Clients, place: Place<'_>) -> Result<Listed, Fault> {
    let Place { account, bucket, .. } = place;
    let request = clients
        .s3
        .list_objects_v2()
        .bucket(bucket.as_str())
        .expected_bucket_owner(account.as_str());
    let mut pages = request.into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| fault(format!("list the objects of bucket {bucket}"), &error))?;
        for object in page.contents.unwrap_or_default() {
            let modified = seconds(object.last_modified());
            let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
            if let Some(key) = object.key.map(ObjectKey::listed) {
                listed.push((key, Object { etag: unquoted(object.e_tag), size }, modified));
            }
        }
    }
    Ok(listed)
}

/// Lists every version, marker and upload; the objects are the latest versions.
///
/// # Errors
/// Any call's.
pub async fn observe_all(clients: &Clients, place: Place<'_>) -> Result<(Live, Inventory), Fault> {
    let (versions, index, uploads) = try_join!(
        versions(clients, place),
        index(clients, place),
        uploads(clients, place.account, place.bucket)
    )?;
    let Versions { listed, newest, mut inventory } = versions;
    inventory.uploads = uploads;
    inventory.versions.sort();
    let mut live = Live { index, ..Live::default() };
    let latest: BTreeSet<&ObjectKey> = listed.iter().map(|(key, ..)| key).collect();
    live.buried = newest.keys().filter(|key| !latest.contains(*key)).cloned().collect();
    let unproven = live.unproven(listed, &Settings::default(), place.page_keys);
    let version = |key: &ObjectKey| newest.get(key).filter(|_| live.buried.contains(key)).cloned();
    let unproven = unproven.into_iter().map(|key| {
        let version = version(&key);
        (key, version)
    });
    let unproven = unproven.collect();
    live.looks = look(clients, place, unproven).await?;
    Ok((live, inventory))
}

#[derive(Default)]
struct Versions {
    listed: Listed,
    /// S3 lists the versions of a key from the newest to the oldest.
    newest: BTreeMap<ObjectKey, String>,
    inventory: Inventory,
}

async fn versions(clients: &Clients, place: Place<'_>) -> Result<Versions, Fault> {
    let Place { account, bucket, .. } = place;
    let mut found = Versions::default();
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
            .map_err(|error| {
                fault(format!("list the object versions of bucket {bucket}"), &error)
            })?;
        for version in page.versions.unwrap_or_default() {
            let modified = seconds(version.last_modified());
            let Some(key) = version.key.map(ObjectKey::listed) else { continue };
            let size = u64::try_from(version.size.unwrap_or_default()).unwrap_or_default();
            if version.is_latest == Some(true) {
                let etag = unquoted(version.e_tag.clone());
                found.listed.push((key.clone(), Object { etag, size }, modified));
            }
            let id = version.version_id.unwrap_or_else(|| "null".into());
            found.newest.entry(key.clone()).or_insert_with(|| id.clone());
            let etag = (id == "null").then(|| unquoted(version.e_tag));
            found.inventory.versions.push(ObjectVersion { key, version: id, etag });
        }
        for marker in page.delete_markers.unwrap_or_default() {
            if let Some(key) = marker.key.map(ObjectKey::listed) {
                let version = marker.version_id.unwrap_or_else(|| "null".into());
                found.inventory.versions.push(ObjectVersion { key, version, etag: None });
            }
        }
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
        if page.is_truncated != Some(true) || key_marker.is_none() {
            return Ok(found);
        }
    }
}

/// Reads the index, if it is not too large to be one.
async fn index(clients: &Clients, place: Place<'_>) -> Result<Option<FoundIndex>, Fault> {
    let found = read(clients, place.bucket, index::KEY, Some(index::LARGEST)).await?;
    Ok(found.map(|object| FoundIndex::judged(&object, place.stack)))
}

async fn uploads(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
) -> Result<Vec<(ObjectKey, String)>, Fault> {
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
            .map_err(|error| {
                fault(format!("list the incomplete uploads of bucket {bucket}"), &error)
            })?;
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

/// Asks objects (a given version, or the current one) whether they carry our mark, in this order
/// and until enough were found foreign.
async fn look(
    clients: &Clients,
    place: Place<'_>,
    unproven: Vec<(ObjectKey, Option<String>)>,
) -> Result<BTreeMap<ObjectKey, Look>, Fault> {
    let mut looks: BTreeMap<_, _> =
        unproven.iter().map(|(key, _)| (key.clone(), Look::Spared)).collect();
    let asked = unproven.into_iter().map(|(key, version)| ask(clients, place, key, version));
    let mut asked = stream::iter(asked).buffered(CONCURRENCY);
    let mut foreign = 0;
    while let Some(answer) = asked.next().await {
        let (key, look) = answer?;
        foreign += usize::from(look == Look::Foreign);
        looks.insert(key, look);
        if foreign == PATIENCE {
            break;
        }
    }
    Ok(looks)
}

async fn ask(
    clients: &Clients,
    place: Place<'_>,
    key: ObjectKey,
    version: Option<String>,
) -> Result<(ObjectKey, Look), Fault> {
    let request = clients.s3.head_object().bucket(place.bucket.as_str()).key(key.as_str());
    let request = request.expected_bucket_owner(place.account.as_str()).set_version_id(version);
    let head = absent(
        request.send().await.map_err(|error| fault(format!("look at object {key}"), &error)),
    )?;
    let Some(head) = head else { return Ok((key, Look::Foreign)) };
    let metadata = head.metadata.unwrap_or_default().into_iter().collect();
    let served = Served::found(head.content_type, head.cache_control, &metadata);
    let look = if is_marked(&metadata, place.stack, &key, place.page_keys) {
        Look::Ours(served)
    } else {
        Look::Foreign
    };
    Ok((key, look))
}

fn seconds(moment: Option<&DateTime>) -> u64 {
    moment.and_then(|moment| u64::try_from(moment.secs()).ok()).unwrap_or_default()
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
        Op::Put { bucket, stack, key, content, before, .. } => {
            put(
                clients,
                account,
                bucket,
                key,
                content,
                before.as_deref(),
                mark(stack, key).collect(),
            )
            .await
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
/// The call's; [`FaultKind::MovedOn`] where somebody else wrote in between, unless what they wrote
/// is the same.
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
        // A lost reply of ours, or another run of the same plan: the same bytes with the same
        // headers are the same object.
        Err(fault) if fault.kind == FaultKind::MovedOn => {
            let sent =
                clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str()).send().await;
            let is_it = |head: &HeadObjectOutput| {
                let served = (head.content_type(), head.cache_control());
                let wanted =
                    (Some(content.content_type.as_str()), Some(content.cache_control.as_str()));
                let same = unquoted(head.e_tag.clone()) == content.md5
                    && head.metadata() == Some(&metadata);
                same && served == wanted
            };
            match sent {
                Ok(head) if is_it(&head) => Ok(Done::AlreadySo),
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
pub async fn fetch(
    clients: &Clients,
    bucket: &BucketName,
    key: &str,
) -> Result<Option<Fetched>, Fault> {
    read(clients, bucket, key, None).await
}

/// Reads one object; where it has more than `most` bytes, without them.
async fn read(
    clients: &Clients,
    bucket: &BucketName,
    key: &str,
    most: Option<u64>,
) -> Result<Option<Fetched>, Fault> {
    let tried = format!("read object {key}");
    let sent = clients.s3.get_object().bucket(bucket.as_str()).key(key).send().await;
    let Some(answer) = absent(sent.map_err(|error| fault(&tried, &error)))? else {
        return Ok(None);
    };
    let modified = seconds(answer.last_modified());
    let size = u64::try_from(answer.content_length().unwrap_or_default()).unwrap_or_default();
    let (etag, content_type, cache_control) =
        (answer.e_tag.unwrap_or_default(), answer.content_type, answer.cache_control);
    let kms_key = answer.ssekms_key_id;
    let (content_encoding, metadata) =
        (answer.content_encoding, answer.metadata.unwrap_or_default().into_iter().collect());
    let body = match most {
        Some(most) if size > most => Vec::new(),
        _ => {
            let body = answer.body.collect().await;
            body.map_err(|error| Fault::new(FaultKind::Unreachable, tried, error.to_string()))?
                .to_vec()
        }
    };
    Ok(Some(Fetched {
        body,
        etag,
        modified,
        content_type,
        cache_control,
        content_encoding,
        metadata,
        kms_key,
    }))
}

/// Lists the objects below `prefix`: key, object, and when it was written in seconds since the Unix
/// epoch.
///
/// # Errors
/// The call's.
pub async fn list(
    clients: &Clients,
    bucket: &BucketName,
    prefix: &str,
) -> Result<Vec<(String, Object, u64)>, Fault> {
    let mut pages =
        clients.s3.list_objects_v2().bucket(bucket.as_str()).prefix(prefix).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| fault(format!("list the objects of bucket {bucket}"), &error))?;
        all.extend(page.contents.unwrap_or_default().into_iter().map(|object| {
            let modified = seconds(object.last_modified());
            let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
            (
                object.key.unwrap_or_default(),
                Object { etag: unquoted(object.e_tag), size },
                modified,
            )
        }));
    }
    Ok(all)
}
