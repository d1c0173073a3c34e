//! The same with real models, where a folder of recordings is at hand (`type`, `declared` and
//! `live` in each file of `live-models/`, in CloudFormation's words):
//! `PROVISION_RECORDED=DIR cargo test --test wire every_recorded -- --ignored --nocapture`.

use super::super::shop::{BUCKET, Shop};
use super::{Filled, Members, Statements, With, element, fill, spec, taken_away};
use crate::support::Rules;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

/// A model as our calls would meet it.
struct Model {
    filled: Vec<Filled>,
    /// What a plan has to say of it: what people set there, and ours has to be otherwise.
    drift: Vec<&'static str>,
    /// Members that no call of ours shows, and so none may write.
    unasked: Vec<String>,
}

/// What is not the same for two functions, groups or buckets: ours has its own.
const OWN: &[&str] = &[
    "Arn",
    "AssumeRolePolicyDocument",
    "Bucket",
    "BucketName",
    "Code",
    "CodeSha256",
    "Description",
    "DomainName",
    "DualStackDomainName",
    "FunctionArn",
    "FunctionName",
    "Handler",
    "LogGroupName",
    "MemorySize",
    "Path",
    "PolicyName",
    "RegionalDomainName",
    "RetentionInDays",
    "Role",
    "RoleId",
    "RoleName",
    "Runtime",
    "Timeout",
    "Version",
    "WebsiteURL",
];

/// What has a call of its own, which no run of ours makes about a function or a group.
const UNASKED: &[&str] = &[
    "DataProtectionPolicy",
    "FieldIndexPolicies",
    "ReservedConcurrentExecutions",
    "RuntimeManagementConfig",
];

/// What Lambda@Edge refuses, and how a model shows that people want it.
const REFUSED: &[(&str, &str, &str)] = &[
    ("/Environment/Variables", "{}", "environment variables"),
    ("/VpcConfig/SubnetIds", "[]", "VPC"),
    ("/DeadLetterConfig/TargetArn", "\"\"", "dead letter queue"),
    ("/TracingConfig/Mode", "\"PassThrough\"", "active tracing"),
    ("/FileSystemConfigs", "[]", "file systems"),
    ("/SnapStart/ApplyOn", "\"None\"", "SnapStart"),
    ("/EphemeralStorage/Size", "512", "ephemeral storage"),
    ("/Architectures", "[\"x86_64\"]", "another architecture"),
    ("/PackageType", "\"Zip\"", "container image"),
];

fn function(live: &Map<String, Value>) -> Model {
    let mut members = live.clone();
    if let Some(snap) = members.remove("SnapStartResponse") {
        members.insert("SnapStart".into(), snap);
    }
    let theirs = members.remove("Tags").map(|live| tags("lambda:GetFunction", &live));
    let unasked = left_out(&mut members);
    let members = Value::Object(members);
    let is_wanted = |(place, without, _): &&(&str, &str, &str)| {
        members.pointer(place).is_some_and(|found| {
            serde_json::from_str(without).is_ok_and(|without: Value| *found != without)
        })
    };
    let drift = REFUSED.iter().filter(is_wanted).map(|(_, _, name)| *name).collect();
    let at = |at| Filled { at, with: Members(members.clone()) };
    let filled = [at("lambda:GetFunction"), at("lambda:ListVersionsByFunction")];
    Model { filled: filled.into_iter().chain(theirs).collect(), drift, unasked }
}

/// Takes out what is ours to say and what our calls do not show; the names of the latter.
fn left_out(members: &mut Map<String, Value>) -> Vec<String> {
    members.retain(|name, _| !OWN.contains(&name.as_str()));
    let all: Vec<String> = members.keys().cloned().collect();
    let unasked = all.into_iter().filter(|name| UNASKED.contains(&name.as_str())).collect();
    members.retain(|name, _| !UNASKED.contains(&name.as_str()));
    unasked
}

fn group(live: &Map<String, Value>) -> Model {
    let mut members = live.clone();
    // No answer that a plan needs shows them.
    let tags = members.remove("Tags").map(|_| "Tags".to_owned());
    let unasked = left_out(&mut members).into_iter().chain(tags).collect();
    let small = |name: &str| name[..1].to_lowercase() + &name[1..];
    let members = members.iter().map(|(name, value)| (small(name), value.clone())).collect();
    Model {
        filled: vec![Filled { at: "logs:DescribeLogGroups", with: Members(members) }],
        drift: Vec::new(),
        unasked,
    }
}

fn tags(at: &'static str, live: &Value) -> Filled {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tag = |tag: &Value| (text(&tag["Key"]), text(&tag["Value"]));
    Filled { at, with: With::Tags(live.as_array().into_iter().flatten().map(tag).collect()) }
}

fn role(live: &Map<String, Value>) -> Model {
    let mut filled = Vec::new();
    let mut unasked = Vec::new();
    for (name, value) in live {
        match name.as_str() {
            "MaxSessionDuration" => {
                let seconds = value.to_string();
                filled.push(element("iam:GetRole", "Role", "MaxSessionDuration", &seconds));
            }
            "ManagedPolicyArns" => {
                let policy = |arn: &Value| {
                    let arn = arn.as_str().unwrap();
                    let text = format!("<PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn>");
                    element("iam:ListAttachedRolePolicies", "AttachedPolicies", "member", &text)
                };
                filled.extend(value.as_array().unwrap().iter().map(policy));
            }
            "Policies" => {
                let policy = |policy: &Value| {
                    let name = policy["PolicyName"].as_str().unwrap();
                    element("iam:ListRolePolicies", "PolicyNames", "member", name)
                };
                filled.extend(value.as_array().unwrap().iter().map(policy));
            }
            "Tags" => filled.push(tags("iam:GetRole", value)),
            own if OWN.contains(&own) => {}
            other => unasked.push(other.to_owned()),
        }
    }
    Model { filled, drift: Vec::new(), unasked }
}

