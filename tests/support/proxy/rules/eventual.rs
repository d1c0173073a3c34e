//! What was just made is not known everywhere yet, nor ready for everything (docs/aws.md, "new
//! things are not known at once").

use std::collections::BTreeMap;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::function::Name;
use super::{World, spend};

/// Thing → how often it is not known yet, and how often it is still busy with its creation.
pub type New = BTreeMap<String, (usize, usize)>;

const BUSY: &str = "A conflicting conditional operation is currently in progress against this \
    resource. Please try again.";

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    let thing = thing(request)?;
    let (unknown, busy) = world.new.get_mut(&thing)?;
    let (status, code, message) = match request.operation.as_str() {
        "s3:PutPublicAccessBlock" | "s3:PutBucketPolicy" | "s3:PutBucketVersioning" => {
            if spend(unknown) {
                (404, "NoSuchBucket", "The specified bucket does not exist")
            } else if spend(busy) {
                (409, "OperationAborted", BUSY)
            } else {
                return None;
            }
        }
        "iam:PutRolePolicy" if spend(unknown) => {
            (404, "NoSuchEntity", "The role with the given name cannot be found.")
        }
        "lambda:GetFunctionConfiguration" if spend(unknown) => {
            (404, "ResourceNotFoundException", "Function not found")
        }
        _ => return None,
    };
    Some(error(request, status, code, message))
}

pub fn settle(world: &mut World, request: &Request, reply: &Reply) {
    let made = match request.operation.as_str() {
        "s3:CreateBucket" | "iam:CreateRole" => thing(request),
        "lambda:CreateFunction" | "lambda:PublishVersion" | "lambda:UpdateFunctionCode" => {
            let answer = reply.json();
            let number = answer["Version"].as_str().filter(|number| *number != "$LATEST");
            let name = answer["FunctionName"].as_str();
            name.zip(number).map(|(name, number)| format!("version {name}:{number}"))
        }
        _ => None,
    };
    let tries = (world.rules.new_tries, world.rules.new_tries);
    world.new.extend(made.map(|thing| (thing, tries)));
}

/// What a request is about, where that can be new.
fn thing(request: &Request) -> Option<String> {
    match request.service() {
        "s3" => request.segments().first().map(|bucket| format!("bucket {bucket}")),
        "iam" => request.field("RoleName").map(|role| format!("role {role}")),
        "lambda" => {
            let Name { name, qualifier } = Name::of(request);
            qualifier.map(|number| format!("version {name}:{number}"))
        }
        _ => None,
    }
}
