//! Finds the buckets of every stack in an account, each asked where it is.

use super::observe::tags;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Address, Fault, FaultKind, Kind, Notice};
use crate::name::{AccountId, BucketName, ObjectKey, Region};
use crate::resource::site::CONCURRENCY;
use crate::resource::site::aws::Listed;
use crate::resource::{Mark, Owner, ResourceId, Trace, Traces, stack_in};
use aws_sdk_s3::types::{Bucket, EncodingType};
use futures_util::{StreamExt, stream};

/// Only where a number is asked for, S3 tells the regions of the buckets (docs/aws.md, "a list of
/// buckets tells regions only in pages").
const PAGE: i32 = 1000;

/// Finds what is ours of this kind in the whole account.
pub(crate) async fn traces(clients: &Clients, account: &AccountId) -> Result<Traces, Fault> {
    let mut pages = clients.s3.list_buckets().max_buckets(PAGE).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(
            page.map_err(|error| fault("list the buckets", &error))?.buckets.unwrap_or_default(),
        );
    }
    let named = found
        .into_iter()
        .filter_map(|bucket| Some((bucket.name()?.parse::<BucketName>().ok()?, bucket)));
    let asked = stream::iter(named)
        .map(|(name, bucket)| async move {
            let region = region(&bucket);
            let s3 = clients.s3_in(region.as_ref().map(Region::as_str));
            let tags = tags(&s3, account, &name).await;
            (name, tags, bucket)
        })
        .buffer_unordered(CONCURRENCY);
    let (mut traces, mut readable, mut refused) = (Traces::default(), false, None);
    for (name, tags, bucket) in asked.collect::<Vec<_>>().await {
        let tags = match tags {
            Ok(tags) => tags,
            // One that may not be read is not ours.
            Err(fault) if fault.kind == FaultKind::Denied => {
                refused = Some(fault);
                continue;
            }
            // What is gone since, or answers to nobody here, does not end the look at all others.
            Err(fault) if fault.kind == FaultKind::NotFound => continue,
            Err(fault) if is_of_one(fault.kind) => {
                let address = Address::new(Kind::Bucket, &name);
                let text = format!("{fault}; whether it is a stack's was not seen");
                traces.notices.push(Notice { address, text });
                refused = Some(fault);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        readable = true;
        // Its index would take a read of each.
        let owner = Owner::by_tag(stack_in(&tags), None, Mark::Index);
        traces.add(&owner, ResourceId::Bucket(name), &tags, |trace| Trace {
            place: region(&bucket).map(|region| region.to_string()),
            since: bucket.creation_date().and_then(|moment| u64::try_from(moment.secs()).ok()),
            ..trace
        });
    }
    // Whoever can read none lacks the right, and would be told that nothing is left.
    refused.filter(|_| !readable).map_or(Ok(traces), Err)
}

/// Where it is, if that is a region.
fn region(bucket: &Bucket) -> Option<Region> {
    bucket.bucket_region()?.parse().ok()
}

/// Is it one bucket's matter? A region that the account has not enabled does not know the caller's
/// key (docs/aws.md, "closed regions").
fn is_of_one(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Elsewhere | FaultKind::Refused | FaultKind::Credentials)
}

/// Is there an object under this key? Takes the right to list alone, none to read what is in it.
pub(crate) async fn holds(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    region: Option<&str>,
    key: &ObjectKey,
) -> Result<bool, Fault> {
    let client = clients.s3_in(region);
    // A key comes before all others that begin with it.
    let sent = client
        .list_objects_v2()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .prefix(key.as_str())
        .max_keys(1)
        .encoding_type(EncodingType::Url)
        .send()
        .await;
    let answer = absent(sent.map_err(|error| fault(format!("list bucket {name}"), &error)))?;
    let Some(answer) = answer else { return Ok(false) };
    let keys = Listed(answer.encoding_type());
    let found = answer.contents().iter().filter_map(|object| object.key());
    let found: Vec<ObjectKey> = found.map(|key| keys.key(key)).collect::<Result<_, _>>()?;
    Ok(found.contains(key))
}
