//! Log groups: regions that are not enabled, deletion protection, and what is left of a deleted one
//! (docs/aws.md, "closed regions", "protected groups").

use std::collections::BTreeSet;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::World;

/// Regions and names of groups.
pub type Groups = BTreeSet<(String, String)>;

const DAY: i64 = 24 * 60 * 60 * 1000;

impl World {
    /// The group was made a day before it seems to be.
    pub fn age_log_group(&mut self, region: &str, name: &str) {
        self.aged_logs.insert((region.to_owned(), name.to_owned()));
    }
}

fn group(request: &Request) -> (String, String) {
    (request.region(), request.json()["logGroupName"].as_str().unwrap_or_default().to_owned())
}

pub fn refusal(world: &World, request: &Request) -> Option<Reply> {
    if world.rules.closed_regions.contains(&request.region().as_str()) {
        return Some(error(
            request,
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    if request.operation == "logs:ListTagsForResource" {
        let arn = request.json()["resourceArn"].as_str().unwrap_or_default().to_owned();
        let name = arn.rsplit_once("log-group:").map_or("", |(_, name)| name).to_owned();
        let message = "The specified log group does not exist.";
        return world
            .gone_logs
            .contains(&(request.region(), name))
            .then(|| error(request, 400, "ResourceNotFoundException", message));
    }
    let is_refused = request.operation == "logs:DeleteLogGroup"
        && world.protected_logs.contains(&group(request));
    is_refused.then(|| {
        error(
            request,
            400,
            "ValidationException",
            "Deletion protection is enabled for this log group.",
        )
    })
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    match request.operation.as_str() {
        "logs:CreateLogGroup" => {
            world.gone_logs.remove(&group(request));
            if request.json()["deletionProtectionEnabled"] == true {
                world.protected_logs.insert(group(request));
            }
        }
        "logs:DeleteLogGroup" => drop(world.gone_logs.insert(group(request))),
        "logs:DescribeLogGroups" => {
            let mut answer = reply.json();
            for found in answer["logGroups"].as_array_mut().into_iter().flatten() {
                let name = found["logGroupName"].as_str().unwrap_or_default().to_owned();
                let group = (request.region(), name);
                if let Some(made) = found["creationTime"].as_i64()
                    && world.aged_logs.contains(&group)
                {
                    found["creationTime"] = (made - DAY).into();
                }
                found["deletionProtectionEnabled"] = world.protected_logs.contains(&group).into();
            }
            reply.set_json(&answer);
        }
        _ => {}
    }
}
