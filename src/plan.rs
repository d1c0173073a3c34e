//! The plan: what has to happen, in which order, and why it may not.
//!
//! Pure. `(stack, desired, live) → Plan`; everything that is decided is decided here. The order is a constant relation
//! between stages ([`Stage::needs`]), not a graph that has to be solved.

use crate::change::{Address, Conflict, Kind, Notice};
use crate::desired::Desired;
use crate::name::AccountId;
use crate::name::StackName;
use crate::resource::distribution::document::{DEFAULT, EVENT};
use crate::resource::{Planned, STACK_TAG, access, association, bucket, distribution, function, grant, page, role, site};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};
use serde::Serialize;
use std::collections::BTreeSet;

/// What the command wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Make it so.
    Provision,
    /// Take it down.
    Destroy,
    /// Visitors see the page.
    On,
    /// Visitors see the site.
    Off,
}

/// What the user chose on the command line or by `protect:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Kinds that may be taken over.
    pub adopt: BTreeSet<Kind>,
    /// Objects that we did not put may be deleted with the bucket.
    pub delete_data: bool,
    /// Wait until a changed distribution is deployed.
    pub wait: bool,
    /// What a destroy leaves alone.
    pub protect: BTreeSet<Protected>,
}

/// A place in the order. Steps of one stage run one after the other, unless [`Stage::is_parallel`]; stages whose needs are
/// met run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The bucket and its settings.
    Bucket,
    /// The role and its policies.
    Role,
    /// The origin access control.
    Access,
    /// Files that documents point at.
    Files,
    /// HTML, which points at them.
    Documents,
    /// The page.
    Page,
    /// The page moves to its other key.
    Switch,
    /// Code, configuration, version.
    Function,
    /// Our distribution.
    Distribution,
    /// The bucket policy.
    Grant,
    /// Slots of another distribution.
    Association,
    /// Wait for the deployment.
    Deployed,
    /// Files that nothing points at any more.
    Leftovers,
    /// Superseded versions.
    Prune,
    /// Leave slots; disable our distribution.
    Vacate,
    /// Wait for that.
    Vacated,
    /// Delete our distribution.
    DeleteDistribution,
    /// Delete the origin access control.
    DeleteAccess,
    /// Delete the function.
    DeleteFunction,
    /// Delete the role.
    DeleteRole,
    /// Take our statement out of a policy that stays.
    RemoveGrant,
    /// Empty and delete the bucket.
    DeleteBucket,
}

impl Stage {
    /// What has to be finished before, where it is part of the plan. Taking down goes against the arrows of building up, and
    /// nothing that a visitor can still ask for goes while a distribution points at it.
    #[must_use]
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Bucket | Self::Role | Self::Access | Self::Switch | Self::Vacate => &[],
            Self::Files | Self::Page => &[Self::Bucket],
            Self::Documents => &[Self::Bucket, Self::Files],
            Self::Function => &[Self::Role],
            Self::Distribution => &[Self::Bucket, Self::Page, Self::Access, Self::Function],
            Self::Grant => &[Self::Bucket, Self::Distribution],
            Self::Association => &[Self::Bucket, Self::Page, Self::Function],
            Self::Deployed => &[Self::Distribution, Self::Association],
            Self::Leftovers => &[Self::Files, Self::Documents],
            Self::Prune => &[Self::Function, Self::Distribution, Self::Association, Self::Deployed, Self::Vacate, Self::Vacated],
            Self::Vacated => &[Self::Vacate],
            Self::DeleteDistribution => &[Self::Vacate, Self::Vacated],
            Self::DeleteAccess => &[Self::DeleteDistribution],
            Self::DeleteFunction | Self::RemoveGrant => &[Self::Vacate, Self::Vacated, Self::DeleteDistribution],
            Self::DeleteRole => &[Self::DeleteFunction],
            Self::DeleteBucket => &[Self::Vacate, Self::Vacated, Self::DeleteDistribution, Self::RemoveGrant],
        }
    }

    /// May its steps run at the same time? Objects do not need each other.
    #[must_use]
    pub fn is_parallel(self) -> bool {
        matches!(self, Self::Files | Self::Documents | Self::Leftovers | Self::Prune)
    }
}

