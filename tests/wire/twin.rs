//! The same plans on the simulated world and on the emulator: after each op both must look the
//! same.

use super::shop::Shop;
use crate::support::Rules;
use provision::apply::references;
use provision::change::{Action, Done, Kind};
use provision::cloud::Cloud;
use provision::cloud::world::{Delays, World};
use provision::context::Context;
use provision::desired::{self, Desired};
use provision::name::AccountId;
use provision::plan::{self, Choices, Plan};
use provision::resource::distribution::Live as Distribution;
use provision::resource::page::{Sides, turn::Wanted};
use provision::resource::site::Look;
use provision::resource::site::index::SWITCH;
use provision::resource::{
    access, association, bucket, distribution, function, grant, logs, page, policy, role, site,
};
use provision::stack::{Live, Names, Op, Scope, Stack};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;

/// How long a deployment takes in the world; the emulator's takes some looks.
const DEPLOYMENT: u64 = 10;

pub(crate) struct Twin {
    pub(crate) shop: Shop,
    pub(crate) world: World,
    kind: Kind,
    carried_out: BTreeSet<&'static str>,
    now: u64,
    /// Of pages, by their `ETag`; the world keeps none.
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Twin {
    /// Compares after the ops of this kind.
    pub(crate) async fn of(kind: Kind, spec: &str) -> Self {
        let account = "000000000000".parse().unwrap();
        // The comparison is a look as well, which must not be the last that sees the deployment.
        let shop = Shop::new(spec, Rules { deploy_polls: 2, ..Rules::prompt() }).await;
        let world = World::empty(account, Delays { deploy: DEPLOYMENT, replicas: 0 });
        Self { shop, world, kind, carried_out: BTreeSet::new(), now: 0, bytes: BTreeMap::new() }
    }

    pub(crate) async fn provision(&mut self) {
        let (spec, stack) = (self.shop.spec(), self.stack());
        let wanted = Desired::of(&spec, &stack, desired::site(&spec).unwrap()).unwrap();
        let choices = choices(&self.shop);
        self.carry_out(|live, _| plan::provision(&stack, &wanted, live, &choices)).await;
    }

    pub(crate) async fn destroy(&mut self) {
        let stack = self.stack();
        let choices = Choices { delete_data: true, ..choices(&self.shop) };
        self.carry_out(|live, _| plan::destroy(&stack, live, &choices)).await;
    }

    pub(crate) async fn turn(&mut self, wanted: Wanted) {
        let stack = self.stack();
        self.carry_out(|_, sides| plan::turn(&stack, &wanted, sides)).await;
    }

    /// Tries an op that no plan would have now; how it ends in the world, and on the emulator.
    pub(crate) async fn tries(&mut self, op: impl Fn(&Live) -> Op) -> [String; 2] {
        let stack = self.stack();
        let [simulated, observed] = self.looks().await;
        let (_keep, stop) = watch::channel(false);
        let quiet = |_: &_, _: &str| {};
        let context = |live| Context::new(references(live), &quiet, stop.clone(), Duration::ZERO);
        let contexts = [context(&simulated.0), context(&observed.0)];
        let here = self.world.apply(&stack, &op(&simulated.0), &contexts[0], self.now);
        let there = op(&observed.0);
        let there = Box::pin(self.shop.aws.apply(&stack, &there, &contexts[1])).await;
        [here, there].map(|ended| match ended {
            Ok(done) => word(&done).to_owned(),
            Err(fault) => format!("{:?}", fault.kind),
        })
    }

    /// Every op of the kind was compared, and no other is known here.
    #[track_caller]
    pub(crate) fn has_carried_out<const N: usize>(&self, ops: [&'static str; N]) {
        assert_eq!(self.carried_out, BTreeSet::from(ops));
    }

    fn stack(&self) -> Stack {
        Names::of(&self.shop.spec()).in_account(self.world.account.clone()).unwrap()
    }

    async fn looks(&self) -> [(Live, Sides); 2] {
        let spec = self.shop.spec();
        let (names, site) = (Names::of(&spec), desired::site(&spec).unwrap());
        let (_, simulated): (AccountId, Live) =
            self.world.observe(&names, &site, Scope::Teardown, self.now);
        let (_, observed) =
            Box::pin(self.shop.aws.observe(&names, &site, Scope::Teardown)).await.unwrap();
        let stack = self.stack();
        let sides = self.shop.aws.observe_switch(&stack).await.unwrap_or_default();
        let look = |key| {
            self.world
                .look_at_page(&stack, key, |md5| Ok(self.bytes[md5].clone()), self.now)
                .ok()
                .and_then(|look| look.side)
        };
        let known = Sides {
            off: look(&stack.names.keys.off),
            on: look(&stack.names.keys.on),
            seen: sides.seen,
            applied: sides.applied.clone(),
        };
        [(simulated, known), (observed, sides)]
    }

    async fn carry_out(&mut self, planned: impl Fn(&Live, &Sides) -> Plan) {
        let stack = self.stack();
        let [simulated, observed] = self.looks().await;
        let plans = [&simulated, &observed].map(|(live, sides)| planned(live, sides));
        let [here, there] = plans.each_ref().map(|plan| {
            assert!(plan.can_apply(), "{:?}", plan.conflicts);
            plan.steps.iter().map(|step| (step.op.kind(), name(&step.op))).collect::<Vec<_>>()
        });
        assert_eq!(here, there, "the world's plan, the emulator's plan");
        assert!(!here.is_empty(), "there is nothing to do");
        let (_keep, stop) = watch::channel(false);
        let quiet = |_: &_, _: &str| {};
        let context = |live| Context::new(references(live), &quiet, stop.clone(), Duration::ZERO);
        let contexts = [context(&simulated.0), context(&observed.0)];
        for (here, there) in plans[0].steps.iter().zip(&plans[1].steps) {
            if here.op.is_wait() {
                let known = contexts[0].references(|known| known.clone());
                assert_eq!(self.world.deployed(&here.op, &known, self.now), Ok(None));
                self.now += DEPLOYMENT;
            }
            if let Op::Page(page::Op::Put(put)) = &here.op {
                let page = &put.object.content;
                self.bytes.insert(page.md5.clone(), page.read().unwrap());
            }
            let simulated = self.world.apply(&stack, &here.op, &contexts[0], self.now).unwrap();
            let observed =
                Box::pin(self.shop.aws.apply(&stack, &there.op, &contexts[1])).await.unwrap();
            assert_eq!(word(&simulated), word(&observed), "{}", name(&here.op));
            if here.op.kind() == self.kind {
                self.carried_out.insert(name(&here.op));
                let [simulated, observed] =
                    self.looks().await.map(|(live, sides)| picture(&live, &sides));
                for (part, simulated) in simulated {
                    assert_eq!(
                        simulated,
                        observed[part],
                        "{part} after {} (simulated, observed)",
                        name(&here.op)
                    );
                }
            }
        }
    }
}

fn choices(shop: &Shop) -> Choices {
    Choices { wait: true, protect: shop.spec().protect, ..Choices::default() }
}

fn word(done: &Done) -> &'static str {
    match done {
        Done::Changed(_) => "changed",
        Done::AlreadySo => "already so",
        Done::Deferred(_) => "deferred",
    }
}

/// What AWS numbers has a name here.
fn named(Live { distribution, policy, access, .. }: &Live, text: String) -> String {
    // The policy still names it when it is gone.
    let ids = distribution
        .iter()
        .map(|found| found.id.clone())
        .chain(grant::distribution(policy.as_ref()));
    let text = ids.fold(text, |text, id| text.replace(id.as_str(), "(distribution)"));
    // A creation is named after its control, which ends before the distribution does.
    let references = distribution.iter().map(|found| found.document.read().caller_reference);
    let control = |reference: String| reference.rsplit('-').next().unwrap_or_default().to_owned();
    let ids = access.iter().map(|found| found.id.clone()).chain(references.map(control));
    ids.filter(|id| !id.is_empty()).fold(text, |text, id| text.replace(&id, "(access)"))
}

/// What must be equal, as text; what AWS numbers is named.
fn picture(live: &Live, sides: &Sides) -> BTreeMap<&'static str, String> {
    let Live {
        bucket,
        objects,
        shown: window,
        inventory,
        policy,
        role,
        function,
        logs,
        access,
        distribution,
        attached,
        readers,
        signers,
        holders,
        former,
    } = live;
    let named = |text: String| named(live, text);
    let keys: BTreeSet<_> = inventory.versions.iter().map(|version| &version.key).collect();
    let looks = |versions: &BTreeMap<String, Look>| versions.values().cloned().collect::<Vec<_>>();
    let older: Vec<_> = objects.older.iter().map(|(key, found)| (key, looks(found))).collect();
    let mut logs = logs.clone();
    logs.groups.values_mut().for_each(|group| group.created = 0);
    let meaning = |document: &Option<serde_json::Value>| {
        named(format!("{:?}", document.as_ref().map(policy::normal)))
    };
    let shown = |found: &Option<Distribution>| {
        let parts =
            found.as_ref().map(|found| (found.document.read(), found.deployed, &found.tags));
        named(format!("{parts:#?}"))
    };
    let role = role.as_ref().map(|role| {
        let role::Settings { path, trust, policy, boundary, description, tags } = &role.settings;
        let documents = (policy::normal(trust), meaning(policy));
        format!(
            "{path} {documents:?} {boundary:?} {description} {tags:?} {:?} {:?}",
            role.other_policies, role.attached
        )
    });
    BTreeMap::from([
        ("bucket", format!("{:#?}", bucket.as_ref().map(|bucket| &bucket.settings))),
        ("objects", format!("{:#?} {:#?} {:#?}", objects.objects, older, objects.looks)),
        ("index", format!("{:?}", objects.index.as_ref().map(|found| (&found.etag, &found.ours)))),
        ("inventory", format!("{keys:?} {}", inventory.uploads.len())),
        ("policy", meaning(policy)),
        ("role", format!("{role:?}")),
        (
            "function",
            format!(
                "{:#?}",
                function.as_ref().map(|function| (&function.settings, &function.versions))
            ),
        ),
        ("logs", format!("{logs:?}")),
        (
            "access",
            format!(
                "{:?}",
                access.as_ref().map(|access| (&access.name, &access.description, &access.signing))
            ),
        ),
        ("distribution", shown(distribution)),
        ("attached", shown(attached)),
        ("readers", named(format!("{readers:?} {signers:?}"))),
        (
            "former",
            format!("{:?}", (former.buckets.keys(), former.roles.keys(), former.functions.keys())),
        ),
        ("holders", format!("{:?}", holders.iter().map(|held| &held.id).collect::<Vec<_>>())),
        (
            "switch",
            format!(
                "{sides:#?} {:?}",
                window.as_ref().map(|window| (&window.etag, &window.metadata))
            ),
        ),
    ])
}

