//! What a call takes beyond what the emulator asks for (Service Authorization Reference; CloudFront
//! Developer Guide, "Set up IAM permissions and roles for Lambda@Edge"; the permissions of each
//! operation in the Amazon S3 API Reference).
//!
//! The emulator checks signatures, and one action for each call. It knows nothing of the further
//! actions that AWS wants for tags, guards, roles and associations, and for some calls it knows no
//! resource, or another action than AWS. For those it is given a policy that lets them through
//! ([`for_the_emulator`]), and what AWS would say is said here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::association::associated;
use super::evaluation::{Context, Need, allows, need};
use super::function::Name;
use super::{World, distribution, role};

/// A caller with one policy.
#[derive(Debug)]
pub struct Caller {
    pub key: String,
    pub policy: Value,
    /// An association was made, and with the first one of the account its service-linked roles
    /// (docs/aws.md, "service-linked roles").
    pub is_linked: bool,
}

/// The tags of distributions by ARN; the emulator does not look at them when it judges a condition.
pub type Tags = BTreeMap<String, role::Tags>;

/// Calls that the emulator checks against no resource at all, under the operation's name instead of
/// AWS's action, or without the tags and boundaries that a condition asks for.
const MISPLACED: [&str; 18] = [
    "lambda:CreateFunction",
    "iam:CreateRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:GetRolePolicy",
    "cloudfront:CreateDistributionWithTags",
    "cloudfront:UpdateDistribution",
    "cloudfront:DeleteDistribution",
    "cloudfront:CreateInvalidation",
    "cloudfront:GetInvalidation",
    "cloudfront:TagResource",
    "cloudfront:UntagResource",
    "cloudfront:ListTagsForResource",
    "cloudfront:GetOriginAccessControl",
    "cloudfront:UpdateOriginAccessControl",
    "cloudfront:DeleteOriginAccessControl",
];

/// The policy as the emulator has to have it, so that what it misplaces comes to be judged here.
pub fn for_the_emulator(policy: &Value) -> Value {
    let mut policy = policy.clone();
    policy["Statement"]
        .as_array_mut()
        .unwrap()
        .push(json!({"Effect": "Allow", "Action": MISPLACED, "Resource": "*"}));
    policy
}

pub fn refusal(world: &mut World, request: &Request) -> Option<Reply> {
    let caller = caller(world, request)?;
    if request.operation == "s3:DeleteObjects" {
        return partial(caller, request);
    }
    if let Some(lacking) =
        needs(world, request).into_iter().find(|need| !allows(&caller.policy, need))
    {
        return Some(denied(request, &lacking));
    }
    let associates = associations(world, request);
    let lacking = associates.iter().find(|need| !allows(&caller.policy, need))?;
    if lacking.action.starts_with("iam:") {
        return Some(denied(request, lacking));
    }
    // For the text see docs/aws.md, "rights for an association".
    let Need { action, resource, .. } = lacking;
    let message = format!(
        "Lambda@Edge cannot retrieve the specified Lambda function. Update the IAM policy to add \
            permission: {action} for \
         resource: {resource} and try again."
    );
    Some(error(request, 400, "InvalidLambdaFunctionAssociation", &message))
}

