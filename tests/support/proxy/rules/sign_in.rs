//! Where a program gets credentials from: IAM Identity Center, AWS Sign-In, STS, the container's and
//! the machine's own agent. Each hands out a key of its own, and only to who shows what that takes
//! (AWS SDKs and Tools Reference Guide, "Standardized credential providers").

use serde_json::json;

use super::super::classify::Request;
use super::super::reply::{Reply, error};

/// In a file as `aws sso login` writes it; has ended.
pub const SSO_REFRESH: &str = "sso-refresh";
/// What the portal wants to see.
pub const SSO_TOKEN: &str = "sso-token";
/// In a file as `aws login` writes it.
pub const LOGIN_REFRESH: &str = "login-refresh";
/// What signs the first link of a chain of roles.
pub const CHAIN_BASE: &str = "AKIACHAINBASE";
/// What a cluster, or a CI system, gives to a job.
pub const WEB_TOKEN: &str = "web-identity-token";
/// What an agent gives to the containers of its machine.
pub const CONTAINER_TOKEN: &str = "container-token";

const IMDS_TOKEN: &str = "imds-token";
const END: &str = "2099-01-01T00:00:00Z";
const END_IN_MILLISECONDS: u64 = 4_070_908_800_000;

/// What whoever signed in with `key` sends along.
pub fn session_token(key: &str) -> String {
    format!("session-of-{key}")
}

/// The answer of a desk that hands out credentials.
pub fn answer(request: &Request) -> Option<Reply> {
    let answer = match request.operation.as_str() {
        "oidc:POST /token" => (request.json()["refreshToken"] == SSO_REFRESH).then(|| {
            let token = json!({ "accessToken": SSO_TOKEN, "expiresIn": 3600 });
            Reply::new(200, "application/json", token.to_string())
        }),
        "sso:GET /federation/credentials" => {
            let is_known = request.header("x-amz-sso_bearer_token") == Some(SSO_TOKEN);
            is_known.then(|| {
                let keys = json!({ "roleCredentials": {
                    "accessKeyId": "ASIASSO", "secretAccessKey": "secret",
                    "sessionToken": session_token("ASIASSO"), "expiration": END_IN_MILLISECONDS,
                } });
                Reply::new(200, "application/json", keys.to_string())
            })
        }
        "signin:POST /v1/token" => {
            let proves = request.header("dpop").is_some();
            (proves && request.json()["refreshToken"] == LOGIN_REFRESH).then(|| {
                let token = json!({
                    "accessToken": {
                        "accessKeyId": "ASIALOGIN", "secretAccessKey": "secret",
                        "sessionToken": session_token("ASIALOGIN"),
                    },
                    "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": LOGIN_REFRESH,
                });
                Reply::new(200, "application/json", token.to_string())
            })
        }
        "sts:AssumeRole" => {
            let signer = request.header("authorization").unwrap_or_default();
            [CHAIN_BASE, "ASIACONTAINER"]
                .iter()
                .any(|key| signer.contains(&format!("Credential={key}/")))
                .then(|| assumed("AssumeRole", "ASIACHAIN"))
        }
        "sts:AssumeRoleWithWebIdentity" => (request.field("WebIdentityToken").as_deref()
            == Some(WEB_TOKEN))
        .then(|| assumed("AssumeRoleWithWebIdentity", "ASIAWEB")),
        "container:GET /task" => (request.header("authorization") == Some(CONTAINER_TOKEN))
            .then(|| Reply::new(200, "application/json", agents("ASIACONTAINER"))),
        operation => return metadata(operation, request),
    };
    Some(answer.unwrap_or_else(|| error(request, 403, "AccessDenied", "Access Denied")))
}

/// Version 2: nothing without a token that was asked for with PUT (Amazon EC2 User Guide, "Use the
/// Instance Metadata Service").
fn metadata(operation: &str, request: &Request) -> Option<Reply> {
    const ROLE: &str = "/latest/meta-data/iam/security-credentials/";
    let (method, path) = operation.strip_prefix("imds:")?.split_once(' ')?;
    if (method, path) == ("PUT", "/latest/api/token") {
        let token = Reply::new(200, "text/plain", IMDS_TOKEN);
        return Some(token.with_header("x-aws-ec2-metadata-token-ttl-seconds", "21600"));
    }
    if request.header("x-aws-ec2-metadata-token") != Some(IMDS_TOKEN) {
        return Some(Reply::new(401, "text/plain", ""));
    }
    Some(match path.strip_prefix(ROLE) {
        Some("") => Reply::new(200, "text/plain", "instance"),
        Some("instance") => Reply::new(200, "text/plain", agents("ASIAINSTANCE")),
        _ => Reply::new(404, "text/plain", ""),
    })
}

fn agents(key: &str) -> String {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z",
        "AccessKeyId": key, "SecretAccessKey": "secret", "Token": session_token(key),
        "Expiration": END,
    })
    .to_string()
}

fn assumed(operation: &str, key: &str) -> Reply {
    let token = session_token(key);
    let keys = format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{END}</Expiration></Credentials>"
    );
    let user = "<AssumedRoleUser><AssumedRoleId>AROA:job</AssumedRoleId>\
         <Arn>arn:aws:sts::000000000000:assumed-role/deploy/job</Arn></AssumedRoleUser>";
    let body = format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <{operation}Result>{keys}{user}</{operation}Result></{operation}Response>"
    );
    Reply::new(200, "text/xml", body)
}
