//! Origin access controls: not to be deleted while an origin uses them (CloudFront API Reference,
//! `DeleteOriginAccessControl`).

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::World;

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    if request.operation != "cloudfront:DeleteOriginAccessControl" {
        return None;
    }
    let id = request.segments().pop()?;
    let is_used = world.distributions.configs().any(|config| used(config).any(|used| used == id));
    is_used.then(|| {
        error(
            request,
            409,
            "OriginAccessControlInUse",
            "The CloudFront origin access control is still being used.",
        )
    })
}

pub fn settle(world: &mut World, request: &Request, reply: &Reply) {
    match request.operation.as_str() {
        "cloudfront:CreateOriginAccessControl" | "cloudfront:GetOriginAccessControl" => {
            if let Some(control) = Element::parse(&reply.body) {
                world.access_controls.insert(control.text_at(&["Id"]).to_owned());
            }
        }
        "cloudfront:DeleteOriginAccessControl" => {
            world.access_controls.remove(request.segments().last().map_or("", String::as_str));
        }
        _ => {}
    }
}

/// The origin access controls that a configuration names.
pub fn used(config: &Element) -> impl Iterator<Item = &str> {
    config
        .items(&["Origins"])
        .map(|origin| origin.text_at(&["OriginAccessControlId"]))
        .filter(|id| !id.is_empty())
}
