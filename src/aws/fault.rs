//! What became of a call that AWS did not carry out: what was tried, AWS's own words, what they
//! mean, and what to do now.

use super::cause::{self, causes, within};
use super::lost::{Stopped, refused};
use super::refusal::{Meaning, meaning};
use super::way::Lost;
use crate::change::{Fault, FaultKind};
use crate::name::Region;
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};

/// The header in which S3 says where a bucket is (docs/aws.md, "a bucket elsewhere redirects").
pub(crate) const BUCKET_REGION: &str = "x-amz-bucket-region";

/// Returns the fault behind an SDK error. `tried` says what was tried on what: `create role
/// checkout-edge`.
pub(crate) fn fault<E>(tried: impl Into<String>, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let tried = tried.into();
    if let Some(Stopped(last)) = within(error) {
        return Fault { tried, ..last.clone() };
    }
    let code = error.code().map(str::to_owned);
    let status = error.raw_response().map(|response| response.status().as_u16());
    let text = error.message().map_or_else(|| words(error, status), told);
    let is_garbled = code.is_none() && status.is_some_and(is_success);
    let page = error.raw_response().filter(|_| code.is_none()).and_then(page);
    let is_page = page.is_some();
    let text = page.map_or(text, |page| format!("a web page came instead of AWS's answer: {page}"));
    let way = within::<Lost>(error).map(|lost| lost.cure.clone());
    let Meaning { kind, cure } = match error {
        _ if way.is_some() => Meaning { kind: FaultKind::Unreachable, cure: None },
        _ if is_page => Meaning { kind: FaultKind::Unreachable, cure: Some(cause::PAGE) },
        _ if is_garbled => Meaning { kind: FaultKind::Unreachable, cure: Some(cause::GARBLED) },
        SdkError::DispatchFailure(_)
        | SdkError::TimeoutError(_)
        | SdkError::ConstructionFailure(_) => cause::meaning(error),
        _ => meaning(code.as_deref(), &text, status),
    };
    let message = text;
    let lacks = lacking(kind, &message, || needs(std::any::type_name::<E>()));
    let lies = error.raw_response().and_then(|response| response.headers().get(BUCKET_REGION));
    let named = lies.filter(|_| kind == FaultKind::Elsewhere).and_then(lies_in);
    let fault = Fault {
        hint: named.or(way).or(cure.map(str::to_owned)).or_else(|| hint(kind, &tried, &message)),
        lacks,
        kind,
        tried,
        code,
        message,
        request_id: error.request_id().map(str::to_owned),
    };
    refused(&fault);
    fault
}

