//! How a company's people, jobs and machines sign in, each way against a counterpart of its own. The
//! only way out is the company's proxy, and behind it is a certificate of the company's own.

use super::company::{Tunnel, names};
use super::shop::{OWNED, Ran, Shop};
use crate::support::proxy::rules::sign_in::{
    CHAIN_BASE, CONTAINER_TOKEN, LOGIN_REFRESH, SSO_REFRESH, SSO_TOKEN, WEB_TOKEN, session_token,
};
use crate::support::tls::{Authority, pass_on};
use crate::support::{Rules, namespace};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

/// One way to sign in.
struct Way {
    /// The profile that a user names; none: the surroundings say who it is.
    profile: Option<&'static str>,
    environment: Vec<(&'static str, String)>,
    /// The access key that every call has to be signed with.
    key: &'static str,
    /// Who hands it out, in the proxy's ledger.
    desks: &'static [&'static str],
}

fn by_profile(profile: &'static str, key: &'static str, desks: &'static [&'static str]) -> Way {
    Way { profile: Some(profile), environment: Vec::new(), key, desks }
}

fn by_surroundings<const N: usize>(
    environment: [(&'static str, String); N],
    key: &'static str,
    desks: &'static [&'static str],
) -> Way {
    Way { profile: None, environment: environment.into(), key, desks }
}

const LOGIN: &str = "arn:aws:iam::000000000000:user/login";
const ROLE: &str = "arn:aws:iam::000000000000:role/deploy";
const OIDC: &str = "oidc:POST /token";
const SSO: &str = "sso:GET /federation/credentials";
const SIGN_IN: &str = "signin:POST /v1/token";
const ASSUMED: &str = "sts:AssumeRole";
const WEB: &str = "sts:AssumeRoleWithWebIdentity";
const CONTAINER: &str = "container:GET /task";
const IMDS: [&str; 3] = [
    "imds:PUT /latest/api/token",
    "imds:GET /latest/meta-data/iam/security-credentials/",
    "imds:GET /latest/meta-data/iam/security-credentials/instance",
];

/// `aws sso login` names its files by the SHA-1 of the session's name, or of the portal's address.
const SSO_FILES: [&str; 2] =
    ["e274eeff768c6396088ec6eb091f4bf4d47ab1e0", "c55719e72de215dafe81437949af223c7ad440aa"];

fn ways(shop: &Shop) -> Vec<Way> {
    let file = |name: &str| shop.folder.path().join(name).display().to_string();
    vec![
        by_profile("keys", "AKIAKEYS", &[]),
        by_profile("sso", "ASIASSO", &[OIDC, SSO]),
        by_profile("portal", "ASIASSO", &[SSO]),
        by_profile("login", "ASIALOGIN", &[SIGN_IN]),
        by_profile("process", "ASIAPROCESS", &[]),
        by_profile("chain", "ASIACHAIN", &[ASSUMED]),
        by_profile("web", "ASIAWEB", &[WEB]),
        by_profile("in-container", "ASIACHAIN", &[CONTAINER, ASSUMED]),
        by_surroundings(
            [
                ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ],
            "AKIAENV",
            &[],
        ),
        by_surroundings(
            [
                ("AWS_WEB_IDENTITY_TOKEN_FILE", file("token")),
                ("AWS_ROLE_ARN", ROLE.to_owned()),
                ("AWS_REGION", "eu-west-2".to_owned()),
            ],
            "ASIAWEB",
            &[WEB],
        ),
        by_surroundings(
            [
                ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/task".to_owned()),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN.to_owned()),
            ],
            "ASIACONTAINER",
            &[CONTAINER],
        ),
        by_surroundings(
            [
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2/task".to_owned()),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("container-token")),
            ],
            "ASIACONTAINER",
            &[CONTAINER],
        ),
        by_surroundings([], "ASIAINSTANCE", &IMDS),
    ]
}

/// The files of somebody who signed in some time ago: tokens that have ended are renewed.
fn write_files(shop: &Shop) {
    let home = shop.folder.path().display();
    let ended = "2020-01-01T00:00:00Z";
    let config = format!(
        "[profile keys]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = secret\n\
         [profile sso]\nsso_session = work\nsso_account_id = 000000000000\nsso_role_name = dev\n\
         [sso-session work]\nsso_region = us-east-1\nsso_start_url = https://x.example\n\
         [profile portal]\nsso_start_url = https://x.example\nsso_region = us-east-1\n\
         sso_account_id = 000000000000\nsso_role_name = dev\n\
         [profile login]\nlogin_session = {LOGIN}\nregion = eu-central-1\n\
         [profile process]\ncredential_process = sh {home}/keys.sh\n\
         [profile base]\naws_access_key_id = {CHAIN_BASE}\naws_secret_access_key = secret\n\
         [profile chain]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-central-1\n\
         [profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {home}/token\n\
         [profile in-container]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"
    );
    shop.write(".aws/config", &config);
    let [session, portal] = SSO_FILES;
    let renewed = json!({
        "accessToken": "stale", "expiresAt": ended, "refreshToken": SSO_REFRESH,
        "clientId": "client", "clientSecret": "secret",
        "registrationExpiresAt": "2099-01-01T00:00:00Z",
    });
    shop.write(&format!(".aws/sso/cache/{session}.json"), &renewed.to_string());
    let token = json!({ "accessToken": SSO_TOKEN, "expiresAt": "2099-01-01T00:00:00Z" });
    shop.write(&format!(".aws/sso/cache/{portal}.json"), &token.to_string());
    let key = Command::new("openssl")
        .args("ecparam -name prime256v1 -genkey -noout".split(' '))
        .output()
        .unwrap();
    let login = json!({
        "accessToken": {
            "accessKeyId": "ASIASTALE", "secretAccessKey": "secret", "sessionToken": "stale",
            "accountId": "000000000000", "expiresAt": ended,
        },
        "tokenType": "aws_sigv4", "refreshToken": LOGIN_REFRESH, "idToken": "id",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": String::from_utf8(key.stdout).unwrap(),
    });
    let file = hex::encode(Sha256::digest(LOGIN));
    shop.write(&format!(".aws/login/cache/{file}.json"), &login.to_string());
    let keys = json!({
        "Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "secret",
        "SessionToken": session_token("ASIAPROCESS"), "Expiration": "2099-01-01T00:00:00Z",
    });
    shop.write("keys.sh", &format!("echo '{keys}'\n"));
    shop.write("token", WEB_TOKEN);
    shop.write("container-token", CONTAINER_TOKEN);
}

/// Runs in a company's network, signed in in this way, and returns how it ended.
fn sign_in(shop: &Shop, way: &Way, is_flag: bool, network: &[(&str, String)]) -> Ran {
    write_files(shop);
    let flag = way.profile.filter(|_| is_flag).map(|name| format!(" --profile {name}"));
    let arguments = format!("plan{}", flag.unwrap_or_default());
    let mut command = shop.command(&arguments);
    for (name, _) in shop.ground.environment() {
        command.env_remove(name);
    }
    if is_flag {
        // A flag weighs more than the environment.
        command.env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_SECRET_ACCESS_KEY", "secret");
    } else if let Some(profile) = way.profile {
        command.env("AWS_PROFILE", profile);
    }
    if way.profile == Some("in-container") {
        command.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/task");
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN);
    }
    command.envs(network.iter().map(|(name, value)| (name, value)));
    command.envs(way.environment.iter().map(|(name, value)| (name, value)));
    Ran::new(&arguments, &command.output().unwrap())
}

