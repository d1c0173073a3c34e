//! Distributions: deployment takes its time, deletion wants it finished, updates want everything.

use std::collections::{BTreeMap, BTreeSet};

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::association::{all_associated, objection, replicate};
use super::{World, access_control, defaults, spend};

pub const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

#[derive(Debug, Default)]
pub struct Distributions {
    by_id: BTreeMap<String, Distribution>,
    used_references: BTreeSet<String>,
    /// AWS tells an `ETag` that is out of date from one that it never gave (docs/aws.md, "ETags of
    /// a distribution").
    issued_etags: BTreeSet<String>,
}

#[derive(Debug)]
struct Distribution {
    shown: Element,
    etag: String,
    polls_left: usize,
    stale: Option<(Element, String, usize)>,
}

impl Distribution {
    fn config(&self) -> &Element {
        self.shown.at(&["DistributionConfig"]).unwrap_or(&self.shown)
    }
}

impl Distributions {
    pub fn configs(&self) -> impl Iterator<Item = &Element> {
        self.by_id.values().map(Distribution::config)
    }
}

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    match request.operation.as_str() {
        "cloudfront:CreateDistribution" | "cloudfront:CreateDistributionWithTags" => {
            creation(world, request)
        }
        "cloudfront:UpdateDistribution" => etag(world, request).or_else(|| update(world, request)),
        "cloudfront:DeleteDistribution" => {
            etag(world, request).or_else(|| deletion(world, request))
        }
        _ => None,
    }
}

/// The configuration that a call is about, as it is.
pub fn known<'world>(world: &'world World, request: &Request) -> Option<&'world Element> {
    world.distributions.by_id.get(&id(request)).map(Distribution::config)
}

fn creation(world: &mut World, request: &Request) -> Option<Reply> {
    let sent = Element::parse(&request.body)?;
    let config = sent.at(&["DistributionConfig"]).unwrap_or(&sent);
    let reference = config.text_at(&["CallerReference"]);
    let used = world
        .distributions
        .by_id
        .iter()
        .find(|(_, one)| one.config().text_at(&["CallerReference"]) == reference);
    let is_burnt =
        world.rules.references_stay_used && world.distributions.used_references.contains(reference);
    if used.is_some() || is_burnt {
        let id = used.map_or("", |(id, _)| id);
        let message = format!(
            "The caller reference that you are using to create a distribution is associated with \
                another distribution. \
             Already exists: {id}"
        );
        return Some(error(request, 409, "DistributionAlreadyExists", &message));
    }
    content(world, request, config, None, "")
}

fn update(world: &mut World, request: &Request) -> Option<Reply> {
    let config = Element::parse(&request.body)?;
    let id = id(request);
    let before = world.distributions.by_id.get(&id)?.config().clone();
    if config.text_at(&["CallerReference"]) != before.text_at(&["CallerReference"]) {
        let message = "The update contains modifications that are not allowed: CallerReference.";
        return Some(error(request, 400, "IllegalUpdate", message));
    }
    if let Some(missing) = defaults::missing_on_update(&config) {
        return Some(error(
            request,
            400,
            "IllegalUpdate",
            &format!("{missing} is required for updates."),
        ));
    }
    content(world, request, &config, Some(&before), &id)
}

/// What AWS objects to in a configuration, old or new.
fn content(
    world: &mut World,
    request: &Request,
    config: &Element,
    before: Option<&Element>,
    own: &str,
) -> Option<Reply> {
    if !config.has_true_quantities() {
        let message = "The value of Quantity and the size of Items don't match.";
        return Some(error(request, 400, "InconsistentQuantities", message));
    }
    let origins: BTreeSet<_> =
        config.items(&["Origins"]).map(|origin| origin.text_at(&["Id"])).collect();
    let groups: BTreeSet<_> =
        config.items(&["OriginGroups"]).map(|group| group.text_at(&["Id"])).collect();
    let targets = |behavior: &Element| {
        let target = behavior.text_at(&["TargetOriginId"]);
        origins.contains(target) || groups.contains(target)
    };
    if !defaults::behaviors(config).all(targets) {
        let message = "One or more of your origins or origin groups do not exist.";
        return Some(error(request, 404, "NoSuchOrigin", message));
    }
    let kept: BTreeSet<_> = before.into_iter().flat_map(access_control::used).collect();
    if access_control::used(config)
        .any(|id| !kept.contains(id) && !world.access_controls.contains(id))
    {
        let message = "The specified origin access control does not exist.";
        return Some(error(request, 400, "InvalidOriginAccessControl", message));
    }
    let aliases: BTreeSet<_> =
        config.items(&["Aliases"]).map(|alias| alias.text.as_str()).collect();
    let certificate = config.at(&["ViewerCertificate"]);
    if !aliases.is_empty()
        && certificate.is_none_or(|one| one.text_at(&["CloudFrontDefaultCertificate"]) == "true")
    {
        let message = "The certificate that is attached to your distribution doesn't cover the \
            alternate domain name \
                       (CNAME) that you're trying to add.";
        return Some(error(request, 400, "InvalidViewerCertificate", message));
    }
    let others =
        world.distributions.by_id.iter().filter(|(id, _)| *id != own).map(|(_, one)| one.config());
    let mut taken = others.flat_map(|other| other.items(&["Aliases"]));
    if taken.any(|alias| aliases.contains(alias.text.as_str())) {
        let message = "One or more of the CNAMEs you provided are already associated with a \
            different resource.";
        return Some(error(request, 409, "CNAMEAlreadyExists", message));
    }
    drop(taken);
    let (code, message) = objection(world, config, before)?;
    Some(error(request, 400, code, &message))
}