/// Returns what one try came to, whichever call it was of.
pub(super) fn of_try(
    tried: String,
    error: &(dyn std::error::Error + 'static),
    response: Option<&HttpResponse>,
) -> Fault {
    let said = within::<ErrorMetadata>(error);
    let code = said.and_then(ErrorMetadata::code).map(str::to_owned);
    let message = said.and_then(ErrorMetadata::message).map_or_else(|| causes(error), told);
    let Meaning { kind, cure } = match response {
        None => cause::meaning(error),
        Some(response) => meaning(code.as_deref(), &message, Some(response.status().as_u16())),
    };
    Fault {
        hint: cure.map(str::to_owned).or_else(|| hint(kind, &tried, &message)),
        code,
        request_id: response.and_then(RequestId::request_id).map(str::to_owned),
        ..Fault::new(kind, tried, message)
    }
}

/// The advice to look in a region. Whoever answers, only what is a region's name is repeated.
fn lies_in(told: &str) -> Option<String> {
    let region: Region = told.parse().ok()?;
    Some(format!("the bucket is in {region}: set `region: {region}` in the spec"))
}

/// Returns the fault behind a refusal inside of an answer that says 200. `needs`: the actions that
/// the refused part takes.
pub(crate) fn in_answer(
    tried: impl Into<String>,
    code: Option<&str>,
    text: Option<&str>,
    needs: &[&str],
) -> Fault {
    let (tried, message) = (tried.into(), text.unwrap_or("AWS gave no reason").to_owned());
    let Meaning { kind, cure } = meaning(code, &message, None);
    let lacks =
        lacking(kind, &message, || needs.iter().map(|action| (*action).to_owned()).collect());
    Fault {
        hint: cure.map(str::to_owned).or_else(|| hint(kind, &tried, &message)),
        lacks,
        code: code.map(str::to_owned),
        ..Fault::new(kind, tried, message)
    }
}

/// Returns the fault of an answer that began, and did not come to its end.
pub(crate) fn broken_off(tried: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    let message = format!("the answer broke off: {}", causes(error));
    let fault = Fault::new(FaultKind::Unreachable, tried, message);
    Fault { hint: hint(fault.kind, tried, &fault.message), ..fault }
}

/// The actions of which a denied caller lacks one: the one that AWS names, else those that the call
/// needs.
fn lacking(kind: FaultKind, text: &str, needs: impl FnOnce() -> Vec<String>) -> Vec<String> {
    if kind != FaultKind::Denied || is_forbidden(text) {
        return Vec::new();
    }
    // "is not authorized to perform: X on resource: Y", Lambda@Edge's "add permission: X for
    // resource: Y", and CloudWatch Logs' "An additional permission "X" is required".
    let named = ["perform: ", "permission: ", "permission \""]
        .iter()
        .find_map(|before| text.split_once(before));
    match named.and_then(|(_, rest)| rest.split_whitespace().next()) {
        Some(action) => vec![action.trim_matches('"').to_owned()],
        None => needs(),
    }
}

/// Denied by what no further right of the caller's own can mend: a boundary, a policy of the
/// organisation, the resource's own, an explicit deny (IAM User Guide, "Troubleshoot access denied
/// error messages").
fn is_forbidden(text: &str) -> bool {
    let lacking = text.split_once("because no ").map(|(_, policy)| policy);
    text.contains("explicit deny")
        || lacking.is_some_and(|policy| !policy.starts_with("identity-based"))
}

/// What a call needs, by the name of its error's type,
/// `aws_sdk_s3::operation::put_object::PutObjectError`: nothing else in an SDK error says which
/// call it was, and a hint is all that is made of it. Operations are called as their actions are,
/// except for those of S3 (Service Authorization Reference; Amazon S3 API Reference, the
/// permissions of each operation).
fn needs(error: &str) -> Vec<String> {
    let service = match error.split("::").next().and_then(|name| name.strip_prefix("aws_sdk_")) {
        Some("cloudwatchlogs") => "logs",
        service => service.unwrap_or_default(),
    };
    let operation =
        error.rsplit("::").next().and_then(|name| name.strip_suffix("Error")).unwrap_or_default();
    let actions: &[&str] = match operation {
        "HeadBucket" | "ListObjectsV2" => &["ListBucket"],
        // Without the right to list, a key that is not there is denied, too.
        "HeadObject" | "GetObject" => &["GetObject", "ListBucket", "GetObjectVersion"],
        // With If-Match, also the right to read.
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            &["PutObject", "GetObject"]
        }
        "DeleteObject" => &["DeleteObject", "GetObject", "DeleteObjectVersion"],
        "DeleteObjects" => &["DeleteObject", "DeleteObjectVersion"],
        "CreateBucket" => &["CreateBucket", "TagResource", "PutBucketOwnershipControls"],
        "ListBuckets" => &["ListAllMyBuckets"],
        "ListObjectVersions" => &["ListBucketVersions"],
        "ListMultipartUploads" => &["ListBucketMultipartUploads"],
        "GetPublicAccessBlock" => &["GetBucketPublicAccessBlock"],
        "PutPublicAccessBlock" => &["PutBucketPublicAccessBlock"],
        "GetBucketEncryption" => &["GetEncryptionConfiguration"],
        "GetBucketAbac" => &["GetBucketABAC"],
        "CreateDistributionWithTags" => &["CreateDistribution", "TagResource"],
        other => &[other],
    };
    actions.iter().map(|action| format!("{service}:{action}")).collect()
}

/// AWS's own words, but for what it repeats to whoever has signed falsely: all that he has signed,
/// the session token included.
fn told(message: &str) -> String {
    message
        .split("The Canonical String for this request")
        .next()
        .unwrap_or_default()
        .trim_end()
        .into()
}

