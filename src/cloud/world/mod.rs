//! A simulated cloud in memory: every room's `simulate`, and AWS's rules between the rooms, with
//! time passing.
//!
//! A claim about AWS, kept honest by the wire tests. Times are seconds since the Unix epoch and are
//! handed in, so that a test can let hours pass.

use crate::edge::ObjectHeaders;
use crate::file;
use crate::name::{
    AccountId, BucketName, DistributionId, FunctionName, ObjectKey, Region, RoleName, StackName,
};
use crate::resource::site::Object;
use crate::resource::{access, bucket, distribution, function, logs, role};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

mod apply;
mod discover;
mod observe;
mod versions;

pub use versions::Older;

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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its settings.
    pub live: bucket::Live,
    pub policy: Option<Value>,
    /// Its current objects.
    pub objects: BTreeMap<ObjectKey, Object>,
    /// How each object is served.
    pub headers: BTreeMap<ObjectKey, Headers>,
    /// What each key had before, the oldest first. Where a key has no object now, a delete marker
    /// is the last.
    #[serde(default)]
    pub older: BTreeMap<ObjectKey, Vec<Older>>,
    /// The bytes of the index of what is ours; of other objects nobody here needs them.
    #[serde(default)]
    pub index: String,
}

/// What S3 keeps beside an object's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    #[serde(flatten)]
    pub sent: ObjectHeaders,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// When it was written.
    pub modified: u64,
    /// S3's id of the version; empty for `null`.
    #[serde(default)]
    pub version: String,
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
    pub buckets: BTreeMap<BucketName, Bucket>,
    pub roles: BTreeMap<RoleName, role::Live>,
    pub functions: BTreeMap<FunctionName, function::Live>,
    /// The last version number that each function name ever had.
    pub numbers: BTreeMap<FunctionName, u64>,
    /// Log groups by name, in each region.
    #[serde(default)]
    pub logs: BTreeMap<Region, BTreeMap<String, logs::Group>>,
    /// Origin access controls by name.
    pub access: BTreeMap<String, access::Live>,
    pub distributions: BTreeMap<DistributionId, Distribution>,
    /// When the first thing of each stack was made.
    #[serde(default)]
    pub born: BTreeMap<StackName, u64>,
    /// Version ARN → when its replicas will be gone.
    pub replicas: BTreeMap<String, u64>,
    /// What creations of distributions were called: CloudFront takes none twice, also not after the
    /// end of the first.
    #[serde(default)]
    pub references: BTreeSet<String>,
}

/// The format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// Whatever is counted or numbered stays below: what JSON carries exactly everywhere, and so far
/// from the end of counting that no run gets there.
const MOST: u64 = 1 << 53;

/// Why a record cannot be used: a fragment that fits behind its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Another version of this program wrote it.
    #[error("has format {0}, this program reads format {FORMAT}")]
    Version(u32),
    /// Nobody's.
    #[error("is damaged: {0}")]
    Damaged(String),
}

