//! Tree → [`Spec`]: names, types, ranges and defaults, one key at a time.
//!
//! Which keys there are, and how large a number may be, [`keys`](super::keys) says. A wrong value
//! is reported and replaced by the default, so that reading goes on; a spec with errors never leaves
//! [`load`](super::load::load). Rules that need two keys or the file system are in
//! [`check`](super::check).

use super::node::{Node, Value};
use super::problem::{Place, Problem};
use super::{BucketSpec, Protected, RoleSpec, Spec, edge_name};
use crate::name::{AccountId, Namespace, Region, StackName};
use crate::resource::site::rules::Pattern;
use reader::{Reader, Section};
use scalar::Naming;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

mod distribution;
mod function;
mod headers;
mod maintenance;
mod nearest;
mod reader;
mod scalar;
mod tags;

/// A scalar that the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// How it may stand in a message.
    pub shown: String,
    pub place: Place,
}

/// What the file says, if nothing else were wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The spec; a default stands where a value was refused.
    pub spec: Spec,
    /// Every key that was given with an acceptable value, such as `bucket.site`.
    pub given: BTreeMap<String, Given>,
    /// Every known key that stands in the file, acceptable or not.
    pub mentioned: BTreeSet<String>,
}

impl Draft {
    /// The key's value as given; `None` if the default holds, or the value was refused already.
    #[must_use]
    pub fn given(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    /// Whether the key stands in the file with a value that was refused.
    #[must_use]
    pub fn refused(&self, key: &str) -> bool {
        self.mentioned.contains(key) && !self.given.contains_key(key)
    }
}

const BUCKET_NAMES: &str = "Amazon S3 User Guide, \"General purpose bucket naming rules\"";

/// Reads the tree. `None` only together with an error among the problems.
#[must_use]
pub fn decode(tree: &Node, file: &Path, problems: &mut Vec<Problem>) -> Option<Draft> {
    let mut reader = Reader::new(problems);
    let top = reader.top(tree);
    let stack = stack(&mut reader, &top, tree)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let spec = Spec {
        file: file.to_owned(),
        account: account(&mut reader, &top),
        region: region(&mut reader, &top),
        bucket: bucket(&mut reader, &top, folder),
        maintenance: maintenance::read(&mut reader, &top, folder)?,
        function: function::read(&mut reader, &top, folder, &stack)?,
        role: role(&mut reader, &top, &stack)?,
        distribution: distribution::read(&mut reader, &top, &stack)?,
        tags: tags::read(&mut reader, &top),
        protect: protect(&mut reader, &top),
        ttl: ttl(&mut reader, &top),
        stack,
    };
    Some(Draft { spec, given: reader.given, mentioned: reader.mentioned })
}

fn stack(reader: &mut Reader<'_>, top: &Section<'_>, tree: &Node) -> Option<StackName> {
    if !top.has("stack") && matches!(tree.value, Value::Map(_) | Value::Null) {
        // The tree's own place is where the file's first key stands.
        let rule = "the stack's name is the one key without a default: it names and tags \
            everything that is made";
        reader.problems.push(Problem::error(
            &tree.place,
            "the key `stack` is missing",
            rule,
            "write for example `stack: maintenance-demo`",
        ));
    }
    let naming = Naming {
        title: "stack name",
        rule: "the stack's name becomes part of the names of the bucket, the role and the function",
        example: "maintenance-demo",
    };
    reader.name(top, "stack", &naming).or_else(|| "unnamed".parse().ok())
}

fn account(reader: &mut Reader<'_>, top: &Section<'_>) -> Option<AccountId> {
    const RULE: &str = "AWS General Reference, \"AWS account identifiers\"";
    reader.name(
        top,
        "account",
        &Naming { title: "account", rule: RULE, example: "\"123456789012\"" },
    )
}

fn region(reader: &mut Reader<'_>, top: &Section<'_>) -> Region {
    const RULE: &str = "AWS General Reference, \"AWS service endpoints\"";
    let region = reader.name::<Region>(
        top,
        "region",
        &Naming { title: "region", rule: RULE, example: "eu-west-1" },
    );
    let partition = region.as_ref().and_then(|region| {
        ["cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-"]
            .into_iter()
            .find(|prefix| region.as_str().starts_with(prefix))
    });
    if let (Some(_), Some(given)) = (partition, reader.given.get("region").cloned()) {
        let what = format!("region `{}` is outside of AWS's public partition", given.shown);
        let rule =
            "Lambda@Edge and the distribution live in the partition `aws`, and so must the bucket";
        reader.problems.push(Problem::error(
            &given.place,
            what,
            rule,
            "write a region such as `eu-west-1`",
        ));
    }
    region.unwrap_or_else(Region::edge)
}

fn bucket(reader: &mut Reader<'_>, top: &Section<'_>, folder: &Path) -> BucketSpec {
    let section = reader.section(top, "bucket");
    BucketSpec {
        name: reader.name(
            &section,
            "name",
            &Naming { title: "bucket name", rule: BUCKET_NAMES, example: "my-site-123456789012" },
        ),
        namespace: namespace(reader, &section),
        site: reader.path(&section, "site", folder),
        ignore: ignore(reader, &section),
        headers: headers::read(reader, &section),
        versioning: reader.flag(&section, "versioning"),
    }
}

fn ignore(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<Pattern> {
    let words = reader.words(section, "ignore").unwrap_or_default();
    let pattern = |word: &scalar::Word| {
        let read = word.text.parse();
        if let Err(why) = read {
            let problem = headers::no_pattern(&word.place, &word.shown, why);
            reader.problems.push(problem);
        }
        read.ok()
    };
    words.iter().filter_map(pattern).collect()
}

fn namespace(reader: &mut Reader<'_>, section: &Section<'_>) -> Namespace {
    const KEY: &str = "namespace";
    let Some(word) = reader.word(section, KEY) else { return Namespace::default() };
    let known = Namespace::WORDS.into_iter().find(|(name, _)| *name == word.text);
    if let Some((_, namespace)) = known {
        return namespace;
    }
    let what = format!("unknown namespace `{}`", word.shown);
    let rule = "Amazon S3 User Guide, \"Namespaces for general purpose buckets\"";
    let fix = nearest::fix(&word.text, &section.words(KEY));
    reader.refuse(section, KEY, &word.place, what, rule, fix);
    Namespace::default()
}

fn role(reader: &mut Reader<'_>, top: &Section<'_>, stack: &StackName) -> Option<RoleSpec> {
    const DOCUMENT: &str = "IAM User Guide, \"IAM and AWS STS quotas\"";
    let section = reader.section(top, "role");
    Some(RoleSpec {
        name: reader
            .name(
                &section,
                "name",
                &Naming { title: "role name", rule: DOCUMENT, example: "my-site-edge" },
            )
            .or_else(|| edge_name(stack).parse().ok())?,
        path: reader
            .name(
                &section,
                "path",
                &Naming { title: "role path", rule: DOCUMENT, example: "/team/" },
            )
            .or_else(|| "/".parse().ok())?,
        permissions_boundary: boundary(reader, &section),
    })
}

fn boundary(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    const KEY: &str = "permissions_boundary";
    let word = reader.word(section, KEY)?;
    if is_policy_arn(&word.text) {
        return Some(word.text);
    }
    let what = format!("`{}` is not the ARN of an IAM policy", word.shown);
    let rule = "IAM User Guide, \"Permissions boundaries for IAM entities\": it is a managed \
        policy, named by its ARN";
    reader.refuse(
        section,
        KEY,
        &word.place,
        what,
        rule,
        "write it as `arn:aws:iam::123456789012:policy/name`",
    );
    None
}

fn is_policy_arn(text: &str) -> bool {
    let Some((account, policy)) =
        text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":policy/"))
    else {
        return false;
    };
    let visible = !policy.is_empty()
        && policy.bytes().all(|b| b.is_ascii_graphic())
        && !policy.ends_with('/');
    (account == "aws" || account.parse::<AccountId>().is_ok()) && visible
}

/// At most a year: what shall live longer is no demo.
fn ttl(reader: &mut Reader<'_>, top: &Section<'_>) -> Option<Duration> {
    let rule =
        "`ttl` marks a demo: `provision sweep --expired` takes it down that long after it was made";
    let ttl = reader.duration(top, "ttl", 0, rule);
    (!ttl.is_zero()).then_some(ttl)
}

fn protect(reader: &mut Reader<'_>, top: &Section<'_>) -> BTreeSet<Protected> {
    let words = reader.words(top, "protect").unwrap_or_default();
    let kind = |word: &scalar::Word| {
        let found = Protected::WORDS.into_iter().find(|(name, _)| *name == word.text);
        if found.is_none() {
            let fix = nearest::fix(&word.text, &top.words("protect"));
            let what = format!("`{}` is no kind that can be protected", word.shown);
            reader.problems.push(Problem::error(
                &word.place,
                what,
                "`protect` keeps a bucket, role, function, its logs or a distribution through a \
                    destroy",
                fix,
            ));
        }
        found.map(|(_, kind)| kind)
    };
    words.iter().filter_map(kind).collect()
}
