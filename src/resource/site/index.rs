//! The index: one object of ours that says which objects are ours and how they are served, so that
//! 10,000 of them need no closer look.
//!
//! Written last, when everything that it tells of has been put. It is believed only of an object
//! whose `ETag` it knows and that is no newer than the index itself; every other object is asked. A
//! lost or damaged index costs looks and nothing else. It holds digests in place of keys, so that a
//! visitor who reads it learns no key that he did not know.

use super::super::content::{Content, Source};
use crate::change::FieldChange;
use crate::edge::ObjectHeaders;
use crate::file;
use crate::name::{ObjectKey, StackName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Where only our own objects are.
pub const FOLDER: &str = ".provision/";

/// Where it is. No file of a site has such a key, as names that begin with a dot are left out.
pub const KEY: &str = ".provision/index";

/// The format that this program reads and writes.
const FORMAT: u32 = 1;

/// A larger one is not read. In bytes; two million objects fit.
pub const LARGEST: u64 = file::LARGEST_RECORD;

/// The metadata key (without `x-amz-meta-`) of the page under its own key: the on key that the
/// function which was deployed last looks at.
pub const SWITCH: &str = "provision-switch";

/// What [`SWITCH`] says while the switch moves, and in a bucket that it has left. No spec can name it.
pub const MOVING: &str = "/";

/// How an object is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Served {
    #[serde(flatten)]
    pub headers: ObjectHeaders,
    /// What [`SWITCH`] says; empty beside all but the page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub switch: String,
}

impl Served {
    /// How content is served once it is put.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        Self { headers: content.headers.clone(), switch: String::new() }
    }

    /// An object as it is, with its user metadata.
    #[must_use]
    pub fn found(headers: ObjectHeaders, metadata: &BTreeMap<String, String>) -> Self {
        Self { headers, switch: metadata.get(SWITCH).cloned().unwrap_or_default() }
    }

    /// The same with what the page says of the switch.
    #[must_use]
    pub fn with_switch(self, on: &ObjectKey) -> Self {
        Self { switch: on.to_string(), ..self }
    }

    /// What becomes different once it is served like `next`.
    pub fn changes(&self, next: &Self) -> impl Iterator<Item = FieldChange> {
        let (was, will) = (&self.headers, &next.headers);
        let headers = [
            ("content type", &was.content_type, &will.content_type),
            ("cache control", &was.cache_control, &will.cache_control),
            ("content encoding", &was.content_encoding, &will.content_encoding),
            ("content language", &was.content_language, &will.content_language),
            ("content disposition", &was.content_disposition, &will.content_disposition),
        ];
        let headers = headers
            .into_iter()
            .filter_map(|(name, was, will)| FieldChange::between(name, was, will));
        let switch = (self.switch != next.switch && !next.switch.is_empty()).then(|| {
            let set = || FieldChange::set("on key", &next.switch);
            if self.switch.is_empty() {
                Some(set())
            } else {
                FieldChange::between("on key", &self.switch, &next.switch)
            }
        });
        headers.chain(switch.flatten())
    }
}

/// A digest of a key and an `ETag`.
type Print = [u8; 16];

fn print(key: &ObjectKey, etag: &str) -> Print {
    let mut print = Print::default();
    let digest =
        Sha256::new_with_prefix(key.as_str()).chain_update([0]).chain_update(etag).finalize();
    print.copy_from_slice(&digest[..16]);
    print
}

/// What the index says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The page's own key and the on key, as they were applied last.
    pub keys: Option<(ObjectKey, ObjectKey)>,
    /// Edges may hold copies of objects that went: nobody has asked them yet to drop these.
    pub lingers: bool,
    served: Vec<Served>,
    /// Sorted; with the place in `served`.
    objects: Vec<(Print, u32)>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    /// Do edges hold copies of what went? Not which: a visitor who reads it learns no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lingers: Option<bool>,
    stack: StackName,
    #[serde(default)]
    keys: Option<(ObjectKey, ObjectKey)>,
    /// The `ETag` of the index that it replaced. So no two indexes have the same bytes, and a run
    /// that was overtaken cannot take a later one for the one that it saw.
    #[serde(default)]
    after: Option<String>,
    objects: Vec<Group>,
}

#[derive(Serialize, Deserialize)]
struct Group {
    served: Served,
    /// Digests in hex, one behind the other.
    digests: String,
}

impl Index {
    /// Reads a record. `None` where it is another stack's, another format's, or damaged.
    #[must_use]
    pub fn read(record: &[u8], stack: &StackName) -> Option<Self> {
        let record: Record = file::parse(record).ok()?;
        if record.format != FORMAT || record.stack != *stack {
            return None;
        }
        let lingers = record.lingers.unwrap_or_default();
        let mut index = Self { keys: record.keys, lingers, ..Self::default() };
        for (number, Group { served, digests }) in (0..).zip(record.objects) {
            let bytes = hex::decode(digests).ok()?;
            let (prints, []) = bytes.as_chunks() else { return None };
            index.objects.extend(prints.iter().map(|print| (*print, number)));
            index.served.push(served);
        }
        index.objects.sort_unstable();
        Some(index)
    }

