//! The spec: the user's YAML file and its parsed form.
//!
//! [`load`](load::load) reads the file and gives either a [`Spec`] in which every rule that can be checked without AWS
//! holds, or *all* [`Problem`](problem::Problem)s at once, each with its place in the file.

use crate::name::{
    AccountId, BucketName, DistributionId, FunctionName, Namespace, ObjectKey, Region, RoleName,
    RolePath, StackName,
};
use crate::resource::distribution::Behavior;
use crate::resource::site::folder::Selection;
use crate::resource::site::rules::{Pattern, Rule};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub mod check;
pub mod decode;
pub mod duration;
pub mod keys;
pub mod load;
pub mod node;
pub mod page;
pub mod problem;
mod publishes;
pub mod runtime;
pub mod substitute;

/// What the user wants, with every default filled in that does not need the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The file it was read from, absolute; relative paths in it were resolved against this file's
    /// folder.
    pub file: PathBuf,
    /// Names and tags everything.
    pub stack: StackName,
    /// Guard: refuse to work on any other account.
    pub account: Option<AccountId>,
    /// The bucket's region.
    pub region: Region,
    /// The bucket and the site in it.
    pub bucket: BucketSpec,
    /// The maintenance page and the switch.
    pub maintenance: MaintenanceSpec,
    /// The edge function.
    pub function: FunctionSpec,
    /// Its execution role.
    pub role: RoleSpec,
    /// The distribution: ours, or one that exists.
    pub distribution: DistributionSpec,
    /// The user's own tags, put on everything that takes tags.
    pub tags: BTreeMap<String, String>,
    /// Kinds that a destroy leaves alone.
    pub protect: BTreeSet<Protected>,
    /// How long a demo lives; `provision sweep --expired` ends it.
    pub ttl: Option<Duration>,
}

impl Spec {
    /// Which files of the site's folder are objects.
    #[must_use]
    pub fn selection(&self) -> Selection<'_> {
        let MaintenanceSpec { page, key_off, key_on, .. } = &self.maintenance;
        Selection {
            excluded: [Some(key_off), Some(key_on)],
            page: page.as_deref(),
            ignore: &self.bucket.ignore,
        }
    }
}

/// The bucket of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketSpec {
    /// `None`: derived from stack and account.
    pub name: Option<BucketName>,
    /// Where its default name has to be unique.
    pub namespace: Namespace,
    /// Absolute path of the folder of files to upload, without the file of the maintenance page if
    /// it is there.
    pub site: Option<PathBuf>,
    /// Which of its files are left out.
    pub ignore: Vec<Pattern>,
    /// How its files are served, where the rules that files follow by themselves do not do.
    pub headers: Vec<Rule>,
    /// Keep old versions of objects; `None`: as the bucket does.
    pub versioning: Option<bool>,
}

/// The page that visitors see during maintenance, and how the edge function serves it.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceSpec {
    /// Absolute path of the page; `None`: the built-in page. The file may lie in the site's folder:
    /// it is then no part of the site, and must be left out when the site is uploaded.
    pub page: Option<PathBuf>,
    /// Where the page is while the switch is off.
    pub key_off: ObjectKey,
    /// Where it is while the switch is on.
    pub key_on: ObjectKey,
    /// HTTP status of the page, 200 to 599.
    pub status: u16,
    /// `Retry-After` where no window says better; whole seconds.
    pub retry_after: Duration,
    /// How long one edge instance may remember what it saw.
    pub cache: Duration,
    /// Paths that always get the site: exact, or with one `*` at the end.
    pub allow: Vec<String>,
    /// Paths that only programs ask for, written in the same way.
    pub programs: Vec<String>,
    /// Networks that always get the site, in CIDR notation.
    pub bypass_cidrs: Vec<String>,
    /// The cookie that carries a bypass token.
    pub bypass_cookie: String,
}

