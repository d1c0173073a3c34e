//! What an op does to the world: each room's `simulate`, and AWS's rules between the rooms.

use super::observe::occupants;
use super::{Bucket, Distribution, Headers, World};
use crate::change::{Done, Fault, FaultKind};
use crate::context::{Context, References};
use crate::name::{BucketName, DistributionId, ObjectKey};
use crate::resource::content::Content;
use crate::resource::site::index::SWITCH;
use crate::resource::site::{self, Object};
use crate::resource::{
    access, association, bucket, distribution, function, grant, logs, page, role, tags,
};
use crate::stack::{Op, Stack};
use std::collections::{BTreeMap, BTreeSet};

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
            Op::Bucket(op) => self.apply_bucket(op),
            Op::Site(site::Op::Put { bucket, key, content, before, .. }) => {
                let headers = headers(stack, key, content, BTreeMap::new(), now);
                let done = self.put(bucket, key, content, before.as_deref(), headers)?;
                if key.as_str() == site::index::KEY {
                    self.bucket(bucket)?.index =
                        String::from_utf8(content.read()?).unwrap_or_default();
                }
                Ok(done)
            }
            Op::Page(op) => self.apply_page(stack, op, now),
            Op::Site(op @ site::Op::Delete { bucket, key, .. }) => {
                let found = self.bucket(bucket)?;
                found.objects = site::simulate::simulate(found.objects.clone(), op)?;
                found.headers.remove(key);
                Ok(changed())
            }
            Op::Role(op) => {
                let name = op.name();
                if matches!(op, role::Op::Delete { .. }) && !self.roles.contains_key(name) {
                    return Ok(Done::AlreadySo);
                }
                let after = role::simulate::simulate(self.roles.get(name).cloned(), op)?;
                replace(&mut self.roles, name, after);
                Ok(changed())
            }
            Op::Function(op) => self.apply_function(op, context, now),
            Op::Logs(op) => self.apply_logs(op),
            Op::Access(op) => self.apply_access(op, context),
            Op::Distribution(op) => self.apply_distribution(stack, op, &known, context, now),
            Op::Grant(op) => {
                let account = self.account.clone();
                let (grant::Op::Put { bucket, .. } | grant::Op::Remove { bucket, .. }) = op;
                let found = self.bucket(bucket)?;
                found.policy = grant::simulate::simulate(
                    found.policy.as_ref(),
                    op,
                    &account,
                    known.distribution.as_ref(),
                )?;
                Ok(changed())
            }
            Op::Association(op) => self.apply_association(op, &known, now),
        }
    }

    fn bucket(&mut self, name: &BucketName) -> Result<&mut Bucket, Fault> {
        self.buckets.get_mut(name).ok_or_else(|| {
            Fault::new(
                FaultKind::NotFound,
                format!("use bucket {name}"),
                "the specified bucket does not exist",
            )
        })
    }

    fn apply_bucket(&mut self, op: &bucket::Op) -> Result<Done, Fault> {
        let name = op.name();
        match (op, self.buckets.get_mut(name)) {
            (bucket::Op::Create { settings, .. }, Some(found))
                if !tags::hold(&found.live.settings.tags, &settings.tags) =>
            {
                Err(Fault::new(
                    FaultKind::AlreadyExists,
                    format!("create bucket {name}"),
                    "your previous request to create the named bucket succeeded and you already \
                        own it",
                ))
            }
            (bucket::Op::Delete { .. }, Some(found)) if !found.objects.is_empty() => {
                let mut fault = Fault::new(
                    FaultKind::InUse,
                    format!("delete bucket {name}"),
                    "the bucket you tried to delete is not empty",
                );
                fault.code = Some("BucketNotEmpty".into());
                Err(fault.hinted(
                    "somebody put objects into it since it was looked at; run the \
                    same command again",
                ))
            }
            (bucket::Op::Create { .. }, Some(_)) | (bucket::Op::Delete { .. }, None) => {
                Ok(Done::AlreadySo)
            }
            (bucket::Op::Empty { versions, .. }, Some(found)) => {
                for version in versions {
                    let key = &version.key;
                    if found.objects.contains_key(key) {
                        site::simulate::guard(&found.objects, key, version.etag.as_deref())?;
                    }
                    found.objects.remove(&version.key);
                    found.headers.remove(&version.key);
                }
                Ok(changed())
            }
            (_, found) => {
                let before = found.map(|found| found.live.clone());
                match bucket::simulate::simulate(before, op) {
                    None => drop(self.buckets.remove(name)),
                    Some(live) => match self.buckets.get_mut(name) {
                        Some(found) => found.live = live,
                        None => {
                            let new = Bucket {
                                live,
                                policy: None,
                                objects: BTreeMap::new(),
                                headers: BTreeMap::new(),
                                index: String::new(),
                            };
                            self.buckets.insert(name.clone(), new);
                        }
                    },
                }
                Ok(changed())
            }
        }
    }

    fn put(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        content: &Content,
        before: Option<&str>,
        headers: Headers,
    ) -> Result<Done, Fault> {
        let found = self.bucket(bucket)?;
        if let Err(moved_on) = site::simulate::guard(&found.objects, key, before) {
            let same_bytes =
                found.objects.get(key).is_some_and(|object| object.etag == content.md5);
            let same =
                |have: &Headers| Headers { modified: headers.modified, ..have.clone() } == headers;
            let is_it = same_bytes && found.headers.get(key).is_some_and(same);
            return if is_it { Ok(Done::AlreadySo) } else { Err(moved_on) };
        }
        found.objects.insert(key.clone(), Object { etag: content.md5.clone(), size: content.size });
        found.headers.insert(key.clone(), headers);
        Ok(changed())
    }

    fn apply_page(&mut self, stack: &Stack, op: &page::Op, now: u64) -> Result<Done, Fault> {
        match op {
            page::Op::Put { bucket, key, content, before, metadata, leaves, .. } => {
                if let Some(left) = leaves {
                    let found = self.bucket(bucket)?.objects.get(&left.key);
                    page::simulate::guard_left(left, found.map(|object| object.etag.as_str()))?;
                }
                let found =
                    self.bucket(bucket)?.headers.get(key).filter(|_| metadata.contains_key(SWITCH));
                let kept = found
                    .map(|headers| page::window::theirs(&headers.metadata))
                    .unwrap_or_default();
                let headers = headers(
                    stack,
                    key,
                    content,
                    kept.into_iter().chain(metadata.clone()).collect(),
                    now,
                );
                self.put(bucket, key, content, before.as_deref(), headers)
            }
            page::Op::Remove { bucket, key, .. } => {
                let found = self.bucket(bucket)?;
                let existed = found.objects.contains_key(key);
                found.objects = page::simulate::simulate(found.objects.clone(), op)?;
                found.headers.remove(key);
                Ok(if existed { changed() } else { Done::AlreadySo })
            }
        }
    }

    fn apply_function(
        &mut self,
        op: &function::Op,
        context: &Context<'_>,
        now: u64,
    ) -> Result<Done, Fault> {
        let name = op.name();
        let arn = name.arn(&self.account);
        let held = |number: u64, world: &Self| world.is_replicated(&format!("{arn}:{number}"), now);
        let before = self.functions.get(name).cloned();
        let replicated = match op {
            function::Op::Prune { number, .. } => held(*number, self),
            function::Op::Delete { .. } => before
                .iter()
                .flat_map(|live| &live.versions)
                .any(|version| held(version.number, self)),
            _ => false,
        };
        if replicated {
            return Ok(Done::Deferred {
                reason: "CloudFront still keeps replicas of it at the edge; AWS removes them by \
                    itself, and nobody can hurry it"
                    .into(),
                try_again_after: std::time::Duration::from_secs(self.delays.replicas),
            });
        }
        if before.is_none()
            && matches!(op, function::Op::Delete { .. } | function::Op::Prune { .. })
        {
            return Ok(Done::AlreadySo);
        }
        let next = self.numbers.get(name).copied().unwrap_or_default() + 1;
        let after = function::simulate::simulate(before, op, self.serial, next)?;
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
            self.distributions.values().any(|found| occupants(&found.live).contains(arn));
        associated || self.replicas.get(arn).is_some_and(|gone| now < *gone)
    }

    /// Versions that have just lost their last association keep their replicas for a while.
    fn release(&mut self, before: &BTreeSet<String>, now: u64) {
        for arn in before {
            if !self.distributions.values().any(|found| occupants(&found.live).contains(arn)) {
                self.replicas.insert(arn.clone(), now + self.delays.replicas);
            }
        }
    }

    fn apply_logs(&mut self, op: &logs::Op) -> Result<Done, Fault> {
        let (logs::Op::Create { region, name, .. }
        | logs::Op::SetRetention { region, name, .. }
        | logs::Op::SetTags { region, name, .. }
        | logs::Op::Delete { region, name }) = op;
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
        let after = logs::simulate::simulate(before.clone(), op);
        let sets = matches!(op, logs::Op::SetRetention { .. } | logs::Op::SetTags { .. });
        let done = if after == before && !sets { Done::AlreadySo } else { changed() };
        replace(groups, name, after);
        self.logs.retain(|_, groups| !groups.is_empty());
        Ok(done)
    }

    fn apply_access(&mut self, op: &access::Op, context: &Context<'_>) -> Result<Done, Fault> {
        let (access::Op::Create { stack }
        | access::Op::Update { stack, .. }
        | access::Op::Delete { stack, .. }) = op;
        let before = match op {
            access::Op::Create { .. } => self.access.get(&access::name(stack)).cloned(),
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
        let after = access::simulate::simulate(before, op, &format!("EOAC{:08}", self.serial));
        context.references(|known| known.access = after.as_ref().map(|live| live.id.clone()));
        let creates = after.is_some();
        replace(&mut self.access, &name, after);
        let updates = matches!(op, access::Op::Update { .. });
        Ok(if updates || new == creates { changed() } else { Done::AlreadySo })
    }

    fn apply_distribution(
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
        let held = before.as_ref().map(occupants).unwrap_or_default();
        let reference = match op {
            distribution::Op::Create { occupant, .. } => Some(occupant),
            distribution::Op::Update { occupant, .. } => {
                occupant.as_ref().and_then(|(_, after)| after.as_ref())
            }
            _ => None,
        };
        let arn = reference.map(|reference| reference.resolve(context)).transpose()?;
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

    fn apply_association(
        &mut self,
        op: &association::Op,
        known: &References,
        now: u64,
    ) -> Result<Done, Fault> {
        let association::Op::Turn { id, occupant, .. } = op else { return Ok(changed()) };
        let missing = || {
            Fault::new(
                FaultKind::NotFound,
                format!("update distribution {id}"),
                "the specified distribution does not exist",
            )
        };
        let before = self.look(id, now).ok_or_else(missing)?;
        let held = occupants(&before);
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

fn headers(
    stack: &Stack,
    key: &ObjectKey,
    content: &Content,
    metadata: BTreeMap<String, String>,
    now: u64,
) -> Headers {
    let metadata = metadata.into_iter().chain(site::mark(&stack.names.stack, key)).collect();
    Headers {
        content_type: content.content_type.clone(),
        cache_control: content.cache_control.clone(),
        metadata,
        modified: now,
    }
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

fn new_id(serial: u64) -> Result<DistributionId, Fault> {
    format!("E2SANDBOX{serial:05}")
        .parse()
        .map_err(|why: &str| Fault::new(FaultKind::Local, "name a distribution", why))
}
