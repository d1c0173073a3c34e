//! `provision init`.

use crate::session::Exit;
use crate::session::failure::{Failure, Reason};
use crate::session::global::Global;
use crate::view::View;
use clap::Args;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

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
    for (name, text) in FILES {
        let path = verb.folder.join(name);
        write_new(&path, text).map_err(|error| {
            let reason = Reason::new(format!("could not write {}: {error}", path.display()));
            Failure::Local(reason.hinted("choose another folder; `init` replaces nothing"))
        })?;
    }
    view.initialised(&verb.folder);
    Ok(Exit::Done)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    File::create_new(path)?.write_all(text.as_bytes())
}
