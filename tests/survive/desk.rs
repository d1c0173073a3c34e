//! A folder with a spec, and the binary that runs in it.

use crate::support::Ground;
use serde_json::Value;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A folder with everything that the spec names.
    pub(crate) fn new(spec: &str) -> Self {
        let desk = Self::with_spec_alone(spec);
        desk.write("page.html", "<h1>back soon</h1>");
        desk.write("site/index.html", "<h1>shop</h1>");
        desk.write("site/style.css", "h1 { color: teal }");
        desk.write(
            "edge.py",
            "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n",
        );
        desk
    }

    /// Another owner's machine: the spec and nothing of what it names.
    pub(crate) fn with_spec_alone(spec: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("provision.yaml", spec);
        desk
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// The command, whose output nobody reads.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .args(arguments.split(' '))
            .arg("--json")
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, ground: &Ground, arguments: &str) -> Ran {
        let mut command = self.command(arguments);
        Ran::new(
            &command
                .envs(ground.environment())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .output()
                .unwrap(),
        )
    }
}

/// How a command ended.
pub(crate) struct Ran {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    documents: Vec<Value>,
}

impl Ran {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let documents = text(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Self {
            code: output.status.code(),
            said: text(&output.stdout) + &text(&output.stderr),
            documents,
        }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "it said:\n{}", self.said);
        self
    }

    /// What was planned, if it came so far.
    pub(crate) fn plan(&self) -> Option<&Value> {
        self.document("plan")
    }

    /// How the plan ended, if it came so far.
    pub(crate) fn outcome(&self) -> Option<&Value> {
        self.document("outcome")
    }

    /// What went wrong outside of a plan.
    pub(crate) fn error(&self) -> Option<&Value> {
        self.document("error")
    }

    /// The steps that came to this end.
    pub(crate) fn steps(&self, state: &str) -> impl Iterator<Item = &Value> {
        self.documents
            .iter()
            .filter(move |document| document["type"] == "step" && document["state"] == state)
    }

    fn document(&self, kind: &str) -> Option<&Value> {
        self.documents.iter().find(|document| document["type"] == kind)
    }
}
