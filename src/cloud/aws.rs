//! AWS, or an emulator of it: dispatches to the rooms.
//!
//! What does not need each other is asked at the same time: identity, role, function, log groups,
//! access control and the lists of roles and distributions in the first round, bucket and policy in
//! the second, objects and distribution in the third. What an earlier spec named takes further
//! rounds, where there is any of it.

mod former;
mod persistence;

use super::{Caller, Cloud};
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::lost;
use crate::aws::meter::{Unanswered, about};
use crate::change::{Done, Fault, FaultKind, Later};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, ObjectKey};
use crate::resource::Traces;
use crate::resource::distribution::Listed;
use crate::resource::site::Inventory;
use crate::resource::{
    access, association, bucket, distribution, function, grant, invalidation, logs, page, role,
    site,
};
use crate::stack::{Former, Live, Names, Op, Scope, Stack, dependents};
use crate::sweep::{Found, group};
use futures_util::future::try_join_all;
use futures_util::{join, try_join};
use serde_json::Value;

/// The real thing.
#[derive(Clone, Debug)]
pub struct Aws {
    /// How it is reached.
    pub clients: Clients,
}

/// Everything that hangs on the account, and all distributions there are.
struct InAccount {
    stack: Stack,
    bucket: Option<bucket::Live>,
    objects: site::Live,
    shown: Option<page::Shown>,
    inventory: Inventory,
    policy: Option<Value>,
    distribution: Option<distribution::Live>,
    listed: Vec<Listed>,
}

