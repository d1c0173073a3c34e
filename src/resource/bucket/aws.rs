//! The bucket on the wire.

use super::{Live, Op, Settings, Versioning};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault, in_answer};
use crate::aws::wait::{self, Waited};
use crate::change::{Address, Done, Fault, FaultKind, Kind};
use crate::context::Context;
use crate::name::{AccountId, BucketName, EDGE_REGION, ObjectKey, Region};
use crate::resource::site::CONCURRENCY;
use crate::resource::{self, Tags, Trace, stack_in};
use aws_sdk_s3::types::{
    BucketAbacStatus, BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    Delete, ObjectIdentifier, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, Tag, Tagging, VersioningConfiguration,
};
use futures_util::{StreamExt, stream, try_join};

/// Where the bucket is, or `None`.
///
/// # Errors
/// Also where the name is taken by another account.
pub async fn locate(
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
                .and_then(|response| response.headers().get("x-amz-bucket-region"))
                .map(str::to_owned);
            let redirected = error
                .raw_response()
                .is_some_and(|response| matches!(response.status().as_u16(), 301 | 400));
            match (redirected, elsewhere.and_then(|region| region.parse().ok())) {
                (true, Some(region)) => Ok(Some(region)),
                _ => absent(Err(fault(tried, &error))).map_err(|fault| match fault.kind {
                    FaultKind::Denied => fault.hinted(format!(
                        "either the caller may not see bucket `{name}`, or the name is taken by \
                            another account: choose another `bucket.name`"
                    )),
                    _ => fault,
                }),
            }
        }
    }
}

/// Reads the settings of a bucket that exists in `region`.
///
/// # Errors
/// Any call's.
pub async fn observe(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    region: Region,
) -> Result<Live, Fault> {
    let (private, owner_enforced, versioning, tags) = try_join!(
        is_private(clients, account, name),
        is_owner_enforced(clients, account, name),
        versioning(clients, account, name),
        tags(clients, account, name),
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

async fn tags(clients: &Clients, account: &AccountId, name: &BucketName) -> Result<Tags, Fault> {
    let sent = clients
        .s3
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

fn tag_set(tags: &Tags) -> Result<Vec<Tag>, Fault> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Fault::new(FaultKind::Local, "write a tag", error.to_string()))
        })
        .collect()
}

fn incomplete(error: &impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Local, "build a request", error.to_string())
}

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(
    clients: &Clients,
    account: &AccountId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let s3 = &clients.s3;
    let tried = |name: &BucketName, what: &str| format!("{what} bucket {name}");
    match op {
        Op::Create { name, settings } => {
            return create(clients, account, name, settings, context).await;
        }
        Op::BlockPublicAccess { name, .. } => {
            let all = PublicAccessBlockConfiguration::builder()
                .block_public_acls(true)
                .ignore_public_acls(true)
                .block_public_policy(true)
                .restrict_public_buckets(true)
                .build();
            s3.put_public_access_block()
                .bucket(name.as_str())
                .expected_bucket_owner(account.as_str())
                .public_access_block_configuration(all)
                .send()
                .await
                .map_err(|error| fault(tried(name, "block public access to"), &error))?;
        }
        Op::EnforceOwnership { name } => {
            let rule = OwnershipControlsRule::builder()
                .object_ownership(ObjectOwnership::BucketOwnerEnforced)
                .build()
                .map_err(|e| incomplete(&e))?;
            let controls =
                OwnershipControls::builder().rules(rule).build().map_err(|e| incomplete(&e))?;
            s3.put_bucket_ownership_controls()
                .bucket(name.as_str())
                .expected_bucket_owner(account.as_str())
                .ownership_controls(controls)
                .send()
                .await
                .map_err(|error| fault(tried(name, "turn ACLs off on"), &error))?;
        }
        Op::SetVersioning { name, after, .. } => {
            let status = if *after == Versioning::Enabled {
                BucketVersioningStatus::Enabled
            } else {
                BucketVersioningStatus::Suspended
            };
            s3.put_bucket_versioning()
                .bucket(name.as_str())
                .expected_bucket_owner(account.as_str())
                .versioning_configuration(VersioningConfiguration::builder().status(status).build())
                .send()
                .await
                .map_err(|error| fault(tried(name, "set versioning of"), &error))?;
        }
        Op::SetTags { name, tags: difference, .. } => {
            // The whole set is written, so others' tags go along, and AWS's own, without which S3
            // refuses it (docs/aws.md, "tags are written as a whole").
            let after = difference.applied(&tags(clients, account, name).await?);
            let tagging = Tagging::builder()
                .set_tag_set(Some(tag_set(&after)?))
                .build()
                .map_err(|e| incomplete(&e))?;
            s3.put_bucket_tagging()
                .bucket(name.as_str())
                .expected_bucket_owner(account.as_str())
                .tagging(tagging)
                .send()
                .await
                .map_err(|error| fault(tried(name, "tag"), &error))?;
        }
        Op::Empty { .. } => empty(clients, account, op).await?,
        Op::Delete { name } => {
            let sent = s3
                .delete_bucket()
                .bucket(name.as_str())
                .expected_bucket_owner(account.as_str())
                .send()
                .await;
            match sent.map_err(|error| fault(tried(name, "delete"), &error)) {
                Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Done::AlreadySo),
                Err(fault) if fault.kind == FaultKind::InUse => {
                    return Err(fault.hinted(
                        "somebody put objects into it since it was looked at; \
                        run the same command again",
                    ));
                }
                other => drop(other?),
            }
        }
    }
    Ok(Done::Changed(String::new()))
}