pub fn settle(world: &mut World, request: &Request, reply: &mut Reply) {
    if reply.is_success() {
        tag(world, request, reply);
    }
    let Some(caller) = caller(world, request) else { return };
    let account = request.account();
    match (request.operation.as_str(), reply.status) {
        // Whoever may not list is not told that a key is not there (S3 API Reference, "GetObject").
        ("s3:HeadObject" | "s3:GetObject", 404)
            if !allows(&caller.policy, &need("s3:ListBucket", bucket(request))) =>
        {
            *reply = error(request, 403, "AccessDenied", "Access Denied");
        }
        // S3 can be as short as this; the longer texts come from the other services.
        (operation, 403)
            if operation.starts_with("s3:")
                && reply.text().contains("not authorized to perform") =>
        {
            *reply = error(request, 403, "AccessDenied", "Access Denied");
        }
        // The emulator leaves out the envelope, without which no SDK reads the text.
        (operation, 403) if operation.starts_with("cloudfront:") => {
            let sent = Element::parse(&reply.body);
            let message = sent.as_ref().map_or("", |sent| sent.text_at(&["Message"]));
            *reply = error(request, 403, "AccessDenied", message);
        }
        ("lambda:GetFunction", 200) => {
            let tags = need("lambda:ListTags", Name::of(request).arn(&account));
            if !allows(&caller.policy, &tags) {
                let mut answer = reply.json();
                answer.as_object_mut().unwrap().remove("Tags");
                answer["TagsError"] =
                    json!({"ErrorCode": "AccessDeniedException", "Message": text(&account, &tags)});
                reply.set_json(&answer);
            }
        }
        ("cloudfront:CreateDistributionWithTags" | "cloudfront:UpdateDistribution", 200..300) => {
            if let Some(caller) = &mut world.caller {
                caller.is_linked |= Element::parse(&request.body)
                    .is_some_and(|sent| associated(config(&sent)).next().is_some());
            }
        }
        _ => {}
    }
}

fn caller<'world>(world: &'world World, request: &Request) -> Option<&'world Caller> {
    let signed = request.header("authorization")?.split("Credential=").nth(1)?;
    world.caller.as_ref().filter(|caller| signed.starts_with(&format!("{}/", caller.key)))
}

/// Takes note of a distribution's tags.
fn tag(world: &mut World, request: &Request, reply: &Reply) {
    let sent = Element::parse(&request.body);
    let resource = || request.query("Resource").unwrap_or_default();
    match (request.operation.as_str(), sent) {
        ("cloudfront:CreateDistributionWithTags", Some(sent)) => {
            let arn = Element::parse(&reply.body)
                .map(|made| made.text_at(&["ARN"]).to_owned())
                .unwrap_or_default();
            world.tags.insert(arn, sent.at(&["Tags"]).map(pairs).unwrap_or_default());
        }
        ("cloudfront:TagResource", Some(sent)) => {
            world.tags.entry(resource()).or_default().extend(pairs(&sent));
        }
        ("cloudfront:UntagResource", Some(sent)) => {
            let gone: Vec<&str> = sent.items(&[]).map(|key| key.text.as_str()).collect();
            world
                .tags
                .entry(resource())
                .or_default()
                .retain(|key, _| !gone.contains(&key.as_str()));
        }
        _ => {}
    }
}

fn pairs(list: &Element) -> role::Tags {
    list.items(&[])
        .map(|tag| (tag.text_at(&["Key"]).to_owned(), tag.text_at(&["Value"]).to_owned()))
        .collect()
}

/// Tags as conditions ask for them.
pub fn prefixed(key: &str, tags: Option<&role::Tags>) -> Context {
    let tags = tags.into_iter().flatten();
    tags.map(|(name, value)| (format!("{key}/{name}"), value.clone())).collect()
}

