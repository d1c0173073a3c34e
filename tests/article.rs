//! What people run today runs unchanged: the article's handler with boto3, in the local edge.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test; what is not as expected fails it"
)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

#[path = "support/venv.rs"]
#[expect(unreachable_pub, reason = "the support of other tests needs it")]
mod venv;

/// The article writes its handler against Lambda's own boto3; this is the one that the facts were
/// read from.
const BOTO3: &str = "1.44.5";

const SPEC: &str = "\
stack: article
bucket: { name: demo }
function: { source: ./article.py, handler: article.handler, runtime: python3.13, timeout: 5s }
distribution: { default_root_object: home.html }
";

/// Ended, and its function's processes with it.
struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        let _ =
            Command::new("/bin/sh").args(["-c", &format!("kill -TERM {}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

fn get(site: &str) -> String {
    let place = site.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(place).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_articles_handler_runs_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    std::fs::create_dir(folder.path().join("objects")).unwrap();
    write("objects/home.html", "<h1>home</h1>");
    write("provision.yaml", SPEC);
    write("article.py", include_str!("../benches/edge/article.py"));
    let programs = venv::programs("boto3", BOTO3, &[]);
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(["dev", "--objects", "objects", "--json"]).current_dir(folder.path());
    command.env_clear().env("PATH", format!("{}:{path}", programs.display()));
    let mut edge = Edge(
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
    );
    let mut said = BufReader::new(edge.0.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let listening: Value = serde_json::from_str(&line).unwrap();
    let site = listening["site"].as_str().unwrap();

    let home = get(site);
    assert!(home.starts_with("HTTP/1.1 200 ") && home.ends_with("<h1>home</h1>"), "{home}");
    write("objects/maintenance-on.html", "<h1>später</h1>");
    let page = get(site);
    assert!(
        page.contains("X-Cache: LambdaGeneratedResponse from cloudfront\r\n")
            && page.ends_with("<h1>später</h1>"),
        "{page}"
    );
}
