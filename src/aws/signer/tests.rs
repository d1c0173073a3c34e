//! Who signs in which surroundings, and what whoever is refused is told.

use super::*;
use aws_config::profile::parser::load;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

const CONFIG: &str = "\
[profile keys]
aws_access_key_id = AKIAKEYS
aws_secret_access_key = secret
[profile odd]
aws_access_key_id = AKIA\u{fc}
aws_secret_access_key = secret
[profile sso]
sso_session = work
sso_account_id = 123456789012
sso_role_name = dev
[profile portal]
sso_start_url = https://x.example
sso_region = us-east-1
[profile login]
login_session = arn:aws:iam::123456789012:user/a
[profile process]
credential_process = keys
[profile chain]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = sso
[profile long]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = keys
duration_seconds = 43200
[profile hour]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = keys
duration_seconds = 3600
[profile device]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile gone]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = nowhere
[profile circle]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = turn
[profile turn]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = circle
[profile web]
role_arn = arn:aws:iam::123456789012:role/deploy
web_identity_token_file = /nowhere/token
[profile instance]
role_arn = arn:aws:iam::123456789012:role/deploy
credential_source = Ec2InstanceMetadata
[profile empty]
region = eu-west-1
";

async fn profiles(selected: &str) -> ProfileSet {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, CONFIG).build();
    let fs = Fs::from_slice(&[]);
    load(&fs, &Env::from_slice(&[]), &files, Some(selected.to_owned().into())).await.unwrap()
}

fn none(_: &str) -> Option<String> {
    None
}

fn keys(name: &str) -> Option<String> {
    let is_key = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name);
    is_key.then(|| "AKIAENV".to_owned())
}

async fn signer(profile: &str) -> Signer {
    Signer::of(Some(profile), none, &profiles(profile).await).unwrap()
}

fn refused(code: Option<&str>, message: &str) -> Fault {
    let code = code.map(str::to_owned);
    Fault { code, ..Fault::new(FaultKind::Credentials, "x", message) }.hinted("said before")
}

#[tokio::test]
async fn a_time_of_a_role_that_the_sdk_does_not_ask_for_is_told() {
    for (profile, is_told) in [("keys", false), ("chain", false), ("hour", false), ("long", true)] {
        let told = signer(profile).await.unheeded();
        assert_eq!(told.is_some(), is_told, "{profile}: {told:?}");
        assert!(told.is_none_or(|(what, _)| what.contains("of profile `long`")));
    }
    let environment = Signer::of(None, keys, &profiles("long").await).unwrap();
    assert_eq!(environment.unheeded(), None);
}

#[tokio::test]
async fn whoever_is_refused_is_told_where_the_keys_came_from() {
    for (profile, message, cure) in [
        ("keys", "", "profile `keys`"),
        ("sso", "no token", "`aws sso login --profile sso`"),
        ("sso", "ForbiddenException: No access", "no role `dev` in account 123456789012"),
        ("portal", "no token", "`aws sso login --profile portal`"),
        ("login", "no token", "`aws login --profile login`"),
        ("process", "ended with 1", "`credential_process` of profile `process`"),
        ("chain", "no token", "`aws sso login --profile sso`"),
        ("chain", "AccessDenied: no", "taking on arn:aws:iam::123456789012:role/deploy"),
        ("device", "AccessDenied: no", "wants a code from an MFA device"),
        ("instance", "connection refused", "said before"),
        ("empty", "no credentials", "said before"),
        ("circle", "a circle", "said before"),
    ] {
        let hint = signer(profile).await.explain(refused(None, message)).hint.unwrap();
        assert!(hint.contains(cure), "{profile} {message}: {hint}");
    }
    let signer = Signer::of(None, keys, &profiles("sso").await).unwrap();
    let expired = signer.explain(refused(Some("ExpiredToken"), "expired")).hint.unwrap();
    assert!(expired.contains("unset AWS_ACCESS_KEY_ID") && expired.contains("`--profile`"));
    assert!(!expired.contains("said before"), "AWS_PROFILE does not help: {expired}");
    let unknown = signer.explain(refused(Some("InvalidClientTokenId"), "no")).hint.unwrap();
    assert!(unknown.starts_with("said before; the keys stand in the environment"), "{unknown}");
    for (code, hint) in [("RequestTimeTooSkewed", CLOCK), ("OptInRequired", "sign up")] {
        let fault = refused(Some(code), "").hinted(hint);
        assert_eq!(signer.explain(fault.clone()), fault, "{code}");
    }
    let other = Fault::new(FaultKind::Denied, "x", "no");
    assert_eq!(signer.explain(other.clone()), other);
}

#[tokio::test]
async fn what_cannot_sign_is_said_before_anybody_is_asked() {
    for (profile, says) in [
        ("gone", "from profile `nowhere` (`source_profile`)"),
        ("web", "/nowhere/token (`web_identity_token_file` of profile `web`)"),
        ("odd", "`aws_access_key_id` of profile `odd`"),
    ] {
        let fault = Signer::of(Some(profile), none, &profiles(profile).await).unwrap_err();
        assert!(fault.to_string().contains(says), "{fault}");
    }
    let variables: [(Variable, &str); 6] = [
        (|name| (name == "AWS_ACCESS_KEY_ID").then(|| "A".into()), "AWS_SECRET_ACCESS_KEY is not"),
        (|name| (name == "AWS_SECRET_ACCESS_KEY").then(|| "A".into()), "AWS_ACCESS_KEY_ID is not"),
        (|name| keys(name).map(|key| format!("{key}\n")), "AWS_ACCESS_KEY_ID has a line break"),
        (|name| keys(name).map(|key| format!("{key}\u{fc}")), "AWS_ACCESS_KEY_ID has a line break"),
        (
            |name| if name == "AWS_SESSION_TOKEN" { Some("a\rb".into()) } else { keys(name) },
            "AWS_SESSION_TOKEN has a line break",
        ),
        (
            |name| (name == "AWS_WEB_IDENTITY_TOKEN_FILE").then(|| "/nowhere/token".into()),
            "/nowhere/token (AWS_WEB_IDENTITY_TOKEN_FILE)",
        ),
    ];
    let empty = profiles("empty").await;
    for (variable, says) in variables {
        let fault = Signer::of(None, variable, &empty).unwrap_err();
        assert!(fault.to_string().contains(says), "{fault}");
    }
    // A flag weighs more.
    assert!(Signer::of(Some("keys"), variables[0].0, &profiles("keys").await).is_ok());
    let spaced = |name: &str| match name {
        "AWS_SESSION_TOKEN" => Some("token\n".to_owned()),
        _ => keys(name),
    };
    assert!(Signer::of(None, spaced, &empty).is_ok(), "the SDK takes blanks off the token's ends");
}
