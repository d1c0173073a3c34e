//! Deletions of objects: no condition beside the name of a version (docs/aws.md, "conditional
//! deletes").

use super::super::classify::Request;
use super::super::reply::{Reply, error};
use super::super::xml::Element;
use super::bucket::NAMESPACE;

const CODE: &str = "NotImplemented";
const TEXT: &str = "A header you provided implies functionality that is not implemented";

pub fn refusal(request: &Request) -> Option<Reply> {
    if request.operation == "s3:DeleteObject" {
        let both = request.query("versionId").is_some() && request.header("if-match").is_some();
        return both.then(|| error(request, 501, CODE, TEXT));
    }
    // S3 would carry out the others.
    let sent = Element::parse(&request.body)?;
    let both = |object: &&Element| {
        ["VersionId", "ETag"].iter().all(|name| !object.text_at(&[name]).is_empty())
    };
    let refused: Vec<_> = sent.children.iter().filter(both).map(told).collect();
    (!refused.is_empty()).then(|| {
        let answer = Element { children: refused, ..Element::new("DeleteResult", "") };
        Reply::new(200, "application/xml", answer.document(NAMESPACE))
    })
}

fn told(object: &Element) -> Element {
    let child = |name| Element::new(name, object.text_at(&[name]));
    let children = vec![
        child("Key"),
        child("VersionId"),
        Element::new("Code", CODE),
        Element::new("Message", TEXT),
    ];
    Element { children, ..Element::new("Error", "") }
}
