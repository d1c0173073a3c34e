//! `provision init`.

use super::Exit;
use crate::commands::global::Global;
use crate::view::View;
use clap::Args;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write a spec and a small site to start from
#[derive(Debug, Args)]
pub struct Init {
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
#[must_use]
pub fn run(global: &Global, verb: &Init) -> Exit {
    let view = View::new(global.json);
    for (name, text) in FILES {
        let path = verb.folder.join(name);
        if let Err(error) = write_new(&path, text) {
            view.error(
                &format!("could not write {}: {error}", path.display()),
                Some("choose another folder; `init` replaces nothing"),
            );
            return Exit::Failed;
        }
    }
    view.initialised(&verb.folder);
    Exit::Done
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    File::create_new(path)?.write_all(text.as_bytes())
}
