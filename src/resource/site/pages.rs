//! Which page a path means: visitors ask for folders and for names without an ending, and S3 knows
//! keys alone. The built-in function reads this (`config/edge/maintenance.py`, `page_of`).

use crate::change::{Address, Kind, Notice};
use crate::name::ObjectKey;
use crate::resource::NOT_FOUND;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What most pages of the site follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// A path is a key: the site has no page but its first.
    None,
    /// `/about/` is `about/index.html`, as Hugo, Jekyll and Astro build it.
    Folder,
    /// `/about` is `about.html`.
    File,
    /// Every path without an ending is the root object: an application has its own paths.
    Root,
}

/// Paths that should lead to a page and do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unled {
    pub paths: Vec<String>,
    /// Nobody is there who could lead them; else they are too many.
    pub is_alone: bool,
}

/// How paths lead to pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pages {
    pub rule: Rule,
    /// The root object's path.
    pub root: String,
    /// With [`Rule::Root`]: what files end in. Any other ending is part of an application's path,
    /// as in `/users/j.doe` and `/docs/v1.2`.
    pub endings: BTreeSet<String>,
    /// Path → page, where the rule says something else. A page that ends with `/` is where the
    /// visitor is sent to.
    pub pages: BTreeMap<String, String>,
}

/// More paths beside the rule make the function's package too large, and its start slow.
const MOST: usize = 1_000;

/// What files end in that visitors and crawlers ask for, whether a site has them or not.
const USUAL: [&str; 14] = [
    "css",
    "gif",
    "html",
    "ico",
    "jpg",
    "js",
    "json",
    "map",
    "png",
    "svg",
    "txt",
    "webmanifest",
    "webp",
    "xml",
];

/// The page of a folder.
const INDEX: &str = "index.html";
/// The ending of a page.
const HTML: &str = ".html";

impl Unled {
    /// What the plan says of it.
    #[must_use]
    pub fn notice(&self, bucket: impl Display) -> Option<Notice> {
        const FIRST: usize = 3;
        let count = self.paths.len();
        let mut named = self.paths.iter().take(FIRST).cloned().collect::<Vec<_>>().join(", ");
        if count > FIRST {
            named = format!("{named} and {} more", count - FIRST);
        }
        let (paths, lead) = if count == 1 { ("path", "leads") } else { ("paths", "lead") };
        let why = if self.is_alone {
            "only the built-in function in front of a distribution of ours leads them \
                (docs/function.md)"
                .to_owned()
        } else {
            format!("the function leads at most {MOST} beside the rule of most")
        };
        (count > 0).then(|| Notice {
            address: Address::new(Kind::Site, bucket),
            text: format!("{count} {paths} {lead} to no page, {named}: {why}"),
        })
    }
}

impl Pages {
    /// Every path is a key.
    #[must_use]
    pub fn none() -> Self {
        let (root, endings, pages) = ("/".into(), BTreeSet::new(), BTreeMap::new());
        Self { rule: Rule::None, root, endings, pages }
    }

    /// How the pages of this site are reached; `root` is what `/` serves. With `is_app`, paths that
    /// are no page are its own. Returned beside: what is too much.
    #[must_use]
    pub fn of<V>(site: &BTreeMap<ObjectKey, V>, root: &str, is_app: bool) -> (Self, Unled) {
        let is_page = |key: &&str| *key != root && *key != NOT_FOUND && *key != INDEX;
        let keys = || site.keys().map(ObjectKey::as_str).filter(is_page);
        let folders = keys().filter(|key| name_of(key) == INDEX).count();
        let files = keys().filter(|key| key.ends_with(HTML)).count() - folders;
        let rule = match (is_app, folders, files) {
            (true, _, _) => Rule::Root,
            (_, 0, 0) => Rule::None,
            _ if folders >= files => Rule::Folder,
            _ => Rule::File,
        };
        let own = site.keys().filter_map(|key| ending(key.as_str()));
        let endings = USUAL.map(str::to_owned).into_iter().chain(own);
        let endings = endings.filter(|_| is_app).collect();
        let mut pages = Self { rule, root: format!("/{root}"), endings, pages: BTreeMap::new() };
        let meant = keys().flat_map(|key| meant(key, site));
        let mut beside = meant.filter(|(path, page)| pages.by_rule(path) != *page);
        let named: BTreeMap<String, String> = beside.by_ref().take(MOST).collect();
        let paths = beside.map(|(path, _)| path).collect();
        pages.pages = named;
        (pages, Unled { paths, is_alone: false })
    }

    /// Where nobody leads anybody: every path is a key.
    #[must_use]
    pub fn alone<V>(site: &BTreeMap<ObjectKey, V>) -> (Self, Unled) {
        let keys = site.keys().map(ObjectKey::as_str).filter(|key| *key != INDEX);
        let folders =
            keys.filter_map(|key| key.strip_suffix(INDEX)).filter(|key| key.ends_with('/'));
        let paths = folders.map(|folder| format!("/{folder}")).collect();
        (Self::none(), Unled { paths, is_alone: true })
    }

