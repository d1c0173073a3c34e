//! What answers look like: texts, and members that are there or are not, as AWS was recorded giving
//! them. `tests/wire/truth.rs` has the recorded answers.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::classify::Request;
use super::super::reply::Reply;
use super::super::xml::Element;
use super::World;
use super::function::Name;

pub fn settle(world: &World, request: &Request, reply: &mut Reply) {
    match request.service() {
        "s3" if world.rules.buckets => bucket(world, request, reply),
        "iam" if world.rules.roles => role(request, reply),
        "logs" if world.rules.logs => group(reply),
        "lambda" if world.rules.functions => function(request, reply),
        _ => {}
    }
}

fn say(reply: &mut Reply, instead: &str, text: &str) {
    let said = reply.text();
    if said.contains(instead) {
        reply.body = said.replace(instead, text).into();
    }
}

fn bucket(world: &World, request: &Request, reply: &mut Reply) {
    match (request.operation.as_str(), reply.status) {
        (_, 412) => say(
            reply,
            "At least one of the preconditions you specified did not hold.",
            "At least one of the pre-conditions you specified did not hold",
        ),
        ("s3:DeleteBucket", 409) => {
            let bucket = request.segments().into_iter().next().unwrap_or_default();
            if world.buckets.is_versioned(&bucket) {
                let more = "not empty. You must delete all versions in the bucket.</Message>";
                say(reply, "not empty</Message>", more);
                say(reply, "not empty.</Message>", more);
            }
        }
        ("s3:GetBucketVersioning", 200) => {
            say(reply, "GetBucketVersioningResponse", "VersioningConfiguration");
        }
        ("s3:PutBucketPolicy", 200) => {
            reply.status = 204;
            reply.body = Bytes::new();
        }
        ("s3:GetBucketEncryption", 200) if !reply.text().contains("BlockedEncryptionTypes") => {
            let blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>\
                </BlockedEncryptionTypes></Rule>";
            say(reply, "</Rule>", blocked);
        }
        _ => {}
    }
}

fn role(request: &Request, reply: &mut Reply) {
    let name = request.field("RoleName").unwrap_or_default();
    if !reply.is_success() {
        let policy = request.field("PolicyName").unwrap_or_default();
        let known = format!("<Message>The role with name {name} cannot be found.</Message>");
        for dot in ["", "."] {
            say(reply, &format!("<Message>Role {name} not found{dot}</Message>"), &known);
        }
        let unknown = format!("<Message>Policy Document {policy} not attached to role {name}<");
        let known = format!("<Message>The role policy with name {policy} cannot be found.<");
        say(reply, &unknown, &known);
        say(reply, "must delete all inline policies first", "must delete policies first");
        return;
    }
    let (path, absent, last_used): (&[&str], &[&str], bool) = match request.operation.as_str() {
        "iam:CreateRole" => {
            (&["CreateRoleResult", "Role"], &["MaxSessionDuration", "RoleLastUsed"], false)
        }
        "iam:GetRole" => (&["GetRoleResult", "Role"], &[], true),
        "iam:ListRoles" => (&["ListRolesResult", "Roles"], &["Tags"], false),
        _ => return,
    };
    let Some(mut answer) = Element::parse(&reply.body) else { return };
    let Some(found) = answer.at_mut(path) else { return };
    let shape = |role: &mut Element| {
        role.children.retain(|member| {
            let is_bare = member.name == "Description" && member.text.is_empty();
            !is_bare && !absent.contains(&member.name.as_str())
        });
        if last_used && role.at(&["RoleLastUsed"]).is_none() {
            role.children.push(Element::new("RoleLastUsed", ""));
        }
    };
    if found.name == "Role" {
        shape(found);
    } else {
        found.children.iter_mut().for_each(shape);
    }
    reply.body = answer.document("https://iam.amazonaws.com/doc/2010-05-08/").into();
}

fn group(reply: &mut Reply) {
    let mut answer = reply.json();
    if answer["__type"] == "ResourceNotFoundException" {
        answer["message"] = json!("The specified log group does not exist.");
        reply.set_json(&answer);
    }
    for found in answer["logGroups"].as_array_mut().into_iter().flatten() {
        found["bearerTokenAuthenticationEnabled"] = json!(false);
        let group = found.as_object_mut().unwrap();
        group.entry("logGroupClass").or_insert(json!("STANDARD"));
    }
    if answer["logGroups"].is_array() {
        reply.set_json(&answer);
    }
}

