//! Trust policies: their form, and the time until others know them (docs/aws.md, "a new role is not
//! known at once"). Boundaries and tags, for whoever may change a role only because of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::evaluation::{Context, Need, need};
use super::permission::prefixed;
use super::{World, spend};

pub type Roles = BTreeMap<String, Role>;

pub type Tags = BTreeMap<String, String>;

#[derive(Debug)]
pub struct Role {
    path: String,
    boundary: Option<String>,
    tags: Tags,
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
                path: request.field("Path").unwrap_or_else(|| "/".to_owned()),
                boundary: request.field("PermissionsBoundary"),
                tags: tags(request),
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
        operation => {
            let Some(role) = world.roles.get_mut(&name) else { return };
            match operation {
                "iam:TagRole" => role.tags.extend(tags(request)),
                "iam:UntagRole" => role.tags.retain(|key, _| !untagged(request).contains(key)),
                "iam:PutRolePermissionsBoundary" | "iam:DeleteRolePermissionsBoundary" => {
                    role.boundary = request.field("PermissionsBoundary");
                }
                _ => {}
            }
        }
    }
}

fn list(request: &Request, name: &str) -> impl Iterator<Item = String> {
    (1..).map_while(move |index| request.field(&name.replace('#', &index.to_string())))
}

fn tags(request: &Request) -> Tags {
    list(request, "Tags.member.#.Key").zip(list(request, "Tags.member.#.Value")).collect()
}

fn untagged(request: &Request) -> Vec<String> {
    list(request, "TagKeys.member.#").collect()
}

/// What a call about a role takes, where the emulator does not look at boundaries and tags: the
/// boundary is the role's, or the one that the call gives to it (Service Authorization Reference).
pub fn needs(world: &World, request: &Request) -> Vec<Need> {
    let name = request.field("RoleName").unwrap_or_default();
    let role = world.roles.get(&name);
    let path = request.field("Path").or_else(|| role.map(|role| role.path.clone()));
    let path = path.unwrap_or_else(|| "/".to_owned());
    let arn = format!("arn:aws:iam::{}:role{path}{name}", request.account());
    let bounded = |boundary: Option<String>| -> Context {
        boundary.map(|arn| ("iam:PermissionsBoundary".to_owned(), arn)).into_iter().collect()
    };
    let given = || bounded(request.field("PermissionsBoundary"));
    let found = || bounded(role.and_then(|role| role.boundary.clone()));
    let one = |action, context| vec![need(action, arn.clone()).with(context)];
    match request.operation.as_str() {
        "iam:CreateRole" => {
            let tagged = (!tags(request).is_empty()).then(|| need("iam:TagRole", arn.clone()));
            one("iam:CreateRole", given()).into_iter().chain(tagged).collect()
        }
        "iam:PutRolePermissionsBoundary" => one("iam:PutRolePermissionsBoundary", given()),
        "iam:DeleteRolePermissionsBoundary" => one("iam:DeleteRolePermissionsBoundary", found()),
        "iam:UpdateAssumeRolePolicy" => one("iam:UpdateAssumeRolePolicy", found()),
        "iam:PutRolePolicy" => one("iam:PutRolePolicy", found()),
        "iam:GetRolePolicy" => {
            let tags = role.map(|role| &role.tags);
            one("iam:GetRolePolicy", prefixed("aws:ResourceTag", tags))
        }
        _ => Vec::new(),
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
