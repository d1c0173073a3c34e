//! What `tests/run` does before it calls cargo, on machines that have stand-ins for all programs.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test; what is not as expected fails it")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const NEEDED: [&str; 7] = ["cc", "python3", "node", "chromium", "openssl", "unshare", "ip"];
const TESTED: &str = "cargo test --test laws";
const UPDATED: &str = "apt-get -qq --yes update";

/// Gives a program a terminal: what comes in is typed there.
const TERMINAL: &str = "import os, pty, sys; \
    os.environ.update(HOME=sys.argv[1], PATH=sys.argv[1] + '/bin'); \
    sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:])))";

/// A folder with programs that note how they were called.
struct Machine(TempDir);

impl Machine {
    /// Begins with cargo, with what takes the place of root, and with these.
    fn with(programs: &[&str]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for program in programs {
            machine.put("bin", program, "");
        }
        machine.put("bin", "cargo", r#"echo "cargo $*" >>"$HOME/calls""#);
        machine.put("bin", "sudo", r#"[ "$1" != -n ] || shift; exec "$@""#);
        machine.put("bin", "env", r#"exec /usr/bin/env "$@""#);
        machine
    }

    /// The same with apt, whose packages bring these.
    fn offered(self, programs: &[&str]) -> Self {
        let install = r#"case "$*" in *install*) /bin/mv "$HOME"/offered/* "$HOME/bin" ;; esac"#;
        self.put("bin", "apt-get", &format!("echo \"apt-get $*\" >>\"$HOME/calls\"\n{install}"));
        for program in programs {
            self.put("offered", program, "");
        }
        self
    }

    /// A shell writes the file: while this process has it open, a child of another test may have it
    /// open too, and then nobody can start it.
    fn put(&self, folder: &str, program: &str, body: &str) {
        let write = r#"mkdir -p "${1%/*}"; printf '#!/bin/sh\n%s\n' "$2" >"$1"; chmod 755 "$1""#;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-ec", write, "put"]).arg(self.0.path().join(folder).join(program)).arg(body);
        assert!(shell.status().unwrap().success());
    }

    /// Runs the script, at a terminal where something is typed: exit code, calls, what it said.
    fn run(&self, typed: Option<&str>) -> (i32, Vec<String>, String) {
        let folder = self.0.path();
        let mut command = match typed {
            Some(_) => {
                let mut python = Command::new("python3");
                python.args(["-c", TERMINAL]).arg(folder).arg("/bin/bash");
                python
            }
            None => {
                let mut bash = Command::new("/bin/bash");
                bash.env_clear().env("HOME", folder).env("PATH", folder.join("bin"));
                bash
            }
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/run");
        command.args([script, "--test", "laws"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut keys = child.stdin.take().unwrap();
        keys.write_all(typed.unwrap_or_default().as_bytes()).unwrap();
        drop(keys);
        let output = child.wait_with_output().unwrap();
        let calls = fs::read_to_string(folder.join("calls")).unwrap_or_default();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            calls.lines().map(str::to_owned).collect(),
            String::from_utf8(said).unwrap(),
        )
    }
}

#[test]
fn a_machine_that_has_all_only_tests() {
    let tested = (0, vec![TESTED.to_owned()], String::new());
    assert_eq!(Machine::with(&NEEDED).offered(&[]).run(None), tested);
    assert_eq!(Machine::with(&NEEDED).run(None), tested, "apt is not needed for nothing");
    let other = ["cc", "python3", "node", "google-chrome", "openssl", "unshare", "ip"];
    assert_eq!(Machine::with(&other).run(None), tested, "Chrome is a Chromium");
}

#[test]
fn what_is_missing_is_installed_without_a_question() {
    let install = "apt-get -qq --yes install --no-install-recommends";
    let all = "gcc libc6-dev python3 python3-venv nodejs chromium openssl util-linux iproute2";
    let (code, calls, said) = Machine::with(&[]).offered(&NEEDED).run(None);
    assert_eq!((code, calls), (0, vec![UPDATED.into(), format!("{install} {all}"), TESTED.into()]));
    assert!(said.contains("nodejs: ") && !said.contains('?'), "{said}");
    let (code, calls, _) = Machine::with(&NEEDED[..6]).offered(&NEEDED[6..]).run(None);
    assert_eq!(
        (code, calls),
        (0, vec![UPDATED.into(), format!("{install} iproute2"), TESTED.into()])
    );
}

#[test]
fn without_apt_it_says_what_to_install() {
    let (code, calls, said) = Machine::with(&NEEDED[..3]).run(None);
    assert_eq!((code, calls.len()), (1, 0), "{said}");
    assert!(said.contains("chromium: ") && said.contains("openssl: "), "{said}");
    assert!(!said.contains("nodejs") && said.contains("by hand"), "{said}");
}

#[test]
fn a_package_that_does_not_help_ends_it() {
    let machine = Machine::with(&NEEDED).offered(&["python3"]);
    let old = "exit 1";
    machine.put("bin", "python3", old);
    machine.put("offered", "python3", old);
    let (code, calls, said) = machine.run(None);
    assert_eq!((code, calls.len()), (1, 2), "{said}");
    assert!(said.ends_with("runs the emulator and functions in Python\n"), "{said}");
}

#[test]
fn somebody_at_a_terminal_is_asked() {
    for (typed, code, count) in [("y\n", 0, 3), ("n\n", 1, 0), ("\n", 1, 0)] {
        let (ended, calls, said) =
            Machine::with(&NEEDED[..4]).offered(&NEEDED[4..]).run(Some(typed));
        assert_eq!((ended, calls.len()), (code, count), "{typed:?}: {said}");
        assert!(said.contains("Install them? [y/N]"), "{said}");
    }
    let (code, calls, said) = Machine::with(&NEEDED).run(Some(""));
    assert_eq!((code, calls, said.as_str()), (0, vec![TESTED.to_owned()], ""), "nothing to ask");
}
