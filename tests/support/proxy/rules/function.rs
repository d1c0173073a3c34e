//! Functions and versions: they are pending first, and replicas hold them (docs/aws.md, "versions
//! are pending first", "replicas hold the function").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::association::all_associated;
use super::{World, role, spend};

pub type Functions = BTreeMap<String, Function>;

#[derive(Debug)]
pub struct Function {
    latest: Value,
    pending: usize,
    updating: usize,
    versions: BTreeMap<u64, Version>,
    /// The version that was published last, and what `$LATEST` was like then.
    published: Option<(u64, Value)>,
}

#[derive(Debug)]
pub struct Version {
    pub config: Value,
    pub pending: usize,
}

impl Function {
    pub fn version_mut(&mut self, number: u64) -> Option<&mut Version> {
        self.versions.get_mut(&number)
    }

    fn publish(&mut self, config: &Value, pending: usize) {
        if let Some(number) = number(config) {
            self.versions.insert(number, Version { config: config.clone(), pending });
            self.published = Some((number, content(&self.latest)));
        }
    }
}

/// A function as requests name it: by name, by ARN, with or without a qualifier.
pub struct Name {
    pub name: String,
    pub qualifier: Option<String>,
}

impl Name {
    pub fn parse(text: &str) -> Self {
        let text = text.rsplit_once("function:").map_or(text, |(_, rest)| rest);
        let (name, qualifier) =
            text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        Self { name: name.to_owned(), qualifier: qualifier.map(str::to_owned) }
    }

    /// The ARN, with the version where there is one.
    pub fn arn(&self, account: &str) -> String {
        let version =
            self.qualifier.as_ref().map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        format!("arn:aws:lambda:us-east-1:{account}:function:{}{version}", self.name)
    }

    pub fn of(request: &Request) -> Self {
        let mut name = Self::parse(request.segments().get(2).map_or("", String::as_str));
        name.qualifier = request.query("Qualifier").or(name.qualifier);
        name
    }
}

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    let sent = request.json();
    let name = Name::of(request);
    match request.operation.as_str() {
        "lambda:CreateFunction" => {
            let is_new = !world.functions.contains_key(sent["FunctionName"].as_str()?);
            if is_new { unassumable(world, request, &sent) } else { None }
        }
        "lambda:UpdateFunctionConfiguration" => {
            busy(world, request, &name.name, &sent).or_else(|| unassumable(world, request, &sent))
        }
        "lambda:UpdateFunctionCode" => busy(world, request, &name.name, &sent),
        "lambda:PublishVersion" => busy(world, request, &name.name, &sent)
            .or_else(|| unchanged(world, request, &name.name, &sent)),
        "lambda:TagResource" => {
            let function = world.functions.get_mut(&name.name)?;
            spend(&mut function.updating).then(|| conflict(request, &function.latest, "Updating"))
        }
        "lambda:DeleteFunction" => deletion(world, request, &name),
        _ => None,
    }
}

fn unassumable(world: &mut World, request: &Request, sent: &Value) -> Option<Reply> {
    let arn = sent["Role"].as_str()?;
    (world.rules.roles && !role::is_assumable(world, arn)).then(|| {
        let message = "The role defined for the function cannot be assumed by Lambda.";
        error(request, 400, "InvalidParameterValueException", message)
    })
}

fn busy(world: &mut World, request: &Request, name: &str, sent: &Value) -> Option<Reply> {
    let function = world.functions.get_mut(name)?;
    if spend(&mut function.pending) {
        return Some(conflict(request, &function.latest, "Pending"));
    }
    if spend(&mut function.updating) {
        return Some(conflict(request, &function.latest, "Updating"));
    }
    let revision = sent["RevisionId"].as_str()?;
    (function.latest["RevisionId"] != revision).then(|| {
        let message = "The Revision Id provided does not match the latest Revision Id. Call the \
                       GetFunction/GetAlias API to retrieve the latest Revision Id";
        error(request, 412, "PreconditionFailedException", message)
    })
}

fn conflict(request: &Request, latest: &Value, state: &str) -> Reply {
    let message = if state == "Pending" {
        "The operation cannot be performed at this time. The function is currently in the \
            following state: Pending"
            .to_owned()
    } else {
        let arn = latest["FunctionArn"].as_str().unwrap_or_default();
        format!(
            "The operation cannot be performed at this time. An update is in progress for \
                resource: {arn}"
        )
    };
    error(request, 409, "ResourceConflictException", &message)
}

