//! What AWS was recorded answering, situation by situation. The ground has to answer the same, or
//! every other test here proves less than it says.
//!
//! Recorded by localstack's snapshot tests on AWS (`test_s3`, `test_s3_api`, `test_lambda_api`,
//! `test_iam`, `test_logs_groups`, 2023 to 2026), and by cdk-real-drift's corpus; what they do not
//! have comes from `docs/aws.md`.

use crate::support::{Ground, Rules};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use provision::resource::function::package::{Files, pack};
use std::io::{Read, Write};
use std::net::TcpStream;

/// One request and what comes back. In a request, `{etag}` and `{revision}` are those of the last
/// answer that had one.
struct Line {
    /// Method and path.
    asks: &'static str,
    header: &'static str,
    body: &'static str,
    status: u16,
    /// All of them are in the answer, headers included; one that begins with `!` is not.
    has: &'static [&'static str],
}

const fn line(
    asks: &'static str,
    header: &'static str,
    body: &'static str,
    status: u16,
    has: &'static [&'static str],
) -> Line {
    Line { asks, header, body, status, has }
}

/// A talk in one region with one service, which begins in an empty account.
struct Talk {
    about: &'static str,
    service: &'static str,
    region: &'static str,
    lines: &'static [Line],
}

const FAILED: &[&str] = &[
    "<Code>PreconditionFailed</Code>",
    "<Message>At least one of the pre-conditions you specified did not hold</Message>",
];
const NO_KEY: &[&str] =
    &["<Code>NoSuchKey</Code>", "<Message>The specified key does not exist.</Message>"];
const NO_BUCKET: &[&str] =
    &["<Code>NoSuchBucket</Code>", "<Message>The specified bucket does not exist</Message>"];
const NO_POLICY: &[&str] =
    &["<Code>NoSuchBucketPolicy</Code>", "<Message>The bucket policy does not exist</Message>"];
const NOT_YOURS: &[&str] = &["<Code>AccessDenied</Code>", "<Message>Access Denied</Message>"];
const IRELAND: &str = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
const VERSIONED: &str = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Status>Enabled</Status></VersioningConfiguration>";
const TAGGED: &str =
    "<Tagging><TagSet><Tag><Key>team</Key><Value>web</Value></Tag></TagSet></Tagging>";
const SYSTEM_TAG: &str =
    "<Tagging><TagSet><Tag><Key>aws:x</Key><Value>y</Value></Tag></TagSet></Tagging>";
const POLICY: &str = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\
    \"Principal\":\"*\",\"Action\":\"s3:DeleteBucket\",\"Resource\":\"arn:aws:s3:::shop\"}]}";
const PLAIN_DENIED: &str = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\
    \"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::shop/*\",\
    \"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}";
const IRELAND_TAGGED: &str = "<CreateBucketConfiguration \
    xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-west-1\
    </LocationConstraint><Tags><Tag><Key>born</Key><Value>with</Value></Tag></Tags>\
    </CreateBucketConfiguration>";
const OTHERS: &str = "x-amz-expected-bucket-owner: 999999999999";

