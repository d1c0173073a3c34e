//! Which paths an apply invalidates.

use super::Op;
use crate::name::{DistributionId, ObjectKey};
use crate::resource::site::index::{Index, Served};
use crate::resource::site::{self, Look};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Every path of the distribution; it counts as one.
pub const EVERYTHING: &str = "/*";
/// More paths than these become [`EVERYTHING`].
const MANY: usize = 15;

/// What is encoded in a path: what RFC 1738 calls unsafe, the query's sign, and all that is not
/// ASCII. CloudFront finds no copy of a path in which more is (docs/aws.md, "paths of an
/// invalidation").
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'~');

/// What an apply changes in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale<'a> {
    /// Objects with other bytes or headers than visitors may have.
    pub changed: Vec<&'a ObjectKey>,
    /// Objects that go.
    pub gone: Vec<&'a ObjectKey>,
}

/// Finds them. `ops` are what is planned for the site. What was put by a run that ended before its
/// index was written still counts as changed: the index does not know it.
#[must_use]
pub fn stale<'a>(ops: &'a [site::Op], desired: &site::Settings, live: &'a site::Live) -> Stale<'a> {
    let mut changed: BTreeSet<&ObjectKey> = unknown(desired, live).collect();
    let mut gone = Vec::new();
    for op in ops {
        match op {
            site::Op::Put(site::Put { key, before: Some(_), served, .. }) => {
                let was = served.as_deref().map(|was| was.headers.cache_control.as_str());
                if is_cached(was.unwrap_or_default()) {
                    changed.insert(key);
                }
            }
            site::Op::Put(_) => {}
            // Nothing asks any more for a name that changes with its bytes.
            site::Op::Delete { key, .. } => {
                let was = live.ours(key).map(|was| was.headers.cache_control.as_str());
                let asked = |was: &&str| is_cached(was) && !was.contains("immutable");
                gone.extend(was.filter(asked).map(|_| key));
            }
        }
    }
    Stale { changed: changed.into_iter().collect(), gone }
}

/// What is as it should be, and not because of what the index knows.
fn unknown<'a>(
    desired: &site::Settings,
    live: &'a site::Live,
) -> impl Iterator<Item = &'a ObjectKey> {
    let index = live.index.as_ref().and_then(|found| found.ours.as_ref());
    let asked = live.looks.iter().filter_map(|(key, look)| match look {
        Look::Ours(served) => Some((key, served)),
        _ => None,
    });
    let is_unknown = move |(key, served): &(&ObjectKey, &Served)| {
        let found = live.objects.get(*key).map(|object| &object.etag);
        let is_wanted = desired.files.get(*key).is_some_and(|file| live.holds(key, &file.md5));
        let knows = |index: &Index| found.is_some_and(|etag| index.served(key, etag).is_some());
        is_wanted
            && index.is_some_and(|index| !knows(index))
            && is_cached(&served.headers.cache_control)
    };
    asked.filter(is_unknown).map(|(key, _)| key)
}

/// Which copies are dropped, and which run asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    pub distribution: &'a DistributionId,
    /// What `/` is answered with.
    pub root: &'a str,
    /// The `ETag` of the index, of which no two are equal: the same paths are dropped again by a
    /// later run.
    pub seen: &'a str,
    pub until_completed: bool,
}

impl Planner<'_> {
    /// Plans one invalidation of what these keys were served as.
    #[must_use]
    pub fn of(&self, keys: &[&ObjectKey]) -> Option<Op> {
        let path = |key: &&ObjectKey| format!("/{}", utf8_percent_encode(key.as_str(), ENCODED));
        let mut paths: Vec<String> = keys.iter().map(path).collect();
        if keys.iter().any(|key| key.as_str() == self.root) {
            paths.push("/".into());
        }
        paths.sort();
        paths.dedup();
        let sent = if paths.len() > MANY { vec![EVERYTHING.into()] } else { paths.clone() };
        (!paths.is_empty()).then(|| self.op(sent, &paths.concat()))
    }

    /// Plans one of everything, where what an edge may hold is not known.
    #[must_use]
    pub fn everything(&self) -> Op {
        self.op(vec![EVERYTHING.into()], EVERYTHING)
    }

    /// The same once these went, too.
    #[must_use]
    pub fn everything_gone(&self, keys: &[&ObjectKey]) -> Op {
        let keys = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().concat();
        self.op(vec![EVERYTHING.into()], &format!("gone {keys}"))
    }

    /// `why` tells invalidations of the same paths apart.
    fn op(&self, paths: Vec<String>, why: &str) -> Op {
        let digest = Sha256::new_with_prefix(self.seen).chain_update([0]).chain_update(why);
        let reference = format!("provision-{}", hex::encode(&digest.finalize()[..16]));
        let (distribution, until_completed) = (self.distribution.clone(), self.until_completed);
        Op { distribution, paths, reference, until_completed }
    }
}

