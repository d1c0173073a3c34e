//! A distribution that is ours: created with its association in it, updated in CloudFront's own document, disabled, deleted.

use super::function::VersionReference;
use super::{Tags, tags};
use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::{DistributionId, StackName};
use document::{Document, EVENT, Edit, Reading, element, list_element};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use behavior::Behavior;

pub mod aws;
mod behavior;
pub mod document;
mod nesting;
pub mod plan;
pub mod simulate;

/// Managed cache policy `CachingOptimized` (CloudFront Developer Guide, "Use managed cache policies").
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// The id of the one origin, by which the distribution is found where nothing else names it.
#[must_use]
pub fn origin_id(stack: &StackName) -> String {
    format!("provision-{stack}")
}

/// What the creation of the stack's distribution is called. The control's name is unique and it lives exactly as long as the
/// distribution, so two first applies at the same time use the same reference, and CloudFront lets only one of them create.
fn caller_reference(stack: &StackName, access: &str) -> String {
    format!("{}-{access}", origin_id(stack))
}

/// The stack that a creation of that name was for. Ids of controls have no hyphen.
fn created_for(caller_reference: &str) -> Option<StackName> {
    let (origin, _) = caller_reference.rsplit_once('-')?;
    origin.strip_prefix("provision-")?.parse().ok()
}

/// How the distribution should be, or is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The bucket's host.
    pub origin: String,
    /// What `/` serves.
    pub default_root_object: String,
    /// Where visitors are served from.
    pub price_class: String,
    /// Alternate domain names.
    pub aliases: BTreeSet<String>,
    /// ACM certificate.
    pub certificate: Option<String>,
    /// Answer 403 and 404 of the origin with the root object and 200.
    pub spa: bool,
    /// Comment.
    pub comment: String,
    /// Serves requests.
    pub enabled: bool,
    /// What happens to HTTP.
    pub viewer_protocol_policy: String,
    /// Cache policy of the default behavior.
    pub cache_policy: String,
}

impl Settings {
    /// What a wanted distribution has that the spec does not name.
    #[must_use]
    pub fn fixed() -> (String, String) {
        ("redirect-to-https".into(), CACHING_OPTIMIZED.into())
    }

    /// The settings in a document.
    #[must_use]
    pub fn of(reading: &Reading, stack: &StackName) -> Self {
        let behavior = reading.behaviors.get(&Behavior::Default).cloned().unwrap_or_default();
        let root = format!("/{}", reading.default_root_object);
        let falls_back = |code: &str| reading.error_pages.get(code).is_some_and(|(path, answered)| *path == root && answered == "200");
        Self {
            origin: reading.origins.get(&origin_id(stack)).map(|origin| origin.domain.clone()).unwrap_or_default(),
            default_root_object: reading.default_root_object.clone(),
            price_class: reading.price_class.clone(),
            aliases: reading.aliases.clone(),
            certificate: reading.certificate.clone(),
            spa: falls_back("403") && falls_back("404"),
            comment: reading.comment.clone(),
            enabled: reading.enabled,
            viewer_protocol_policy: behavior.viewer_protocol_policy,
            cache_policy: behavior.cache_policy,
        }
    }

