//! Lists come in pages.

use hyper::Uri;
use hyper::header::CONTENT_LENGTH;

use super::super::classify::Request;
use super::super::reply::Reply;
use super::super::xml::Element;
use super::World;
use super::distribution::{NAMESPACE, write};

const DEFAULT: usize = 100;

/// Cuts CloudFront's lists, which the emulator always gives in one piece.
pub fn settle(world: &World, request: &Request, reply: &mut Reply) {
    if !request.operation.starts_with("cloudfront:List") {
        return;
    }
    let Some(mut list) = Element::parse(&reply.body) else { return };
    let asked = request.query("MaxItems").and_then(|number| number.parse().ok()).unwrap_or(DEFAULT);
    let size = world.rules.page_size.map_or(asked, |most| asked.min(most));
    let marker = request.query("Marker");
    let Some(items) = list.at_mut(&["Items"]) else { return };
    if items.children.iter().any(|item| item.at(&["Id"]).is_none()) {
        return;
    }
    let id = |item: &Element| item.text_at(&["Id"]).to_owned();
    let start = marker
        .as_ref()
        .and_then(|marker| items.children.iter().position(|item| &id(item) == marker));
    items.children.drain(..start.map_or(0, |start| start + 1));
    let is_truncated = items.children.len() > size;
    items.children.truncate(size);
    let quantity = items.children.len();
    let next = items.children.last().map(id);
    list.set("Quantity", &quantity.to_string());
    list.set("MaxItems", &size.to_string());
    list.set("Marker", marker.as_deref().unwrap_or_default());
    list.set("IsTruncated", if is_truncated { "true" } else { "false" });
    if let Some(next) = next.filter(|_| is_truncated) {
        list.set("NextMarker", &next);
    }
    write(reply, &list, NAMESPACE);
}

/// Makes the emulator itself give smaller pages, where it can.
pub fn shrink_page(world: &World, request: &mut Request) {
    let Some(most) = world.rules.page_size else { return };
    if request.operation == "logs:DescribeLogGroups" {
        let mut question = request.json();
        question["limit"] = most.into();
        request.body = question.to_string().into();
        request.headers.insert(CONTENT_LENGTH, request.body.len().into());
    } else if let Some(uri) = shrunk(request, most) {
        request.uri = uri;
    }
}

fn shrunk(request: &Request, most: usize) -> Option<Uri> {
    let name = match request.operation.as_str() {
        "s3:ListObjectsV2" | "s3:ListObjectVersions" => "max-keys",
        "s3:ListMultipartUploads" => "max-uploads",
        "lambda:ListVersionsByFunction" | "lambda:ListFunctions" => "MaxItems",
        _ => return None,
    };
    let asked = request.query(name).and_then(|number| number.parse().ok()).unwrap_or(usize::MAX);
    let others = request.uri.query().unwrap_or_default().split('&');
    // Behind a version `null` the emulator begins with that version again, and so never ends.
    let kept = |pair: &&str| {
        !pair.is_empty()
            && pair.split('=').next() != Some(name)
            && *pair != "version-id-marker=null"
    };
    let mut pairs: Vec<_> = others.filter(kept).collect();
    let size = format!("{name}={}", asked.min(most));
    pairs.push(&size);
    format!("{}?{}", request.uri.path(), pairs.join("&")).parse().ok()
}
