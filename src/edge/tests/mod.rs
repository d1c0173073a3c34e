//! The whole edge on real sockets, with real child processes. Functions here are a few lines each.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::event::tests::distribution;
use super::*;

mod function;
mod people;
mod site;

/// An edge that runs, with a site of two pages.
struct Running {
    addresses: Addresses,
    events: mpsc::UnboundedReceiver<EdgeEvent>,
    folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), EdgeError>>,
}

/// A switch that is a variable.
struct Variable(AtomicBool);

impl Switch for Variable {
    fn state(&self) -> Later<'_, Result<SwitchState, String>> {
        let on = self.0.load(Ordering::SeqCst);
        Box::pin(async move { Ok(SwitchState { on, facts: Vec::new() }) })
    }

    fn turn(&self, on: bool) -> Later<'_, Result<SwitchState, String>> {
        self.0.store(on, Ordering::SeqCst);
        self.state()
    }
}

struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn x_cache(&self) -> &str {
        self.header("x-cache").unwrap_or_default().trim_end_matches(" from cloudfront")
    }
}

/// Starts an edge whose function is this Python source.
async fn python(source: &str) -> Running {
    start("python3.13", "edge.py", source, |_| ()).await
}

async fn start(
    runtime: &str,
    file: &str,
    source: &str,
    change: impl FnOnce(&mut EdgeSettings),
) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["site", "code"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    std::fs::write(path("site/home.html"), "<h1>home</h1>").unwrap();
    std::fs::write(path("site/robots.txt"), "all").unwrap();
    std::fs::write(path("code").join(file), source).unwrap();
    let mut settings = EdgeSettings {
        port: 0,
        distribution: distribution(),
        function: Function {
            name: "demo-edge".into(),
            version: "7".into(),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            memory: 128,
            timeout: Duration::from_secs(5),
            search_path: search_path(),
            instances: 2,
        },
        bucket: "demo".into(),
        about: vec![Fact { name: "stack".into(), value: "demo".into() }],
        viewer_address: None,
        masked: String::new(),
    };
    change(&mut settings);
    let (runtime, directory): (Runtime, PathBuf) = (Runtime::parse(runtime).unwrap(), path("code"));
    let html = |key: &str, _: &[u8]| Labels {
        headers: ObjectHeaders::new(
            if key == "robots.txt" { "text/plain" } else { "text/html" },
            "",
        ),
        ..Labels::default()
    };
    let supplies = Supplies {
        objects: Arc::new(Folder::open(&path("site"), html).unwrap()),
        switch: Arc::new(Variable(AtomicBool::new(false))),
        now: || SystemTime::UNIX_EPOCH,
        package: Arc::new(move || {
            let hash = fingerprint(&directory).map_err(|error| error.to_string())?;
            Ok(Package {
                directory: directory.clone(),
                handler: "edge.handler".into(),
                runtime,
                hash,
            })
        }),
    };
    let (observer, mut events) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve(settings, supplies, observer, async { drop(stopped.await) }));
    let Some(EdgeEvent::Listening(addresses)) = events.recv().await else {
        unreachable!("it does not listen")
    };
    Running { addresses, events, folder, stop, served }
}

impl Running {
    async fn get(&self, path: &str) -> Got {
        self.send("GET", path, "").await
    }

    /// Sends a request to the visitors' port; `headers` are whole lines, each with its line break.
    async fn send(&self, method: &str, path: &str, headers: &str) -> Got {
        send(
            self.addresses.viewer,
            &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"),
            "",
        )
        .await
    }

    /// The next event that `pick` wants.
    async fn event<T>(&mut self, mut pick: impl FnMut(EdgeEvent) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.events.recv().await.expect("the edge runs")) {
                return picked;
            }
        }
    }

    async fn log_line(&mut self, part: &str) -> String {
        self.event(|event| match event {
            EdgeEvent::Log { line, .. } if line.contains(part) => Some(line),
            _ => None,
        })
        .await
    }

    async fn visit(&mut self) -> Visit {
        self.event(|event| if let EdgeEvent::Visit(visit) = event { Some(visit) } else { None })
            .await
    }
}

async fn send(to: SocketAddr, head: &str, body: &str) -> Got {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

#[expect(clippy::disallowed_methods, reason = "tests have no caller who could hand it in")]
fn search_path() -> String {
    std::env::var("PATH").unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
