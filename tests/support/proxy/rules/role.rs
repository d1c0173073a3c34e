//! Trust policies: their form, and the time until others know them (docs/aws.md, "a new role is not
//! known at once").

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::{World, spend};

pub type Roles = BTreeMap<String, Role>;

#[derive(Debug)]
pub struct Role {
    trust: String,
    tries: usize,
    edge_tries: usize,
}

pub fn refusal(request: &Request) -> Option<Reply> {
    let document = match request.operation.as_str() {
        "iam:CreateRole" => request.field("AssumeRolePolicyDocument")?,
        "iam:UpdateAssumeRolePolicy" => request.field("PolicyDocument")?,
        _ => return None,
    };
    let malformed = |message| Some(error(request, 400, "MalformedPolicyDocument", message));
    let Ok(policy) = serde_json::from_str::<Value>(&document) else {
        return malformed("This policy contains invalid Json");
    };
    if statements(&policy).any(|statement| statement.get("Principal").is_none()) {
        return malformed("Missing required field Principal");
    }
    None
}

pub fn settle(world: &mut World, request: &Request) {
    let Some(name) = request.field("RoleName") else { return };
    match request.operation.as_str() {
        "iam:CreateRole" => {
            let role = Role {
                trust: request.field("AssumeRolePolicyDocument").unwrap_or_default(),
                tries: world.rules.role_tries,
                edge_tries: world.rules.edge_trust_tries,
            };
            world.roles.insert(name, role);
        }
        "iam:UpdateAssumeRolePolicy" => {
            let Some(role) = world.roles.get_mut(&name) else { return };
            role.trust = request.field("PolicyDocument").unwrap_or_default();
            role.edge_tries = world.rules.edge_trust_tries;
        }
        "iam:DeleteRole" => {
            world.roles.remove(&name);
        }
        _ => {}
    }
}

/// Whether Lambda may take this role on by now.
pub fn is_assumable(world: &mut World, arn: &str) -> bool {
    find(world, arn)
        .is_some_and(|role| trusts(&role.trust, "lambda.amazonaws.com") && !spend(&mut role.tries))
}

/// Whether the edge may take this role on by now.
pub fn is_assumable_at_the_edge(world: &mut World, arn: &str) -> bool {
    find(world, arn).is_some_and(|role| {
        trusts(&role.trust, "lambda.amazonaws.com")
            && trusts(&role.trust, "edgelambda.amazonaws.com")
            && !spend(&mut role.edge_tries)
    })
}

fn find<'world>(world: &'world mut World, arn: &str) -> Option<&'world mut Role> {
    world.roles.get_mut(arn.rsplit('/').next()?)
}

fn trusts(document: &str, service: &str) -> bool {
    let policy: Value = serde_json::from_str(document).unwrap_or_default();
    statements(&policy).any(|statement| {
        statement["Effect"] == "Allow"
            && members(&statement["Principal"]["Service"]).any(|member| member == service)
    })
}

fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    members(&policy["Statement"])
}

/// IAM writes a list of one as the one.
pub fn members(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}
