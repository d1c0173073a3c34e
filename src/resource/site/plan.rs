//! Which objects to upload and which to delete.

use super::caching::is_immutable;
use super::index::Served;
use super::{Live, Object, Op, Put, Settings};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{BucketName, ObjectKey, StackName};
use crate::resource::Planned;
use crate::resource::content::Content;
use std::collections::BTreeSet;

mod index;

pub use index::{Indexing, Writes};

/// Plans for the site of one stack in its bucket.
#[derive(Clone, Debug)]
pub struct Planner<'a> {
    /// Marks what is put.
    pub stack: &'a StackName,
    pub bucket: &'a BucketName,
    /// They belong to the page.
    pub page_keys: BTreeSet<&'a ObjectKey>,
    /// Objects under the site's keys that are not ours may be taken over.
    pub adopt: bool,
    /// Most of the site may go.
    pub delete: bool,
}

/// An apply that takes more objects away than this is refused, unless it was said.
const MANY: usize = 256;
/// One that takes fewer away is not, however small the site is; unless nothing would remain.
const FEW: usize = 3;

impl Planner<'_> {
    /// Plans uploads of what differs, and deletions of what is ours and no longer in the folder.
    /// What is not ours is left alone: under a key that we want it is a conflict, elsewhere a
    /// notice. `former` are the objects in buckets of earlier specs, from where a site moves.
    #[must_use]
    pub fn plan<'l>(
        &self,
        desired: &Settings,
        live: &'l Live,
        mut former: impl Iterator<Item = &'l Live>,
    ) -> Planned<Op> {
        let mut planned = Planned::default();
        let mut taken = Vec::new();
        for (key, content) in &desired.files {
            match claim(live, key, &content.md5, &Served::of(content)) {
                Claim::Nothing => {}
                Claim::Put { before, served } => {
                    planned.ops.push(self.put(key, content.clone(), before, served));
                }
                Claim::Foreign(etag) if self.adopt => {
                    let put = self.put(key, content.clone(), Some(etag), None);
                    planned.ops.push(put.taking_over());
                }
                Claim::Foreign(_) => taken.push(key),
            }
        }
        if !taken.is_empty() {
            planned.conflicts.push(Conflict {
                address: Address::new(Kind::Site, self.bucket),
                reason: format!(
                    "would replace objects that `provision` did not put: {}",
                    named(&taken, |key| live.spared(key))
                ),
                hint: "move them away, or take them over with `--adopt site`".into(),
            });
        }
        let unexpected =
            |key: &&ObjectKey| !desired.files.contains_key(*key) && !self.page_keys.contains(key);
        let gone: Vec<&ObjectKey> =
            live.objects.keys().filter(unexpected).filter(|key| live.ours(key).is_some()).collect();
        if !self.delete {
            let moves = !live.objects.keys().any(|key| is_of_the_site(live, key));
            let before = former.find(|former| {
                moves && former.objects.keys().any(|key| is_of_the_site(former, key))
            });
            let before = before.unwrap_or(live);
            let lost = before.objects.keys().filter(unexpected);
            let lost: Vec<_> = lost.filter(|key| is_of_the_site(before, key)).collect();
            planned.conflicts.extend(self.implausible(desired, &lost, before));
        }
        planned.ops.extend(gone.into_iter().map(|key| self.delete(key, live)));
        let foreign: Vec<&ObjectKey> = live.foreign().filter(unexpected).collect();
        if !foreign.is_empty() {
            planned.notices.push(Notice {
                address: Address::new(Kind::Bucket, self.bucket),
                text: format!(
                    "holds objects that `provision` did not put and leaves alone: {}",
                    named(&foreign, |key| live.spared(key))
                ),
            });
        }
        planned
    }

    fn put(
        &self,
        key: &ObjectKey,
        content: Content,
        before: Option<String>,
        served: Option<Served>,
    ) -> Op {
        let (bucket, stack, served) =
            (self.bucket.clone(), self.stack.clone(), served.map(Box::new));
        Op::Put(Put { bucket, stack, key: key.clone(), content, before, served, adopts: false })
    }

    fn delete(&self, key: &ObjectKey, live: &Live) -> Op {
        let before = live.objects.get(key).map(|object| object.etag.clone()).unwrap_or_default();
        Op::Delete { bucket: self.bucket.clone(), key: key.clone(), before }
    }

    /// Would too much of the site go? What a bundler names anew with each build does not count as
    /// lost while as much comes.
    fn implausible(
        &self,
        desired: &Settings,
        gone: &[&ObjectKey],
        live: &Live,
    ) -> Option<Conflict> {
        let is_built = |key: &&ObjectKey| is_immutable(key.as_str());
        let (built, plain): (Vec<&ObjectKey>, Vec<&ObjectKey>) =
            gone.iter().partition(|key| is_built(key));
        let new = desired
            .files
            .keys()
            .filter(|key| !live.objects.contains_key(*key))
            .filter(is_built)
            .count();
        let lost = plain.len() + built.len().saturating_sub(new);
        let kept = desired.files.keys().filter(|key| live.ours(key).is_some()).count();
        let all = kept + gone.len();
        let why = if desired.files.is_empty() && !gone.is_empty() {
            if desired.named {
                "its folder is empty"
            } else {
                "`bucket.site` is not in the spec any more"
            }
            .to_owned()
        } else if lost > MANY {
            format!("more than {MANY} at once")
        } else if lost >= FEW && lost * 2 > all {
            "more than half of it".to_owned()
        } else {
            return None;
        };
        Some(Conflict {
            address: Address::new(Kind::Site, self.bucket),
            reason: format!("would lose {} of its {all} objects: {why}", gone.len()),
            hint:
                "correct `bucket.site` or its folder; if they shall go, say so with `--delete site`"
                    .into(),
        })
    }
}

