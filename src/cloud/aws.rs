//! AWS, or an emulator of it: dispatches to the rooms.
//!
//! What does not need each other is asked at the same time: identity, role, function, log groups,
//! access control and the lists of roles and distributions in the first round, bucket and policy in
//! the second, objects and distribution in the third. What an earlier spec named takes further
//! rounds, where there is any of it.

mod former;

use super::{Caller, Cloud};
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, ObjectKey, StackName};
use crate::resource::distribution::aws::Listed;
use crate::resource::site::Inventory;
use crate::resource::{Trace, Traces};
use crate::resource::{
    access, association, bucket, distribution, function, grant, invalidation, logs, page, role,
    site,
};
use crate::stack::{Live, Names, Op, Scope, Stack};
use crate::sweep::{Found, group};
use futures_util::future::try_join_all;
use futures_util::try_join;

/// The real thing.
#[derive(Clone, Debug)]
pub struct Aws {
    /// How it is reached.
    pub clients: Clients,
}

impl Aws {
    /// Everything that hangs on the account: bucket, objects, policy, distribution; and all
    /// distributions there are.
    async fn observe_in_account(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(Stack, Vec<Listed>, Live), Fault> {
        let clients = &self.clients;
        let (caller, listed) = try_join!(self.identify(), distribution::aws::list(clients))?;
        let account = caller.account;
        let stack = names.in_account(account.clone())?;
        let (region, policy) = try_join!(
            bucket::aws::locate(clients, &account, &stack.bucket),
            grant::aws::observe(clients, &account, &stack.bucket)
        )?;
        // In another region nothing can be read with this region's client, and the planner refuses
        // anyway.
        let reachable = region.as_ref().is_some_and(|region| *region == names.region);
        let bucket = async {
            match region.clone() {
                Some(region) => {
                    Box::pin(bucket::aws::observe(clients, &account, &stack.bucket, region))
                        .await
                        .map(Some)
                }
                None => Ok(None),
            }
        };
        let objects = async {
            let page_keys = stack.page_keys();
            let place = site::aws::Place {
                account: &account,
                stack: &names.stack,
                bucket: &stack.bucket,
                page_keys,
            };
            match scope {
                _ if !reachable => Ok((site::Live::default(), Inventory::default())),
                Scope::Stack => {
                    Ok((site::aws::observe(clients, place, expected).await?, Inventory::default()))
                }
                Scope::Teardown => site::aws::observe_all(clients, place).await,
            }
        };
        let granted = grant::distribution(policy.as_ref());
        let owned = distribution::aws::observe(
            clients,
            &account,
            &names.stack,
            granted.as_ref(),
            Some(&listed),
        );
        let (mut bucket, (objects, inventory), distribution) = try_join!(bucket, objects, owned)?;
        if let (Some(bucket), Some(index)) = (&mut bucket, &objects.index) {
            bucket.kms_key = bucket.kms_key.take().or_else(|| index.kms_key.clone());
        }
        let shown = if objects.objects.contains_key(&names.keys.on) {
            page::aws::shown(clients, &account, &stack.bucket, &names.keys.on).await?
        } else {
            None
        };
        Ok((
            stack,
            listed,
            Live { bucket, objects, shown, inventory, policy, distribution, ..Live::default() },
        ))
    }

    async fn attached(&self, names: &Names) -> Result<Option<distribution::Live>, Fault> {
        match &names.attached {
            Some(id) => distribution::aws::read_document(&self.clients, id).await,
            None => Ok(None),
        }
    }
}

impl Aws {
    /// Reads one object of the stack's bucket.
    ///
    /// # Errors
    /// The call's.
    pub async fn fetch(&self, stack: &Stack, key: &str) -> Result<Option<site::Fetched>, Fault> {
        site::aws::fetch(&self.clients, &stack.account, &stack.bucket, key).await
    }

    /// Lists the objects of the stack's bucket below `prefix`: key, object, and when it was written
    /// in seconds since the Unix epoch.
    ///
    /// # Errors
    /// The call's.
    pub async fn list(
        &self,
        stack: &Stack,
        prefix: &str,
    ) -> Result<Vec<(String, site::Object, u64)>, Fault> {
        site::aws::list(&self.clients, &stack.account, &stack.bucket, prefix).await
    }
}

impl Cloud for Aws {
    async fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(AccountId, Live), Fault> {
        let group = logs::group(&names.function);
        let logs = async {
            match scope {
                Scope::Stack if !names.logs => Ok(logs::Live::default()),
                _ => Box::pin(logs::aws::observe(&self.clients, &group)).await,
            }
        };
        let ((stack, listed, live), role, function, logs, access, attached, marked) = try_join!(
            self.observe_in_account(names, expected, scope),
            role::aws::observe(&self.clients, &names.role),
            function::aws::observe(&self.clients, &names.function),
            logs,
            access::aws::observe(&self.clients, &names.stack),
            self.attached(names),
            role::aws::marked_for(&self.clients, &names.stack),
        )?;
        let account = &stack.account;
        // Without the function, a group's own tag has to prove that it is ours.
        let logs = match scope {
            Scope::Teardown if function.is_none() => {
                Box::pin(logs::aws::observe_tags(&self.clients, account, &group, logs)).await?
            }
            _ => logs,
        };
        let mut live = Live { role, function, logs, access, attached, ..live };
        Box::pin(former::follow(&self.clients, &stack, marked, &mut live)).await?;
        live.readers = former::readers(&stack, &live, &listed);
        live.signers = former::signers(&live, &listed);
        live.holders = former::holders(&self.clients, &stack, &live, &listed).await?;
        Ok((stack.account, live))
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        let sent = self.clients.sts.get_caller_identity().send().await;
        let answer = sent.map_err(|error| fault("find out which account this is", &error))?;
        let account = answer.account().unwrap_or_default().parse();
        let account = account.map_err(|why: &str| {
            Fault::new(FaultKind::Refused, "find out which account this is", why)
        })?;
        Ok(Caller { account, arn: answer.arn.unwrap_or_default() })
    }

