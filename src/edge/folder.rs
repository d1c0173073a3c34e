//! A folder as a bucket.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Later, Listed, Object, ObjectHeaders, Objects};

/// Reads objects from a folder: the key is the file's path in it. Nothing outside is ever read,
/// whatever the key or a symbolic link says.
#[derive(Clone)]
pub struct Folder {
    root: PathBuf,
    labels: Arc<Labelling>,
}

/// How an object is labelled, by its key and its bytes.
type Labelling = dyn Fn(&str, &[u8]) -> Labels + Send + Sync;

/// What a file cannot say about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    pub headers: ObjectHeaders,
    /// User metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

impl Folder {
    /// Takes a folder, and the rule that gives a key and its bytes their headers: the same that an
    /// upload follows.
    ///
    /// # Errors
    /// The folder is not there or cannot be read.
    pub fn open(
        folder: &Path,
        labels: impl Fn(&str, &[u8]) -> Labels + Send + Sync + 'static,
    ) -> io::Result<Folder> {
        Ok(Folder { root: fs::canonicalize(folder)?, labels: Arc::new(labels) })
    }

    fn read(&self, key: &str) -> Result<Option<Object>, String> {
        let Some(path) = self.file(key) else {
            return Ok(None);
        };
        let read = || -> io::Result<_> { Ok((fs::metadata(&path)?.modified()?, fs::read(&path)?)) };
        let (last_modified, bytes) = match read() {
            Ok(read) => read,
            // Deleted since it was found: then it is not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let Labels { headers, metadata } = (self.labels)(key, &bytes);
        Ok(Some(Object {
            etag: etag(&bytes),
            body: bytes.into(),
            last_modified,
            headers,
            metadata,
        }))
    }

    /// The file that a key names, if it is one, and if it is in the folder.
    fn file(&self, key: &str) -> Option<PathBuf> {
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if key.contains(['\0', '\\']) || key.split('/').any(odd) {
            return None;
        }
        let path = fs::canonicalize(self.root.join(key)).ok()?;
        (path.starts_with(&self.root) && path.is_file()).then_some(path)
    }

    fn keys(&self, folder: &Path, above: &str, keys: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let key = format!("{above}{name}");
            // A linked folder is not followed: it could lead to itself.
            if entry.file_type()?.is_dir() {
                self.keys(&entry.path(), &format!("{key}/"), keys)?;
            } else if self.file(&key).is_some() {
                keys.push(key);
            }
        }
        Ok(())
    }

    fn listed(&self, prefix: &str) -> Result<Vec<Listed>, String> {
        let mut keys = Vec::new();
        self.keys(&self.root, "", &mut keys)
            .map_err(|error| format!("{}: {error}", self.root.display()))?;
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        let mut listed = Vec::new();
        for key in keys {
            if let Some(object) = self.read(&key)? {
                let size = object.body.len() as u64;
                listed.push(Listed {
                    key,
                    size,
                    etag: object.etag,
                    last_modified: object.last_modified,
                });
            }
        }
        Ok(listed)
    }
}

impl Objects for Folder {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>> {
        let (folder, key) = (self.clone(), key.to_owned());
        Box::pin(off_thread(move || folder.read(&key)))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
        let (folder, prefix) = (self.clone(), prefix.to_owned());
        Box::pin(off_thread(move || folder.listed(&prefix)))
    }
}

/// Files block, and the threads that answer visitors must not.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

/// Names the content. Not the MD5 that S3 has, which nobody may rely on, but as long.
fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hex::encode(Sha256::digest(bytes))[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let there = tempfile::tempdir().unwrap();
        let root = there.path().join("site");
        fs::create_dir_all(root.join("css")).unwrap();
        fs::write(root.join("home.html"), "home").unwrap();
        fs::write(root.join("css/a.css"), "a{}").unwrap();
        fs::write(there.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(there.path().join("secret"), root.join("leak")).unwrap();
        std::os::unix::fs::symlink("home.html", root.join("alias.html")).unwrap();
        std::os::unix::fs::symlink(there.path(), root.join("up")).unwrap();
        let labels = |key: &str, _: &[u8]| Labels {
            headers: ObjectHeaders::new(&format!("type of {key}"), ""),
            ..Labels::default()
        };
        let folder = Folder::open(&root, labels).unwrap();
        (there, folder)
    }

    #[test]
    fn only_what_lies_in_the_folder_is_read() {
        let (_there, folder) = folder();
        for (key, found) in [
            ("home.html", true),
            ("css/a.css", true),
            ("alias.html", true),
            ("css", false),
            ("", false),
            ("/home.html", false),
            ("css//a.css", false),
            ("../secret", false),
            ("css/../../secret", false),
            ("./home.html", false),
            ("leak", false),
            ("up/secret", false),
            ("home.html\0", false),
            ("missing", false),
        ] {
            assert_eq!(folder.read(key).unwrap().is_some(), found, "{key:?}");
        }
    }

    #[test]
    fn an_object_carries_its_labels_and_a_name_for_its_content() {
        let (there, folder) = folder();
        let before = folder.read("home.html").unwrap().unwrap();
        assert_eq!(before.headers.content_type, "type of home.html");
        fs::write(there.path().join("site/home.html"), "edit").unwrap();
        assert_ne!(folder.read("home.html").unwrap().unwrap().etag, before.etag);
    }

    #[test]
    fn listings_are_in_order_and_stay_inside() {
        let (_there, folder) = folder();
        let keys = |prefix: &str| -> Vec<String> {
            folder.listed(prefix).unwrap().into_iter().map(|one| one.key).collect()
        };
        assert_eq!(keys(""), ["alias.html", "css/a.css", "home.html"]);
        assert_eq!(keys("css/"), ["css/a.css"]);
    }
}
