//! What of a distribution is managed: one table, from which it is read, compared, repaired and
//! created.

mod error_pages;

use super::behavior::Behavior;
use super::document::{
    Document, Place, children, content, element, list_element, origin, parse, walk, wrapped,
};
use super::edit::{Edit, Key};
use super::{Settings, origin_id};
use crate::change::FieldChange;
use crate::name::StackName;
use roxmltree::Node;
use serde::Serialize;
use std::collections::BTreeSet;

/// What says that a distribution serves requests.
const ENABLED: &str = "enabled";

/// Managed cache policy `CachingOptimized` (CloudFront Developer Guide, "Use managed cache
/// policies").
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// The weakest TLS that visitors may use where the domain is theirs to choose.
const TLS_FLOOR: &str = "TLSv1.2_2021";

/// What is weaker (CloudFront API Reference, `ViewerCertificate`). What is not here, as newer
/// policies are not, is stronger.
const WEAKER: [&str; 6] =
    ["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLSv1.2_2018", "TLSv1.2_2019"];

/// What an owner may set on a distribution of ours: it is neither shown nor changed. docs/spec.md
/// prints it.
pub const UNMANAGED: &[&str] = &[
    "CallerReference",
    "Logging",
    "WebACLId",
    "CustomHeaders",
    "ConnectionAttempts",
    "ConnectionTimeout",
    "OriginReadTimeout",
    "OriginShield",
    "OriginGroups",
    "CacheBehaviors",
    "TrustedSigners",
    "TrustedKeyGroups",
    "FunctionAssociations",
    "OriginRequestPolicyId",
    "ResponseHeadersPolicyId",
    "RealtimeLogConfigArn",
    "ContinuousDeploymentPolicyId",
    "CertificateSource",
];

/// Which elements decide what an edge keeps: where an answer comes from, which object it is, which
/// requests share it and for how long. A copy that was made before one of them changed is given
/// out until it ends, so the change drops all copies. Everything else an edge decides anew for each
/// request, in front of its copies (the protocol, countries, names, methods, our function), or
/// keeps apart (compressed answers); a refusal of the origin is kept for seconds.
const KEPT: &[&str] = &[
    "origin",
    "origin path",
    "default root object",
    "target origin",
    "cache policy",
    "error page 403",
    "error page 404",
];

/// Do edges hold copies after this change that would not be given any more?
pub(super) fn outdates_copies(difference: &Difference) -> bool {
    KEPT.contains(&difference.change.field.as_str())
}

/// How one element has to be.
enum Wanted {
    /// This text. No text and `false` are also what an element that is not there means.
    Text(String),
    /// This TLS policy or a stronger one.
    NoWeaker(&'static str),
    /// Exactly these entries, in any order.
    Names(&'static str, BTreeSet<String>),
    /// The access control of this origin; `None`: the one that the plan creates.
    Access(String, Option<String>),
}

/// A managed element that is not as it should be, and what repairs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// For people.
    #[serde(flatten)]
    pub change: FieldChange,
    /// For CloudFront.
    #[serde(skip)]
    pub edits: Vec<Edit>,
    /// It stops an enabled distribution from serving.
    #[serde(skip)]
    pub disables: bool,
}

impl Difference {
    fn new(field: &str, before: String, after: String, edits: Vec<Edit>) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            change: FieldChange { field: field.into(), before: some(before), after: some(after) },
            edits,
            disables: false,
        }
    }
}

/// Everything in the document that is not as it should be. `access` is the access control's id;
/// `None`: the plan creates it.
pub(super) fn differences(
    document: &Document,
    stack: &StackName,
    settings: &Settings,
    access: Option<&str>,
) -> Vec<Difference> {
    let Ok(tree) = parse(&document.0) else { return Vec::new() };
    let root = tree.root_element();
    let id = origin_id(stack);
    let found = origin(root, &id);
    let lost = found.is_none().then(|| {
        let key = Key { item: "Origin", child: Some("Id"), text: id.clone() };
        let mut edits = vec![Edit::Entry(Place::Config("Origins"), key, Some(new_origin(&id)))];
        let text = Edit::Text(Place::Origin(id.clone(), "DomainName"), settings.origin.clone());
        edits.extend([text, control(id.clone(), access)]);
        Difference::new("origin", String::new(), settings.origin.clone(), edits)
    });
    let certificate = certificate(root, settings.certificate.as_deref());
    // A form that is replaced whole brings its own.
    let renewed =
        |difference: &Difference| matches!(difference.edits.as_slice(), [Edit::Field(..)]);
    let tls = settings.certificate.is_some() && !certificate.as_ref().is_some_and(renewed);
    let of_origin = found.map(|_| origin_elements(&id, settings, access)).unwrap_or_default();
    let elements = of_origin.into_iter().chain(elements(&id, settings, tls));
    let differing =
        elements.filter_map(|(field, place, wanted)| differing(root, field, place, wanted));
    lost.into_iter()
        .chain(differing)
        .chain(certificate)
        .chain(error_pages::differences(root, settings))
        .collect()
}

