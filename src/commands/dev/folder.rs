//! Objects and switch in a folder: the switch is a file's name.

use crate::edge::{Fact, Folder, Labels, Later, Listed, Object, Objects, Switch, SwitchState};
use crate::resource::content::Seen;
use crate::resource::page::Keys;
use crate::resource::site::folder::{is_hidden, served};
use crate::resource::site::rules::Rule;
use std::io;
use std::path::{Path, PathBuf};

/// A folder as a bucket with a switch.
pub(super) struct Site {
    folder: Folder,
    root: PathBuf,
    keys: Keys,
    page: Option<PathBuf>,
}

impl Site {
    /// Takes a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn open(
        root: &Path,
        keys: Keys,
        page: Option<PathBuf>,
        rules: Vec<Rule>,
    ) -> io::Result<Self> {
        let labels = move |key: &str, bytes: &[u8]| Labels {
            headers: served(key, Seen::of(bytes), &rules),
            ..Labels::default()
        };
        Ok(Self { folder: Folder::open(root, labels)?, root: root.to_owned(), keys, page })
    }

    /// Would an apply put this file, or is it the page?
    fn is_object(&self, key: &str) -> bool {
        let page = [&self.keys.off, &self.keys.on].iter().any(|own| own.as_str() == key);
        page || !key.split('/').any(is_hidden)
    }

    fn path(&self, on: bool) -> PathBuf {
        self.root.join(if on { self.keys.on.as_str() } else { self.keys.off.as_str() })
    }

    fn turn_now(&self, on: bool) -> io::Result<()> {
        let (to, from) = (self.path(on), self.path(!on));
        if to.exists() && !on {
            return std::fs::remove_file(from);
        }
        match (from.exists(), &self.page) {
            (true, _) => std::fs::rename(from, to),
            (false, Some(page)) if on && !to.exists() => std::fs::copy(page, to).map(drop),
            _ => Ok(()),
        }
    }
}

impl Objects for Site {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>> {
        if self.is_object(key) { self.folder.get(key) } else { Box::pin(async { Ok(None) }) }
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
        let listed = self.folder.list(prefix);
        Box::pin(async move {
            Ok(listed.await?.into_iter().filter(|one| self.is_object(&one.key)).collect())
        })
    }
}

impl Switch for Site {
    fn state(&self) -> Later<'_, Result<SwitchState, String>> {
        let on = self.path(true).exists();
        let key = if on { &self.keys.on } else { &self.keys.off };
        let facts = vec![Fact { name: "page".into(), value: key.to_string() }];
        Box::pin(async move { Ok(SwitchState { on, facts }) })
    }

    fn turn(&self, on: bool) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(async move {
            if self.path(true).exists() != on {
                self.turn_now(on).map_err(|error| error.to_string())?;
            }
            self.state().await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn visitors_get_what_an_apply_would_put_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let files =
            ["home.html", ".env", ".git/config", ".provision/index", ".well-known/x", ".m.html"];
        for name in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let keys = Keys { off: ".m.html".parse().unwrap(), on: "on.html".parse().unwrap() };
        let site = Site::open(root.path(), keys, None, Vec::new()).unwrap();
        let mut got = Vec::new();
        for name in files {
            got.extend(site.get(name).await.unwrap().map(|_| name));
        }
        got.sort_unstable();
        assert_eq!(got, [".m.html", ".well-known/x", "home.html"]);
        let listed: Vec<_> = site.list("").await.unwrap().into_iter().map(|one| one.key).collect();
        assert_eq!(listed, got);
    }
}
