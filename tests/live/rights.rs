//! Which rights AWS asks for: the same call by callers who may do a little more or less.

use super::bench::Bench;
use super::experiment::{Experiment, Observed, told, unsettled};
use super::refusal::{Refusal, refusal};
use aws_sdk_cloudfront::types::{DistributionConfigWithTags, Tag, Tags};
use aws_smithy_types::error::display::DisplayErrorContext;
use serde_json::{Value, json};

pub(crate) const ALL: &[Experiment] = &[
    Experiment {
        question: "tags in the right to tag a new distribution",
        part: "which condition lets CreateDistributionWithTags pass?",
        answers: EITHER,
        taken: &["aws:RequestTag", "aws:ResourceTag", "each alone"],
        tries: |bench| Box::pin(new_tags(bench)),
    },
    Experiment {
        question: "connection groups",
        part: "does a creation take cloudfront:CreateConnectionGroup?",
        answers: &["no", "yes"],
        taken: &["no"],
        tries: |bench| Box::pin(connection_group(bench)),
    },
    Experiment {
        question: "PassRole at an association",
        part: "is it asked for?",
        answers: &["no", "for edgelambda.amazonaws.com", "for lambda.amazonaws.com", "for others"],
        taken: &["no", "for edgelambda.amazonaws.com", "for lambda.amazonaws.com"],
        tries: |bench| Box::pin(pass_role(bench)),
    },
    Experiment {
        question: "rights to give up an association",
        part: "does it take lambda:DisableReplication*?",
        answers: &["no", "yes"],
        taken: &["no", "yes"],
        tries: |bench| Box::pin(give_up(bench)),
    },
    Experiment {
        question: "ARNs of log groups in policies",
        part: "which form lets PutRetentionPolicy pass?",
        answers: &["with `:*`", "without", "each", "neither"],
        taken: &["with `:*`", "without", "each"],
        tries: |bench| Box::pin(log_group(bench)),
    },
    Experiment {
        question: "ListBucket for one key",
        part: "what is a missing key, with a condition on s3:prefix?",
        answers: &["404", "403"],
        taken: &["404", "403"],
        tries: |bench| Box::pin(list_bucket(bench)),
    },
];

const EITHER: &[&str] = &["aws:RequestTag", "aws:ResourceTag", "each alone", "neither"];

/// A creation that makes nothing: it has the reference of ours, which CloudFront refuses, whatever
/// the content, once it has looked at the rights.
async fn create(bench: &Bench, policy: &Value) -> Refusal {
    let caller = bench.held_to_policy(policy).await;
    let mut config = bench.configuration().await;
    config.comment = "never made".into();
    let tag = Tag::builder().key("provision:stack").value(&bench.stack).build().unwrap();
    let config = DistributionConfigWithTags::builder()
        .distribution_config(config)
        .tags(Tags::builder().items(tag).build())
        .build();
    let create = caller.cloudfront.create_distribution_with_tags();
    let sent = create.distribution_config_with_tags(config).send().await;
    refusal(&sent).unwrap_or_else(|| panic!("CloudFront took a CallerReference twice: {sent:?}"))
}

/// What lets a creation pass but for the right to tag.
fn creation(tagging: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["cloudfront:CreateDistribution", "cloudfront:Get*",
            "cloudfront:List*", "lambda:GetFunction", "lambda:EnableReplication*",
            "lambda:DisableReplication*", "iam:CreateServiceLinkedRole", "iam:PassRole"],
            "Resource": "*"},
        tagging]})
}

async fn new_tags(bench: &Bench) -> Observed {
    bench.settle();
    let mut passes = Vec::new();
    for key in ["aws:RequestTag", "aws:ResourceTag"] {
        let key_of_tag = format!("{key}/provision:stack");
        let condition = json!({"StringEquals": {key_of_tag: bench.stack.as_str()}});
        let tagging = json!({"Effect": "Allow", "Action": ["cloudfront:TagResource"],
            "Resource": "*", "Condition": condition});
        let refusal = create(bench, &creation(&tagging)).await;
        passes.push((!refusal.is_denial(), format!("{key}: {refusal}")));
    }
    let said = format!("{}; {}", passes[0].1, passes[1].1);
    told(one_of(EITHER, (passes[0].0, passes[1].0)), said)
}