/// May a shared cache hold an object that is served so? Not where each request asks anew. Without
/// the header CloudFront's own default holds: a day.
fn is_cached(cache_control: &str) -> bool {
    let mut words = cache_control.split(',').map(str::trim);
    !words.any(|word| ["no-store", "no-cache", "private", "max-age=0"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ObjectHeaders;
    use crate::resource::content::Content;
    use crate::resource::site::{self, FoundIndex, Live, Object};

    const HOUR: &str = "public, max-age=3600";

    fn content(bytes: &str, cache_control: &str) -> Content {
        Content::in_memory(bytes.as_bytes(), ObjectHeaders::new("text/plain", cache_control))
    }

    fn site<const N: usize>(files: [(&str, &str, &str); N]) -> site::Settings {
        let file =
            |(key, bytes, cache): (&str, &str, &str)| (key.parse().unwrap(), content(bytes, cache));
        site::Settings { named: true, files: files.map(file).into() }
    }

    fn live(site: &site::Settings) -> Live {
        let mut live = Live::default();
        for (key, content) in &site.files {
            let object = Object { etag: content.md5.clone(), size: content.size };
            live.objects.insert(key.clone(), object);
            live.looks.insert(key.clone(), Look::Ours(Served::of(content)));
        }
        live
    }

    fn paths(desired: &site::Settings, live: &Live) -> Vec<String> {
        let (stack, bucket) = ("shop".parse().unwrap(), "shop-1".parse().unwrap());
        let page_keys = BTreeSet::new();
        let site = site::plan::Planner {
            stack: &stack,
            bucket: &bucket,
            page_keys,
            adopt: false,
            delete: true,
        };
        let ops = site.plan(desired, live, std::iter::empty()).ops;
        let Stale { changed, gone } = stale(&ops, desired, live);
        let of = |keys: &[&ObjectKey]| planner(&id(), "seen").of(keys);
        [of(&changed), of(&gone)].into_iter().flatten().flat_map(|op| op.paths).collect()
    }

    fn id() -> DistributionId {
        "E2ABCDEF0123".parse().unwrap()
    }

    fn planner<'a>(distribution: &'a DistributionId, seen: &'a str) -> Planner<'a> {
        Planner { distribution, root: "home.json", seen, until_completed: false }
    }

    #[test]
    fn what_a_cache_may_hold_and_what_changed_is_dropped() {
        let before = site([
            ("index.html", "1", "public, max-age=0, must-revalidate"),
            ("app-4f3a9c21.js", "1", "public, max-age=31536000, immutable"),
            ("logo.svg", "1", HOUR),
            ("same.svg", "1", HOUR),
            ("old font.woff2", "1", HOUR),
            ("home.json", "1", HOUR),
        ]);
        let after = site([
            ("index.html", "2", "public, max-age=0, must-revalidate"),
            ("app-4f3a9c21.js", "2", "public, max-age=31536000, immutable"),
            ("logo.svg", "2", HOUR),
            ("same.svg", "1", HOUR),
            ("new.svg", "2", HOUR),
            ("home.json", "2", HOUR),
        ]);
        let live = live(&before);
        let changed = ["/", "/app-4f3a9c21.js", "/home.json", "/logo.svg"];
        assert_eq!(paths(&after, &live), [&changed[..], &["/old%20font.woff2"]].concat());
        assert_eq!(paths(&before, &live), Vec::<String>::new());
    }

    #[test]
    fn many_paths_are_one() {
        let of = |bytes: &str, many: usize| {
            let key = |number| format!("{number}.svg").parse().unwrap();
            let files = (0..many).map(|number| (key(number), content(bytes, HOUR))).collect();
            site::Settings { named: true, files }
        };
        assert_eq!(paths(&of("2", 15), &live(&of("1", 15))).len(), 15);
        assert_eq!(paths(&of("2", 16), &live(&of("1", 16))), [EVERYTHING]);
    }

    /// A run that was killed after it put an object, and before its index.
    #[test]
    fn what_the_index_does_not_know_is_still_dropped() {
        let after = site([("logo.svg", "2", HOUR), ("new.svg", "1", HOUR)]);
        let mut live = live(&after);
        live.index = Some(FoundIndex {
            etag: "seen".into(),
            ours: Some(site::index::Index::default()),
            modified: 0,
            kms_key: None,
            owner: None,
        });
        assert_eq!(paths(&after, &live), ["/logo.svg", "/new.svg"]);
    }

    #[test]
    fn the_same_paths_are_dropped_again_by_a_later_run() {
        let key: ObjectKey = "logo.svg".parse().unwrap();
        let reference = |seen| planner(&id(), seen).of(&[&key]).unwrap().reference;
        assert_eq!(reference("one"), reference("one"));
        assert_ne!(reference("one"), reference("two"));
    }

    #[test]
    fn a_path_is_written_as_browsers_ask_for_it() {
        for (key, path) in [
            ("logo@2x.png", "/logo@2x.png"),
            ("a!$()@,;:+.css", "/a!$()@,;:+.css"),
            ("q?x=1&y.txt", "/q%3Fx=1&y.txt"),
            ("a b%20~[1].txt", "/a%20b%2520%7E%5B1%5D.txt"),
            ("é.css", "/%C3%A9.css"),
        ] {
            let key: ObjectKey = key.parse().unwrap();
            assert_eq!(planner(&id(), "").of(&[&key]).unwrap().paths, [path]);
        }
    }
}
