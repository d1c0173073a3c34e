//! A distribution that another user made and changes, by plain HTTP: the SDK's types would lose
//! what they do not know.

use super::shop::Shop;
use std::io::{Read, Write};
use std::net::TcpStream;

/// An answer's `ETag` and body.
pub(crate) struct Answer {
    status: String,
    etag: String,
    pub(crate) body: String,
}

fn ask(shop: &Shop, line: &str, etag: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(shop.ground.proxy.address()).unwrap();
    let length = body.len();
    let scope = "Credential=test/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host, \
        Signature=0";
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \
            {length}\r\nIf-Match: {etag}\r\n\
         Authorization: AWS4-HMAC-SHA256 {scope}\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default();
    Answer {
        status: head.split(' ').nth(1).unwrap().to_owned(),
        etag: etag.to_owned(),
        body: body.to_owned(),
    }
}

/// Lets every access control sign nothing.
pub(crate) async fn unsigned(cloudfront: &aws_sdk_cloudfront::Client) {
    use aws_sdk_cloudfront::types::OriginAccessControlSigningBehaviors::Never;
    let listed = cloudfront
        .list_origin_access_controls()
        .send()
        .await
        .unwrap()
        .origin_access_control_list
        .unwrap();
    for item in listed.items.unwrap_or_default() {
        let found = cloudfront.get_origin_access_control().id(&item.id).send().await.unwrap();
        let mut config = found.origin_access_control.unwrap().origin_access_control_config.unwrap();
        config.signing_behavior = Never;
        let update =
            cloudfront.update_origin_access_control().id(&item.id).set_if_match(found.e_tag);
        update.origin_access_control_config(config).send().await.unwrap();
    }
}

/// The configuration as CloudFront gives it.
pub(crate) fn read(shop: &Shop, id: &str) -> Answer {
    let answer = ask(shop, &format!("GET /2020-05-31/distribution/{id}/config"), "", "");
    assert_eq!(answer.status, "200", "{}", answer.body);
    answer
}

/// Replaces text in the configuration, which has to be there once at least.
pub(crate) fn edit(shop: &Shop, id: &str, before: &str, after: &str) {
    let now = read(shop, id);
    assert!(now.body.contains(before), "{before} is not in {}", now.body);
    let changed = now.body.replacen(before, after, 1);
    let answer =
        ask(shop, &format!("PUT /2020-05-31/distribution/{id}/config"), &now.etag, &changed);
    assert_eq!(answer.status, "200", "{}", answer.body);
}

/// Creates a distribution and returns its id.
pub(crate) fn create(shop: &Shop, config: &str) -> String {
    let answer = ask(shop, "POST /2020-05-31/distribution", "", config);
    assert_eq!(answer.status, "201", "{}", answer.body);
    between(&answer.body, "<Id>", "</Id>").to_owned()
}

/// The list of Lambda@Edge associations in the behavior that begins after `mark`.
pub(crate) fn associations<'a>(config: &'a str, mark: &str) -> &'a str {
    let behavior = &config[config.find(mark).unwrap()..];
    between(behavior, "<LambdaFunctionAssociations>", "</LambdaFunctionAssociations>")
}

pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// One association, as CloudFront writes it.
pub(crate) fn association(arn: &str, event: &str) -> String {
    format!(
        "<LambdaFunctionAssociation><LambdaFunctionARN>{arn}</LambdaFunctionARN><EventType>{event}</EventType>\
         <IncludeBody>false</IncludeBody></LambdaFunctionAssociation>"
    )
}

/// A function of another owner with one published version, whose ARN is returned.
pub(crate) async fn foreign_function(shop: &Shop) -> String {
    function_called(shop, "theirs").await
}

/// The same, under a name that we might want.
pub(crate) async fn function_called(shop: &Shop, name: &str) -> String {
    use aws_sdk_lambda::primitives::Blob;
    use aws_sdk_lambda::types::{FunctionCode, Runtime};
    use provision::resource::function::package::{Files, pack};
    let trust = provision::resource::role::trust_policy().to_string();
    let role = shop
        .aws
        .clients
        .iam
        .create_role()
        .role_name("theirs")
        .assume_role_policy_document(trust)
        .send()
        .await
        .unwrap();
    let package = pack(&Files::from([(
        "theirs.py".to_owned(),
        b"def handler(event, context): return event\n".to_vec(),
    )]))
    .unwrap();
    let code = FunctionCode::builder().zip_file(Blob::new(package.bytes.to_vec())).build();
    let create = shop
        .aws
        .clients
        .lambda
        .create_function()
        .function_name(name)
        .runtime(Runtime::from("python3.13"));
    let created = create
        .handler("theirs.handler")
        .role(role.role.unwrap().arn)
        .code(code)
        .publish(true)
        .send()
        .await
        .unwrap();
    let arn = created.function_arn.unwrap();
    assert!(arn.ends_with(":1"), "{arn}");
    arn
}

/// A distribution with three behaviors. The default one runs `arn` at origin-request; and
/// CloudFront has learned something new.
pub(crate) fn foreign_distribution(shop: &Shop, arn: &str, domain: &str) -> String {
    let list = |items: &str| {
        format!(
            "<LambdaFunctionAssociations><Quantity>1</Quantity><Items>{items}</Items></LambdaFunctionAssociations>"
        )
    };
    let behavior = |pattern: &str| {
        format!(
            "<CacheBehavior><PathPattern>{pattern}</PathPattern><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>https-only\
             </ViewerProtocolPolicy></CacheBehavior>"
        )
    };
    create(
        shop,
        &format!(
            "<DistributionConfig \
                xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>theirs</CallerReference>\
             <Comment>theirs &amp; theirs \
             alone</Comment><Enabled>true</Enabled><FutureThing><Depth>7</Depth></FutureThing><Origins>\
             <Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>{domain}</DomainName><CustomHeaders><Quantity>1</Quantity><Items>\
             <OriginCustomHeader><HeaderName>X-Secret</HeaderName><HeaderValue>s3cret</HeaderValue></OriginCustomHeader></Items>\
             </CustomHeaders><CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>https-only\
             </OriginProtocolPolicy><OriginSslProtocols><Quantity>1</Quantity><Items><SslProtocol>TLSv1.2</SslProtocol></Items>\
             </OriginSslProtocols></CustomOriginConfig></Origin></Items></Origins><DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>\
             <ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><FutureSwitch>on</FutureSwitch>{}</DefaultCacheBehavior><CacheBehaviors>\
             <Quantity>2</Quantity><Items>{}{}</Items></CacheBehaviors></DistributionConfig>",
            list(&association(arn, "origin-request")),
            behavior("/app/*"),
            behavior("/api/*"),
        ),
    )
}