const S3: &[Talk] = &[
    Talk {
        about: "a key is written, guarded and deleted",
        service: "s3",
        region: "us-east-1",
        lines: &[
            line("PUT /shop", "", "", 200, &["location: /shop"]),
            line("PUT /shop", "", "", 200, &[]),
            line(
                "PUT /shop/key",
                "if-none-match: *",
                "one",
                200,
                &["etag: \"f97c5d29941bfb1b2fdab0874906ab82\""],
            ),
            line("PUT /shop/key", "if-none-match: *", "two", 412, FAILED),
            line(
                "PUT /shop/key",
                "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==",
                "not empty",
                400,
                &["<Code>BadDigest</Code>", "The Content-MD5 you specified did not match"],
            ),
            line("PUT /shop/key", "if-match: \"0\"", "two", 412, FAILED),
            line("PUT /shop/none", "if-match: \"0\"", "two", 404, NO_KEY),
            line("GET /shop/key", "if-match: \"0\"", "", 412, FAILED),
            line("HEAD /shop/key", "if-match: \"0\"", "", 412, &["!<Code>"]),
            line("GET /shop/key", "if-none-match: {etag}", "", 304, &["!<Code>"]),
            line("HEAD /shop/key", "if-none-match: {etag}", "", 304, &["!<Code>"]),
            line(
                "HEAD /shop/key",
                "",
                "",
                200,
                &["x-amz-server-side-encryption: AES256", "accept-ranges: bytes"],
            ),
            line(
                "PUT /shop/key",
                "if-match: {etag}",
                "two",
                200,
                &["etag: \"b8a9f715dbb64fd5c56e7783c6820a61\""],
            ),
            line("DELETE /shop/key", "if-match: \"0\"", "", 412, FAILED),
            line("DELETE /shop/none", "if-match: \"0\"", "", 404, NO_KEY),
            line(
                "DELETE /shop",
                "",
                "",
                409,
                &[
                    "<Code>BucketNotEmpty</Code>",
                    "<Message>The bucket you tried to delete is not empty",
                ],
            ),
            line("DELETE /shop/key", "if-match: {etag}", "", 204, &[]),
            line("DELETE /shop/key", "", "", 204, &[]),
            line("GET /shop/key", "", "", 404, NO_KEY),
            line("HEAD /shop/key", "", "", 404, &["!<Code>"]),
            line("DELETE /shop", "", "", 204, &[]),
            line("GET /shop/key", "", "", 404, NO_BUCKET),
            line("HEAD /shop", "", "", 404, &["!<Code>"]),
            line("DELETE /shop", "", "", 404, NO_BUCKET),
        ],
    },
    Talk {
        about: "a bucket's policy comes and goes, and is its owner's",
        service: "s3",
        region: "us-east-1",
        lines: &[
            line("GET /shop?policy", "", "", 404, NO_BUCKET),
            line("PUT /shop", "", "", 200, &[]),
            line("GET /shop?policy", "", "", 404, NO_POLICY),
            line("GET /shop?policy", OTHERS, "", 403, NOT_YOURS),
            line("PUT /shop?policy", OTHERS, POLICY, 403, NOT_YOURS),
            line(
                "PUT /shop?policy",
                "",
                "",
                400,
                &[
                    "<Code>MalformedPolicy</Code>",
                    "Policies must be valid JSON and the first byte must be '{'",
                ],
            ),
            line("PUT /shop?policy", "", POLICY, 204, &[]),
            line("GET /shop?policy", "", "", 200, &["s3:DeleteBucket"]),
            line("PUT /shop?policy", "", PLAIN_DENIED, 204, &[]),
            line("PUT /shop/key", "", "with TLS", 200, &[]),
            line("DELETE /shop?policy", OTHERS, "", 403, NOT_YOURS),
            line("DELETE /shop?policy", "", "", 204, &[]),
            line("GET /shop?policy", "", "", 404, NO_POLICY),
        ],
    },
    Talk {
        about: "what a new bucket has, and what it is without",
        service: "s3",
        region: "eu-west-1",
        lines: &[
            line("PUT /shop", "", IRELAND, 200, &[]),
            line(
                "PUT /shop",
                "",
                IRELAND,
                409,
                &[
                    "<Code>BucketAlreadyOwnedByYou</Code>",
                    "Your previous request to create the named bucket succeeded",
                ],
            ),
            line("HEAD /shop", "", "", 200, &["x-amz-bucket-region: eu-west-1"]),
            line(
                "GET /shop?tagging",
                "",
                "",
                404,
                &["<Code>NoSuchTagSet</Code>", "<Message>The TagSet does not exist</Message>"],
            ),
            line(
                "PUT /shop?tagging",
                "",
                SYSTEM_TAG,
                400,
                &["<Code>InvalidTag</Code>", "System tags cannot be added/updated by requester"],
            ),
            line("PUT /shop?tagging", "", TAGGED, 204, &[]),
            line("GET /shop?tagging", "", "", 200, &["<Key>team</Key>"]),
            line("GET /shop?publicAccessBlock", "", "", 200, &["<RestrictPublicBuckets>true<"]),
            line("DELETE /shop?publicAccessBlock", "", "", 204, &[]),
            line(
                "GET /shop?publicAccessBlock",
                "",
                "",
                404,
                &[
                    "<Code>NoSuchPublicAccessBlockConfiguration</Code>",
                    "The public access block configuration was not found",
                ],
            ),
            line("GET /shop?ownershipControls", "", "", 200, &["BucketOwnerEnforced"]),
            line("DELETE /shop?ownershipControls", "", "", 204, &[]),
            line(
                "GET /shop?ownershipControls",
                "",
                "",
                404,
                &[
                    "<Code>OwnershipControlsNotFoundError</Code>",
                    "The bucket ownership controls were not found",
                ],
            ),
            line(
                "GET /shop?encryption",
                "",
                "",
                200,
                &[
                    "<SSEAlgorithm>AES256</SSEAlgorithm>",
                    "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>",
                    "<BucketKeyEnabled>false</BucketKeyEnabled>",
                ],
            ),
            line("GET /shop?abac", "", "", 200, &["<Status>Disabled</Status>"]),
            line(
                "GET /shop?versioning",
                "",
                "",
                200,
                &["<VersioningConfiguration xmlns", "!<Status>"],
            ),
            line("PUT /shop?versioning", "", VERSIONED, 200, &[]),
            line("GET /shop?versioning", "", "", 200, &["<Status>Enabled</Status>"]),
            line("PUT /shop/key", "", "one", 200, &["x-amz-version-id: "]),
            line("DELETE /shop/key", "", "", 204, &["x-amz-delete-marker: true"]),
            line(
                "DELETE /shop",
                "",
                "",
                409,
                &["<Code>BucketNotEmpty</Code>", "You must delete all versions in the bucket."],
            ),
            line("GET /shop?versions", "", "", 200, &["<DeleteMarker>", "<Version>"]),
            line("PUT /tagged", "", IRELAND_TAGGED, 200, &[]),
            line("GET /tagged?tagging", "", "", 200, &["<Key>born</Key>", "<Value>with</Value>"]),
            line(
                "GET /?max-buckets=9",
                "",
                "",
                200,
                &["<Name>tagged</Name>", "<BucketRegion>eu-west-1</BucketRegion>"],
            ),
            line("GET /", "", "", 200, &["<Name>tagged</Name>", "!BucketRegion"]),
        ],
    },
];

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22\
    Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A\
    %22sts%3AAssumeRole%22%7D%5D%7D";

