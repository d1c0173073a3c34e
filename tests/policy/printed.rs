//! Every policy that `provision policy` prints: each purpose for each kind of spec.

use serde_json::Value;
use std::process::Command;

pub(crate) const PURPOSES: [&str; 5] = ["apply", "destroy", "plan", "toggle", "sweep"];

pub(crate) const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

/// One kind of spec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) attached: bool,
    pub(crate) bounded: bool,
    pub(crate) logs: bool,
}

impl Variant {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let both = [false, true];
        both.into_iter().flat_map(move |attached| {
            both.into_iter().flat_map(move |bounded| {
                both.into_iter().map(move |logs| Self { attached, bounded, logs })
            })
        })
    }

    fn spec(self) -> String {
        let Self { attached, bounded, logs } = self;
        let distribution = "distribution: { id: E2ABCDEF0123, behaviors: [default] }\n";
        let role = format!("role: {{ permissions_boundary: \"{BOUNDARY}\" }}\n");
        [
            (true, "stack: shop\naccount: \"123456789012\"\nregion: eu-west-1\n"),
            (attached, distribution),
            (bounded, &role),
            (logs, "function: { log_retention: 30d }\n"),
        ]
        .into_iter()
        .filter_map(|(says, line)| says.then_some(line))
        .collect()
    }

    /// What is printed for it. The spec names its account, so nobody is asked.
    pub(crate) fn policy(self, purpose: &str) -> Value {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("provision.yaml"), self.spec()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command.args(["policy", "--for", purpose]).current_dir(&folder).env_clear();
        let output = command.env("HOME", folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