    async fn discover(&self, account: &AccountId) -> Result<Found, Fault> {
        let clients = &self.clients;
        let ((roles, pages), (functions, existing), controls, (distributions, runners), buckets) =
            try_join!(
                role::aws::traces(clients),
                function::aws::traces(clients),
                access::aws::traces(clients),
                distribution::aws::traces(clients, account),
                bucket::aws::traces(clients, account),
            )?;
        let owned = |id: &DistributionId, stack: &StackName| {
            distributions
                .found
                .iter()
                .any(|trace| trace.name == id.as_str() && trace.stack == *stack)
        };
        let runs =
            |arn: &str, function: &Trace| arn.contains(&format!(":function:{}:", function.name));
        // Also another stack's, whose visitors get this function by mistake.
        let attached: Vec<_> = runners
            .into_iter()
            .filter_map(|(id, arn)| {
                let stack = &functions.found.iter().find(|trace| runs(&arn, trace))?.stack;
                (!owned(&id, stack)).then(|| (stack.clone(), id))
            })
            .collect();
        let orphans = Box::pin(logs::aws::traces(clients, account, &existing)).await?;
        let all = [roles, functions, controls, distributions, buckets];
        let Traces { found, disputed, notices } = all.into_iter().fold(orphans, Traces::with);
        let remains = group(found, &attached);
        let looked = remains.into_iter().map(|mut found| async {
            for (bucket, region, key) in found.switches(&pages) {
                found.switch_is_on |=
                    bucket::aws::holds(clients, account, &bucket, region.as_deref(), &key).await?;
            }
            Ok(found)
        });
        Ok(Found { remains: try_join_all(looked).await?, disputed, notices })
    }

    async fn look(&self, stack: &Stack, key: &ObjectKey) -> Result<page::Look, Fault> {
        page::aws::look(&self.clients, &stack.account, &stack.bucket, key).await
    }

    async fn applied(&self, stack: &Stack) -> Result<page::Applied, Fault> {
        let (account, bucket) = (&stack.account, &stack.bucket);
        let found = site::aws::fetch(&self.clients, account, bucket, site::index::KEY).await?;
        let judged = found.map(|found| site::FoundIndex::judged(&found, &stack.names.stack));
        Ok(page::Applied::told(judged))
    }

    async fn observe_distribution(
        &self,
        stack: &Stack,
    ) -> Result<Option<distribution::Live>, Fault> {
        if stack.names.attached.is_some() {
            return self.attached(&stack.names).await;
        }
        let policy = grant::aws::observe(&self.clients, &stack.account, &stack.bucket).await?;
        let granted = grant::distribution(policy.as_ref());
        distribution::aws::observe(
            &self.clients,
            &stack.account,
            &stack.names.stack,
            granted.as_ref(),
            None,
        )
        .await
    }

    async fn runners(&self, stack: &Stack) -> Result<Vec<DistributionId>, Fault> {
        let named = stack.any_version();
        let runs =
            |one: &Listed| one.enabled && one.occupants.iter().any(|(_, arn)| named.names(arn));
        let listed = distribution::aws::list(&self.clients).await?;
        Ok(listed.into_iter().filter(runs).map(|one| one.id).collect())
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        let (clients, account) = (&self.clients, &stack.account);
        match op {
            Op::Bucket(name, op) => {
                let region = context.references(|known| known.regions.get(name).cloned());
                let elsewhere = region.map(|region| clients.in_region(&region));
                bucket::aws::apply(
                    elsewhere.as_ref().unwrap_or(clients),
                    account,
                    name,
                    op,
                    context,
                )
                .await
            }
            Op::Site(op) => site::aws::apply(clients, account, op).await,
            Op::Page(op) => {
                let region = context.references(|known| known.regions.get(op.bucket()).cloned());
                let elsewhere = region.map(|region| clients.in_region(&region));
                page::aws::apply(elsewhere.as_ref().unwrap_or(clients), account, op).await
            }
            Op::Role(name, op) => role::aws::apply(clients, name, op).await,
            Op::Function(name, op) => function::aws::apply(clients, name, op, context).await,
            Op::Logs(id, op) => logs::aws::apply(clients, id, op).await,
            Op::Access(stack, op) => access::aws::apply(clients, stack, op, context).await,
            Op::Distribution(op) => distribution::aws::apply(clients, account, op, context).await,
            Op::Grant(bucket, op) => grant::aws::apply(clients, account, bucket, op, context).await,
            Op::Invalidation(op) => invalidation::aws::apply(clients, op, context).await,
            Op::Association(id, op) => association::aws::apply(clients, id, op, context).await,
        }
    }
}