const ALLOWED: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22\
    Allow%22%2C%22Action%22%3A%22s3%3AGetObject%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";

const NO_ROLE: &[&str] =
    &["<Code>NoSuchEntity</Code>", "<Message>The role with name edge cannot be found.</Message>"];

const IAM: &[Talk] = &[Talk {
    about: "a role is made, held by its policies, and ends",
    service: "iam",
    region: "us-east-1",
    lines: &[
        line("POST /", "", "Action=GetRole&RoleName=edge", 404, NO_ROLE),
        line(
            "POST /",
            "",
            "Action=CreateRole&RoleName=edge&AssumeRolePolicyDocument=%7B",
            400,
            &["<Code>MalformedPolicyDocument</Code>", "This policy contains invalid Json"],
        ),
        line(
            "POST /",
            "",
            "Action=CreateRole&RoleName=edge&AssumeRolePolicyDocument={trust}{tag}",
            200,
            &["<Key>a</Key>", "%7B%22Version%22", "!<MaxSessionDuration>", "!<RoleLastUsed"],
        ),
        line(
            "POST /",
            "",
            "Action=CreateRole&RoleName=edge&AssumeRolePolicyDocument={trust}",
            409,
            &[
                "<Code>EntityAlreadyExists</Code>",
                "<Message>Role with name edge already exists.</Message>",
            ],
        ),
        line(
            "POST /",
            "",
            "Action=GetRole&RoleName=edge",
            200,
            &[
                "<MaxSessionDuration>3600</MaxSessionDuration>",
                "<RoleLastUsed",
                "<Key>a</Key>",
                "!<Description>",
            ],
        ),
        line(
            "POST /",
            "",
            "Action=ListRoles",
            200,
            &["<MaxSessionDuration>3600</MaxSessionDuration>", "!<RoleLastUsed", "!<Key>"],
        ),
        line("POST /", "", "Action=AttachRolePolicy&RoleName=edge&PolicyArn={attached}", 200, &[]),
        line(
            "POST /",
            "",
            "Action=GetRolePolicy&RoleName=edge&PolicyName=p",
            404,
            &["<Code>NoSuchEntity</Code>", "The role policy with name p cannot be found."],
        ),
        line(
            "POST /",
            "",
            "Action=PutRolePolicy&RoleName=edge&PolicyName=p&PolicyDocument={policy}",
            200,
            &[],
        ),
        line(
            "POST /",
            "",
            "Action=DeleteRole&RoleName=edge",
            409,
            &[
                "<Code>DeleteConflict</Code>",
                "<Message>Cannot delete entity, must detach all policies first.</Message>",
            ],
        ),
        line("POST /", "", "Action=DetachRolePolicy&RoleName=edge&PolicyArn={attached}", 200, &[]),
        line(
            "POST /",
            "",
            "Action=DetachRolePolicy&RoleName=edge&PolicyArn={attached}",
            404,
            &["<Code>NoSuchEntity</Code>"],
        ),
        line(
            "POST /",
            "",
            "Action=DeleteRole&RoleName=edge",
            409,
            &[
                "<Code>DeleteConflict</Code>",
                "<Message>Cannot delete entity, must delete policies first.</Message>",
            ],
        ),
        line("POST /", "", "Action=DeleteRolePolicy&RoleName=edge&PolicyName=p", 200, &[]),
        line(
            "POST /",
            "",
            "Action=DeleteRolePolicy&RoleName=edge&PolicyName=p",
            404,
            &["<Code>NoSuchEntity</Code>"],
        ),
        line("POST /", "", "Action=DeleteRole&RoleName=edge", 200, &[]),
        line("POST /", "", "Action=DeleteRole&RoleName=edge", 404, NO_ROLE),
        line(
            "POST /",
            "",
            "Action=PutRolePolicy&RoleName=edge&PolicyName=p&PolicyDocument={policy}",
            404,
            NO_ROLE,
        ),
    ],
}];

