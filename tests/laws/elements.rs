//! Every element of a distribution of ours is watched, or is on the list of those that are not.

use crate::ground::OWNED;
use provision::resource::Planned;
use provision::resource::distribution::document::Document;
use provision::resource::distribution::{
    self, Live, Missing, Op, Settings, UNMANAGED, new_document, plan,
};
use provision::resource::function;
use roxmltree::Node;
use std::collections::BTreeSet;
use std::ops::Range;

const ACCESS: &str = "EOAC";

/// What CloudFront adds of itself, beside or in place of what was sent.
const READ_BACK: &[(&str, &str)] = &[
    (
        "</OriginAccessControlId>",
        "</OriginAccessControlId><ConnectionAttempts>3</ConnectionAttempts>\
         <ConnectionTimeout>10</ConnectionTimeout><OriginShield><Enabled>false</Enabled></OriginShield>",
    ),
    ("</OriginAccessIdentity>", "</OriginAccessIdentity><OriginReadTimeout>30</OriginReadTimeout>"),
    (
        "</DefaultCacheBehavior>",
        "<GrpcConfig><Enabled>false</Enabled></GrpcConfig></DefaultCacheBehavior>",
    ),
    (
        "<WebACLId>",
        "<Staging>false</Staging><ContinuousDeploymentPolicyId></ContinuousDeploymentPolicyId><WebACLId>",
    ),
    ("<Method>GET</Method><Method>HEAD</Method>", "<Method>HEAD</Method><Method>GET</Method>"),
    (
        "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate>",
        "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate><SSLSupportMethod>vip</SSLSupportMethod>\
         <MinimumProtocolVersion>TLSv1</MinimumProtocolVersion><CertificateSource>cloudfront</CertificateSource>",
    ),
    (
        "<ACMCertificateArn>",
        "<CloudFrontDefaultCertificate>false</CloudFrontDefaultCertificate>\
         <CertificateSource>acm</CertificateSource><ACMCertificateArn>",
    ),
];

/// With its own certificate, CloudFront alone decides these (CloudFront API Reference,
/// `ViewerCertificate`).
const BY_CLOUDFRONT: [&str; 2] = ["SSLSupportMethod", "MinimumProtocolVersion"];

/// An entry with another value here is another entry: ours comes back beside it. An origin comes
/// back as it was created.
const IDENTITIES: [&str; 4] = ["ErrorCode", "EventType", "Id", "Origin"];

struct Stand {
    settings: Settings,
    document: Document,
}

impl Stand {
    fn new(settings: Settings) -> Self {
        let stack = &OWNED.stack.names.stack;
        let mut document = new_document(stack, &settings, ACCESS, &OWNED.arn(version()));
        for (sent, read) in READ_BACK {
            document.0 = document.0.replace(sent, read);
        }
        Self { settings, document }
    }

    fn plan(&self, document: &str) -> Planned<Op> {
        let wanted = OWNED.desired.distribution.clone().unwrap();
        let live = Live {
            id: "E2ABCDEF0123".parse().unwrap(),
            etag: "etag".into(),
            document: Document(document.into()),
            deployed: true,
            domain: "d.cloudfront.net".into(),
            tags: wanted.tags.clone(),
        };
        let wanted = distribution::plan::Desired { settings: self.settings.clone(), ..wanted };
        let (stack, function) = (&OWNED.stack, function());
        plan::plan(
            &stack.names.stack,
            &stack.account,
            &wanted,
            Some(&live),
            Some(&function),
            Some(ACCESS),
        )
    }
}

fn function() -> function::Live {
    OWNED.built.functions[&OWNED.stack.names.function].clone()
}

fn version() -> u64 {
    let occupant = &OWNED.desired.distribution.as_ref().unwrap().occupant;
    function().number_of(&occupant.version).unwrap()
}

fn stands() -> [Stand; 2] {
    let plain = OWNED.desired.distribution.as_ref().unwrap().settings.clone();
    let rich = Settings {
        missing: Missing::Root,
        aliases: ["a.example".into(), "b.example".into()].into(),
        certificate: Some("arn:aws:acm:us-east-1:123456789012:certificate/a".into()),
        ..plain.clone()
    };
    [Stand::new(plain), Stand::new(rich)]
}

/// The names on the way to an element.
fn path(node: Node<'_, '_>) -> Vec<String> {
    let mut path: Vec<String> =
        node.ancestors().map(|node| node.tag_name().name().into()).collect();
    path.reverse();
    path
}

/// An element with its children in any order.
fn meaning(node: Node<'_, '_>) -> String {
    let mut children: Vec<String> = node.children().filter(Node::is_element).map(meaning).collect();
    children.sort();
    let text = if children.is_empty() { node.text().unwrap_or_default() } else { "" };
    format!("<{}>{text}{}</>", node.tag_name().name(), children.concat())
}

fn means(text: &str) -> String {
    meaning(roxmltree::Document::parse(text).unwrap().root_element())
}

