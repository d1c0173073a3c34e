//! What an apply of the spec would publish: nothing else may be written there.

use super::{Source, Spec};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

impl Spec {
    /// What an apply would publish with the file or folder, which need not exist yet.
    #[must_use]
    pub fn publishes(&self, path: &Path) -> Option<&'static str> {
        let whole = std::path::absolute(path).ok()?;
        let place = whole.ancestors().find_map(|folder| {
            let rest = whole.strip_prefix(folder).ok()?;
            let mut place = folder.canonicalize().ok()?;
            // What does not exist yet is no link, so each way up takes back one way down.
            for part in rest.components() {
                match part {
                    Component::ParentDir => drop(place.pop()),
                    part => place.push(part),
                }
            }
            Some(place)
        })?;
        let source = match &self.function.source {
            Source::Path { path, .. } => Some(path),
            Source::Builtin => None,
        };
        let taken = [
            (self.bucket.site.as_ref(), "the site's folder: an apply would upload it"),
            (source, "the function's source: an apply would publish it"),
        ];
        let is_in = |root: &PathBuf| {
            let Ok(root) = root.canonicalize() else { return false };
            let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
            place.strip_prefix(&root).is_ok_and(|below| !below.iter().any(hidden))
        };
        taken.into_iter().find(|(root, _)| root.is_some_and(is_in)).map(|(_, what)| what)
    }
}
