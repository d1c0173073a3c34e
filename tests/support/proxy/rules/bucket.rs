//! Buckets: what a new one has, whose it is, its tags, and its name after its deletion
//! (docs/aws.md, "new buckets are closed", "tags are written as a whole", "a deleted name stays
//! busy").

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::CONTENT_LENGTH;
use md5::{Digest as _, Md5};
use serde_json::Value;

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::role::members;
use super::{World, deletion, listed, spend};

#[derive(Debug, Default)]
pub struct Buckets {
    /// Deleted ones, with the tries for which the name stays busy.
    busy: BTreeMap<String, usize>,
    /// Those whose public access block was taken away.
    unblocked: BTreeSet<String>,
    /// Those whose ownership controls were taken away.
    unowned: BTreeSet<String>,
    /// The tags that AWS itself has put on a bucket.
    system_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Those whose tags decide about access.
    abac: BTreeSet<String>,
    /// Where each is.
    regions: BTreeMap<String, String>,
    /// Those that have kept old versions at some time.
    versioned: BTreeSet<String>,
}

impl Buckets {
    pub fn is_versioned(&self, bucket: &str) -> bool {
        self.versioned.contains(bucket)
    }
}

/// Regions that an account has to enable first; their names tell nothing to the others.
const OPT_IN: [&str; 1] = ["eu-south-1"];

impl World {
    /// AWS itself tags a bucket, as CloudFormation does.
    pub fn tag_bucket(&mut self, bucket: &str, key: &str, value: &str) {
        self.buckets
            .system_tags
            .entry(bucket.to_owned())
            .or_default()
            .insert(key.to_owned(), value.to_owned());
    }
}

pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    let owner = request.header("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != request.account()) {
        return Some(error(request, 403, "AccessDenied", "Access Denied"));
    }
    if world.rules.closed_regions.contains(&request.region().as_str()) {
        let text = "The provided token is malformed or otherwise invalid.";
        return Some(error(request, 400, "InvalidToken", text));
    }
    if let Some(elsewhere) = elsewhere(world, request) {
        return Some(elsewhere);
    }
    if request.header("content-md5").is_some_and(|sent| sent != digest(&request.body)) {
        // docs/aws.md, "Content-MD5"; moto does not look.
        let message = "The Content-MD5 you specified did not match what we received.";
        return Some(error(request, 400, "BadDigest", message));
    }
    match request.operation.as_str() {
        "s3:PutBucketPolicy" => {
            return malformed_policy(request).or_else(|| public_policy(world, request));
        }
        "s3:DeleteObject" | "s3:DeleteObjects" => return deletion::refusal(request),
        "s3:GetBucketAbac" | "s3:PutBucketAbac" => return Some(abac(world, request)),
        "s3:PutBucketTagging" => return tagging(world, request),
        "s3:CreateBucket" => {
            if let Some(refused) = namespace(request) {
                return Some(refused);
            }
        }
        _ => {}
    }
    if request.operation == "s3:CreateBucket"
        && let Some(left) = world.buckets.busy.get_mut(&bucket(request))
        && spend(left)
    {
        return Some(error(
            request,
            409,
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. \
                Try again.",
        ));
    }
    None
}