fn function(request: &Request, reply: &mut Reply) {
    let mut answer = reply.json();
    if !answer.is_object() {
        return;
    }
    let name = Name::of(request);
    match request.operation.as_str() {
        _ if !reply.is_success() => refusal(&name, &mut answer),
        "lambda:GetFunction" => configuration(&name, &mut answer["Configuration"]),
        "lambda:ListVersionsByFunction" => {
            for version in answer["Versions"].as_array_mut().into_iter().flatten() {
                let number = version["Version"].as_str().map(str::to_owned);
                configuration(&Name { name: name.name.clone(), qualifier: number }, version);
                drop(version.as_object_mut().unwrap().remove("RuntimeVersionConfig"));
            }
        }
        "lambda:CreateFunction" | "lambda:PublishVersion" | "lambda:GetFunctionConfiguration" => {
            configuration(&name, &mut answer);
        }
        "lambda:UpdateFunctionCode" | "lambda:UpdateFunctionConfiguration" => {
            configuration(&name, &mut answer);
            under_way(&mut answer);
        }
        _ => return,
    }
    reply.set_json(&answer);
}

/// A refusal says whose fault it is, and names the version that was asked for.
fn refusal(name: &Name, answer: &mut Value) {
    let said = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
    let mut said = said.to_owned();
    if let Some(qualifier) = &name.qualifier
        && said.ends_with(&format!(":function:{}", name.name))
    {
        said = format!("{said}:{qualifier}");
    }
    let members = answer.as_object_mut().unwrap();
    members.entry("Type").or_insert(json!("User"));
    members.insert("message".into(), json!(said));
    members.insert("Message".into(), json!(said));
}

const RUNTIME: &str = "arn:aws:lambda:us-east-1::runtime:\
    8eeff65f6809a3ce81507fe733fe09b835899b99481ba22fd75b5a7338290ec1";

/// What a configuration shows, and under which ARN.
fn configuration(name: &Name, config: &mut Value) {
    let Some(members) = config.as_object_mut() else { return };
    let is_bare = |member: &str, value: &Value| match member {
        _ if value.is_null() => true,
        "Layers" => value == &json!([]),
        "VpcConfig" => value["SubnetIds"] == json!([]),
        "KMSKeyArn" | "LastUpdateStatusReason" | "LastUpdateStatusReasonCode" => value == "",
        _ => false,
    };
    members.retain(|member, value| !is_bare(member, value));
    let group = format!("/aws/lambda/{}", members["FunctionName"].as_str().unwrap_or_default());
    members
        .entry("LoggingConfig")
        .or_insert_with(|| json!({ "LogFormat": "Text", "LogGroup": group }));
    members
        .entry("RuntimeVersionConfig")
        .or_insert_with(|| json!({ "RuntimeVersionArn": RUNTIME }));
    if members.get("State").is_some_and(|state| state == "Pending") {
        members.retain(|member, _| !member.starts_with("LastUpdateStatus"));
    } else if members.get("Version").is_some_and(|version| version != "$LATEST")
        && members.contains_key("LastUpdateStatus")
    {
        members.insert("LastUpdateStatus".into(), json!("Successful"));
    }
    let arn = members.get("FunctionArn").and_then(Value::as_str).map(Name::parse);
    if let (Some(qualifier), Some(Name { qualifier: None, .. })) = (&name.qualifier, arn) {
        let arn = members["FunctionArn"].as_str().unwrap_or_default();
        let arn = format!("{arn}:{qualifier}");
        members.insert("FunctionArn".into(), json!(arn));
    }
}

/// A function that changes goes on as it is.
fn under_way(config: &mut Value) {
    if config["Version"] == "$LATEST" {
        let members = config.as_object_mut().unwrap();
        members.retain(|member, _| !member.starts_with("StateReason"));
        members.insert("State".into(), json!("Active"));
        members.insert("LastUpdateStatus".into(), json!("InProgress"));
        members.insert("LastUpdateStatusReason".into(), json!("The function is being created."));
        members.insert("LastUpdateStatusReasonCode".into(), json!("Creating"));
    } else {
        config["State"] = json!("Pending");
        config["StateReason"] = json!("The function is being created.");
        config["StateReasonCode"] = json!("Creating");
        config.as_object_mut().unwrap().retain(|member, _| !member.starts_with("LastUpdate"));
    }
}
