//! The function's package as the edge runs it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What is to run. The folder holds what the zip holds; it is only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Where it is unpacked; the function's working directory.
    pub directory: PathBuf,
    /// `module.function`.
    pub handler: String,
    /// What runs it. Another version than this one runs it with a warning.
    pub runtime: Runtime,
    /// Names the content: another hash is another package. [`fingerprint`] makes one.
    pub hash: String,
}

/// A language with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Python 3, by its minor version.
    Python(u32),
    /// Node.js, by its major version.
    Node(u32),
}

impl Runtime {
    /// Reads AWS's name of a runtime, such as `python3.13` or `nodejs22.x`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Runtime> {
        if let Some(minor) = name.strip_prefix("python3.") {
            return minor.parse().ok().map(Runtime::Python);
        }
        name.strip_prefix("nodejs")?.strip_suffix(".x")?.parse().ok().map(Runtime::Node)
    }

    /// AWS's name of it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Runtime::Python(minor) => format!("python3.{minor}"),
            Runtime::Node(major) => format!("nodejs{major}.x"),
        }
    }
}

/// Returns a hash over the names and bytes of all files under a folder, or of one file.
///
/// # Errors
/// Any file or folder that cannot be read.
pub fn fingerprint(path: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = fs::read(&file)?;
        // Lengths keep two names, or a name and a content, from running into one another.
        for part in [name.as_bytes(), &bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    Ok(hex::encode(hash.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // What Python leaves behind is not the source.
        if entry.file_name() != "__pycache__" {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_read_as_aws_writes_them() {
        for (name, runtime) in [
            ("python3.13", Some(Runtime::Python(13))),
            ("nodejs22.x", Some(Runtime::Node(22))),
            ("python2.7", None),
            ("nodejs22", None),
        ] {
            assert_eq!(Runtime::parse(name), runtime);
            assert!(runtime.is_none_or(|runtime| runtime.name() == name));
        }
    }

    #[test]
    fn the_fingerprint_follows_names_and_bytes_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "x").unwrap();
        let before = fingerprint(folder.path()).unwrap();
        fs::create_dir(folder.path().join("__pycache__")).unwrap();
        fs::write(folder.path().join("__pycache__/a.pyc"), "y").unwrap();
        assert_eq!(fingerprint(folder.path()).unwrap(), before);
        fs::write(folder.path().join("a.py"), "z").unwrap();
        assert_ne!(fingerprint(folder.path()).unwrap(), before);
    }
}
