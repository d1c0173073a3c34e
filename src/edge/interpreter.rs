//! Finds the program that runs a package.

use std::path::PathBuf;

use tokio::process::Command;

use super::Runtime;

/// A python3 or node that was started once and said where it really lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub program: PathBuf,
    /// Why results may differ from those at the edge: it is not the version that the package asks
    /// for.
    pub warning: Option<String>,
}

const ASK_PYTHON: &str = "import sys; print(sys.executable); print(sys.version_info[1])";
const ASK_NODE: &str =
    "console.log(process.execPath); console.log(process.versions.node.split('.')[0])";

/// Looks on `search_path`, for the exact version first. It asks the program for its own path
/// because version managers put a script in its place, which is slow, and which needs more of the
/// environment than a function gets.
pub(super) async fn find(runtime: Runtime, search_path: &str) -> Result<Interpreter, String> {
    let (candidates, flag, question, wanted) = match runtime {
        Runtime::Python(minor) => {
            (vec![runtime.name(), "python3".to_owned()], "-c", ASK_PYTHON, minor)
        }
        Runtime::Node(major) => (vec!["node".to_owned()], "-e", ASK_NODE, major),
    };
    for candidate in &candidates {
        let asked = Command::new(candidate)
            .args([flag, question])
            .env("PATH", search_path)
            .kill_on_drop(true)
            .output()
            .await;
        let Ok(output) = asked else { continue };
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = answer.lines();
        if let (true, Some(program), Some(Ok(version))) =
            (output.status.success(), lines.next(), lines.next().map(str::parse::<u32>))
        {
            let found = match runtime {
                Runtime::Python(_) => Runtime::Python(version),
                Runtime::Node(_) => Runtime::Node(version),
            };
            let warning = (version != wanted).then(|| {
                format!("{} is not here; the function runs on {}", runtime.name(), found.name())
            });
            return Ok(Interpreter { program: PathBuf::from(program), warning });
        }
    }
    Err(format!(
        "no {} on PATH: the function's package asks for {}",
        candidates.join(" and no "),
        runtime.name()
    ))
}