    /// The edits that lead from `self` to `after`, with their field changes.
    fn edits(&self, after: &Self, stack: &StackName) -> Vec<(FieldChange, Edit)> {
        let Self {
            origin,
            default_root_object,
            price_class,
            aliases,
            certificate,
            spa,
            comment,
            enabled,
            viewer_protocol_policy,
            cache_policy,
        } = self;
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let none = |certificate: &Option<String>| certificate.clone().unwrap_or_else(|| "CloudFront's own".into());
        let field = |name: &'static str, value: &str| Edit::Field(name, element(name, value));
        let behavior = |name: &'static str, value: &str| Edit::Behavior(Behavior::Default, name, element(name, value));
        // The fallback names the root object, so it moves with it.
        let fallback_moves = spa != &after.spa || (after.spa && default_root_object != &after.default_root_object);
        [
            FieldChange::between("origin", origin, &after.origin)
                .map(|change| (change, Edit::Origin(origin_id(stack), "DomainName", element("DomainName", &after.origin)))),
            FieldChange::between("default root object", default_root_object, &after.default_root_object)
                .map(|change| (change, field("DefaultRootObject", &after.default_root_object))),
            FieldChange::between("price class", price_class, &after.price_class)
                .map(|change| (change, field("PriceClass", &after.price_class))),
            FieldChange::between("aliases", &list(aliases), &list(&after.aliases))
                .map(|change| (change, Edit::Field("Aliases", aliases_element(&after.aliases)))),
            FieldChange::between("certificate", &none(certificate), &none(&after.certificate))
                .map(|change| (change, Edit::Field("ViewerCertificate", certificate_element(after.certificate.as_deref())))),
            fallback_moves.then(|| {
                let change = FieldChange { field: "spa".into(), before: Some(spa.to_string()), after: Some(after.spa.to_string()) };
                (change, Edit::Field("CustomErrorResponses", fallback_element(after)))
            }),
            FieldChange::between("comment", comment, &after.comment).map(|change| (change, field("Comment", &after.comment))),
            FieldChange::between("enabled", enabled, &after.enabled).map(|change| (change, field("Enabled", &after.enabled.to_string()))),
            FieldChange::between("viewer protocol policy", viewer_protocol_policy, &after.viewer_protocol_policy)
                .map(|change| (change, behavior("ViewerProtocolPolicy", &after.viewer_protocol_policy))),
            FieldChange::between("cache policy", cache_policy, &after.cache_policy)
                .map(|change| (change, behavior("CachePolicyId", &after.cache_policy))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn aliases_element(aliases: &BTreeSet<String>) -> String {
    list_element("Aliases", &aliases.iter().map(|alias| element("CNAME", alias)).collect::<Vec<_>>())
}

fn certificate_element(certificate: Option<&str>) -> String {
    match certificate {
        None => "<ViewerCertificate><CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate></ViewerCertificate>".into(),
        Some(arn) => format!(
            "<ViewerCertificate>{}<SSLSupportMethod>sni-only</SSLSupportMethod><MinimumProtocolVersion>TLSv1.2_2021</MinimumProtocolVersion></ViewerCertificate>",
            element("ACMCertificateArn", arn)
        ),
    }
}

/// Without `ListBucket`, S3 answers 403 for what is not there, so a fallback needs both codes (S3 API Reference, `GetObject`).
fn fallback_element(settings: &Settings) -> String {
    let path = element("ResponsePagePath", &format!("/{}", settings.default_root_object));
    let item = |code: &str| {
        format!(
            "<CustomErrorResponse><ErrorCode>{code}</ErrorCode>{path}<ResponseCode>200</ResponseCode><ErrorCachingMinTTL>10</ErrorCachingMinTTL></CustomErrorResponse>"
        )
    };
    list_element("CustomErrorResponses", &if settings.spa { vec![item("403"), item("404")] } else { Vec::new() })
}

/// A new distribution's document, complete as CloudFront wants it at updates too.
#[must_use]
pub fn new_document(stack: &StackName, settings: &Settings, access: &str, occupant: &str) -> Document {
    let methods = "<Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items>";
    let none = |name: &str| list_element(name, &[]);
    let id = origin_id(stack);
    let origin = [
        "<Origin>".to_owned(),
        element("Id", &id),
        element("DomainName", &settings.origin),
        "<OriginPath></OriginPath>".into(),
        none("CustomHeaders"),
        "<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>".into(),
        element("OriginAccessControlId", access),
        "</Origin>".into(),
    ]
    .concat();
    let trusted = "<Enabled>false</Enabled><Quantity>0</Quantity>";
    let behavior = [
        "<DefaultCacheBehavior>".to_owned(),
        element("TargetOriginId", &id),
        format!("<TrustedSigners>{trusted}</TrustedSigners><TrustedKeyGroups>{trusted}</TrustedKeyGroups>"),
        element("ViewerProtocolPolicy", &settings.viewer_protocol_policy),
        format!("<AllowedMethods>{methods}<CachedMethods>{methods}</CachedMethods></AllowedMethods>"),
        "<SmoothStreaming>false</SmoothStreaming><Compress>true</Compress>".into(),
        none("LambdaFunctionAssociations"),
        none("FunctionAssociations"),
        "<FieldLevelEncryptionId></FieldLevelEncryptionId>".into(),
        element("CachePolicyId", &settings.cache_policy),
        "</DefaultCacheBehavior>".into(),
    ]
    .concat();
    let text = [
        document::opening(),
        element("CallerReference", &caller_reference(stack, access)),
        aliases_element(&settings.aliases),
        element("DefaultRootObject", &settings.default_root_object),
        list_element("Origins", &[origin]),
        none("OriginGroups"),
        behavior,
        none("CacheBehaviors"),
        fallback_element(settings),
        element("Comment", &settings.comment),
        "<Logging><Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket></Bucket><Prefix></Prefix></Logging>".into(),
        element("PriceClass", &settings.price_class),
        element("Enabled", &settings.enabled.to_string()),
        certificate_element(settings.certificate.as_deref()),
        "<Restrictions><GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction></Restrictions>"
            .into(),
        "<WebACLId></WebACLId><HttpVersion>http2and3</HttpVersion><IsIPV6Enabled>true</IsIPV6Enabled>".into(),
        "</DistributionConfig>".into(),
    ]
    .concat();
    let empty = Document(text);
    empty.edit(&[Edit::Occupant(Behavior::Default, Some(occupant.to_owned()))]).unwrap_or(empty)
}

/// The distribution as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// CloudFront's id.
    pub id: DistributionId,
    /// Changes with every write; guards ours.
    pub etag: String,
    /// CloudFront's own document.
    pub document: Document,
    /// The last change has reached every edge.
    pub deployed: bool,
    /// Where visitors find it.
    pub domain: String,
    /// All tags.
    pub tags: Tags,
}

/// Replaces the document by its digest in saved plans.
pub(crate) fn serialize_digest<S: serde::Serializer>(document: &Document, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&document.digest())
}

/// One mutation of the distribution, or the wait for its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::large_enum_variant, reason = "a plan holds at most a handful")]
pub enum Op {
    /// Create it with tags and association in one call.
    Create {
        /// Whose.
        stack: StackName,
        /// All of it.
        settings: Settings,
        /// Tags.
        tags: Tags,
        /// Who answers viewer requests.
        occupant: VersionReference,
    },
    /// Replace elements of its document.
    Update {
        /// Whose.
        stack: StackName,
        /// Which.
        id: DistributionId,
        /// The `ETag` that was seen. Guards the write.
        etag: String,
        /// The document that was seen.
        #[serde(serialize_with = "serialize_digest")]
        document: Document,
        /// As seen.
        before: Settings,
        /// As it will be.
        after: Settings,
        /// The occupant as seen and as it will be, where it changes; `None` after: nobody.
        occupant: Option<(Option<String>, Option<VersionReference>)>,
    },
    /// Set and remove tags of ours.
    SetTags {
        /// Which.
        id: DistributionId,
        /// Its ARN, by which CloudFront tags.
        arn: String,
        /// The tags.
        tags: tags::Difference,
    },
    /// Wait until the last change has reached every edge.
    AwaitDeployed {
        /// Which; `None`: the one that this plan creates.
        id: Option<DistributionId>,
        /// It is on the way to deletion: it has to be disabled too.
        disabled: bool,
    },
    /// Delete the disabled distribution.
    Delete {
        /// Which.
        id: DistributionId,
        /// The `ETag` that was seen, where no op before this one changes it.
        etag: Option<String>,
    },
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        let at = |name: &dyn std::fmt::Display, action, summary: &str| Change::new(Address::new(Kind::Distribution, name), action, summary);
        match self {
            Self::Create { stack, settings, occupant, .. } => at(stack, Action::Create, "create").with(
                [
                    FieldChange::set("origin", &settings.origin),
                    FieldChange::set("default root object", &settings.default_root_object),
                    FieldChange::set("price class", &settings.price_class),
                    FieldChange::set(&format!("{} {EVENT}", Behavior::Default), occupant.show()),
                ]
                .into_iter()
                .chain(
                    (!settings.aliases.is_empty())
                        .then(|| FieldChange::set("aliases", settings.aliases.iter().cloned().collect::<Vec<_>>().join(", "))),
                ),
            ),
            Self::Update { stack, id, before, after, occupant, .. } => {
                let summary = if before.enabled && !after.enabled { "disable" } else { "update" };
                let slot = occupant.as_ref().map(|(before, after)| FieldChange {
                    field: format!("{} {EVENT}", Behavior::Default),
                    before: before.clone(),
                    after: after.as_ref().map(VersionReference::show),
                });
                at(id, Action::Update, summary).with(before.edits(after, stack).into_iter().map(|(change, _)| change).chain(slot))
            }
            Self::SetTags { id, tags, .. } => tags.change(Address::new(Kind::Distribution, id), false),
            Self::AwaitDeployed { id, .. } => {
                let name: &dyn std::fmt::Display = id.as_ref().map_or(&"(new)", |id| id);
                at(name, Action::Await, "wait until deployed everywhere, usually a few minutes")
            }
            Self::Delete { id, .. } => at(id, Action::Delete, "delete"),
        }
    }

    /// The document that an update sends. `arn` is the occupant's, where it has one.
    ///
    /// # Errors
    /// A lower-case fragment: the document has no place for it.
    pub fn rewritten(&self, arn: Option<&str>) -> Result<Document, String> {
        let Self::Update { stack, document, before, after, occupant, .. } = self else { return Err("only an update rewrites".into()) };
        let mut edits: Vec<Edit> = before.edits(after, stack).into_iter().map(|(_, edit)| edit).collect();
        if occupant.is_some() {
            edits.push(Edit::Occupant(Behavior::Default, arn.map(str::to_owned)));
        }
        document.edit(&edits)
    }
}
