//! What AWS puts by itself, and what others put, into what is ours: it is no drift, and no write of
//! ours takes it away. The emulator knows little of it, so it is added to the emulator's answers.

use super::shop::{BUCKET, OWNED, Shop};
use crate::support::Rules;
use crate::support::proxy::classify::Request;
use crate::support::proxy::reply::Reply;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

mod recorded;

/// More in the answers to one operation.
struct Filled {
    at: &'static str,
    with: With,
}

enum With {
    /// Members of every function, version or log group in the answer; they replace what is there.
    Members(Value),
    /// An element at the end of another one, instead of the one of its name that is there.
    Element { of: &'static str, name: &'static str, text: String },
    /// Tags beside ours, of a bucket or a role.
    Tags(Vec<(String, String)>),
    /// Statements beside ours in the bucket policy.
    Statements(Vec<Value>),
}

use With::{Element, Members, Statements};

fn element(at: &'static str, of: &'static str, name: &'static str, text: &str) -> Filled {
    Filled { at, with: Element { of, name, text: text.to_owned() } }
}

fn tags(at: &'static str, tags: &[(&str, &str)]) -> Filled {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Filled { at, with: With::Tags(tags.iter().map(owned).collect()) }
}

/// What AWS was recorded filling in (cdk-real-drift's corpus and localstack's snapshot tests, 2025
/// and 2026). `FutureConfig` stands for what nobody has seen yet.
fn by_aws() -> Vec<Filled> {
    let function = || {
        Members(json!({
            "EphemeralStorage": {"Size": 512},
            "FileSystemConfigs": [],
            "FutureConfig": {"Depth": 7},
            "Layers": [],
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/shop-edge"},
            "PackageType": "Zip",
            "RecursiveLoop": "Terminate",
            "RuntimeVersionConfig": {
                "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0000"},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "TracingConfig": {"Mode": "PassThrough"},
            "VpcConfig": {"Ipv6AllowedForDualStack": false, "SecurityGroupIds": [],
                "SubnetIds": [], "VpcId": ""},
        }))
    };
    let group = json!({
        "bearerTokenAuthenticationEnabled": false,
        "dataProtectionStatus": "ACTIVATED",
        "deletionProtectionEnabled": false,
        "futureConfig": {"depth": 7},
        "inheritedProperties": ["ACCOUNT_DATA_PROTECTION"],
        "kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/k",
        "logGroupClass": "INFREQUENT_ACCESS",
        "storedBytes": 7,
    });
    let deliveries = json!({"Sid": "AWSLogDeliveryAclCheck", "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:GetBucketAcl",
        "Resource": format!("arn:aws:s3:::{BUCKET}")});
    let used = "<LastUsedDate>2026-11-01T00:00:00Z</LastUsedDate><Region>us-east-1</Region>";
    let reach = "<PolicyName>seen</PolicyName><PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess\
        </PolicyArn>";
    let system = [("aws:cloudformation:stack-name", "theirs"), ("awsApplication", "arn:a")];
    vec![
        Filled { at: "lambda:GetFunction", with: function() },
        Filled { at: "lambda:ListVersionsByFunction", with: function() },
        Filled { at: "logs:DescribeLogGroups", with: Members(group) },
        element("iam:GetRole", "Role", "RoleLastUsed", used),
        element("iam:GetRole", "Role", "MaxSessionDuration", "43200"),
        element("iam:ListAttachedRolePolicies", "AttachedPolicies", "member", reach),
        tags("iam:GetRole", &system),
        tags("lambda:GetFunction", &system),
        tags("s3:GetBucketTagging", &system),
        element("s3:GetBucketVersioning", "VersioningConfiguration", "MfaDelete", "Disabled"),
        element(
            "s3:GetPublicAccessBlock",
            "PublicAccessBlockConfiguration",
            "FutureSwitch",
            "true",
        ),
        Filled { at: "s3:GetBucketPolicy", with: Statements(vec![deliveries]) },
    ]
}

