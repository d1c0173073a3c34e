//! Distributions of all ages and shapes: attached to, left again, and outside of our slots every
//! byte is as it was.

use crate::choices;
use crate::ground::{ATTACHED, Ground, neighbourhood};
use crate::memory::{Cut, Memory};
use provision::cloud::world::World;
use provision::plan::Intent;
use provision::resource::distribution::Behavior;
use provision::resource::distribution::document::Document;
use provision::resource::policy;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const SLOTS: &str = "LambdaFunctionAssociations";

/// Shapes as accounts have them since 2017 (cloud-custodian's flight data, cdk-real-drift's
/// corpus): what it is, what stands in the configuration, in its first origin, in its default behavior.
const SHAPES: &[(&str, &str, &str, &str)] = &[
    (
        "forwarded values in place of a cache policy",
        "",
        "",
        "<ForwardedValues><QueryString>true</QueryString><Cookies><Forward>whitelist</Forward>\
         <WhitelistedNames><Quantity>1</Quantity><Items><Name>id</Name></Items></WhitelistedNames>\
         </Cookies><Headers><Quantity>2</Quantity><Items><Name>Host</Name><Name>Origin</Name>\
         </Items></Headers><QueryStringCacheKeys><Quantity>0</Quantity></QueryStringCacheKeys>\
         </ForwardedValues><MinTTL>0</MinTTL><DefaultTTL>86400</DefaultTTL>\
         <MaxTTL>31536000</MaxTTL>",
    ),
    (
        "an origin access identity",
        "",
        "<S3OriginConfig><OriginAccessIdentity>origin-access-identity/cloudfront/E1\
         </OriginAccessIdentity></S3OriginConfig>",
        "",
    ),
    (
        "a custom origin with old protocols",
        "",
        "<CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
         <OriginProtocolPolicy>http-only</OriginProtocolPolicy><OriginSslProtocols>\
         <Quantity>2</Quantity><Items><SslProtocol>SSLv3</SslProtocol>\
         <SslProtocol>TLSv1</SslProtocol></Items></OriginSslProtocols>\
         <OriginReadTimeout>30</OriginReadTimeout><OriginKeepaliveTimeout>5\
         </OriginKeepaliveTimeout></CustomOriginConfig>",
        "",
    ),
    (
        "headers for an origin",
        "",
        "<CustomHeaders><Quantity>1</Quantity><Items><OriginCustomHeader><HeaderName>x-key\
         </HeaderName><HeaderValue>a&amp;b</HeaderValue></OriginCustomHeader></Items>\
         </CustomHeaders>",
        "",
    ),
    (
        "logging, a web ACL and countries",
        "<Logging><Enabled>true</Enabled><IncludeCookies>true</IncludeCookies><Bucket>logs.s3.\
         amazonaws.com</Bucket><Prefix>cf/</Prefix></Logging><WebACLId>arn:aws:wafv2:us-east-1:1:\
         global/webacl/a/1</WebACLId><Restrictions><GeoRestriction><RestrictionType>blacklist\
         </RestrictionType><Quantity>2</Quantity><Items><Location>DE</Location><Location>FR\
         </Location></Items></GeoRestriction></Restrictions>",
        "",
        "",
    ),
    (
        "signers, field-level encryption and methods in AWS's order",
        "",
        "",
        "<TrustedSigners><Enabled>true</Enabled><Quantity>1</Quantity><Items><AwsAccountNumber>\
         self</AwsAccountNumber></Items></TrustedSigners><AllowedMethods><Quantity>2</Quantity>\
         <Items><Method>HEAD</Method><Method>GET</Method></Items><CachedMethods><Quantity>2\
         </Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items></CachedMethods>\
         </AllowedMethods><FieldLevelEncryptionId>C1</FieldLevelEncryptionId>",
    ),
    (
        "a certificate of IAM and aliases",
        "<Aliases><Quantity>1</Quantity><Items><CNAME>*.example.org</CNAME></Items></Aliases>\
         <ViewerCertificate><IAMCertificateId>ASCA</IAMCertificateId><SSLSupportMethod>vip\
         </SSLSupportMethod><MinimumProtocolVersion>SSLv3</MinimumProtocolVersion><Certificate>ASCA\
         </Certificate><CertificateSource>iam</CertificateSource></ViewerCertificate>",
        "",
        "",
    ),
    (
        "origin groups and error pages",
        "<OriginGroups><Quantity>1</Quantity><Items><OriginGroup><Id>g</Id><FailoverCriteria>\
         <StatusCodes><Quantity>1</Quantity><Items><StatusCode>500</StatusCode></Items>\
         </StatusCodes></FailoverCriteria><Members><Quantity>1</Quantity><Items>\
         <OriginGroupMember><OriginId>o</OriginId></OriginGroupMember></Items></Members>\
         </OriginGroup></Items></OriginGroups><CustomErrorResponses><Quantity>1</Quantity><Items>\
         <CustomErrorResponse><ErrorCode>404</ErrorCode><ResponsePagePath></ResponsePagePath>\
         <ResponseCode></ResponseCode><ErrorCachingMinTTL>10</ErrorCachingMinTTL>\
         </CustomErrorResponse></Items></CustomErrorResponses>",
        "",
        "",
    ),
    ("a distribution that is disabled", "<HttpVersion>http1.1</HttpVersion>", "", ""),
    (
        "a function of another event, without IncludeBody, as before 2018",
        "",
        "",
        "<LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation>\
         <LambdaFunctionARN>arn:aws:lambda:us-east-1:123456789012:function:theirs:7\
         </LambdaFunctionARN><EventType>origin-response</EventType></LambdaFunctionAssociation>\
         </Items></LambdaFunctionAssociations>",
    ),
];

