//! A local edge that runs, on threads in which no panic goes unseen.

use provision::edge::{
    Addresses, CustomError, Distribution, EdgeEvent, EdgeSettings, Folder, Function, Labels, Later,
    ObjectHeaders, Package, Runtime, Supplies, Switch, SwitchState, serve,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::runtime::Runtime as Threads;
use tokio::sync::{mpsc, oneshot};

/// A peer that says nothing for so long is as good as one that hangs.
const SILENCE: Duration = Duration::from_secs(30);
/// The threads of every edge here.
const THREAD: &str = "edge";

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what panics in an edge: a task's panic ends that task alone, and would be overlooked.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(THREAD) {
                PANICS.lock().unwrap().push(panic.to_string());
            } else {
                usual(panic);
            }
        }));
    });
}

pub(crate) struct Edge {
    pub(crate) addresses: Addresses,
    pub(crate) folder: TempDir,
    threads: Threads,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

struct AlwaysOff;

impl Switch for AlwaysOff {
    fn state(&self) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(async { Ok(SwitchState { on: false, facts: Vec::new() }) })
    }

    fn turn(&self, _: bool) -> Later<'_, Result<SwitchState, String>> {
        self.state()
    }
}

/// The page under `/`.
pub(crate) const HOME: &str = "<h1>home</h1>";

impl Edge {
    /// Starts one whose function is this Python source; `programs` gets a folder that comes first
    /// on its `PATH`.
    pub(crate) fn start(source: &str, programs: impl FnOnce(&Path)) -> Self {
        keep_panics();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["site/docs", "code", "programs"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        for (name, text) in
            [("site/home.html", HOME), ("site/docs/a b.txt", "text"), ("code/edge.py", source)]
        {
            std::fs::write(path(name), text).unwrap();
        }
        programs(&path("programs"));
        let labels = |_: &str, _: &[u8]| Labels {
            headers: ObjectHeaders::new("text/html", ""),
            ..Labels::default()
        };
        let package = Package {
            directory: path("code"),
            handler: "edge.handler".into(),
            runtime: Runtime::Python(13),
            hash: "1".into(),
        };
        let supplies = Supplies {
            objects: Arc::new(Folder::open(&path("site"), labels).unwrap()),
            switch: Arc::new(AlwaysOff),
            package: Arc::new(move || Ok(package.clone())),
            now: || SystemTime::UNIX_EPOCH,
        };
        let settings = settings(format!("{}:{}", path("programs").display(), search_path()));
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(THREAD)
            .enable_all()
            .build()
            .unwrap();
        let (observer, mut events) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let served = threads.spawn(async {
            serve(settings, supplies, observer, async { drop(stopped.await) }).await.unwrap();
        });
        let Some(EdgeEvent::Listening(addresses)) = events.blocking_recv() else {
            panic!("it does not listen")
        };
        Self { addresses, folder, threads, stop: Some(stop), served }
    }

    /// Sends a whole request that asks for the connection's end, and gives all that comes.
    pub(crate) fn ask(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.addresses.viewer).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all
    }

    /// Fails if anything in any edge has panicked since the last time.
    pub(crate) fn is_sound(&self) {
        let panics = std::mem::take(&mut *PANICS.lock().unwrap());
        assert!(panics.is_empty(), "{panics:?}");
        assert!(!self.served.is_finished(), "it serves no more");
    }
}

/// Sends bytes, and gives all that comes until the edge closes the connection. What the bytes begin
/// and do not end is given up.
pub(crate) fn exchange(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    // Whoever is refused early may find the connection closed.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    if stream.read_to_end(&mut all).is_err() {
        let _ = stream.shutdown(Shutdown::Write);
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        if let Err(error) = stream.read_to_end(&mut all) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it neither answers nor closes");
        }
    }
    all
}

impl Drop for Edge {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.threads.block_on(&mut self.served);
    }
}

fn settings(search_path: String) -> EdgeSettings {
    EdgeSettings {
        port: 0,
        distribution: Distribution {
            id: "EDFDVBD6EXAMPLE".into(),
            domain_name: "d111111abcdef8.cloudfront.net".into(),
            default_root_object: Some("home.html".into()),
            custom_errors: CustomError::missing("home.html", 200),
            hidden: Vec::new(),
            function_on: vec!["*".into()],
            root_before_function: false,
        },
        function: Function {
            name: "shop-edge".into(),
            version: "1".into(),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            memory: 128,
            timeout: Duration::from_secs(5),
            search_path,
            instances: 1,
        },
        bucket: "shop".into(),
        about: Vec::new(),
        viewer_address: None,
        masked: String::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no caller who could hand it in")]
fn search_path() -> String {
    std::env::var("PATH").unwrap()
}
