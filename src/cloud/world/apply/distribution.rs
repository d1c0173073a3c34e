//! Distributions, their slots and access controls: CloudFront counts what is named elsewhere.

use super::{changed, replace};
use crate::change::{Done, Fault, FaultKind};
use crate::cloud::world::{Distribution, World};
use crate::context::{Context, References};
use crate::name::{DistributionId, StackName};
use crate::resource::{access, association, distribution};
use crate::stack::Stack;

impl World {
    pub(super) fn apply_access(
        &mut self,
        stack: &StackName,
        op: &access::Op,
        context: &Context<'_>,
    ) -> Result<Done, Fault> {
        let before = match op {
            access::Op::Create => self.access.get(&access::name(stack)).cloned(),
            access::Op::Update { id, .. } | access::Op::Delete { id, .. } => {
                self.access.values().find(|live| live.id == *id).cloned()
            }
        };
        let name = before.as_ref().map_or_else(|| access::name(stack), |live| live.name.clone());
        let new = before.is_none();
        if let access::Op::Delete { id, .. } = op {
            let used = |found: &Distribution| {
                found.live.document.read().origins.values().any(|origin| origin.access == *id)
            };
            if self.distributions.values().any(used) {
                return Err(Fault::new(
                    FaultKind::InUse,
                    format!("delete origin access control {id}"),
                    "the origin access control is still being used",
                ));
            }
        }
        let after =
            access::simulate::simulate(stack, before, op, &format!("EOAC{:08}", self.serial));
        context.references(|known| known.access = after.as_ref().map(|live| live.id.clone()));
        let creates = after.is_some();
        replace(&mut self.access, &name, after);
        let updates = matches!(op, access::Op::Update { .. });
        Ok(if updates || new == creates { changed() } else { Done::AlreadySo })
    }

    pub(super) fn apply_distribution(
        &mut self,
        stack: &Stack,
        op: &distribution::Op,
        known: &References,
        context: &Context<'_>,
        now: u64,
    ) -> Result<Done, Fault> {
        let own = self.owned(&stack.names);
        let id = match op {
            distribution::Op::Create { .. } => own.unwrap_or(new_id(self.serial)?),
            distribution::Op::Update { id, .. }
            | distribution::Op::SetTags { id, .. }
            | distribution::Op::Delete { id, .. } => id.clone(),
            distribution::Op::AwaitDeployed { .. } => return Ok(changed()),
        };
        let before = self.look(&id, now);
        if before.is_none() && matches!(op, distribution::Op::Delete { .. }) {
            return Ok(Done::AlreadySo);
        }
        let held = before.as_ref().map(distribution::Live::occupants).unwrap_or_default();
        let arn = op.occupant().map(|reference| reference.resolve(context)).transpose()?;
        let access = known.access.clone().unwrap_or_default();
        let existed = before.clone();
        let after = distribution::simulate::simulate(
            before,
            op,
            &id,
            &access,
            arn.as_deref(),
            self.serial,
        )?;
        context.references(|known| {
            if matches!(op, distribution::Op::Create { .. })
                || known.distribution.as_ref() == Some(&id)
            {
                known.distribution = after.as_ref().map(|live| live.id.clone());
                known.domain = after.as_ref().map(|live| live.domain.clone());
            }
        });
        let created = after
            .as_ref()
            .filter(|_| existed.is_none())
            .map(|live| live.document.read().caller_reference);
        if created.is_some_and(|reference| !self.references.insert(reference)) {
            let mut fault = Fault::new(
                FaultKind::AlreadyExists,
                "create the distribution",
                "the caller reference was used before",
            );
            fault.code = Some("DistributionAlreadyExists".into());
            return Err(fault);
        }
        let writes = after != existed && !matches!(op, distribution::Op::SetTags { .. });
        let unchanged_until = self.distributions.get(&id).map_or(now, |found| found.deployed_at);
        let deployed_at = if writes { now + self.delays.deploy } else { unchanged_until };
        replace(&mut self.distributions, &id, after.map(|live| Distribution { live, deployed_at }));
        self.release(&held, now);
        Ok(changed())
    }

    pub(super) fn apply_association(
        &mut self,
        id: &DistributionId,
        op: &association::Op,
        known: &References,
        now: u64,
    ) -> Result<Done, Fault> {
        let association::Op::Turn { occupant, .. } = op else { return Ok(changed()) };
        let missing = || {
            Fault::new(
                FaultKind::NotFound,
                format!("update distribution {id}"),
                "the specified distribution does not exist",
            )
        };
        let before = self.look(id, now).ok_or_else(missing)?;
        let held = before.occupants();
        let arn = if op.fills() {
            let number = known.versions.get(&occupant.version).copied();
            number.map(|number| occupant.arn(number)).ok_or_else(|| {
                Fault::new(
                    FaultKind::Local,
                    format!("refer to {}", occupant.show()),
                    "no such version was published",
                )
            })?
        } else {
            String::new()
        };
        let live = association::simulate::simulate(before, op, &arn, self.serial)?;
        self.distributions
            .insert(id.clone(), Distribution { live, deployed_at: now + self.delays.deploy });
        self.release(&held, now);
        Ok(changed())
    }
}

fn new_id(serial: u64) -> Result<DistributionId, Fault> {
    format!("E2SANDBOX{serial:05}")
        .parse()
        .map_err(|why: &str| Fault::new(FaultKind::Local, "name a distribution", why))
}
