//! The bucket: existence, region, public access block, ownership, versioning, tags.

use super::{Standing, Tags, tags};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{BucketName, ObjectKey, Region};
use serde::{Deserialize, Serialize};

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// How the bucket should be, or is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Fixed at creation.
    pub region: Region,
    /// All four switches of the public access block are on.
    pub private: bool,
    /// Object ownership is "bucket owner enforced": ACLs are off, which origin access control
    /// needs.
    pub owner_enforced: bool,
    /// Versioning as S3 names it.
    pub versioning: Versioning,
    pub tags: Tags,
}

/// S3 knows three states; a bucket can never go back to `Off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled.
    Off,
    /// Old versions are kept.
    Enabled,
    /// Was enabled; new writes are not kept.
    Suspended,
}

impl std::fmt::Display for Versioning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        })
    }
}

/// The bucket as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub settings: Settings,
    /// Its tags decide about access (ABAC): S3 refuses to replace them. Looked up only where they
    /// name no stack.
    #[serde(default)]
    pub abac: bool,
    /// The KMS key that encrypts new objects; whoever reads them needs its consent. Looked up only
    /// where the tags name no stack; else it is the one that has encrypted the index. Every other
    /// bucket has SSE-S3: S3 knows no bucket without encryption any more (Amazon S3 User Guide,
    /// "Default encryption FAQ").
    #[serde(default)]
    pub kms_key: Option<String>,
}

/// One version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectVersion {
    pub key: ObjectKey,
    /// S3's version id; `null` where versioning was never on, or not when it was put.
    pub version: String,
    /// The `ETag` that was seen. What has one is deleted as the current object, guarded by it; S3
    /// takes no guard beside the name of a version (docs/aws.md, "conditional deletes").
    pub etag: Option<String>,
}

/// One mutation of the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Create it with region, ownership and tags in one call, so that no moment exists in which it
    /// is not ours.
    Create {
        /// All of it; later ops set what the call cannot.
        settings: Settings,
    },
    /// Turn all four switches of the public access block on.
    BlockPublicAccess {
        /// The bucket comes to be in the same plan.
        new: bool,
    },
    /// Turn ACLs off.
    EnforceOwnership,
    /// Enable or suspend versioning.
    SetVersioning { before: Versioning, after: Versioning },
    /// Set and remove tags of ours.
    SetTags {
        tags: tags::Difference,
        /// The bucket was not ours before.
        adopts: bool,
    },
    /// Delete exactly these versions and markers, and abort these uploads.
    Empty(Empty),
    /// Delete the empty bucket.
    Delete,
}

/// Delete exactly these versions and markers, and abort these uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Empty {
    /// Versions and delete markers.
    pub versions: Vec<ObjectVersion>,
    /// Incomplete multipart uploads: key and upload id.
    pub uploads: Vec<(ObjectKey, String)>,
}

/// How the bucket stands.
#[must_use]
pub fn standing(name: &BucketName, live: Option<&Live>) -> Standing {
    Standing::of(name, live.is_some())
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, name: &BucketName) -> Change {
        let update =
            |summary: &str| Change::new(Address::new(Kind::Bucket, name), Action::Update, summary);
        match self {
            Self::Create { settings } => Change::new(
                Address::new(Kind::Bucket, name),
                Action::Create,
                format!("create in {}", settings.region),
            )
            .with([FieldChange::set("tags", tags::show(&settings.tags))]),
            Self::BlockPublicAccess { new } => update("block public access").with([FieldChange {
                field: "public access block".into(),
                before: (!new).then(|| "off, at least in part".into()),
                after: Some("all on".into()),
            }]),
            Self::EnforceOwnership => update("turn ACLs off").with([FieldChange {
                field: "object ownership".into(),
                before: Some("ACLs allowed".into()),
                after: Some("bucket owner enforced".into()),
            }]),
            Self::SetVersioning { before, after } => {
                update("set versioning").with(FieldChange::between("versioning", before, after))
            }
            Self::SetTags { tags, adopts } => {
                tags.change(Address::new(Kind::Bucket, name), *adopts)
            }
            Self::Empty(Empty { versions, uploads }) => {
                let mut summary = format!(
                    "empty: {} object version{}",
                    versions.len(),
                    if versions.len() == 1 { "" } else { "s" }
                );
                if !uploads.is_empty() {
                    summary = format!(
                        "{summary}, {} incomplete upload{}",
                        uploads.len(),
                        if uploads.len() == 1 { "" } else { "s" }
                    );
                }
                Change::new(Address::new(Kind::Bucket, name), Action::Delete, summary)
            }
            Self::Delete => Change::new(Address::new(Kind::Bucket, name), Action::Delete, "delete"),
        }
    }
}
