//! Creates, changes and deletes the bucket, each setting with its own call.

use super::observe::tags;
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::wait::{self, Early};
use crate::change::{Address, Done, Fault, FaultKind, Kind};
use crate::context::Context;
use crate::name::{AccountId, BucketName, EDGE_REGION};
use crate::resource::bucket::{Settings, Versioning};
use crate::resource::tags::Difference;
use crate::resource::{self, Tags};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, BucketVersioningStatus, CreateBucketConfiguration,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, Tag,
    Tagging, VersioningConfiguration,
};

pub(super) async fn create(
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
    // Such a name alone is refused (docs/aws.md, "a bucket's namespace").
    let namespace = name.regional().map(|_| BucketNamespace::AccountRegional);
    let address = Address::new(Kind::Bucket, name);
    // docs/aws.md, "a deleted name stays busy".
    let waited = wait::until(
        context,
        (&address, "the name to become free"),
        (clients.rhythm.quick, wait::PROPAGATION),
        &[FaultKind::Busy],
        || async {
            let sent = clients
                .s3
                .create_bucket()
                .bucket(name.as_str())
                .object_ownership(ObjectOwnership::BucketOwnerEnforced)
                .set_bucket_namespace(namespace.clone())
                .create_bucket_configuration(configuration.clone())
                .send()
                .await;
            match sent.map_err(|error| fault(format!("create bucket {name}"), &error)) {
                Ok(_) => Ok(Some(Done::Changed(String::new()))),
                // A reply of ours that was lost: it is only ours if it carries our tags.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => {
                    if resource::tags::hold(
                        &tags(&clients.s3, account, name).await?,
                        &settings.tags,
                    ) {
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
    let still = format!("bucket name {name} is still busy with an earlier deletion");
    waited.or_later(still, wait::PROPAGATION).or_else(Early::done)
}

pub(super) async fn block_public_access(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<(), Fault> {
    let all = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build();
    let sent = clients
        .s3
        .put_public_access_block()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .public_access_block_configuration(all)
        .send()
        .await;
    sent.map(drop).map_err(|error| fault(format!("block public access to bucket {name}"), &error))
}

pub(super) async fn enforce_ownership(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<(), Fault> {
    let rule = OwnershipControlsRule::builder()
        .object_ownership(ObjectOwnership::BucketOwnerEnforced)
        .build()
        .map_err(|e| incomplete(&e))?;
    let controls = OwnershipControls::builder().rules(rule).build().map_err(|e| incomplete(&e))?;
    let sent = clients
        .s3
        .put_bucket_ownership_controls()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .ownership_controls(controls)
        .send()
        .await;
    sent.map(drop).map_err(|error| fault(format!("turn ACLs off on bucket {name}"), &error))
}

pub(super) async fn set_versioning(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    after: Versioning,
) -> Result<(), Fault> {
    let status = if after == Versioning::Enabled {
        BucketVersioningStatus::Enabled
    } else {
        BucketVersioningStatus::Suspended
    };
    let sent = clients
        .s3
        .put_bucket_versioning()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .versioning_configuration(VersioningConfiguration::builder().status(status).build())
        .send()
        .await;
    sent.map(drop).map_err(|error| fault(format!("set versioning of bucket {name}"), &error))
}

pub(super) async fn set_tags(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
    difference: &Difference,
) -> Result<(), Fault> {
    // The whole set is written, so others' tags go along, and AWS's own, without which S3
    // refuses it (docs/aws.md, "tags are written as a whole").
    let after = difference.applied(&tags(&clients.s3, account, name).await?);
    let tagging = Tagging::builder()
        .set_tag_set(Some(tag_set(&after)?))
        .build()
        .map_err(|e| incomplete(&e))?;
    let sent = clients
        .s3
        .put_bucket_tagging()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .tagging(tagging)
        .send()
        .await;
    sent.map(drop).map_err(|error| fault(format!("tag bucket {name}"), &error))
}

pub(super) async fn delete(
    clients: &Clients,
    account: &AccountId,
    name: &BucketName,
) -> Result<Done, Fault> {
    let sent = clients
        .s3
        .delete_bucket()
        .bucket(name.as_str())
        .expected_bucket_owner(account.as_str())
        .send()
        .await;
    match sent.map_err(|error| fault(format!("delete bucket {name}"), &error)) {
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(Done::AlreadySo),
        Err(fault) if fault.kind == FaultKind::InUse => Err(fault.hinted(
            "another user put objects into it since it was looked at, or S3 does not see yet that \
                the last ones went: run the same command again, it looks anew",
        )),
        other => other.map(|_| Done::Changed(String::new())),
    }
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

pub(super) fn incomplete(error: &impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Local, "build a request", error.to_string())
}