/// Names an op within its kind. A new one has to be carried out by the test of its kind.
fn name(op: &Op) -> &'static str {
    match op {
        Op::Bucket(_, op) => match op {
            bucket::Op::Create { .. } => "create",
            bucket::Op::BlockPublicAccess { .. } => "block public access",
            bucket::Op::EnforceOwnership => "enforce ownership",
            bucket::Op::SetVersioning { .. } => "set versioning",
            bucket::Op::SetTags { .. } => "set tags",
            bucket::Op::Empty(bucket::Empty { .. }) => "empty",
            bucket::Op::Delete => "delete",
        },
        Op::Site(op) => match op {
            site::Op::Put(site::Put { before: None, .. }) => "put",
            site::Op::Put(site::Put { before: Some(_), .. }) => "replace",
            site::Op::Delete { .. } => "delete",
        },
        Op::Page(op) => match op {
            page::Op::Put(page::Put { metadata, object, .. }) => {
                match (metadata.contains_key(SWITCH), &object.before) {
                    (true, None) => "put",
                    (true, Some(_)) => "replace",
                    (false, None) => "open a window",
                    (false, Some(_)) => "change a window",
                }
            }
            page::Op::Remove { .. } => "remove",
        },
        Op::Role(_, op) => match op {
            role::Op::Create { .. } => "create",
            role::Op::SetTrust { .. } => "set trust",
            role::Op::PutPolicy { .. } => "put policy",
            role::Op::SetBoundary { after: Some(_), .. } => "set boundary",
            role::Op::SetBoundary { after: None, .. } => "remove boundary",
            role::Op::Describe { .. } => "describe",
            role::Op::SetTags { .. } => "set tags",
            role::Op::DeletePolicy { .. } => "delete policy",
            role::Op::Detach { .. } => "detach",
            role::Op::Delete => "delete",
        },
        Op::Function(_, op) => match op {
            function::Op::Create(function::Create { .. }) => "create",
            function::Op::Configure(function::Configure { .. }) => "configure",
            function::Op::Upload(function::Upload { publish: true, .. }) => "upload and publish",
            function::Op::Upload(function::Upload { publish: false, .. }) => "upload",
            function::Op::Publish(function::Publish { .. }) => "publish",
            function::Op::SetTags { .. } => "set tags",
            function::Op::Prune { .. } => "prune",
            function::Op::Delete => "delete",
        },
        Op::Logs(_, op) => match op {
            logs::Op::Create { .. } => "create",
            logs::Op::SetRetention { .. } => "set retention",
            logs::Op::SetTags { .. } => "set tags",
            logs::Op::Delete => "delete",
        },
        Op::Access(_, op) => match op {
            access::Op::Create => "create",
            access::Op::Update { .. } => "update",
            access::Op::Delete { .. } => "delete",
        },
        Op::Distribution(op) => match op {
            distribution::Op::Create { .. } => "create",
            distribution::Op::Update { .. } => "update",
            distribution::Op::SetTags { .. } => "set tags",
            distribution::Op::AwaitDeployed { .. } => "await deployed",
            distribution::Op::Delete { .. } => "delete",
        },
        Op::Grant(_, op) => match op {
            grant::Op::Put { .. } => "put",
            grant::Op::Remove { .. } => "remove",
        },
        Op::Invalidation(_) => "create",
        Op::Association(id, op) => match op {
            association::Op::Turn { .. } if matches!(op.change(id).action, Action::Delete) => {
                "vacate"
            }
            association::Op::Turn { .. } => "fill",
            association::Op::AwaitDeployed => "await deployed",
        },
    }
}
