//! Which paths an apply invalidates.

use super::Op;
use crate::name::{DistributionId, ObjectKey};
use crate::resource::site::index::{Index, Served};
use crate::resource::site::{self, Look};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Every path of the distribution; it counts as one.
pub const EVERYTHING: &str = "/*";
/// More paths than these become [`EVERYTHING`].
const MANY: usize = 15;

/// What stays as it is in a path (RFC 3986, "unreserved characters"), and slashes.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

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
            site::Op::Put { key, before: Some(_), served, .. } => {
                let was = served.as_deref().unwrap_or(&Served::default()).clone();
                if is_cached(&was.cache_control) {
                    changed.insert(key);
                }
            }
            site::Op::Put { .. } => {}
            site::Op::Delete { key, .. } => {
                let was = live.ours(key);
                gone.extend(was.filter(|was| is_cached(&was.cache_control)).map(|_| key));
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
    asked
        .filter(move |(key, served)| {
            let lies = live.objects.get(*key).map(|object| &object.etag);
            let is_wanted = desired.files.get(*key).is_some_and(|file| lies == Some(&file.md5));
            let is_unknown = |index: &Index| lies.is_some_and(|it| index.served(key, it).is_none());
            is_wanted && index.is_some_and(is_unknown) && is_cached(&served.cache_control)
        })
        .map(|(key, _)| key)
}

/// Plans one invalidation of the distribution. `seen` is the `ETag` of the index, of which no two
/// are equal: the same paths are dropped again by a later run. `root` is what `/` is answered with.
#[must_use]
pub fn plan(
    distribution: &DistributionId,
    stale: &Stale<'_>,
    root: &str,
    seen: &str,
    until_completed: bool,
) -> Option<Op> {
    let keys = || stale.changed.iter().chain(&stale.gone);
    let path = |key: &&ObjectKey| format!("/{}", utf8_percent_encode(key.as_str(), KEPT));
    let mut paths: Vec<String> = keys().copied().map(|key| path(&key)).collect();
    if keys().any(|key| key.as_str() == root) {
        paths.push("/".into());
    }
    paths.sort();
    paths.dedup();
    if paths.len() > MANY {
        paths = vec![EVERYTHING.into()];
    }
    let mut digest = Sha256::new_with_prefix(seen);
    for path in &paths {
        digest.update(path);
    }
    let reference = format!("provision-{}", hex::encode(&digest.finalize()[..16]));
    let distribution = distribution.clone();
    (!paths.is_empty()).then_some(Op { distribution, paths, reference, until_completed })
}

/// May a shared cache hold an object that is served so, and would it hold another one's bytes? Not
/// where each request asks anew, nor where another name comes with other bytes. Without the header
/// CloudFront's own default holds: a day.
fn is_cached(cache_control: &str) -> bool {
    let mut words = cache_control.split(',').map(str::trim);
    !words.any(|word| ["no-store", "no-cache", "private", "max-age=0", "immutable"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::content::Content;
    use crate::resource::site::{FoundIndex, Live, Object, plan::Planner};

    const HOUR: &str = "public, max-age=3600";

    fn content(bytes: &str, cache_control: &str) -> Content {
        Content::in_memory(bytes.as_bytes(), "text/plain", cache_control)
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
        let planner =
            Planner { stack: &stack, bucket: &bucket, page_keys, adopt: false, delete: true };
        let ops = planner.plan(desired, live, std::iter::empty()).ops;
        let stale = stale(&ops, desired, live);
        let op = plan(&"E2ABCDEF0123".parse().unwrap(), &stale, "home.json", "seen", false);
        op.map(|op| op.paths).unwrap_or_default()
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
        assert_eq!(paths(&after, &live), ["/", "/home.json", "/logo.svg", "/old%20font.woff2"]);
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
        live.index = None;
        assert_eq!(paths(&after, &live), Vec::<String>::new(), "a lost index is no change");
    }

    #[test]
    fn the_same_paths_are_dropped_again_by_a_later_run() {
        let key: ObjectKey = "logo.svg".parse().unwrap();
        let stale = Stale { changed: vec![&key], gone: Vec::new() };
        let id = "E2ABCDEF0123".parse().unwrap();
        let reference = |seen| plan(&id, &stale, "", seen, false).unwrap().reference;
        assert_eq!(reference("one"), reference("one"));
        assert_ne!(reference("one"), reference("two"));
    }
}
