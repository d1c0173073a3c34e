//! What an op does to the world: each room's `simulate`, and AWS's rules between the rooms.

use crate::change::{Done, Fault, FaultKind};
use crate::cloud::world::World;
use crate::context::Context;
use crate::name::BucketName;
use crate::resource::{grant, invalidation, policy, role};
use crate::stack::{Op, Stack};
use std::collections::BTreeMap;

mod bucket;
mod distribution;
mod function;

impl World {
    /// Carries out one op at time `now`, waits excepted, and completes the references.
    ///
    /// # Errors
    /// What AWS would refuse.
    pub fn apply(
        &mut self,
        stack: &Stack,
        op: &Op,
        context: &Context<'_>,
        now: u64,
    ) -> Result<Done, Fault> {
        self.serial += 1;
        if !self.discover().remains.iter().any(|remains| remains.stack == stack.names.stack) {
            self.born.insert(stack.names.stack.clone(), now);
        }
        let known = context.references(|known| known.clone());
        match op {
            Op::Bucket(name, op) => self.apply_bucket(name, op),
            Op::Site(op) => self.apply_site(op, now),
            Op::Page(op) => self.apply_page(op, now),
            Op::Role(name, op) => {
                if matches!(op, role::Op::Delete) && !self.roles.contains_key(name) {
                    return Ok(Done::AlreadySo);
                }
                let before = self.roles.get(name).cloned();
                let mut after = role::simulate::simulate(name, before.clone(), op)?;
                if let Some(new) = after.as_mut().filter(|_| before.is_none()) {
                    new.created = now;
                }
                // What is taken away has to be there, and what is made must not be.
                let is_end = matches!(
                    op,
                    role::Op::Create { .. }
                        | role::Op::DeletePolicy { .. }
                        | role::Op::Detach { .. }
                );
                let done = if is_end && after == before { Done::AlreadySo } else { changed() };
                replace(&mut self.roles, name, after);
                Ok(done)
            }
            Op::Function(name, op) => self.apply_function(name, op, context, now),
            Op::Logs(id, op) => self.apply_logs(id, op, now),
            Op::Access(stack, op) => self.apply_access(stack, op, context),
            Op::Distribution(op) => self.apply_distribution(stack, op, &known, context, now),
            Op::Grant(bucket, op) => {
                let account = self.account.clone();
                let found = self.bucket(bucket)?;
                let policy = grant::simulate::simulate(
                    bucket,
                    found.policy.as_ref(),
                    op,
                    &account,
                    known.distribution.as_ref(),
                )?;
                let statements = policy.as_ref().map(policy::statements).unwrap_or_default();
                if found.live.settings.private && statements.iter().any(policy::is_public) {
                    return Err(public_policy(bucket));
                }
                found.policy = policy;
                Ok(changed())
            }
            Op::Invalidation(op) => {
                let found = self.look(&op.distribution, now);
                invalidation::simulate::simulate(found.as_ref(), op).map(|()| changed())
            }
            Op::Association(id, op) => self.apply_association(id, op, &known, now),
        }
    }
}

/// What S3 says while the public access block is on (docs/aws.md, "public policies").
fn public_policy(bucket: &BucketName) -> Fault {
    let text = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public \
        Access";
    Fault::new(FaultKind::Refused, format!("write the policy of bucket {bucket}"), text)
}

fn changed() -> Done {
    Done::Changed(String::new())
}

fn replace<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, key: &K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key.clone(), value)),
        None => drop(map.remove(key)),
    }
}