/// What stops an enabled distribution from serving.
pub(super) fn disabled() -> Difference {
    let edit = Edit::Text(Place::Config("Enabled"), "false".into());
    Difference {
        disables: true,
        ..Difference::new(ENABLED, "true".into(), "false".into(), vec![edit])
    }
}

/// Letting go of the access control, so that it can end before the distribution does: the next
/// creation has another control then, and with it another `CallerReference`.
pub(super) fn released(origin: &str, access: &str) -> Difference {
    let edit = Edit::Text(Place::Origin(origin.to_owned(), "OriginAccessControlId"), String::new());
    Difference::new("origin access control", access.to_owned(), "(none)".into(), vec![edit])
}

/// A row of the table: what people call it, where it stands, how it has to be.
type Element = (&'static str, Place, Wanted);

fn origin_elements(id: &str, settings: &Settings, access: Option<&str>) -> Vec<Element> {
    let place = |path| Place::Origin(id.to_owned(), path);
    let text = |text: &str| Wanted::Text(text.into());
    vec![
        ("origin", place("DomainName"), text(&settings.origin)),
        ("origin path", place("OriginPath"), text("")),
        ("origin access identity", place("S3OriginConfig/OriginAccessIdentity"), text("")),
        (
            "origin access control",
            place("OriginAccessControlId"),
            Wanted::Access(id.to_owned(), access.map(str::to_owned)),
        ),
    ]
}

fn elements(origin: &str, settings: &Settings, tls: bool) -> Vec<Element> {
    let text = |text: &str| Wanted::Text(text.into());
    let behavior = |path| Place::Behavior(Behavior::Default, path);
    let names = |item, names: &[&str]| {
        Wanted::Names(item, names.iter().map(|&name| name.to_owned()).collect())
    };
    let country = "Restrictions/GeoRestriction";
    let mut all = vec![
        (
            "default root object",
            Place::Config("DefaultRootObject"),
            text(&settings.default_root_object),
        ),
        ("price class", Place::Config("PriceClass"), text(&settings.price_class)),
        ("aliases", Place::Config("Aliases"), Wanted::Names("CNAME", settings.aliases.clone())),
        ("comment", Place::Config("Comment"), text(&settings.comment)),
        (ENABLED, Place::Config("Enabled"), text("true")),
        ("HTTP version", Place::Config("HttpVersion"), text("http2and3")),
        ("IPv6", Place::Config("IsIPV6Enabled"), text("true")),
        (
            "geo restriction",
            Place::Config("Restrictions/GeoRestriction/RestrictionType"),
            text("none"),
        ),
        ("restricted countries", Place::Config(country), names("Location", &[])),
        ("target origin", behavior("TargetOriginId"), text(origin)),
        ("viewer protocol policy", behavior("ViewerProtocolPolicy"), text("redirect-to-https")),
        ("cache policy", behavior("CachePolicyId"), text(CACHING_OPTIMIZED)),
        ("methods", behavior("AllowedMethods"), names("Method", &["GET", "HEAD"])),
        (
            "cached methods",
            behavior("AllowedMethods/CachedMethods"),
            names("Method", &["GET", "HEAD"]),
        ),
        ("compress", behavior("Compress"), text("true")),
        // Both exclude edge functions.
        ("smooth streaming", behavior("SmoothStreaming"), text("false")),
        ("gRPC", behavior("GrpcConfig/Enabled"), text("false")),
        ("field-level encryption", behavior("FieldLevelEncryptionId"), text("")),
    ];
    if tls {
        let place = Place::Config;
        all.push((
            "CloudFront's own certificate",
            place("ViewerCertificate/CloudFrontDefaultCertificate"),
            text("false"),
        ));
        all.push(("TLS clients", place("ViewerCertificate/SSLSupportMethod"), text("sni-only")));
        all.push((
            "TLS policy",
            place("ViewerCertificate/MinimumProtocolVersion"),
            Wanted::NoWeaker(TLS_FLOOR),
        ));
    }
    all
}

fn differing(root: Node<'_, '_>, field: &str, place: Place, wanted: Wanted) -> Option<Difference> {
    let found =
        walk(root, &place).ok().filter(|(_, missing)| missing.is_empty()).map(|(node, _)| node);
    let seen = found.map(content).unwrap_or_default().trim().to_owned();
    match wanted {
        Wanted::Text(text) => {
            let same = seen == text.trim() || (seen.is_empty() && text == "false");
            (!same)
                .then(|| Difference::new(field, seen, text.clone(), vec![Edit::Text(place, text)]))
        }
        Wanted::NoWeaker(floor) => {
            let weak = seen.is_empty() || WEAKER.contains(&seen.as_str());
            weak.then(|| {
                Difference::new(field, seen, floor.into(), vec![Edit::Text(place, floor.into())])
            })
        }
        Wanted::Access(origin, id) => {
            let same = id.as_ref().is_some_and(|id| *id == seen);
            let edit = control(origin, id.as_deref());
            let after = id.unwrap_or_else(|| "(new)".into());
            (!same).then(|| Difference::new(field, seen, after, vec![edit]))
        }
        Wanted::Names(item, names) => {
            let seen: BTreeSet<String> = found.map(|list| entries(list, item)).unwrap_or_default();
            let shown =
                |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
            let gone = seen.difference(&names).map(|name| (name, None));
            let new = names.difference(&seen).map(|name| (name, Some(element(item, name))));
            let edit = |(name, entry): (&String, _)| {
                Edit::Entry(place.clone(), Key { item, child: None, text: name.clone() }, entry)
            };
            // The new ones first, so that the list's frame stays.
            let edits: Vec<Edit> = new.chain(gone).map(edit).collect();
            (!edits.is_empty()).then(|| Difference::new(field, shown(&seen), shown(&names), edits))
        }
    }
}

/// Lets the origin use the access control, as soon as its id is known.
fn control(origin: String, id: Option<&str>) -> Edit {
    let edit = Edit::Access(origin);
    match id {
        Some(id) => edit.knowing(id),
        None => edit,
    }
}

fn entries(list: Node<'_, '_>, item: &'static str) -> BTreeSet<String> {
    let held = children(list, "Items").next();
    held.into_iter()
        .flat_map(|held| children(held, item))
        .map(|entry| content(entry).trim().to_owned())
        .collect()
}

/// The certificate of a distribution without aliases.
const OWN: &str = "CloudFront's own";

fn certificate(root: Node<'_, '_>, wanted: Option<&str>) -> Option<Difference> {
    let read = |path| {
        let found = walk(root, &Place::Config(path)).ok().filter(|(_, missing)| missing.is_empty());
        found.map(|(node, _)| content(node).trim().to_owned()).filter(|text| !text.is_empty())
    };
    let acm = read("ViewerCertificate/ACMCertificateArn");
    let seen = acm.clone().or_else(|| read("ViewerCertificate/IAMCertificateId"));
    let is_default =
        read("ViewerCertificate/CloudFrontDefaultCertificate").as_deref() == Some("true");
    if seen.as_deref() == wanted && (wanted.is_some() || is_default) {
        return None;
    }
    let text = |path, text: &str| Edit::Text(Place::Config(path), text.to_owned());
    let edits = match wanted {
        // Only the name changes, also in the older element that repeats it.
        Some(arn) if acm.is_some() || (seen.is_none() && !is_default) => {
            let repeated = read("ViewerCertificate/Certificate")
                .map(|_| text("ViewerCertificate/Certificate", arn));
            [text("ViewerCertificate/ACMCertificateArn", arn)].into_iter().chain(repeated).collect()
        }
        None if seen.is_none() => {
            vec![text("ViewerCertificate/CloudFrontDefaultCertificate", "true")]
        }
        // The two forms exclude each other's elements.
        Some(arn) => vec![Edit::Field("ViewerCertificate", own_certificate(arn))],
        None => vec![Edit::Field(
            "ViewerCertificate",
            wrapped("ViewerCertificate", &element("CloudFrontDefaultCertificate", "true")),
        )],
    };
    let seen = seen.or_else(|| is_default.then(|| OWN.into())).unwrap_or_default();
    Some(Difference::new("certificate", seen, wanted.unwrap_or(OWN).to_owned(), edits))
}

fn own_certificate(arn: &str) -> String {
    let inside = [
        element("ACMCertificateArn", arn),
        element("SSLSupportMethod", "sni-only"),
        element("MinimumProtocolVersion", TLS_FLOOR),
    ];
    wrapped("ViewerCertificate", &inside.concat())
}

/// An origin in which only what is managed is still missing.
pub(super) fn new_origin(id: &str) -> String {
    let inside = [
        element("Id", id),
        element("DomainName", ""),
        element("OriginPath", ""),
        list_element("CustomHeaders", &[]),
        wrapped("S3OriginConfig", &element("OriginAccessIdentity", "")),
        element("OriginAccessControlId", ""),
    ];
    wrapped("Origin", &inside.concat())
}
