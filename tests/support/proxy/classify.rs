//! Which AWS operation an HTTP request is.

use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Uri};

pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// A request as the rules see it.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: bytes::Bytes,
    /// For instance `s3:PutObject`; an unknown one is named by its method and path.
    pub operation: String,
    /// The name in the `Host` header.
    pub host: String,
    /// Path and query as they were sent; `uri` has the bucket in the path also where a client
    /// put it into the host's name.
    pub target: String,
}

impl Request {
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: bytes::Bytes) -> Self {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.to_owned();
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let uri = match bucket_of(&host) {
            Some(bucket) => format!("/{bucket}{target}").parse().unwrap(),
            None => uri,
        };
        let operation = operation(&method, &uri, &headers, &body);
        Self { method, uri, headers, body, operation, host, target }
    }

    pub fn path(&self) -> String {
        decode(self.uri.path())
    }

    /// The path's segments, decoded, without the empty first one.
    pub fn segments(&self) -> Vec<String> {
        self.uri.path().trim_matches('/').split('/').map(decode).collect()
    }

    pub fn query(&self, name: &str) -> Option<String> {
        query(&self.uri, name)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A field of a form-encoded body (IAM, STS).
    pub fn field(&self, name: &str) -> Option<String> {
        field(&String::from_utf8_lossy(&self.body), name)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Does it only look? CloudWatch Logs posts its questions, too.
    pub fn is_reading(&self) -> bool {
        let asks = |question: &&str| self.operation.starts_with(*question);
        matches!(self.method, Method::GET | Method::HEAD)
            || ["logs:Describe", "logs:List"].iter().any(asks)
    }

    pub fn service(&self) -> &str {
        self.operation.split(':').next().unwrap_or_default()
    }

    /// The region that the request is signed for.
    pub fn region(&self) -> String {
        let scope =
            self.header("authorization").and_then(|header| header.split("Credential=").nth(1));
        scope.and_then(|scope| scope.split('/').nth(2)).unwrap_or_default().to_owned()
    }

    /// Was it sent to a name of AWS's, or to one of its addresses inside of a machine?
    pub fn is_to_aws(&self) -> bool {
        self.host.contains(".amazonaws.com") || desk(&self.host).is_some()
    }

    /// The account that ministack puts this caller into.
    pub fn account(&self) -> String {
        self.header("authorization")
            .and_then(|header| header.split("Credential=").nth(1)?.split('/').next())
            .filter(|key| key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or(DEFAULT_ACCOUNT)
            .to_owned()
    }
}

fn operation(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> String {
    let service = service(headers, body);
    let path: Vec<_> = uri.path().trim_matches('/').split('/').collect();
    let name = match service.as_str() {
        "s3" => Some(s3(method, uri, headers)),
        "lambda" => lambda(method, &path).map(str::to_owned),
        "cloudfront" => cloudfront(method, uri, &path),
        _ => headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok()?.rsplit('.').next().map(str::to_owned))
            .or_else(|| field(&String::from_utf8_lossy(body), "Action")),
    };
    name.map_or_else(
        || format!("{service}:{method} {}", uri.path()),
        |name| format!("{service}:{name}"),
    )
}

/// The bucket in the name of a host (Amazon S3 User Guide, "Virtual hosting of general purpose
/// buckets").
fn bucket_of(host: &str) -> Option<&str> {
    Some(host.strip_suffix(".amazonaws.com")?.rsplit_once(".s3.")?.0)
}

/// Who hands out credentials there.
fn desk(host: &str) -> Option<&'static str> {
    let named = |name: &str| host.contains(name);
    match host {
        "169.254.169.254" => Some("imds"),
        "169.254.170.2" => Some("container"),
        _ if named("portal.sso.") => Some("sso"),
        _ if named("oidc.") => Some("oidc"),
        _ if named(".signin.aws") => Some("signin"),
        _ => None,
    }
}

fn service(headers: &HeaderMap, body: &[u8]) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if let Some(desk) = host.and_then(desk) {
        return desk.to_owned();
    }
    let signed = headers.get("authorization").and_then(|header| {
        header.to_str().ok()?.split("Credential=").nth(1)?.split('/').nth(3).map(str::to_owned)
    });
    signed.unwrap_or_else(|| {
        let form = headers
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"));
        if form && !body.is_empty() { "sts".to_owned() } else { "s3".to_owned() }
    })
}