fn digest(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

/// What a client in another region than the bucket's is told (docs/aws.md, "a bucket elsewhere
/// redirects").
fn elsewhere(world: &World, request: &Request) -> Option<Reply> {
    let bucket = bucket(request);
    let (lies, signed) = (world.buckets.regions.get(&bucket)?, request.region());
    if signed.is_empty() || signed == *lies || request.operation == "s3:CreateBucket" {
        return None;
    }
    if OPT_IN.contains(&lies.as_str()) {
        let message = format!(
            "The {lies} location constraint is incompatible for the region specific endpoint this \
                request was sent to."
        );
        let refusal = error(request, 400, "IllegalLocationConstraintException", &message);
        let is_head = request.method == hyper::Method::HEAD;
        return Some(if is_head { refusal.with_header(REGION, lies) } else { refusal });
    }
    let message = "The bucket you are attempting to access must be addressed using the specified \
        endpoint. Please send all future requests to this endpoint.";
    Some(error(request, 301, "PermanentRedirect", message).with_header(REGION, lies))
}

const REGION: &str = "x-amz-bucket-region";

/// The header and the end of the name have to say the same (docs/aws.md, "a bucket's namespace").
fn namespace(request: &Request) -> Option<Reply> {
    let (name, account, region) = (bucket(request), request.account(), request.region());
    let suffix = format!("-{account}-{region}-an");
    let asked = request.header("x-amz-bucket-namespace") == Some("account-regional");
    let refused = |code, message: &str| Some(error(request, 400, code, message));
    match (asked, name.ends_with("-an")) {
        (false, true) => refused(
            "MissingNamespaceHeader",
            "The requested bucket is an account-regional namespace bucket, but your request is \
                missing the required x-amz-bucket-namespace header.",
        ),
        (true, _) if !name.ends_with(&suffix) => refused(
            "InvalidNamespaceHeader",
            &format!(
                "The requested bucket name did not include the account-regional namespace suffix, \
                    but the provided x-amz-bucket-namespace header value is account-regional. \
                    Specify {suffix} as the bucket name suffix"
            ),
        ),
        _ => None,
    }
}

/// A document without any element of this name.
fn without(document: &str, name: &str) -> String {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = document.split(&begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(&end).map_or(part, |(_, rest)| rest))
}

/// A list of buckets in which each tells where it is.
fn with_regions(list: String, regions: &BTreeMap<String, String>) -> String {
    regions.iter().fold(list, |list, (bucket, region)| {
        let name = format!("<Name>{bucket}</Name>");
        list.replace(&name, &format!("{name}<BucketRegion>{region}</BucketRegion>"))
    })
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
    let mut resources =
        members(&policy["Statement"]).flat_map(|statement| members(&statement["Resource"]));
    if !resources.all(is_ours) {
        return malformed("Policy has invalid resource");
    }
    None
}

/// Refused while the public access block is on (docs/aws.md, "public policies").
fn public_policy(world: &World, request: &Request) -> Option<Reply> {
    let bucket = bucket(request);
    let policy: Value = serde_json::from_slice(&request.body).ok()?;
    let narrows = |statement: &Value| {
        let mut operators = statement["Condition"].as_object().into_iter().flatten();
        operators.any(|(_, keys)| {
            let mut keys = keys.as_object().into_iter().flatten();
            keys.any(|(key, _)| key.to_ascii_lowercase().starts_with("aws:source"))
        })
    };
    let is_public = |statement: &Value| {
        let everybody = members(&statement["Principal"]).any(|who| who == "*")
            || members(&statement["Principal"]["AWS"]).any(|who| who == "*");
        statement["Effect"] == "Allow" && everybody && !narrows(statement)
    };
    let blocked = !world.buckets.unblocked.contains(&bucket);
    (blocked && members(&policy["Statement"]).any(is_public)).then(|| {
        let message = format!(
            "User: arn:aws:iam::{}:user/test is not authorized to perform: s3:PutBucketPolicy on \
                resource: \"arn:aws:s3:::{bucket}\" because public policies are prevented by the \
                BlockPublicPolicy setting in S3 Block Public Access.",
            request.account()
        );
        error(request, 403, "AccessDenied", &message)
    })
}

/// The emulator does not know it.
fn abac(world: &mut World, request: &Request) -> Reply {
    let (bucket, known) = (bucket(request), &mut world.buckets.abac);
    if request.method == hyper::Method::PUT {
        let on = Element::parse(&request.body)
            .is_some_and(|sent| sent.text_at(&["Status"]) == "Enabled");
        if on {
            known.insert(bucket)
        } else {
            known.remove(&bucket)
        };
        return Reply::new(200, "application/xml", "");
    }
    let status = if known.contains(&bucket) { "Enabled" } else { "Disabled" };
    document(&format!("<AbacStatus xmlns=\"{NAMESPACE}\"><Status>{status}</Status></AbacStatus>"))
}

fn tagging(world: &World, request: &Request) -> Option<Reply> {
    let bucket = bucket(request);
    if world.buckets.abac.contains(&bucket) {
        // What S3 says then, no document tells (docs/aws.md, "tagging a bucket with ABAC").
        let message = "Tags of a bucket with ABAC are set by TagResource";
        return Some(error(request, 400, "InvalidRequest", message));
    }
    let sent: BTreeMap<String, String> = sent_tags(&Element::parse(&request.body)?);
    let sent: BTreeMap<_, _> =
        sent.into_iter().filter(|(key, _)| key.starts_with("aws:")).collect();
    let known = world.buckets.system_tags.get(&bucket).cloned().unwrap_or_default();
    let invalid = |message| Some(error(request, 400, "InvalidTag", message));
    match () {
        () if sent == known => None,
        () if known.keys().any(|key| !sent.contains_key(key)) => {
            invalid("System Tags cannot be removed by requester")
        }
        () => invalid("System tags cannot be added/updated by requester"),
    }
}

/// Takes AWS's own tags out of a call that may set them as they are: they are kept here, and moto
/// refuses them whatever they say.
pub fn keep_system_tags(request: &mut Request) {
    if request.operation != "s3:PutBucketTagging" {
        return;
    }
    let Some(mut tagging) = Element::parse(&request.body) else { return };
    let Some(Element { children, .. }) = tagging.at_mut(&["TagSet"]) else { return };
    let all = children.len();
    children.retain(|tag| !tag.text_at(&["Key"]).starts_with("aws:"));
    if children.len() < all {
        request.body = tagging.document(NAMESPACE).into();
        request.headers.insert(CONTENT_LENGTH, request.body.len().into());
        request.headers.remove("content-md5");
    }
}

fn sent_tags(tagging: &Element) -> BTreeMap<String, String> {
    let tags = tagging.at(&["TagSet"]).into_iter().flat_map(|set| &set.children);
    tags.map(|tag| (tag.text_at(&["Key"]).to_owned(), tag.text_at(&["Value"]).to_owned())).collect()
}

/// The tags with AWS's own among them.
fn all_tags(known: &BTreeMap<String, String>, reply: &Reply) -> Reply {
    let mut tags = Element::parse(&reply.body)
        .filter(|_| reply.is_success())
        .map(|answer| sent_tags(&answer))
        .unwrap_or_default();
    tags.extend(known.clone());
    let mut set = Element::new("TagSet", "");
    set.children = tags
        .iter()
        .map(|(key, value)| Element {
            children: vec![Element::new("Key", key), Element::new("Value", value)],
            ..Element::new("Tag", "")
        })
        .collect();
    let answer = Element { children: vec![set], ..Element::new("Tagging", "") };
    Reply::new(200, "application/xml", answer.document(NAMESPACE))
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    if reply.is_success() {
        listed::settle(request, reply);
    }
    let bucket = bucket(request);
    let tries = world.rules.bucket_tries;
    if let Some(ahead) = world.rules.clock_ahead {
        reply.set_header("date", &httpdate::fmt_http_date(SystemTime::now() + ahead));
    }
    let Buckets { busy, unblocked, unowned, system_tags, abac, regions, versioned } =
        &mut world.buckets;
    match (request.operation.as_str(), reply.is_success()) {
        ("s3:CreateBucket", true) => {
            let asked = Element::parse(&request.body);
            let named = asked.map(|asked| asked.text_at(&["LocationConstraint"]).to_owned());
            let named = named.filter(|region| !region.is_empty());
            let lies = named.unwrap_or_else(|| request.region());
            // Nobody knows where one is that was made without a signature.
            if !lies.is_empty() {
                regions.insert(bucket, lies);
            }
        }
        ("s3:DeleteBucket", true) => {
            regions.remove(&bucket);
            busy.insert(bucket.clone(), tries);
            unblocked.remove(&bucket);
            unowned.remove(&bucket);
            system_tags.remove(&bucket);
            abac.remove(&bucket);
            versioned.remove(&bucket);
        }
        ("s3:PutBucketVersioning", true) => drop(versioned.insert(bucket)),
        ("s3:GetBucketTagging", _) if system_tags.contains_key(&bucket) => {
            *reply = all_tags(&system_tags[&bucket], reply);
        }
        // docs/aws.md, "a list of buckets tells regions only in pages".
        ("s3:ListBuckets", true) => {
            let bare = without(&reply.text(), "BucketRegion");
            let is_paged = request.query("max-buckets").is_some();
            reply.body = if is_paged { with_regions(bare, regions) } else { bare }.into();
        }
        ("s3:DeletePublicAccessBlock", true) => drop(unblocked.insert(bucket)),
        ("s3:PutPublicAccessBlock", true) => drop(unblocked.remove(&bucket)),
        ("s3:DeleteBucketOwnershipControls", true) => drop(unowned.insert(bucket)),
        ("s3:PutBucketOwnershipControls", true) => drop(unowned.remove(&bucket)),
        ("s3:GetPublicAccessBlock", false)
            if !unblocked.contains(&bucket)
                && reply.text().contains("NoSuchPublicAccessBlockConfiguration") =>
        {
            let flags = "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                         <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>";
            *reply = document(&format!(
                "<PublicAccessBlockConfiguration \
                    xmlns=\"{NAMESPACE}\">{flags}</PublicAccessBlockConfiguration>"
            ));
        }
        ("s3:GetBucketOwnershipControls", false)
            if !unowned.contains(&bucket)
                && reply.text().contains("OwnershipControlsNotFoundError") =>
        {
            *reply = document(&format!(
                "<OwnershipControls \
                    xmlns=\"{NAMESPACE}\"><Rule><ObjectOwnership>BucketOwnerEnforced\
                 </ObjectOwnership></Rule></OwnershipControls>"
            ));
        }
        ("s3:GetBucketEncryption", false)
            if reply.text().contains("ServerSideEncryptionConfigurationNotFoundError") =>
        {
            let default = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
                </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled>";
            *reply = document(&format!(
                "<ServerSideEncryptionConfiguration xmlns=\"{NAMESPACE}\"><Rule>{default}</Rule>\
                 </ServerSideEncryptionConfiguration>"
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
    Reply::new(
        200,
        "application/xml",
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"),
    )
}

fn bucket(request: &Request) -> String {
    request.segments().into_iter().next().unwrap_or_default()
}
