//! The local edge, for want of CloudFront's, with TLS in front of it as CloudFront has.

use super::visitor::Door;
use crate::support::tls::Authority;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// It ends with the experiments.
pub(crate) struct Edge {
    process: Child,
    // Its writer would be told if nobody held the other end.
    _said: BufReader<ChildStdout>,
    authority: Authority,
    at: String,
    host: String,
}

impl Edge {
    /// Starts `provision dev`, which is about to read the spec.
    pub(crate) fn of(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let site = listening["site"].as_str().unwrap();
        let host = site.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let authority = Authority::new(&["localhost"]);
        let address = authority.serve(0, host.parse().unwrap());
        let at = format!("localhost:{}", address.port());
        Self { process, _said: said, authority, at, host }
    }

    pub(crate) fn door(&self) -> Door {
        let trust = Some(self.authority.bundle());
        Door { at: self.at.clone(), host: self.host.clone(), trust }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Asked, it takes its function's processes with it.
        let pid = self.process.id().to_string();
        let _ = Command::new("/bin/kill").args(["-TERM", &pid]).status();
        let _ = self.process.wait();
    }
}