/// Publishing what was published already returns that version (Lambda Developer Guide, "Manage
/// Lambda function versions").
fn unchanged(world: &mut World, request: &Request, name: &str, sent: &Value) -> Option<Reply> {
    let function = world.functions.get_mut(name)?;
    let hash = function.latest["CodeSha256"].as_str().unwrap_or_default();
    if let Some(wanted) =
        sent["CodeSha256"].as_str().filter(|wanted| *wanted != hash && !wanted.is_empty())
    {
        let message = format!(
            "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({hash}). \
                Please try again with the \
             CodeSHA256 in $LATEST."
        );
        return Some(error(request, 400, "InvalidParameterValueException", &message));
    }
    let (number, published) = function.published.as_ref()?;
    if *published != content(&function.latest) {
        return None;
    }
    let version = function.versions.get(number)?;
    let mut config = version.config.clone();
    show_state(&mut config, version.pending);
    Some(Reply::new(201, "application/json", config.to_string()))
}

/// What makes a version another version.
fn content(latest: &Value) -> Value {
    const MEMBERS: [&str; 12] = [
        "CodeSha256",
        "Runtime",
        "Role",
        "Handler",
        "Timeout",
        "MemorySize",
        "Description",
        "Environment",
        "Layers",
        "Architectures",
        "EphemeralStorage",
        "LoggingConfig",
    ];
    MEMBERS.iter().map(|member| latest[member].clone()).collect()
}

fn deletion(world: &mut World, request: &Request, name: &Name) -> Option<Reply> {
    let invalid =
        |message: &str| Some(error(request, 400, "InvalidParameterValueException", message));
    if name.qualifier.as_deref() == Some("$LATEST") {
        return invalid("$LATEST version cannot be deleted without deleting the function.");
    }
    let function = world.functions.get(&name.name)?;
    let asked: Option<u64> = name.qualifier.as_ref().and_then(|qualifier| qualifier.parse().ok());
    let numbers =
        function.versions.keys().filter(|number| asked.is_none_or(|asked| asked == **number));
    let arn = function.latest["FunctionArn"].as_str().unwrap_or_default();
    let versions: Vec<_> = numbers.map(|number| format!("{arn}:{number}")).collect();
    let associated = all_associated(world);
    let mut held = None;
    for version in versions {
        let is_replica = world.replicas.get_mut(&version).is_some_and(spend);
        if is_replica || associated.contains(&version) {
            held.get_or_insert(version);
        }
    }
    held.and_then(|version| {
        invalid(&format!(
            "Lambda was unable to delete {version} because it is a replicated function. Please see \
                our documentation \
             for Deleting Lambda@Edge Functions and Replicas."
        ))
    })
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    let mut answer = reply.json();
    let name = Name::of(request);
    let (function_polls, update_polls) = (world.rules.function_polls, world.rules.update_polls);
    let writes = ["lambda:CreateFunction", "lambda:UpdateFunctionCode"]
        .contains(&request.operation.as_str())
        || request.operation == "lambda:UpdateFunctionConfiguration";
    if writes || request.operation == "lambda:PublishVersion" {
        revised(world, &mut answer);
    }
    match request.operation.as_str() {
        "lambda:CreateFunction" => {
            let mut function = Function {
                latest: as_latest(&answer),
                pending: function_polls,
                updating: 0,
                versions: BTreeMap::new(),
                published: None,
            };
            name_version(&mut answer);
            function.publish(&answer, function_polls);
            show_state(&mut answer, 1);
            world
                .functions
                .insert(answer["FunctionName"].as_str().unwrap_or_default().to_owned(), function);
        }
        "lambda:UpdateFunctionCode" | "lambda:UpdateFunctionConfiguration" => {
            let Some(function) = world.functions.get_mut(&name.name) else { return };
            function.latest = as_latest(&answer);
            function.updating = update_polls;
            name_version(&mut answer);
            function.publish(&answer, function_polls);
            answer["LastUpdateStatus"] = json!("InProgress");
        }
        "lambda:PublishVersion" => {
            let Some(function) = world.functions.get_mut(&name.name) else { return };
            function.publish(&answer, function_polls);
            show_state(&mut answer, 1);
        }
        "lambda:GetFunction" => looked_at(world, &name, &mut answer["Configuration"]),
        "lambda:GetFunctionConfiguration" => looked_at(world, &name, &mut answer),
        "lambda:ListVersionsByFunction" => without_state(&mut answer["Versions"]),
        "lambda:ListFunctions" => without_state(&mut answer["Functions"]),
        "lambda:DeleteFunction" => {
            deleted(world, &name);
            return;
        }
        _ => return,
    }
    if writes {
        moves_on(&mut answer);
    }
    reply.set_json(&answer);
}

