//! From a folder of files to the site's settings: keys, content types, cache rules.

use super::super::content::{Content, Cut};
use super::Settings;
use crate::change::{Fault, FaultKind};
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
) -> Result<Settings, Fault> {
    let mut settings = Settings { named: true, ..Settings::default() };
    let root = folder.canonicalize().map_err(|error| local(folder, &error))?;
    for path in files(&root, page)? {
        let key = key(&root, &path).map_err(|why| {
            Fault::new(FaultKind::Local, format!("name the object for {}", path.display()), why)
        })?;
        if !excluded.contains(&&key) {
            settings.files.insert(key, describe(&path)?);
        }
    }
    Ok(settings)
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

fn describe(path: &Path) -> Result<Content, Fault> {
    let content_type = content_type(path);
    let cache_control = cache_control(path, &content_type).to_owned();
    let read = Content::in_file(path.to_owned(), Cut::S3, content_type, cache_control);
    read.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => local(path, &error)
            .hinted("only files and folders can be uploaded; take it out of the site's folder"),
        ErrorKind::FileTooLarge => {
            local(path, &error).hinted("make it smaller, or take it out of the site's folder")
        }
        _ => local(path, &error),
    })
}

/// The MIME type of a file, by its ending; text is UTF-8.
#[must_use]
pub fn content_type(path: &Path) -> String {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = guess.type_() == "text"
        || matches!(
            guess.subtype().as_str(),
            "javascript" | "json" | "xml" | "manifest+json" | "svg"
        );
    if text { format!("{guess}; charset=utf-8") } else { guess.to_string() }
}

/// Documents are asked for again each time, so that a deployment shows at once; files whose name
/// holds a content hash never change under that name; everything else may be an hour old.
#[must_use]
pub fn cache_control(path: &Path, content_type: &str) -> &'static str {
    if content_type.starts_with("text/html") {
        "public, max-age=0, must-revalidate"
    } else if is_fingerprinted(path) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    }
}

/// Bundlers put eight or more letters and digits before the ending: `app.3f9a1c2b.js`,
/// `index-BdX3k9Qz.css`.
#[must_use]
pub fn is_fingerprinted(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let Some((_, hash)) = stem.rsplit_once(['.', '-']) else { return false };
    let plain = hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mixed =
        hash.bytes().any(|b| b.is_ascii_digit()) && hash.bytes().any(|b| b.is_ascii_alphabetic());
    plain && mixed
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
            read(folder.path(), &[&page_key], Some(&folder.path().join("page.html"))).unwrap();
        let rows: Vec<_> = site
            .files
            .iter()
            .map(|(key, c)| (key.as_str(), c.content_type.as_str(), c.cache_control.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                (".well-known/x.txt", "text/plain; charset=utf-8", "public, max-age=3600"),
                (
                    "assets/app.3f9a1c2b.js",
                    "text/javascript; charset=utf-8",
                    "public, max-age=31536000, immutable"
                ),
                ("index.html", "text/html; charset=utf-8", "public, max-age=0, must-revalidate"),
                ("photo.png", "image/png", "public, max-age=3600"),
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
        assert!(read(folder.path(), &[], None).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("secret.txt")).unwrap();
        assert!(read(folder.path(), &[], None).unwrap_err().message.contains("leads out"));
    }
}
