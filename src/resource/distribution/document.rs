//! CloudFront's own document of a distribution, edited as text.
//!
//! CloudFront replaces the whole configuration at each update (CloudFront API Reference, "UpdateDistribution"), and its
//! schema grows every few months. So we never rebuild a document: we cut out the elements that we manage and put ours in
//! their place; every other byte goes back as it came, also what nobody here has heard of.

use super::behavior::Behavior;
use super::nesting::depth;
use roxmltree::Node;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// The `DistributionConfig` element, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document(pub String);

/// What we read in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What its creation was called. It stays for life (CloudFront API Reference, `DistributionConfig`).
    pub caller_reference: String,
    /// Serves requests.
    pub enabled: bool,
    /// Comment.
    pub comment: String,
    /// Default root object.
    pub default_root_object: String,
    /// Price class.
    pub price_class: String,
    /// Alternate domain names.
    pub aliases: BTreeSet<String>,
    /// ACM certificate; `None`: CloudFront's own.
    pub certificate: Option<String>,
    /// Custom error responses: code → (path, answered code).
    pub error_pages: BTreeMap<String, (String, String)>,
    /// Origins by id.
    pub origins: BTreeMap<String, Origin>,
    /// Behaviors. Of several with the same pattern, the first answers (CloudFront API Reference, `CacheBehavior`).
    pub behaviors: BTreeMap<Behavior, CacheBehavior>,
    /// A staging distribution of a continuous deployment.
    pub staging: bool,
    /// A multi-tenant distribution.
    pub tenant_only: bool,
}

/// The one event that we answer.
pub const EVENT: &str = "viewer-request";

/// An origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Host.
    pub domain: String,
    /// Origin access control.
    pub access: String,
}

/// What a behavior does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheBehavior {
    /// Lambda@Edge: event → version ARN.
    pub functions: BTreeMap<String, String>,
    /// CloudFront Functions: event → ARN.
    pub cloudfront_functions: BTreeMap<String, String>,
    /// What happens to HTTP.
    pub viewer_protocol_policy: String,
    /// Cache policy.
    pub cache_policy: String,
    /// gRPC is on.
    pub grpc: bool,
    /// Smooth Streaming is on.
    pub smooth_streaming: bool,
}

/// One element to put in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A child of the configuration itself: name and whole element.
    Field(&'static str, String),
    /// A child of one origin.
    Origin(String, &'static str, String),
    /// A child of one behavior.
    Behavior(Behavior, &'static str, String),
    /// Who answers [`EVENT`] in one behavior; `None`: nobody.
    Occupant(Behavior, Option<String>),
}

/// Elements of that name which belong to CloudFront, as `node` does.
fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl DoubleEndedIterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name && child.tag_name().namespace() == node.tag_name().namespace())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// All text in a child, to the letter. Comments in it are passed over.
fn exact(node: Node<'_, '_>, name: &'static str) -> String {
    child(node, name).map(content).unwrap_or_default()
}

fn content(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|part| part.text()).collect()
}

fn text(node: Node<'_, '_>, name: &'static str) -> String {
    exact(node, name).trim().to_owned()
}

/// The entries of one of CloudFront's lists.
fn items<'a>(node: Node<'a, 'a>, list: &'static str, item: &'static str) -> Vec<Node<'a, 'a>> {
    let items = child(node, list).and_then(|list| child(list, "Items"));
    items.into_iter().flat_map(|items| children(items, item)).collect()
}

fn behaviors<'a>(root: Node<'a, 'a>) -> Vec<(Behavior, Node<'a, 'a>)> {
    let default = child(root, "DefaultCacheBehavior").map(|node| (Behavior::Default, node));
    let others =
        items(root, "CacheBehaviors", "CacheBehavior").into_iter().map(|node| (Behavior::Pattern(exact(node, "PathPattern")), node));
    default.into_iter().chain(others).collect()
}

/// The parser calls itself for each element within an element, and CloudFront's documents are some ten deep.
const DEEPEST: usize = 64;

