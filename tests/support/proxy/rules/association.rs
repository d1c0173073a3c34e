//! Which function versions may stand in a behavior (CloudFront Developer Guide, "Restrictions on
//! Lambda@Edge"), and the replicas they leave behind (docs/aws.md, "replicas end by themselves").

use std::collections::{BTreeMap, BTreeSet};

use super::super::xml::Element;
use super::defaults::behaviors;
use super::function::Name;
use super::{World, role};

/// Versions that are associated no more, with the tries for which they may not be deleted yet.
pub type Replicas = BTreeMap<String, usize>;

/// The versions that a configuration associates.
pub fn associated(config: &Element) -> impl Iterator<Item = &str> {
    behaviors(config)
        .flat_map(|behavior| behavior.items(&["LambdaFunctionAssociations"]))
        .map(|association| association.text_at(&["LambdaFunctionARN"]))
}

/// All versions that some distribution associates.
pub fn all_associated(world: &World) -> BTreeSet<String> {
    world.distributions.configs().flat_map(associated).map(str::to_owned).collect()
}

/// Compares with what was associated before, and keeps replicas of what went.
pub fn replicate(world: &mut World, before: &BTreeSet<String>) {
    let now = all_associated(world);
    for arn in &now {
        world.replicas.remove(arn);
    }
    for gone in before.difference(&now) {
        world.replicas.insert(gone.clone(), world.rules.replica_tries);
    }
}

/// AWS's objection to the associations of a configuration, as code and message. What stood there
/// before is not looked at again.
pub fn objection(
    world: &mut World,
    config: &Element,
    before: Option<&Element>,
) -> Option<(&'static str, String)> {
    let old: BTreeSet<_> = before.into_iter().flat_map(associated).collect();
    for behavior in behaviors(config) {
        if let Some(message) = arrangement(behavior) {
            return Some(("InvalidLambdaFunctionAssociation", message));
        }
        let viewer = |kind| {
            behavior.items(&[kind]).any(|one| one.text_at(&["EventType"]).starts_with("viewer-"))
        };
        if viewer("LambdaFunctionAssociations") && viewer("FunctionAssociations") {
            let message = "A cache behavior cannot have Lambda@Edge functions and CloudFront \
                Functions on viewer events.";
            return Some(("InvalidFunctionAssociation", message.to_owned()));
        }
    }
    let new: BTreeSet<_> = associated(config).filter(|arn| !old.contains(arn)).collect();
    new.into_iter()
        .find_map(|arn| version(world, arn))
        .map(|message| ("InvalidLambdaFunctionAssociation", message))
}

fn arrangement(behavior: &Element) -> Option<String> {
    let mut events = BTreeMap::new();
    for association in behavior.items(&["LambdaFunctionAssociations"]) {
        let event = association.text_at(&["EventType"]);
        let arn = association.text_at(&["LambdaFunctionARN"]);
        if let Some(other) = events.insert(event, arn) {
            return Some(format!(
                "The event type of a function association must be unique in the cache behavior. \
                    Event type {event} \
                 cannot be associated with two functions: {other}, {arn}"
            ));
        }
        if association.text_at(&["IncludeBody"]) == "true" && !event.ends_with("-request") {
            return Some(
                "The IncludeBody option can only be used with viewer-request or \
                origin-request events."
                    .into(),
            );
        }
    }
    None
}

fn version(world: &mut World, arn: &str) -> Option<String> {
    let parts: Vec<_> = arn.split(':').collect();
    let number = parts.get(7).and_then(|number| number.parse().ok());
    let Some(number) = number else {
        return Some(format!(
            "The function ARN must reference a specific function version. (The ARN must end with \
                the version number.) \
             ARN: {arn}"
        ));
    };
    if parts[3] != "us-east-1" {
        return Some(format!("The function must be in region 'us-east-1'. ARN: {arn}"));
    }
    if !world.rules.functions {
        return None;
    }
    let name = Name::parse(arn).name;
    let Some(version) =
        world.functions.get_mut(&name).and_then(|function| function.version_mut(number))
    else {
        return Some(format!(
            "Lambda@Edge cannot retrieve the specified Lambda function. Update the IAM policy to \
                add permission: \
             lambda:GetFunction for resource: {arn} and try again."
        ));
    };
    let config = version.config.clone();
    if super::spend(&mut version.pending) {
        return Some(format!(
            "The function must be in an Active state. The current state for function {arn} is \
                Pending"
        ));
    }
    if config["Environment"]["Variables"].as_object().is_some_and(|variables| !variables.is_empty())
    {
        return Some(format!("The function cannot have environment variables. Function: {arn}"));
    }
    let runtime = config["Runtime"].as_str().unwrap_or_default();
    if !runtime.starts_with("python") && !runtime.starts_with("nodejs") {
        return Some(format!(
            "The function has an invalid runtime for functions that are triggered by a CloudFront \
                event: {runtime} \
             Expecting: [nodejs, python] Function: {arn}"
        ));
    }
    let timeout = config["Timeout"].as_u64().unwrap_or_default();
    if timeout > LONGEST_TIMEOUT {
        return Some(format!(
            "The function timeout is larger than the maximum allowed for functions that are \
                triggered by a CloudFront \
             event: {timeout} Max allowed: {LONGEST_TIMEOUT} Function: {arn}"
        ));
    }
    let role_arn = config["Role"].as_str().unwrap_or_default();
    if world.rules.roles && !role::is_assumable_at_the_edge(world, role_arn) {
        return Some(format!(
            "The function execution role must be assumable with edgelambda.amazonaws.com as well \
                as \
             lambda.amazonaws.com principals. Update the IAM role and try again. Role: {role_arn}"
        ));
    }
    None
}

/// AWS's documents contradict each other (docs/aws.md, "limits of a viewer function"); this is the
/// larger of the two.
const LONGEST_TIMEOUT: u64 = 30;
