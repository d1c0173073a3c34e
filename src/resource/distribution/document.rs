//! CloudFront's own document of a distribution, edited as text.
//!
//! CloudFront replaces the whole configuration at each update (CloudFront API Reference,
//! "UpdateDistribution"), and its schema grows every few months. So we never rebuild a document:
//! what is ours is changed where it stands, and every other byte goes back as it came, also what
//! nobody here has heard of.

use super::behavior::Behavior;
use super::nesting::depth;
use crate::name::BucketName;
use roxmltree::Node;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// An element of the document, by its path in the configuration, in an origin or in a behavior.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the configuration itself.
    Config(&'static str),
    /// In the origin of this id.
    Origin(String, &'static str),
    Behavior(Behavior, &'static str),
}

/// The `DistributionConfig` element, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document(pub String);

/// What we read in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What its creation was called. It stays for life (CloudFront API Reference,
    /// `DistributionConfig`).
    pub caller_reference: String,
    /// Serves requests.
    pub enabled: bool,
    /// Origins by id.
    pub origins: BTreeMap<String, Origin>,
    /// Behaviors. Of several with the same pattern, the first answers (CloudFront API Reference,
    /// `CacheBehavior`).
    pub behaviors: BTreeMap<Behavior, CacheBehavior>,
    /// A staging distribution of a continuous deployment.
    pub staging: bool,
    /// A multi-tenant distribution.
    pub tenant_only: bool,
}

/// The one event that we answer.
pub const EVENT: &str = "viewer-request";

/// The bucket that an origin with this host and path reads. S3 answers under its regional, global
/// and dual-stack hosts, as a website, and with the bucket as the first part of the path (Amazon S3
/// User Guide, "Virtual hosting of buckets" and "Website endpoints").
#[must_use]
pub fn bucket_read(host: &str, path: &str) -> Option<BucketName> {
    let host = host.to_ascii_lowercase();
    let is_s3 = |host: &str| host.starts_with("s3.") || host.starts_with("s3-");
    // The name may hold dots, and even such a part of its own: the last one is S3's.
    let dots = host.rmatch_indices('.').map(|(dot, _)| dot);
    let by_host = dots.into_iter().find(|dot| is_s3(&host[dot + 1..])).map(|dot| &host[..dot]);
    let by_path = || path.trim_start_matches('/').split('/').next().filter(|_| is_s3(&host));
    by_host.or_else(by_path)?.parse().ok()
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Host.
    pub domain: String,
    /// What goes before each path.
    pub path: String,
    /// Origin access control.
    pub access: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheBehavior {
    /// Lambda@Edge: event → version ARN.
    pub functions: BTreeMap<String, String>,
    /// CloudFront Functions: event → ARN.
    pub cloudfront_functions: BTreeMap<String, String>,
    /// Events at which the function gets the request's body.
    pub with_body: BTreeSet<String>,
    pub grpc: bool,
    pub smooth_streaming: bool,
}

/// Elements of that name which belong to CloudFront, as `node` does.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> impl DoubleEndedIterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| {
        child.tag_name().name() == name
            && child.tag_name().namespace() == node.tag_name().namespace()
    })
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// All text in a child, to the letter. Comments in it are passed over.
fn exact(node: Node<'_, '_>, name: &'static str) -> String {
    child(node, name).map(content).unwrap_or_default()
}

pub(super) fn content(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|part| part.text()).collect()
}

pub(super) fn text(node: Node<'_, '_>, name: &'static str) -> String {
    exact(node, name).trim().to_owned()
}

/// The entries of one of CloudFront's lists.
fn items<'a>(node: Node<'a, 'a>, list: &'static str, item: &'static str) -> Vec<Node<'a, 'a>> {
    let items = child(node, list).and_then(|list| child(list, "Items"));
    items.into_iter().flat_map(|items| children(items, item)).collect()
}

pub(super) fn origin<'a>(root: Node<'a, 'a>, id: &str) -> Option<Node<'a, 'a>> {
    items(root, "Origins", "Origin").into_iter().find(|origin| exact(*origin, "Id") == id)
}

pub(super) fn behaviors<'a>(root: Node<'a, 'a>) -> Vec<(Behavior, Node<'a, 'a>)> {
    let default = child(root, "DefaultCacheBehavior").map(|node| (Behavior::Default, node));
    let others = items(root, "CacheBehaviors", "CacheBehavior")
        .into_iter()
        .map(|node| (Behavior::Pattern(exact(node, "PathPattern")), node));
    default.into_iter().chain(others).collect()
}

