//! When the index is written, and what it says then.

use super::{Claim, Planner, claim};
use crate::change::{Address, Conflict, Kind};
use crate::name::ObjectKey;
use crate::resource::Planned;
use crate::resource::content::Content;
use crate::resource::site::index::{self, Known, Served};
use crate::resource::site::{FoundIndex, Live, Look, Op, Settings};

/// What else the plan does that the index has to tell of.
#[derive(Clone, Copy, Debug)]
pub struct Writes {
    /// Objects are put.
    pub puts: bool,
    /// Edges have to drop copies of what goes.
    pub drops: bool,
    /// Edges have to drop whatever they hold: the distribution changes so, or an earlier run has not
    /// come to it.
    pub turns: bool,
}

/// The writes of the index.
#[derive(Debug, Default)]
pub struct Indexing {
    /// Before the distribution changes.
    pub warning: Option<Op>,
    /// After everything that it tells of.
    pub index: Planned<Op>,
    /// After the edges have dropped what went.
    pub settled: Option<Op>,
}

impl Planner<'_> {
    /// Plans the index, where something is put or where the index does not prove all that stays.
    /// Where edges have to drop copies it says so beforehand, so that a later run makes good what
    /// this one does not come to; and afterwards that they have. `page` is the page under its own
    /// key.
    #[must_use]
    pub fn index(
        &self,
        desired: &Settings,
        page: (&ObjectKey, &Content, Served),
        Writes { puts, drops, turns }: Writes,
        live: &Live,
    ) -> Indexing {
        let mut planned = Indexing::default();
        let stays = |key: &ObjectKey| key == page.0 || desired.files.contains_key(key);
        let asked =
            live.looks.iter().any(|(key, look)| matches!(look, Look::Ours(_)) && stays(key));
        let key = ObjectKey::listed(index::KEY.to_owned());
        let mut before = live.index.as_ref().map(|FoundIndex { etag, .. }| etag.clone());
        let known = live.index.as_ref().and_then(|found| found.ours.as_ref());
        // Without an index the next run drops everything anyway.
        if let Some(known) = known.filter(|known| turns && !known.lingers) {
            let asked = live.looks.keys().filter_map(|key| Some((key, live.objects.get(key)?)));
            let asked = asked.map(|(key, object)| (key, object.etag.as_str()));
            let record = known.lingering(self.stack, before.clone(), asked);
            let etag = record.md5.clone();
            planned.warning = Some(self.put(&key, record, before, None));
            before = Some(etag);
        }
        let lingers = live.lingers() || planned.warning.is_some();
        // Once everything was dropped, nothing lingers.
        let ends = turns && !drops && lingers;
        let writes = puts || asked || ends || drops && !lingers;
        if !writes && !drops {
            return planned;
        }
        let adopts = live.index.as_ref().is_some_and(|found| found.ours.is_none());
        if adopts && !self.adopt {
            planned.index.conflicts.push(Conflict {
                address: Address::new(Kind::Site, &key),
                reason: "would replace an object that `provision` did not put".into(),
                hint: "move it away, or take it over with `--adopt site`".into(),
            });
            return planned;
        }
        let (own, on) = (page.0, ObjectKey::listed(page.2.switch.clone()));
        let files = desired.files.iter().map(|(key, content)| (key, content, Served::of(content)));
        let objects = files.chain([page]).map(|(key, content, served)| {
            let md5 = content.md5.as_str();
            // What stays has the `ETag` that it has; what is put gets one.
            let stays = claim(live, key, md5, &served) == Claim::Nothing;
            let found = live.objects.get(key).filter(|_| stays);
            Known { key, etag: found.map_or(md5, |found| &found.etag), md5, served }
        });
        let put = |before: Option<String>, lingers| {
            let objects = objects.clone();
            let record = index::record(self.stack, (own, &on), lingers, before.clone(), objects);
            (record.md5.clone(), self.put(&key, record, before, None))
        };
        if writes {
            let (etag, put) = put(before, (drops || ends).then_some(drops));
            planned.index.ops.push(if adopts { put.taking_over() } else { put });
            before = Some(etag);
        }
        planned.settled = drops.then(|| put(before, Some(false)).1);
        planned
    }
}
