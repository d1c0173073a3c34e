//! Finds the bucket and reads its settings, each with its own call.

use crate::aws::Clients;
use crate::aws::fault::{BUCKET_REGION, absent, fault};
use crate::change::{Fault, FaultKind};
use crate::name::{AccountId, BucketName, Region};
use crate::resource::bucket::{Live, Settings, Versioning};
use crate::resource::{Tags, stack_in};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketAbacStatus, BucketVersioningStatus, ObjectOwnership};
use futures_util::try_join;

/// Where the bucket is, or `None`.
///
/// # Errors
/// Also where the name is taken by another account.
pub(crate) async fn locate(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<Option<Region>, Fault> {
    let tried = format!("look for bucket {name}");
    let sent = clients
        .s3
        .head_bucket()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    match sent {
        Ok(head) => Ok(head
            .bucket_region()
            .and_then(|region| region.parse().ok())
            .or_else(|| Some(Region::edge()))),
        Err(error) => {
            // A bucket in another region answers with a redirect that names it (Amazon S3 API
            // Reference, "HeadBucket").
            let elsewhere = error
                .raw_response()
                .and_then(|response| response.headers().get(BUCKET_REGION))
                .map(str::to_owned);
            let redirected = error
                .raw_response()
                .is_some_and(|response| matches!(response.status().as_u16(), 301 | 400));
            match (redirected, elsewhere.and_then(|region| region.parse().ok())) {
                (true, Some(region)) => Ok(Some(region)),
                _ => absent(Err(fault(tried, &error))).map_err(|fault| match fault.kind {
                    // Nobody else can have a name that S3 keeps to this account.
                    FaultKind::Denied if name.regional().is_none() => taken(fault),
                    _ => fault,
                }),
            }
        }
    }
}

/// S3 tells nobody which of the two it is.
fn taken(denial: Fault) -> Fault {
    let message = format!(
        "{}: the bucket is another account's, or the caller may not see it",
        denial.message
    );
    Fault { message, ..denial }.hinted(
        "if the bucket is another account's, choose another `bucket.name`; if not, the caller \
            needs the right above",
    )
}

/// Reads the settings of a bucket that exists in `region`.
pub(crate) async fn observe(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    region: Region,
) -> Result<Live, Fault> {
    let (private, owner_enforced, versioning, tags) = try_join!(
        is_private(clients, account, name),
        is_owner_enforced(clients, account, name),
        versioning(clients, account, name),
        tags(&clients.s3, account, name),
    )?;
    let (abac, kms_key) = if stack_in(&tags).is_none() {
        try_join!(has_abac(clients, account, name), kms_key(clients, account, name))?
    } else {
        (false, None)
    };
    Ok(Live {
        settings: Settings { region, private, owner_enforced, versioning, tags },
        abac,
        kms_key,
    })
}

async fn has_abac(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<bool, Fault> {
    let sent = clients
        .s3
        .get_bucket_abac()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer = absent(
        sent.map_err(|error| fault(format!("read whether bucket {name} has ABAC on"), &error)),
    )?;
    let status = answer.and_then(|answer| answer.abac_status).and_then(|abac| abac.status);
    Ok(status == Some(BucketAbacStatus::Enabled))
}

async fn is_private(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<bool, Fault> {
    let sent = clients
        .s3
        .get_public_access_block()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer =
        absent(sent.map_err(|error| {
            fault(format!("read the public access block of bucket {name}"), &error)
        }))?;
    Ok(answer.and_then(|answer| answer.public_access_block_configuration).is_some_and(|block| {
        [
            block.block_public_acls,
            block.ignore_public_acls,
            block.block_public_policy,
            block.restrict_public_buckets,
        ]
        .iter()
        .all(|switch| *switch == Some(true))
    }))
}

async fn is_owner_enforced(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<bool, Fault> {
    let sent = clients
        .s3
        .get_bucket_ownership_controls()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer =
        absent(sent.map_err(|error| {
            fault(format!("read the object ownership of bucket {name}"), &error)
        }))?;
    Ok(answer.and_then(|answer| answer.ownership_controls).is_some_and(|controls| {
        controls
            .rules()
            .iter()
            .any(|rule| rule.object_ownership == ObjectOwnership::BucketOwnerEnforced)
    }))
}

async fn kms_key(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<Option<String>, Fault> {
    let sent = clients
        .s3
        .get_bucket_encryption()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer =
        absent(sent.map_err(|error| {
            fault(format!("read the default encryption of bucket {name}"), &error)
        }))?;
    let rules = answer
        .and_then(|answer| answer.server_side_encryption_configuration)
        .map(|configuration| configuration.rules);
    let defaults =
        rules.into_iter().flatten().filter_map(|rule| rule.apply_server_side_encryption_by_default);
    // Without a key's name it is AWS's own for S3, which lets nobody else in.
    let keys = defaults.filter(|default| default.sse_algorithm.as_str().starts_with("aws:kms"));
    Ok(keys
        .map(|default| default.kms_master_key_id.unwrap_or_else(|| "alias/aws/s3".into()))
        .next())
}

async fn versioning(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<Versioning, Fault> {
    let sent = clients
        .s3
        .get_bucket_versioning()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer =
        sent.map_err(|error| fault(format!("read the versioning of bucket {name}"), &error))?;
    Ok(match answer.status() {
        Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
        Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
        _ => Versioning::Off,
    })
}

/// A bucket's tags, asked with the client of its region.
pub(super) async fn tags(
    s3: &Client,
    account: &AccountId,
    name: &BucketName,
) -> Result<Tags, Fault> {
    let sent = s3
        .get_bucket_tagging()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    let answer =
        absent(sent.map_err(|error| fault(format!("read the tags of bucket {name}"), &error)))?;
    Ok(answer
        .map(|answer| answer.tag_set)
        .unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect())
}
