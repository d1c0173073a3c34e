//! The ground that the wire tests stand on keeps its own promises.
//!
//! Spoken to in plain HTTP, so that nothing of what is tested elsewhere is needed to test it.

#![expect(clippy::unwrap_used, reason = "an answer that is not there fails the test")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;

use support::proxy::ledger;
use support::{At, Fault, Ground, Moment, Rules};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The text between two tags, or behind a JSON name.
    fn value(&self, name: &str) -> &str {
        let (tag, json) = (format!("<{name}>"), format!("\"{name}\":"));
        let rest = self
            .body
            .split_once(&tag)
            .or_else(|| self.body.split_once(&json))
            .map_or("", |(_, rest)| rest);
        rest.trim_start_matches([' ', '"']).split(['<', '"', ',']).next().unwrap()
    }
}

/// Sends `METHOD /path` as a client of a service would. `None` if the connection ends without an
/// answer.
fn ask(ground: &Ground, service: &str, line: &str, headers: &str, body: &str) -> Option<Answer> {
    ask_as("test", ground, service, line, headers, body)
}

fn ask_as(
    key: &str,
    ground: &Ground,
    service: &str,
    line: &str,
    headers: &str,
    body: &str,
) -> Option<Answer> {
    let mut stream = TcpStream::connect(ground.proxy.address()).unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \
            {}\r\n{headers}Authorization: \
         AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, \
         Signature=0\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = Vec::new();
    // A reset takes the rest along; what came before it still counts.
    if let Err(error) = stream.read_to_end(&mut text) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

fn s3(ground: &Ground, line: &str) -> Option<u16> {
    ask(ground, "s3", line, "", "").map(|answer| answer.status)
}

fn iam(ground: &Ground, form: &str) -> Answer {
    ask(ground, "iam", "POST /", "Content-Type: application/x-www-form-urlencoded\r\n", form)
        .unwrap()
}

fn lambda(ground: &Ground, line: &str, body: &str) -> Answer {
    ask(ground, "lambda", line, "", body).unwrap()
}

fn logs(ground: &Ground, operation: &str, body: &str) -> Answer {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Logs_20140328.{operation}\r\n"
    );
    ask(ground, "logs", "POST /", &headers, body).unwrap()
}

fn cloudfront(ground: &Ground, line: &str, etag: &str, body: &str) -> Answer {
    ask(ground, "cloudfront", line, &format!("If-Match: {etag}\r\n"), body).unwrap()
}

const CREATE_ROLE: &str = "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=\
    {\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"lambda.amazonaws.com\",\
    \"edgelambda.amazonaws.com\"]},\"Action\":\"sts:AssumeRole\"}]}";

const CREATE_FUNCTION: &str = "{\"FunctionName\":\"f\",\"Runtime\":\"python3.13\",\"Handler\":\"index.handler\",\
    \"Role\":\"arn:aws:iam::000000000000:role/r\",\"Publish\":true,\
    \"Code\":{\"ZipFile\":\"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==\"}}";

const VERSION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:1";

fn distribution(reference: &str, arn: Option<&str>) -> String {
    let associations = arn.map_or(String::new(), |arn| {
        format!(
            "<LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>\
             {arn}</LambdaFunctionARN><EventType>viewer-request</EventType></LambdaFunctionAssociation></Items>\
             </LambdaFunctionAssociations>"
        )
    });
    format!(
        "<DistributionConfig \
            xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>{reference}\
         </CallerReference><Comment>a &amp; \
         b</Comment><Enabled>true</Enabled><Origins><Quantity>1</Quantity><Items>\
         <Origin><Id>o</Id><DomainName>b.s3.us-east-1.amazonaws.com</DomainName></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>https-only\
         </ViewerProtocolPolicy>{associations}</DefaultCacheBehavior></DistributionConfig>"
    )
}

const DISTRIBUTIONS: &str = "/2020-05-31/distribution";

