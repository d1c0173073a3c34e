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
        let pairs = self.headers.all().into_iter().zip(next.headers.all());
        let headers = pairs.filter_map(|((name, was), (_, will))| {
            FieldChange::between(&name.replace('-', " "), was, will)
        });
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
    /// Edges may hold copies that nobody should get any more, of objects that went or of what the
    /// distribution was: nobody has asked them yet to drop these.
    pub lingers: bool,
    served: Vec<Served>,
    /// Sorted; with the place in `served`.
    objects: Vec<(Print, u32)>,
    /// Of objects whose `ETag` is no MD5, as where a KMS key encrypts: which bytes we have put.
    put: BTreeMap<Print, Print>,
}

/// An object that the index is to know.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    pub key: &'a ObjectKey,
    /// As S3 has it.
    pub etag: &'a str,
    /// The `ETag` that these bytes have where nothing encrypts them.
    pub md5: &'a str,
    pub served: Served,
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
    /// Digests of key and `ETag`, in hex, each with the digest of key and MD5 behind it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    put: String,
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
            index.objects.extend(prints(&digests)?.into_iter().map(|print| (print, number)));
            index.served.push(served);
        }
        index.objects.sort_unstable();
        let put = prints(&record.put)?;
        let (pairs, []) = put.as_chunks::<2>() else { return None };
        index.put = pairs.iter().map(|[found, put]| (*found, *put)).collect();
        Some(index)
    }

    /// Are these bytes what we have put, where the `ETag` does not tell?
    #[must_use]
    pub fn has_put(&self, key: &ObjectKey, etag: &str, md5: &str) -> bool {
        self.put.get(&print(key, etag)).is_some_and(|put| *put == print(key, md5))
    }

    /// The record that says the same, and that edges may hold what nobody should get any more.
    /// Objects that were `asked` since are asked again: this record is newer than they are.
    #[must_use]
    pub fn lingering<'a>(
        &self,
        stack: &StackName,
        after: Option<String>,
        asked: impl Iterator<Item = (&'a ObjectKey, &'a str)>,
    ) -> Content {
        let asked: BTreeSet<Print> = asked.map(|(key, etag)| print(key, etag)).collect();
        let mut groups: BTreeMap<Served, BTreeSet<Print>> = BTreeMap::new();
        for (print, number) in self.objects.iter().filter(|(print, _)| !asked.contains(print)) {
            let served = usize::try_from(*number).ok().and_then(|number| self.served.get(number));
            groups.entry(served.cloned().unwrap_or_default()).or_default().insert(*print);
        }
        let keys = self.keys.clone();
        rendered(&Record {
            format: FORMAT,
            lingers: Some(true),
            stack: stack.clone(),
            keys,
            after,
            objects: grouped(groups),
            put: paired(&self.put),
        })
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
    objects: impl Iterator<Item = Known<'a>>,
) -> Content {
    let mut groups: BTreeMap<Served, BTreeSet<Print>> = BTreeMap::new();
    let mut put = BTreeMap::new();
    for Known { key, etag, md5, served } in objects {
        groups.entry(served).or_default().insert(print(key, etag));
        if etag != md5 {
            put.insert(print(key, etag), print(key, md5));
        }
    }
    let keys = Some((keys.0.clone(), keys.1.clone()));
    let (stack, objects) = (stack.clone(), grouped(groups));
    rendered(&Record { format: FORMAT, lingers, stack, keys, after, objects, put: paired(&put) })
}

/// The same record once it is known which `ETag`s S3 gave to what was put: key, the `ETag` that was
/// planned, the one that came.
#[must_use]
pub(crate) fn stored<'a>(
    content: &Content,
    etags: impl Iterator<Item = (&'a ObjectKey, &'a str, &'a str)>,
) -> Option<Content> {
    let Source::Memory(bytes) = &content.source else { return None };
    let mut record: Record = file::parse(bytes).ok()?;
    let came: BTreeMap<Print, Print> =
        etags.map(|(key, planned, came)| (print(key, planned), print(key, came))).collect();
    let mut put = BTreeMap::new();
    for group in &mut record.objects {
        let mut found = BTreeSet::new();
        for planned in prints(&group.digests)? {
            let came = came.get(&planned).copied();
            put.extend(came.map(|came| (came, planned)));
            found.insert(came.unwrap_or(planned));
        }
        group.digests = found.into_iter().map(hex::encode).collect();
    }
    record.put += &paired(&put);
    (!put.is_empty()).then(|| rendered(&record))
}

fn rendered(record: &Record) -> Content {
    // Texts and numbers alone: nothing in it could fail.
    let text = serde_json::to_vec(record).unwrap_or_default();
    Content::in_memory(&text, ObjectHeaders::new("application/json", "no-store"))
}

fn grouped(groups: BTreeMap<Served, BTreeSet<Print>>) -> Vec<Group> {
    let hex = |prints: BTreeSet<Print>| prints.into_iter().map(hex::encode).collect::<String>();
    groups.into_iter().map(|(served, prints)| Group { served, digests: hex(prints) }).collect()
}

fn paired(put: &BTreeMap<Print, Print>) -> String {
    put.iter().map(|(found, put)| hex::encode(found) + &hex::encode(put)).collect()
}

/// Digests in hex, one behind the other.
fn prints(digests: &str) -> Option<Vec<Print>> {
    let bytes = hex::decode(digests).ok()?;
    let (prints, []) = bytes.as_chunks() else { return None };
    Some(prints.to_vec())
}

/// Does this record end what an earlier one began: do edges hold no copies of what went any more?
#[must_use]
pub fn settles(record: &Content) -> bool {
    says(record, false)
}

/// Does it say that edges may hold copies of what nobody should get any more?
#[must_use]
pub fn warns(record: &Content) -> bool {
    says(record, true)
}

fn says(record: &Content, lingers: bool) -> bool {
    let beginning = format!("{{\"format\":{FORMAT},\"lingers\":{lingers},");
    matches!(&record.source, Source::Memory(bytes) if bytes.starts_with(beginning.as_bytes()))
}

#[cfg(test)]
mod tests;
