//! An emulator of AWS, installed once per checkout and started once per test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use tempfile::TempDir;

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
";

/// How one is started and emptied.
pub struct Recipe {
    pub name: &'static str,
    /// Its interpreter, once it is there.
    pub python: fn() -> PathBuf,
    /// What the interpreter runs.
    pub program: &'static str,
    /// What it wants to find in its environment, given its folder and its port.
    pub settings: fn(&Path, u16) -> Vec<(&'static str, String)>,
    /// The path that makes it forget everything.
    pub reset: &'static str,
}

/// One running emulator with a world of its own.
pub struct Emulator {
    recipe: &'static Recipe,
    address: SocketAddr,
    process: Child,
    log: Arc<Mutex<VecDeque<String>>>,
    _home: TempDir,
}

impl Emulator {
    /// Starts one that accepts whatever it is signed with.
    pub fn start(recipe: &'static Recipe) -> Self {
        Self::start_with(recipe, &[])
    }

    /// Starts one with further settings.
    pub fn start_with(recipe: &'static Recipe, more: &[(&str, &str)]) -> Self {
        let python = (recipe.python)();
        let mut last_words = String::new();
        for _ in 0..PORTS_TO_TRY {
            match Self::start_on(recipe, &python, free_port(), more) {
                Ok(emulator) => return emulator,
                Err(log) => last_words = log,
            }
        }
        let name = recipe.name;
        panic!("{name} did not start on any of {PORTS_TO_TRY} free ports; it said:\n{last_words}");
    }

    fn start_on(
        recipe: &'static Recipe,
        python: &Path,
        port: u16,
        more: &[(&str, &str)],
    ) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        let (output, pen) = std::io::pipe().unwrap();
        let mut command = Command::new(python);
        command
            .args(["-c", &format!("{BOOTSTRAP}{}", recipe.program)])
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .envs((recipe.settings)(home.path(), port))
            .envs(more.iter().copied())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(pen.try_clone().unwrap())
            .stderr(pen);
        let process = command.spawn().unwrap();
        // The command holds the writing end too; without this the pipe would never end.
        drop(command);
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let emulator = Self {
            recipe,
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
            Ok(()) => Ok(emulator),
            Err(mpsc::RecvError) => Err(emulator.last_words()),
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
        let (host, path) = (self.address, self.recipe.reset);
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\
             \r\n\r\n"
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

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