#[test]
fn calls_that_overlap_are_one_round() {
    let ground = Ground::start();
    let held = ground.hold(At::Operation("s3:ListBuckets", 1), Moment::Before);
    thread::scope(|scope| {
        let slow = scope.spawn(|| s3(&ground, "GET /"));
        held.wait_reached();
        assert_eq!(s3(&ground, "PUT /bucket-1"), Some(200));
        held.release();
        assert_eq!(slow.join().unwrap(), Some(200));
    });
    assert_eq!(ground.rounds(), 1);
    assert_eq!(s3(&ground, "HEAD /bucket-1"), Some(200));
    assert_eq!(s3(&ground, "GET /bucket-1?list-type=2"), Some(200));
    assert_eq!(ground.rounds(), 3);
    let counts = ledger::counts(&ground.calls());
    let names: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        names,
        [
            ("s3:CreateBucket", 1),
            ("s3:HeadBucket", 1),
            ("s3:ListBuckets", 1),
            ("s3:ListObjectsV2", 1)
        ]
    );
}

#[test]
fn a_lost_reply_was_carried_out_and_a_reset_was_not() {
    let ground = Ground::start();
    ground.fault(At::Operation("s3:CreateBucket", 1), Fault::ReplyLost);
    ground.fault(At::Call(2), Fault::Reset);
    assert_eq!(s3(&ground, "PUT /lost-1"), None);
    assert_eq!(s3(&ground, "PUT /reset-1"), None);
    assert_eq!(s3(&ground, "HEAD /lost-1"), Some(200));
    assert_eq!(s3(&ground, "HEAD /reset-1"), Some(404));
    assert_eq!(
        ground.calls().iter().map(|call| call.status).collect::<Vec<_>>(),
        [None, None, Some(200), Some(404)]
    );
}

#[test]
fn a_held_call_is_on_one_side_or_the_other() {
    let ground = Ground::start();
    for (moment, bucket, status) in
        [(Moment::Before, "before-1", 404), (Moment::After, "after-1", 200)]
    {
        ground.clear_calls();
        let held = ground.hold(At::Call(1), moment);
        thread::scope(|scope| {
            let call = scope.spawn(|| s3(&ground, &format!("PUT /{bucket}")));
            assert!(held.wait_reached_unless(|| call.is_finished()));
            held.drop_connection();
            assert_eq!(call.join().unwrap(), None);
        });
        ground.wait_idle();
        assert_eq!(s3(&ground, &format!("HEAD /{bucket}")), Some(status));
    }
}

#[test]
fn a_held_call_that_never_comes_is_not_waited_for() {
    let ground = Ground::start();
    let held = ground.hold(At::Call(2), Moment::Before);
    assert_eq!(s3(&ground, "GET /"), Some(200));
    assert!(!held.wait_reached_unless(|| true));
}

