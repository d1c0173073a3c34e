//! The edge function: its code and configuration (`$LATEST`), and its published versions, which are
//! what CloudFront runs.
//!
//! A version is immutable. We name it by its content ([`Frozen::name`]); the number is AWS's and is
//! looked up.

use super::{Standing, Tags, tags};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{AccountId, BucketName, FunctionName, ObjectKey, RoleName, StackName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) mod aws;
pub mod package;
pub(crate) mod permissions;
pub mod plan;
mod reference;
pub(crate) mod simulate;

pub use package::Package;
pub use reference::{Functions, Occupant, VersionReference};

/// The one of [`Frozen::refused`] that goes with the code and not with the configuration.
pub const ARCHITECTURE: &str = "another architecture than x86_64";

/// What a version freezes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frozen {
    /// Base64 of the package's SHA-256, as Lambda reports it.
    pub code_sha256: String,
    /// Lambda's identifier.
    pub runtime: String,
    /// `module.function`.
    pub handler: String,
    /// In MB.
    pub memory: u32,
    /// In seconds.
    pub timeout: u32,
    /// The execution role's ARN.
    pub role: String,
    /// Settings that Lambda@Edge refuses (environment variables, layers, …) and that another user put
    /// there; we want none.
    pub refused: BTreeSet<String>,
    /// Says that it is ours (tags on edge functions are doubtful: CloudFront Developer Guide,
    /// "Restrictions on all edge functions"), and which page it looks at. See [`description`].
    pub description: String,
}

impl Frozen {
    /// The version's name: seven hex digits that depend on nothing but its content.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { code_sha256, runtime, handler, memory, timeout, role, refused, description } =
            self;
        let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
        let text = [
            code_sha256,
            runtime,
            handler,
            &memory.to_string(),
            &timeout.to_string(),
            role,
            &refused.join(","),
            description,
        ]
        .map(String::as_str)
        .join("\n");
        hex::encode(Sha256::digest(text))[..7].to_owned()
    }

    /// The configuration's part of the difference; the code is not configuration.
    fn configuration_changes(&self, after: &Self) -> Vec<FieldChange> {
        let Self { code_sha256: _, runtime, handler, memory, timeout, role, refused, .. } = self;
        let show = |names: &BTreeSet<String>| {
            if names.is_empty() {
                "none".into()
            } else {
                names.iter().cloned().collect::<Vec<_>>().join(", ")
            }
        };
        [
            FieldChange::between("runtime", runtime, &after.runtime),
            FieldChange::between("handler", handler, &after.handler),
            FieldChange::between(
                "memory",
                &format!("{memory} MB"),
                &format!("{} MB", after.memory),
            ),
            FieldChange::between(
                "timeout",
                &format!("{timeout} s"),
                &format!("{} s", after.timeout),
            ),
            FieldChange::between("role", role, &after.role),
            FieldChange::between(
                "settings that the edge refuses",
                &show(refused),
                &show(&after.refused),
            ),
            FieldChange::between("description", &self.description, &after.description),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// How the function should be, or is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What the next version freezes.
    pub frozen: Frozen,
    pub tags: Tags,
}

/// A page as functions look for it: its existence under this key is the switch.
pub type Page = (BucketName, ObjectKey);

/// The description that marks a function as the stack's and tells which page its next version looks
/// at. Versions keep theirs, so the page that visitors would get is known whatever the spec says.
#[must_use]
pub fn description(stack: &StackName, (bucket, key): &Page) -> String {
    format!("{}{PAGE}{bucket}/{key}", super::marker(stack))
}

const PAGE: &str = " page=";

impl Frozen {
    /// The page that the version looks at, if its description tells.
    #[must_use]
    pub fn page(&self) -> Option<Page> {
        let (_, page) = self.description.split_once(PAGE)?;
        let (bucket, key) = page.split_once('/')?;
        Some((bucket.parse().ok()?, key.parse().ok()?))
    }
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// AWS's number; never used twice, also not after the function is deleted and made again.
    pub number: u64,
    /// Its content.
    pub frozen: Frozen,
}

/// The function as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub settings: Settings,
    /// Changes with every write; guards ours.
    pub revision: String,
    /// Published versions, oldest first.
    pub versions: Vec<Version>,
    /// It is made from a container image, for ever.
    #[serde(default)]
    pub image: bool,
}

impl Live {
    /// The roles that it and its versions run with, as far as `account` has them.
    pub fn roles(&self, account: &AccountId) -> impl Iterator<Item = RoleName> {
        let versions = self.versions.iter().map(|version| &version.frozen);
        let frozen = versions.chain([&self.settings.frozen]);
        frozen.filter_map(move |frozen| RoleName::from_arn(&frozen.role, account))
    }

    /// The number of the newest version with this content.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<u64> {
        self.versions
            .iter()
            .rev()
            .find(|version| version.frozen.name() == name)
            .map(|version| version.number)
    }
}

/// One mutation of the function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Create it and publish its first version, in one call.
    Create(Create),
    /// Set the configuration.
    Configure(Configure),
    /// Upload code; publish it at once if no version holds this content yet.
    Upload(Upload),
    /// Publish what `$LATEST` holds.
    Publish(Publish),
    /// Set and remove tags of ours.
    SetTags {
        /// The function's ARN, by which Lambda tags.
        arn: String,
        tags: tags::Difference,
        /// The function was not ours before.
        adopts: bool,
    },
    /// Delete one superseded version.
    Prune {
        /// AWS's number.
        number: u64,
    },
    /// Delete the function with all versions.
    Delete,
}

