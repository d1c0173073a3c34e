//! What people see: a browser visits the local edge while the window opens and closes, and turns
//! the switch in the console.
//!
//! Needs Debian's chromium. Screenshots are left in `target/screenshots/`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not as expected fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Page};
use headless_chrome::{Browser, Tab};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Ends a program together with the test, however the test ends: `cat` returns when nobody holds
/// the pipe's other end.
const GUARD: &str = r#"trap : TERM; "$@" 2>&1 & exec >/dev/null 2>&1; cat; kill -TERM 0; wait"#;

/// A program that runs beside the test.
struct Running {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).arg(program).args(arguments).process_group(0);
        command.env("PROVISION_SANDBOX_DELAYS", "deploy=0,replicas=0");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        // Goes on to read when nobody listens any more: the program must not wait for a reader.
        thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        Self { process, lines }
    }

    /// The first thing in its output that `find` finds.
    fn says<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        self.lines
            .iter()
            .find_map(|line| find(&line))
            .unwrap_or_else(|| panic!("the program ended without saying it"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The demo in a folder of its own, applied to a sandbox, with the local edge before it.
struct Site {
    folder: TempDir,
    _dev: Running,
    address: String,
    console: String,
}

impl Site {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo");
        fs::create_dir(folder.path().join("site")).unwrap();
        for page in ["site/home.html", "site/maintenance.html"] {
            fs::copy(demo.join(page), folder.path().join(page)).unwrap();
        }
        // Each request asks anew, so that what a browser sees never depends on how fast this
        // machine is.
        let spec = fs::read_to_string(demo.join("provision.yaml")).unwrap();
        let prompt = spec.replace("  retry_after: 10m", "  retry_after: 10m\n  cache: 0s");
        assert_ne!(prompt, spec);
        let file = folder.path().join("provision.yaml");
        fs::write(&file, prompt).unwrap();

        provision(folder.path(), &["apply", "--yes"]);
        let file = file.display().to_string();
        let program = Path::new(env!("CARGO_BIN_EXE_provision"));
        let dev = Running::start(
            program,
            &["dev", "--sandbox", "--json", "--port", "0", "--file", &file],
        );
        let listening = dev.says(|line| {
            documents(line).into_iter().find(|document| document["type"] == "listening")
        });
        let address = |name: &str| listening[name].as_str().unwrap().to_owned();
        Self { address: address("site"), console: address("console"), folder, _dev: dev }
    }

    fn maintenance(&self, arguments: &[&str]) -> Vec<Value> {
        provision(self.folder.path(), &[&["maintenance"], arguments].concat())
    }
}

fn provision(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(arguments).args(["--sandbox", "--json"]).current_dir(folder);
    let output = command.env("PROVISION_SANDBOX_DELAYS", "deploy=0,replicas=0").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    documents(&String::from_utf8(output.stdout).unwrap())
}

fn documents(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a load of a page was about.
enum Seen {
    Status(u32),
    Loaded,
}

/// A browser that nobody has used before.
struct Visitor {
    tab: Arc<Tab>,
    seen: mpsc::Receiver<Seen>,
    _browser: Browser,
    _chromium: Running,
    _profile: TempDir,
}

impl Visitor {
    fn arrive() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless",
            // Chromium's sandbox refuses to run as root, and CI often does.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1200,720",
            "--remote-debugging-port=0",
            &folder,
            "about:blank",
        ];
        let chromium = Running::start(&chromium(), &arguments);
        let address =
            chromium.says(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned));
        let browser = Browser::connect(address).unwrap();
        let tab = browser.new_tab().unwrap();
        let (tell, seen) = mpsc::channel();
        let listen = move |event: &Event| {
            let known = match event {
                Event::NetworkResponseReceived(event)
                    if event.params.Type == Network::ResourceType::Document =>
                {
                    Some(Seen::Status(event.params.response.status))
                }
                Event::PageLoadEventFired(_) => Some(Seen::Loaded),
                _ => None,
            };
            known.map(|known| tell.send(known));
        };
        tab.add_event_listener(Arc::new(listen)).unwrap();
        let enable = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        tab.call_method(enable).unwrap();
        Self { tab, seen, _browser: browser, _chromium: chromium, _profile: profile }
    }

    /// Opens an address and returns status and title of what came.
    fn go(&self, address: &str) -> (u32, String) {
        self.load(|tab| {
            tab.navigate_to(address).unwrap();
        })
    }

    fn reload(&self) -> (u32, String) {
        self.load(|tab| {
            tab.reload(false, None).unwrap();
        })
    }

    fn load(&self, how: impl FnOnce(&Tab)) -> (u32, String) {
        while self.seen.try_recv().is_ok() {}
        how(&self.tab);
        let mut status = 0;
        for seen in &self.seen {
            match seen {
                Seen::Status(code) => status = code,
                Seen::Loaded => break,
            }
        }
        (status, self.tab.get_title().unwrap())
    }

    /// What a script finds, once its promise is kept.
    fn ask(&self, script: &str) -> Value {
        self.tab.evaluate(script, true).unwrap().value.unwrap_or_default()
    }

    /// Returns as soon as the page holds such an element.
    fn wait_for(&self, selector: &str) {
        let script = "new Promise((done) => {
            const look = () => document.querySelector(SELECTOR) && (observer.disconnect(), done());
            const observer = new MutationObserver(look);
            observer.observe(document, { subtree: true, childList: true, attributes: true });
            look();
        })";
        self.ask(&script.replace("SELECTOR", &json!(selector).to_string()));
    }

    /// Presses a key where a person's next key would go.
    fn press(&self, key: &str) {
        self.tab.press_key(key).unwrap();
    }

    fn prefers(&self, scheme: &str) {
        let feature =
            Emulation::MediaFeature { name: "prefers-color-scheme".into(), value: scheme.into() };
        self.tab
            .call_method(Emulation::SetEmulatedMedia { media: None, features: Some(vec![feature]) })
            .unwrap();
    }

    /// Leaves a picture for people.
    fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        let png = self
            .tab
            .capture_screenshot(Page::CaptureScreenshotFormatOption::Png, None, None, true)
            .unwrap();
        fs::write(folder.join(name).with_extension("png"), png).unwrap();
    }
}

