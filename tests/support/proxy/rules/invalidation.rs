//! Invalidations: in progress at first, and named once.

use std::collections::BTreeMap;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::distribution::{NAMESPACE, write};
use super::{World, spend};

#[derive(Debug, Default)]
pub struct Invalidations {
    /// Paths by reference.
    batches: BTreeMap<String, String>,
    polls_left: usize,
}

/// The same reference with other paths (docs/aws.md, "a repeated invalidation is the same").
pub fn refusal(world: &World, request: &Request) -> Option<Reply> {
    if request.operation != "cloudfront:CreateInvalidation" {
        return None;
    }
    let sent = Element::parse(&request.body)?;
    let known = world.invalidations.batches.get(sent.text_at(&["CallerReference"]))?;
    (*known != paths(&sent)).then(|| {
        let message = "Your request contains a caller reference that was used before with other \
            paths.";
        error(request, 400, "InvalidationBatchAlreadyExists", message)
    })
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    match request.operation.as_str() {
        "cloudfront:CreateInvalidation" => {
            let Some(sent) = Element::parse(&request.body) else { return };
            let reference = sent.text_at(&["CallerReference"]).to_owned();
            world.invalidations.batches.insert(reference, paths(&sent));
            world.invalidations.polls_left = world.rules.deploy_polls;
            show(reply, "InProgress");
        }
        "cloudfront:GetInvalidation" => {
            let status =
                if spend(&mut world.invalidations.polls_left) { "InProgress" } else { "Completed" };
            show(reply, status);
        }
        _ => {}
    }
}

fn paths(batch: &Element) -> String {
    batch.items(&["Paths"]).map(|path| path.text_at(&[])).collect::<Vec<_>>().join(" ")
}

fn show(reply: &mut Reply, status: &str) {
    let Some(mut shown) = Element::parse(&reply.body) else { return };
    shown.set("Status", status);
    write(reply, &shown, NAMESPACE);
}
