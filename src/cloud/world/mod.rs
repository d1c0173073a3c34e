//! A simulated cloud in memory: every room's `simulate`, and AWS's rules between the rooms, with time passing.
//!
//! A claim about AWS, kept honest by the wire tests. Times are seconds since the Unix epoch and are handed in, so that a
//! test can let hours pass.

use crate::name::{AccountId, BucketName, DistributionId, FunctionName, ObjectKey, RoleName, StackName};
use crate::resource::site::Object;
use crate::resource::{access, bucket, distribution, function, role};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

mod apply;
mod observe;

/// How long things take here, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delays {
    /// Until a distribution is deployed.
    pub deploy: u64,
    /// How long replicas hold a function after its last association.
    pub replicas: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { deploy: 2, replicas: 20 }
    }
}

/// A bucket with what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its settings.
    pub live: bucket::Live,
    /// Its policy.
    pub policy: Option<Value>,
    /// Its objects. Old versions are not simulated.
    pub objects: BTreeMap<ObjectKey, Object>,
    /// How each object is served.
    pub headers: BTreeMap<ObjectKey, Headers>,
}

/// What S3 keeps beside an object's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// MIME type.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// When it was written.
    pub modified: u64,
}

/// A distribution and when its last change will have reached every edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// As CloudFront would show it.
    pub live: distribution::Live,
    /// Deployed from then on.
    pub deployed_at: u64,
}

/// Everything that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The format of this record.
    pub format: u32,
    /// Whose world.
    pub account: AccountId,
    /// How long things take.
    pub delays: Delays,
    /// Counts everything that AWS would number.
    pub serial: u64,
    /// Buckets.
    pub buckets: BTreeMap<BucketName, Bucket>,
    /// Roles.
    pub roles: BTreeMap<RoleName, role::Live>,
    /// Functions.
    pub functions: BTreeMap<FunctionName, function::Live>,
    /// The last version number that each function name ever had.
    pub numbers: BTreeMap<FunctionName, u64>,
    /// Origin access controls by name.
    pub access: BTreeMap<String, access::Live>,
    /// Distributions.
    pub distributions: BTreeMap<DistributionId, Distribution>,
    /// When the first thing of each stack was made.
    #[serde(default)]
    pub born: BTreeMap<StackName, u64>,
    /// Version ARN → when its replicas will be gone.
    pub replicas: BTreeMap<String, u64>,
}

/// The format that this program reads and writes.
pub const FORMAT: u32 = 1;

impl World {
    /// A world with nothing in it.
    #[must_use]
    pub fn empty(account: AccountId, delays: Delays) -> Self {
        Self {
            format: FORMAT,
            account,
            delays,
            serial: 0,
            buckets: BTreeMap::new(),
            roles: BTreeMap::new(),
            functions: BTreeMap::new(),
            numbers: BTreeMap::new(),
            access: BTreeMap::new(),
            distributions: BTreeMap::new(),
            born: BTreeMap::new(),
            replicas: BTreeMap::new(),
        }
    }
}