/// Where Chromium is.
fn chromium() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test looks for a program of this machine")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "google-chrome"];
    let places =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    places.into_iter().find(|program| program.is_file()).unwrap_or_else(|| {
        panic!(
            "chromium is missing, with which these tests see what people see: `apt-get install \
            chromium`"
        );
    })
}

fn home() -> (u32, String) {
    (200, "The corner bakery".to_owned())
}

fn maintenance() -> (u32, String) {
    (503, "Back soon: the corner bakery".to_owned())
}

#[test]
fn a_visitor_sees_the_window_open_and_close() {
    let site = Site::open();
    let visitor = Visitor::arrive();

    assert_eq!(visitor.go(&site.address), home());
    visitor.picture("home");

    let on = site.maintenance(&["on", "--bypass"]);
    assert_eq!(visitor.reload(), maintenance());
    visitor.picture("maintenance");
    assert_eq!(visitor.go(&format!("{}deep/link?x=1", site.address)), maintenance());

    // Only who has the link gets in. It leaves the address bar, and what it leaves behind is out of
    // reach for scripts.
    let bypass = on.iter().find(|document| document["type"] == "bypass").unwrap();
    let (link, token) = (bypass["link"].as_str().unwrap(), bypass["token"].as_str().unwrap());
    let (_, query) = link.split_once("/?").unwrap();
    let address = format!("{}?{query}", site.address);
    assert_eq!(
        visitor.go(&address.replace(token, "00000000000000000000000000000000")),
        maintenance()
    );
    assert_eq!(visitor.go(&address), home());
    assert_eq!(visitor.ask("location.href"), site.address);
    assert_eq!(visitor.reload(), home());
    assert_eq!(visitor.ask("document.cookie"), "");
    let cookies = visitor.tab.get_cookies().unwrap();
    let kept: Vec<_> = cookies
        .iter()
        .map(|cookie| (cookie.name.as_str(), cookie.secure, cookie.http_only))
        .collect();
    assert_eq!(kept, [("provision-bypass", true, true)]);
    visitor.tab.call_method(Network::ClearBrowserCookies(None)).unwrap();
    assert_eq!(visitor.reload(), maintenance());

    site.maintenance(&["off"]);
    assert_eq!(visitor.reload(), home());
}

#[test]
fn the_console_turns_the_switch_by_keyboard_and_for_nobody_else() {
    let site = Site::open();
    let visitor = Visitor::arrive();
    let is_on = || site.maintenance(&["status"])[0]["state"] == "on";

    assert_eq!(visitor.go(&site.address), home());
    assert_eq!(visitor.go(&site.console).0, 200);
    visitor.wait_for("#switch[data-state=off]");
    for next in ["A.skip", "A#site", "BUTTON#off", "BUTTON#on"] {
        visitor.press("Tab");
        assert_eq!(
            visitor.ask(&format!("document.activeElement.matches('{next}')")),
            true,
            "{next}"
        );
    }
    visitor.press(" ");
    visitor.wait_for("#switch[data-state=on]");
    assert_eq!(visitor.ask("document.getElementById('now').textContent"), "Maintenance is on");
    assert!(is_on());

    assert_eq!(visitor.go(&site.address), maintenance());
    // A page of the site, or of anybody else, can send requests to the console; they are not heard.
    // The page of the window itself cannot: what it may ask for is bounded.
    visitor.go(&format!("{}/.well-known/nothing", site.address.trim_end_matches('/')));
    let script = "(async () => {
        const body = JSON.stringify({ on: false });
        const answers = await Promise.allSettled([
            fetch(CONSOLE + 'switch', { method: 'POST', mode: 'no-cors', body }),
            fetch(CONSOLE + 'switch', { method: 'POST', headers: { 'X-Provision-Token': 'guess' }, \
            body }),
            fetch(CONSOLE),
        ]);
        return answers.map((answer) => answer.value?.type ?? answer.status).join(' ');
    })()";
    assert_eq!(
        visitor.ask(&script.replace("CONSOLE", &json!(site.console).to_string())),
        "opaque rejected rejected"
    );
    assert!(is_on());

    visitor.go(&site.console);
    visitor.wait_for("#switch[data-state=on]");
    visitor.wait_for("#rows tr");
    for scheme in ["light", "dark"] {
        visitor.prefers(scheme);
        visitor.picture(&format!("console-{scheme}"));
    }
    visitor.ask("document.getElementById('off').focus()");
    visitor.press("Enter");
    visitor.wait_for("#switch[data-state=off]");
    // Whoever works by keyboard stays where they were.
    visitor.wait_for("#off:focus");
    assert!(!is_on());
}