impl Filled {
    /// Puts it into an answer; false where there is no place for it.
    fn fill(&self, reply: &mut Reply) -> bool {
        match &self.with {
            Members(members) => fill_members(reply, members),
            Element { of, name, text } => {
                let text = format!("<{name}>{text}</{name}>");
                let said = opened(&without(&reply.text(), name), of);
                insert(reply, &said, &format!("</{of}>"), &text)
            }
            With::Tags(tags) if self.at.starts_with("lambda:") => {
                let mut answer = reply.json();
                for (key, value) in tags {
                    answer["Tags"][key] = json!(value);
                }
                reply.set_json(&answer);
                true
            }
            With::Tags(tags) => {
                let of = if self.at.starts_with("s3:") { "Tag" } else { "member" };
                let tag = |(key, value): &(String, String)| {
                    format!("<{of}><Key>{key}</Key><Value>{value}</Value></{of}>")
                };
                // The rules put AWS's own on a bucket.
                let is_ruled = |key: &str| of == "Tag" && key.starts_with("aws:");
                let tags = tags.iter().filter(|(key, _)| !is_ruled(key)).map(tag);
                let tags: String = tags.collect();
                let end = if of == "Tag" { "</TagSet>" } else { "</Tags>" };
                let said = reply.text();
                insert(reply, &said, end, &tags)
            }
            Statements(statements) => {
                let mut policy = reply.json();
                let Some(all) = policy["Statement"].as_array_mut() else { return false };
                all.splice(0..0, statements.iter().cloned());
                reply.set_json(&policy);
                true
            }
        }
    }

    /// Is it still there after a write with this body? The answer is no where a write that replaces
    /// the whole leaves it out, or where one that replaces what it names gives it another value.
    fn survives(&self, operation: &str, body: &str) -> bool {
        let service = |operation: &str| operation.split(':').next().map(str::to_owned);
        if service(operation) != service(self.at) {
            return true;
        }
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        match (&self.with, operation) {
            (Members(members), _) => members
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, value)| sent.get(name).is_none_or(|sent| is_part(sent, value))),
            // A write without AWS's own the rules refuse, and take these out of it.
            (With::Tags(tags), "s3:PutBucketTagging") => tags.iter().all(|(key, value)| {
                key.starts_with("aws:")
                    || body.contains(&format!("<Key>{key}</Key><Value>{value}</Value>"))
            }),
            // These name what they write.
            (With::Tags(tags), "iam:TagRole" | "iam:UntagRole" | "lambda:UntagResource") => {
                !tags.iter().any(|(key, _)| body.contains(&key.replace(':', "%3A")))
            }
            (With::Tags(tags), "lambda:TagResource") => {
                !tags.iter().any(|(key, _)| !sent["Tags"][key].is_null())
            }
            (Statements(statements), "s3:PutBucketPolicy") => {
                let all = sent["Statement"].as_array().cloned().unwrap_or_default();
                statements.iter().all(|statement| all.contains(statement))
            }
            _ => true,
        }
    }
}

/// Has it nothing that the whole has not?
fn is_part(sent: &Value, whole: &Value) -> bool {
    match sent.as_object() {
        Some(members) => members.iter().all(|(name, sent)| whole.get(name) == Some(sent)),
        None => sent == whole,
    }
}

fn fill_members(reply: &mut Reply, members: &Value) -> bool {
    let mut answer = reply.json();
    let lists = ["Versions", "logGroups"].into_iter().find(|list| answer[*list].is_array());
    let things: Vec<&mut Value> = match lists {
        Some(list) => answer[list].as_array_mut().into_iter().flatten().collect(),
        None => answer.get_mut("Configuration").into_iter().collect(),
    };
    let any = !things.is_empty();
    for thing in things {
        for (name, value) in members.as_object().into_iter().flatten() {
            thing[name] = value.clone();
        }
    }
    if any {
        reply.set_json(&answer);
    }
    any
}

fn without(text: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let text = text.replace(&format!("<{element}/>"), "");
    match (text.split_once(&open), text.split_once(&close)) {
        (Some((before, _)), Some((_, after))) if element != "member" => before.to_owned() + after,
        _ => text,
    }
}

/// An element that stands alone gets an end of its own.
fn opened(text: &str, element: &str) -> String {
    let alone = || {
        let (before, rest) = text.split_once(&format!("<{element}"))?;
        let (attributes, after) = rest.split_once('>')?;
        let attributes = attributes.strip_suffix('/')?;
        Some(format!("{before}<{element}{attributes}></{element}>{after}"))
    };
    alone().unwrap_or_else(|| text.to_owned())
}

fn insert(reply: &mut Reply, text: &str, end: &str, more: &str) -> bool {
    let any = text.contains(end);
    reply.body = text.replacen(end, &format!("{more}{end}"), 1).into();
    any
}

/// What a run met and wrote.
#[derive(Default)]
struct Seen {
    filled: Vec<usize>,
    writes: Vec<(String, String)>,
}

