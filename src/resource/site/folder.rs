//! From a folder of files to the site's settings: keys, content types, cache rules.

use super::super::content::{Content, Cut, Seen};
use super::media::{self, Media};
use super::rules::{self, Pattern, Rule};
use super::{Settings, caching};
use crate::change::{Fault, FaultKind};
use crate::edge::ObjectHeaders;
use crate::name::ObjectKey;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Which files below a folder are objects. Names that begin with a dot are not (`.git`,
/// `.DS_Store`), except `.well-known`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// They belong to the page.
    pub excluded: [Option<&'a ObjectKey>; 2],
    /// The page's own file.
    pub page: Option<&'a Path>,
    /// What the spec leaves out.
    pub ignore: &'a [Pattern],
}

/// Reads the folder.
///
/// # Errors
/// [`FaultKind::Local`] where a file cannot be read, or cannot be an object.
pub fn read(folder: &Path, selection: Selection<'_>, rules: &[Rule]) -> Result<Settings, Fault> {
    let mut settings = Settings { named: true, ..Settings::default() };
    for (key, path) in keys(folder, selection)? {
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
    selection: Selection<'_>,
) -> Result<BTreeMap<ObjectKey, PathBuf>, Fault> {
    let (keys, refused) = sorted(folder, selection)?;
    let Some((name, why)) = refused.first_key_value() else { return Ok(keys) };
    let more = match refused.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more files cannot be objects"),
    };
    let tried = format!("name the object for {}", folder.join(name).display());
    Err(Fault::new(FaultKind::Local, tried, format!("{why}{more}"))
        .hinted("`provision validate` names all of them"))
}

/// Which key is which file's, and the files, by their names from the folder, that cannot be objects,
/// each with why.
pub type Sorted = (BTreeMap<ObjectKey, PathBuf>, BTreeMap<String, &'static str>);

/// The same, with all that cannot be objects.
///
/// # Errors
/// [`FaultKind::Local`] where a folder cannot be read.
pub fn sorted(folder: &Path, selection: Selection<'_>) -> Result<Sorted, Fault> {
    walk(folder, selection).map(|walk| (walk.keys, walk.refused))
}

/// What was found below a folder.
struct Walk<'a> {
    /// The folder's real path.
    root: PathBuf,
    selection: Selection<'a>,
    keys: BTreeMap<ObjectKey, PathBuf>,
    refused: BTreeMap<String, &'static str>,
}

/// A link in a link in a link: more of them could multiply without end.
const DEEPEST: usize = 3;

fn walk<'a>(folder: &Path, selection: Selection<'a>) -> Result<Walk<'a>, Fault> {
    let root = folder.canonicalize().map_err(|error| local(folder, &error))?;
    let page = selection.page.and_then(|page| page.canonicalize().ok());
    let mut walk = Walk { root, selection, keys: BTreeMap::new(), refused: BTreeMap::new() };
    // Each with how many links to folders led there.
    let mut folders = vec![(walk.root.clone(), 0)];
    while let Some((folder, links)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| local(&folder, &error))? {
            let entry = entry.map_err(|error| local(&folder, &error))?;
            let path = entry.path();
            if is_hidden(&entry.file_name().to_string_lossy()) || walk.ignores(&path) {
                continue;
            }
            let is_link = path.is_symlink();
            let real = if is_link { walk.target(&path, links) } else { Ok(path.clone()) };
            match real {
                Err(why) => walk.refuse(&path, why),
                Ok(real) if real.is_dir() => folders.push((path, links + usize::from(is_link))),
                Ok(real) if Some(&real) == page.as_ref() => {}
                Ok(real) if real.is_file() => walk.take(path),
                Ok(_) => walk.refuse(&path, "must be a file or a folder"),
            }
        }
    }
    Ok(walk)
}

impl Walk<'_> {
    /// What a link leads to, if that is part of the site.
    fn target(&self, path: &Path, links: usize) -> Result<PathBuf, &'static str> {
        let real = path.canonicalize().map_err(|_| "is a link that leads nowhere")?;
        let Ok(inside) = real.strip_prefix(&self.root) else {
            return Err("is a link that leads out of the site's folder");
        };
        if inside.iter().any(|part| is_hidden(&part.to_string_lossy())) {
            return Err("is a link to a file that is left out, as its name begins with a dot");
        }
        // Where the link itself lies, in truth.
        let here = path.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
        if real.is_dir() && (here.starts_with(&real) || links == DEEPEST) {
            return Err("is a link to a folder above it, or behind too many links");
        }
        Ok(real)
    }

    fn take(&mut self, path: PathBuf) {
        match key(&self.root, &path) {
            Err(why) => self.refuse(&path, why),
            Ok(key) if self.selection.excluded.contains(&Some(&key)) => {}
            Ok(key) => drop(self.keys.insert(key, path)),
        }
    }

    fn refuse(&mut self, path: &Path, why: &'static str) {
        self.refused.insert(self.name(path), why);
    }

    fn ignores(&self, path: &Path) -> bool {
        let ignore = self.selection.ignore;
        !ignore.is_empty() && ignore.iter().any(|pattern| pattern.is_for(&self.name(path)))
    }

    /// The path from the folder.
    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// Is a file or folder of this name left out?
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".well-known"
}

