//! AWS's codes and texts, as they were seen, mean what the table says.

use super::*;

#[test]
fn a_denial_tells_what_the_caller_lacks() {
    let who = "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ";
    let role = "arn:aws:iam::123456789012:role/shop-edge";
    let call = "aws_sdk_s3::operation::put_public_access_block::PutPublicAccessBlockError";
    for (text, lacks) in [
        (
            format!(
                "{who}iam:PassRole on resource: {role} because no identity-based policy \
                allows the iam:PassRole action"
            ),
            "iam:PassRole",
        ),
        (format!("{who}cloudfront:CreateDistribution"), "cloudfront:CreateDistribution"),
        (
            "Lambda@Edge cannot retrieve the specified Lambda function. Update the IAM policy \
                to add permission: lambda:GetFunction \
             for resource: arn:aws:lambda:us-east-1:123456789012:function:f:1 and try again."
                .to_owned(),
            "lambda:GetFunction",
        ),
        (
            "User with accountId: 123456789012 is not authorized to perform CreateLogGroup \
                with Tags. An additional permission \
             \"logs:TagResource\" is required."
                .to_owned(),
            "logs:TagResource",
        ),
        ("Access Denied".to_owned(), "s3:PutBucketPublicAccessBlock"),
        (
            "AWS answered with HTTP status 403 and no \
            text"
                .to_owned(),
            "s3:PutBucketPublicAccessBlock",
        ),
    ] {
        assert_eq!(lacking(FaultKind::Denied, &text, || needs(call)), [lacks], "{text}");
        assert!(
            hint(FaultKind::Denied, "x", &text)
                .is_some_and(|hint| hint.contains("provision policy")),
            "{text}"
        );
    }
    for text in [
        format!(
            "{who}iam:PassRole on resource: {role} with an explicit deny in a service control \
                policy"
        ),
        format!(
            "{who}iam:PassRole on resource: {role} because no permissions boundary allows the \
                iam:PassRole action"
        ),
    ] {
        assert_eq!(
            lacking(FaultKind::Denied, &text, || needs(call)),
            Vec::<String>::new(),
            "{text}"
        );
        assert!(
            hint(FaultKind::Denied, "x", &text).is_some_and(|hint| hint.contains("another one")),
            "{text}"
        );
    }
    assert_eq!(lacking(FaultKind::NotFound, "Access Denied", || needs(call)), Vec::<String>::new());
    let head = needs("aws_sdk_s3::operation::head_bucket::HeadBucketError");
    assert_eq!(
        (head, needs("aws_sdk_iam::operation::get_role::GetRoleError")),
        (vec!["s3:ListBucket".into()], vec!["iam:GetRole".into()])
    );
}

#[test]
fn a_refusal_inside_of_an_answer_is_a_fault_like_any_other() {
    let fault = in_answer(
        "delete a",
        Some("AccessDenied"),
        Some("Access Denied"),
        &["s3:DeleteObjectVersion"],
    );
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Denied, Some("AccessDenied")));
    assert_eq!(fault.lacks, ["s3:DeleteObjectVersion"]);
    assert_eq!(in_answer("delete a", Some("MalformedXML"), None, &[]).kind, FaultKind::Refused);
}
