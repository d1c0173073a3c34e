//! Buckets: what a new one has, whose it is, and its name after its deletion (facts 6).

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde_json::Value;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::role::members;
use super::{World, spend};

#[derive(Debug, Default)]
pub struct Buckets {
    /// Deleted ones, with the tries for which the name stays busy.
    busy: BTreeMap<String, usize>,
    /// Those whose public access block was taken away.
    unblocked: BTreeSet<String>,
    /// Those whose ownership controls were taken away.
    unowned: BTreeSet<String>,
}

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    let owner = request.header("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != request.account()) {
        return Some(error(request, 403, "AccessDenied", "Access Denied"));
    }
    if request.operation == "s3:PutBucketPolicy" {
        return malformed_policy(request);
    }
    if request.operation == "s3:CreateBucket"
        && let Some(left) = world.buckets.busy.get_mut(&bucket(request))
        && spend(left)
    {
        return Some(error(
            request,
            409,
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Try again.",
        ));
    }
    None
}

fn malformed_policy(request: &Request) -> Option<Reply> {
    let malformed = |message| Some(error(request, 400, "MalformedPolicy", message));
    let Ok(policy) = serde_json::from_slice::<Value>(&request.body) else {
        return malformed("Policies must be valid JSON and the first byte must be '{'");
    };
    let arn = format!("arn:aws:s3:::{}", bucket(request));
    let is_ours = |resource: &Value| {
        let rest = resource.as_str().and_then(|resource| resource.strip_prefix(&arn));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut resources = members(&policy["Statement"]).flat_map(|statement| members(&statement["Resource"]));
    if !resources.all(is_ours) {
        return malformed("Policy has invalid resource");
    }
    None
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    let bucket = bucket(request);
    let tries = world.rules.bucket_tries;
    if let Some(ahead) = world.rules.clock_ahead {
        reply.set_header("date", &httpdate::fmt_http_date(SystemTime::now() + ahead));
    }
    let Buckets { busy, unblocked, unowned } = &mut world.buckets;
    match (request.operation.as_str(), reply.is_success()) {
        ("s3:DeleteBucket", true) => {
            busy.insert(bucket.clone(), tries);
            unblocked.remove(&bucket);
            unowned.remove(&bucket);
        }
        ("s3:DeletePublicAccessBlock", true) => drop(unblocked.insert(bucket)),
        ("s3:PutPublicAccessBlock", true) => drop(unblocked.remove(&bucket)),
        ("s3:DeleteBucketOwnershipControls", true) => drop(unowned.insert(bucket)),
        ("s3:PutBucketOwnershipControls", true) => drop(unowned.remove(&bucket)),
        ("s3:GetPublicAccessBlock", false)
            if !unblocked.contains(&bucket) && reply.text().contains("NoSuchPublicAccessBlockConfiguration") =>
        {
            let flags = "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                         <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>";
            *reply = document(&format!("<PublicAccessBlockConfiguration xmlns=\"{NAMESPACE}\">{flags}</PublicAccessBlockConfiguration>"));
        }
        ("s3:GetBucketOwnershipControls", false)
            if !unowned.contains(&bucket) && reply.text().contains("OwnershipControlsNotFoundError") =>
        {
            *reply = document(&format!(
                "<OwnershipControls xmlns=\"{NAMESPACE}\"><Rule><ObjectOwnership>BucketOwnerEnforced\
                 </ObjectOwnership></Rule></OwnershipControls>"
            ));
        }
        ("s3:HeadObject" | "s3:GetObject", true) if reply.header(ENCRYPTED).is_none() => {
            reply.set_header(ENCRYPTED, "AES256");
        }
        _ => {}
    }
}

const ENCRYPTED: &str = "x-amz-server-side-encryption";

fn document(body: &str) -> Reply {
    Reply::new(200, "application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"))
}

fn bucket(request: &Request) -> String {
    request.segments().into_iter().next().unwrap_or_default()
}
