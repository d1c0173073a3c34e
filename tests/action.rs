//! The action for GitHub, without GitHub: its steps run as the runner would run them, on the
//! sandbox.
//!
//! The inputs go through action.yml itself, so its wiring is tried too. GitHub's files are files in
//! a temporary folder.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test; what is not as expected fails it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

#[path = "support/venv.rs"]
#[expect(unreachable_pub, reason = "the support of other tests needs it")]
mod venv;

/// Brings GitHub's own schemas for actions and workflows along.
const SCHEMAS: &str = "0.39.0";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(file: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn action() -> Value {
    yaml(&root().join("action.yml"))
}

fn release() -> PathBuf {
    root().join(".github/workflows/release.yml")
}

/// The examples, and our own.
fn workflows() -> Vec<(PathBuf, Value)> {
    let files = fs::read_dir(root().join("config/workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .chain([release()]);
    files.map(|file| (file.clone(), yaml(&file))).collect()
}

/// The demo and GitHub's files, in a folder of their own.
struct Job {
    folder: TempDir,
    delays: &'static str,
}

/// How a step ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    summary: String,
}

impl Ended {
    /// Exit code of the program, changed, pending, switch.
    fn brief(&self) -> [&str; 4] {
        ["exit-code", "changed", "pending", "switch"].map(|name| self.outputs[name].as_str())
    }

    fn commands(&self) -> Vec<&str> {
        self.log
            .lines()
            .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
            .collect()
    }
}

impl Job {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("site")).unwrap();
        for file in ["provision.yaml", "site/home.html", "site/maintenance.html"] {
            fs::copy(root().join("config/demo").join(file), folder.path().join(file)).unwrap();
        }
        Self { folder, delays: "deploy=0,replicas=0" }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A step of action.yml with these inputs, as the runner would start it.
    fn step(&self, id: &str, inputs: &[(&str, &str)]) -> Command {
        let action = action();
        let step = action["runs"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["id"] == id)
            .unwrap();
        assert_eq!(step["shell"], "bash");
        // A file, as the runner does it: given as an argument, a lone command would replace bash
        // without being told to.
        let script = self.path("step.sh");
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(script);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path());
        command.env("GITHUB_ACTION_PATH", root()).env("RUNNER_TEMP", self.folder.path());
        for name in ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"] {
            File::create(self.path(name)).unwrap();
            command.env(name, self.path(name));
        }
        for (name, expression) in step["env"].as_object().unwrap() {
            let expression =
                expression.as_str().unwrap().trim_start_matches("${{ ").trim_end_matches(" }}");
            let value = match expression.strip_prefix("inputs.") {
                Some(input) => {
                    let given =
                        inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
                    given.or(action["inputs"][input]["default"].as_str()).unwrap_or_default()
                }
                None if expression == "steps.install.outputs.binary" => {
                    env!("CARGO_BIN_EXE_provision")
                }
                None => "",
            };
            command.env(name, value);
        }
        command
            .env("PROVISION_SANDBOX_DELAYS", self.delays)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, inputs: &[(&str, &str)]) -> Ended {
        let output = self.step("run", inputs).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "",
            "the script itself says nothing there"
        );
        self.ended(output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn sandbox(&self, command: &str) -> Ended {
        self.run(&[("command", command), ("args", "--sandbox")])
    }

    fn ended(&self, code: i32, log: String) -> Ended {
        let text = |name| fs::read_to_string(self.path(name)).unwrap();
        let (outputs, variables) =
            (assigned(&text("GITHUB_OUTPUT")), assigned(&text("GITHUB_ENV")));
        Ended { code, log, outputs, variables, summary: text("GITHUB_STEP_SUMMARY") }
    }
}