#[test]
fn a_call_that_hangs_ends_with_its_client() {
    let ground = Ground::start();
    ground.fault(At::Call(1), Fault::Hang);
    let mut stream = TcpStream::connect(ground.proxy.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    while ground.calls().is_empty() {
        thread::yield_now();
    }
    ground.wait_idle();
    drop(stream);
    ground.proxy.wait_deserted();
    assert_eq!(ground.calls()[0].status, None);
}

#[test]
fn an_answer_can_break_off_and_the_plug_can_be_pulled() {
    let ground = Ground::start();
    ground.fault(At::Call(1), Fault::Truncated);
    let broken = ask(&ground, "s3", "GET /", "", "").unwrap();
    let announced: usize = broken.header("content-length").unwrap().parse().unwrap();
    assert!(broken.body.len() < announced);

    ground.fault(At::Call(2), Fault::Unplugged);
    assert_eq!(s3(&ground, "GET /"), None);
    // The listener goes a moment after the call; until then connections are reset.
    while TcpStream::connect(ground.proxy.address()).is_ok() {}
    ground.plug_in();
    assert_eq!(s3(&ground, "GET /"), Some(200));
}

#[test]
fn every_service_fails_in_its_own_words() {
    let ground = Ground::start();
    for operation in [
        "s3:ListBuckets",
        "iam:ListRoles",
        "lambda:ListFunctions",
        "cloudfront:ListDistributions",
        "logs:DescribeLogGroups",
    ] {
        ground.fault(At::Operation(operation, 1), Fault::Throttled);
        ground.fault(At::Operation(operation, 2), Fault::ExpiredCredentials);
        ground.fault(At::Operation(operation, 3), Fault::ClockSkew);
        ground.fault(At::Operation(operation, 4), Fault::Status(503));
    }
    let codes = |answer: &dyn Fn() -> Answer| -> Vec<String> {
        let answers = (0..5).map(|_| answer());
        let code = |answer: Answer| match answer.header("x-amzn-errortype") {
            Some(code) => format!("{} {code}", answer.status),
            None => format!("{} {}{}", answer.status, answer.value("Code"), answer.value("__type")),
        };
        answers.map(code).collect()
    };
    assert_eq!(
        codes(&|| ask(&ground, "s3", "GET /", "", "").unwrap()),
        [
            "503 SlowDown",
            "400 ExpiredToken",
            "403 RequestTimeTooSkewed",
            "503 ServiceUnavailable",
            "200 "
        ]
    );
    assert_eq!(
        codes(&|| iam(&ground, "Action=ListRoles&Version=2010-05-08")),
        [
            "400 Throttling",
            "403 ExpiredToken",
            "403 SignatureDoesNotMatch",
            "503 ServiceUnavailable",
            "200 "
        ]
    );
    assert_eq!(
        codes(&|| lambda(&ground, "GET /2015-03-31/functions", "")),
        [
            "429 TooManyRequestsException",
            "403 ExpiredTokenException",
            "403 InvalidSignatureException",
            "503 ServiceException",
            "200 "
        ]
    );
    assert_eq!(
        codes(&|| cloudfront(&ground, &format!("GET {DISTRIBUTIONS}"), "", "")),
        [
            "400 Throttling",
            "403 ExpiredToken",
            "403 SignatureDoesNotMatch",
            "503 ServiceUnavailable",
            "200 "
        ]
    );
    assert_eq!(
        codes(&|| logs(&ground, "DescribeLogGroups", "{}")),
        [
            "400 ThrottlingException",
            "400 ExpiredTokenException",
            "400 InvalidSignatureException",
            "503 ServiceUnavailableException",
            "200 "
        ]
    );
}

#[test]
fn a_log_group_is_protected_in_its_region_and_a_closed_region_knows_nobody() {
    let ground = Ground::start();
    assert_eq!(
        logs(
            &ground,
            "CreateLogGroup",
            "{\"logGroupName\":\"g\",\"deletionProtectionEnabled\":true}"
        )
        .status,
        200
    );
    assert!(
        logs(&ground, "DescribeLogGroups", "{}")
            .body
            .contains("\"deletionProtectionEnabled\":true")
    );
    assert_eq!(
        logs(&ground, "DeleteLogGroup", "{\"logGroupName\":\"g\"}").value("__type"),
        "ValidationException"
    );
    ground.rules(|rules| rules.closed_regions = &["us-east-1"]);
    assert_eq!(
        logs(&ground, "DescribeLogGroups", "{}").value("__type"),
        "UnrecognizedClientException"
    );
    ground.rules(|rules| rules.closed_regions = &["sa-east-1"]);
    assert_eq!(logs(&ground, "DescribeLogGroups", "{}").status, 200);
}

#[test]
fn a_distribution_takes_its_time_and_must_be_disabled() {
    let ground = Ground::start();
    ground.rules(|rules| {
        rules.deploy_polls = 2;
        rules.stale_polls = 1;
    });
    let create =
        || cloudfront(&ground, &format!("POST {DISTRIBUTIONS}"), "", &distribution("once", None));
    let created = create();
    assert_eq!((created.status, created.value("Status")), (201, "InProgress"));
    assert_eq!(create().value("Code"), "DistributionAlreadyExists");
    let path = format!("{DISTRIBUTIONS}/{}", created.value("Id"));
    let status = || cloudfront(&ground, &format!("GET {path}"), "", "").value("Status").to_owned();
    assert_eq!([status(), status(), status()], ["InProgress", "InProgress", "Deployed"]);

    let read = cloudfront(&ground, &format!("GET {path}/config"), "", "");
    assert_eq!((read.value("Comment"), read.value("HttpVersion")), ("a &amp; b", "http2"));
    let etag = read.header("etag").unwrap();
    let update =
        |etag: &str, body: &str| cloudfront(&ground, &format!("PUT {path}/config"), etag, body);
    assert_eq!(update(etag, &distribution("once", None)).value("Code"), "IllegalUpdate");
    assert_eq!(update("never-given", &read.body).value("Code"), "InvalidIfMatchVersion");
    let delete = |etag: &str| cloudfront(&ground, &format!("DELETE {path}"), etag, "");
    assert_eq!(delete(etag).value("Code"), "DistributionNotDisabled");
    let disabled = read.body.replacen(
        "<Comment>a &amp; b</Comment><Enabled>true",
        "<Comment></Comment><Enabled>false",
        1,
    );
    let changed = update(etag, &disabled);
    assert_eq!((changed.status, changed.value("Status")), (200, "InProgress"));
    assert_eq!(update(etag, &read.body).value("Code"), "PreconditionFailed");

    let stale = cloudfront(&ground, &format!("GET {path}"), "", "");
    assert_eq!((stale.value("Status"), stale.value("Comment")), ("Deployed", "a &amp; b"));
    let etag = changed.header("etag").unwrap();
    assert_eq!(delete(etag).value("Code"), "DistributionNotDisabled");
    assert_eq!([status(), status()], ["InProgress", "Deployed"]);
    assert_eq!(delete(etag).status, 204);
}

#[test]
fn a_function_waits_for_its_role_and_is_held_by_its_replicas() {
    let ground = Ground::start();
    assert_eq!(iam(&ground, CREATE_ROLE).status, 200);
    let create = || lambda(&ground, "POST /2015-03-31/functions", CREATE_FUNCTION);
    assert!(create().body.contains("cannot be assumed by Lambda"));
    let created = create();
    assert_eq!((created.value("FunctionArn"), created.value("State")), (VERSION, "Pending"));
    let publish = || lambda(&ground, "POST /2015-03-31/functions/f/versions", "{}");
    assert_eq!(publish().header("x-amzn-errortype"), Some("ResourceConflictException"));
    assert_eq!(publish().value("Version"), "1");

    let attach = |arn: &str| {
        cloudfront(&ground, &format!("POST {DISTRIBUTIONS}"), "", &distribution("one", Some(arn)))
    };
    for (arn, words) in [
        (VERSION.replace(":1", ""), "must reference a specific function version"),
        (VERSION.replace(":1", ":$LATEST"), "must reference a specific function version"),
        (VERSION.replace("us-east-1", "eu-west-1"), "must be in region"),
        (VERSION.replace(":1", ":7"), "cannot retrieve the specified Lambda function"),
        (VERSION.to_owned(), "is Pending"),
    ] {
        let refused = attach(&arn);
        assert_eq!(refused.value("Code"), "InvalidLambdaFunctionAssociation");
        assert!(refused.body.contains(words), "{arn}: {}", refused.body);
    }
    let attached = attach(VERSION);
    assert_eq!(attached.status, 201);
    let delete = || lambda(&ground, "DELETE /2015-03-31/functions/f", "");
    assert!(delete().body.contains("replicated function"));

    let path = format!("{DISTRIBUTIONS}/{}/config", attached.value("Id"));
    let read = cloudfront(&ground, &format!("GET {path}"), "", "");
    let (before, rest) = read.body.split_once("<LambdaFunctionAssociations>").unwrap();
    let (_, after) = rest.split_once("</LambdaFunctionAssociations>").unwrap();
    let vacated = format!(
        "{before}<LambdaFunctionAssociations><Quantity>0</Quantity></LambdaFunctionAssociations>{after}"
    );
    assert_eq!(
        cloudfront(&ground, &format!("PUT {path}"), read.header("etag").unwrap(), &vacated).status,
        200
    );
    assert!(delete().body.contains("replicated function"));
    assert_eq!(delete().status, 204);
}

#[test]
fn lists_come_in_pages() {
    let ground = Ground::start();
    ground.rules(|rules| *rules = Rules { page_size: Some(2), ..Rules::prompt() });
    for number in 0..3 {
        cloudfront(
            &ground,
            &format!("POST {DISTRIBUTIONS}"),
            "",
            &distribution(&number.to_string(), None),
        );
        s3(&ground, "PUT /pages-1");
        s3(&ground, &format!("PUT /pages-1/{number}"));
    }
    let first = cloudfront(&ground, &format!("GET {DISTRIBUTIONS}"), "", "");
    assert_eq!((first.value("Quantity"), first.value("IsTruncated")), ("2", "true"));
    let second = cloudfront(
        &ground,
        &format!("GET {DISTRIBUTIONS}?Marker={}", first.value("NextMarker")),
        "",
        "",
    );
    assert_eq!((second.value("Quantity"), second.value("IsTruncated")), ("1", "false"));
    (0..3).for_each(|number| {
        drop(logs(&ground, "CreateLogGroup", &format!("{{\"logGroupName\":\"{number}\"}}")));
    });
    let first = logs(&ground, "DescribeLogGroups", "{}");
    assert_eq!(
        (first.body.matches("\"logGroupName\"").count(), first.value("nextToken").is_empty()),
        (2, false)
    );
    let objects = ask(&ground, "s3", "GET /pages-1?list-type=2", "", "").unwrap();
    assert_eq!((objects.value("KeyCount"), objects.value("IsTruncated")), ("2", "true"));
}

#[test]
fn a_bucket_is_new_with_everything_blocked_and_its_name_stays_busy() {
    let ground = Ground::start();
    ground.rules(|rules| rules.bucket_tries = 1);
    assert_eq!(s3(&ground, "PUT /bucket-1"), Some(200));
    let blocked = ask(&ground, "s3", "GET /bucket-1?publicAccessBlock", "", "").unwrap();
    assert_eq!((blocked.status, blocked.body.matches("true").count()), (200, 4));
    assert_eq!(s3(&ground, "DELETE /bucket-1?publicAccessBlock"), Some(204));
    assert_eq!(s3(&ground, "GET /bucket-1?publicAccessBlock"), Some(404));

    assert_eq!(s3(&ground, "DELETE /bucket-1"), Some(204));
    assert_eq!(
        [s3(&ground, "PUT /bucket-1"), s3(&ground, "PUT /bucket-1")],
        [Some(409), Some(200)]
    );
}

#[test]
fn with_auth_a_badly_signed_call_is_refused() {
    let ground = Ground::start_with_auth();
    let status = |key| ask_as(key, &ground, "s3", "GET /", "", "").unwrap().status;
    assert_eq!([status("AKIAUNKNOWNUNKNOWN00"), status("test")], [400, 200]);
}

#[test]
fn a_client_is_killed_on_either_side_of_a_call() {
    let ground = Ground::start();
    let program = "
import os, urllib.request
for name in ('one', 'two'):
    url = os.environ['AWS_ENDPOINT_URL'] + '/bucket-' + name
    urllib.request.urlopen(urllib.request.Request(url, method='PUT'))
";
    let client = || {
        let mut command = Command::new("python3");
        command.args(["-c", program]);
        command
    };
    let buckets =
        || ["one", "two"].map(|name| s3(&ground, &format!("HEAD /bucket-{name}")).unwrap());
    assert!(ground.kill_at(1, Moment::Before, &mut client()));
    assert_eq!(buckets(), [404, 404]);
    assert!(ground.kill_at(1, Moment::After, &mut client()));
    assert_eq!(buckets(), [200, 404]);
    assert!(!ground.kill_at(3, Moment::Before, &mut client()));
    assert_eq!(buckets(), [200, 200]);
}

#[test]
fn a_reset_forgets_the_world_and_keeps_the_rules() {
    let ground = Ground::start();
    ground.rules(|rules| rules.role_tries = 0);
    iam(&ground, CREATE_ROLE);
    ground.reset();
    assert!(
        lambda(&ground, "POST /2015-03-31/functions", CREATE_FUNCTION)
            .body
            .contains("cannot be assumed")
    );
    iam(&ground, CREATE_ROLE);
    assert_eq!(lambda(&ground, "POST /2015-03-31/functions", CREATE_FUNCTION).status, 201);
    assert_eq!(ground.count("iam:CreateRole"), 1);
}
