//! Where the experiments are done: a stack with a random name, on AWS or on the emulator.

use super::caller::Sdk;
use super::edge::Edge;
use super::refusal::refusal;
use super::visitor::Door;
use crate::support::{Ground, Rules};
use aws_sdk_cloudfront::types::FunctionStage;
use aws_smithy_types::error::display::DisplayErrorContext;
use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::OnceCell as Once;

/// The function: answers as the query asks, and says which path it was shown.
const PROBE: &str = r#"import base64
from urllib.parse import parse_qs


def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    asked = {name: values[0] for name, values in parse_qs(request["querystring"]).items()}
    if "status" not in asked:
        return request
    headers = {"content-type": [{"value": "text/plain"}], "x-uri": [{"value": request["uri"]}]}
    if "fill" in asked:
        headers["x-fill"] = [{"value": "y" * int(asked["fill"])}]
    response = {"status": asked["status"], "headers": headers}
    response["body"] = "x" * int(asked.get("body", "4"))
    if asked.get("as") == "number":
        response["status"] = int(asked["status"])
    if asked.get("as") == "base64":
        response["body"] = base64.b64encode(response["body"].encode()).decode()
        response["bodyEncoding"] = "base64"
    return response
"#;

/// What is said where something is left that could go.
pub(crate) const UNENDED: &str = "NOT EVERYTHING IS GONE";

pub(crate) struct Bench {
    /// `None`: this is AWS.
    pub(crate) ground: Option<Arc<Ground>>,
    pub(crate) sdk: Sdk,
    pub(crate) account: String,
    pub(crate) stack: String,
    pub(crate) folder: PathBuf,
    pub(crate) caller: Once<String>,
    pub(crate) user: Once<(String, String)>,
    runs: Cell<usize>,
    edge: OnceCell<Edge>,
    // The emulator's folder ends with it.
    _temporary: Option<TempDir>,
}

/// How a run of the program ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Bench {
    /// Writes nothing to the account.
    ///
    /// # Errors
    /// Why this is not an account to write to.
    pub(crate) async fn open(ground: Option<Arc<Ground>>, named: &str) -> Result<Self, String> {
        let is_account = named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account {
            return Err(
                "PROVISION_LIVE_ACCOUNT has to name the throw-away account, 12 digits".into()
            );
        }
        let sdk = Sdk::connect(ground.as_deref()).await;
        let caller = sdk.sts.get_caller_identity().send().await;
        let caller = caller
            .map_err(|error| format!("AWS knows no caller: {}", DisplayErrorContext(&error)))?;
        let (account, arn) =
            (caller.account().unwrap_or_default(), caller.arn().unwrap_or_default());
        if account != named {
            return Err(format!("the caller is of account {account}, and {named} is named"));
        }
        if ground.is_none() && arn.ends_with(":root") {
            return Err("the caller is the root user, who cannot take on a role".into());
        }
        let stack = format!("live-{:08x}", fastrand::u32(..));
        let temporary = ground.is_some().then(|| tempfile::tempdir().unwrap());
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder =
            temporary.as_ref().map_or(target.join("live").join(&stack), |it| it.path().to_owned());
        if let Some(ground) = &ground {
            ground.rules(|rules| *rules = Rules::prompt());
        }
        let bench = Self {
            ground,
            sdk,
            account: named.to_owned(),
            stack,
            folder,
            caller: Once::new(),
            user: Once::new(),
            runs: Cell::new(0),
            edge: OnceCell::new(),
            _temporary: temporary,
        };
        bench.write("site/index.html", b"<h1>the site</h1>");
        bench.write("probe/probe.py", PROBE.as_bytes());
        bench.write("provision.yaml", bench.spec("").as_bytes());
        Ok(bench)
    }

    /// The spec, with more settings of the function.
    pub(crate) fn spec(&self, function: &str) -> String {
        let Self { stack, account, .. } = self;
        format!(
            "stack: {stack}\n\
             account: \"{account}\"\n\
             bucket: {{ site: ./site }}\n\
             function: {{ source: ./probe, handler: probe.handler{function} }}\n\
             distribution: {{ spa: true }}\n\
             ttl: 1d\n"
        )
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Makes everything as the spec says, which experiments before may have changed.
    pub(crate) fn settle(&self) {
        self.write("provision.yaml", self.spec("").as_bytes());
        let ran = self.run("apply --yes --wait none");
        assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.said);
    }

    /// Runs the program; what it said and what it and AWS told each other goes into the folder.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        let number = self.runs.replace(self.runs.get() + 1);
        let verb = arguments.split(' ').next().unwrap();
        println!("  provision {arguments}");
        let record = format!("runs/{number:02}-{verb}");
        let output = self.command(&format!("{arguments} --record {record}")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        self.write(&format!("{record}/said.txt"), said.as_bytes());
        Ran { code: output.status.code(), said }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command.args(arguments.split(' ')).current_dir(&self.folder);
        if let Some(ground) = &self.ground {
            command.env_clear().env("HOME", &self.folder).envs(ground.environment());
            command.env("PATH", programs());
        }
        command
    }

    /// Where visitors go: CloudFront, or else the local edge.
    pub(crate) async fn door(&self) -> Door {
        if self.ground.is_some() {
            return self.edge.get_or_init(|| Edge::of(self.command("dev --json"))).door();
        }
        let host = self.distribution().await.1;
        Door { at: format!("{host}:443"), host, trust: None }
    }

    /// Takes everything down; what is left, and what to do about it.
    pub(crate) async fn close(&self) -> String {
        let Self { stack, folder, .. } = self;
        let ran = self.run("destroy --yes --delete-data");
        let beside = self.clear().await;
        let again = format!("cd {} && provision destroy --yes", folder.display());
        match ran.code {
            Some(0) if beside.is_empty() => format!("everything of stack {stack} is gone"),
            Some(3) if beside.is_empty() => format!(
                "replicas hold the rest of stack {stack}; in some hours: {again}\n{}",
                self.run("status").said
            ),
            _ => format!(
                "{UNENDED}: {again}, or, without the folder, provision sweep --stack {stack}\n\
                 {}\n{}\n{}",
                beside.join("\n"),
                ran.said,
                self.run("status").said
            ),
        }
    }

    /// What an experiment makes beside the stack: a CloudFront Function.
    pub(crate) fn second(&self) -> String {
        format!("{}-second", self.stack)
    }

    /// Deletes what experiments made beside the stack; what did not go.
    async fn clear(&self) -> Vec<String> {
        let Self { sdk: Sdk { logs, cloudfront, .. }, stack, .. } = self;
        let group = refusal(&logs.delete_log_group().log_group_name(stack).send().await);
        let group = group.filter(|refusal| refusal.code != "ResourceNotFoundException");
        let group = group.map(|why| format!("log group {stack}: {why}"));
        let name = self.second();
        let look = cloudfront.describe_function().name(&name).stage(FunctionStage::Development);
        let function = match look.send().await {
            Ok(found) => {
                let delete = cloudfront.delete_function().name(&name).set_if_match(found.e_tag);
                refusal(&delete.send().await)
            }
            found => refusal(&found).filter(|refusal| refusal.code != "NoSuchFunctionExists"),
        };
        let function = function.map(|why| format!("CloudFront Function {name}: {why}"));
        group.into_iter().chain(function).collect()
    }
}

/// Where python3 is, with which the local edge runs the function.
#[expect(clippy::disallowed_methods, reason = "it is this machine's")]
fn programs() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