const BUCKET_PARTS: [(&str, &str); 11] = [
    ("abac", "BucketAbac"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("encryption", "BucketEncryption"),
    ("versioning", "BucketVersioning"),
    ("tagging", "BucketTagging"),
    ("policyStatus", "BucketPolicyStatus"),
    ("policy", "BucketPolicy"),
    ("location", "BucketLocation"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("acl", "BucketAcl"),
];

fn s3(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let has = |name: &str| query(uri, name).is_some();
    let verb = match *method {
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => "Get",
    };
    if bucket.is_empty() {
        return "ListBuckets".to_owned();
    }
    if !key.is_empty() {
        let copied = headers.contains_key("x-amz-copy-source");
        return match *method {
            Method::PUT if has("partNumber") => {
                if copied { "UploadPartCopy" } else { "UploadPart" }.to_owned()
            }
            Method::POST if has("uploads") => "CreateMultipartUpload".to_owned(),
            Method::POST if has("uploadId") => "CompleteMultipartUpload".to_owned(),
            Method::DELETE if has("uploadId") => "AbortMultipartUpload".to_owned(),
            _ if has("tagging") => format!("{verb}ObjectTagging"),
            _ if has("acl") => format!("{verb}ObjectAcl"),
            Method::PUT if copied => "CopyObject".to_owned(),
            Method::HEAD => "HeadObject".to_owned(),
            _ => format!("{verb}Object"),
        };
    }
    if let Some((_, part)) = BUCKET_PARTS.iter().find(|(name, _)| has(name)) {
        return format!("{verb}{part}");
    }
    match *method {
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::HEAD => "HeadBucket",
        Method::POST => "DeleteObjects",
        _ if has("versions") => "ListObjectVersions",
        _ if has("uploads") => "ListMultipartUploads",
        _ if query(uri, "list-type").as_deref() == Some("2") => "ListObjectsV2",
        _ => "ListObjects",
    }
    .to_owned()
}

fn lambda(method: &Method, path: &[&str]) -> Option<&'static str> {
    // The first segment is the API's date, and not the same one for every operation.
    Some(match (method.as_str(), &path[1..]) {
        ("POST", ["functions"]) => "CreateFunction",
        ("GET", ["functions"]) => "ListFunctions",
        ("GET", ["functions", _]) => "GetFunction",
        ("DELETE", ["functions", _]) => "DeleteFunction",
        ("PUT", ["functions", _, "code"]) => "UpdateFunctionCode",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("POST", ["functions", _, "versions"]) => "PublishVersion",
        ("GET", ["functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", ["functions", _, "invocations"]) => "Invoke",
        ("GET", ["functions", _, "policy"]) => "GetPolicy",
        ("POST", ["functions", _, "aliases"]) => "CreateAlias",
        ("GET", ["functions", _, "aliases"]) => "ListAliases",
        ("GET", ["tags", ..]) => "ListTags",
        ("POST", ["tags", ..]) => "TagResource",
        ("DELETE", ["tags", ..]) => "UntagResource",
        _ => return None,
    })
}

fn cloudfront(method: &Method, uri: &Uri, path: &[&str]) -> Option<String> {
    let kind = match *path.get(1)? {
        "distribution" => "Distribution",
        "origin-access-control" => "OriginAccessControl",
        "cache-policy" => "CachePolicy",
        "origin-request-policy" => "OriginRequestPolicy",
        "response-headers-policy" => "ResponseHeadersPolicy",
        "function" => "Function",
        "tagging" => {
            return Some(match (method.as_str(), query(uri, "Operation").as_deref()) {
                ("POST", Some("Tag")) => "TagResource".to_owned(),
                ("POST", Some("Untag")) => "UntagResource".to_owned(),
                _ => "ListTagsForResource".to_owned(),
            });
        }
        _ => return None,
    };
    let plural =
        kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
    Some(match (method.as_str(), &path[2..]) {
        ("POST", []) if kind == "Distribution" && query(uri, "WithTags").is_some() => {
            "CreateDistributionWithTags".to_owned()
        }
        ("POST", []) => format!("Create{kind}"),
        ("GET", []) => format!("List{plural}"),
        ("GET", [_]) => format!("Get{kind}"),
        ("DELETE", [_]) => format!("Delete{kind}"),
        ("GET", [_, "config"]) => format!("Get{kind}Config"),
        ("PUT", [_] | [_, "config"]) => format!("Update{kind}"),
        ("POST", [_, "invalidation"]) => "CreateInvalidation".to_owned(),
        ("GET", [_, "invalidation"]) => "ListInvalidations".to_owned(),
        ("GET", [_, "invalidation", _]) => "GetInvalidation".to_owned(),
        _ => return None,
    })
}

fn query(uri: &Uri, name: &str) -> Option<String> {
    field(uri.query()?, name)
}

fn field(form: &str, name: &str) -> Option<String> {
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(&value.replace('+', " ")))
    })
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
