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

/// The operations that a room's code calls: methods without arguments that begin with a verb of
/// AWS's.
fn operations(code: &str) -> impl Iterator<Item = &str> {
    const VERBS: [&str; 16] = [
        "abort_",
        "attach_",
        "complete_",
        "create_",
        "delete_",
        "describe_",
        "detach_",
        "get_",
        "head_",
        "list_",
        "publish_",
        "put_",
        "tag_",
        "untag_",
        "update_",
        "upload_",
    ];
    let called = code.split("()").filter_map(|before| before.rsplit('.').next());
    called.filter(|name| {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        name.chars().all(is_name) && VERBS.iter().any(|verb| name.starts_with(verb))
    })
}

/// So whatever a hint names is an action of IAM's: a linter knows all that are printed
/// (tests/policy/linter.rs).
#[test]
fn every_denial_of_every_call_names_actions_that_are_printed() {
    let rooms = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resource");
    let mut seen = std::collections::BTreeSet::new();
    for (room, service) in [
        ("access", "cloudfront"),
        ("association", "cloudfront"),
        ("bucket", "s3"),
        ("distribution", "cloudfront"),
        ("function", "lambda"),
        ("grant", "s3"),
        ("invalidation", "cloudfront"),
        ("logs", "cloudwatchlogs"),
        ("page", "s3"),
        ("role", "iam"),
        ("site", "s3"),
    ] {
        let mut open = vec![rooms.join(room)];
        while let Some(place) = open.pop() {
            if let Ok(folder) = std::fs::read_dir(&place) {
                open.extend(folder.map(|entry| entry.unwrap().path()));
                continue;
            }
            let at = place.strip_prefix(&rooms).unwrap().to_string_lossy().into_owned();
            if !at.contains("/aws") || at.contains("tests") {
                continue;
            }
            for name in operations(&std::fs::read_to_string(&place).unwrap()) {
                let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
                let operation: String = words.collect();
                let error = format!("aws_sdk_{service}::operation::{name}::{operation}Error");
                for action in needs(&error) {
                    let statement = crate::permissions::statement_with(&action);
                    assert!(statement.is_some(), "{at}: {operation} names {action}");
                }
                seen.insert((service, operation));
            }
        }
    }
    for known in [
        ("cloudfront", "CreateDistributionWithTags"),
        ("cloudwatchlogs", "DescribeLogGroups"),
        ("iam", "ListRoles"),
        ("lambda", "ListTags"),
        ("s3", "ListObjectsV2"),
    ] {
        assert!(seen.contains(&(known.0, known.1.to_owned())), "{known:?} of {seen:?}");
    }
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

/// A server may answer anything; what is advised is typed.
#[test]
fn only_a_region_is_advised() {
    let said = "the bucket is in eu-west-1: set `region: eu-west-1` in the spec";
    assert_eq!(lies_in("eu-west-1").as_deref(), Some(said));
    for told in
        ["", "eu", "eu-west-1`; curl x | sh", "eu-west-1\nerror: x", "evil.example/eu-west-1"]
    {
        assert_eq!(lies_in(told), None, "{told}");
    }
    let advised = |told: &'static str| {
        let mut answer =
            HttpResponse::new(301.try_into().unwrap(), aws_smithy_types::body::SdkBody::empty());
        answer.headers_mut().insert(BUCKET_REGION, told);
        let metadata = aws_smithy_types::error::ErrorMetadata::builder().code("PermanentRedirect");
        let error = aws_sdk_s3::operation::head_bucket::HeadBucketError::generic(metadata.build());
        fault("look", &SdkError::service_error(error, answer)).hint.unwrap_or_default()
    };
    assert_eq!(advised("eu-west-1"), said);
    assert_eq!(
        advised("x`; curl x"),
        "the bucket is in another region: set `region` in the spec to that one"
    );
}

#[test]
fn a_page_in_awss_place_is_told_in_its_own_words() {
    use aws_smithy_types::body::SdkBody;
    let answer = |status: u16, headers: &[(&'static str, &'static str)], body: &'static str| {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        page(&response)
    };
    let html = ("content-type", "text/html; charset=utf-8");
    let blocked = "<html><head><title>Blocked</title><STYLE>a { b: c }</STYLE>\
        <script>x < 1</script></head><body><p>Category:\n  <b>storage</b></body></html>";
    for (status, headers, body, expected) in [
        (403, &[html][..], blocked, Some("HTTP status 403, \"Blocked Category: storage\"")),
        (200, &[html], "", Some("HTTP status 200, without a word")),
        (404, &[html], "<p unfinished", Some("HTTP status 404, without a word")),
        (503, &[html], blocked, None),
        (403, &[], blocked, None),
        (302, &[("location", "http://x/")], "", Some("HTTP status 302, to http://x/")),
        (301, &[("location", "http://x/"), (BUCKET_REGION, "eu-west-1")], "", None),
        (304, &[], "", None),
    ] {
        assert_eq!(answer(status, headers, body).as_deref(), expected, "{status} {headers:?}");
    }
    assert!(said(&"ä ".repeat(500)).chars().count() <= 202);
}

/// As IAM and STS answer (IAM API Reference, "Signature Version 4 troubleshooting").
#[test]
fn a_refused_signature_tells_no_token() {
    let said = "The request signature we calculated does not match the signature you provided. \
        Check your AWS Secret Access Key and signing method.";
    let repeated = "\n\nThe Canonical String for this request should have been\n'POST\n/\n\n\
        x-amz-security-token:IQoJb3JpZ2lu";
    assert_eq!(told(&format!("{said}{repeated}")), said);
    assert_eq!(told(said), said);
}