/// What a call takes beside what the emulator asks for.
#[expect(clippy::too_many_lines, reason = "one table")]
fn needs(world: &World, request: &Request) -> Vec<Need> {
    let account = request.account();
    let object = format!("arn:aws:s3:::{}", request.path().trim_start_matches('/'));
    let body = String::from_utf8_lossy(&request.body);
    let pass = |role: &Value| {
        let context =
            [("iam:PassedToService".to_owned(), "lambda.amazonaws.com".to_owned())].into();
        role.as_str().map(|role| need("iam:PassRole", role).with(context))
    };
    let on_version = |action| {
        let name = Name::of(request);
        name.qualifier.is_some().then(|| need(action, name.arn(&account)))
    };
    let distribution = |action| {
        let arn = format!(
            "arn:aws:cloudfront::{account}:distribution/{}",
            request.segments().get(2).map_or("", String::as_str)
        );
        let context = prefixed("aws:ResourceTag", world.tags.get(&arn));
        vec![need(action, arn).with(context)]
    };
    let tagging = |action| {
        let arn = request.query("Resource").unwrap_or_default();
        let sent = Element::parse(&request.body).as_ref().map(pairs);
        let mut context = prefixed("aws:ResourceTag", world.tags.get(&arn));
        context.extend(prefixed("aws:RequestTag", sent.as_ref()));
        vec![need(action, arn).with(context)]
    };
    let control = || {
        format!(
            "arn:aws:cloudfront::{account}:origin-access-control/{}",
            request.segments().get(2).map_or("", String::as_str)
        )
    };
    match request.operation.as_str() {
        "s3:CreateBucket" => {
            let owned = request
                .header("x-amz-object-ownership")
                .map(|_| need("s3:PutBucketOwnershipControls", bucket(request)));
            owned
                .into_iter()
                .chain(body.contains("<Tag>").then(|| need("s3:TagResource", bucket(request))))
                .collect()
        }
        "s3:GetBucketAbac" => vec![need("s3:GetBucketABAC", bucket(request))],
        "s3:PutObject" | "s3:DeleteObject" => {
            request.header("if-match").map(|_| need("s3:GetObject", object)).into_iter().collect()
        }
        operation if operation.starts_with("iam:") => role::needs(world, request),
        "lambda:CreateFunction" => {
            let sent = request.json();
            let function = format!(
                "arn:aws:lambda:us-east-1:{account}:function:{}",
                sent["FunctionName"].as_str().unwrap_or_default()
            );
            let tagged = sent["Tags"].as_object().is_some_and(|tags| !tags.is_empty());
            let tags = tagged.then(|| need("lambda:TagResource", function.clone()));
            [need("lambda:CreateFunction", function)]
                .into_iter()
                .chain(pass(&sent["Role"]))
                .chain(tags)
                .collect()
        }
        "lambda:UpdateFunctionConfiguration" => pass(&request.json()["Role"]).into_iter().collect(),
        "lambda:GetFunctionConfiguration" => {
            on_version("lambda:GetFunctionConfiguration").into_iter().collect()
        }
        "lambda:DeleteFunction" => on_version("lambda:DeleteFunction").into_iter().collect(),
        // The API reference is silent (docs/aws.md, "tags of a new group").
        "logs:CreateLogGroup" => {
            let sent = request.json();
            let group = sent["logGroupName"].as_str().unwrap_or_default();
            let region = request.region();
            let tags = || {
                need(
                    "logs:TagResource",
                    format!("arn:aws:logs:{region}:{account}:log-group:{group}"),
                )
            };
            sent["tags"].is_object().then(tags).into_iter().collect()
        }
        "cloudfront:CreateDistributionWithTags" => {
            let sent = Element::parse(&request.body);
            let sent = sent.as_ref().and_then(|sent| sent.at(&["Tags"])).map(pairs);
            let tags = need(
                "cloudfront:TagResource",
                format!("arn:aws:cloudfront::{account}:distribution/NEW"),
            );
            let tags = tags.with(prefixed("aws:RequestTag", sent.as_ref()));
            vec![need("cloudfront:CreateDistribution", "*"), tags]
        }
        "cloudfront:UpdateDistribution" => distribution("cloudfront:UpdateDistribution"),
        "cloudfront:DeleteDistribution" => distribution("cloudfront:DeleteDistribution"),
        "cloudfront:CreateInvalidation" => distribution("cloudfront:CreateInvalidation"),
        "cloudfront:GetInvalidation" => distribution("cloudfront:GetInvalidation"),
        "cloudfront:TagResource" => tagging("cloudfront:TagResource"),
        "cloudfront:UntagResource" => tagging("cloudfront:UntagResource"),
        "cloudfront:ListTagsForResource" => tagging("cloudfront:ListTagsForResource"),
        "cloudfront:GetOriginAccessControl" => {
            vec![need("cloudfront:GetOriginAccessControl", control())]
        }
        "cloudfront:UpdateOriginAccessControl" => {
            vec![need("cloudfront:UpdateOriginAccessControl", control())]
        }
        "cloudfront:DeleteOriginAccessControl" => {
            vec![need("cloudfront:DeleteOriginAccessControl", control())]
        }
        _ => Vec::new(),
    }
}