/// Reads `name=value` and `name<<END` as GitHub does.
fn assigned(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut found = BTreeMap::new();
    while let Some(line) = lines.next() {
        let (name, value) = match line.split_once("<<") {
            Some((name, end)) => (
                name,
                lines.by_ref().take_while(|line| *line != end).collect::<Vec<_>>().join("\n"),
            ),
            None => line.split_once('=').map(|(name, value)| (name, value.to_owned())).unwrap(),
        };
        assert!(found.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    found
}

#[test]
fn a_stack_goes_up_into_maintenance_and_down() {
    let job = Job::new();
    let planned = job.sandbox("plan");
    assert_eq!((planned.code, planned.brief()), (0, ["0", "true", "false", ""]));
    assert!(
        planned.summary.starts_with("### provision plan\\: there are changes\n\n| What |"),
        "{}",
        planned.summary
    );

    let applied = job.sandbox("apply");
    assert_eq!((applied.code, applied.brief()), (0, ["0", "true", "false", "off"]));
    assert!(applied.outputs["url"].starts_with("https://"), "{:?}", applied.outputs);
    assert!(
        applied.summary.contains("| role maintenance-demo-edge | create | create | changed |"),
        "{}",
        applied.summary
    );
    assert_eq!(applied.commands(), Vec::<&str>::new());

    let again = job.sandbox("apply");
    assert_eq!((again.code, again.brief()), (0, ["0", "false", "false", "off"]));
    assert_eq!(again.outputs["url"], applied.outputs["url"]);
    assert_eq!(again.summary, "### provision apply\\: nothing to do\n\n");

    let on = job.run(&[
        ("command", "maintenance"),
        ("switch", "on"),
        ("args", "--sandbox --for '45 m'"),
    ]);
    assert_eq!((on.code, on.brief()), (0, ["0", "true", "false", "on"]));
    let status =
        job.run(&[("command", "maintenance"), ("switch", "status"), ("args", "--sandbox")]);
    assert_eq!((status.code, status.brief()), (0, ["0", "false", "false", "on"]));
    assert!(
        status.summary.contains("| now |  | visitors see the maintenance page until "),
        "{}",
        status.summary
    );
    assert_eq!(status.outputs["visitors-see-page"], "true");
    let plan = || {
        job.run(&[
            ("command", "maintenance"),
            ("switch", "on"),
            ("args", "--sandbox --from 2999-01-01T00:00:00Z"),
        ])
    };
    let refused = plan();
    assert_eq!(
        (refused.code, refused.brief()),
        (4, ["4", "false", "false", "on"]),
        "visitors would see the site until then"
    );
    assert_eq!(refused.outputs["visitors-see-page"], "true");
    let off = || job.run(&[("command", "maintenance"), ("switch", "off"), ("args", "--sandbox")]);
    assert_eq!(off().code, 0);
    let planned = plan();
    assert_eq!((planned.code, planned.brief()), (0, ["0", "true", "false", "scheduled"]));
    assert_eq!(planned.outputs["visitors-see-page"], "false");
    let off = off();
    assert_eq!((off.code, off.brief()), (0, ["0", "true", "false", "off"]));

    let destroyed = job.sandbox("destroy");
    assert_eq!((destroyed.code, destroyed.brief()), (0, ["0", "true", "false", ""]));
    assert_eq!(job.sandbox("destroy").brief(), ["0", "false", "false", ""]);
}

#[test]
fn the_bypass_token_is_masked_first_and_kept_from_outputs_and_summary() {
    let job = Job::new();
    job.sandbox("apply");
    let on =
        job.run(&[("command", "maintenance"), ("switch", "on"), ("args", "--sandbox --bypass")]);
    assert_eq!(on.code, 0);
    let link = &on.variables["PROVISION_BYPASS_LINK"];
    let (_, token) = link.split_once("?provision-bypass=").unwrap();
    assert_eq!(token.len(), 32);
    assert_eq!(on.commands(), [format!("::add-mask::{token}")]);
    assert_eq!(on.log.matches(token).count(), 1, "{}", on.log);
    assert!(!on.summary.contains(token));
    assert!(!on.outputs.values().any(|value| value.contains(token)));
}

#[test]
fn what_is_pending_warns_or_fails_as_the_workflow_wishes() {
    let job = Job { delays: "deploy=0,replicas=3600", ..Job::new() };
    job.sandbox("apply");
    let pending = job.sandbox("destroy");
    assert_eq!((pending.code, pending.brief()), (0, ["3", "true", "true", ""]));
    assert!(
        pending.commands()[0]
            .starts_with("::warning title=provision::provision destroy: pending: function"),
        "{}",
        pending.log
    );
    assert!(
        pending.summary.contains("| run it again later |")
            && pending.summary.contains("| not started |"),
        "{}",
        pending.summary
    );

    let failed =
        job.run(&[("command", "destroy"), ("args", "--sandbox"), ("pending-is-error", "true")]);
    assert_eq!((failed.code, failed.brief()), (3, ["3", "false", "true", ""]));
    assert!(failed.commands()[0].starts_with("::error title=provision::"), "{}", failed.log);
}

#[test]
fn the_programs_exit_code_is_kept() {
    let job = Job::new();
    let changes = job.run(&[("command", "plan"), ("args", "--sandbox --detailed-exitcode")]);
    assert_eq!((changes.code, changes.brief()), (2, ["2", "true", "false", ""]));
    for (inputs, code, words) in [
        (
            &[("command", "apply"), ("args", "--sandbox --no-such-flag")][..],
            64,
            "failed with exit code 64",
        ),
        (&[("command", "apply"), ("file", "absent.yaml")], 65, "absent.yaml: cannot be read"),
        (&[("command", "rm")], 64, "input `command` is `rm`"),
        (&[("command", "maintenance"), ("switch", "up")], 64, "input `switch` is `up`"),
        (&[("command", "apply"), ("switch", "on")], 64, "belongs to `command: maintenance`"),
        (&[("command", "apply"), ("args", "'open")], 64, "cannot be split into words"),
        (&[("command", "apply"), ("pending-is-error", "yes")], 64, "neither `true` nor `false`"),
    ] {
        let ended = job.run(inputs);
        assert_eq!(
            (ended.code, &ended.outputs["exit-code"]),
            (code, &code.to_string()),
            "{inputs:?}"
        );
        let commands = ended.commands();
        assert!(
            commands.len() == 1
                && commands[0].starts_with("::error ")
                && commands[0].contains(words),
            "{inputs:?}: {commands:?}"
        );
    }
    // What the program says to people is in the log.
    let log = job.run(&[("command", "apply"), ("args", "--no-such-flag")]).log;
    assert!(log.contains("unexpected argument '--no-such-flag'"), "{log}");
    // A second line of an error is part of the annotation, never a line of its own.
    let wrong = job.run(&[("command", "plan"), ("file", "a\n::add-path::b")]);
    assert!(wrong.commands().len() == 1 && wrong.commands()[0].contains("%0A"), "{}", wrong.log);
}

#[test]
fn hostile_names_stay_text() {
    let job = Job::new();
    let site = job.path("site");
    for name in [
        "a|b`c`<b>.html",
        "::stop-commands::z.html",
        "##[add-path]y.html",
        "[l](javascript:0).html",
    ] {
        fs::write(site.join(name), "x").unwrap();
    }
    let shell = "--sandbox '; touch owned' $(touch owned)";
    for file in ["::debug::spec.yaml", "a|b `c`.yaml"] {
        fs::copy(job.path("provision.yaml"), job.path(file)).unwrap();
        for (args, code) in [("--sandbox", 0), ("--sandbox", 0), (shell, 64)] {
            let ended = job.run(&[("command", "apply"), ("args", args), ("file", file)]);
            assert_eq!(ended.code, code, "{}", ended.log);
            is_text(&ended);
        }
    }
    assert!(!job.path("owned").exists());
    // No object can have this name; the refusal names the file, and with it a line that looks like
    // a command.
    fs::write(site.join("x\n::add-path::boom.html"), "x").unwrap();
    let refused = job.sandbox("plan");
    assert_eq!(refused.code, 65, "{}", refused.log);
    is_text(&refused);
}

/// Nothing in the log is a command but the action's own, and the summary has the form that it was
/// given.
fn is_text(ended: &Ended) {
    assert!(
        ended.commands().iter().all(|line| line.starts_with("::error title=provision::")),
        "{}",
        ended.log
    );
    for line in ended.summary.lines() {
        let is_row = line.starts_with('|') && line.replace("\\|", "").matches('|').count() == 5;
        assert!(is_row || line.is_empty() || line.starts_with("### provision "), "{line}");
        let unescaped = |mark: char| line.replace(&format!("\\{mark}"), "").contains(mark);
        assert!(!['<', '`', '['].into_iter().any(unescaped), "{line}");
    }
}

#[test]
fn a_summary_stays_below_the_limit_of_github() {
    let job = Job::new();
    for number in 0..5_000 {
        fs::write(job.path("site").join(format!("{number:04}{}", "_".repeat(120))), "").unwrap();
    }
    let planned = job.sandbox("plan");
    assert_eq!((planned.code, planned.brief()), (0, ["0", "true", "false", ""]));
    assert!((900_000..1_048_576).contains(&planned.summary.len()), "{}", planned.summary.len());
    let last = planned.summary.trim_end().lines().last().unwrap();
    assert!(last.starts_with("… and ") && last.ends_with(" more."), "{last}");
}

/// GitHub signals the first process of a step and nobody else.
#[test]
fn a_cancelled_job_ends_the_program_in_order() {
    for signal in ["INT", "TERM"] {
        // Nobody waits for this deployment unless the signal is lost.
        let job = Job { delays: "deploy=60,replicas=0", ..Job::new() };
        let inputs = [("command", "apply"), ("args", "--sandbox")];
        let mut step = job.step("run", &inputs).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(step.stdout.take().unwrap());
        let mut log = String::new();
        while !log.ends_with("usually a few minutes: started\n") {
            assert_ne!(output.read_line(&mut log).unwrap(), 0, "{log}");
        }
        assert!(
            Command::new("kill")
                .args(["-s", signal, &step.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        // Ends only when nobody holds the pipe any more, neither the script nor the program.
        output.read_to_string(&mut log).unwrap();
        let ended = job.ended(step.wait().unwrap().code().unwrap(), log);
        assert_eq!(
            (ended.code, &ended.outputs["exit-code"]),
            (130, &"130".to_owned()),
            "{signal}: {}",
            ended.log
        );
        assert!(
            ended.summary.starts_with("### provision apply\\: interrupted\n"),
            "{}",
            ended.summary
        );
    }
}

/// A folder of programs that stand in for what the installation would call; each notes how it was
/// called.
fn stand_ins(job: &Job, programs: &[(&str, &str)]) -> PathBuf {
    let folder = job.path("stand-ins");
    fs::create_dir_all(&folder).unwrap();
    for (name, body) in programs {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\necho \"{name} $*\" >>\"$HOME/calls\"\n{body}\n"))
            .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn the_program_is_found_or_released_or_built() {
    const RELEASE: &str = "
while [ $# -gt 0 ]; do case $1 in --dir) to=$2 ;; esac; shift; done
cd \"$to\" && printf 'new' >provision
for target in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin; do
    tar -czf provision-$target.tar.gz provision && sha256sum provision-$target.tar.gz \
    >provision-$target.tar.gz.sha256
done";
    let broken = format!("{RELEASE}\nfor file in *.tar.gz; do echo >>\"$file\"; done");
    let built = "temp/provision/bin/provision";
    for (programs, tag, input, code, binary, called) in [
        (&[][..], "", env!("CARGO_BIN_EXE_provision"), 0, env!("CARGO_BIN_EXE_provision"), ""),
        (&[], "", "no-such-program", 1, "", ""),
        (&[("provision", "")], "v0", "", 0, "stand-ins/provision", ""),
        (&[("gh", RELEASE)], "v0", "", 0, built, "gh release download v"),
        (&[("gh", &broken), ("cargo", "")], "v0", "", 1, "", "gh release download v"),
        (&[("gh", "exit 1"), ("cargo", "")], "v0", "", 0, built, "cargo install --locked --path"),
        (&[("gh", RELEASE), ("cargo", "")], "main", "", 0, built, "cargo install --locked --path"),
    ] {
        let job = Job::new();
        let stand_ins = stand_ins(&job, programs);
        let mut step = job.step("install", &[("binary", input)]);
        // Nothing of this machine's own but what every runner has.
        step.env("PATH", format!("{}:/usr/bin:/bin", stand_ins.display()))
            .env("RUNNER_TEMP", job.path("temp"));
        step.env("ACTION_REF", tag).env("ACTION_REPOSITORY", "example-org/provision");
        let output = step.output().unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{programs:?} {tag} {input}: {said}");
        let ended = job.ended(code, said);
        let expected =
            if binary.is_empty() { None } else { Some(job.path(binary).display().to_string()) };
        assert_eq!(ended.outputs.get("binary"), expected.as_ref(), "{programs:?} {tag} {input}");
        let calls = fs::read_to_string(job.path("calls")).unwrap_or_default();
        assert!(calls.lines().last().unwrap_or_default().starts_with(called), "{calls}");
    }
}

fn steps(of: &Value) -> Vec<&Value> {
    let jobs = of["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values());
    let lists = jobs.map(|job| &job["steps"]).chain([&of["runs"]["steps"]]);
    lists.filter_map(Value::as_array).flatten().collect()
}

/// Every `${{ … }}` in a text.
fn expressions(text: &str) -> Vec<&str> {
    text.split("${{").skip(1).map(|rest| rest.split_once("}}").unwrap().0.trim()).collect()
}

#[test]
fn the_action_is_wired_to_its_script() {
    let action = action();
    let declared: BTreeSet<&str> =
        action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    let used: BTreeSet<&str> = steps(&action)
        .iter()
        .flat_map(|step| step["env"].as_object().unwrap().values())
        .flat_map(|value| expressions(value.as_str().unwrap()))
        .filter_map(|expression| expression.strip_prefix("inputs."))
        .collect();
    assert_eq!(declared, used);
    for step in steps(&action) {
        let run = step["run"].as_str().unwrap();
        assert!(expressions(run).is_empty() && run.starts_with("exec "), "{run}");
        let script = run.split("$GITHUB_ACTION_PATH/").nth(1).unwrap().trim_end_matches('"');
        assert!(root().join(script).is_file(), "{script}");
    }
    let outputs = action["outputs"].as_object().unwrap();
    for (name, output) in outputs {
        assert_eq!(output["value"], format!("${{{{ steps.run.outputs.{name} }}}}"));
    }
    let job = Job::new();
    let set = job.sandbox("plan").outputs;
    assert_eq!(outputs.keys().collect::<BTreeSet<_>>(), set.keys().collect::<BTreeSet<_>>());
}

#[test]
fn a_release_holds_what_the_installer_asks_for() {
    let installer = fs::read_to_string(root().join("config/action/install.sh")).unwrap();
    let targets =
        installer.lines().filter_map(|line| line.split_once(") target=")?.1.strip_suffix(" ;;"));
    let wanted: BTreeSet<&str> = targets.filter(|target| !target.is_empty()).collect();
    let workflow = yaml(&release());
    let built = workflow["jobs"]["publish"]["strategy"]["matrix"]["include"].as_array().unwrap();
    assert_eq!(
        built.iter().map(|row| row["target"].as_str().unwrap()).collect::<BTreeSet<_>>(),
        wanted
    );
    let packed = "provision-$TARGET.tar.gz\" -C \"target/$TARGET/release\" provision";
    assert!(
        fs::read_to_string(release()).unwrap().contains(packed)
            && installer.contains("asset=provision-$target.tar.gz")
    );
}

#[test]
fn the_workflows_are_careful() {
    let inputs = action()["inputs"].clone();
    for (file, workflow) in workflows() {
        let file = file.display();
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({}),
            "{file}: rights are given to a job, not to all"
        );
        assert_eq!(
            workflow["concurrency"]["cancel-in-progress"], false,
            "{file}: a turn must not be cut short by the next"
        );
        for job in workflow["jobs"].as_object().unwrap().values() {
            assert!(job["permissions"].is_object() && job["timeout-minutes"].is_u64(), "{file}");
        }
        for step in steps(&workflow) {
            if let Some(run) = step["run"].as_str() {
                assert!(
                    expressions(run).is_empty(),
                    "{file}: an expression in a script is code of whoever chose the value: {run}"
                );
            }
            let Some(uses) = step["uses"].as_str() else { continue };
            let (name, version) = uses.split_once('@').unwrap();
            assert!(
                version.strip_prefix('v').is_some_and(|major| major.parse::<u32>().is_ok()),
                "{file}: {uses} is not pinned"
            );
            if name == "example-org/provision" {
                let with = step["with"].as_object().unwrap();
                assert!(with.keys().all(|input| inputs.get(input).is_some()), "{file}: {with:?}");
            }
        }
    }
}

#[test]
fn action_and_workflows_are_as_githubs_schemas_say() {
    let check = venv::programs("check-jsonschema", SCHEMAS, &[]).join("check-jsonschema");
    let files = workflows().into_iter().map(|(file, _)| file);
    for (schema, files) in [
        ("vendor.github-actions", vec![root().join("action.yml")]),
        ("vendor.github-workflows", files.collect::<Vec<_>>()),
    ] {
        assert!(!files.is_empty());
        let output =
            Command::new(&check).args(["--builtin-schema", schema]).args(files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
