//! The built-in edge function's own tests, which are written in its language: table by table
//! against a fake S3 on loopback.

use std::process::Command;

#[test]
fn the_built_in_function_keeps_its_promises() {
    let mut python = Command::new("python3");
    let run = python
        .args(["-B", "-m", "unittest", "discover", "-s", "tests/edge"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = run.output().unwrap_or_else(|error| {
        panic!("python3 cannot be run ({error}); on Debian: apt-get install python3")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // A run that finds no test succeeds too.
    let count: Option<u32> =
        said.split_once("Ran ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    assert!(count.is_some_and(|count| count >= 30), "{said}");
}