/// Create it and publish its first version, in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Create {
    pub settings: Settings,
    pub package: Package,
}

/// Set the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Configure {
    pub before: Settings,
    pub after: Settings,
    /// The revision that was seen. Guards the write.
    pub revision: String,
}

/// Upload code; publish it at once if no version holds this content yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// Code hash as seen; where it is the wanted one, the architecture is not.
    pub before: String,
    /// What is published.
    pub after: Frozen,
    pub package: Package,
    pub publish: bool,
    /// The revision that was seen; `None`: the one that an op before this one leaves.
    pub revision: Option<String>,
}

impl Upload {
    /// Is the function as it was when this was planned? The architecture comes with the code.
    pub(crate) fn was_seen_as(&self, live: &Live) -> bool {
        let mut seen = live.settings.frozen.clone();
        seen.refused.remove(ARCHITECTURE);
        let code_sha256 = self.after.code_sha256.clone();
        live.settings.frozen.code_sha256 == self.before
            && Frozen { code_sha256, ..seen } == self.after
    }
}

/// Publish what `$LATEST` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Publish {
    /// What is published; its code hash guards the call.
    pub frozen: Frozen,
}

/// How the function stands, with the number of the version that is as its settings.
#[must_use]
pub fn standing(name: &FunctionName, live: Option<&Live>) -> Standing {
    let number = live.and_then(|live| live.number_of(&live.settings.frozen.name()));
    match number {
        Some(number) => Standing::of(format!("{name} version {number}"), true),
        None => Standing::of(name, live.is_some()),
    }
}

impl Op {
    /// The bytes of the package that it sends, in base64.
    #[must_use]
    pub fn sends(&self) -> u64 {
        match self {
            Self::Create(Create { package, .. }) | Self::Upload(Upload { package, .. }) => {
                package.bytes.len().div_ceil(3) as u64 * 4
            }
            Self::Configure(_)
            | Self::Publish(_)
            | Self::SetTags { .. }
            | Self::Prune { .. }
            | Self::Delete => 0,
        }
    }

    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self, name: &FunctionName) -> Change {
        let at = |action, summary: String| {
            Change::new(Address::new(Kind::Function, name), action, summary)
        };
        match self {
            Self::Create(Create { settings, package }) => at(
                Action::Create,
                format!(
                    "create in {}, publish version {}",
                    crate::name::EDGE_REGION,
                    settings.frozen.name()
                ),
            )
            .with([
                FieldChange::set("runtime", &settings.frozen.runtime),
                FieldChange::set("handler", &settings.frozen.handler),
                FieldChange::set("memory", format!("{} MB", settings.frozen.memory)),
                FieldChange::set("timeout", format!("{} s", settings.frozen.timeout)),
                FieldChange::set("package", super::site::bytes(package.bytes.len() as u64)),
            ]),
            Self::Configure(Configure { before, after, .. }) => {
                at(Action::Update, "configure".into())
                    .with(before.frozen.configuration_changes(&after.frozen))
            }
            Self::Upload(Upload { before, after, publish, .. }) => {
                let publishing = if *publish {
                    format!(", publish version {}", after.name())
                } else {
                    String::new()
                };
                let code = FieldChange::between("code sha256", before, &after.code_sha256);
                let architecture = || FieldChange {
                    field: "architecture".into(),
                    before: Some(ARCHITECTURE.into()),
                    after: Some("x86_64".into()),
                };
                at(Action::Update, format!("upload code{publishing}"))
                    .with([code.unwrap_or_else(architecture)])
            }
            Self::Publish(Publish { frozen }) => {
                at(Action::Update, format!("publish version {}", frozen.name()))
            }
            Self::SetTags { tags, adopts, .. } => {
                tags.change(Address::new(Kind::Function, name), *adopts)
            }
            Self::Prune { number } => {
                at(Action::Delete, format!("prune superseded version {number}"))
            }
            Self::Delete => at(Action::Delete, "delete with all versions".into()),
        }
    }

    /// How long it waits for replicas to end, of what the user grants. A superseded version is
    /// nothing to wait for: the next apply prunes it.
    #[must_use]
    pub(crate) fn patience(&self, granted: Duration) -> Duration {
        match self {
            Self::Delete => granted,
            Self::Create(_)
            | Self::Configure(_)
            | Self::Upload(_)
            | Self::Publish(_)
            | Self::SetTags { .. }
            | Self::Prune { .. } => Duration::ZERO,
        }
    }
}

/// Why a version, or the function with all of them, cannot be deleted yet.
pub(crate) const REPLICATED: &str = "CloudFront still keeps replicas of it at the edge; AWS \
    removes them by itself, and nobody can hurry it";

/// What a delete waits for.
pub(crate) const REPLICAS_END: &str = "CloudFront to remove its replicas";

/// After how long a next try is worth while (docs/aws.md, "replicas end by themselves").
pub const REPLICAS_LINGER: Duration = Duration::from_mins(45);
