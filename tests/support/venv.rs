//! Python packages that tests need, each in an environment of its own under `target/`, installed
//! once per checkout.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment's programs; installs the package first where that is not done yet, and with it
/// what else it needs.
///
/// Several test binaries may get here at once: the lock lets one of them install, and only a
/// finished installation carries the marker.
pub fn programs(package: &str, version: &str, also: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let home = target.join(format!("{package}-{version}"));
    let programs = home.join("bin");
    let marker = home.join("finished");
    let lock = File::create(target.join(format!("{package}-{version}.lock"))).unwrap();
    lock.lock().unwrap();
    if !marker.exists() {
        let _ = fs::remove_dir_all(&home);
        run(Command::new("python3").args(["-m", "venv"]).arg(&home));
        let pinned = format!("{package}=={version}");
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &pinned];
        run(Command::new(programs.join("python3")).args(install).args(also));
        File::create(&marker).unwrap();
    }
    programs
}

fn run(command: &mut Command) {
    const NEEDS: &str = "it needs python3 (3.10 or newer) with its venv module, for instance \
        `apt-get install python3 \
                         python3-venv` or `brew install python`, and a package index that pip can \
                         reach";
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("cannot run {}: {error}\n{NEEDS}", command.get_program().display())
    });
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}\n{NEEDS}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