fn parse(text: &str) -> Result<roxmltree::Document<'_>, String> {
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
        let node = tree.descendants().find(|node| node.tag_name().name() == "DistributionConfig")?;
        let element = &answer[node.range()];
        // The namespace was declared on an element outside; alone, the configuration has to declare it.
        let opening = &element[..element.find('>')?];
        let alone = if opening.contains("xmlns=") {
            element.to_owned()
        } else {
            element.replacen("<DistributionConfig", &format!("<DistributionConfig xmlns=\"{NAMESPACE}\""), 1)
        };
        Some(Self(alone))
    }

    /// A digest of the text, for saved plans: the document itself may hold secrets (custom headers for origins).
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    /// Reads what we manage or have to know. Unknown elements are passed over; absent ones read as empty.
    #[must_use]
    pub fn read(&self) -> Reading {
        let Ok(tree) = parse(&self.0) else { return Reading::default() };
        let root = tree.root_element();
        let certificate = child(root, "ViewerCertificate").map(|node| text(node, "ACMCertificateArn")).filter(|arn| !arn.is_empty());
        let by_event = |node, list, item, arn| -> BTreeMap<String, String> {
            items(node, list, item).into_iter().map(|item| (text(item, "EventType"), text(item, arn))).collect()
        };
        Reading {
            caller_reference: text(root, "CallerReference"),
            enabled: text(root, "Enabled") == "true",
            comment: exact(root, "Comment"),
            default_root_object: text(root, "DefaultRootObject"),
            price_class: text(root, "PriceClass"),
            aliases: items(root, "Aliases", "CNAME").into_iter().map(content).collect(),
            certificate,
            error_pages: items(root, "CustomErrorResponses", "CustomErrorResponse")
                .into_iter()
                .rev()
                .map(|item| (text(item, "ErrorCode"), (text(item, "ResponsePagePath"), text(item, "ResponseCode"))))
                .collect(),
            origins: items(root, "Origins", "Origin")
                .into_iter()
                .rev()
                .map(|item| (exact(item, "Id"), Origin { domain: text(item, "DomainName"), access: text(item, "OriginAccessControlId") }))
                .collect(),
            behaviors: behaviors(root)
                .into_iter()
                .rev()
                .map(|(behavior, node)| {
                    let does = CacheBehavior {
                        functions: by_event(node, "LambdaFunctionAssociations", "LambdaFunctionAssociation", "LambdaFunctionARN"),
                        cloudfront_functions: by_event(node, "FunctionAssociations", "FunctionAssociation", "FunctionARN"),
                        viewer_protocol_policy: text(node, "ViewerProtocolPolicy"),
                        cache_policy: text(node, "CachePolicyId"),
                        grpc: child(node, "GrpcConfig").is_some_and(|grpc| text(grpc, "Enabled") == "true"),
                        smooth_streaming: text(node, "SmoothStreaming") == "true",
                    };
                    (behavior, does)
                })
                .collect(),
            staging: text(root, "Staging") == "true",
            tenant_only: text(root, "ConnectionMode") == "tenant-only",
        }
    }

    /// Returns the document with the edits made and everything else, byte for byte, as it was.
    ///
    /// # Errors
    /// A lower-case fragment: the document has no such place.
    pub fn edit(&self, edits: &[Edit]) -> Result<Self, String> {
        let mut document = self.clone();
        for edit in edits {
            document = document.edit_once(edit)?;
        }
        Ok(document)
    }

    fn edit_once(&self, edit: &Edit) -> Result<Self, String> {
        let tree = parse(&self.0).map_err(|error| format!("CloudFront's document cannot be read: {error}"))?;
        let root = tree.root_element();
        let behavior = |wanted: &Behavior| {
            let found = behaviors(root).into_iter().find(|(behavior, _)| behavior == wanted);
            found.map(|(_, node)| node).ok_or_else(|| format!("the distribution has no behavior `{wanted}`"))
        };
        let (parent, name, element) = match edit {
            Edit::Field(name, element) => (root, *name, element.clone()),
            Edit::Origin(id, name, element) => {
                let origin = items(root, "Origins", "Origin").into_iter().find(|origin| exact(*origin, "Id") == *id);
                (origin.ok_or_else(|| format!("the distribution has no origin `{id}`"))?, *name, element.clone())
            }
            Edit::Behavior(wanted, name, element) => (behavior(wanted)?, *name, element.clone()),
            Edit::Occupant(wanted, arn) => {
                let node = behavior(wanted)?;
                (node, "LambdaFunctionAssociations", self.associations(node, arn.as_deref()))
            }
        };
        let place = match child(parent, name) {
            Some(node) => node.range(),
            None => self.end_of(parent)?,
        };
        let mut edited = self.0.clone();
        edited.replace_range(place, &element);
        Ok(Self(edited))
    }

    /// Just before the closing tag of `parent`.
    fn end_of(&self, parent: Node<'_, '_>) -> Result<Range<usize>, String> {
        let range = parent.range();
        let closing = self.0[range.clone()].rfind("</").ok_or("an element of CloudFront's document is empty")?;
        Ok(range.start + closing..range.start + closing)
    }

    /// The list of Lambda@Edge associations with our event's entry replaced; others' entries stay as they are.
    fn associations(&self, behavior: Node<'_, '_>, arn: Option<&str>) -> String {
        let found = items(behavior, "LambdaFunctionAssociations", "LambdaFunctionAssociation").into_iter();
        let others = found.filter(|node| text(*node, "EventType") != EVENT).map(|node| self.0[node.range()].to_owned());
        let ours = arn.map(|arn| {
            format!(
                "<LambdaFunctionAssociation><LambdaFunctionARN>{}</LambdaFunctionARN><EventType>{EVENT}</EventType>\
                 <IncludeBody>false</IncludeBody></LambdaFunctionAssociation>",
                escape(arn)
            )
        });
        list_element("LambdaFunctionAssociations", &others.chain(ours).collect::<Vec<_>>())
    }
}