const NO_GROUP: &[&str] = &["ResourceNotFoundException", "The specified log group does not exist."];

const LOGS: &[Talk] = &[Talk {
    about: "a log group is made once, keeps for a time, and ends once",
    service: "logs",
    region: "eu-west-1",
    lines: &[
        line(
            "POST /",
            "x-amz-target: Logs_20140328.PutRetentionPolicy",
            "{\"logGroupName\":\"g\",\"retentionInDays\":30}",
            400,
            NO_GROUP,
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.DeleteLogGroup",
            "{\"logGroupName\":\"g\"}",
            400,
            NO_GROUP,
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.CreateLogGroup",
            "{\"logGroupName\":\"g\",\"tags\":{\"env\":\"testing\"}}",
            200,
            &[],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.CreateLogGroup",
            "{\"logGroupName\":\"g\"}",
            400,
            &["ResourceAlreadyExistsException", "The specified log group already exists"],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.DescribeLogGroups",
            "{\"logGroupNamePrefix\":\"g\"}",
            200,
            &[
                "log-group:g:*\"",
                "log-group:g\"",
                "\"logGroupClass\":\"STANDARD\"",
                "\"bearerTokenAuthenticationEnabled\":false",
                "\"deletionProtectionEnabled\":false",
                "\"metricFilterCount\":0",
                "\"storedBytes\":0",
                "!retentionInDays",
            ],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.PutRetentionPolicy",
            "{\"logGroupName\":\"g\",\"retentionInDays\":30}",
            200,
            &[],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.DescribeLogGroups",
            "{\"logGroupNamePrefix\":\"g\"}",
            200,
            &["\"retentionInDays\":30"],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.ListTagsForResource",
            "{\"resourceArn\":\"arn:aws:logs:eu-west-1:000000000000:log-group:g\"}",
            200,
            &["\"env\":\"testing\""],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.DeleteLogGroup",
            "{\"logGroupName\":\"g\"}",
            200,
            &[],
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.ListTagsForResource",
            "{\"resourceArn\":\"arn:aws:logs:eu-west-1:000000000000:log-group:g\"}",
            400,
            NO_GROUP,
        ),
        line(
            "POST /",
            "x-amz-target: Logs_20140328.DescribeLogGroups",
            "{\"logGroupNamePrefix\":\"g\"}",
            200,
            &["\"logGroups\":[]"],
        ),
    ],
}];