fn etag(world: &World, request: &Request) -> Option<Reply> {
    let etag = request.header("if-match").unwrap_or_default();
    let is_known = world.distributions.issued_etags.contains(etag);
    let exists = world.distributions.by_id.contains_key(&id(request));
    (exists && !is_known).then(|| {
        let message = "The If-Match version is missing or not valid for the distribution.";
        error(request, 400, "InvalidIfMatchVersion", message)
    })
}

fn deletion(world: &mut World, request: &Request) -> Option<Reply> {
    let distribution = world.distributions.by_id.get_mut(&id(request))?;
    // The emulator refuses an ETag that is out of date; AWS looks at that first.
    if request.header("if-match") != Some(&distribution.etag) {
        return None;
    }
    let is_enabled = distribution.config().text_at(&["Enabled"]) == "true";
    (is_enabled || spend(&mut distribution.polls_left)).then(|| {
        let message = "The distribution you are trying to delete has not been disabled.";
        error(request, 409, "DistributionNotDisabled", message)
    })
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    if let Some(etag) = reply.header("etag") {
        world.distributions.issued_etags.insert(etag.to_owned());
    }
    match request.operation.as_str() {
        "cloudfront:CreateDistribution"
        | "cloudfront:CreateDistributionWithTags"
        | "cloudfront:UpdateDistribution" => {
            changed(world, reply);
        }
        "cloudfront:GetDistribution" => shown(world, request, reply),
        "cloudfront:GetDistributionConfig" => {
            if let Some(mut config) = Element::parse(&reply.body) {
                defaults::fill(&mut config);
                write(reply, &config, NAMESPACE);
            }
        }
        "cloudfront:ListDistributions" => listed(world, reply),
        "cloudfront:DeleteDistribution" => {
            let before = all_associated(world);
            if let Some(gone) = world.distributions.by_id.remove(&id(request)) {
                let reference = gone.config().text_at(&["CallerReference"]).to_owned();
                world.distributions.used_references.insert(reference);
            }
            replicate(world, &before);
        }
        _ => {}
    }
}

fn changed(world: &mut World, reply: &mut Reply) {
    let Some(document) = filled(reply) else { return };
    let before = all_associated(world);
    let id = document.text_at(&["Id"]).to_owned();
    let etag = reply.header("etag").unwrap_or_default().to_owned();
    let previous = world.distributions.by_id.remove(&id);
    let stale = previous.filter(|_| world.rules.stale_polls > 0).map(|mut previous| {
        let status = status(previous.polls_left);
        previous.shown.set("Status", status);
        (previous.shown, previous.etag, world.rules.stale_polls)
    });
    let mut shown = document;
    shown.set("Status", "InProgress");
    write(reply, &shown, NAMESPACE);
    let polls_left = world.rules.deploy_polls;
    world.distributions.by_id.insert(id, Distribution { shown, etag, polls_left, stale });
    replicate(world, &before);
}

fn shown(world: &mut World, request: &Request, reply: &mut Reply) {
    let Some(mut document) = filled(reply) else { return };
    let etag = reply.header("etag").unwrap_or_default().to_owned();
    let distribution = world.distributions.by_id.entry(id(request)).or_insert_with(|| {
        Distribution { shown: document.clone(), etag, polls_left: 0, stale: None }
    });
    if let Some((old, etag, left)) = &mut distribution.stale
        && spend(left)
    {
        reply.set_header("etag", etag);
        write(reply, old, NAMESPACE);
        return;
    }
    document.set("Status", status(distribution.polls_left));
    spend(&mut distribution.polls_left);
    write(reply, &document, NAMESPACE);
}

fn listed(world: &World, reply: &mut Reply) {
    let Some(mut list) = Element::parse(&reply.body) else { return };
    let Some(items) = list.at_mut(&["Items"]) else { return };
    for summary in &mut items.children {
        if let Some(distribution) = world.distributions.by_id.get(summary.text_at(&["Id"])) {
            summary.set("Status", status(distribution.polls_left));
            summary.set("ETag", &distribution.etag);
        }
    }
    write(reply, &list, NAMESPACE);
}

fn filled(reply: &Reply) -> Option<Element> {
    let mut document = Element::parse(&reply.body)?;
    defaults::fill(document.at_mut(&["DistributionConfig"])?);
    Some(document)
}

fn status(polls_left: usize) -> &'static str {
    if polls_left > 0 { "InProgress" } else { "Deployed" }
}

fn id(request: &Request) -> String {
    request.segments().into_iter().nth(2).unwrap_or_default()
}

pub fn write(reply: &mut Reply, document: &Element, namespace: &str) {
    reply.body = document.document(namespace).into();
}
