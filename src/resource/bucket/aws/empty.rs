//! Empties the bucket: exactly the versions and uploads that were seen.

use super::write::incomplete;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault, in_answer};
use crate::change::Fault;
use crate::name::{AccountId, BucketName};
use crate::resource::bucket::{Empty, ObjectVersion};
use crate::resource::site::CONCURRENCY;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::{StreamExt, stream};

/// How many objects one call may delete (Amazon S3 API Reference, "DeleteObjects").
const BATCH: usize = 1000;

pub(super) async fn empty(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    Empty { versions, uploads }: &Empty,
) -> Result<(), Fault> {
    for (key, id) in uploads {
        let sent = clients
            .s3
            .abort_multipart_upload()
            .bucket(name.as_str())
            .key(key.as_str())
            .upload_id(id)
            .expected_bucket_owner(account.as_str())
            .send()
            .await;
        absent(sent.map_err(|error| fault(format!("abort the upload of {key}"), &error)))?;
    }
    let (plain, others): (Vec<_>, Vec<_>) =
        versions.iter().partition(|version| version.key.survives_xml());
    let singles = others.into_iter().cloned();
    let singles = singles.map(|version| delete(clients, account, name, version));
    let mut singles = stream::iter(singles).buffer_unordered(CONCURRENCY);
    while let Some(deleted) = singles.next().await {
        deleted?;
    }
    for batch in plain.chunks(BATCH) {
        let objects = batch
            .iter()
            .map(|version| {
                let (id, etag) = named(version);
                ObjectIdentifier::builder()
                    .key(version.key.as_str())
                    .set_version_id(id)
                    .set_e_tag(etag)
                    .build()
                    .map_err(|e| incomplete(&e))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(true)
            .build()
            .map_err(|e| incomplete(&e))?;
        let answer = clients
            .s3
            .delete_objects()
            .bucket(name.as_str())
            .expected_bucket_owner(account.as_str())
            .delete(delete)
            .send()
            .await
            .map_err(|error| fault(format!("empty bucket {name}"), &error))?;
        for error in answer.errors() {
            let tried = format!("delete {} from bucket {name}", error.key().unwrap_or("an object"));
            let needs = &["s3:DeleteObject", "s3:DeleteObjectVersion"];
            // What is not there any more, an earlier try whose reply was lost has deleted, or
            // another user.
            absent(Err::<(), _>(in_answer(tried, error.code(), error.message(), needs)))?;
        }
    }
    Ok(())
}

/// By what S3 is told which version goes: its id, or, as the current one, the `ETag` that guards
/// it. It takes no guard beside an id (docs/aws.md, "conditional deletes").
fn named(version: &ObjectVersion) -> (Option<String>, Option<String>) {
    let etag = version.etag.as_ref().map(|etag| format!("\"{etag}\""));
    (etag.is_none().then(|| version.version.clone()), etag)
}

/// Deletes a version whose key no document can carry: here it stands in the address.
async fn delete(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    version: ObjectVersion,
) -> Result<(), Fault> {
    let (id, etag) = named(&version);
    let key = version.key;
    let sent = clients
        .s3
        .delete_object()
        .bucket(name.as_str())
        .key(key.as_str())
        .set_version_id(id)
        .set_if_match(etag)
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let tried = format!("delete {key} from bucket {name}");
    absent(sent.map_err(|error| fault(tried, &error))).map(drop)
}
