//! What is an answer of AWS. A success that somebody else sends, or that is empty where it should
//! say something, would be taken for "it is done", or for "there is nothing".

use super::lost::writes;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Refuses a success that is no answer of AWS.
#[derive(Clone, Debug)]
pub(super) struct Answer;

#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("it is empty")]
    Empty,
    #[error("it has no request id, which every answer of AWS has")]
    Nameless,
}

/// Under which names AWS sends the id of a request (AWS API References, "Common response headers").
const IDS: [&str; 2] = ["x-amz-request-id", "x-amzn-requestid"];

#[dyn_dispatch_hint]
impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            return Ok(());
        }
        if IDS.iter().all(|name| response.headers().get(name).is_none()) {
            return Err(NoAnswer::Nameless.into());
        }
        let says = bag.load::<Metadata>().is_some_and(|call| says(call.service(), call.name()));
        let is_empty = response.body().bytes().is_some_and(<[u8]>::is_empty);
        if says && is_empty { Err(NoAnswer::Empty.into()) } else { Ok(()) }
    }
}

/// Does the answer to this operation always have a body (the services' API models)?
fn says(service: &str, operation: &str) -> bool {
    let is = |verbs: &[&str]| verbs.iter().any(|verb| operation.starts_with(verb));
    match service {
        "IAM" | "STS" => true,
        "CloudFront" | "Lambda" => !is(&["Delete", "Tag", "Untag"]),
        // An object may be empty.
        "S3" => {
            is(&["CompleteMultipartUpload", "CreateMultipartUpload", "DeleteObjects"])
                || !writes(operation) && operation != "GetObject" && !is(&["Head"])
        }
        _ => !writes(operation),
    }
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn what_reads_or_creates_is_told_something() {
        for (service, operation, expected) in [
            ("IAM", "DeleteRole", true),
            ("STS", "GetCallerIdentity", true),
            ("CloudFront", "CreateOriginAccessControl", true),
            ("CloudFront", "ListTagsForResource", true),
            ("CloudFront", "DeleteDistribution", false),
            ("CloudFront", "TagResource", false),
            ("Lambda", "PublishVersion", true),
            ("Lambda", "DeleteFunction", false),
            ("S3", "GetBucketPolicy", true),
            ("S3", "DeleteObjects", true),
            ("S3", "DeleteObject", false),
            ("S3", "GetObject", false),
            ("S3", "HeadBucket", false),
            ("S3", "PutObject", false),
            ("CloudWatch Logs", "DescribeLogGroups", true),
            ("CloudWatch Logs", "CreateLogGroup", false),
        ] {
            assert_eq!(says(service, operation), expected, "{service} {operation}");
        }
    }
}
