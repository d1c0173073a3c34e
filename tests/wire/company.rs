//! The network of a company: a proxy, a certificate authority of its own, and what is said where
//! one of them is wrong.

use super::shop::{OWNED, Ran, Shop};
use crate::support::Rules;
use crate::support::tls::Authority;
use provision::name::Region;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// A proxy that tunnels to whatever it is asked for, or refuses, and remembers what that was.
pub(super) struct Tunnel {
    pub(super) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    /// Everything ends at `target`, whatever the name; without one it wants a password.
    pub(super) fn to(target: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (target, log) = (target.clone(), Arc::clone(&log));
                thread::spawn(move || tunnel(stream, target.as_deref(), &log));
            }
        });
        Self { address, asked }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, target: Option<&str>, log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    log.lock().unwrap().push(line);
    if !head.starts_with(b"CONNECT ") {
        let _ = client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n");
        return;
    }
    let Some(target) = target else {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        let _ = client.write_all(refusal);
        return;
    };
    let mut server = TcpStream::connect(target).unwrap();
    let _ = client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
    drop(std::io::copy(&mut server, &mut client));
}

/// Certificates are for these: every service, a bucket, and who hands out credentials.
pub(super) fn names() -> Vec<String> {
    let mut names = ["", "s3.eu-west-1.", "sso.us-east-1."]
        .map(|place| format!("*.{place}amazonaws.com"))
        .to_vec();
    names.extend(Region::of_edge_logs().iter().map(|region| format!("*.{region}.amazonaws.com")));
    names.extend(["*.signin.aws.amazon.com", "shop.example"].map(str::to_owned));
    names
}

/// Runs without an endpoint of its own: as on AWS.
fn on_aws(shop: &Shop, arguments: &str, environment: &[(&str, &str)]) -> Ran {
    let mut command = shop.command(arguments);
    command.env_remove("AWS_ENDPOINT_URL").env("AWS_MAX_ATTEMPTS", "1");
    command.envs(environment.iter().copied());
    Ran::new(arguments, &command.output().unwrap())
}

#[tokio::test]
async fn every_service_is_asked_through_the_proxy() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let nobody = Tunnel::to(None);
    let proxy = format!("http://{}", nobody.address);
    on_aws(&shop, "plan", &[("HTTPS_PROXY", &proxy)])
        .exits(1)
        .says("proxy authorization")
        .says("USER:PASSWORD");
    let asked = nobody.asked();
    for service in ["sts.", "iam.", "lambda.us-east-1.", "cloudfront."] {
        let connect = |line: &String| line.starts_with(&format!("CONNECT {service}"));
        assert!(asked.iter().any(connect), "{service}: {asked:?}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(&names());
    let server = authority.serve(0, shop.ground.proxy.address()).to_string();
    let proxy = format!("http://{}", Tunnel::to(Some(server)).address);
    let untrusted = on_aws(&shop, "plan", &[("HTTPS_PROXY", &proxy)]);
    drop(untrusted.exits(1).says("certificate").says("AWS_CA_BUNDLE"));
    let bundle = authority.bundle().display().to_string();
    let trusted = on_aws(&shop, "plan", &[("HTTPS_PROXY", &proxy), ("AWS_CA_BUNDLE", &bundle)]);
    drop(trusted.exits(0).says("Plan:"));
    let missing = on_aws(&shop, "plan", &[("AWS_CA_BUNDLE", "/nowhere.pem")]);
    drop(missing.exits(1).says("could not read the certificates in /nowhere.pem"));
    let config = folder.path().join("config");
    fs::write(&config, format!("[default]\nca_bundle = {bundle}\n")).unwrap();
    let files = [("HTTPS_PROXY", proxy.as_str()), ("AWS_CONFIG_FILE", config.to_str().unwrap())];
    drop(on_aws(&shop, "plan", &files).exits(0).says("Plan:"));
}

#[tokio::test]
async fn a_probe_asks_the_site_through_the_proxy_and_trusts_the_same_authority() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let authority = Authority::new(&names());
    let server = authority.serve(0, shop.ground.proxy.address()).to_string();
    let tunnel = Tunnel::to(Some(server));
    let proxy = format!("http://{}", tunnel.address);
    let bundle = authority.bundle().display().to_string();
    let network = [("HTTPS_PROXY", proxy.as_str()), ("AWS_CA_BUNDLE", &bundle)];
    let probe = "maintenance status --probe --url https://shop.example";
    drop(on_aws(&shop, probe, &network).exits(0).says("/index.html"));
    let asked = tunnel.asked();
    assert!(asked.iter().any(|line| line.starts_with("CONNECT shop.example:443 ")), "{asked:?}");
    let untrusted = shop.run_with(probe, &network[..1]);
    drop(untrusted.exits(1).says("certificate"));
}

