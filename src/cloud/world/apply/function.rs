//! Functions and their log groups: Lambda lets no version go while the edge keeps replicas of it.

use super::{changed, replace};
use crate::change::{Done, Fault, FaultKind, Later};
use crate::cloud::world::World;
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::{function, logs};
use std::collections::BTreeSet;

impl World {
    pub(super) fn apply_function(
        &mut self,
        name: &FunctionName,
        op: &function::Op,
        context: &Context<'_>,
        now: u64,
    ) -> Result<Done, Fault> {
        let arn = name.arn(&self.account);
        let held = |number: u64, world: &Self| world.is_replicated(&format!("{arn}:{number}"), now);
        let before = self.functions.get(name).cloned();
        let replicated = match op {
            function::Op::Prune { number, .. } => held(*number, self),
            function::Op::Delete => before
                .iter()
                .flat_map(|live| &live.versions)
                .any(|version| held(version.number, self)),
            _ => false,
        };
        if replicated {
            return Ok(Done::Deferred(Later {
                reason: function::REPLICATED.into(),
                try_again_after: std::time::Duration::from_secs(self.delays.replicas),
                said: None,
            }));
        }
        if before.is_none() && matches!(op, function::Op::Delete | function::Op::Prune { .. }) {
            return Ok(Done::AlreadySo);
        }
        let next = self.numbers.get(name).copied().unwrap_or_default() + 1;
        let after = function::simulate::simulate(name, before.clone(), op, self.serial, next)?;
        if after == before && matches!(op, function::Op::Configure(_) | function::Op::Prune { .. })
        {
            return Ok(Done::AlreadySo);
        }
        let mut published = String::new();
        if let Some(live) = &after {
            if let Some(newest) = live.versions.last() {
                if newest.number == next {
                    published = format!("version {next} published");
                }
                self.numbers.insert(name.clone(), newest.number.max(next - 1));
                context.references(|known| {
                    known.versions.extend(
                        live.versions.iter().map(|version| (version.frozen.name(), version.number)),
                    );
                });
            }
            context.references(|known| known.revision = Some(live.revision.clone()));
        }
        replace(&mut self.functions, name, after);
        Ok(Done::Changed(published))
    }

    /// Is this version associated, or was it a moment ago?
    fn is_replicated(&self, arn: &str, now: u64) -> bool {
        let associated =
            self.distributions.values().any(|found| found.live.occupants().contains(arn));
        associated || self.replicas.get(arn).is_some_and(|gone| now < *gone)
    }

    /// Versions that have just lost their last association keep their replicas for a while.
    pub(super) fn release(&mut self, before: &BTreeSet<String>, now: u64) {
        for arn in before {
            if !self.distributions.values().any(|found| found.live.occupants().contains(arn)) {
                self.replicas.insert(arn.clone(), now + self.delays.replicas);
            }
        }
    }

    pub(super) fn apply_logs(
        &mut self,
        logs::GroupId { region, name }: &logs::GroupId,
        op: &logs::Op,
        now: u64,
    ) -> Result<Done, Fault> {
        let groups = self.logs.entry(region.clone()).or_default();
        let before = groups.get(name).cloned();
        if before.is_none() && matches!(op, logs::Op::SetRetention { .. }) {
            let tried = format!("set the retention of log group {name} in {region}");
            return Err(Fault::new(
                FaultKind::NotFound,
                tried,
                "the specified log group does not exist",
            ));
        }
        let mut after = logs::simulate::simulate(before.clone(), op);
        if let Some(new) = after.as_mut().filter(|_| before.is_none()) {
            new.created = now;
        }
        let sets = matches!(op, logs::Op::SetRetention { .. } | logs::Op::SetTags { .. });
        let done = if after == before && !sets { Done::AlreadySo } else { changed() };
        replace(groups, name, after);
        self.logs.retain(|_, groups| !groups.is_empty());
        Ok(done)
    }
}