/// The element at a place, or the last one on the way to it and the names that are missing.
pub(super) fn walk<'a>(
    root: Node<'a, 'a>,
    place: &Place,
) -> Result<(Node<'a, 'a>, Vec<&'static str>), String> {
    let (mut node, path) = match place {
        Place::Config(path) => (root, path),
        Place::Origin(id, path) => {
            let found = origin(root, id);
            (found.ok_or_else(|| format!("the distribution has no origin `{id}`"))?, path)
        }
        Place::Behavior(wanted, path) => {
            let found = behaviors(root).into_iter().find(|(behavior, _)| behavior == wanted);
            (found.ok_or_else(|| format!("the distribution has no behavior `{wanted}`"))?.1, path)
        }
    };
    let mut missing = Vec::new();
    for name in path.split('/') {
        match child(node, name).filter(|_| missing.is_empty()) {
            Some(found) => node = found,
            None => missing.push(name),
        }
    }
    Ok((node, missing))
}

/// The parser calls itself for each element within an element, and CloudFront's documents are some
/// ten deep.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str) -> Result<roxmltree::Document<'_>, String> {
    if depth(text) > DEEPEST {
        return Err(format!("more than {DEEPEST} elements lie in one another"));
    }
    roxmltree::Document::parse(text).map_err(|error| error.to_string())
}

impl Document {
    /// Cuts the configuration out of the answer to `GetDistribution`.
    #[must_use]
    pub fn in_answer(answer: &str) -> Option<Self> {
        let tree = parse(answer).ok()?;
        let node =
            tree.descendants().find(|node| node.tag_name().name() == "DistributionConfig")?;
        let element = &answer[node.range()];
        // The namespace was declared on an element outside; alone, the configuration has to declare
        // it.
        let opening = &element[..element.find('>')?];
        let alone = if opening.contains("xmlns=") {
            element.to_owned()
        } else {
            element.replacen(
                "<DistributionConfig",
                &format!("<DistributionConfig xmlns=\"{NAMESPACE}\""),
                1,
            )
        };
        Some(Self(alone))
    }

    /// A digest of the text, for saved plans: the document itself may hold secrets (custom headers
    /// for origins).
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    /// Reads what we manage or have to know. Unknown elements are passed over; absent ones read as
    /// empty.
    #[must_use]
    pub fn read(&self) -> Reading {
        let Ok(tree) = parse(&self.0) else { return Reading::default() };
        let root = tree.root_element();
        let by_event = |node, list, item, arn| -> BTreeMap<String, String> {
            items(node, list, item)
                .into_iter()
                .map(|item| (text(item, "EventType"), text(item, arn)))
                .collect()
        };
        Reading {
            caller_reference: text(root, "CallerReference"),
            enabled: text(root, "Enabled") == "true",
            origins: items(root, "Origins", "Origin")
                .into_iter()
                .rev()
                .map(|item| {
                    (
                        exact(item, "Id"),
                        Origin {
                            domain: text(item, "DomainName"),
                            path: text(item, "OriginPath"),
                            access: text(item, "OriginAccessControlId"),
                        },
                    )
                })
                .collect(),
            behaviors: behaviors(root)
                .into_iter()
                .rev()
                .map(|(behavior, node)| {
                    let does = CacheBehavior {
                        functions: by_event(
                            node,
                            "LambdaFunctionAssociations",
                            "LambdaFunctionAssociation",
                            "LambdaFunctionARN",
                        ),
                        cloudfront_functions: by_event(
                            node,
                            "FunctionAssociations",
                            "FunctionAssociation",
                            "FunctionARN",
                        ),
                        with_body: items(
                            node,
                            "LambdaFunctionAssociations",
                            "LambdaFunctionAssociation",
                        )
                        .into_iter()
                        .filter(|item| text(*item, "IncludeBody") == "true")
                        .map(|item| text(item, "EventType"))
                        .collect(),
                        grpc: child(node, "GrpcConfig")
                            .is_some_and(|grpc| text(grpc, "Enabled") == "true"),
                        smooth_streaming: text(node, "SmoothStreaming") == "true",
                    };
                    (behavior, does)
                })
                .collect(),
            staging: text(root, "Staging") == "true",
            tenant_only: text(root, "ConnectionMode") == "tenant-only",
        }
    }
}

/// `<name><Quantity>n</Quantity><Items>…</Items></name>`, CloudFront's form of a list.
#[must_use]
pub fn list_element(name: &str, items: &[String]) -> String {
    let items = [
        element("Quantity", &items.len().to_string()),
        if items.is_empty() { String::new() } else { wrapped("Items", &items.concat()) },
    ];
    wrapped(name, &items.concat())
}

