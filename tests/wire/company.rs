//! The network of a company: a proxy, a certificate authority of its own, and what is said where
//! one of them is wrong.

use super::shop::{OWNED, Ran, Shop};
use crate::support::Rules;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// A proxy that tunnels to whatever it is asked for, or refuses, and remembers what that was.
struct Tunnel {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    /// Everything ends at `target`, whatever the name; without one it wants a password.
    fn to(target: Option<String>) -> Self {
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

    fn asked(&self) -> Vec<String> {
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
    let bundle = folder.path().join("ca.pem");
    let names = ["sts.us-east-1.amazonaws.com", "iam.amazonaws.com"];
    let server = Authority::new(folder.path(), &names).serve();
    let proxy = format!("http://{}", Tunnel::to(Some(server)).address);
    let untrusted = on_aws(&shop, "plan", &[("HTTPS_PROXY", &proxy)]);
    drop(untrusted.exits(1).says("certificate").says("AWS_CA_BUNDLE"));
    let bundle = bundle.to_str().unwrap();
    let trusted = on_aws(&shop, "plan", &[("HTTPS_PROXY", &proxy), ("AWS_CA_BUNDLE", bundle)]);
    let trusted = trusted.exits(1);
    assert!(!trusted.said.contains("certificate"), "{}", trusted.said);
    let missing = on_aws(&shop, "plan", &[("AWS_CA_BUNDLE", "/nowhere.pem")]);
    drop(missing.exits(1).says("could not read the certificates in /nowhere.pem"));
    let config = folder.path().join("config");
    fs::write(&config, format!("[default]\nca_bundle = {bundle}\n")).unwrap();
    let files = [("HTTPS_PROXY", proxy.as_str()), ("AWS_CONFIG_FILE", config.to_str().unwrap())];
    let by_profile = on_aws(&shop, "plan", &files).exits(1);
    assert!(!by_profile.said.contains("certificate"), "{}", by_profile.said);
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
            "aws sso login",
        ),
        ("process", "credential_process = sh -c 'echo broken >&2; exit 1'\n", "broken", "by hand"),
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

/// A certificate for some names, made by openssl, and its own authority.
struct Authority<'a> {
    folder: &'a std::path::Path,
}

impl<'a> Authority<'a> {
    fn new(folder: &'a std::path::Path, names: &[&str]) -> Self {
        let alternatives: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=company".split(' '))
            .args(["-addext", &format!("subjectAltName={}", alternatives.join(","))])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "ca.pem"])
            .current_dir(folder)
            .output();
        let is_made = made.as_ref().is_ok_and(|made| made.status.success());
        assert!(is_made, "openssl makes the certificate (apt-get install openssl): {made:?}");
        Self { folder }
    }

    /// A server with this certificate, which answers everything with a 404.
    fn serve(&self) -> String {
        let script = "import http.server, ssl, sys\n\
            class Answer(http.server.BaseHTTPRequestHandler):\n\
            \x20   def answer(self):\n\
            \x20       self.rfile.read(int(self.headers.get('content-length', 0)))\n\
            \x20       self.send_response(404)\n\
            \x20       self.send_header('content-length', '0')\n\
            \x20       self.end_headers()\n\
            \x20   do_GET = do_POST = do_HEAD = answer\n\
            \x20   log_message = lambda *_: None\n\
            server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answer)\n\
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
            context.load_cert_chain('ca.pem', 'key.pem')\n\
            server.socket = context.wrap_socket(server.socket, server_side=True)\n\
            print(server.server_address[1], flush=True)\n\
            import threading\n\
            threading.Thread(target=server.serve_forever, daemon=True).start()\n\
            sys.stdin.read()\n";
        let mut server = Command::new("python3")
            .args(["-c", script])
            .current_dir(self.folder)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut port).unwrap();
        // It ends with this process, which holds its standard input.
        std::mem::forget(server);
        format!("127.0.0.1:{}", port.trim())
    }
}
