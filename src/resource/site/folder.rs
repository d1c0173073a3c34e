//! From a folder of files to the site's settings: keys, content types, cache rules.

use super::super::content::{Content, Cut, Seen};
use super::media::{self, Media};
use super::rules::{self, Rule};
use super::{Settings, caching};
use crate::change::{Fault, FaultKind};
use crate::edge::ObjectHeaders;
use crate::name::ObjectKey;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Reads the folder. Names that begin with a dot are left out (`.git`, `.DS_Store`), except
/// `.well-known`; so are the keys in `excluded`, which belong to the page, and the file `page`
/// itself.
///
/// # Errors
/// [`FaultKind::Local`] where a file cannot be read, has a name that S3 or this tool cannot take, or is a link that leaves the folder.
pub fn read(
    folder: &Path,
    excluded: &[&ObjectKey],
    page: Option<&Path>,
    rules: &[Rule],
) -> Result<Settings, Fault> {
    let mut settings = Settings { named: true, ..Settings::default() };
    for (key, path) in keys(folder, excluded, page)? {
        let content = describe(&path, key.as_str(), rules)?;
        settings.files.insert(key, content);
    }
    Ok(settings)
}

/// The same, without looking into the files: which key is which file's.
///
/// # Errors
/// Those of [`read`].
pub fn keys(
    folder: &Path,
    excluded: &[&ObjectKey],
    page: Option<&Path>,
) -> Result<BTreeMap<ObjectKey, PathBuf>, Fault> {
    let mut keys = BTreeMap::new();
    let root = folder.canonicalize().map_err(|error| local(folder, &error))?;
    for path in files(&root, page)? {
        let key = key(&root, &path).map_err(|why| {
            Fault::new(FaultKind::Local, format!("name the object for {}", path.display()), why)
        })?;
        if !excluded.contains(&&key) {
            keys.insert(key, path);
        }
    }
    Ok(keys)
}

/// The files below the folder, by their names from there, that cannot be objects, and why. What
/// cannot be read is left to [`read`].
#[must_use]
pub fn misnamed(folder: &Path, page: Option<&Path>) -> BTreeMap<String, &'static str> {
    let Ok(root) = folder.canonicalize() else { return BTreeMap::new() };
    let files = files(&root, page).unwrap_or_default().into_iter();
    let refused = files.filter_map(|path| {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        key(&root, &path).err().map(|why| (name, why))
    });
    refused.collect()
}

/// Every file that is part of the site; `root` is its folder's real path.
fn files(root: &Path, page: Option<&Path>) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    let root = root.to_owned();
    let page = page.and_then(|page| page.canonicalize().ok());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| local(&folder, &error))? {
            let path = entry.map_err(|error| local(&folder, &error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_hidden(&name) {
                continue;
            }
            let real = path.canonicalize().map_err(|error| local(&path, &error))?;
            if !real.starts_with(&root) {
                return Err(Fault::new(
                    FaultKind::Local,
                    format!("read {}", path.display()),
                    "the link leads out of the site's folder",
                ));
            }
            if real.is_dir() {
                // A link to a folder above would be walked for ever.
                if path.is_symlink() {
                    return Err(Fault::new(
                        FaultKind::Local,
                        format!("read {}", path.display()),
                        "links to folders are not followed",
                    ));
                }
                folders.push(path);
            } else if Some(&real) != page.as_ref() {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Is a file or folder of this name left out?
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".well-known"
}

fn local(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(FaultKind::Local, format!("read {}", path.display()), error.to_string())
}

fn key(root: &Path, path: &Path) -> Result<ObjectKey, &'static str> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()
        .map(|relative| relative.iter().filter_map(|part| part.to_str()).collect());
    let parts = parts.unwrap_or_default();
    if parts.len() != path.components().count() - root.components().count() {
        return Err("must be UTF-8");
    }
    parts.join("/").parse()
}

fn describe(path: &Path, key: &str, rules: &[Rule]) -> Result<Content, Fault> {
    let read = Content::in_file(path.to_owned(), Cut::S3, |seen| served(key, seen, rules));
    read.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => local(path, &error)
            .hinted("only files and folders can be uploaded; take it out of the site's folder"),
        ErrorKind::FileTooLarge => {
            local(path, &error).hinted("make it smaller, or take it out of the site's folder")
        }
        _ => local(path, &error),
    })
}

/// How the file under this key is served, of which this was seen.
#[must_use]
pub fn served(key: &str, seen: Seen, rules: &[Rule]) -> ObjectHeaders {
    let Media { content_type, encoding } = media::of(key, seen);
    let content_encoding = encoding.unwrap_or_default().to_owned();
    let by_itself = ObjectHeaders::new(&content_type, caching::of(key));
    rules::ruled(rules, key, ObjectHeaders { content_encoding, ..by_itself })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_objects_with_type_and_cache_rule() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "index.html",
            "assets/app.3f9a1c2b.js",
            "photo.png",
            ".well-known/x.txt",
            ".git/config",
            "maintenance.html",
            "page.html",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let page_key = "maintenance.html".parse().unwrap();
        let site =
            read(folder.path(), &[&page_key], Some(&folder.path().join("page.html")), &[]).unwrap();
        let rows: Vec<_> = site
            .files
            .iter()
            .map(|(key, c)| {
                (key.as_str(), c.headers.content_type.as_str(), c.headers.cache_control.as_str())
            })
            .collect();
        assert_eq!(
            rows,
            [
                (
                    ".well-known/x.txt",
                    "text/plain; charset=utf-8",
                    "public, max-age=0, must-revalidate"
                ),
                (
                    "assets/app.3f9a1c2b.js",
                    "text/javascript; charset=utf-8",
                    "public, max-age=31536000, immutable"
                ),
                ("index.html", "text/html; charset=utf-8", "public, max-age=0, must-revalidate"),
                ("photo.png", "image/png", "public, max-age=0, must-revalidate"),
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn files_whose_names_cannot_be_keys_are_all_told_at_once() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let names: [&[u8]; 6] = [
            b"index.html",
            b"a\x01b",
            b"sub/line\r",
            "\u{fffe}.html".as_bytes(),
            b"latin-\xff",
            b".git/a\x01b",
        ];
        for name in names {
            let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let told: Vec<_> = misnamed(folder.path(), None).into_iter().collect();
        let control = "must not hold control characters";
        let told: Vec<_> = told.iter().map(|(name, why)| (name.as_str(), *why)).collect();
        assert_eq!(
            told,
            [
                ("a\u{1}b", control),
                ("latin-\u{fffd}", "must be UTF-8"),
                ("sub/line\r", control),
                ("\u{fffe}.html", "must not hold U+FFFE or U+FFFF, which no list of S3 can show"),
            ]
        );
        assert!(read(folder.path(), &[], None, &[]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("secret.txt")).unwrap();
        assert!(read(folder.path(), &[], None, &[]).unwrap_err().message.contains("leads out"));
    }
}