/// What is wrong → what is said, and what to do.
#[tokio::test]
async fn each_failure_to_sign_in_says_its_cause() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    for (profile, text, cause, cure) in [
        (
            "nobody",
            "",
            "no file of AWS's has a profile of this name",
            "choose one of default, office",
        ),
        ("office", "", "no AWS credentials were found", "--profile"),
        (
            "sso",
            "sso_session = work\nsso_account_id = 123456789012\nsso_role_name = dev\n\n\
                [sso-session work]\nsso_region = us-east-1\nsso_start_url = https://x.example\n",
            "",
            "aws sso login --profile sso",
        ),
        (
            "old",
            "sso_start_url = https://x.example\nsso_region = us-east-1\n\
            sso_account_id = 123456789012\nsso_role_name = dev\n",
            "",
            "aws sso login --profile old",
        ),
        ("login", "login_session = arn:aws:iam::1:user/a\n", "", "aws login --profile login"),
        (
            "web",
            "role_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = /nowhere/token\n",
            "/nowhere/token",
            "CI job",
        ),
        (
            "process",
            "credential_process = sh -c 'echo broken >&2; exit 1'\n",
            "broken",
            "of profile `process` by hand",
        ),
        ("chain", "role_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n", "gone", "--profile"),
    ] {
        let section = if profile == "nobody" { "office" } else { profile };
        let text = format!("[default]\nregion = us-east-1\n[profile {section}]\n{text}");
        fs::write(&config, text).unwrap();
        let mut command = shop.command(&format!("plan --profile {profile}"));
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        command.env("AWS_CONFIG_FILE", &config);
        let ran = Ran::new(profile, &command.output().unwrap()).exits(1);
        drop(ran.says(cause).says(cure).says("hint: "));
    }
}

/// Answers everything with these words.
fn answering(words: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(words.as_bytes());
            });
        }
    });
    address
}

/// What stands between here and AWS → what is said, and what to do.
#[tokio::test]
async fn each_lost_call_says_where_it_was_lost() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let forbidden = answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    let broken = answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    for (proxy, cause, cure) in [
        (
            forbidden.as_str(),
            format!("the proxy {forbidden} answered 403 Forbidden"),
            "ask whoever runs the proxy to let ",
        ),
        (&broken, format!("the proxy {broken} answered 502 Bad Gateway"), "HTTPS_PROXY names"),
        ("127.0.0.1:1", "nothing listens at the proxy 127.0.0.1:1".into(), "correct HTTPS_PROXY"),
        (
            "proxy.invalid:3128",
            "the name of the proxy proxy.invalid:3128 cannot be looked up".into(),
            "correct HTTPS_PROXY",
        ),
    ] {
        let url = format!("http://user:secretword@{proxy}");
        let ran = on_aws(&shop, "plan", &[("HTTPS_PROXY", &url)]).exits(1).says(&cause).says(cure);
        assert!(!ran.said.contains("secretword"), "{}", ran.said);
    }
    let page = answering(
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 37\r\n\r\n\
         <title>vite</title><p>Not here, friend",
    );
    let portal = answering(
        "HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\ncontent-length: 0\r\n\r\n",
    );
    let coded = answering(
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
    );
    for (url, cause, cure) in [
        (format!("http://{page}"), "vite Not here", "is a web server and no AWS"),
        (
            format!("http://{portal}"),
            "302, to http://portal.example/",
            "is a web server and no AWS",
        ),
        (format!("http://{coded}/foo"), "404", "AWS_ENDPOINT_URL has a path (/foo)"),
        (format!("https://{page}"), "", "does not speak TLS"),
    ] {
        drop(shop.run_with("plan", &[("AWS_ENDPOINT_URL", &url)]).exits(1).says(cause).says(cure));
    }
}