/// Is it ours, and not the page, which alone tells of a switch?
fn is_of_the_site(live: &Live, key: &ObjectKey) -> bool {
    live.ours(key).is_some_and(|served| served.switch.is_empty())
}

/// What an object needs to be as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours, with these bytes and headers.
    Nothing,
    /// It is not there, or ours and different.
    Put {
        /// The `ETag` that was seen.
        before: Option<String>,
        served: Option<Served>,
    },
    /// Something that is not ours is there, with this `ETag`.
    Foreign(String),
}

/// Compares what is under a key with what should.
#[must_use]
pub fn claim(live: &Live, key: &ObjectKey, md5: &str, wanted: &Served) -> Claim {
    let Some(Object { etag, .. }) = live.objects.get(key) else {
        return Claim::Put { before: None, served: None };
    };
    match live.ours(key) {
        None => Claim::Foreign(etag.clone()),
        Some(served) if live.holds(key, md5) && served == wanted => Claim::Nothing,
        Some(served) => Claim::Put { before: Some(etag.clone()), served: Some(served.clone()) },
    }
}

/// The first few of these, how many more there are, and how it was found out that they are not
/// ours: `is_spared` says which nobody asked.
#[must_use]
pub fn named(keys: &[&ObjectKey], is_spared: impl Fn(&ObjectKey) -> bool) -> String {
    const FIRST: usize = 3;
    let first: Vec<&str> = keys.iter().take(FIRST).map(|key| key.as_str()).collect();
    let mut text = first.join(", ");
    if keys.len() > FIRST {
        text = format!("{text} and {} more", keys.len() - FIRST);
    }
    let spared = keys.iter().filter(|key| is_spared(key)).count();
    if spared > 0 {
        text = format!(
            "{text} ({} were asked for our mark, the others count as theirs)",
            keys.len() - spared
        );
    }
    text
}