/// What a web page says that came in AWS's place. No service of AWS that is called here answers in
/// HTML, nor sends elsewhere without saying in which region a bucket is; but failing machines of
/// its own may.
fn page(response: &HttpResponse) -> Option<String> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name);
    if (300..400).contains(&status) && header(BUCKET_REGION).is_none() {
        return header("location").map(|place| format!("HTTP status {status}, to {place}"));
    }
    let is_html = header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if !is_html || status >= 500 {
        return None;
    }
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    Some(format!("HTTP status {status}, {}", said(&text)))
}

/// The words of a page, without its markup.
fn said(page: &str) -> String {
    const LONGEST: usize = 200;
    let lower = page.to_ascii_lowercase();
    let (mut words, mut rest) = (String::new(), page);
    while !rest.is_empty() {
        let same = &lower[page.len() - rest.len()..];
        let skipped = ["<script", "<style"].iter().find(|tag| same.starts_with(**tag));
        let end = match skipped {
            // Up to its end, which is a tag of its own.
            Some(tag) => {
                same[1..].find(&format!("</{}", &tag[1..])).map_or(rest.len(), |at| at + 1)
            }
            None if rest.starts_with('<') => {
                words.push(' ');
                rest.find('>').map_or(rest.len(), |at| at + 1)
            }
            None => {
                let end = rest.find('<').unwrap_or(rest.len());
                words += &rest[..end];
                end
            }
        };
        rest = &rest[end..];
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let words: String = words.join(" ").chars().take(LONGEST).collect();
    if words.is_empty() { "without a word".to_owned() } else { format!("\"{words}\"") }
}

fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

fn words<E: std::error::Error + 'static>(
    error: &SdkError<E, HttpResponse>,
    status: Option<u16>,
) -> String {
    let body = error.raw_response().and_then(|response| response.body().bytes());
    match (error, status) {
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status))
            if is_success(status) =>
        {
            let bytes = body.map(|body| format!(", {} bytes", body.len())).unwrap_or_default();
            format!(
                "AWS's answer (HTTP status {status}{bytes}) cannot be understood: {}",
                causes(error)
            )
        }
        (SdkError::ServiceError(_), Some(status)) => {
            format!("AWS answered with HTTP status {status} and no text")
        }
        _ => causes(error),
    }
}

fn hint(kind: FaultKind, tried: &str, text: &str) -> Option<String> {
    let hint = match kind {
        FaultKind::Denied if text.contains("explicit deny in an identity-based policy") => {
            "a policy of the caller denies it (`Effect: Deny`), and no other policy can allow it: \
                change that policy, or use another identity"
        }
        FaultKind::Denied if is_forbidden(text) => {
            "not the caller's own policies forbid it, but another one (of the organisation, a \
                boundary, or the resource's own): the account's administrators can tell which"
        }
        FaultKind::Elsewhere => {
            "the bucket is in another region: set `region` in the spec to that one"
        }
        FaultKind::NotFound => {
            "another user took it down in the meantime: run the same command again, it plans anew"
        }
        FaultKind::AlreadyExists => {
            "another user made it in the meantime: run the same command again, it plans anew"
        }
        FaultKind::InUse => {
            "something else uses it, perhaps since a moment ago: run the same command again, it \
                plans anew"
        }
        FaultKind::MovedOn => {
            "another user changed it in the meantime: run the same command again, it plans anew"
        }
        FaultKind::Busy | FaultKind::Failing | FaultKind::Throttled => {
            "run the same command again; what is done stays done"
        }
        FaultKind::NotPropagated => {
            "IAM has not told every region yet; run the same command again in a minute"
        }
        FaultKind::Credentials => {
            "sign in again (for instance `aws sso login`), or set AWS_PROFILE; try `aws sts \
                get-caller-identity`"
        }
        FaultKind::Unreachable => {
            "check the network, the proxy variables and `--endpoint-url`; then run the same \
                command again"
        }
        FaultKind::Denied => {
            return Some(format!(
                "the caller may not {tried}; `provision policy --for apply` (or destroy, plan, \
                    toggle, sweep) prints what it takes"
            ));
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// S3's code for a bucket that is not there, which only answers with a body carry.
pub(crate) const NO_SUCH_BUCKET: &str = "NoSuchBucket";

/// "It is not there" is an answer, not a fault.
///
/// # Errors
/// Every other fault.
pub(crate) fn absent<T>(result: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests;
