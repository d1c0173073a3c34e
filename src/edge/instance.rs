//! One instance of the function: a child process that answers one request at a time.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::name::EDGE_REGION;

use super::journal::Journal;
use super::{EdgeEvent, Function, Package, Runtime};

const PYTHON_RUNNER: &str = include_str!("../../config/dev/runner.py");
const NODE_RUNNER: &str = include_str!("../../config/dev/runner.mjs");

/// Lambda gives the loading of a function ten seconds.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// A larger reply is no reply: Lambda's own limit is 6 MB.
const REPLY_LIMIT: u32 = 6 << 20;
/// A longer log line is told in pieces. In bytes.
const LINE_LIMIT: u64 = 64 << 10;

/// Everything that makes an instance what it is.
#[derive(Debug)]
pub(super) struct Launch {
    pub program: PathBuf,
    pub package: Package,
    pub function: Function,
    /// Where the function finds S3, and the access key that S3 knows.
    pub storage: SocketAddr,
    pub access_key: String,
}

/// Why there is no result. The text is what the function's log says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The function threw; the instance is as good as before.
    Threw(String),
    /// The instance is of no more use.
    Lost(String),
}

/// Dropping it kills the process.
pub(super) struct Instance {
    pub id: u32,
    pub launch: Arc<Launch>,
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Instance {
    /// Starts the process and waits until the function is loaded. What it prints goes to the
    /// journal from now on.
    pub(super) async fn start(
        launch: Arc<Launch>,
        id: u32,
        journal: &Arc<Journal>,
    ) -> Result<Instance, Failure> {
        let program = launch.program.display();
        let mut child = launch
            .command()
            .spawn()
            .map_err(|error| Failure::Lost(format!("cannot start {program}: {error}")))?;
        let (Some(requests), Some(replies), Some(log)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::Lost(format!("cannot talk to {program}")));
        };
        tokio::spawn(tell_lines(log, id, Arc::clone(journal)));
        let mut instance =
            Instance { id, launch, child, requests, replies: BufReader::new(replies) };
        match timeout(INIT_LIMIT, read_frame(&mut instance.replies)).await {
            Ok(Ok(frame)) if frame.first() == Some(&b'I') => Ok(instance),
            Ok(Ok(frame)) => Err(Failure::Lost(
                String::from_utf8_lossy(frame.get(1..).unwrap_or_default()).into_owned(),
            )),
            Ok(Err(error)) => Err(instance.ended(&error).await),
            Err(_) => {
                Err(Failure::Lost("the function took longer than 10 seconds to load".to_owned()))
            }
        }
    }

    /// Hands over one event and gives the result's bytes, just as Lambda would hand them to
    /// CloudFront.
    pub(super) async fn invoke(
        &mut self,
        event: &Value,
        request_id: &str,
    ) -> Result<Vec<u8>, Failure> {
        let limit = self.launch.function.timeout;
        let request = json!({
            "id": request_id, "arn": self.launch.arn(), "timeoutMs": limit.as_secs_f64() * 1000.0,
                "event": event,
        });
        let exchange = async {
            write_frame(&mut self.requests, &request).await?;
            read_frame(&mut self.replies).await
        };
        let frame = match timeout(limit, exchange).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => return Err(self.ended(&error).await),
            Err(_) => {
                let text =
                    format!("{request_id} Task timed out after {:.2} seconds", limit.as_secs_f64());
                return Err(Failure::Lost(text));
            }
        };
        // What is left over would be taken for the next visitor's reply.
        let is_whole = self.replies.buffer().is_empty();
        match frame.split_first().filter(|_| is_whole) {
            Some((b'R', payload)) => Ok(payload.to_vec()),
            Some((b'E', trace)) => Err(Failure::Threw(String::from_utf8_lossy(trace).into_owned())),
            _ => Err(Failure::Lost("the function wrote to the channel of its runner".to_owned())),
        }
    }

    /// The channel broke; says how the process ended if it did.
    async fn ended(&mut self, error: &io::Error) -> Failure {
        // An ended process closes its channel before it can be waited for; a second is ample
        // between the two.
        let text = match timeout(Duration::from_secs(1), self.child.wait()).await {
            Ok(Ok(status)) => {
                format!("RequestId: Runtime.ExitError: the function's process ended: {status}")
            }
            _ => format!("the channel to the function broke: {error}"),
        };
        Failure::Lost(text)
    }
}

impl Launch {
    fn arn(&self) -> String {
        let Function { account, name, version, .. } = &self.function;
        format!("arn:aws:lambda:{EDGE_REGION}:{account}:function:{name}:{version}")
    }

    fn command(&self) -> Command {
        let Function { memory, timeout, .. } = &self.function;
        let handler = &self.package.handler;
        let mut command = match self.package.runtime {
            Runtime::Python(_) => {
                let mut command = Command::new(&self.program);
                // -B: the package's folder is only read.
                command.args(["-B", "-c", PYTHON_RUNNER, handler]);
                command.args([memory.to_string(), timeout.as_secs().to_string()]);
                command
            }
            Runtime::Node(major) => {
                // Node.js cannot duplicate descriptors, the shell can: see the runner's first
                // lines.
                let mut command = Command::new("/bin/sh");
                command
                    .args(["-c", "exec \"$@\" 3>&1 1>&2 4<&0 0</dev/null", "sh"])
                    .arg(&self.program);
                // Lambda gives nine tenths of the memory to the heap.
                command.arg(format!("--max-old-space-size={}", memory * 9 / 10));
                command.args([
                    "--input-type=module",
                    "-e",
                    NODE_RUNNER,
                    handler,
                    &major.to_string(),
                ]);
                command
            }
        };
        command
            .current_dir(&self.package.directory)
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A terminal's Ctrl-C goes to its whole process group: without one of its own, the function
        // would print a stack trace while this program ends in good order.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    /// What Lambda sets, and what points the AWS SDKs at the loopback S3 and at nobody's real
    /// account.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let Function { name, region, memory, .. } = &self.function;
        let mut all = vec![
            ("PATH", self.function.search_path.clone()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region.clone()),
            ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", self.package.runtime.name())),
            ("AWS_LAMBDA_FUNCTION_NAME", format!("{EDGE_REGION}.{name}")),
            ("AWS_LAMBDA_FUNCTION_VERSION", self.function.version.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("LAMBDA_TASK_ROOT", self.package.directory.display().to_string()),
            ("_HANDLER", self.package.handler.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned()),
            ("AWS_SESSION_TOKEN", "provision-dev".to_owned()),
            ("AWS_ENDPOINT_URL_S3", format!("http://{}", self.storage)),
        ];
        for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            all.push((file, "/dev/null".to_owned()));
        }
        all.push(("AWS_EC2_METADATA_DISABLED", "true".to_owned()));
        all
    }
}

async fn write_frame(to: &mut ChildStdin, request: &Value) -> io::Result<()> {
    let body = request.to_string().into_bytes();
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend(body);
    to.write_all(&frame).await
}

async fn read_frame(from: &mut BufReader<ChildStdout>) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    if length > REPLY_LIMIT {
        return Err(io::Error::other("the reply is larger than 6 MB"));
    }
    let mut frame = vec![0; length as usize];
    from.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Tells what a process prints, line by line, until it ends.
async fn tell_lines(from: impl AsyncRead + Unpin, instance: u32, journal: Arc<Journal>) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while matches!((&mut reader).take(LINE_LIMIT).read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        journal.tell(EdgeEvent::Log { instance, line: text });
        line.clear();
    }
}