/// Is this a document, which visitors load first and which points at the other files?
#[must_use]
pub fn is_document(op: &Op) -> bool {
    let Op::Put(Put { content, .. }) = op else { return false };
    content.headers.content_type.starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use super::super::Look;
    use super::*;
    use crate::change::Action::{self, Create, Delete, Update};
    use crate::change::FieldChange;
    use crate::edge::ObjectHeaders;
    use std::collections::BTreeMap;

    const PLAIN: &str = "text/plain";

    fn file(text: &str) -> Content {
        Content::in_memory(text.as_bytes(), ObjectHeaders::new(PLAIN, ""))
    }

    fn files<const N: usize>(files: [(&str, &str); N]) -> Settings {
        Settings {
            named: true,
            files: files.map(|(key, text)| (key.parse().unwrap(), file(text))).into(),
        }
    }

    /// Key, bytes, and the MIME type of what is ours.
    fn live<const N: usize>(objects: [(&str, &str, Option<&str>); N]) -> Live {
        let mut live = Live::default();
        for (key, text, ours) in objects {
            let key: ObjectKey = key.parse().unwrap();
            live.objects.insert(key.clone(), Object { etag: file(text).md5.clone(), size: 1 });
            let served =
                |kind: &str| Served { headers: ObjectHeaders::new(kind, ""), ..Served::default() };
            live.looks.insert(key, ours.map_or(Look::Foreign, |kind| Look::Ours(served(kind))));
        }
        live
    }

    fn planned(desired: &Settings, live: &Live, adopt: bool, delete: bool) -> Planned<Op> {
        let (stack, bucket) = ("shop".parse().unwrap(), "shop-1".parse().unwrap());
        let (off, on) = ("m.html".parse().unwrap(), "m-on.html".parse().unwrap());
        let page_keys = [&off, &on].into();
        let planner = Planner { stack: &stack, bucket: &bucket, page_keys, adopt, delete };
        planner.plan(desired, live, std::iter::empty())
    }

    fn shown(planned: &Planned<Op>) -> Vec<(Action, String)> {
        planned.ops.iter().map(|op| (op.change().action, op.change().address.name)).collect()
    }

    #[test]
    fn only_differences_move_and_only_our_objects_go() {
        let desired =
            files([("new", "n"), ("same", "s"), ("edited", "e"), ("served", "v"), ("taken", "t")]);
        let ours = Some(PLAIN);
        let live = live([
            ("same", "s", ours),
            ("edited", "x", ours),
            ("served", "v", Some("text/html")),
            ("taken", "t", None),
            ("ours", "o", ours),
            ("theirs", "t", None),
            ("m.html", "m", None),
        ]);
        let refused = planned(&desired, &live, false, false);
        let names = |actions: &[(Action, &str)]| {
            actions.iter().map(|(a, n)| (*a, (*n).to_owned())).collect::<Vec<_>>()
        };
        let usual =
            names(&[(Update, "edited"), (Create, "new"), (Update, "served"), (Delete, "ours")]);
        assert_eq!(shown(&refused), usual);
        assert!(
            refused.conflicts[0].reason.ends_with("did not put: taken"),
            "{:?}",
            refused.conflicts
        );
        assert!(refused.notices[0].text.ends_with("leaves alone: theirs"));
        let adopted = planned(&desired, &live, true, false);
        assert_eq!((adopted.conflicts, adopted.ops.len()), (Vec::new(), 5));
        let fields = refused.ops[2].change().fields;
        assert_eq!(fields, [FieldChange::between("content type", &"text/html", &PLAIN).unwrap()]);
    }

    #[test]
    fn most_of_a_site_goes_only_where_it_was_said() {
        let keys = |names: &str, count: usize| {
            (0..count).map(|n| names.replace('#', &format!("{n:04}"))).collect::<Vec<_>>()
        };
        let built = "app.a0000#ab.js";
        // Were there, stay, come; what the plan says.
        for (there, stay, come, refused) in [
            (keys("#", 1), 0, vec![], Some("1 of its 1 objects: its folder is empty")),
            (keys("#", 889), 0, vec![], Some("889 of its 889 objects: its folder is empty")),
            (keys("#", 3), 1, vec![], None),
            (keys("#", 3), 0, keys("n#", 3), Some("3 of its 3 objects: more than half")),
            (keys("#", 10), 1, vec![], Some("9 of its 10 objects: more than half")),
            (keys("#", 19), 9, vec![], Some("10 of its 19 objects: more than half")),
            (keys("#", 20), 10, vec![], None),
            (keys("#", 889), 633, vec![], None),
            (keys("#", 889), 632, vec![], Some("257 of its 889 objects: more than 256")),
            (keys("#", 889), 0, keys("n#", 889), Some("889 of its 889 objects: more than 256")),
            (keys(built, 300), 0, keys(&built.replace("ab", "cd"), 300), None),
            (
                keys(built, 300),
                0,
                keys(&built.replace("ab", "cd"), 43),
                Some("300 of its 300 objects: more than 256"),
            ),
        ] {
            let mut site = Live::default();
            for key in &there {
                let key: ObjectKey = key.parse().unwrap();
                site.objects.insert(key.clone(), Object { etag: file("").md5.clone(), size: 1 });
                site.looks.insert(
                    key,
                    Look::Ours(Served {
                        headers: ObjectHeaders::new(PLAIN, ""),
                        ..Served::default()
                    }),
                );
            }
            let wanted = there[there.len() - stay..].iter().chain(&come);
            let files: BTreeMap<ObjectKey, Content> =
                wanted.map(|key| (key.parse().unwrap(), file(""))).collect();
            let desired = Settings { named: true, files };
            let reasons: Vec<String> = planned(&desired, &site, false, false)
                .conflicts
                .into_iter()
                .map(|c| c.reason)
                .collect();
            let fits = match refused {
                Some(words) => matches!(&reasons[..], [reason] if reason.contains(words)),
                None => reasons.is_empty(),
            };
            assert!(fits, "{} there, {stay} stay: {reasons:?}, not {refused:?}", there.len());
            let said = planned(&desired, &site, false, true);
            assert!(said.conflicts.is_empty() && said.ops.len() == there.len() - stay + come.len());
        }
    }

    #[test]
    fn a_site_that_the_spec_gives_up_is_said_so() {
        let live = live([("a", "a", Some(PLAIN))]);
        let reason = planned(&Settings::default(), &live, false, false).conflicts.remove(0).reason;
        assert!(reason.ends_with("`bucket.site` is not in the spec any more"), "{reason}");
    }
}
