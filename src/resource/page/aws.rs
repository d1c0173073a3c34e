//! The page on the wire.

use super::Op;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault};
use crate::name::AccountId;
use crate::resource::site::{self, STACK_METADATA};
use std::collections::BTreeMap;

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(clients: &Clients, account: &AccountId, op: &Op) -> Result<Done, Fault> {
    let Op::Put { bucket, stack, key, content, before } = op;
    let mut metadata = BTreeMap::new();
    if before.is_some() {
        let sent = clients.s3.head_object().bucket(bucket.as_str()).key(key.as_str()).expected_bucket_owner(account.as_str()).send().await;
        let head = absent(sent.map_err(|error| fault(format!("look at object {key}"), &error)))?;
        metadata.extend(head.and_then(|head| head.metadata).unwrap_or_default());
    }
    metadata.insert(STACK_METADATA.to_owned(), stack.to_string());
    site::aws::put(clients, account, bucket, key, content, before.as_deref(), metadata).await
}
