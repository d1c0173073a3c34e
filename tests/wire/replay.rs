//! Recordings (`--record`): nothing in them is anybody's, and a run on one says what it said on
//! AWS. So a user's report becomes a test: a folder under `recordings/` with the recording, the files of
//! the site and what was said, and its name in `RECORDINGS`.

use super::shop::{OWNED, Ran, Shop};
use crate::support::Rules;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// Folders under `recordings/`, with the command that was recorded.
const RECORDINGS: &[(&str, &str)] = &[("drift", "plan")];

/// Answers from a recording: to each request what AWS answered to it, in order.
struct Replay {
    address: SocketAddr,
    beyond: Arc<Mutex<Vec<String>>>,
}

struct Asked {
    method: String,
    path: String,
    region: String,
    body: String,
}

impl Replay {
    fn of(recording: &str) -> Self {
        let exchanges: Vec<Value> =
            recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let beyond = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&beyond);
        let left: Vec<(Value, bool)> = exchanges.into_iter().map(|it| (it, false)).collect();
        let left = Arc::new(Mutex::new(left));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (left, told) = (Arc::clone(&left), Arc::clone(&told));
                thread::spawn(move || answer(&stream.unwrap(), &left, &told));
            }
        });
        Self { address, beyond }
    }

    /// Runs the binary in a folder, with this as its AWS.
    fn run(&self, folder: &Path, arguments: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command.args(arguments.split(' ')).current_dir(folder).env_clear();
        command.env("HOME", folder).env("AWS_ENDPOINT_URL", format!("http://{}", self.address));
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("NO_PROXY", "127.0.0.1"),
        ] {
            command.env(name, value);
        }
        let ran = Ran::new(arguments, &command.output().unwrap());
        let beyond = self.beyond.lock().unwrap();
        assert_eq!(*beyond, Vec::<String>::new(), "nobody asked for this then\n{}", ran.said);
        ran
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut next = || {
        line.clear();
        reader.read_line(&mut line).ok().map(|_| line.trim_end().to_owned())
    };
    let first = next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut region, mut length) = (String::new(), 0);
    loop {
        let header = next()?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => {
                let scope = value.split_once("Credential=")?.1;
                scope.split('/').nth(2)?.clone_into(&mut region);
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, region, body: String::from_utf8_lossy(&body).into_owned() })
}

fn answer(stream: &TcpStream, left: &Mutex<Vec<(Value, bool)>>, beyond: &Mutex<Vec<String>>) {
    let Some(asked) = read(stream) else { return };
    let fits = |exchange: &Value| {
        exchange["method"] == asked.method.as_str()
            && exchange["path"] == asked.path.as_str()
            && exchange["region"] == asked.region.as_str()
            && exchange["sent"]["text"].as_str().is_none_or(|sent| sent == asked.body)
    };
    let found = {
        let mut left = left.lock().unwrap();
        let next = left.iter_mut().find(|(exchange, used)| !used && fits(exchange));
        next.map(|(exchange, used)| {
            *used = true;
            exchange.clone()
        })
    };
    let (status, headers, body) = match &found {
        None => {
            let Asked { method, path, region, body } = asked;
            beyond.lock().unwrap().push(format!("{method} {path} in {region}: {body}"));
            (400, BTreeMap::new(), "<Error><Code>BeyondTheRecording</Code></Error>".to_owned())
        }
        // No answer came then, either.
        Some(exchange) if exchange["status"].is_null() => return,
        Some(exchange) => {
            let said = exchange["said"].as_object().unwrap();
            let headers = said.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap()));
            let length = exchange["answer"]["bytes"].as_u64().unwrap_or_default();
            let zeros = "0".repeat(usize::try_from(length).unwrap());
            let body = exchange["answer"]["text"].as_str().map_or(zeros, str::to_owned);
            (exchange["status"].as_u64().unwrap(), headers.collect(), body)
        }
    };
    // The id of a request is of no use to anybody else, and so is not recorded.
    let headers = headers.into_iter().chain([("x-amzn-requestid".to_owned(), "recorded")]);
    let headers: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let (length, body) = match (&found, found.as_ref().is_some_and(is_head)) {
        (Some(exchange), true) => (exchange["answer"]["bytes"].as_u64().unwrap_or_default(), ""),
        _ => (body.len() as u64, body.as_str()),
    };
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Recorded\r\n{headers}content-length: {length}\r\nconnection: close\r\n\
         \r\n{body}"
    );
}