    /// As the function does it.
    fn by_rule(&self, path: &str) -> String {
        let name = name_of(path);
        let is_file = match self.rule {
            Rule::Root => ending(path).is_some_and(|ending| self.endings.contains(&ending)),
            _ => name.contains('.'),
        };
        if is_file || path == "/" || path.starts_with("/.well-known/") {
            return path.to_owned();
        }
        match self.rule {
            Rule::None => path.to_owned(),
            Rule::Root => self.root.clone(),
            Rule::Folder if name.is_empty() => format!("{path}{INDEX}"),
            Rule::Folder => format!("{path}/"),
            Rule::File if name.is_empty() => path.trim_end_matches('/').to_owned(),
            Rule::File => format!("{path}{HTML}"),
        }
    }
}

/// The paths, beside its own, that mean this object, each with where it leads.
fn meant<V>(key: &str, site: &BTreeMap<ObjectKey, V>) -> Vec<(String, String)> {
    let name = name_of(key);
    let above = &key[..key.len() - name.len()];
    let page = format!("/{key}");
    if name == INDEX {
        let (bare, folder) = (above.trim_end_matches('/'), format!("/{above}"));
        // `about.html` goes before `about/index.html`: its address is the shorter one.
        let beside: Result<ObjectKey, _> = format!("{bare}{HTML}").parse();
        let is_taken = beside.is_ok_and(|beside| site.contains_key(&beside));
        let bare = (!is_taken).then(|| (format!("/{bare}"), folder.clone()));
        bare.into_iter().chain([(folder, page)]).collect()
    } else if let Some(stem) = name.strip_suffix(HTML) {
        vec![(format!("/{above}{stem}"), page)]
    } else if name.contains('.') {
        Vec::new()
    } else {
        vec![(page.clone(), page)]
    }
}

/// What stands behind the last dot of its name, in small letters.
fn ending(key: &str) -> Option<String> {
    name_of(key).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(keys: &[&str]) -> BTreeMap<ObjectKey, String> {
        keys.iter().map(|key| (key.parse().unwrap(), (*key).to_owned())).collect()
    }

    /// Keys, whether it is an application, the rule, and what stands beside it.
    type Row = (&'static [&'static str], bool, Rule, &'static [(&'static str, &'static str)]);

    #[test]
    fn most_pages_make_the_rule_and_the_others_are_named() {
        let rows: &[Row] = &[
            (&["index.html", "404.html", "a.css"], false, Rule::None, &[]),
            (&["index.html", "LICENSE"], false, Rule::None, &[]),
            (&["index.html", "a/index.html", "b/c/index.html"], false, Rule::Folder, &[]),
            (&["index.html", "a.html", "b/c.html"], false, Rule::File, &[]),
            (
                &["index.html", "a/index.html", "b/index.html", "c.html", "d", "v1.2/index.html"],
                false,
                Rule::Folder,
                &[("/c", "/c.html"), ("/d", "/d"), ("/v1.2", "/v1.2/")],
            ),
            (
                &["index.html", "a.html", "b.html", "c/index.html", "v1.2.html", ".well-known/x"],
                false,
                Rule::File,
                &[("/c", "/c/"), ("/c/", "/c/index.html"), ("/v1.2", "/v1.2.html")],
            ),
            (&["a.html", "b.html", "a/index.html"], false, Rule::File, &[("/a/", "/a/index.html")]),
            (&["a.html", "a/index.html"], false, Rule::Folder, &[("/a", "/a.html")]),
            (&["index.html", "model.glb", "a.b/c"], true, Rule::Root, &[("/a.b/c", "/a.b/c")]),
            (
                &["index.html", "a.html", "b/index.html"],
                true,
                Rule::Root,
                &[("/a", "/a.html"), ("/b", "/b/"), ("/b/", "/b/index.html")],
            ),
        ];
        for (keys, is_app, rule, beside) in rows {
            let (pages, lost) = Pages::of(&site(keys), "index.html", *is_app);
            let beside: BTreeMap<String, String> =
                beside.iter().map(|(path, page)| ((*path).into(), (*page).into())).collect();
            assert_eq!((pages.rule, &pages.pages), (*rule, &beside), "{keys:?}");
            assert!(lost.paths.is_empty(), "{lost:?}");
        }
    }

    #[test]
    fn paths_beside_the_rule_have_a_bound() {
        let keys: Vec<String> = (0..MOST + 7).map(|number| format!("{number:04}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (pages, lost) =
            Pages::of(&site(&[&keys[..], &["a.html"]].concat()), "index.html", false);
        assert_eq!((pages.pages.len(), lost.paths.len()), (MOST, 7));
        assert_eq!(
            lost.notice("shop-1").unwrap().text,
            "7 paths lead to no page, /1000, /1001, /1002 \
            and 4 more: the function leads at most 1000 beside the rule of most"
        );
    }

    #[test]
    fn without_anybody_to_lead_folders_lead_nowhere() {
        let keys = ["index.html", "a.html", "b/index.html", "c/d/index.html", "noindex.html"];
        let (pages, lost) = Pages::alone(&site(&keys));
        assert_eq!(
            (pages, &lost.paths[..]),
            (Pages::none(), &["/b/".to_owned(), "/c/d/".into()][..])
        );
        assert_eq!(
            lost.notice("shop-1").unwrap().text,
            "2 paths lead to no page, /b/, /c/d/: only \
            the built-in function in front of a distribution of ours leads them (docs/function.md)"
        );
        assert_eq!(Unled::default().notice("shop-1"), None);
    }
}
