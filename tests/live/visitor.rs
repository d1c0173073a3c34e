//! A visitor, who sees every byte: no client of HTTP shows what comes after the head of an answer
//! to HEAD.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where visitors go.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// Name and port, for TLS.
    pub(crate) at: String,
    pub(crate) host: String,
    /// Whose certificate is trusted, if not the machine's.
    pub(crate) trust: Option<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) status: u16,
    /// In lower case.
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Door {
    pub(crate) fn get(&self, path: &str) -> Visit {
        self.ask("GET", path)
    }

    /// Asks through openssl, which leaves the bytes alone.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Visit {
        let name = self.at.split(':').next().unwrap();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-connect", &self.at]);
        command.args(["-servername", name, "-verify_hostname", name]);
        if let Some(trust) = &self.trust {
            command.arg("-CAfile").arg(trust);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        // Its end would end the connection.
        let mut line = process.stdin.take().unwrap();
        let host = &self.host;
        write!(
            line,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\
             Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        process.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
        process.wait().unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{} did not answer", self.at));
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Visit { status, head, body: bytes[end + 4..].to_vec() }
    }
}

impl Visit {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
