//! What AWS takes and what it refuses.

use super::bench::Bench;
use super::experiment::{Experiment, Observed, told, unsettled};
use super::refusal::refusal;
use aws_sdk_cloudfront::types::{
    EventType, FunctionAssociation, FunctionAssociations, FunctionConfig, FunctionRuntime,
};
use aws_sdk_s3::types::{AbacStatus, BucketAbacStatus, Tag, Tagging};

pub(crate) const ALL: &[Experiment] = &[
    Experiment {
        question: "a large viewer function",
        part: "is a timeout of 30 s taken?",
        answers: TAKEN,
        taken: TAKEN,
        tries: |bench| Box::pin(async { large(bench, ", timeout: 30s") }),
    },
    Experiment {
        question: "a large viewer function",
        part: "are 256 MB of memory taken?",
        answers: TAKEN,
        taken: TAKEN,
        tries: |bench| Box::pin(async { large(bench, ", memory: 256") }),
    },
    Experiment {
        question: "a large viewer function",
        part: "is a package of 2 MB taken?",
        answers: TAKEN,
        taken: TAKEN,
        tries: |bench| Box::pin(async { package(bench) }),
    },
    Experiment {
        question: "two kinds on one event",
        part: "which code is it?",
        answers: &["InvalidLambdaFunctionAssociation", "InvalidFunctionAssociation", "another"],
        taken: &["InvalidLambdaFunctionAssociation", "InvalidFunctionAssociation", "another"],
        tries: |bench| Box::pin(two_kinds(bench)),
    },
    Experiment {
        question: "tags of edge functions",
        part: "does Lambda tag a function that the edge runs?",
        answers: &["yes", "no"],
        taken: &["yes"],
        tries: |bench| Box::pin(tags(bench)),
    },
    Experiment {
        question: "tagging a bucket with ABAC",
        part: "is PutBucketTagging refused?",
        answers: &["yes", "no"],
        taken: &["yes"],
        tries: |bench| Box::pin(abac(bench)),
    },
];

/// The defaults stay below the limits, and a refusal comes in CloudFront's own words.
const TAKEN: &[&str] = &["yes", "no"];

fn large(bench: &Bench, setting: &str) -> Observed {
    bench.settle();
    bench.write("provision.yaml", bench.spec(setting).as_bytes());
    taken(bench)
}

/// Does CloudFront take the version that the folder now makes?
fn taken(bench: &Bench) -> Observed {
    let ran = bench.run("apply --yes --wait none");
    match ran.code {
        Some(0 | 3) => told("yes", "CloudFront took the version"),
        Some(1) if ran.said.contains("LambdaFunctionAssociation") => told("no", ran.said),
        _ => unsettled(ran.said),
    }
}

fn package(bench: &Bench) -> Observed {
    // Nothing that could be packed more tightly.
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(2_000_000).collect();
    bench.settle();
    bench.write("probe/large.bin", &bytes);
    let observed = taken(bench);
    std::fs::remove_file(bench.folder.join("probe/large.bin")).unwrap();
    observed
}

async fn two_kinds(bench: &Bench) -> Observed {
    bench.settle();
    let (cloudfront, name) = (&bench.sdk.cloudfront, bench.second());
    let code = b"function handler(event) { return event.request; }".to_vec();
    let config = FunctionConfig::builder().comment("").runtime(FunctionRuntime::CloudfrontJs20);
    let create = cloudfront.create_function().name(&name).function_code(code.into());
    let made = create.function_config(config.build().unwrap()).send().await;
    if let Some(refusal) = refusal(&made) {
        return unsettled(format!("there is no CloudFront Function: {refusal}"));
    }
    let made = made.unwrap();
    let arn = made.function_summary.unwrap().function_metadata.unwrap().function_arn;
    let publish = cloudfront.publish_function().name(&name).set_if_match(made.e_tag);
    publish.send().await.unwrap();
    let second = FunctionAssociation::builder().function_arn(arn);
    let second = second.event_type(EventType::ViewerRequest).build().unwrap();
    let all = FunctionAssociations::builder().quantity(1).items(second).build().unwrap();
    let refused = bench.configure(&bench.sdk, |config| {
        config.default_cache_behavior.as_mut().unwrap().function_associations = Some(all);
    });
    let Some(refusal) = refused.await else { return unsettled("CloudFront took both") };
    let said = refusal.to_string();
    match refusal.code.as_str() {
        "InvalidLambdaFunctionAssociation" => told("InvalidLambdaFunctionAssociation", said),
        "InvalidFunctionAssociation" => told("InvalidFunctionAssociation", said),
        _ => told("another", said),
    }
}

async fn tags(bench: &Bench) -> Observed {
    bench.settle();
    let (lambda, Bench { account, stack, .. }) = (&bench.sdk.lambda, bench);
    let arn = format!("arn:aws:lambda:us-east-1:{account}:function:{stack}-edge");
    let sent = lambda.tag_resource().resource(&arn).tags("live", "1").send().await;
    if let Some(refusal) = refusal(&sent) {
        return told("no", refusal.to_string());
    }
    let tags = lambda.list_tags().resource(arn).send().await.unwrap().tags.unwrap_or_default();
    let mut keys: Vec<String> = tags.into_keys().collect();
    keys.sort();
    assert!(keys.contains(&"live".to_owned()), "{keys:?}");
    told("yes", format!("it carries {}", keys.join(", ")))
}

async fn abac(bench: &Bench) -> Observed {
    bench.settle();
    let (s3, bucket) = (&bench.sdk.s3, format!("{}-{}", bench.stack, bench.account));
    let switch = |status| {
        let abac = AbacStatus::builder().status(status).build();
        s3.put_bucket_abac().bucket(&bucket).abac_status(abac).send()
    };
    if let Some(refusal) = refusal(&switch(BucketAbacStatus::Enabled).await) {
        return unsettled(format!("there is no ABAC: {refusal}"));
    }
    let now = s3.get_bucket_tagging().bucket(&bucket).send().await.unwrap().tag_set;
    let more = Tag::builder().key("live").value("1").build().unwrap();
    let all = Tagging::builder().set_tag_set(Some(now)).tag_set(more).build().unwrap();
    let sent = s3.put_bucket_tagging().bucket(&bucket).tagging(all).send().await;
    switch(BucketAbacStatus::Disabled).await.unwrap();
    match refusal(&sent) {
        Some(refusal) => told("yes", refusal.to_string()),
        None => told("no", "S3 took the tags"),
    }
}