/// `<name><Quantity>n</Quantity><Items>…</Items></name>`, CloudFront's form of a list.
#[must_use]
pub fn list_element(name: &str, items: &[String]) -> String {
    let quantity = items.len();
    if items.is_empty() {
        return format!("<{name}><Quantity>0</Quantity></{name}>");
    }
    format!("<{name}><Quantity>{quantity}</Quantity><Items>{}</Items></{name}>", items.concat())
}

/// `<name>text</name>`.
#[must_use]
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
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
        "<DistributionConfigWithTags xmlns=\"{NAMESPACE}\">{}<Tags><Items>{items}</Items></Tags></DistributionConfigWithTags>",
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
        assert_eq!(reading.comment, "a & b");
        assert_eq!(reading.origins["o"].domain, "old");
        assert_eq!(reading.behaviors[&"/app/*".into()].functions["viewer-request"], "arn:old:1");
        assert!(reading.behaviors[&Behavior::Default].functions.is_empty());
    }

    #[test]
    fn an_edit_changes_one_place_and_keeps_every_other_byte() {
        let before = document();
        let after = before.edit(&[Edit::Occupant(Behavior::Default, Some("arn:ours:2".into()))]).unwrap();
        assert_eq!(after.read().behaviors[&Behavior::Default].functions["viewer-request"], "arn:ours:2");
        let added = list_element("LambdaFunctionAssociations", &["<LambdaFunctionAssociation><LambdaFunctionARN>arn:ours:2</LambdaFunctionARN><EventType>viewer-request</EventType><IncludeBody>false</IncludeBody></LambdaFunctionAssociation>".into()]);
        assert_eq!(after.0.replacen(&added, "", 1), before.0);
        let vacated = after.edit(&[Edit::Occupant(Behavior::Default, None)]).unwrap();
        assert_eq!(vacated.0.replacen("<LambdaFunctionAssociations><Quantity>0</Quantity></LambdaFunctionAssociations>", "", 1), before.0);
    }

    #[test]
    fn other_functions_of_the_behavior_stay_to_the_letter() {
        let after = document().edit(&[Edit::Occupant("/app/*".into(), Some("arn:ours:2".into()))]).unwrap();
        assert!(after.0.contains("<IncludeBody>true</IncludeBody><New/></LambdaFunctionAssociation>"));
        let functions = &after.read().behaviors[&"/app/*".into()].functions;
        assert_eq!(functions["viewer-request"], "arn:ours:2");
        assert_eq!(functions["origin-request"], "arn:theirs:1");
    }

    #[test]
    fn fields_are_replaced_or_added() {
        let edits = [
            Edit::Field("Comment", element("Comment", "<new>")),
            Edit::Origin("o".into(), "OriginAccessControlId", element("OriginAccessControlId", "E9")),
        ];
        let reading = document().edit(&edits).unwrap().read();
        assert_eq!(reading.comment, "<new>");
        assert_eq!(reading.origins["o"].access, "E9");
        assert!(document().edit(&[Edit::Occupant("/none".into(), None)]).unwrap_err().contains("no behavior"));
    }

    /// The parser alone would end the program here, for want of stack.
    #[test]
    fn elements_without_end_in_one_another_are_refused() {
        let deep = Document(format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)));
        assert_eq!(deep.read(), Reading::default());
        assert!(deep.edit(&[Edit::Field("Comment", element("Comment", ""))]).unwrap_err().contains("lie in one another"));
        assert_eq!(Document::in_answer(&deep.0), None);
    }
}