/// May the file under this key hold what nobody should read?
#[must_use]
pub fn looks_secret(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let plain = name.rsplit_once('.').map_or(name.as_str(), |(plain, _)| plain);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["id_dsa", "id_ecdsa", "id_ed25519", "id_rsa", "kubeconfig", "npmrc"].contains(&name.as_str())
        || ["credentials", "secret", "secrets", "serviceaccountkey"].contains(&plain)
            && ending != "html"
        || ["env", "kdbx", "key", "p12", "pem", "pfx", "plan", "sql", "tfstate", "tfvars"]
            .contains(&ending)
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
            "photo.psd",
            "drafts/deep/a.html",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let page_key = "maintenance.html".parse().unwrap();
        let page = folder.path().join("page.html");
        let selection = Selection {
            excluded: [Some(&page_key), None],
            page: Some(&page),
            ignore: &["*.psd".parse().unwrap(), "drafts/**".parse().unwrap()],
        };
        let site = read(folder.path(), selection, &[]).unwrap();
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
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        };
        link("/etc/hostname", "out");
        link("nowhere", "broken");
        link("..", "sub/up");
        link(".git", "code");
        let (_, told) = sorted(folder.path(), Selection::default()).unwrap();
        let control = "must not hold control characters";
        let told: Vec<_> = told.iter().map(|(name, why)| (name.as_str(), *why)).collect();
        assert_eq!(
            told,
            [
                ("a\u{1}b", control),
                ("broken", "is a link that leads nowhere"),
                ("code", "is a link to a file that is left out, as its name begins with a dot"),
                ("latin-\u{fffd}", "must be UTF-8"),
                ("out", "is a link that leads out of the site's folder"),
                ("sub/line\r", control),
                ("sub/up", "is a link to a folder above it, or behind too many links"),
                ("\u{fffe}.html", "must not hold U+FFFE or U+FFFF, which no list of S3 can show"),
            ]
        );
        let fault = read(folder.path(), Selection::default(), &[]).unwrap_err();
        assert!(
            fault.message.ends_with("characters, and 7 more files cannot be objects"),
            "{fault}"
        );
        let all = ["**".parse().unwrap()];
        let ignored = Selection { ignore: &all, ..Selection::default() };
        assert_eq!(sorted(folder.path(), ignored).unwrap(), (BTreeMap::new(), BTreeMap::new()));
    }

    #[cfg(unix)]
    #[test]
    fn links_to_folders_of_the_site_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("docs/2.1/img")).unwrap();
        std::fs::write(folder.path().join("docs/2.1/img/a.svg"), "<svg/>").unwrap();
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        };
        link("2.1", "docs/latest");
        link("docs/latest", "current");
        link("docs/2.1/img/a.svg", "logo.svg");
        let found = keys(folder.path(), Selection::default()).unwrap();
        let found: Vec<&str> = found.keys().map(ObjectKey::as_str).collect();
        let expected =
            ["current/img/a.svg", "docs/2.1/img/a.svg", "docs/latest/img/a.svg", "logo.svg"];
        assert_eq!(found, expected);
    }

    #[test]
    fn names_that_look_like_secrets_are_known() {
        for (key, looks) in [
            ("id_rsa", true),
            ("keys/id_ed25519", true),
            ("server.pem", true),
            ("server.KEY", true),
            ("dump.sql", true),
            ("terraform.tfstate", true),
            ("next.plan", true),
            ("credentials.json", true),
            ("secret.txt", true),
            ("prod.env", true),
            ("x.tfvars", true),
            ("serviceAccountKey.json", true),
            ("secrets.html", false),
            ("id_rsa.pub", false),
            ("keynote.html", false),
            ("app.js.map", false),
        ] {
            assert_eq!(looks_secret(key), looks, "{key}");
        }
    }
}
