//! The rules between keys, and about the files that the spec names.
//!
//! A rule looks only at keys that [`decode`](super::decode) accepted, so that no problem is told
//! twice.

use super::decode::{Draft, Given};
use super::load::Files;
use super::problem::Problem;
use super::runtime::{self, DEFAULT_PYTHON, Language};
use super::{DistributionSpec, OwnedDistribution, Source};
use crate::name::{AccountId, BucketName, Namespace};
use std::path::Path;

mod files;

/// Checks the draft; `folder` is where its file is.
pub fn check(draft: &Draft, folder: &Path, files: Files, problems: &mut Vec<Problem>) {
    account(draft, problems);
    bucket(draft, problems);
    switch(draft, problems);
    function(draft, problems);
    if let DistributionSpec::Owned(owned) = &draft.spec.distribution {
        distribution(draft, owned, problems);
    }
    if files == Files::Needed {
        files::check(draft, folder, problems);
    }
}

/// ARNs must name the account that the spec asks for.
fn account(draft: &Draft, problems: &mut Vec<Problem>) {
    let (Some(account), Some(_)) = (&draft.spec.account, draft.given("account")) else { return };
    let mut compare = |key: &str, arn: Option<&String>| {
        let (Some(arn), Some(given)) = (arn, draft.given(key)) else { return };
        // `aws` stands for policies that AWS keeps for everybody.
        let other =
            arn.split(':').nth(4).is_some_and(|owner| owner != account.as_str() && owner != "aws");
        if other {
            let what = format!("`{key}` is in another account than the spec's `account`");
            let rule = "AWS looks for it in the account that it is used in";
            problems.push(Problem::error(
                &given.place,
                what,
                rule,
                "write one of this account, or correct `account`",
            ));
        }
    };
    if let DistributionSpec::Owned(owned) = &draft.spec.distribution {
        compare("distribution.certificate", owned.certificate.as_ref());
    }
    compare("role.permissions_boundary", draft.spec.role.permissions_boundary.as_ref());
}

fn bucket(draft: &Draft, problems: &mut Vec<Problem>) {
    const DOCUMENT: &str = "Amazon S3 User Guide, \"General purpose bucket naming rules\"";
    regional(draft, problems);
    if let (Some(name), Some(given)) = (&draft.spec.bucket.name, draft.given("bucket.name")) {
        if name.as_str().contains('.') {
            let what = format!("bucket name `{}` holds a dot", given.shown);
            let rule = format!("{DOCUMENT}: TLS certificates of S3 do not cover a name with dots");
            problems.push(Problem::warning(
                &given.place,
                what,
                rule,
                "write `-` instead of the dots",
            ));
        }
    } else if let (false, Some(given)) = (draft.refused("bucket.name"), draft.given("stack")) {
        // Any account will do: its digits cannot break a rule that the stack's name keeps.
        let account =
            draft.spec.account.clone().or_else(|| "000000000000".parse::<AccountId>().ok());
        let derived = account.map(|account| {
            let (region, namespace) = (&draft.spec.region, draft.spec.bucket.namespace);
            BucketName::derived(&draft.spec.stack, &account, region, namespace)
        });
        if let Some(Err(broken)) = derived {
            let what = format!(
                "no bucket can be named after the stack `{}`: the name {broken}",
                given.shown
            );
            problems.push(Problem::error(
                &given.place,
                what,
                DOCUMENT,
                "write another `stack`, or a `bucket.name`",
            ));
        }
    }
}

/// A name in an account's regional namespace says whose it is, and where.
fn regional(draft: &Draft, problems: &mut Vec<Problem>) {
    const DOCUMENT: &str = "Amazon S3 User Guide, \"Namespaces for general purpose buckets\"";
    let (region, bucket) = (&draft.spec.region, &draft.spec.bucket);
    if let Some(given) = draft.given("bucket.namespace").filter(|_| !bucket.namespace.is_in(region))
    {
        let what = format!("there is no namespace `{}` in {region}", given.shown);
        let fix = "remove `namespace`, or choose another `region`";
        problems.push(Problem::error(&given.place, what, DOCUMENT, fix));
    }
    let Some(given) = draft.given("bucket.name") else { return };
    let mut refuse = |what: String, fix: String| {
        problems.push(Problem::error(&given.place, what, DOCUMENT, fix));
    };
    let named = &given.shown;
    let found = draft.spec.bucket.name.as_ref().and_then(BucketName::regional);
    let namespace = if found.is_some() { Namespace::AccountRegional } else { Namespace::Global };
    if let Some(other) =
        draft.given("bucket.namespace").filter(|_| draft.spec.bucket.namespace != namespace)
    {
        let what = format!("bucket name `{named}` is not in namespace `{}`", other.shown);
        let fix = "remove `namespace`: a name says by its end in which it is";
        refuse(what, fix.to_owned());
    }
    let Some((account, region)) = found else { return };
    if let Some(own) = draft.spec.account.as_ref().filter(|own| **own != account) {
        let what = format!("bucket name `{named}` is another account's than the spec's `account`");
        refuse(what, format!("write `-{own}-{region}-an` at its end, or correct `account`"));
    }
    if region != draft.spec.region && !draft.refused("region") {
        let what = format!("bucket name `{named}` is of another region than the spec's");
        refuse(what, format!("write `region: {region}`, or another name"));
    }
}