async fn create(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    settings: &Settings,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let mut configuration =
        CreateBucketConfiguration::builder().set_tags(Some(tag_set(&settings.tags)?));
    // The edge region must not be named as a location (Amazon S3 API Reference, "CreateBucket").
    if settings.region.as_str() != EDGE_REGION {
        configuration = configuration
            .location_constraint(BucketLocationConstraint::from(settings.region.as_str()));
    }
    let configuration = configuration.build();
    let address = Address::new(Kind::Bucket, name);
    // docs/aws.md, "a deleted name stays busy".
    let waited = wait::until(
        context,
        &address,
        "the name to become free",
        (clients.rhythm.quick, wait::PROPAGATION),
        || async {
            let sent = clients
                .s3
                .create_bucket()
                .bucket(name.as_str())
                .object_ownership(ObjectOwnership::BucketOwnerEnforced)
                .create_bucket_configuration(configuration.clone())
                .send()
                .await;
            match sent.map_err(|error| fault(format!("create bucket {name}"), &error)) {
                Ok(_) => Ok(Some(Done::Changed(String::new()))),
                Err(fault) if fault.kind == FaultKind::Busy => Ok(None),
                // A reply of ours that was lost: it is only ours if it carries our tags.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => {
                    if resource::tags::hold(&tags(clients, account, name).await?, &settings.tags) {
                        Ok(Some(Done::AlreadySo))
                    } else {
                        Err(fault)
                    }
                }
                Err(fault) if fault.code.as_deref() == Some("BucketAlreadyExists") => Err(fault
                    .hinted("the name is taken by another account: choose another `bucket.name`")),
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    match waited {
        Waited::Met(done) => Ok(done),
        Waited::OutOfTime | Waited::Stopped => Ok(Done::Deferred {
            reason: format!("bucket name {name} is still busy with an earlier deletion"),
            try_again_after: wait::PROPAGATION,
        }),
    }
}

/// How many objects one call may delete (Amazon S3 API Reference, "DeleteObjects").
const BATCH: usize = 1000;

async fn empty(clients: &Clients, account: &AccountId, op: &Op) -> Result<(), Fault> {
    let Op::Empty { name, versions, uploads } = op else { return Ok(()) };
    for (key, id) in uploads {
        let sent = clients
            .s3
            .abort_multipart_upload()
            .bucket(name.as_str())
            .key(key.as_str())
            .upload_id(id)
            .send()
            .await;
        absent(sent.map_err(|error| fault(format!("abort the upload of {key}"), &error)))?;
    }
    for batch in versions.chunks(BATCH) {
        let objects = batch
            .iter()
            .map(|version| {
                ObjectIdentifier::builder()
                    .key(version.key.as_str())
                    .version_id(&version.version)
                    .set_e_tag(version.etag.as_ref().map(|etag| format!("\"{etag}\"")))
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
        if let Some(error) = answer.errors().first() {
            let tried = format!("delete {} from bucket {name}", error.key().unwrap_or("an object"));
            return Err(in_answer(
                tried,
                error.code(),
                error.message(),
                &["s3:DeleteObject", "s3:DeleteObjectVersion"],
            ));
        }
    }
    Ok(())
}

/// Finds what is ours of this kind in the whole account.
///
/// # Errors
/// Any call's.
pub async fn traces(clients: &Clients) -> Result<Vec<Trace>, Fault> {
    let mut pages = clients.s3.list_buckets().into_paginator().send();
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
            (tags_in(clients, &name, bucket.bucket_region()).await, bucket)
        })
        .buffer_unordered(CONCURRENCY);
    let (mut traces, mut readable, mut denied) = (Vec::new(), false, None);
    for (tags, bucket) in asked.collect::<Vec<_>>().await {
        let tags = match tags {
            Ok(tags) => tags,
            // One that may not be read is not ours.
            Err(fault) if fault.kind == FaultKind::Denied => {
                denied = Some(fault);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        readable = true;
        traces.extend(stack_in(&tags).map(|stack| Trace {
            place: bucket.bucket_region().map(str::to_owned),
            since: bucket.creation_date().and_then(|moment| u64::try_from(moment.secs()).ok()),
            ..Trace::of(stack, Kind::Bucket, bucket.name().unwrap_or_default(), &tags)
        }));
    }
    // Whoever may read none lacks the right, and would be told that nothing is left.
    denied.filter(|_| !readable).map_or(Ok(traces), Err)
}

/// A bucket's tags, asked where it lies.
async fn tags_in(
    clients: &Clients,
    name: &BucketName,
    region: Option<&str>,
) -> Result<Tags, Fault> {
    let client = clients.s3_in(region);
    let sent = client.get_bucket_tagging().bucket(name.as_str()).send().await;
    let answer =
        absent(sent.map_err(|error| fault(format!("read the tags of bucket {name}"), &error)))?;
    Ok(answer
        .map(|answer| answer.tag_set)
        .unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect())
}

/// Is there an object under this key? Takes the right to list alone, none to read what is in it.
///
/// # Errors
/// The call's.
pub async fn holds(
    clients: &Clients,
    name: &BucketName,
    region: Option<&str>,
    key: &ObjectKey,
) -> Result<bool, Fault> {
    let client = clients.s3_in(region);
    // A key comes before all others that begin with it.
    let sent = client
        .list_objects_v2()
        .bucket(name.as_str())
        .prefix(key.as_str())
        .max_keys(1)
        .send()
        .await;
    let answer = absent(sent.map_err(|error| fault(format!("list bucket {name}"), &error)))?;
    Ok(answer.is_some_and(|answer| {
        answer.contents().iter().any(|object| object.key() == Some(key.as_str()))
    }))
}