const NO_FUNCTION: &[&str] = &[
    "x-amzn-errortype: ResourceNotFoundException",
    "Function not found: arn:aws:lambda:us-east-1:000000000000:function:edge",
    "\"Type\":\"User\"",
];

const LAMBDA: &[Talk] = &[Talk {
    about: "a function is made, guarded, published and deleted",
    service: "lambda",
    region: "us-east-1",
    lines: &[
        line("GET /2015-03-31/functions/edge", "", "", 404, NO_FUNCTION),
        line("DELETE /2015-03-31/functions/edge", "", "", 404, NO_FUNCTION),
        line(
            "POST /2015-03-31/functions",
            "",
            "{create}",
            201,
            &[
                "\"State\":\"Pending\"",
                "\"StateReasonCode\":\"Creating\"",
                "\"Version\":\"$LATEST\"",
                "\"Architectures\":[\"x86_64\"]",
                "\"EphemeralStorage\":{\"Size\":512}",
                "\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/edge\"}",
                "\"PackageType\":\"Zip\"",
                "\"SnapStart\":{\"ApplyOn\":\"None\",\"OptimizationStatus\":\"Off\"}",
                "\"TracingConfig\":{\"Mode\":\"PassThrough\"}",
                "RuntimeVersionArn",
                "!LastUpdateStatus",
            ],
        ),
        line(
            "POST /2015-03-31/functions",
            "",
            "{create}",
            409,
            &["x-amzn-errortype: ResourceConflictException", "Function already exist: edge"],
        ),
        line(
            "GET /2015-03-31/functions/edge",
            "",
            "",
            200,
            &[
                "\"State\":\"Active\"",
                "\"LastUpdateStatus\":\"Successful\"",
                "\"RepositoryType\":\"S3\"",
                "!StateReason",
            ],
        ),
        line(
            "POST /2015-03-31/functions/edge/versions",
            "",
            "{\"RevisionId\":\"0\"}",
            412,
            &[
                "x-amzn-errortype: PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id.",
            ],
        ),
        line(
            "POST /2015-03-31/functions/edge/versions",
            "",
            "{\"CodeSha256\":\"0\"}",
            400,
            &[
                "x-amzn-errortype: InvalidParameterValueException",
                "CodeSHA256 (0) is different from current CodeSHA256 in $LATEST (",
            ],
        ),
        line(
            "POST /2015-03-31/functions/edge/versions",
            "",
            "{\"RevisionId\":\"{revision}\"}",
            201,
            &["\"Version\":\"1\"", "function:edge:1\""],
        ),
        line(
            "POST /2015-03-31/functions/edge/versions",
            "",
            "{}",
            201,
            &["\"Version\":\"1\"", "function:edge:1\""],
        ),
        line(
            "GET /2015-03-31/functions/edge/versions",
            "",
            "",
            200,
            &[
                "\"Version\":\"$LATEST\"",
                "\"Version\":\"1\"",
                "!\"State\"",
                "!LastUpdateStatus",
                "!RuntimeVersionConfig",
            ],
        ),
        line(
            "PUT /2015-03-31/functions/edge/configuration",
            "",
            "{\"Description\":\"d\",\"RevisionId\":\"0\"}",
            412,
            &["PreconditionFailedException"],
        ),
        line(
            "PUT /2015-03-31/functions/edge/configuration",
            "",
            "{\"Description\":\"d\"}",
            200,
            &[
                "\"Description\":\"d\"",
                "\"LastUpdateStatus\":\"InProgress\"",
                "\"LastUpdateStatusReasonCode\":\"Creating\"",
            ],
        ),
        line(
            "GET /2015-03-31/functions/edge",
            "",
            "",
            200,
            &["\"LastUpdateStatus\":\"Successful\""],
        ),
        line(
            "PUT /2015-03-31/functions/edge/code",
            "",
            "{code}",
            200,
            &["\"Version\":\"2\"", "function:edge:2\"", "\"State\":\"Pending\""],
        ),
        line(
            "GET /2015-03-31/functions/edge?Qualifier=2",
            "",
            "",
            200,
            &["function:edge:2\"", "\"Version\":\"2\""],
        ),
        line(
            "GET /2015-03-31/functions/edge?Qualifier=10",
            "",
            "",
            404,
            &[
                "ResourceNotFoundException",
                "Function not found: arn:aws:lambda:us-east-1:000000000000:function:edge:10",
            ],
        ),
        line(
            "DELETE /2015-03-31/functions/edge?Qualifier=%24LATEST",
            "",
            "",
            400,
            &[
                "InvalidParameterValueException",
                "$LATEST version cannot be deleted without deleting the function.",
            ],
        ),
        line("DELETE /2015-03-31/functions/edge?Qualifier=1", "", "", 204, &[]),
        line(
            "GET /2015-03-31/functions/edge/versions",
            "",
            "",
            200,
            &["!\"Version\":\"1\"", "\"Version\":\"2\""],
        ),
        line(
            "PUT /2015-03-31/functions/edge/configuration",
            "",
            "{\"Description\":\"e\"}",
            200,
            &["\"RevisionId\":"],
        ),
        line(
            "POST /2015-03-31/functions/edge/versions",
            "",
            "{}",
            201,
            &["\"Version\":\"3\"", "function:edge:3\""],
        ),
        line("DELETE /2015-03-31/functions/edge", "", "", 204, &[]),
        line("GET /2015-03-31/functions/edge", "", "", 404, NO_FUNCTION),
        line(
            "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aedge",
            "",
            "{\"Tags\":{\"a\":\"b\"}}",
            404,
            NO_FUNCTION,
        ),
    ],
}];

