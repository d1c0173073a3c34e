//! What a look at the whole account sees: everything of ours, by stack.

use crate::cloud::world::{Distribution, World};
use crate::name::{BucketName, ObjectKey, Region};
use crate::resource::bucket::Settings;
use crate::resource::{
    Mark, Owner, ResourceId, STACK_TAG, Tags, Trace, Traces, distribution, function, logs, marked,
    role, stack_in,
};
use crate::stack::dependents;
use crate::sweep::{Found, group};
use std::collections::BTreeMap;

impl World {
    /// Everything of ours, by stack.
    #[must_use]
    pub fn discover(&self) -> Found {
        let mut traces = self.orphans();
        let mut add = |owner: Owner, id, tags, place, enabled| {
            let since = owner.stack().and_then(|stack| self.born.get(stack).copied());
            traces.add(&owner, id, tags, |trace| Trace { place, since, enabled, ..trace });
        };
        for (name, found) in &self.buckets {
            let Settings { tags, region, .. } = &found.live.settings;
            let owner = Owner::by_tag(stack_in(tags), None, Mark::Index);
            let id = ResourceId::Bucket(name.clone());
            add(owner, id, tags, Some(region.to_string()), None);
        }
        // Lists of roles and functions show descriptions, and no tags.
        let is_marked = |text: &str| marked(text).is_some();
        let roles = self.roles.iter().filter(|(_, live)| is_marked(&live.settings.description));
        for (name, live) in roles {
            let role::Settings { tags, path, .. } = &live.settings;
            let id = ResourceId::Role(name.clone());
            add(role::plan::owner(live), id, tags, Some(path.to_string()), None);
        }
        let described = |live: &function::Live| is_marked(&live.settings.frozen.description);
        for (name, live) in self.functions.iter().filter(|(_, live)| described(live)) {
            let tags = &live.settings.tags;
            let id = ResourceId::Function(name.clone());
            add(function::plan::owner(live), id, tags, None, None);
        }
        let none = Tags::new();
        for live in self.access.values() {
            let owner = Owner::by_either(None, marked(&live.description), Mark::Description);
            add(owner, ResourceId::Access(live.name.clone()), &none, None, None);
        }
        for (id, Distribution { live, .. }) in &self.distributions {
            let (owner, enabled) = (distribution::owner::owner(live), live.document.read().enabled);
            add(owner, ResourceId::Distribution(id.clone()), &live.tags, None, Some(enabled));
        }
        let Traces { found: traces, disputed, notices } = traces;
        let attached = dependents::attached(&traces, &self.listed(), &self.account);
        // Whoever sweeps may read the policies of tagged roles alone.
        let tagged = self.roles.values().filter(|live| live.settings.tags.contains_key(STACK_TAG));
        let policies = tagged.filter_map(|live| live.settings.policy.as_ref());
        let pages: role::Pages = policies.flat_map(role::pages_in).collect();
        let on = |bucket: &BucketName, key: &ObjectKey| {
            self.buckets.get(bucket).is_some_and(|found| found.objects.contains_key(key))
        };
        let mut remains = group(traces, &attached);
        for found in &mut remains {
            found.switch_is_on =
                found.switches(&pages).iter().any(|(bucket, _, key)| on(bucket, key));
        }
        Found { remains, disputed, notices }
    }

    /// Log groups whose function is gone.
    fn orphans(&self) -> Traces {
        let gone = |name: &str| {
            logs::function(name).is_some_and(|function| !self.functions.contains_key(&function))
        };
        let groups = self.logs.iter().flat_map(|(region, groups)| {
            groups.iter().map(move |(name, group)| (region, name, group))
        });
        let orphan = |(region, name, group): (&Region, &String, &logs::Group)| {
            let since = stack_in(&group.tags).and_then(|stack| self.born.get(&stack).copied());
            logs::Orphan {
                region: region.clone(),
                name: name.clone(),
                tags: group.tags.clone(),
                since,
            }
        };
        let orphans = groups.filter(|(_, name, _)| gone(name)).map(orphan).collect();
        logs::plan::orphans(orphans, &BTreeMap::new())
    }
}