/// The Lambda@Edge function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionSpec {
    /// Its name; default `<stack>-edge`.
    pub name: FunctionName,
    /// Lambda's runtime identifier, such as `python3.13`.
    pub runtime: String,
    /// Where its code comes from.
    pub source: Source,
    /// Memory in MB.
    pub memory: u32,
    /// Whole seconds.
    pub timeout: Duration,
    /// How many published versions to keep, the associated one included; at least 1.
    pub keep_versions: u32,
    /// How many days its log groups keep their events; `None`: nothing is done about them until
    /// they are taken down.
    pub log_retention: Option<u32>,
}

/// Where the function's code comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The function that ships with `provision`.
    Builtin,
    /// The user's own file or folder (absolute path) and its `module.function`.
    Path {
        /// File or folder.
        path: PathBuf,
        /// `module.function`.
        handler: String,
    },
}

/// The function's execution role.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleSpec {
    /// Its name; default `<stack>-edge`.
    pub name: RoleName,
    /// Its path; default `/`.
    pub path: RolePath,
    /// ARN of a managed policy that bounds it.
    pub permissions_boundary: Option<String>,
}

/// The distribution in front of the site.
#[derive(Clone, Debug, PartialEq)]
pub enum DistributionSpec {
    /// `provision` creates and deletes it.
    Owned(OwnedDistribution),
    /// It exists; `provision` holds only slots of it.
    Attached(AttachedDistribution),
}

/// Settings of a distribution that is ours.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedDistribution {
    /// What `/` serves.
    pub default_root_object: String,
    /// `PriceClass_100`, `PriceClass_200` or `PriceClass_All`.
    pub price_class: String,
    /// Alternate domain names.
    pub aliases: BTreeSet<String>,
    /// ACM certificate's ARN; must lie in the edge region.
    pub certificate: Option<String>,
    /// Answer 403 and 404 of the origin with the root object and 200.
    pub spa: bool,
    /// Shown in the console; at most 128 characters.
    pub comment: String,
}

/// Slots of a distribution of another owner.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachedDistribution {
    pub id: DistributionId,
    /// Its behaviors whose slot is ours.
    pub behaviors: BTreeSet<Behavior>,
    /// Take a slot that another function holds.
    pub replace: bool,
}

/// Where the page is, unless the spec names another key.
pub const KEY_OFF: &str = "maintenance.html";

/// The name of role and function, unless the spec says another one.
#[must_use]
pub fn edge_name(stack: &StackName) -> String {
    format!("{stack}-edge")
}

/// Where the page is while the switch is on, unless the spec names another key.
pub const KEY_ON: &str = "maintenance-on.html";

/// The cookie that carries a bypass token.
pub(crate) const BYPASS_COOKIE: &str = "provision-bypass";

/// A kind that `protect:` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protected {
    Bucket,
    /// The execution role.
    Role,
    /// The function with its versions.
    Function,
    /// The function's log groups.
    Logs,
    /// The owned distribution.
    Distribution,
}

impl Protected {
    /// Every kind that can be protected, behind the word that names it in a spec and in a tag.
    pub const WORDS: [(&str, Self); 5] = [
        ("bucket", Self::Bucket),
        ("role", Self::Role),
        ("function", Self::Function),
        ("logs", Self::Logs),
        ("distribution", Self::Distribution),
    ];

    /// The words alone.
    #[must_use]
    pub fn words() -> Vec<&'static str> {
        Self::WORDS.map(|(word, _)| word).to_vec()
    }

    /// Reads words with spaces between them. Who writes a word that is not known, by hand or with
    /// another version of this program, wants something to stay: then everything does.
    #[must_use]
    pub fn among(words: &str) -> BTreeSet<Self> {
        let known =
            |word: &str| Self::WORDS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let kinds: Option<BTreeSet<Self>> =
            words.split_whitespace().map(|word| Some(known(word)?.1)).collect();
        kinds.unwrap_or_else(|| Self::WORDS.into_iter().map(|(_, kind)| kind).collect())
    }
}

impl std::fmt::Display for Protected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = Self::WORDS.into_iter().find(|(_, kind)| kind == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}
