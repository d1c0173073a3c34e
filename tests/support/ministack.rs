//! The emulator, installed once per checkout and started once per test.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use tempfile::TempDir;

const VERSION: &str = "1.5.33";
const PORTS_TO_TRY: usize = 5;
const LINES_KEPT: usize = 40;

/// Its standard input is a pipe that only this process holds open: however the test ends, even
/// by SIGKILL, the read returns and takes the whole process group along (Lambda code runs in it).
const BOOTSTRAP: &str = "
import os, signal, sys, threading
def end_with_the_test():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=end_with_the_test, daemon=True).start()
from ministack.app import main
sys.argv = ['ministack']
sys.exit(main())
";

/// One running emulator with a world of its own.
pub struct Ministack {
    address: SocketAddr,
    process: Child,
    log: Arc<Mutex<VecDeque<String>>>,
    _home: TempDir,
}

impl Ministack {
    /// Starts an emulator that accepts whatever it is signed with.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// Starts an emulator. With `auth` it checks signatures and IAM policies.
    pub fn start_with(auth: bool) -> Self {
        let python = install();
        let mut last_words = String::new();
        for _ in 0..PORTS_TO_TRY {
            match Self::start_on(&python, free_port(), auth) {
                Ok(ministack) => return ministack,
                Err(log) => last_words = log,
            }
        }
        panic!(
            "ministack did not start on any of {PORTS_TO_TRY} free ports; it said:\n{last_words}"
        );
    }

    fn start_on(python: &Path, port: u16, auth: bool) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        let (output, pen) = std::io::pipe().unwrap();
        let mut command = Command::new(python);
        command
            .args(["-c", BOOTSTRAP])
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("STATE_DIR", home.path().join("state"))
            .env("S3_DATA_DIR", home.path().join("s3"))
            .env("S3_PERSIST", "0")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AUTH", if auth { "true" } else { "false" })
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(pen.try_clone().unwrap())
            .stderr(pen);
        let process = command.spawn().unwrap();
        // The command holds the writing end too; without this the pipe would never end.
        drop(command);
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let ministack = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            process,
            log: Arc::clone(&log),
            _home: home,
        };
        let (tell, ready) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains("Running on http") {
                    let _ = tell.send(());
                }
                let mut log = log.lock().unwrap();
                log.push_back(line);
                if log.len() > LINES_KEPT {
                    log.pop_front();
                }
            }
        });
        match ready.recv() {
            Ok(()) => Ok(ministack),
            Err(mpsc::RecvError) => Err(ministack.last_words()),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL; tests that look behind the proxy's back use it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forgets everything that was created.
    pub fn reset(&self) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let host = self.address;
        write!(
            stream,
            "POST /_ministack/reset HTTP/1.1\r\nHost: {host}\r\nContent-Length: \
            0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "reset was refused: {answer}");
    }

    /// The last lines it wrote, for the message of a failing test.
    pub fn last_words(&self) -> String {
        let log = self.log.lock().unwrap();
        log.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The emulator's python, once the emulator is there.
pub fn install() -> PathBuf {
    super::venv::programs("ministack", VERSION).join("python3")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
