//! How much memory and time data takes: a site of large files, beside `aws s3 sync` on the same
//! emulator, and a plan of very many small ones.
//!
//! `cargo bench --bench uploads`; ends with 1 where a command takes more memory than it may.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends where it cannot go on"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode};
use support::{Emulator, MINISTACK};

const LARGE: (usize, u64) = (12, 100_000_000);
const SMALL: usize = 100_000;
/// Resident, at most. In KiB.
const BUDGET: u64 = 120_000;

/// Runs a command, and tells on its last line what it took: status, KiB resident, seconds. Nothing in
/// the standard library asks the system that.
const TAKES: &str = "
import resource, subprocess, sys, time
begin = time.monotonic()
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
taken = time.monotonic() - begin
print(ended.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, round(taken, 1))
";

/// Prints what a command takes, and returns how many KiB were resident.
fn takes(what: &str, folder: &Path, ministack: &Emulator, program: &Path, flags: &str) -> u64 {
    let mut command = Command::new("python3");
    command.args(["-c", TAKES]).arg(program).args(flags.split(' ')).current_dir(folder);
    command.envs([
        ("AWS_ENDPOINT_URL", ministack.endpoint().as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("NO_PROXY", "127.0.0.1"),
    ]);
    let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let [status, resident, seconds] =
        told.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
    let resident: u64 = resident.parse().unwrap();
    println!("{what:<34} {:>8} MB {seconds:>8} s   exit {status}", resident / 1000);
    assert_eq!(status, "0", "{what}");
    resident
}

fn main() -> ExitCode {
    let provision = Path::new(env!("CARGO_BIN_EXE_provision"));
    let aws = support::venv::programs("awscli", "1.46.3", &[]).join("aws");
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large");
    fs::create_dir_all(large.join("site")).unwrap();
    fs::write(large.join("provision.yaml"), "stack: large\nbucket: { site: ./site }\n").unwrap();
    for number in 0..LARGE.0 {
        // A file of holes takes no room, and reads as bytes all the same.
        let file = File::create(large.join(format!("site/film-{number}.mp4"))).unwrap();
        file.set_len(LARGE.1).unwrap();
    }
    let small = folder.path().join("small");
    for number in 0..SMALL {
        let into = small.join(format!("site/{:02}", number % 100));
        fs::create_dir_all(&into).unwrap();
        fs::write(into.join(format!("page-{number}.html")), number.to_string()).unwrap();
    }
    fs::write(small.join("provision.yaml"), "stack: small\nbucket: { site: ./site }\n").unwrap();
    let ministack = Emulator::start(&MINISTACK);
    takes("aws s3 mb", &large, &ministack, &aws, "s3 mb s3://beside");
    let (count, size) = (LARGE.0, LARGE.1 / 1_000_000);
    let sync = format!("aws s3 sync, {count} of {size} MB");
    takes(&sync, &large, &ministack, &aws, "s3 sync site s3://beside --only-show-errors");
    ministack.reset();
    let apply = format!("provision apply, {count} of {size} MB");
    let mut most = takes(&apply, &large, &ministack, provision, "apply --yes");
    most = most.max(takes("provision plan, again", &large, &ministack, provision, "plan"));
    let plan = format!("provision plan, {SMALL} files");
    most = most.max(takes(&plan, &small, &ministack, provision, "plan"));
    let saved = format!("{plan}, --out");
    most = most.max(takes(&saved, &small, &ministack, provision, "plan --out next.plan"));
    if most <= BUDGET { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