/// Which key exists is the switch, so the two must differ.
fn switch(draft: &Draft, problems: &mut Vec<Problem>) {
    let maintenance = &draft.spec.maintenance;
    let (off, on) = (draft.given("maintenance.keys.off"), draft.given("maintenance.keys.on"));
    if maintenance.key_off == maintenance.key_on
        && let Some(given) = on.or(off)
    {
        let rule = "an object under the key `on` is what turns maintenance on; under one and the \
            same key it would always be on";
        problems.push(Problem::error(
            &given.place,
            "`maintenance.keys` names one key twice",
            rule,
            "write two different keys",
        ));
    }
    let DistributionSpec::Owned(owned) = &draft.spec.distribution else { return };
    let root = &owned.default_root_object;
    if *root == maintenance.key_off.as_str() || *root == maintenance.key_on.as_str() {
        let place = first(
            draft,
            &["distribution.default_root_object", "maintenance.keys.off", "maintenance.keys.on"],
        );
        if let Some(given) = place {
            let rule = "the page's object comes and goes with the switch, so the site's root would \
                come and go with it";
            problems.push(Problem::error(
                &given.place,
                "the root object is the maintenance page",
                rule,
                "write `default_root_object: index.html`, or what your site begins with",
            ));
        }
    }
}

fn function(draft: &Draft, problems: &mut Vec<Problem>) {
    const DIFFERENCES: &str = "Amazon CloudFront Developer Guide, \"Differences between CloudFront \
        Functions and Lambda@Edge\"";
    let function = &draft.spec.function;
    let language = runtime::find(&function.runtime).map(|runtime| runtime.language);
    if let (Source::Builtin, Some(Language::Node), Some(given)) =
        (&function.source, language, draft.given("function.runtime"))
    {
        let what = format!("the built-in function does not run on `{}`", given.shown);
        problems.push(Problem::error(
            &given.place,
            what,
            "the function that ships with `provision` is written in Python",
            format!("write `runtime: {DEFAULT_PYTHON}`, or name your own `source`"),
        ));
    }
    if let (true, Some(given)) = (function.memory > 128, draft.given("function.memory")) {
        let what = format!("CloudFront may refuse `{}` of memory at a viewer event", given.shown);
        let rule = format!(
            "{DIFFERENCES}: 128 MB at viewer events; \"Quotas\" on the same site allows more"
        );
        problems.push(Problem::warning(&given.place, what, rule, "write `memory: 128`"));
    }
    if let (true, Some(given)) = (function.timeout.as_secs() > 5, draft.given("function.timeout")) {
        let what =
            format!("CloudFront may refuse a timeout of `{}` at a viewer event", given.shown);
        let rule = "AWS General Reference, \"Amazon CloudFront endpoints and quotas\": 5 seconds \
            at viewer events; the Developer Guide, \"Quotas\", allows 30";
        problems.push(Problem::warning(&given.place, what, rule, "write `timeout: 5s`"));
    }
}

fn distribution(draft: &Draft, owned: &OwnedDistribution, problems: &mut Vec<Problem>) {
    const DOCUMENT: &str = "Amazon CloudFront Developer Guide, \"Use custom URLs by adding \
        alternate domain names (CNAMEs)\"";
    if owned.aliases.is_empty()
        || owned.certificate.is_some()
        || draft.refused("distribution.certificate")
    {
        return;
    }
    if let Some(given) = draft.given("distribution.aliases") {
        let rule = format!("{DOCUMENT}: the certificate must cover every alias");
        problems.push(Problem::error(
            &given.place,
            "aliases need a certificate",
            rule,
            "add `certificate:` with the ARN of one that covers them, or remove `aliases`",
        ));
    }
}

/// The first of `keys` that was given.
fn first<'d>(draft: &'d Draft, keys: &[&str]) -> Option<&'d Given> {
    keys.iter().find_map(|key| draft.given(key))
}