fn is_head(exchange: &Value) -> bool {
    exchange["method"] == "HEAD"
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The text word by word with each as `names` has it; what is computed from names has none.
fn renamed(text: &str, names: &BTreeMap<&str, &str>) -> String {
    let is_computed = |word: &str| {
        let is_hex = word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_id = word.len() > 9 && word.starts_with('E') && word == word.to_uppercase();
        is_hex || is_id
    };
    let rename = |word: &str| match names.get(word) {
        Some(name) => (*name).to_owned(),
        None if is_computed(word) => "(computed)".to_owned(),
        None => word.to_owned(),
    };
    let mut renamed = String::new();
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            renamed += &rename(word);
        }
        renamed += &part[word.len()..];
    }
    // Columns are as wide as names are long, and AWS makes up the host.
    let words = renamed.split_whitespace().map(|word| match word.split_once(".cloudfront.") {
        Some(_) => "(host)",
        None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What was said before it was said that something is recorded, but for whom was waited for on the
/// way: that depends on this machine.
fn told(said: &str) -> String {
    let said = said.split_once("\nRecording of ").map_or(said, |(before, _)| before);
    said.lines()
        .filter(|line| !line.starts_with("  still "))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// A stack that somebody has changed since it was applied.
async fn drifted(spec: &str) -> Shop {
    let shop = Shop::applied(spec, Rules::prompt()).await;
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    shop.write("site/index.html", "<h1>another shop</h1>");
    let changed =
        spec.replace("memory: 128", "memory: 192").replace("comment: shop", "comment: new");
    shop.write("provision.yaml", &changed);
    shop
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_run_on_a_recording_says_what_it_said_on_aws() {
    let shop = drifted(OWNED).await;
    for (number, verb) in ["plan", "status", "plan --destroy"].into_iter().enumerate() {
        let report = format!("report{number}");
        let ran = shop.run(&format!("{verb} --record {report}")).exits(0);
        let report = shop.folder.path().join(report);
        let spec = fs::read_to_string(shop.folder.path().join("provision.yaml")).unwrap();
        let veiled = fs::read_to_string(report.join("provision.yaml")).unwrap();
        let names: BTreeMap<&str, &str> = words(&spec).zip(words(&veiled)).collect();
        assert_ne!(names["shop"], "shop", "{veiled}");

        let there = tempfile::tempdir().unwrap();
        for name in ["site", "page.html", "edge.py"] {
            let from = shop.folder.path().join(name);
            if from.is_dir() {
                copied(&from, &there.path().join(name));
            } else {
                fs::copy(from, there.path().join(name)).unwrap();
            }
        }
        fs::write(there.path().join("provision.yaml"), &veiled).unwrap();
        let replay = Replay::of(&fs::read_to_string(report.join("exchanges.jsonl")).unwrap());
        let again = replay.run(there.path(), verb).exits(0);
        let said = renamed(&told(&ran.said), &names);
        assert_eq!(renamed(&told(&again.said), &BTreeMap::new()), said, "{verb}");
    }
}

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/recordings")
}

/// `PROVISION_RECORDINGS=rewrite` records them anew, on the emulator.
#[tokio::test]
async fn every_recording_is_told_as_it_was() {
    #[expect(clippy::disallowed_methods, reason = "asked for by a developer")]
    let rewrites = std::env::var_os("PROVISION_RECORDINGS").is_some();
    for (name, verb) in RECORDINGS {
        let folder = recordings().join(name);
        if rewrites {
            let shop = drifted(OWNED).await;
            shop.run(&format!("{verb} --record report")).exits(0);
            let _ = fs::remove_dir_all(&folder);
            copied(&shop.folder.path().join("report"), &folder);
            copied(&shop.folder.path().join("site"), &folder.join("site"));
            for file in ["page.html", "edge.py"] {
                fs::copy(shop.folder.path().join(file), folder.join(file)).unwrap();
            }
        }
        let there = tempfile::tempdir().unwrap();
        copied(&folder, there.path());
        let recording = fs::read_to_string(folder.join("exchanges.jsonl")).unwrap();
        let said = told(&Replay::of(&recording).run(there.path(), verb).exits(0).said);
        if rewrites {
            fs::write(folder.join("said.txt"), &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(folder.join("said.txt")).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_recording_tells_nothing_that_is_somebodys() {
    const SPEC: &str = "\
stack: zebra-shop
region: eu-west-1
bucket: { name: zebra-files, site: ./site }
maintenance: { page: ./page.html, keys: { on: giraffe-on.html, off: giraffe.html } }
role: { name: okapi-role }
function: { source: ./edge.py, handler: edge.handler, name: gnu-function }
distribution: { default_root_object: index.html, comment: \"ibex <ibex@example.org>\" }
tags: { yak: \"lynx - otter\" }
";
    const OURS: &[&str] = &[
        "zebra",
        "giraffe",
        "okapi",
        "gnu",
        "ibex",
        "yak",
        "lynx",
        "otter",
        "example.org",
        "000000000000",
        "pangolin",
        "aardvark",
        "hidden",
        "Authorization",
        "Signature",
        "x-amz-security",
    ];
    let shop = Shop::new(SPEC, Rules::prompt()).await;
    shop.write("page.html", "<h1>pangolin</h1>");
    shop.write("site/index.html", "<h1>aardvark</h1>");
    let secret = [("AWS_SESSION_TOKEN", "hidden-token"), ("AWS_SECRET_ACCESS_KEY", "hidden-key")];
    for (number, verb) in
        ["apply --yes", "maintenance on --for 45m", "plan", "status", "destroy --yes"]
            .into_iter()
            .enumerate()
    {
        let ran = shop.run_with(&format!("{verb} --record report{number}"), &secret);
        assert!(ran.said.contains("exchanges with AWS, to report"), "{}", ran.said);
        let report = shop.folder.path().join(format!("report{number}"));
        for file in ["exchanges.jsonl", "provision.yaml"] {
            use std::os::unix::fs::PermissionsExt as _;
            let path = report.join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            for name in OURS {
                let found = text.lines().find(|line| line.contains(name));
                assert_eq!(found, None, "{name} in {file} of {verb}");
            }
        }
        assert!(fs::read_to_string(report.join("exchanges.jsonl")).unwrap().lines().count() > 3);
    }
}

#[tokio::test]
async fn a_run_that_fails_is_recorded_and_no_folder_is_mixed_with_another() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let nowhere = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    shop.run_with("plan --record report", &nowhere).exits(1).says("exchanges with AWS, to report");
    let text = fs::read_to_string(shop.folder.path().join("report/exchanges.jsonl")).unwrap();
    assert!(text.lines().all(|line| line.contains("\"status\":null")), "{text}");
    assert!(!text.is_empty());
    shop.run("plan --record report").exits(64).says("it is not empty");
    shop.run("plan --sandbox --record other").exits(64).says("cannot be used with");
    // Nobody can make a folder there; the run is none the worse.
    shop.run("plan --record /proc/none/report").exits(0).says("could not be written");
}

/// Half a recording tells a wrong story.
#[tokio::test]
async fn a_recording_that_does_not_fit_on_the_disk_is_removed() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let arguments = "plan --record report";
    // No file may be larger than that, as if the disk were full then.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_provision")]).args(arguments.split(' '));
    command.current_dir(&shop.folder).env_clear().env("HOME", shop.folder.path());
    command.envs(shop.ground.environment());
    let ran = Ran::new(arguments, &command.output().unwrap());
    ran.exits(0).says("could not be written");
    let left = fs::read_dir(shop.folder.path().join("report")).unwrap().count();
    assert_eq!(left, 0);
}
