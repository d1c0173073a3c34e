//! Everything in the account as comparable text: what AWS numbers is named, what the clock says is
//! left out.

use super::cloudfront;
use super::yard::Yard;
use provision::cloud::Cloud;
use provision::desired;
use provision::name::Region;
use provision::resource::distribution::Live as Distribution;
use provision::resource::page::{Metadata, Shown, Sides, window};
use provision::resource::{logs, policy, role, site};
use provision::spec::load::{Files, load};
use provision::stack::{Former, Live, Names, Scope};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

#[derive(Debug, PartialEq)]
pub(crate) struct Census(BTreeMap<&'static str, String>);

impl Census {
    /// What is different, part by part; empty if nothing is.
    pub(crate) fn differences(&self, other: &Self) -> String {
        let mut text = String::new();
        for (part, expected) in &self.0 {
            let found = &other.0[part];
            if found != expected {
                writeln!(text, "{part}:\n  expected {expected}\n  found    {found}").unwrap();
            }
        }
        text
    }
}

/// Looks at everything: at what the tool sees of its own, at all names in the account, and at what
/// is another owner's.
pub(crate) async fn take(yard: &Yard) -> Census {
    let none = |_: &str| None;
    let spec = load(&yard.desk().path("provision.yaml"), &none, Files::Needed).unwrap().spec;
    let (names, site) = (Names::of(&spec), desired::site(&spec).unwrap());
    let (account, live) =
        Box::pin(yard.shop.aws.observe(&names, &site, Scope::Teardown)).await.unwrap();
    let sides = yard.shop.aws.observe_switch(&names.in_account(account).unwrap()).await.ok();
    let all = yard.shop.everything().await;
    let theirs = yard.theirs();
    let document = cloudfront::read(&yard.shop, &theirs).body;
    let mut parts = of_ours(&live, &sides.unwrap_or_default());
    parts.insert(
        "theirs",
        if yard.verb.attached { without_slots(&document, super::shop::FUNCTION) } else { document },
    );
    let renamed = |text: String| -> String {
        let text = live
            .distribution
            .iter()
            .fold(text, |text, found| text.replace(found.id.as_str(), "(ours)"));
        let text = live.access.iter().fold(text, |text, found| text.replace(&found.id, "(access)"));
        text.replace(&theirs, "(theirs)")
    };
    let mut all: Vec<String> = all.into_iter().map(renamed).collect();
    all.sort();
    parts.insert("everything", all.join(", "));
    Census(parts.into_iter().map(|(part, text)| (part, renamed(text))).collect())
}

fn of_ours(live: &Live, sides: &Sides) -> BTreeMap<&'static str, String> {
    let Live {
        bucket,
        objects,
        shown: window,
        inventory,
        policy,
        role,
        function,
        logs,
        access,
        distribution,
        attached,
        readers,
        signers,
        holders,
        former,
    } = live;
    let shown = |found: &Option<Distribution>| {
        format!(
            "{:?}",
            found.as_ref().map(|found| (found.document.read(), found.deployed, &found.tags))
        )
    };
    let keys: BTreeSet<_> = inventory.versions.iter().map(|version| &version.key).collect();
    let timeless = |metadata: &Metadata| -> Metadata {
        let clock = [window::SINCE, window::UNTIL, window::WINDOW];
        metadata
            .iter()
            .map(|(key, value)| {
                (
                    key.clone(),
                    if clock.contains(&key.as_str()) { "then".into() } else { value.clone() },
                )
            })
            .collect()
    };
    let side = [&sides.off, &sides.on]
        .map(|side| side.as_ref().map(|side| (&side.page, timeless(&side.metadata))));
    BTreeMap::from([
        ("bucket", format!("{:?}", bucket.as_ref().map(|bucket| &bucket.settings))),
        ("objects", of_objects(objects.clone(), window.as_ref())),
        ("inventory", format!("{keys:?} {}", inventory.uploads.len())),
        ("policy", meaning(policy.as_ref())),
        ("role", format!("{:?}", role.as_ref().map(of_role))),
        (
            "function",
            format!(
                "{:?}",
                function.as_ref().map(|function| (&function.settings, &function.versions))
            ),
        ),
        (
            "access",
            format!("{:?}", access.as_ref().map(|access| (&access.name, &access.description))),
        ),
        ("distribution", shown(distribution)),
        ("attached", shown(attached)),
        // A refusal is told with the number of its request.
        ("logs", format!("{:?} {:?}", of_groups(logs.groups.clone()), logs.refused.keys())),
        ("signers", format!("{signers:?}")),
        ("former", of_former(former)),
        ("readers", format!("{readers:?}")),
        ("holders", format!("{:?}", holders.iter().map(|held| &held.id).collect::<Vec<_>>())),
        ("switch", format!("{side:?}")),
    ])
}

fn meaning(document: Option<&Value>) -> String {
    format!("{:?}", document.map(policy::normal))
}

fn of_role(role: &role::Live) -> String {
    let role::Live { settings, other_policies, attached, created: _ } = role;
    let role::Settings { path, trust, policy, boundary, description, tags } = settings;
    let documents = (policy::normal(trust), meaning(policy.as_ref()));
    format!(
        "{path} {documents:?} {boundary:?} {description} {tags:?} {other_policies:?} {attached:?}"
    )
}

/// No two runs have the same time.
fn of_groups(mut groups: BTreeMap<Region, logs::Group>) -> BTreeMap<Region, logs::Group> {
    for group in groups.values_mut() {
        group.created = 0;
    }
    groups
}

/// No two windows have the same bytes, and no two runs the same time.
fn of_objects(mut objects: site::Live, window: Option<&Shown>) -> String {
    let is_window = |etag: &str| window.is_some_and(|window| window.etag == etag);
    if let Some(object) = objects.objects.values_mut().find(|object| is_window(&object.etag)) {
        object.etag = "a window".into();
    }
    objects.index.iter_mut().for_each(|index| index.modified = 0);
    format!("{objects:?}")
}

/// What is private there ends with the search.
fn of_former(former: &Former) -> String {
    let Former { buckets, roles, functions, refused, disputed, strangers, .. } = former;
    let refused: Vec<_> = refused.iter().map(|(id, _)| id).collect();
    let names = (buckets.keys(), roles.keys(), functions.keys());
    format!("{names:?} {refused:?} {disputed:?} {strangers:?}")
}

/// A distribution's document without the slots that a function holds; what others hold is put in
/// one order and one form.
pub(crate) fn without_slots(document: &str, function: &str) -> String {
    const LIST: [&str; 2] = ["<LambdaFunctionAssociations>", "</LambdaFunctionAssociations>"];
    let mut text = String::new();
    let mut rest = document;
    while let Some((before, list)) = rest.split_once(LIST[0]) {
        let (list, after) = list.split_once(LIST[1]).unwrap();
        let others: BTreeSet<&str> = list
            .split("<LambdaFunctionAssociation>")
            .skip(1)
            .filter(|one| !one.contains(&format!(":function:{function}:")))
            .map(|one| one.split("</LambdaFunctionAssociation>").next().unwrap())
            .collect();
        write!(text, "{before}{}{others:?}{}", LIST[0], LIST[1]).unwrap();
        rest = after;
    }
    // An empty list is written or left out.
    (text + rest).replace(&format!("{}{{}}{}", LIST[0], LIST[1]), "")
}