    /// How the object with this `ETag` was put, if the index knows it.
    #[must_use]
    pub fn served(&self, key: &ObjectKey, etag: &str) -> Option<&Served> {
        let print = print(key, etag);
        let at = self.objects.partition_point(|(known, _)| *known < print);
        let (_, number) = self.objects.get(at).filter(|(known, _)| *known == print)?;
        self.served.get(usize::try_from(*number).ok()?)
    }
}

/// The record that says this of these objects, and, where objects go, whether edges may still hold
/// copies of these.
#[must_use]
pub fn record<'a>(
    stack: &StackName,
    keys: (&ObjectKey, &ObjectKey),
    lingers: Option<bool>,
    after: Option<String>,
    objects: impl Iterator<Item = (&'a ObjectKey, &'a str, Served)>,
) -> Content {
    let mut groups: BTreeMap<Served, BTreeSet<Print>> = BTreeMap::new();
    for (key, etag, served) in objects {
        groups.entry(served).or_default().insert(print(key, etag));
    }
    let hex = |prints: BTreeSet<Print>| prints.into_iter().map(hex::encode).collect::<String>();
    let objects = groups.into_iter().map(|(served, prints)| Group { served, digests: hex(prints) });
    let keys = Some((keys.0.clone(), keys.1.clone()));
    let (stack, objects) = (stack.clone(), objects.collect());
    let record = Record { format: FORMAT, lingers, stack, keys, after, objects };
    // Texts and numbers alone: nothing in it could fail.
    let text = serde_json::to_vec(&record).unwrap_or_default();
    Content::in_memory(&text, ObjectHeaders::new("application/json", "no-store"))
}

/// Does this record end what an earlier one began: do edges hold no copies of what went any more?
#[must_use]
pub fn settles(record: &Content) -> bool {
    let beginning = format!("{{\"format\":{FORMAT},\"lingers\":false,");
    matches!(&record.source, Source::Memory(bytes) if bytes.starts_with(beginning.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> StackName {
        "shop".parse().unwrap()
    }

    fn bytes(content: &Content) -> Vec<u8> {
        let Source::Memory(bytes) = &content.source else { unreachable!() };
        bytes.to_vec()
    }

    #[test]
    fn it_knows_what_was_put_and_how_and_nothing_else() {
        let [page, style, other]: [ObjectKey; 3] =
            ["a.html", "b.css", "c"].map(|key| key.parse().unwrap());
        let served =
            |kind: &str| Served { headers: ObjectHeaders::new(kind, "x"), switch: String::new() };
        let put = [(&page, "1", served("text/html")), (&style, "2", served("text/css"))];
        let record = record(&stack(), (&page, &other), None, None, put.into_iter());
        let index = Index::read(&bytes(&record), &stack()).unwrap();
        assert_eq!(index.served(&page, "1"), Some(&served("text/html")));
        assert_eq!(index.served(&style, "2"), Some(&served("text/css")));
        for (key, etag) in [(&page, "2"), (&style, "1"), (&other, "1")] {
            assert_eq!(index.served(key, etag), None, "{key} {etag}");
        }
        assert!(!String::from_utf8(bytes(&record)).unwrap().contains("b.css"), "it tells no key");
    }

    #[test]
    fn it_says_whether_copies_of_what_went_linger() {
        let key: ObjectKey = "a".parse().unwrap();
        for (said, lingers, ends) in
            [(None, false, false), (Some(true), true, false), (Some(false), false, true)]
        {
            let objects = [(&key, "1", Served::default())].into_iter();
            let record = record(&stack(), (&key, &key), said, None, objects);
            let index = Index::read(&bytes(&record), &stack()).unwrap();
            assert_eq!((index.lingers, settles(&record)), (lingers, ends), "{said:?}");
        }
    }

    #[test]
    fn another_stack_s_or_a_damaged_one_is_none() {
        let key: ObjectKey = "a".parse().unwrap();
        let good = bytes(&record(
            &stack(),
            (&key, &key),
            None,
            None,
            [(&key, "1", Served::default())].into_iter(),
        ));
        let good = String::from_utf8(good).unwrap();
        assert!(Index::read(good.as_bytes(), &stack()).is_some());
        let digests = good.find("digests\":\"").unwrap() + 10;
        for bad in [
            String::new(),
            "[]".into(),
            good.replace("shop", "shop-2"),
            good.replace("\"format\":1", "\"format\":2"),
            good[..good.len() - 1].into(),
            format!("{}{}", &good[..digests], &good[digests + 2..]),
            format!("{}é{}", &good[..digests], &good[digests + 2..]),
        ] {
            assert_eq!(Index::read(bad.as_bytes(), &stack()), None, "{bad}");
        }
    }
}
