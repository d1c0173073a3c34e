//! Objects and switch in a folder: the switch is a file's name.

use crate::edge::{Fact, Folder, Labels, Later, Listed, Object, Objects, Switch, SwitchState};
use crate::resource::page::Keys;
use crate::resource::site::folder::{cache_control, content_type};
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
    pub(super) fn open(root: &Path, keys: Keys, page: Option<PathBuf>) -> io::Result<Self> {
        let labels = |key: &str| {
            let content_type = content_type(Path::new(key));
            let cache_control = Some(cache_control(Path::new(key), &content_type).to_owned());
            Labels { content_type: Some(content_type), cache_control, ..Labels::default() }
        };
        Ok(Self { folder: Folder::open(root, labels)?, root: root.to_owned(), keys, page })
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
        self.folder.get(key)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
        self.folder.list(prefix)
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