impl Aws {
    async fn observe_in_account(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<InAccount, Fault> {
        let clients = &self.clients;
        let (caller, listed) = try_join!(self.identify(), distribution::aws::list(clients))?;
        let account = caller.account;
        let stack = names.in_account(account.clone())?;
        let (region, policy) = join!(
            bucket::aws::locate(clients, &account, &stack.bucket),
            grant::aws::observe(clients, &account, &stack.bucket)
        );
        // Of a bucket that is another account's, the look at the bucket tells more than the refusal
        // to show its policy.
        let region = region?;
        let reachable = region.as_ref().is_some_and(|region| names.looks_at_objects(region));
        let elsewhere = region.as_ref().filter(|_| !reachable).map(|it| clients.in_region(it));
        let there = elsewhere.as_ref().unwrap_or(clients);
        let policy = match policy {
            // Asked in the region of the spec, before it was known where the bucket is.
            Err(fault) if fault.kind == FaultKind::Elsewhere => {
                grant::aws::observe(there, &account, &stack.bucket).await?
            }
            seen => seen?,
        };
        let bucket = async {
            match region.clone() {
                Some(region) => {
                    Box::pin(bucket::aws::observe(there, &account, &stack.bucket, region))
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
        Ok(InAccount { stack, bucket, objects, shown, inventory, policy, distribution, listed })
    }

    /// Reads distributions of other owners. A refusal to look fails it: what visitors get there
    /// depends on what this run may end.
    async fn read(&self, ids: Vec<DistributionId>) -> Result<Vec<distribution::Live>, Fault> {
        let read = ids.iter().map(|id| distribution::aws::read_document(&self.clients, id));
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    async fn attached(&self, names: &Names) -> Result<Option<distribution::Live>, Fault> {
        match &names.attached {
            Some(id) => distribution::aws::read_document(&self.clients, id).await,
            None => Ok(None),
        }
    }
}

impl Aws {
    /// What is asked, and where it fails, the way out that depends on who is asked, and as whom.
    pub(super) async fn explained<T>(
        &self,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        asked.await.map_err(|fault| self.clients.surroundings.explain(fault))
    }

    /// A wait that ends with a refusal has the same way out as a call.
    fn explained_wait(&self, done: Done) -> Done {
        match done {
            Done::Deferred(later) => {
                let explain = |fault: Box<Fault>| self.clients.surroundings.explain(*fault);
                let said = later.said.map(explain).map(Box::new);
                Done::Deferred(Later { said, ..later })
            }
            done => done,
        }
    }

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
    ) -> Result<Vec<(ObjectKey, site::Object, u64)>, Fault> {
        site::aws::list(&self.clients, &stack.account, &stack.bucket, Some(prefix)).await
    }

    /// One try of the op.
    async fn carry_out(
        &self,
        stack: &Stack,
        op: &Op,
        context: &Context<'_>,
    ) -> Result<Done, Fault> {
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
            Op::Site(op) => site::aws::apply(clients, account, op, context).await,
            Op::Page(op) => {
                let region = context.references(|known| known.regions.get(op.bucket()).cloned());
                let elsewhere = region.map(|region| clients.in_region(&region));
                page::aws::apply(elsewhere.as_ref().unwrap_or(clients), account, op, context).await
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

impl Cloud for Aws {
    fn unanswered(&self) -> Option<Unanswered> {
        self.clients.calls.seen().open
    }

    async fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(AccountId, Live), Fault> {
        self.clients.usable()?;
        let group = logs::group(&names.function);
        let logs = async {
            match names.look_at_logs(scope, true) {
                logs::Look::Spared => Ok(logs::Live::default()),
                _ => Box::pin(logs::aws::observe(&self.clients, &group)).await,
            }
        };
        let (seen, role, function, logs, access, attached, marked) = try_join!(
            self.observe_in_account(names, expected, scope),
            role::aws::observe(&self.clients, &names.role),
            function::aws::observe(&self.clients, &names.function),
            logs,
            access::aws::observe(&self.clients, &names.stack),
            self.attached(names),
            role::aws::marked_for(&self.clients, &names.stack),
        )?;
        let InAccount { stack, bucket, objects, shown, inventory, policy, distribution, listed } =
            seen;
        let look = names.look_at_logs(scope, function.is_some());
        let mut live = Live {
            bucket,
            objects,
            shown,
            inventory,
            policy,
            role,
            function,
            logs: logs::Live::default(),
            access,
            distribution,
            attached,
            readers: Vec::new(),
            signers: Vec::new(),
            holders: Vec::new(),
            former: Former::default(),
        };
        Box::pin(former::follow(&self.clients, &stack, marked, &mut live)).await?;
        let since = live.since(&names.stack);
        let is_asked = |group: &logs::Group| look.asks(group, since);
        let (account, clients) = (&stack.account, &self.clients);
        let tagged = logs::aws::observe_tags(clients, account, &group, logs, is_asked);
        live.logs = Box::pin(tagged).await?;
        live.readers = dependents::readers(&stack, &live, &listed);
        live.signers = dependents::signers(&live, &listed);
        live.holders = self.read(dependents::holders(&stack, &live, &listed)).await?;
        Ok((stack.account, live))
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        self.clients.usable()?;
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
        let ((roles, pages), (functions, existing), controls, (distributions, listed), buckets) = try_join!(
            role::aws::traces(clients),
            function::aws::traces(clients),
            access::aws::traces(clients),
            distribution::aws::traces(clients, account),
            bucket::aws::traces(clients, account),
        )?;
        let orphans = Box::pin(logs::aws::traces(clients, account, &existing)).await?;
        let all = [roles, functions, controls, distributions, buckets];
        let Traces { found, disputed, notices } = all.into_iter().fold(orphans, Traces::with);
        let attached = dependents::attached(&found, &listed, account);
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
        let judged =
            found.map(|found| site::FoundIndex::judged(&found, &stack.names.stack, &stack.bucket));
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
        let listed = distribution::aws::list(&self.clients).await?;
        Ok(dependents::runners(stack, &listed))
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        // The SDK's futures are large, and whatever moves them needs as much of the stack.
        let carried = Box::pin(async {
            match self.carry_out(stack, op, context).await {
                Err(fault) if persistence::is_not_yet(op, &fault, context) => {
                    let again = || self.carry_out(stack, op, context);
                    persistence::persist(&self.clients, op, fault, context, again).await
                }
                carried => carried,
            }
        });
        let (carried, is_lost) = about(op.change().address, lost::listening(carried)).await;
        let carried = match carried {
            Ok(Done::AlreadySo) if is_lost => Ok(Done::Changed(String::new())),
            carried => carried,
        };
        if let Some(kind) = op.creates().filter(|_| carried.is_ok()) {
            context.made(kind);
        }
        carried.map(|done| self.explained_wait(done))
    }
}