fn package(text: &str) -> String {
    let files = Files::from([("edge.py".to_owned(), text.as_bytes().to_vec())]);
    STANDARD.encode(&pack(&files).unwrap().bytes)
}

/// One account, and what was last said in it.
struct Account {
    ground: Ground,
    etag: String,
    revision: String,
}

impl Account {
    fn new() -> Self {
        let ground = Ground::start();
        ground.rules(|rules| *rules = Rules::prompt());
        Self { ground, etag: String::new(), revision: String::new() }
    }

    /// The request with what it stands for.
    fn filled(&self, text: &str) -> String {
        let create = format!(
            "{{\"FunctionName\":\"edge\",\"Runtime\":\"python3.13\",\"Handler\":\"edge.handler\",\
             \"Role\":\"arn:aws:iam::000000000000:role/edge\",\"Code\":{{\"ZipFile\":\"{}\"}}}}",
            package("# one\n")
        );
        let code = format!("{{\"ZipFile\":\"{}\",\"Publish\":true}}", package("# two\n"));
        [
            ("{etag}", self.etag.as_str()),
            ("{revision}", self.revision.as_str()),
            ("{trust}", TRUST),
            ("{policy}", ALLOWED),
            ("{tag}", "&Tags.member.1.Key=a&Tags.member.1.Value=b"),
            ("{attached}", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("{create}", create.as_str()),
            ("{code}", code.as_str()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Status and everything else of the answer; names of headers in lower case.
    fn asks(&mut self, talk: &Talk, line: &Line) -> (u16, String) {
        let mut stream = TcpStream::connect(self.ground.proxy.address()).unwrap();
        let body = self.filled(line.body);
        let header = self.filled(line.header);
        let header = if header.is_empty() { header } else { format!("{header}\r\n") };
        let kind = match talk.service {
            "iam" => "application/x-www-form-urlencoded",
            "logs" => "application/x-amz-json-1.1",
            _ => "application/octet-stream",
        };
        let scope =
            format!("Credential=test/20260101/{}/{}/aws4_request", talk.region, talk.service);
        write!(
            stream,
            "{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, \
             Signature=0\r\n{header}\r\n{body}",
            line.asks,
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        if let Some(etag) = head.lines().find_map(|line| line.strip_prefix("etag: ")) {
            etag.clone_into(&mut self.etag);
        }
        let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let configuration = [&answer, &answer["Configuration"]];
        let revision = configuration.iter().find_map(|one| one["RevisionId"].as_str());
        if let Some(revision) = revision {
            revision.clone_into(&mut self.revision);
        }
        // JSON is compared as it is written without spaces.
        let body = if answer.is_null() { body.to_owned() } else { answer.to_string() };
        (status, format!("{head}\n{body}"))
    }

    /// What of the talk is not as it was recorded.
    fn holds(&mut self, talk: &Talk) -> Vec<String> {
        let mut wrong = Vec::new();
        for line in talk.lines {
            let (status, answer) = self.asks(talk, line);
            let lacks = line.has.iter().filter(|part| match part.strip_prefix('!') {
                Some(part) => answer.contains(part),
                None => !answer.contains(*part),
            });
            let lacks: Vec<_> = lacks.collect();
            if status != line.status || !lacks.is_empty() {
                let Line { asks, header, body, status: wanted, .. } = line;
                let about = talk.about;
                wrong.push(format!(
                    "{about}: {asks} {header} {body}: {wanted} recorded, {lacks:?} missing in \
                     {status}\n{answer}"
                ));
            }
        }
        wrong
    }
}

#[track_caller]
fn all_hold(talks: &[Talk], before: impl Fn(&mut Account)) {
    let mut wrong = Vec::new();
    for talk in talks {
        let mut account = Account::new();
        before(&mut account);
        wrong.extend(account.holds(talk));
    }
    assert!(wrong.is_empty(), "{} answers differ\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn s3_is_answered_for_as_it_was_recorded() {
    all_hold(S3, |_| ());
}

#[test]
fn iam_is_answered_for_as_it_was_recorded() {
    all_hold(IAM, |_| ());
}

#[test]
fn logs_are_answered_for_as_they_were_recorded() {
    all_hold(LOGS, |_| ());
}

#[test]
fn lambda_is_answered_for_as_it_was_recorded() {
    const MADE: Talk = Talk {
        about: "the role of the function",
        service: "iam",
        region: "us-east-1",
        lines: &[line(
            "POST /",
            "",
            "Action=CreateRole&RoleName=edge&AssumeRolePolicyDocument={trust}",
            200,
            &[],
        )],
    };
    all_hold(LAMBDA, |account| assert_eq!(account.holds(&MADE), Vec::<String>::new()));
}
