//! What a look at the whole account sees: everything of ours, by stack.

use crate::change::{Kind, Notice};
use crate::cloud::world::observe::occupants;
use crate::cloud::world::{Distribution, World};
use crate::name::{BucketName, DistributionId, ObjectKey, Region, StackName};
use crate::resource::{Owner, Tags, Trace, distribution, function, logs, marked, role, stack_in};
use crate::sweep::{Found, group};
use std::collections::BTreeMap;

impl World {
    /// Everything of ours, by stack.
    #[must_use]
    pub fn discover(&self) -> Found {
        let trace = |owner: Owner, kind, name: String, place: Option<String>, tags: &Tags| {
            let stack = owner.stack()?.clone();
            let since = self.born.get(&stack).copied();
            Some(Trace { place, since, ..Trace::of(stack, kind, name, tags) })
        };
        let none = Tags::new();
        let buckets = self.buckets.iter().filter_map(|(name, found)| {
            let settings = &found.live.settings;
            trace(
                Owner::of(stack_in(&settings.tags), None),
                Kind::Bucket,
                name.to_string(),
                Some(settings.region.to_string()),
                &settings.tags,
            )
        });
        let roles = self.roles.iter().filter_map(|(name, live)| {
            trace(
                role::plan::owner(live),
                Kind::Role,
                name.to_string(),
                Some(live.settings.path.to_string()),
                &live.settings.tags,
            )
        });
        // A list of functions shows descriptions, and no tags.
        let is_marked = |live: &function::Live| marked(&live.settings.frozen.description).is_some();
        let functions = self.functions.iter().filter(|(_, live)| is_marked(live));
        let functions = functions.filter_map(|(name, live)| {
            trace(
                function::plan::owner(live),
                Kind::Function,
                name.to_string(),
                None,
                &live.settings.tags,
            )
        });
        let controls = self.access.values().filter_map(|live| {
            trace(
                Owner::of(None, marked(&live.description)),
                Kind::Access,
                live.name.clone(),
                None,
                &none,
            )
        });
        let owner = distribution::owner::owner;
        let distributions = self.distributions.iter().filter_map(|(id, found)| {
            let trace = trace(
                owner(&found.live),
                Kind::Distribution,
                id.to_string(),
                None,
                &found.live.tags,
            )?;
            Some(Trace { enabled: Some(found.live.document.read().enabled), ..trace })
        });
        let (orphans, notices) = self.orphans();
        let traces: Vec<Trace> = buckets
            .chain(roles)
            .chain(functions)
            .chain(orphans)
            .chain(controls)
            .chain(distributions)
            .collect();
        let attached = self.attached(&traces);
        let policies = self.roles.values().filter_map(|live| live.settings.policy.as_ref());
        let pages: role::Pages = policies.flat_map(role::pages_in).collect();
        let on = |bucket: &BucketName, key: &ObjectKey| {
            self.buckets.get(bucket).is_some_and(|found| found.objects.contains_key(key))
        };
        let mut remains = group(traces, &attached);
        for found in &mut remains {
            found.switch_is_on =
                found.switches(&pages).iter().any(|(bucket, _, key)| on(bucket, key));
        }
        Found { remains, notices }
    }

    /// Log groups whose function is gone.
    fn orphans(&self) -> (Vec<Trace>, Vec<Notice>) {
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

    /// The distributions that run a function of a stack that is not theirs.
    fn attached(&self, traces: &[Trace]) -> Vec<(StackName, DistributionId)> {
        let runs = |trace: &Trace, found: &Distribution| {
            let unqualified = format!(":function:{}:", trace.name);
            trace.kind == Kind::Function
                && occupants(&found.live).iter().any(|arn| arn.contains(&unqualified))
        };
        // Also another stack's, whose visitors get this function by mistake.
        self.distributions
            .iter()
            .flat_map(|(id, found)| {
                let owner = distribution::owner::owner(&found.live);
                traces
                    .iter()
                    .filter(move |trace| runs(trace, found) && !owner.is(&trace.stack))
                    .map(move |trace| (trace.stack.clone(), id.clone()))
            })
            .collect()
    }
}