/// What every version's record says.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl World {
    /// Reads a record.
    ///
    /// # Errors
    /// It is another version's, or damaged; also where nothing could be numbered from it any more.
    pub fn from_json(record: &[u8]) -> Result<Self, Unfit> {
        // Another version's record may look different in all but this.
        let Version { format } = file::parse(record).map_err(Unfit::Damaged)?;
        if format != FORMAT {
            return Err(Unfit::Version(format));
        }
        let world: Self = file::parse(record).map_err(Unfit::Damaged)?;
        let published =
            world.functions.values().flat_map(|live| &live.versions).map(|version| version.number);
        match world
            .numbers
            .values()
            .copied()
            .chain(published)
            .chain([world.serial])
            .find(|number| *number >= MOST)
        {
            Some(number) => Err(Unfit::Damaged(format!("nothing was ever numbered {number}"))),
            None => Ok(world),
        }
    }

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
            logs: BTreeMap::new(),
            access: BTreeMap::new(),
            distributions: BTreeMap::new(),
            born: BTreeMap::new(),
            replicas: BTreeMap::new(),
            references: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Done, FaultKind};
    use crate::context::References;
    use crate::resource::site::Settings;
    use crate::stack::{Names, Op, Scope};

    /// A world of every kind, with no field that came after the others. It stays readable: a new
    /// field needs `#[serde(default)]`, or the format another number.
    const OLD: &str = r#"{
        "format": 1,
        "account": "123456789012",
        "delays": {"deploy": 2, "replicas": 20},
        "serial": 11,
        "buckets": {"shop-files": {
            "live": {"settings": {
                "region": "us-east-1", "private": true, "owner_enforced": true,
                "versioning": "Off", "tags": {"provision:stack": "shop"}
            }},
            "policy": null,
            "objects": {"home.html": {"etag": "9104ecfa86b86322db357f5eda935c90", "size": 14}},
            "headers": {"home.html": {
                "content_type": "text/html; charset=utf-8", "cache_control": "no-store",
                "metadata": {"provision-stack": "shop"}, "modified": 1796028130
            }}
        }},
        "roles": {"shop-edge": {
            "settings": {
                "path": "/", "trust": {}, "policy": null,
                "description": "provision:stack=shop", "tags": {"provision:stack": "shop"}
            },
            "other_policies": [], "attached": []
        }},
        "functions": {"shop-edge": {
            "settings": {
                "frozen": {
                    "code_sha256": "J2gqP1J11NtslhWi60OpB27mENXdRHFpSYvpgrsHVjk=",
                    "runtime": "python3.13", "handler": "edge.handler", "memory": 128,
                    "timeout": 5, "role": "arn:aws:iam::123456789012:role/shop-edge",
                    "refused": [], "description": "provision:stack=shop"
                },
                "tags": {"provision:stack": "shop"}
            },
            "revision": "revision-5", "versions": []
        }},
        "numbers": {"shop-edge": 1},
        "logs": {"us-east-1": {"/aws/lambda/us-east-1.shop-edge": {
            "retention": 30, "policy": null, "protected": false, "tags": {}
        }}},
        "access": {"provision-shop": {
            "id": "EOAC00000003", "name": "provision-shop", "description": "provision:stack=shop"
        }},
        "distributions": {"E2SANDBOX00008": {
            "live": {
                "id": "E2SANDBOX00008", "etag": "ETAG8", "document": "<DistributionConfig/>",
                "deployed": false, "domain": "e2sandbox00008.cloudfront.net", "tags": {}
            },
            "deployed_at": 1796028132
        }},
        "replicas": {"arn:aws:lambda:us-east-1:123456789012:function:shop-edge:1": 1796028150}
    }"#;

    #[test]
    fn an_old_world_of_this_format_can_still_be_read() {
        let World {
            format: _,
            account: _,
            delays: _,
            serial: _,
            buckets,
            roles,
            functions,
            numbers,
            logs,
            access,
            distributions,
            born,
            replicas,
            references,
        } = World::from_json(OLD.as_bytes()).unwrap();
        let read = [
            buckets.len(),
            roles.len(),
            functions.len(),
            numbers.len(),
            logs.len(),
            access.len(),
            distributions.len(),
            replicas.len(),
        ];
        assert_eq!((read, born.len(), references.len()), ([1; 8], 0, 0));
    }

    #[test]
    fn what_is_not_there_is_not_deployed() {
        let world = World::from_json(OLD.as_bytes()).unwrap();
        let deployed = |id: &str, disabled, now| {
            let op = distribution::Op::AwaitDeployed { id: Some(id.parse().unwrap()), disabled };
            let ended = world.deployed(&Op::Distribution(op), &References::default(), now);
            ended.map_err(|fault| fault.kind)
        };
        let (there, changed) = ("E2SANDBOX00008", Done::Changed("deployed".into()));
        assert_eq!(deployed(there, false, 0), Ok(None));
        assert_eq!(deployed(there, true, u64::MAX), Ok(Some(changed)));
        assert_eq!(deployed("E2ABCDEF0123", false, 0), Err(FaultKind::NotFound));
        assert_eq!(deployed("E2ABCDEF0123", true, 0), Ok(Some(Done::AlreadySo)));
    }

    #[test]
    fn objects_in_another_region_than_the_specs_are_not_looked_at() {
        let world = World::from_json(OLD.as_bytes()).unwrap();
        for (region, objects) in [("us-east-1", 1), ("eu-west-1", 0)] {
            let names = Names::of_stack(&"shop".parse().unwrap(), region.parse().unwrap());
            let bucket = Some("shop-files".parse().unwrap());
            let names = Names { bucket, ..names.unwrap() };
            for scope in [Scope::Stack, Scope::Teardown] {
                let (_, live) = world.observe(&names, &Settings::default(), scope, 0);
                assert_eq!(live.objects.objects.len(), objects, "{region}");
                let versions = if scope == Scope::Teardown { objects } else { 0 };
                assert_eq!(live.inventory.versions.len(), versions, "{region}");
                assert!(live.bucket.is_some(), "the planner has to say where it is");
            }
        }
    }
}
