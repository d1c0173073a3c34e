//! `provision init`.

use crate::file::{self, Readers};
use crate::session::Exit;
use crate::session::failure::{Failure, Reason};
use crate::session::global::Global;
use crate::view::View;
use clap::Args;
use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Write a spec and a small site to start from
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

/// The demo is compiled in; it is also the folder `config/demo` of the repository.
const FILES: [(&str, &str); 3] = [
    ("provision.yaml", include_str!("../../config/demo/provision.yaml")),
    ("site/home.html", include_str!("../../config/demo/site/home.html")),
    ("site/maintenance.html", include_str!("../../config/demo/site/maintenance.html")),
];

/// Runs the verb.
///
/// # Errors
/// A file is there already, or cannot be written.
pub(crate) fn run(global: &Global, verb: &Init) -> Result<Exit, Failure> {
    let view = View::new(global.json);
    let refuse = |path: &Path, error: &Error| {
        let reason = Reason::new(format!("could not write {}: {error}", path.display()));
        Failure::Local(reason.hinted("choose another folder; `init` replaces nothing"))
    };
    let mut staged = Vec::new();
    for (name, text) in FILES {
        let path = verb.folder.join(name);
        match stage(&path, text) {
            Ok(file) => staged.push((path, file)),
            Err(error) => return Err(refuse(&path, &error)),
        }
    }
    // None of them before all are written.
    for (path, file) in staged {
        file.persist_noclobber(&path).map_err(|error| refuse(&path, &error.error))?;
    }
    view.initialised(&verb.folder);
    Ok(Exit::Done)
}

fn stage(path: &Path, text: &str) -> Result<NamedTempFile, Error> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    file::stage(path, text.as_bytes(), Readers::Usual)
}
