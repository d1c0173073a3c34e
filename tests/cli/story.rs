//! A story: a folder, a sandbox in it, and the transcript of everything that was typed and
//! answered.

use assert_cmd::Command;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A stack with its own distribution, whose every byte is fixed here.
pub(crate) const SHOP: &str = "\
stack: shop
bucket: {name: shop-files, site: ./site}
maintenance: {page: ./page.html}
function: {source: ./edge.py, handler: edge.handler}
distribution: {default_root_object: home.html}
tags: {team: web}
";

/// What the clock and chance put into a transcript (`d`: a digit, `x`: a hexadecimal one), and what
/// stands for it.
const CHANCE: [(&str, &str); 3] = [
    ("dddd-dd-ddTdd:dd:ddZ", "[moment]"),
    ("dddd-dd-dd dd:dd:dd UTC (dd:dd local)", "[moment]"),
    ("provision-bypass=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "provision-bypass=[token]"),
];

const FILES: [(&str, &str); 5] = [
    ("provision.yaml", SHOP),
    ("page.html", "<h1>Back soon</h1>\n"),
    ("edge.py", "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n"),
    ("site/home.html", "<h1>Shop</h1>\n"),
    ("site/app.js", "console.log('shop')\n"),
];

pub(crate) struct Story {
    folder: TempDir,
    delays: &'static str,
    transcript: String,
}

/// What one command answered.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Story {
    /// Begins in an empty folder.
    pub(crate) fn in_an_empty_folder() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            delays: "deploy=0,replicas=0",
            transcript: String::new(),
        }
    }

    /// Begins with the shop's files.
    pub(crate) fn of_a_shop() -> Self {
        let story = Self::in_an_empty_folder();
        for (name, text) in FILES {
            story.write(name, text);
        }
        story
    }

    /// Begins after the first apply, of which nothing is told.
    pub(crate) fn of_a_shop_that_stands() -> Self {
        let story = Self::of_a_shop();
        let answer = story.ask("apply --sandbox --yes");
        assert_eq!(answer.code, 0, "{}", answer.err);
        story
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Rewrites a part of a file.
    pub(crate) fn edit(&mut self, name: &str, before: &str, after: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(before), "{name} holds no {before:?}");
        self.write(name, &text.replace(before, after));
        self.tell(&format!("in {name}: {} -> {}", before.trim(), after.trim()));
    }

    /// How long the sandbox takes from now on.
    pub(crate) fn delays(&mut self, delays: &'static str) {
        self.delays = delays;
    }

    /// Something happens that nobody typed.
    pub(crate) fn tell(&mut self, what: &str) {
        let _ = writeln!(self.transcript, "# {what}\n");
    }

    /// A user changes the world behind our back.
    pub(crate) fn meanwhile(&mut self, what: &str, change: impl FnOnce(&mut Value)) {
        self.tell(what);
        let path = self.path(".provision/sandbox/world.json");
        let mut world = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut world);
        fs::write(path, serde_json::to_string_pretty(&world).unwrap()).unwrap();
    }

    pub(crate) fn world(&self) -> Value {
        serde_json::from_str(
            &fs::read_to_string(self.path(".provision/sandbox/world.json")).unwrap(),
        )
        .unwrap()
    }

    /// The command, in an environment that holds next to nothing: no home, no credentials, no PATH.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).env_clear();
        command.env("PROVISION_SANDBOX_DELAYS", self.delays).env("TZ", "UTC");
        command
    }

    /// Asks without telling.
    pub(crate) fn ask(&self, arguments: &str) -> Answer {
        self.answer(&mut self.command(arguments))
    }

    pub(crate) fn answer(&self, command: &mut Command) -> Answer {
        let output = command.output().unwrap();
        let text = |bytes| self.without_chance(&String::from_utf8(bytes).unwrap());
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Types a command; what is answered goes into the transcript.
    pub(crate) fn run(&mut self, arguments: &str) -> Answer {
        self.run_with(arguments, |_| ())
    }

    /// The same, with a changed command.
    pub(crate) fn run_with(
        &mut self,
        arguments: &str,
        change: impl FnOnce(&mut Command),
    ) -> Answer {
        let mut command = self.command(arguments);
        change(&mut command);
        let answer = self.answer(&mut command);
        self.record(arguments, &answer);
        answer
    }

    pub(crate) fn record(&mut self, arguments: &str, Answer { code, out, err }: &Answer) {
        let _ = writeln!(self.transcript, "$ provision {arguments}");
        self.transcript.push_str(out);
        if !err.is_empty() {
            let _ = write!(self.transcript, "--- stderr\n{err}");
        }
        let _ = writeln!(self.transcript, "--- exit {code}\n");
    }

    /// Takes the temporary folder and the time that steps took out of a text.
    pub(crate) fn without_chance(&self, text: &str) -> String {
        let folder = self.folder.path().to_str().unwrap();
        let text = text
            .replace(&Path::new(folder).canonicalize().unwrap().display().to_string(), "[folder]")
            .replace(folder, "[folder]");
        let line = |line: &str| match line.rsplit_once(" [") {
            Some((rest, time)) if line.starts_with("  ") && is_time(time) => {
                format!("{rest} [time]\n")
            }
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }

    pub(crate) fn transcript(&self) -> &str {
        self.transcript.trim_end()
    }

    /// The transcript without moments and tokens.
    pub(crate) fn timeless(&self) -> String {
        timeless(self.transcript())
    }
}

/// A text without moments and tokens. Moments of the years 1999 and 2999 were typed, and stay.
pub(crate) fn timeless(mut rest: &str) -> String {
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        let typed = ["1999-", "2999-"].iter().any(|year| rest.starts_with(year));
        let (length, shown) =
            match CHANCE.iter().find(|(pattern, _)| !typed && is_like(rest, pattern)) {
                Some((pattern, placeholder)) => (pattern.len(), *placeholder),
                None => (first.len_utf8(), &rest[..first.len_utf8()]),
            };
        text.push_str(shown);
        rest = &rest[length..];
    }
    text
}

fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(found, wanted): (u8, u8)| match wanted {
        b'd' => found.is_ascii_digit(),
        b'x' => found.is_ascii_hexdigit(),
        _ => wanted == found,
    };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

/// `<1s]`, `3s]`, `1m 2s]`
fn is_time(text: &str) -> bool {
    text.strip_suffix("s]")
        .is_some_and(|time| time.chars().all(|c| c.is_ascii_digit() || "<m ".contains(c)))
}
