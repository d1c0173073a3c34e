//! The deployment package: same files, same bytes, same hash, on any machine.

use crate::change::{Fault, FaultKind};
use crate::file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use zip::write::SimpleFileOptions;

/// A zip archive in memory.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The archive. Not part of a saved plan: the digest is.
    #[serde(skip)]
    pub bytes: Arc<[u8]>,
    /// Base64 of its SHA-256, as Lambda reports it.
    pub sha256: String,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({} bytes, {})", self.bytes.len(), self.sha256)
    }
}

/// What Lambda takes unpacked, in bytes (AWS Lambda Developer Guide, "Lambda quotas": 250 MB).
const LARGEST: u64 = 250 * 1024 * 1024;

/// Files by their path in the archive.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Packs files: sorted, with a fixed date and a fixed mode that Lambda can read.
///
/// # Errors
/// [`FaultKind::Local`] where the archive would break the format's limits.
pub fn pack(files: &Files) -> Result<Package, Fault> {
    let refuse = |error: String| Fault::new(FaultKind::Local, "pack the function's code", error);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The default date is the format's first, 1980-01-01. Files that others cannot read fail at run
    // time (AWS Lambda Developer Guide, "Deploy Python Lambda functions with .zip file archives").
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, content) in files {
        archive.start_file(name.as_str(), options).map_err(|error| refuse(error.to_string()))?;
        archive.write_all(content).map_err(|error| refuse(error.to_string()))?;
    }
    let bytes = archive.finish().map_err(|error| refuse(error.to_string()))?.into_inner();
    Ok(Package { sha256: STANDARD.encode(Sha256::digest(&bytes)), bytes: bytes.into() })
}

/// Reads a file, or a folder with everything in it except hidden files and Python's caches, which
/// differ from machine to machine.
///
/// # Errors
/// [`FaultKind::Local`] where something cannot be read, leads out of the folder, or is more than Lambda takes.
pub fn read(path: &Path) -> Result<Files, Fault> {
    let (mut files, mut left) = (Files::new(), LARGEST);
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let root = root.canonicalize().map_err(|error| local(path, &error))?;
    let mut open = vec![path.canonicalize().map_err(|error| local(path, &error))?];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(|error| local(&path, &error))? {
                let entry = entry.map_err(|error| local(&path, &error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.')
                    || name == "__pycache__"
                    || Path::new(&name).extension().is_some_and(|ending| ending == "pyc")
                {
                    continue;
                }
                if entry.path().is_symlink() {
                    return Err(Fault::new(
                        FaultKind::Local,
                        format!("read {}", entry.path().display()),
                        "links are not packed; put the file itself there",
                    ));
                }
                open.push(entry.path());
            }
        } else {
            let content = file::read(&path, left).map_err(|error| match error.kind() {
                ErrorKind::FileTooLarge => {
                    let what = format!(
                        "the code has more than {LARGEST} bytes (AWS Lambda \
                        Developer Guide, \"Lambda quotas\")"
                    );
                    Fault::new(FaultKind::Local, format!("read {}", path.display()), what)
                }
                _ => local(&path, &error),
            })?;
            left -= content.len() as u64;
            files.insert(name_in(&root, &path)?, content);
        }
    }
    Ok(files)
}

fn name_in(root: &Path, path: &Path) -> Result<String, Fault> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        Fault::new(
            FaultKind::Local,
            format!("read {}", path.display()),
            "the file's name is not UTF-8",
        )
    })
}

fn local(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(FaultKind::Local, format!("read {}", path.display()), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_source_makes_the_same_package() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("b.py", "b");
        write("a/x.py", "x");
        let before = pack(&read(folder.path()).unwrap()).unwrap();
        write("__pycache__/b.pyc", "noise");
        write(".git/x", "noise");
        write("b.py", "b");
        assert_eq!(pack(&read(folder.path()).unwrap()).unwrap(), before);
        write("b.py", "c");
        assert_ne!(pack(&read(folder.path()).unwrap()).unwrap().sha256, before.sha256);
    }

    #[test]
    fn the_archive_is_the_same_on_every_machine() {
        let package =
            pack(&Files::from([("maintenance.py".into(), b"print('x')\n".repeat(50))])).unwrap();
        assert_eq!(package.sha256, "HHfln8frQ+87ZC3N5f1MF5A5n7iJZY6oW/hSGF+vzZQ=");
    }

    #[test]
    fn code_beyond_what_lambda_takes_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        // Two files with nothing in them but a length.
        for name in ["a", "b"] {
            std::fs::File::create(folder.path().join(name))
                .unwrap()
                .set_len(LARGEST / 2 + 1)
                .unwrap();
        }
        assert!(read(folder.path()).unwrap_err().message.contains("Lambda quotas"));
    }
}