/// Every way to change one element: its path, its place, and what stands there then.
fn changes(text: &str) -> Vec<(Vec<String>, Range<usize>, String)> {
    let tree = roxmltree::Document::parse(text).unwrap();
    let mut changes = Vec::new();
    for node in tree
        .descendants()
        .filter(|node| node.is_element() && !node.has_tag_name("DistributionConfig"))
    {
        let name = node.tag_name().name();
        let with = |inside: &str| format!("<{name}>{inside}</{name}>");
        let is_list = node.children().any(|child| child.tag_name().name() == "Quantity");
        if is_list {
            let held = node.children().find(|child| child.tag_name().name() == "Items");
            for entry in held.iter().flat_map(Node::children) {
                changes.push((path(entry), entry.range(), String::new()));
            }
        } else if node.children().all(|child| !child.is_element()) && name != "Quantity" {
            let seen = node.text().unwrap_or_default();
            let other = match seen {
                "true" => "false",
                "false" => "true",
                "TLSv1.2_2021" => "TLSv1.2_2019",
                _ => "changed",
            };
            changes.push((path(node), node.range(), with(other)));
            if !matches!(seen, "" | "false") {
                changes.push((path(node), node.range(), with("")));
                changes.push((path(node), node.range(), String::new()));
            }
        }
    }
    for (list, added) in [
        ("Aliases", "<CNAME>x.example</CNAME>"),
        ("AllowedMethods", "<Method>PUT</Method>"),
        ("CachedMethods", "<Method>OPTIONS</Method>"),
        ("GeoRestriction", "<Location>DE</Location>"),
    ] {
        let node = tree.descendants().find(|node| node.tag_name().name() == list).unwrap();
        let held = node.children().find(|child| child.tag_name().name() == "Items");
        let (node, added) =
            held.map_or((node, format!("<Items>{added}</Items>")), |held| (held, added.into()));
        let end = node.range().start + text[node.range()].rfind("</").unwrap();
        changes.push((path(node), end..end, added));
    }
    changes
}

#[test]
fn what_cloudfront_adds_is_no_drift() {
    for stand in stands() {
        assert_eq!(stand.plan(&stand.document.0), Planned::default());
    }
}

#[test]
fn every_element_is_watched_or_on_the_list() {
    let mut unmanaged = BTreeSet::new();
    let mut tried = 0;
    for stand in stands() {
        let whole = &stand.document.0;
        for (path, range, other) in changes(whole) {
            let mut changed = whole.clone();
            changed.replace_range(range, &other);
            let shown = format!("{} = {other}", path.join("/"));
            let last = path.last().unwrap();
            let by_cloudfront =
                stand.settings.certificate.is_none() && BY_CLOUDFRONT.contains(&last.as_str());
            let planned = stand.plan(&changed);
            tried += 1;
            if let Some(name) = UNMANAGED.iter().find(|name| path.iter().any(|step| step == *name))
            {
                assert_eq!(planned, Planned::default(), "{shown}");
                unmanaged.insert(*name);
                continue;
            }
            if by_cloudfront || !planned.conflicts.is_empty() {
                continue;
            }
            let [op] = planned.ops.as_slice() else { panic!("{shown}: {planned:#?}") };
            assert!(!op.change().fields.is_empty(), "{shown}");
            let edits = op.edits(Some(&OWNED.arn(version())), "");
            let repaired = Document(changed).edit(&edits).unwrap();
            assert_eq!(stand.plan(&repaired.0), Planned::default(), "{shown}");
            if !IDENTITIES.contains(&last.as_str()) {
                assert_eq!(means(&repaired.0), means(whole), "{shown}");
            }
        }
    }
    assert!(tried > 150, "{tried}");
    let page = std::fs::read_to_string("docs/spec.md").unwrap();
    for name in UNMANAGED {
        assert!(page.contains(&format!("`{name}`")), "docs/spec.md does not list `{name}`");
    }
}

/// Stronger than what is wanted is no drift, and survives another change beside it.
#[test]
fn a_stronger_tls_policy_stays() {
    let [_, rich] = stands();
    let stronger = rich.document.0.replace("TLSv1.2_2021", "TLSv1.3_2025");
    assert_eq!(rich.plan(&stronger), Planned::default());
    let planned = rich.plan(&stronger.replace("certificate/a<", "certificate/old<"));
    let edits = planned.ops[0].edits(None, "");
    assert_eq!(
        Document(stronger.replace("certificate/a<", "certificate/old<")).edit(&edits).unwrap().0,
        stronger
    );
}

/// The fallback's pages alone are ours.
#[test]
fn others_error_pages_stay() {
    let [plain, rich] = stands();
    let page = |code: &str, path: &str, answer: &str| {
        format!(
            "<CustomErrorResponse><ErrorCode>{code}</ErrorCode><ResponsePagePath>{path}</ResponsePagePath>\
             <ResponseCode>{answer}</ResponseCode><ErrorCachingMinTTL>5</ErrorCachingMinTTL></CustomErrorResponse>"
        )
    };
    let with = |document: &str, pages: &[String]| {
        let (begin, rest) = document.split_once("<CustomErrorResponses>").unwrap();
        let (_, end) = rest.split_once("</CustomErrorResponses>").unwrap();
        let (count, pages) = (pages.len(), pages.concat());
        format!(
            "{begin}<CustomErrorResponses><Quantity>{count}</Quantity><Items>{pages}</Items></CustomErrorResponses>{end}"
        )
    };
    let root = format!("/{}", plain.settings.default_root_object);
    let theirs = [page("404", "/404.html", "404"), page("500", "/500.html", "500")];
    assert_eq!(plain.plan(&with(&plain.document.0, &theirs)), Planned::default());
    let fallback = [theirs[1].clone(), page("403", &root, "200")];
    let seen = with(&plain.document.0, &fallback);
    let planned = plain.plan(&seen);
    let fields: Vec<String> =
        planned.ops[0].change().fields.into_iter().map(|change| change.field).collect();
    assert_eq!(fields, ["error page 403"]);
    let repaired = Document(seen).edit(&planned.ops[0].edits(None, "")).unwrap();
    assert_eq!(repaired.0, with(&plain.document.0, &theirs[1..]));
    let seen = with(&rich.document.0, &theirs);
    let edits = rich.plan(&seen).ops[0].edits(None, "");
    let repaired = Document(seen).edit(&edits).unwrap();
    assert!(repaired.0.contains(&theirs[1]) && !repaired.0.contains("/404.html"));
    assert_eq!(rich.plan(&repaired.0), Planned::default());
}