/// `<name>text</name>`.
#[must_use]
pub fn element(name: &str, text: &str) -> String {
    wrapped(name, &escape(text))
}

/// `<name>…</name>`.
pub(super) fn wrapped(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The body of `CreateDistributionWithTags`.
#[must_use]
pub fn with_tags(document: &Document, tags: &crate::resource::Tags) -> String {
    let mut items = String::new();
    for (key, value) in tags {
        // Writing to a string cannot fail.
        let _ = write!(items, "<Tag>{}{}</Tag>", element("Key", key), element("Value", value));
    }
    format!(
        "<DistributionConfigWithTags \
            xmlns=\"{NAMESPACE}\">{}<Tags><Items>{items}</Items></Tags></DistributionConfigWithTags>",
        document.0
    )
}

/// The opening tag of a document that we write ourselves.
#[must_use]
pub fn opening() -> String {
    format!("<DistributionConfig xmlns=\"{NAMESPACE}\">")
}

#[cfg(test)]
mod tests {
    use super::super::edit::Edit;
    use super::*;

    const ANSWER: &str = r#"<?xml version="1.0"?>
<Distribution xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>E1</Id><DistributionConfig>
  <Comment>a &amp; b</Comment><Enabled>true</Enabled><FromTheFuture with="attribute"><X/></FromTheFuture>
  <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>old</DomainName></Origin></Items></Origins>
  <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId></DefaultCacheBehavior>
  <CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior><PathPattern>/app/*</PathPattern>
    <LambdaFunctionAssociations><Quantity>2</Quantity><Items>
      <LambdaFunctionAssociation><LambdaFunctionARN>arn:theirs:1</LambdaFunctionARN><EventType>origin-request</EventType><IncludeBody>true</IncludeBody><New/></LambdaFunctionAssociation>
      <LambdaFunctionAssociation><LambdaFunctionARN>arn:old:1</LambdaFunctionARN><EventType>viewer-request</EventType></LambdaFunctionAssociation>
    </Items></LambdaFunctionAssociations></CacheBehavior></Items></CacheBehaviors>
</DistributionConfig></Distribution>"#;

    fn document() -> Document {
        Document::in_answer(ANSWER).unwrap()
    }

    #[test]
    fn what_is_read() {
        let reading = document().read();
        assert_eq!(reading.origins["o"].domain, "old");
        assert_eq!(reading.behaviors[&"/app/*".into()].functions["viewer-request"], "arn:old:1");
        assert!(reading.behaviors[&Behavior::Default].functions.is_empty());
    }

    /// The parser alone would end the program here, for want of stack.
    #[test]
    fn elements_without_end_in_one_another_are_refused() {
        let deep = Document(format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)));
        assert_eq!(deep.read(), Reading::default());
        assert!(
            deep.edit(&[Edit::Field("Comment", element("Comment", ""))])
                .unwrap_err()
                .contains("lie in one another")
        );
        assert_eq!(Document::in_answer(&deep.0), None);
    }

    #[test]
    fn an_origin_reads_a_bucket_under_each_of_its_hosts() {
        for (host, path, bucket) in [
            ("shop-1.s3.eu-west-1.amazonaws.com", "", Some("shop-1")),
            ("shop-1.s3.amazonaws.com", "", Some("shop-1")),
            ("Shop-1.S3.dualstack.eu-west-1.amazonaws.com", "", Some("shop-1")),
            ("shop-1.s3-eu-west-1.amazonaws.com", "", Some("shop-1")),
            ("shop-1.s3-website-eu-west-1.amazonaws.com", "", Some("shop-1")),
            ("shop-1.s3-website.eu-west-1.amazonaws.com", "/site", Some("shop-1")),
            ("s3.eu-west-1.amazonaws.com", "/shop-1", Some("shop-1")),
            ("s3.eu-west-1.amazonaws.com", "/shop-1/site", Some("shop-1")),
            ("s3.eu-west-1.amazonaws.com", "/shop-12", Some("shop-12")),
            ("shop-12.s3.eu-west-1.amazonaws.com", "", Some("shop-12")),
            ("shop-1.example.org", "", None),
            ("www.example.org", "/shop-1", None),
            ("shop.example.org.s3.eu-west-1.amazonaws.com", "", Some("shop.example.org")),
            ("shop.s3.files.s3.eu-west-1.amazonaws.com", "", Some("shop.s3.files")),
            ("s3.eu-west-1.amazonaws.com", "", None),
        ] {
            let read = bucket_read(host, path);
            assert_eq!(read.as_ref().map(BucketName::as_str), bucket, "{host} {path}");
        }
    }
}