/// The first, the second, both or none of two.
fn one_of(answers: &[&'static str], which: (bool, bool)) -> &'static str {
    match which {
        (true, false) => answers[0],
        (false, true) => answers[1],
        (true, true) => answers[2],
        (false, false) => answers[3],
    }
}

async fn connection_group(bench: &Bench) -> Observed {
    bench.settle();
    let tagging = json!({"Effect": "Allow", "Action": ["cloudfront:TagResource"], "Resource": "*"});
    let refusal = create(bench, &creation(&tagging)).await;
    if !refusal.is_denial() {
        told("no", refusal.to_string())
    } else if refusal.to_string().contains("CreateConnectionGroup") {
        told("yes", refusal.to_string())
    } else {
        unsettled(refusal.to_string())
    }
}

/// What an association takes beside what an experiment is about.
const ASSOCIATES: (&[&str], &str) = (
    &[
        "cloudfront:GetDistribution",
        "cloudfront:UpdateDistribution",
        "iam:CreateServiceLinkedRole",
        "lambda:EnableReplication*",
        "lambda:GetFunction",
    ],
    "*",
);
const ENDS: (&[&str], &str) = (&["lambda:DisableReplication*"], "*");

async fn pass_role(bench: &Bench) -> Observed {
    bench.settle();
    let version = bench.associated().await;
    let mut said = Vec::new();
    let role = format!("arn:aws:iam::{}:role/{}-edge", bench.account, bench.stack);
    let tried = [
        ("no", None),
        ("for edgelambda.amazonaws.com", Some("edgelambda.amazonaws.com")),
        ("for lambda.amazonaws.com", Some("lambda.amazonaws.com")),
    ];
    for (answer, service) in tried {
        let refused = bench.associate(&bench.sdk, None).await;
        assert!(refused.is_none(), "the slot is not given up: {refused:?}");
        let actions = [ASSOCIATES.0, ENDS.0].concat();
        let mut policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        if let Some(service) = service {
            let condition = json!({"StringEquals": {"iam:PassedToService": service}});
            policy["Statement"].as_array_mut().unwrap().push(json!({"Effect": "Allow",
                "Action": ["iam:PassRole"], "Resource": role, "Condition": condition}));
        }
        let caller = bench.held_to_policy(&policy).await;
        match bench.associate(&caller, Some(&version)).await {
            None => return told(answer, format!("taken after: {said:?}")),
            Some(refusal) if refusal.is_denial() => said.push(refusal.to_string()),
            Some(refusal) => return unsettled(refusal.to_string()),
        }
    }
    told("for others", said.join("; "))
}

async fn give_up(bench: &Bench) -> Observed {
    bench.settle();
    let caller = bench.held_to(&[ASSOCIATES]).await;
    match bench.associate(&caller, None).await {
        None => told("no", "the slot was given up without it"),
        Some(refusal) if refusal.is_denial() => told("yes", refusal.to_string()),
        Some(refusal) => unsettled(refusal.to_string()),
    }
}

async fn log_group(bench: &Bench) -> Observed {
    let Bench { account, stack, sdk, .. } = bench;
    sdk.logs.create_log_group().log_group_name(stack).send().await.unwrap();
    let arn = format!("arn:aws:logs:us-east-1:{account}:log-group:{stack}");
    let mut passes = Vec::new();
    for arn in [format!("{arn}:*"), arn] {
        let caller = bench.held_to(&[(&["logs:PutRetentionPolicy"], &arn)]).await;
        let put = caller.logs.put_retention_policy().log_group_name(stack).retention_in_days(1);
        passes.push(refusal(&put.send().await));
    }
    let words = |pass: &Option<Refusal>| pass.as_ref().map_or("taken".into(), Refusal::to_string);
    let said = format!("with `:*`: {}; without: {}", words(&passes[0]), words(&passes[1]));
    let other = passes.iter().flatten().any(|refusal| !refusal.is_denial());
    let answers = &["with `:*`", "without", "each", "neither"];
    if other {
        return unsettled(said);
    }
    told(one_of(answers, (passes[0].is_none(), passes[1].is_none())), said)
}

async fn list_bucket(bench: &Bench) -> Observed {
    bench.settle();
    let (bucket, key) = (format!("{}-{}", bench.stack, bench.account), "nothing.html");
    let arn = format!("arn:aws:s3:::{bucket}");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": format!("{arn}/*")},
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": arn,
            "Condition": {"StringEquals": {"s3:prefix": key}}}]});
    let caller = bench.held_to_policy(&policy).await;
    let sent = caller.s3.head_object().bucket(bucket).key(key).send().await;
    let Err(error) = sent else { panic!("there is an object at {key}") };
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    match status {
        Some(404) => told("404", "HEAD answers 404"),
        Some(403) => told("403", "HEAD answers 403"),
        _ => unsettled(DisplayErrorContext(&error).to_string()),
    }
}
