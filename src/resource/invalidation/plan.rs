//! Which paths an apply invalidates.

use super::Op;
use crate::name::{DistributionId, ObjectKey};
use crate::resource::content::Content;
use crate::resource::site::{self, index::Served, plan::Claim};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

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

/// Finds them. What was put by a run that ended before its index was written still counts as
/// changed: the index does not know it.
#[must_use]
pub fn stale<'a>(desired: &'a site::Settings, ops: &'a [site::Op], live: &site::Live) -> Stale<'a> {
    let index = live.index.as_ref().and_then(|found| found.ours.as_ref());
    let is_changed = |(key, content): &(&ObjectKey, &Content)| {
        if !live.objects.contains_key(*key) {
            return false;
        }
        let wanted = Served::of(content);
        let claim = site::plan::claim(live, key, &content.md5, &wanted);
        let (served, changes) = match claim {
            Claim::Put { served, .. } => (served.unwrap_or(wanted), true),
            Claim::Nothing => {
                let unknown = index.is_some_and(|it| it.served(key, &content.md5).is_none());
                (wanted, unknown)
            }
            Claim::Foreign(_) => (Served::default(), true),
        };
        changes && is_cached(&served.cache_control)
    };
    let goes = |op: &'a site::Op| {
        let site::Op::Delete { key, .. } = op else { return None };
        live.ours(key).is_some_and(|served| is_cached(&served.cache_control)).then_some(key)
    };
    Stale {
        changed: desired.files.iter().filter(is_changed).map(|(key, _)| key).collect(),
        gone: ops.iter().filter_map(goes).collect(),
    }
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
    use crate::resource::site::{FoundIndex, Live, Look, Object};

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
        let deletes: Vec<site::Op> = live
            .objects
            .iter()
            .filter(|(key, _)| !desired.files.contains_key(*key))
            .map(|(key, object)| site::Op::Delete {
                bucket: "shop-1".parse().unwrap(),
                key: key.clone(),
                before: object.etag.clone(),
            })
            .collect();
        let stale = stale(desired, &deletes, live);
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
