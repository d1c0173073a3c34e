//! The page on the wire.

use super::simulate::guard_left;
use super::{LARGEST, Look, Op, Shown, Side};
use crate::aws::Clients;
use crate::aws::body;
use crate::aws::clock::Dated;
use crate::aws::fault::{NO_SUCH_BUCKET, absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, BucketName, ObjectKey};
use crate::resource::site::aws::headers;
use crate::resource::site::{self, unquoted};

/// Looks at what is under one key. Needs no more rights than turning the switch does.
///
/// # Errors
/// The call's; also where there is no such bucket, which is not the same as an object that is not
/// there.
pub(crate) async fn look(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Look, Fault> {
    let dated = Dated::default();
    let tried = format!("read object {key} of bucket {bucket}");
    let call = || async {
        let request = clients
            .s3
            .get_object()
            .bucket(bucket.as_str())
            .key(key.as_str())
            .expected_bucket_owner(account.as_str());
        let sent = request.customize().interceptor(dated.clone()).send().await;
        match sent.map_err(|error| fault(&tried, &error)) {
            Err(fault) if fault.code.as_deref() == Some(NO_SUCH_BUCKET) => Err(fault),
            sent => absent(sent),
        }
    };
    let Some((found, body)) = body::read(&tried, LARGEST, call).await? else {
        return Ok(Look { side: None, seen: dated.moment() });
    };
    let Some(body) = body else {
        return Err(Fault::new(
            FaultKind::Refused,
            tried,
            "it has over 1 MB, so it is no maintenance page",
        )
        .hinted("take it away from there"));
    };
    let headers = headers!(found);
    let (etag, metadata) =
        (unquoted(found.e_tag()), found.metadata.unwrap_or_default().into_iter().collect());
    let side = Side::of(etag, &body, headers, metadata);
    Ok(Look { side: Some(side), seen: dated.moment() })
}

/// Looks at what is beside the object under the on key, without its bytes.
pub(crate) async fn shown(
    clients: &Clients,
    account: &AccountId,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Option<Shown>, Fault> {
    let dated = Dated::default();
    let request = clients
        .s3
        .head_object()
        .bucket(bucket.as_str())
        .key(key.as_str())
        .expected_bucket_owner(account.as_str());
    let sent = request.customize().interceptor(dated.clone()).send().await;
    let head = absent(sent.map_err(|error| fault(format!("look at object {key}"), &error)))?;
    Ok(head.map(|head| Shown {
        etag: unquoted(head.e_tag()),
        metadata: head.metadata.unwrap_or_default().into_iter().collect(),
        seen: dated.moment(),
    }))
}

pub(crate) async fn apply(
    clients: &Clients,
    account: &AccountId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    match op {
        Op::Put(put) => {
            let site::Put { bucket, key, .. } = &put.object;
            let is_left = async || match &put.leaves {
                Some(left) => {
                    let found = shown(clients, account, bucket, &left.key).await?;
                    guard_left(left, found.as_ref().map(|found| found.etag.as_str()))
                }
                None => Ok(()),
            };
            is_left().await?;
            let found = if put.keeps() {
                look(clients, account, bucket, key).await?.side.map(|side| side.metadata)
            } else {
                None
            };
            let metadata = put.metadata_over(found.as_ref());
            let done = site::aws::put(clients, account, &put.object, metadata, context).await?;
            // A turn that began before this write may have ended between the look and the write.
            is_left().await?;
            Ok(done)
        }
        Op::Remove { bucket, key, before } => {
            let before = context.etag(bucket, key, before);
            site::aws::delete(clients, account, bucket, key, &before).await
        }
    }
}