fn bucket(live: &Map<String, Value>) -> Model {
    let (mut filled, mut drift, mut unasked) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in live {
        match name.as_str() {
            "OwnershipControls" => {
                let rule = value["Rules"][0]["ObjectOwnership"].as_str().unwrap();
                let text = format!("<ObjectOwnership>{rule}</ObjectOwnership>");
                let at = "s3:GetBucketOwnershipControls";
                filled.push(element(at, "OwnershipControls", "Rule", &text));
                drift.extend((rule != "BucketOwnerEnforced").then_some("turn ACLs off"));
            }
            "PublicAccessBlockConfiguration" => {
                for (switch, is_on) in value.as_object().unwrap() {
                    let name = SWITCHES.iter().find(|known| **known == switch).unwrap();
                    let at = "s3:GetPublicAccessBlock";
                    let on = is_on.to_string();
                    filled.push(element(at, "PublicAccessBlockConfiguration", name, &on));
                    drift.extend((on != "true").then_some("block public access"));
                }
            }
            "VersioningConfiguration" => {
                let status = value["Status"].as_str().unwrap();
                let at = "s3:GetBucketVersioning";
                filled.push(element(at, "VersioningConfiguration", "Status", status));
            }
            "Tags" => filled.push(tags("s3:GetBucketTagging", value)),
            own if OWN.contains(&own) => {}
            other => unasked.push(other.to_owned()),
        }
    }
    Model { filled, drift, unasked }
}

const SWITCHES: &[&str] =
    &["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];

/// `Err`: why no call of ours would meet it.
fn model(recorded: &Value) -> Result<Model, &'static str> {
    let live = recorded["live"].as_object().unwrap();
    match recorded["type"].as_str().unwrap() {
        "AWS::Lambda::Function" => Ok(function(live)),
        "AWS::Logs::LogGroup" => Ok(group(live)),
        "AWS::IAM::Role" => Ok(role(live)),
        "AWS::S3::Bucket" => Ok(bucket(live)),
        "AWS::S3::BucketPolicy" => {
            // Of another bucket, S3 would take none.
            let all = live["PolicyDocument"]["Statement"].to_string();
            let all = all.replace(live["Bucket"].as_str().unwrap(), BUCKET);
            let all = serde_json::from_str(&all).unwrap();
            let filled = vec![Filled { at: "s3:GetBucketPolicy", with: Statements(all) }];
            Ok(Model { filled, drift: Vec::new(), unasked: Vec::new() })
        }
        "AWS::Lambda::Version" => {
            Err("beside its content it has only RuntimePolicy, for which no \
            run of ours asks")
        }
        "AWS::IAM::RolePolicy" => Err("an inline policy has nothing but what was put; laws, \
            every_recorded_policy_means_what_was_declared"),
        "AWS::CloudFront::Distribution" => {
            Err("laws, every_recorded_distribution_is_left_as_it_was")
        }
        _ => Err("not a kind of ours"),
    }
}

fn recorded() -> Vec<(PathBuf, Value)> {
    #[expect(clippy::disallowed_methods, reason = "the folder is this test's own input")]
    let folder = Path::new(&env::var_os("PROVISION_RECORDED").unwrap()).join("live-models");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    files.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

#[tokio::test]
#[ignore = "needs a folder of recordings, named by PROVISION_RECORDED"]
async fn every_recorded_model_is_no_drift_and_stays() {
    let shop = Shop::applied(&spec(0), Rules::prompt()).await;
    let (mut kept, mut told, mut passed_over, mut wrong) = (0, 0, 0, Vec::new());
    let mut version = 0;
    for (path, recorded) in recorded() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Model { filled, drift, unasked } = match model(&recorded) {
            Ok(model) => model,
            Err(why) => {
                println!("{name}: passed over, {why}");
                passed_over += 1;
                continue;
            }
        };
        let filled = Arc::new(filled);
        let seen = fill(&shop, Arc::clone(&filled));
        let said = shop.run("plan --detailed-exitcode");
        let met = seen.lock().unwrap().filled.len();
        let unsaid: Vec<_> = drift.iter().filter(|drift| !said.said.contains(**drift)).collect();
        let unasked = if unasked.is_empty() {
            String::new()
        } else {
            format!("; never asked for: {}", unasked.join(", "))
        };
        if !drift.is_empty() {
            let is_told = matches!(said.code, Some(2 | 4)) && unsaid.is_empty();
            println!("{name}: told of {}{unasked}", drift.join(", "));
            told += usize::from(is_told);
            wrong.extend((!is_told).then(|| format!("{name}: {unsaid:?} not told\n{}", said.said)));
            continue;
        }
        version += 1;
        let lost = taken_away(&shop, &filled, version).await;
        println!("{name}: met {met} times, no drift, and stays{unasked}");
        kept += usize::from(said.code == Some(0) && lost.is_empty());
        if said.code != Some(0) {
            wrong.push(format!("{name}: {}", said.said));
        }
        wrong.extend(lost.into_iter().map(|lost| format!("{name}: lost by {lost}")));
    }
    println!("{kept} are no drift and stay, {told} are told of, {passed_over} passed over");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(kept > 0);
}
