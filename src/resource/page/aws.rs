//! The page on the wire.

use super::{Keys, Metadata, Op, Side, Sides};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::name::{AccountId, BucketName, ObjectKey};
use crate::resource::site::{self, STACK_METADATA};
use aws_sdk_s3::types::MetadataDirective;
use futures_util::try_join;

/// Looks at both keys. Needs no more rights than turning the switch does.
///
/// # Errors
/// Any call's.
pub async fn observe(clients: &Clients, account: &AccountId, bucket: &BucketName, keys: &Keys) -> Result<Sides, Fault> {
    let (off, on) = try_join!(look(clients, account, bucket, &keys.off), look(clients, account, bucket, &keys.on))?;
    Ok(Sides { off, on })
}

async fn look(clients: &Clients, account: &AccountId, bucket: &BucketName, key: &ObjectKey) -> Result<Option<Side>, Fault> {
    let sent = clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str()).expected_bucket_owner(account.as_str()).send().await;
    let head = absent(sent.map_err(|error| fault(format!("look at object {key}"), &error)))?;
    Ok(head.map(|head| Side {
        etag: head.e_tag.unwrap_or_default().trim_matches('"').to_owned(),
        content_type: head.content_type.unwrap_or_default(),
        cache_control: head.cache_control.unwrap_or_default(),
        metadata: head.metadata.unwrap_or_default().into_iter().collect(),
    }))
}

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(clients: &Clients, account: &AccountId, op: &Op) -> Result<Done, Fault> {
    match op {
        Op::Put { bucket, stack, key, content, before, window } => {
            let mut metadata = match (window, before) {
                (Some(window), _) => window.clone(),
                (None, Some(_)) => look(clients, account, bucket, key).await?.map(|side| side.metadata).unwrap_or_default(),
                (None, None) => Metadata::new(),
            };
            metadata.insert(STACK_METADATA.to_owned(), stack.to_string());
            site::aws::put(clients, account, bucket, key, content, before.as_deref(), metadata).await
        }
        Op::Copy { .. } => copy(clients, account, op).await,
        Op::Remove { bucket, key, before } => {
            site::aws::apply(clients, account, &site::Op::Delete { bucket: bucket.clone(), key: key.clone(), before: before.clone() }).await
        }
    }
}

async fn copy(clients: &Clients, account: &AccountId, op: &Op) -> Result<Done, Fault> {
    let Op::Copy { bucket, from, to, source, before, content_type, cache_control, metadata, .. } = op else { return Ok(Done::AlreadySo) };
    let path = percent_encoding::utf8_percent_encode(from.as_str(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let request = clients
        .s3
        .copy_object()
        .bucket(bucket.as_str())
        .key(to.as_str())
        .copy_source(format!("{bucket}/{path}"))
        .copy_source_if_match(format!("\"{source}\""))
        .expected_bucket_owner(account.as_str())
        .expected_source_bucket_owner(account.as_str())
        .metadata_directive(MetadataDirective::Replace)
        .content_type(content_type)
        .cache_control(cache_control)
        .set_metadata(Some(metadata.clone().into_iter().collect()));
    let request = match before {
        Some(etag) => request.if_match(format!("\"{etag}\"")),
        None => request.if_none_match("*"),
    };
    match request.send().await.map_err(|error| fault(format!("copy {from} to {to}"), &error)) {
        Ok(_) => Ok(Done::Changed(String::new())),
        // A reply of ours that was lost, or another run of the same turn: the very same object with the very same window.
        Err(fault) if fault.kind == FaultKind::MovedOn => match look(clients, account, bucket, to).await? {
            Some(side) if side.etag == *source && side.metadata == *metadata => Ok(Done::AlreadySo),
            _ => Err(fault),
        },
        Err(fault) => Err(fault),
    }
}
