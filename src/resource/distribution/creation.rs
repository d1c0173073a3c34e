//! The document of a new distribution: a frame in which everything that is managed is still
//! missing.

use super::behavior::Behavior;
use super::document::{Document, element, list_element, opening, wrapped};
use super::edit::Edit;
use super::managed::{differences, new_origin};
use super::{Settings, caller_reference, origin_id};
use crate::name::StackName;

/// A new distribution's document, complete as CloudFront wants it at updates too.
#[must_use]
pub fn new_document(
    stack: &StackName,
    settings: &Settings,
    access: &str,
    occupant: &str,
) -> Document {
    let none = |name: &str| list_element(name, &[]);
    let nobody = |name: &str| wrapped(name, "<Enabled>false</Enabled><Quantity>0</Quantity>");
    let methods = format!("<Quantity>0</Quantity>{}", none("CachedMethods"));
    let behavior = [
        element("TargetOriginId", ""),
        nobody("TrustedSigners"),
        nobody("TrustedKeyGroups"),
        element("ViewerProtocolPolicy", ""),
        wrapped("AllowedMethods", &methods),
        element("SmoothStreaming", "false"),
        element("Compress", ""),
        none("LambdaFunctionAssociations"),
        none("FunctionAssociations"),
        element("FieldLevelEncryptionId", ""),
        element("CachePolicyId", ""),
    ];
    let frame = [
        element("CallerReference", &caller_reference(stack, access)),
        none("Aliases"),
        element("DefaultRootObject", ""),
        list_element("Origins", &[new_origin(&origin_id(stack))]),
        none("OriginGroups"),
        wrapped("DefaultCacheBehavior", &behavior.concat()),
        none("CacheBehaviors"),
        none("CustomErrorResponses"),
        element("Comment", ""),
        "<Logging><Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket></Bucket><Prefix></Prefix></Logging>".into(),
        element("PriceClass", ""),
        element("Enabled", "false"),
        wrapped("ViewerCertificate", &element("CloudFrontDefaultCertificate", "true")),
        "<Restrictions><GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction></Restrictions>"
            .into(),
        element("WebACLId", ""),
        element("HttpVersion", ""),
        element("IsIPV6Enabled", ""),
    ];
    let frame = Document(format!("{}{}</DistributionConfig>", opening(), frame.concat()));
    let differing = differences(&frame, stack, settings, Some(access))
        .into_iter()
        .flat_map(|difference| difference.edits);
    let slot = Edit::Occupant(Behavior::Default, Some(occupant.to_owned()));
    let edits: Vec<Edit> = differing.chain([slot]).map(|edit| edit.knowing(access)).collect();
    frame.edit(&edits).unwrap_or(frame)
}