fn reads(operation: &str) -> bool {
    let name = operation.split_once(':').map_or("", |(_, name)| name);
    ["Get", "List", "Head", "Describe"].iter().any(|verb| name.starts_with(verb))
}

/// From now on the answers have all of this, too.
fn fill(shop: &Shop, all: Arc<Vec<Filled>>) -> Arc<Mutex<Seen>> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let told = Arc::clone(&seen);
    for filled in all.iter().filter(|filled| filled.at == "s3:GetBucketTagging") {
        let With::Tags(tags) = &filled.with else { continue };
        for (key, value) in tags.iter().filter(|(key, _)| key.starts_with("aws:")) {
            shop.ground.proxy.world(|world| world.tag_bucket(BUCKET, key, value));
        }
    }
    shop.ground.amend(move |request: &Request, reply: &mut Reply| {
        let mut told = told.lock().unwrap();
        if !reads(&request.operation) {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            // A deletion says in its address what goes.
            let body = if body.is_empty() { request.target.clone() } else { body };
            told.writes.push((request.operation.clone(), body));
        }
        for (number, filled) in all.iter().enumerate() {
            let is_asked = filled.at == request.operation && reply.is_success();
            if is_asked && filled.fill(reply) {
                told.filled.push(number);
            }
        }
    });
    seen
}

/// The spec in one of its versions: from each to the next, every kind is written.
fn spec(version: u32) -> String {
    let retention = if version.is_multiple_of(2) { "30d" } else { "60d" };
    OWNED
        // Nothing is pruned.
        .replace("keep_versions: 3", "keep_versions: 50")
        .replace("memory: 128", &format!("memory: {}, log_retention: {retention}", 128 + version))
        .replace("team: web", &format!("tag{version}: web"))
        .replace("comment: shop", &format!("comment: shop {version}"))
}

/// Applies the next version of the spec, after somebody took the distribution's right to read from
/// the bucket policy; what did not survive.
async fn taken_away(shop: &Shop, all: &Arc<Vec<Filled>>, version: u32) -> Vec<String> {
    shop.write("provision.yaml", &spec(version));
    let s3 = &shop.aws.clients.s3;
    shop.ground.amend(|_, _| ());
    let policy = s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap().policy.unwrap();
    let mut policy: Value = serde_json::from_str(&policy).unwrap();
    let is_read =
        |statement: &Value| statement["Principal"]["Service"] == "cloudfront.amazonaws.com";
    policy["Statement"].as_array_mut().unwrap().retain(|statement| !is_read(statement));
    s3.put_bucket_policy().bucket(BUCKET).policy(policy.to_string()).send().await.unwrap();
    let seen = fill(shop, Arc::clone(all));
    shop.run("apply --yes").exits(0);
    let seen = seen.lock().unwrap();
    let mut lost = Vec::new();
    for (operation, body) in &seen.writes {
        let taken = all.iter().filter(|filled| !filled.survives(operation, body));
        lost.extend(taken.map(|filled| format!("{} of {}: {body}", operation, filled.at)));
        // Whatever else a write may replace was never looked at, so no run may write it.
        if !WRITES.contains(&operation.as_str()) {
            lost.push(format!("{operation}: {body}"));
        }
    }
    let missing = |one: &&&str| !seen.writes.iter().any(|(operation, _)| operation == **one);
    assert_eq!(WRITES.iter().filter(missing).collect::<Vec<_>>(), Vec::<&&str>::new());
    lost
}

/// What leads from one version of the spec to the next.
const WRITES: &[&str] = &[
    "cloudfront:TagResource",
    "cloudfront:UntagResource",
    "cloudfront:UpdateDistribution",
    "iam:TagRole",
    "iam:UntagRole",
    "lambda:PublishVersion",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateFunctionConfiguration",
    "logs:PutRetentionPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
];

#[tokio::test]
async fn what_aws_fills_in_is_no_drift_and_stays() {
    let shop = Shop::applied(&spec(0), Rules::prompt()).await;
    let all = Arc::new(by_aws());
    let seen = fill(&shop, Arc::clone(&all));
    shop.run("plan --detailed-exitcode").exits(0);
    let filled = std::mem::take(&mut seen.lock().unwrap().filled);
    let unmet = (0..all.len()).filter(|number| !filled.contains(number));
    assert_eq!(unmet.map(|number| all[number].at).collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(taken_away(&shop, &all, 1).await, Vec::<String>::new());
    shop.run("plan --detailed-exitcode").exits(0);
}
