//! What a look at the world sees.

use crate::aws::fault::NO_SUCH_BUCKET;
use crate::change::{Done, Fault, FaultKind};
use crate::cloud::world::{Bucket, Headers, Older, World};
use crate::context::References;
use crate::name::{AccountId, BucketName, DistributionId, FunctionName, ObjectKey, StackName};
use crate::resource::bucket::ObjectVersion;
use crate::resource::distribution::Listed;
use crate::resource::site::index::Served;
use crate::resource::site::{self, Fetched, FoundIndex, Inventory, Look, PATIENCE, is_marked};
use crate::resource::{
    Tags, access, association, distribution, function, logs, marked, page, role,
};
use crate::stack::{
    Clues, Former, FormerBucket, Live, Names, Op, Scope, Search, Stack, dependents,
};
use jiff::Timestamp;

impl World {
    /// What a look at time `now` sees.
    #[must_use]
    pub fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
        now: u64,
    ) -> (AccountId, Live) {
        let stack = names.in_account(self.account.clone()).ok();
        let bucket = stack.as_ref().and_then(|stack| self.buckets.get(&stack.bucket));
        let name = stack.as_ref().map(|stack| &stack.bucket);
        let opened = bucket.filter(|bucket| names.looks_at_objects(&bucket.live.settings.region));
        let function = self.functions.get(&names.function).cloned();
        let look = names.look_at_logs(scope, function.is_some());
        let mut live = Live {
            bucket: bucket.map(|bucket| bucket.live.clone()),
            objects: opened
                .zip(name)
                .map(|found| objects(found, names, expected, scope))
                .unwrap_or_default(),
            shown: opened.and_then(|found| shown(found, &names.keys.on, now)),
            inventory: opened
                .filter(|_| scope == Scope::Teardown)
                .map(inventory)
                .unwrap_or_default(),
            policy: bucket.and_then(|bucket| bucket.policy.clone()),
            role: self.roles.get(&names.role).cloned(),
            logs: logs::Live::default(),
            function,
            access: self.control(&names.stack).cloned(),
            distribution: self.owned(names).and_then(|id| self.look(&id, now)),
            attached: names.attached.as_ref().and_then(|id| self.look(id, now)),
            readers: Vec::new(),
            signers: Vec::new(),
            holders: Vec::new(),
            former: Former::default(),
        };
        if let Some(stack) = &stack {
            self.follow(stack, &mut live);
            live.logs = self.groups(&names.function, look, live.since(&names.stack));
            let listed = self.listed();
            live.readers = dependents::readers(stack, &live, &listed);
            live.signers = dependents::signers(&live, &listed);
            let holders = dependents::holders(stack, &live, &listed);
            live.holders = holders.iter().filter_map(|id| self.look(id, now)).collect();
        }
        (self.account.clone(), live)
    }

    /// The stack's access control: of its name, or, where a user renamed it, described as the
    /// stack's.
    pub(super) fn control(&self, stack: &StackName) -> Option<&access::Live> {
        let described = || self.access.values().find(|live| access::plan::is_ours(live, stack));
        self.access.get(&access::name(stack)).or_else(described)
    }

    /// All distributions, as a list shows them.
    pub(super) fn listed(&self) -> Vec<Listed> {
        self.distributions.values().map(|found| Listed::of(&found.live)).collect()
    }

    /// Follows what things of ours mention, and what carries the stack's mark, to what an earlier
    /// spec named.
    fn follow(&self, stack: &Stack, live: &mut Live) {
        let is_marked = |role: &role::Live| {
            marked(&role.settings.description).as_ref() == Some(&stack.names.stack)
        };
        let marked = self.roles.iter().filter(|(_, role)| is_marked(role));
        let mut search = Search::new(stack, marked.map(|(name, _)| name.clone()));
        while let Some(clues) = search.next(live) {
            self.remember(&clues, stack, live);
        }
    }

    fn remember(&self, clues: &Clues, stack: &Stack, live: &mut Live) {
        let name = &stack.names.stack;
        for role in &clues.roles {
            if let Some(found) = self.roles.get(role) {
                live.former.take_role(name, role, found.clone());
            }
        }
        let (since, former) = (live.since(name), &mut live.former);
        for function in &clues.functions {
            let found = self.functions.get(function).cloned();
            let look = function::plan::look_at_logs(name, found.as_ref());
            let groups = self.groups(function, look, since);
            former.take_function(name, function, found, groups);
        }
        for bucket in &clues.buckets {
            if let Some(found) = self.buckets.get(bucket) {
                former.take_bucket(name, bucket, former_bucket(bucket, found, stack));
            }
        }
    }

    fn groups(&self, function: &FunctionName, look: logs::Look, since: Option<u64>) -> logs::Live {
        let seen = |group: &logs::Group| match look {
            logs::Look::Spared => None,
            _ if look.asks(group, since) => Some(group.clone()),
            _ => Some(logs::Group { tags: Tags::new(), ..group.clone() }),
        };
        let name = logs::group(function);
        let groups = self
            .logs
            .iter()
            .filter_map(|(region, groups)| Some((region.clone(), seen(groups.get(&name)?)?)));
        logs::Live { groups: groups.collect(), ..logs::Live::default() }
    }

    pub(super) fn owned(&self, names: &Names) -> Option<DistributionId> {
        let claim = |live| distribution::owner::claim(live, &names.stack);
        let claimed = self.distributions.iter().filter(|(_, found)| claim(&found.live) > 0);
        claimed.max_by_key(|(_, found)| claim(&found.live)).map(|(id, _)| id.clone())
    }

    pub(super) fn look(&self, id: &DistributionId, now: u64) -> Option<distribution::Live> {
        let found = self.distributions.get(id)?;
        Some(distribution::Live { deployed: now >= found.deployed_at, ..found.live.clone() })
    }

    /// How the deployment ended that `op` waits for, once it has reached every edge. What waits for
    /// nothing is done at once.
    ///
    /// # Errors
    /// [`FaultKind::NotFound`] where there is no such distribution; one that was to be disabled has
    /// only come to its end.
    pub fn deployed(&self, op: &Op, known: &References, now: u64) -> Result<Option<Done>, Fault> {
        let mut ends = false;
        let id = match op {
            Op::Distribution(op) => match op {
                distribution::Op::AwaitDeployed { id, disabled } => {
                    ends = *disabled;
                    id.as_ref().or(known.distribution.as_ref())
                }
                distribution::Op::Create { .. }
                | distribution::Op::Update { .. }
                | distribution::Op::SetTags { .. }
                | distribution::Op::Delete { .. } => None,
            },
            Op::Association(id, op) => match op {
                association::Op::AwaitDeployed => Some(id),
                association::Op::Turn { .. } => None,
            },
            Op::Bucket(..)
            | Op::Site(_)
            | Op::Page(_)
            | Op::Role(..)
            | Op::Function(..)
            | Op::Logs(..)
            | Op::Access(..)
            | Op::Grant(..)
            | Op::Invalidation(_) => None,
        };
        let Some(id) = id else { return Ok(Some(Done::AlreadySo)) };
        match self.distributions.get(id) {
            Some(found) => Ok((now >= found.deployed_at).then(|| Done::Changed("deployed".into()))),
            None if ends => Ok(Some(Done::AlreadySo)),
            None => {
                let text = "the specified distribution does not exist";
                Err(Fault::new(FaultKind::NotFound, format!("read distribution {id}"), text))
            }
        }
    }

    /// Which apply ended last in the stack's bucket.
    #[must_use]
    pub fn applied(&self, stack: &Stack) -> page::Applied {
        let bucket = self.buckets.get(&stack.bucket);
        page::Applied::told(
            bucket.and_then(|bucket| index((bucket, &stack.bucket), &stack.names.stack)),
        )
    }

    /// What is under one of the page keys at time `now`. `read` gives the bytes of the object
    /// with an `ETag`.
    ///
    /// # Errors
    /// There is no such bucket, or what `read` says.
    pub fn look_at_page(
        &self,
        stack: &Stack,
        key: &ObjectKey,
        read: impl FnOnce(&str) -> Result<Vec<u8>, Fault>,
        now: u64,
    ) -> Result<page::Look, Fault> {
        let bucket = self.buckets.get(&stack.bucket).ok_or_else(|| {
            let tried = format!("read object {key} of bucket {}", stack.bucket);
            Fault {
                code: Some(NO_SUCH_BUCKET.into()),
                ..Fault::new(FaultKind::NotFound, tried, "the specified bucket does not exist")
            }
        })?;
        let side = |object: &site::Object| {
            let Headers { sent, metadata, modified: _, version: _ } =
                bucket.headers.get(key).cloned().unwrap_or_default();
            Ok(page::Side::of(object.etag.clone(), &read(&object.etag)?, sent, metadata))
        };
        Ok(page::Look { side: bucket.objects.get(key).map(side).transpose()?, seen: moment(now) })
    }

    /// The distributions that answer visitors and run a version of the spec's function.
    #[must_use]
    pub fn runners(&self, stack: &Stack) -> Vec<DistributionId> {
        dependents::runners(stack, &self.listed())
    }

    /// The distribution at time `now` in which the stack's slots are.
    #[must_use]
    pub fn distribution(&self, stack: &Stack, now: u64) -> Option<distribution::Live> {
        match &stack.names.attached {
            Some(id) => self.look(id, now),
            None => self.look(&self.owned(&stack.names)?, now),
        }
    }
}

