//! What AWS's codes and texts mean, as they were seen.

use super::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

/// Code, text (shortened), status, kind, a word of the cure. From the services' API models, and
/// from answers that localstack's snapshot tests recorded on AWS.
const ROWS: &[(Option<&str>, &str, u16, FaultKind, &str)] = &[
    (
        Some("InvalidParameterValueException"),
        "Lambda was unable to delete x because it is a replicated function.",
        400,
        Replicated,
        "",
    ),
    (
        Some("InvalidParameterValueException"),
        "The role defined for the function cannot be assumed by Lambda.",
        400,
        NotPropagated,
        "",
    ),
    (
        Some("InvalidParameterValueException"),
        "CodeSHA256 (a) is different from current CodeSHA256 in $LATEST (b). Please try again",
        400,
        MovedOn,
        "",
    ),
    (
        Some("InvalidParameterValueException"),
        "Unzipped size must be smaller than 262144000 bytes",
        400,
        Refused,
        "smaller",
    ),
    (
        Some("RequestEntityTooLargeException"),
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
        413,
        Refused,
        "smaller",
    ),
    (
        Some("InvalidParameterValueException"),
        "The runtime parameter of nodejs14.x is no longer supported for creating or updating \
                AWS Lambda functions.",
        400,
        Refused,
        "function.runtime",
    ),
    (
        Some("InvalidParameterValueException"),
        "Value x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set",
        400,
        Refused,
        "function.runtime",
    ),
    (
        Some("InvalidParameterValueException"),
        "Number of tags exceeds resource tag limit.",
        400,
        Refused,
        "",
    ),
    (
        Some("ResourceConflictException"),
        "The operation cannot be performed at this time. An update is in progress",
        409,
        Busy,
        "",
    ),
    (Some("ResourceConflictException"), "Function already exist: x", 409, AlreadyExists, ""),
    (
        Some("ResourceConflictException"),
        "FunctionUrlConfig exists for this Lambda function",
        409,
        Refused,
        "",
    ),
    (Some("ResourceNotFoundException"), "Function not found: arn", 404, NotFound, ""),
    (
        Some("ResourceNotFoundException"),
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        404,
        Refused,
        "",
    ),
    (
        Some("PreconditionFailedException"),
        "The Revision Id provided does not match the latest Revision Id.",
        412,
        MovedOn,
        "",
    ),
    (Some("TooManyRequestsException"), "Rate Exceeded.", 429, Throttled, ""),
    (Some("ValidationException"), "1 validation error detected", 400, Refused, ""),
    (
        Some("InvalidLambdaFunctionAssociation"),
        "Lambda@Edge cannot retrieve the specified Lambda function.",
        400,
        Denied,
        "",
    ),
    (
        Some("InvalidLambdaFunctionAssociation"),
        "The function must be in an Active state.",
        400,
        Busy,
        "",
    ),
    (
        Some("InvalidLambdaFunctionAssociation"),
        "The function cannot have environment variables.",
        400,
        Refused,
        "",
    ),
    (
        Some("PreconditionFailed"),
        "You can't delete this distribution while it's subscribed to a pricing plan.",
        412,
        InUse,
        "pricing plan",
    ),
    (
        Some("PreconditionFailed"),
        "The precondition given in one or more of the request-header fields evaluated to \
                false.",
        412,
        MovedOn,
        "",
    ),
    (
        Some("PreconditionFailed"),
        "At least one of the pre-conditions you specified did not hold",
        412,
        MovedOn,
        "",
    ),
    (Some("PreconditionFailed"), "Something that nobody has seen.", 412, Refused, ""),
    (
        Some("AccessDenied"),
        "Your account must be verified before you can add new CloudFront resources.",
        403,
        Refused,
        "support",
    ),
    (
        Some("AccessDenied"),
        "Access Denied because object protected by object lock.",
        403,
        Refused,
        "lock",
    ),
    (Some("AccessDenied"), "Access Denied", 403, Denied, ""),
    (
        Some("InvalidObjectState"),
        "The operation is not valid for the object's storage class",
        403,
        Refused,
        "restore",
    ),
    (Some("InvalidWebACLId"), "", 400, Refused, "web ACL"),
    (
        Some("InvalidArgument"),
        "The S3 bucket that you specified for CloudFront logs does not enable ACL access: \
                logs.s3.us-east-1.amazonaws.com",
        400,
        Refused,
        "object ownership",
    ),
    (
        Some("AccessDenied"),
        "You don't have permission to access the S3 bucket for CloudFront logs: \
                logs.s3.amazonaws.com If you're using IAM, you need s3:GetBucketAcl",
        403,
        Refused,
        "s3:PutBucketAcl",
    ),
    (Some("CNAMEAlreadyExists"), "", 409, Refused, "aliases"),
    (Some("TooManyDistributionsWithLambdaAssociations"), "", 400, Refused, "quota"),
    (Some("TooManyLambdaFunctionAssociations"), "", 400, Refused, "quota"),
    (Some("LimitExceeded"), "Cannot exceed quota for RolesPerAccount", 409, Refused, "quota"),
    (Some("IllegalUpdate"), "", 400, Refused, ""),
    (Some("InvalidArgument"), "", 400, Refused, ""),
    (Some("InvalidOriginAccessControl"), "", 400, NotFound, ""),
    (Some("NoSuchBucketPolicy"), "", 404, NotFound, ""),
    (Some("NoSuchTagSet"), "", 404, NotFound, ""),
    (Some("OwnershipControlsNotFoundError"), "", 404, NotFound, ""),
    (Some("ConditionalRequestConflict"), "", 409, Busy, "other writes of it"),
    (
        Some("AccessDenied"),
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: s3:PutBucketPolicy \
            on resource: \"arn:aws:s3:::b\" because public policies are prevented by the \
            BlockPublicPolicy setting in S3 Block Public Access.",
        403,
        Refused,
        "lets everybody in",
    ),
    (Some("OperationAborted"), "A conflicting conditional operation", 409, Busy, ""),
    (Some("OperationAbortedException"), "", 400, Busy, ""),
    (Some("KMS.NotFoundException"), "Invalid keyId", 400, Refused, "KMS key"),
    (Some("KMS.KMSInvalidStateException"), "is pending deletion", 400, Refused, "KMS key"),
    (Some("BadDigest"), "The Content-MD5 you specified did not match", 400, Refused, "damaged"),
    (
        Some("AccessDenied"),
        "User: u is not authorized to perform: kms:GenerateDataKey on resource: k because no \
                identity-based policy allows the kms:GenerateDataKey action",
        403,
        Denied,
        "no rights on keys",
    ),
    (
        Some("LimitExceeded"),
        "Maximum policy size of 10240 bytes exceeded for role shop-edge",
        409,
        Refused,
        "nobody can raise",
    ),
    (
        Some("ResourceInUse"),
        "You can't delete this distribution while it's subscribed to a pricing plan.",
        409,
        InUse,
        "Manage plan",
    ),
    (Some("ResourceInUse"), "", 409, InUse, ""),
    (Some("TemporaryRedirect"), "redirected to the bucket while DNS updates", 307, Busy, "new"),
    (None, "Temporary Redirect", 307, Busy, "new"),
    (Some("PermanentRedirect"), "", 301, Elsewhere, ""),
    (
        Some("AuthorizationHeaderMalformed"),
        "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
        400,
        Elsewhere,
        "",
    ),
    (Some("IllegalLocationConstraintException"), "", 400, Elsewhere, ""),
    (None, "Moved Permanently", 301, Elsewhere, ""),
    (Some("BucketAlreadyExists"), "", 409, Refused, "another account"),
    (Some("Throttling"), "Rate exceeded", 400, Throttled, ""),
    (Some("ExpiredTokenException"), "", 403, Credentials, ""),
    (
        Some("SignatureDoesNotMatch"),
        "Signature expired: 20261122T120000Z is now earlier than 20261122T121000Z",
        403,
        Credentials,
        "clock",
    ),
    (
        Some("InvalidSignatureException"),
        "Signature not yet current: 1 is still later than 2",
        403,
        Credentials,
        "clock",
    ),
    (Some("RequestTimeTooSkewed"), "", 403, Credentials, "clock"),
    (Some("SignatureDoesNotMatch"), "The request signature we", 403, Credentials, "secret key"),
    (Some("OptInRequired"), "", 403, Credentials, "signed up"),
    (Some("InvalidToken"), "", 400, Credentials, "access key"),
    (Some("MissingAuthenticationToken"), "", 403, Credentials, "access key"),
    (Some("InternalError"), "We encountered an internal error.", 500, Failing, "itself"),
    (Some("ServiceUnavailable"), "", 503, Failing, "itself"),
    (None, "", 502, Failing, "itself"),
    (Some("NotImplemented"), "", 501, Refused, ""),
    (None, "Not Found", 404, NotFound, ""),
    (None, "Forbidden", 403, Denied, ""),
    (None, "Precondition Failed", 412, MovedOn, ""),
    (None, "Bad Request", 400, Refused, ""),
];