/// When a function has become what it is to be, AWS gives it another revision (docs/aws.md, "guards
/// of a function"): until then it shows one that is of no use later.
fn moves_on(config: &mut Value) {
    if let Some((_, rest)) = config["RevisionId"].as_str().and_then(|id| id.split_once('-')) {
        config["RevisionId"] = json!(format!("00000000-{rest}"));
    }
}

/// Moto numbers no revisions.
fn revised(world: &mut World, config: &mut Value) {
    if config["RevisionId"].is_null() {
        world.revisions += 1;
        config["RevisionId"] = json!(format!("10000000-0000-4000-8000-{:012}", world.revisions));
    }
}

fn looked_at(world: &mut World, name: &Name, config: &mut Value) {
    let Some(function) = world.functions.get_mut(&name.name) else { return };
    match name.qualifier.as_deref() {
        None | Some("$LATEST") => {
            if config["RevisionId"].is_null() {
                config["RevisionId"] = function.latest["RevisionId"].clone();
            }
            function.latest["RevisionId"] = config["RevisionId"].clone();
            if function.pending + function.updating > 0 {
                moves_on(config);
            }
            show_state(config, function.pending);
            if function.pending == 0 {
                config["LastUpdateStatus"] =
                    json!(if function.updating > 0 { "InProgress" } else { "Successful" });
            }
            if !spend(&mut function.pending) {
                spend(&mut function.updating);
            }
        }
        Some(number) => {
            // Time passes for both.
            if !spend(&mut function.pending) {
                spend(&mut function.updating);
            }
            let Some(version) = number.parse().ok().and_then(|number| function.version_mut(number))
            else {
                return;
            };
            if config["RevisionId"].is_null() {
                config["RevisionId"] = version.config["RevisionId"].clone();
            }
            show_state(config, version.pending);
            spend(&mut version.pending);
        }
    }
}

/// The emulator has its own clock for this; ours counts.
fn show_state(config: &mut Value, pending: usize) {
    let members = config.as_object_mut().unwrap();
    if pending > 0 {
        members.insert("State".into(), json!("Pending"));
        members.insert("StateReason".into(), json!("The function is being created."));
        members.insert("StateReasonCode".into(), json!("Creating"));
    } else if members.get("State").is_some_and(|state| state == "Pending") {
        members.insert("State".into(), json!("Active"));
        members.remove("StateReason");
        members.remove("StateReasonCode");
    }
}

/// Lists do not tell states (Lambda API Reference, `ListFunctions`).
fn without_state(configs: &mut Value) {
    for config in configs.as_array_mut().into_iter().flatten() {
        for member in [
            "State",
            "StateReason",
            "StateReasonCode",
            "LastUpdateStatus",
            "LastUpdateStatusReason",
            "LastUpdateStatusReasonCode",
        ] {
            config.as_object_mut().unwrap().remove(member);
        }
    }
}

fn deleted(world: &mut World, name: &Name) {
    match &name.qualifier {
        None => drop(world.functions.remove(&name.name)),
        Some(qualifier) => {
            if let (Some(function), Ok(number)) =
                (world.functions.get_mut(&name.name), qualifier.parse())
            {
                function.versions.remove(&number);
            }
        }
    }
}

fn number(config: &Value) -> Option<u64> {
    config["Version"].as_str()?.parse().ok()
}

/// With `Publish` the emulator answers with the version but under the function's own ARN.
fn name_version(config: &mut Value) {
    let Some(number) = number(config) else { return };
    let arn = config["FunctionArn"].as_str().unwrap_or_default();
    if Name::parse(arn).qualifier.is_none() {
        config["FunctionArn"] = json!(format!("{arn}:{number}"));
    }
}

fn as_latest(config: &Value) -> Value {
    let mut latest = config.clone();
    let arn = config["FunctionArn"].as_str().unwrap_or_default();
    if number(config).is_some() && Name::parse(arn).qualifier.is_some() {
        latest["FunctionArn"] = json!(arn.rsplit_once(':').map(|(arn, _)| arn));
    }
    latest["Version"] = json!("$LATEST");
    latest
}
