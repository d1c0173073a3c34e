//! Lists what is in the bucket, and asks the objects that the index does not prove to be ours.

use super::headers;
use super::{Listed, Listing, Place, list, read, seconds};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::Fault;
use crate::name::{AccountId, BucketName, ObjectKey};
use crate::resource::bucket::ObjectVersion;
use crate::resource::site::index::{self, Served};
use crate::resource::site::{
    CONCURRENCY, FoundIndex, Inventory, Live, Look, Object, PATIENCE, Settings, is_marked, unquoted,
};
use aws_sdk_s3::types::EncodingType;
use futures_util::{StreamExt, stream, try_join};

/// Lists the objects and reads the index; what that does not prove to be ours is asked.
pub(crate) async fn observe(
    clients: &Clients,
    place: Place<'_>,
    expected: &Settings,
) -> Result<Live, Fault> {
    let Place { account, bucket, .. } = place;
    let (listed, index) = try_join!(list(clients, account, bucket, None), index(clients, place))?;
    let mut live = Live { index, ..Live::default() };
    let unproven = live.unproven(listed, expected, place.page_keys);
    look(clients, place, &mut live, unproven.into_iter().map(|key| (key, None)).collect()).await?;
    Ok(live)
}

/// Lists every version, marker and upload; the objects are the latest versions.
pub(crate) async fn observe_all(
    clients: &Clients,
    place: Place<'_>,
) -> Result<(Live, Inventory), Fault> {
    let (versions, index, uploads) = try_join!(
        versions(clients, place),
        index(clients, place),
        uploads(clients, place.account, place.bucket, None)
    )?;
    let Versions { listed, older, mut inventory } = versions;
    inventory.uploads = uploads;
    inventory.versions.sort();
    let mut live = Live { index, ..Live::default() };
    let unproven = live.unproven(listed, &Settings::default(), place.page_keys);
    let current = unproven.into_iter().map(|key| (key, None));
    let older = older.into_iter().map(|(key, version)| (key, Some(version)));
    look(clients, place, &mut live, current.chain(older).collect()).await?;
    Ok((live, inventory))
}

#[derive(Default)]
struct Versions {
    listed: Listing,
    older: Vec<(ObjectKey, String)>,
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
            .encoding_type(EncodingType::Url)
            .set_key_marker(key_marker)
            .set_version_id_marker(version_marker)
            .send()
            .await
            .map_err(|error| {
                fault(format!("list the object versions of bucket {bucket}"), &error)
            })?;
        let keys = Listed(page.encoding_type.as_ref());
        for version in page.versions.unwrap_or_default() {
            let modified = seconds(version.last_modified());
            let etag = unquoted(version.e_tag());
            let Some(key) = version.key() else { continue };
            let key = keys.key(key)?;
            let size = u64::try_from(version.size.unwrap_or_default()).unwrap_or_default();
            let id = version.version_id.unwrap_or_else(|| "null".into());
            if version.is_latest == Some(true) {
                let object = Object { etag: etag.clone(), size };
                found.listed.push((key.clone(), object, modified));
            } else {
                found.older.push((key.clone(), id.clone()));
            }
            let etag = (id == "null").then_some(etag);
            found.inventory.versions.push(ObjectVersion { key, version: id, etag });
        }
        for marker in page.delete_markers.unwrap_or_default() {
            if let Some(key) = marker.key() {
                let key = keys.key(key)?;
                let version = marker.version_id.unwrap_or_else(|| "null".into());
                found.inventory.versions.push(ObjectVersion { key, version, etag: None });
            }
        }
        (key_marker, version_marker) =
            (keys.marker(page.next_key_marker)?, page.next_version_id_marker);
        if page.is_truncated != Some(true) || key_marker.is_none() {
            return Ok(found);
        }
    }
}

/// Reads the index, if it is not too large to be one.
async fn index(clients: &Clients, place: Place<'_>) -> Result<Option<FoundIndex>, Fault> {
    let found = read(clients, place.account, place.bucket, index::KEY, index::LARGEST).await?;
    Ok(found.map(|object| FoundIndex::judged(&object, place.stack, place.bucket)))
}

/// The uploads in parts that are under way, or those whose keys begin with `prefix`.
pub(super) async fn uploads(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    prefix: Option<&str>,
) -> Result<Vec<(ObjectKey, String)>, Fault> {
    let mut uploads = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let page = clients
            .s3
            .list_multipart_uploads()
            .bucket(bucket.as_str())
            .set_prefix(prefix.map(str::to_owned))
            .expected_bucket_owner(account.as_str())
            .encoding_type(EncodingType::Url)
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker)
            .send()
            .await
            .map_err(|error| {
                fault(format!("list the incomplete uploads of bucket {bucket}"), &error)
            })?;
        let keys = Listed(page.encoding_type.as_ref());
        for upload in page.uploads.unwrap_or_default() {
            if let (Some(key), Some(id)) = (upload.key, upload.upload_id) {
                uploads.push((keys.key(&key)?, id));
            }
        }
        (key_marker, id_marker) = (keys.marker(page.next_key_marker)?, page.next_upload_id_marker);
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
    live: &mut Live,
    unproven: Vec<(ObjectKey, Option<String>)>,
) -> Result<(), Fault> {
    for (key, version) in unproven.iter().cloned() {
        live.looked(key, version, Look::Spared);
    }
    let asked = unproven.into_iter().map(|(key, version)| ask(clients, place, key, version));
    let mut asked = stream::iter(asked).buffered(CONCURRENCY);
    let mut foreign = 0;
    while let Some(answer) = asked.next().await {
        let (key, version, look) = answer?;
        foreign += usize::from(look == Look::Foreign);
        live.looked(key, version, look);
        if foreign == PATIENCE {
            break;
        }
    }
    Ok(())
}

async fn ask(
    clients: &Clients,
    place: Place<'_>,
    key: ObjectKey,
    version: Option<String>,
) -> Result<(ObjectKey, Option<String>, Look), Fault> {
    let request = clients.s3.head_object().bucket(place.bucket.as_str()).key(key.as_str());
    let request = request.expected_bucket_owner(place.account.as_str());
    let request = request.set_version_id(version.clone());
    let head = absent(
        request.send().await.map_err(|error| fault(format!("look at object {key}"), &error)),
    )?;
    let Some(head) = head else { return Ok((key, version, Look::Foreign)) };
    let headers = headers!(head);
    let metadata = head.metadata.unwrap_or_default().into_iter().collect();
    let served = Served::found(headers, &metadata);
    let look = if is_marked(&metadata, (place.stack, place.bucket), &key, place.page_keys) {
        Look::Ours(served)
    } else {
        Look::Foreign
    };
    Ok((key, version, look))
}