fn document((name, config, origin, behavior): &(&str, &str, &str, &str)) -> String {
    let slots = format!("<{SLOTS}><Quantity>0</Quantity></{SLOTS}>");
    let slots = if behavior.contains(SLOTS) { "" } else { &slots };
    let enabled = !name.contains("disabled");
    format!(
        "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
         <CallerReference>1499952607732</CallerReference>{config}<Origins><Quantity>1</Quantity>\
         <Items><Origin><Id>o</Id><DomainName>a.example</DomainName>{origin}</Origin></Items>\
         </Origins><DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>{behavior}{slots}\
         </DefaultCacheBehavior><CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior>\
         <PathPattern>/content/*</PathPattern><TargetOriginId>o</TargetOriginId>{behavior}{slots}\
         </CacheBehavior></Items></CacheBehaviors><Enabled>{enabled}</Enabled>\
         </DistributionConfig>"
    )
}

/// A document without the contents of its slots.
fn outside(document: &str) -> String {
    let mut rest = document;
    let mut text = String::new();
    let (open, close) = (format!("<{SLOTS}>"), format!("</{SLOTS}>"));
    while let Some((before, inside)) = rest.split_once(&open) {
        text += before;
        rest = inside.split_once(&close).unwrap().1;
    }
    text + rest
}

fn found(world: &World) -> String {
    world.distributions[&ATTACHED.parse().unwrap()].live.document.0.clone()
}

/// Fills the slot of every behavior, and gives each up again. `Err`: why it may not be attached to.
fn attach_and_leave(document: &str) -> Result<usize, String> {
    let mut world = neighbourhood();
    let theirs = world.distributions.get_mut(&ATTACHED.parse().unwrap()).unwrap();
    theirs.live.document = Document(document.to_owned());
    let behaviors = theirs.live.document.read().behaviors;
    let named = behaviors.keys().map(|behavior| match behavior {
        Behavior::Default => "default".to_owned(),
        Behavior::Pattern(pattern) => Value::from(pattern.as_str()).to_string(),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let spec = format!("stack: shop\ndistribution: {{id: {ATTACHED}, behaviors: [{named}]}}");
    let ground = Ground::read_only("recorded", &spec, world.clone());
    let memory = Memory::new(world, 0, Cut::Never);
    let (live, plan) = memory.plan(&ground, Intent::Provision, &choices());
    if !plan.can_apply() {
        let reasons = plan.conflicts.iter().map(|conflict| conflict.reason.clone());
        return Err(reasons.collect::<Vec<_>>().join("; "));
    }
    let _ = memory.carry_out(&ground, &live, &plan);
    let attached = found(&memory.world());
    let filled = attached.matches("<EventType>viewer-request</EventType>").count();
    assert_eq!(filled, behaviors.len(), "{attached}");
    assert_eq!(outside(&attached), outside(document));
    let again = memory.plan(&ground, Intent::Provision, &choices()).1;
    assert!(again.is_empty(), "{again:#?}");
    memory.later();
    let rest = memory.settle(&ground, Intent::Destroy, &choices());
    assert!(rest.is_empty(), "{rest:#?}");
    let left = found(&memory.world());
    if document.matches(&format!("<{SLOTS}>")).count() == behaviors.len() {
        assert_eq!(left, document);
    } else {
        // Where there was no list, an empty one stays.
        assert_eq!(outside(&left), outside(document));
    }
    Ok(filled)
}

#[test]
fn outside_of_our_slots_no_shape_changes() {
    for shape in SHAPES {
        let text = document(shape);
        assert_eq!(attach_and_leave(&text), Ok(2), "{}", shape.0);
    }
}

/// What an entry of a list is called.
const ENTRIES: &[(&str, &str)] = &[
    ("Aliases", "CNAME"),
    ("AllowedMethods", "Method"),
    ("CacheBehaviors", "CacheBehavior"),
    ("CachedMethods", "Method"),
    ("CustomErrorResponses", "CustomErrorResponse"),
    ("CustomHeaders", "OriginCustomHeader"),
    ("FunctionAssociations", "FunctionAssociation"),
    ("Headers", "Name"),
    (SLOTS, "LambdaFunctionAssociation"),
    ("Locations", "Location"),
    ("Members", "OriginGroupMember"),
    ("OriginGroups", "OriginGroup"),
    ("OriginSslProtocols", "SslProtocol"),
    ("Origins", "Origin"),
    ("QueryStringCacheKeys", "Name"),
    ("StatusCodes", "StatusCode"),
    ("TrustedKeyGroups", "KeyGroup"),
    ("TrustedSigners", "AwsAccountNumber"),
    ("WhitelistedNames", "Name"),
];

/// CloudFormation's names for them.
const RENAMED: &[(&str, &str)] = &[
    ("IPV6Enabled", "IsIPV6Enabled"),
    ("OriginCustomHeaders", "CustomHeaders"),
    ("OriginSSLProtocols", "OriginSslProtocols"),
    ("SslSupportMethod", "SSLSupportMethod"),
];

/// A member as CloudFront's XML has it; lists may come as CloudFormation has them.
fn element(name: &str, value: &Value) -> String {
    let name = RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
    let entries = |items: &[Value]| {
        let entry = ENTRIES.iter().find(|(list, _)| *list == name).map_or("Location", |it| it.1);
        items.iter().map(|item| element(entry, item)).collect::<String>()
    };
    let mut inside = String::new();
    match value {
        Value::Array(items) => {
            write!(inside, "<Quantity>{}</Quantity>", items.len()).unwrap();
            if !items.is_empty() {
                write!(inside, "<Items>{}</Items>", entries(items)).unwrap();
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                match value.as_array().filter(|_| member == "Items") {
                    Some(items) => write!(inside, "<Items>{}</Items>", entries(items)).unwrap(),
                    None => inside += &element(member, value),
                }
            }
        }
        Value::String(text) => inside = text.replace('&', "&amp;").replace('<', "&lt;"),
        other => inside = other.to_string(),
    }
    format!("<{name}>{inside}</{name}>")
}

#[expect(clippy::disallowed_methods, reason = "the folder is this test's own input")]
fn recorded(folder: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(&env::var_os("PROVISION_RECORDED").unwrap()).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    files.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// The same with real ones, where a folder of recordings is at hand (`distributions/` with a
/// `DistributionConfig` in each file, `live-models/` with `type`, `declared` and `live`):
/// `PROVISION_RECORDED=DIR cargo test --test laws every_recorded -- --ignored --nocapture`.
#[test]
#[ignore = "needs a folder of recordings, named by PROVISION_RECORDED"]
fn every_recorded_distribution_is_left_as_it_was() {
    let models = recorded("live-models").into_iter().filter_map(|(path, model)| {
        let config = &model["live"]["DistributionConfig"];
        (config["Origins"].is_array()).then(|| (path, config.clone()))
    });
    let all = recorded("distributions").into_iter();
    let all = all.map(|(path, found)| (path, found["DistributionConfig"].clone()));
    for (path, config) in all.chain(models) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !config["DefaultCacheBehavior"].is_object() {
            println!("{name}: not whole, passed over");
            continue;
        }
        let text = element("DistributionConfig", &config);
        match attach_and_leave(&text) {
            Ok(slots) => println!("{name}: {slots} slots filled and left, all else as it was"),
            Err(why) => println!("{name}: refused, {why}"),
        }
    }
}

/// A policy that AWS has reordered is the one that was sent.
#[test]
#[ignore = "needs a folder of recordings, named by PROVISION_RECORDED"]
fn every_recorded_policy_means_what_was_declared() {
    let mut told = 0;
    for (path, model) in recorded("live-models") {
        let (declared, live) = (&model["declared"], &model["live"]);
        for member in ["PolicyDocument", "AssumeRolePolicyDocument"] {
            if declared[member].is_object() && live[member].is_object() {
                let same = policy::same(&declared[member], &live[member]);
                println!("{} {member}: {same}", path.file_name().unwrap().display());
                told += usize::from(same);
            }
        }
    }
    println!("{told} are the same");
    assert!(told > 0);
}