fn moment(now: u64) -> Timestamp {
    i64::try_from(now)
        .ok()
        .and_then(|now| Timestamp::from_second(now).ok())
        .unwrap_or(Timestamp::MAX)
}

/// What is under the on key, looked at more closely.
fn shown(bucket: &Bucket, key: &ObjectKey, now: u64) -> Option<page::Shown> {
    let object = bucket.objects.get(key)?;
    let Headers { metadata, .. } = bucket.headers.get(key).cloned().unwrap_or_default();
    Some(page::Shown { etag: object.etag.clone(), metadata, seen: moment(now) })
}

/// The index, judged.
fn index((bucket, name): (&Bucket, &BucketName), stack: &StackName) -> Option<FoundIndex> {
    let index = ObjectKey::listed(site::index::KEY.to_owned());
    let object = bucket.objects.get(&index)?;
    let Headers { modified, metadata, .. } =
        bucket.headers.get(&index).cloned().unwrap_or_default();
    let body = bucket.index.clone().into_bytes();
    let etag = object.etag.clone();
    let found = Fetched { body, etag, modified, metadata, ..Fetched::default() };
    Some(FoundIndex::judged(&found, stack, name))
}

/// The objects, of which the index or a closer look tells whose they are.
fn objects(
    (bucket, name): (&Bucket, &BucketName),
    names: &Names,
    expected: &site::Settings,
    scope: Scope,
) -> site::Live {
    let headers = |key: &ObjectKey| bucket.headers.get(key).cloned().unwrap_or_default();
    let index = index((bucket, name), &names.stack);
    let mut live = site::Live { index, ..site::Live::default() };
    let listed = bucket
        .objects
        .iter()
        .map(|(key, object)| (key.clone(), object.clone(), headers(key).modified));
    let unproven = live.unproven(listed.collect(), expected, [&names.keys.off, &names.keys.on]);
    let current = unproven.into_iter().map(|key| {
        let headers = headers(&key);
        (key, None, headers)
    });
    let older = bucket.older.iter().filter(|_| scope == Scope::Teardown);
    let older = older.flat_map(|(key, versions)| {
        let objects = versions.iter().filter(|version| version.object.is_some());
        objects.map(move |found| (key.clone(), Some(found.id()), found.headers.clone()))
    });
    let mut foreign = 0;
    for (key, version, headers) in current.chain(older).collect::<Vec<_>>() {
        let Headers { sent, metadata, .. } = headers;
        let look = match is_marked(
            &metadata,
            (&names.stack, name),
            &key,
            [&names.keys.off, &names.keys.on],
        ) {
            _ if foreign == PATIENCE => Look::Spared,
            true => Look::Ours(Served::found(sent, &metadata)),
            false => Look::Foreign,
        };
        foreign += usize::from(look == Look::Foreign);
        live.looked(key, version, look);
    }
    live
}

fn inventory(found: &Bucket) -> Inventory {
    let version = |key: &ObjectKey, found: &Older| {
        let (version, object) = (found.id(), found.object.as_ref());
        let etag = object.filter(|_| version == "null").map(|object| object.etag.clone());
        ObjectVersion { key: key.clone(), version, etag }
    };
    let current = found.objects.keys().filter_map(|key| Some(version(key, &found.current(key)?)));
    let older = found.older.iter();
    let older = older.flat_map(|(key, older)| older.iter().map(|older| version(key, older)));
    let mut versions: Vec<_> = current.chain(older).collect();
    versions.sort();
    Inventory { versions, uploads: Vec::new() }
}

fn former_bucket(name: &BucketName, found: &Bucket, stack: &Stack) -> FormerBucket {
    FormerBucket {
        live: found.live.clone(),
        objects: objects((found, name), &stack.names, &site::Settings::default(), Scope::Teardown),
        inventory: inventory(found),
        policy: found.policy.clone(),
    }
}