#[test]
fn each_answer_means_what_it_says() {
    for (code, text, status, kind, cure) in ROWS {
        let meaning = meaning(*code, text, Some(*status));
        assert_eq!(meaning.kind, *kind, "{code:?} {text}");
        assert_eq!(meaning.cure.is_some(), !cure.is_empty(), "{code:?} {text}: {meaning:?}");
        assert!(meaning.cure.unwrap_or_default().contains(cure), "{code:?} {text}: {meaning:?}");
    }
}

/// Tells what is said of each answer in `errors.jsonl` of a folder of recordings (a JSON object a
/// line: `service`, `code`, `status`, `text`): `PROVISION_RECORDED=DIR cargo test --lib
/// every_recorded -- --ignored --nocapture`.
#[test]
#[ignore = "needs a folder of recordings, named by PROVISION_RECORDED"]
#[expect(clippy::disallowed_methods, reason = "the file is this test's own input")]
fn every_recorded_answer_is_told() {
    let file = Path::new(&env::var_os("PROVISION_RECORDED").unwrap()).join("errors.jsonl");
    let mut told = BTreeMap::<String, usize>::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| answer[name].as_str().unwrap_or_default();
        let code = Some(word("code")).filter(|code| code.parse::<u16>().is_err());
        let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let meaning = meaning(code, word("text"), status);
        let text: String = word("text").chars().take(70).collect();
        println!(
            "{:13} {:12} {:36} {text} | {}",
            format!("{:?}", meaning.kind),
            word("service"),
            word("code"),
            meaning.cure.unwrap_or("-")
        );
        *told.entry(format!("{:?}", meaning.kind)).or_default() += 1;
        assert!(status != Some(404) || matches!(meaning.kind, NotFound | Refused), "{line}");
    }
    println!("{told:?}");
}