/// One op in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// When.
    pub stage: Stage,
    /// What.
    pub op: Op,
}

/// What has to happen.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Of which stack.
    pub stack: StackName,
    /// In which account.
    pub account: AccountId,
    /// What the command wants.
    pub intent: Intent,
    /// Sorted by stage, which is also the order in which people read it.
    pub steps: Vec<Step>,
    /// Why it may not be carried out.
    pub conflicts: Vec<Conflict>,
    /// Worth knowing.
    pub notices: Vec<Notice>,
}

impl Plan {
    fn new(stack: &Stack, intent: Intent) -> Self {
        Self {
            stack: stack.names.stack.clone(),
            account: stack.account.clone(),
            intent,
            steps: Vec::new(),
            conflicts: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// May it be carried out?
    #[must_use]
    pub fn can_apply(&self) -> bool {
        self.conflicts.is_empty()
    }

    fn add(&mut self, stage: Stage, ops: impl IntoIterator<Item = Op>) {
        self.steps.extend(ops.into_iter().map(|op| Step { stage, op }));
    }

    fn take<O>(&mut self, stage: Stage, planned: Planned<O>, wrap: fn(O) -> Op) {
        self.add(stage, planned.ops.into_iter().map(wrap));
        self.conflicts.extend(planned.conflicts);
        self.notices.extend(planned.notices);
    }

    fn sorted(mut self) -> Self {
        self.steps.sort_by_key(|step| step.stage);
        self
    }
}

/// Plans what makes everything as it should be.
pub fn provision(stack: &Stack, desired: &Desired, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Provision);
    let name = &stack.names.stack;
    let adopts = |kind| choices.adopt.contains(&kind);
    plan.take(
        Stage::Bucket,
        bucket::plan::plan(name, &stack.bucket, &desired.bucket, live.bucket.as_ref(), adopts(Kind::Bucket)),
        Op::Bucket,
    );
    plan.take(Stage::Role, role::plan::plan(name, &stack.names.role, &desired.role, live.role.as_ref(), adopts(Kind::Role)), Op::Role);
    let function = function::plan::plan(name, &stack.names.function, &desired.function, live.function.as_ref(), adopts(Kind::Function));
    plan.take(Stage::Function, function, Op::Function);
    if plan.can_apply() {
        objects(&mut plan, stack, desired, live);
    }
    if let Some(wanted) = &desired.distribution {
        plan.take(Stage::Access, access::plan::plan(name, live.access.as_ref()), Op::Access);
        let planned = distribution::plan::plan(name, &stack.account, wanted, live.distribution.as_ref(), live.function.as_ref());
        plan.take(Stage::Distribution, planned, Op::Distribution);
        let reader = live.distribution.as_ref().map(|distribution| &distribution.id);
        let grant = grant::plan::plan(&stack.account, &stack.bucket, reader, live.policy.as_ref(), live.bucket.is_some());
        plan.add(Stage::Grant, grant.map(Op::Grant));
        let changes =
            plan.steps.iter().any(|step| matches!(&step.op, Op::Distribution(op) if !matches!(op, distribution::Op::SetTags { .. })));
        let id = live.distribution.as_ref().map(|distribution| distribution.id.clone());
        let wait = (choices.wait && changes).then_some(Op::Distribution(distribution::Op::AwaitDeployed { id, disabled: false }));
        plan.add(Stage::Deployed, wait);
    } else {
        // A distribution of ours that the spec no longer asks for.
        end_distribution(&mut plan, stack, live);
        end_grant(&mut plan, stack, live);
    }
    if let Some(wanted) = &desired.association {
        let planned = association::plan::plan(wanted, live.attached.as_ref(), live.function.as_ref());
        let changes = !planned.ops.is_empty();
        plan.take(Stage::Association, planned, Op::Association);
        let wait = (choices.wait && changes).then(|| Op::Association(association::Op::AwaitDeployed { id: wanted.id.clone() }));
        plan.add(Stage::Deployed, wait);
    }
    let prune = function::plan::prune(&stack.names.function, &desired.function, live.function.as_ref(), &in_use(stack, live));
    plan.add(Stage::Prune, prune.into_iter().map(Op::Function));
    plan.sorted()
}

fn objects(plan: &mut Plan, stack: &Stack, desired: &Desired, live: &Live) {
    let name = &stack.names.stack;
    let site = site::plan::plan(name, &stack.bucket, &desired.site, stack.page_keys(), &live.objects);
    plan.notices.extend(site.notices);
    for op in site.ops {
        let stage = match &op {
            site::Op::Delete { .. } => Stage::Leftovers,
            put if site::plan::is_document(put) => Stage::Documents,
            site::Op::Put { .. } => Stage::Files,
        };
        plan.add(stage, [Op::Site(op)]);
    }
    let page = page::Live::among(&live.objects, &stack.names.keys);
    plan.take(Stage::Page, page::plan::plan(name, &stack.bucket, &stack.names.keys, &desired.page, &page), Op::Page);
}

/// Numbers of our versions in slots that this plan does not turn: somebody put them there by hand.
fn in_use(stack: &Stack, live: &Live) -> BTreeSet<u64> {
    let occupant = stack.any_version();
    let slots = |live: &Option<distribution::Live>, turned: fn(&str) -> bool| -> Vec<String> {
        let behaviors = live.as_ref().map(|live| live.document.read().behaviors).unwrap_or_default().into_iter();
        let functions =
            behaviors.flat_map(|(pattern, behavior)| behavior.functions.into_iter().map(move |(event, arn)| (pattern.clone(), event, arn)));
        functions.filter(|(pattern, event, _)| !(event == EVENT && turned(pattern))).map(|(_, _, arn)| arn).collect()
    };
    let left = slots(&live.distribution, |pattern| pattern == DEFAULT).into_iter().chain(slots(&live.attached, |_| true));
    left.filter_map(|arn| occupant.number_in(&arn)).collect()
}

/// Plans the turn of the switch. Touches the two page keys and nothing else.
pub fn turn(stack: &Stack, wanted: &page::turn::Wanted, sides: &page::Sides) -> Plan {
    let intent = match wanted {
        page::turn::Wanted::On { .. } => Intent::On,
        page::turn::Wanted::Off { .. } => Intent::Off,
    };
    let mut plan = Plan::new(stack, intent);
    let planned = page::turn::plan(&stack.names.stack, &stack.bucket, &stack.names.keys, wanted, sides);
    plan.take(Stage::Switch, planned, Op::Page);
    plan
}

/// Plans what takes everything down that is ours. `site` are the files in the folder, if it is still there: they are ours
/// without a further look.
pub fn destroy(stack: &Stack, site: &site::Settings, live: &Live, choices: &Choices) -> Plan {
    let mut plan = Plan::new(stack, Intent::Destroy);
    let name = &stack.names.stack;
    let kept = kept(choices);
    let keeps = |what| kept.contains(&what);
    for what in &kept {
        let (kind, text) = match what {
            Protected::Bucket => (Kind::Bucket, "stays: it is protected"),
            Protected::Role => (Kind::Role, "stays: it, or what needs it, is protected"),
            Protected::Function => (Kind::Function, "stays: it, or what needs it, is protected"),
            Protected::Distribution => (Kind::Distribution, "stays: it is protected"),
        };
        plan.notices.push(Notice { address: Address::new(kind, name), text: text.into() });
    }
    if !keeps(Protected::Distribution) {
        end_distribution(&mut plan, stack, live);
    }
    if !keeps(Protected::Function) {
        if let Some(turn) = association::plan::teardown(live.attached.as_ref(), &stack.any_version(), live.function.as_ref()) {
            let id = live.attached.as_ref().map(|attached| attached.id.clone());
            plan.add(Stage::Vacate, [Op::Association(turn)]);
            plan.add(Stage::Vacated, id.map(|id| Op::Association(association::Op::AwaitDeployed { id })));
        }
        if live.function.as_ref().is_some_and(|function| function::plan::is_ours(function, name)) {
            plan.conflicts.extend(association::plan::held(live.attached.as_ref(), &stack.any_version()));
        }
        plan.take(Stage::DeleteFunction, function::plan::teardown(name, &stack.names.function, live.function.as_ref()), Op::Function);
    }
    if !keeps(Protected::Role) {
        plan.take(Stage::DeleteRole, role::plan::teardown(name, &stack.names.role, live.role.as_ref()), Op::Role);
    }
    if keeps(Protected::Bucket) {
        if !keeps(Protected::Distribution) {
            end_grant(&mut plan, stack, live);
        }
    } else {
        end_bucket(&mut plan, stack, site, live, choices);
    }
    plan.sorted()
}

/// What is protected, with everything that it cannot work without.
fn kept(choices: &Choices) -> BTreeSet<Protected> {
    let mut kept = choices.protect.clone();
    if kept.contains(&Protected::Distribution) {
        kept.extend([Protected::Bucket, Protected::Function]);
    }
    if kept.contains(&Protected::Function) {
        kept.insert(Protected::Role);
    }
    kept
}

fn end_distribution(plan: &mut Plan, stack: &Stack, live: &Live) {
    let teardown = distribution::plan::teardown(&stack.names.stack, live.distribution.as_ref(), &stack.any_version(), live.function.as_ref());
    plan.add(Stage::Vacate, teardown.disable.map(Op::Distribution));
    plan.add(Stage::Vacated, teardown.await_disabled.map(Op::Distribution));
    plan.add(Stage::DeleteDistribution, teardown.delete.map(Op::Distribution));
    plan.take(Stage::DeleteAccess, access::plan::teardown(&stack.names.stack, live.access.as_ref()), Op::Access);
}

/// Takes our statement out of the policy of a bucket that stays. Another stack's bucket has a statement of that name for itself.
fn end_grant(plan: &mut Plan, stack: &Stack, live: &Live) {
    let Some(bucket) = &live.bucket else { return };
    let owner = bucket.settings.tags.get(STACK_TAG);
    if owner.is_none_or(|owner| owner == stack.names.stack.as_str()) {
        plan.add(Stage::RemoveGrant, grant::plan::teardown(&stack.bucket, live.policy.as_ref()).map(Op::Grant));
    }
}

fn end_bucket(plan: &mut Plan, stack: &Stack, site: &site::Settings, live: &Live, choices: &Choices) {
    let Some(found) = &live.bucket else { return };
    let address = Address::new(Kind::Bucket, &stack.bucket);
    if !bucket::plan::is_ours(found, &stack.names.stack) {
        plan.notices.push(Notice { address, text: "is not ours and stays, with everything in it".into() });
        end_grant(plan, stack, live);
        return;
    }
    if let Some(reader) = live.readers.first() {
        plan.conflicts.push(Conflict {
            address: address.clone(),
            reason: format!("is an origin of distribution {reader}, which stays; its visitors would get errors, and whoever takes the name could serve them"),
            hint: "remove that origin first, or keep the bucket with `protect: [bucket]`".into(),
        });
    }
    let foreign: Vec<_> = live.objects.foreign(site, stack.page_keys()).collect();
    if let Some(first) = foreign.first().filter(|_| !choices.delete_data) {
        let more = if foreign.len() == 1 { String::new() } else { format!(" and {} more", foreign.len() - 1) };
        plan.conflicts.push(Conflict {
            address,
            reason: format!("holds objects that `provision` did not put: {first}{more}"),
            hint: "move them away, delete them with `--delete-data`, or keep the bucket with `protect: [bucket]`".into(),
        });
    }
    let (versions, uploads) = (live.inventory.versions.clone(), live.inventory.uploads.clone());
    if !versions.is_empty() || !uploads.is_empty() {
        plan.add(Stage::DeleteBucket, [Op::Bucket(bucket::Op::Empty { name: stack.bucket.clone(), versions, uploads })]);
    }
    plan.add(Stage::DeleteBucket, [Op::Bucket(bucket::Op::Delete { name: stack.bucket.clone() })]);
}