/// What an association takes that was not there before. What giving one up takes, no document says
/// (docs/aws.md, "rights to give up an association").
fn associations(world: &World, request: &Request) -> Vec<Need> {
    let Some(sent) = Element::parse(&request.body).filter(|_| request.service() == "cloudfront")
    else {
        return Vec::new();
    };
    let before: Vec<&str> =
        distribution::known(world, request).into_iter().flat_map(associated).collect();
    let new: Vec<&str> = associated(config(&sent)).filter(|arn| !before.contains(arn)).collect();
    let is_linked = world.caller.as_ref().is_none_or(|caller| caller.is_linked);
    let links = if new.is_empty() || is_linked { &[][..] } else { &LINKED[..] };
    let of_account = |path: &&str| {
        need(
            "iam:CreateServiceLinkedRole",
            format!("arn:aws:iam::{}:role/{path}", request.account()),
        )
    };
    let of_version = |arn: &&str| {
        ["lambda:GetFunction", "lambda:EnableReplication*", "lambda:DisableReplication*"]
            .map(|action| need(action, *arn))
    };
    new.iter().flat_map(of_version).chain(links.iter().map(of_account)).collect()
}

const LINKED: [&str; 2] = [
    "aws-service-role/replicator.lambda.amazonaws.com/AWSServiceRoleForLambdaReplicator",
    "aws-service-role/logger.cloudfront.amazonaws.com/AWSServiceRoleForCloudFrontLogger",
];

fn config(sent: &Element) -> &Element {
    sent.at(&["DistributionConfig"]).unwrap_or(sent)
}

/// S3 judges each object by itself, and says so in an answer that is a success.
fn partial(caller: &Caller, request: &Request) -> Option<Reply> {
    let sent = Element::parse(&request.body)?;
    let refused = |object: &&Element| {
        let arn = format!("{}/{}", bucket(request), object.text_at(&["Key"]));
        let version =
            object.at(&["VersionId"]).map(|_| need("s3:DeleteObjectVersion", arn.clone()));
        ![need("s3:DeleteObject", arn)]
            .into_iter()
            .chain(version)
            .all(|need| allows(&caller.policy, &need))
    };
    let keys = sent
        .children
        .iter()
        .filter(|child| child.name == "Object")
        .filter(refused)
        .map(|object| object.text_at(&["Key"]));
    let errors = keys.fold(String::new(), |errors, key| {
        errors
            + "<Error><Key>"
            + key
            + "</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    });
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult>{errors}</DeleteResult>"
    );
    (!errors.is_empty()).then(|| Reply::new(200, "application/xml", answer))
}

fn denied(request: &Request, need: &Need) -> Reply {
    let message = if request.service() == "s3" {
        "Access Denied".to_owned()
    } else {
        text(&request.account(), need)
    };
    match request.service() {
        "logs" => error(request, 400, "AccessDeniedException", &message),
        "lambda" => error(request, 403, "AccessDeniedException", &message),
        _ => error(request, 403, "AccessDenied", &message),
    }
}

fn text(account: &str, need: &Need) -> String {
    let Need { action, resource, .. } = need;
    if *action == "logs:TagResource" {
        return format!(
            "User with accountId: {account} is not authorized to perform CreateLogGroup with Tags. \
                An additional permission \
             \"{action}\" is required."
        );
    }
    format!(
        "User: arn:aws:iam::{account}:user/operator is not authorized to perform: {action} on \
            resource: {resource} because no \
         identity-based policy allows the {action} action"
    )
}

fn bucket(request: &Request) -> String {
    format!("arn:aws:s3:::{}", request.segments().first().map_or("", String::as_str))
}