#[tokio::test]
async fn every_way_to_sign_in_works_behind_a_companys_proxy() {
    let test = "wire::credentials::every_way_to_sign_in_works_behind_a_companys_proxy";
    if !namespace::is_inside(test, &[] as &[&str]) {
        return;
    }
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let behind = shop.ground.proxy.address();
    let authority = Authority::new(&names());
    let tunnel = Tunnel::to(Some(authority.serve(0, behind).to_string()));
    for agent in [namespace::IMDS, namespace::CONTAINER] {
        pass_on(SocketAddr::new(agent.parse().unwrap(), 80), behind);
    }
    let proxy = format!("http://{}", tunnel.address);
    let network = [
        ("AWS_CA_BUNDLE", authority.bundle().display().to_string()),
        ("HTTPS_PROXY", proxy.clone()),
        ("HTTP_PROXY", proxy),
    ];
    for way in ways(&shop) {
        for is_flag in [true, false] {
            if is_flag && way.profile.is_none() {
                continue;
            }
            shop.ground.clear_calls();
            let shown = format!("{:?} {:?}", way.profile, way.environment);
            let ran = sign_in(&shop, &way, is_flag, &network);
            assert_eq!(ran.code, Some(0), "{shown} said:\n{}", ran.said);
            let calls = shop.ground.calls();
            let (desks, asked): (Vec<_>, Vec<_>) =
                calls.iter().partition(|call| hands_out(&call.operation));
            let desks: BTreeSet<&str> = desks.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(desks, way.desks.iter().copied().collect(), "{shown}");
            let services: BTreeSet<&str> =
                asked.iter().map(|call| call.scope().unwrap()[2]).collect();
            assert_eq!(services, ["cloudfront", "iam", "lambda", "s3", "sts"].into(), "{shown}");
            for call in asked {
                assert_eq!(call.scope().unwrap()[0], way.key, "{shown}: {}", call.operation);
                let session = way.key.starts_with("ASIA").then(|| session_token(way.key));
                let sent = call.header("x-amz-security-token");
                assert_eq!(sent, session.unwrap_or_default(), "{shown}: {}", call.operation);
            }
        }
    }
    // The agents of this machine are on it, so no proxy is asked for them.
    let asked = tunnel.asked();
    assert!(asked.iter().all(|line| line.starts_with("CONNECT ")), "{asked:?}");
    for desk in [
        "oidc.us-east-1.amazonaws.com",
        "portal.sso.us-east-1.amazonaws.com",
        // Whoever hands out credentials is asked in the user's own region.
        "eu-central-1.signin.aws.amazon.com",
        "sts.eu-central-1.amazonaws.com",
        "sts.eu-west-2.amazonaws.com",
        "sts.us-east-1.amazonaws.com",
    ] {
        let connect = format!("CONNECT {desk}:443 ");
        assert!(asked.iter().any(|line| line.starts_with(&connect)), "{desk}: {asked:?}");
    }
}

/// Is it asked before somebody is signed in?
fn hands_out(operation: &str) -> bool {
    ["oidc:", "sso:", "signin:", "container:", "imds:", "sts:AssumeRole"]
        .iter()
        .any(|desk| operation.starts_with(desk))
}
