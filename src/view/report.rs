//! What exists and what is missing, as people and machines want to be told: put together from plan,
//! live state, faults and what a run has learned.

use crate::apply::Outcome;
use crate::change::{Action, Address, Fault, Kind};
use crate::name::ObjectKey;
use crate::permissions;
use crate::plan::{Intent, Plan};
use crate::resource::page::window::{State, judge};
use crate::resource::{
    Standing, access, association, bucket, distribution, function, grant, logs, page, role, site,
};
use crate::stack::{Live, Stack};
use serde::Serialize;
use std::collections::BTreeSet;

/// The names that a user needs next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Existing {
    /// Where visitors find the site.
    pub address: Option<String>,
    pub distribution: Option<String>,
    /// The function version in use.
    pub function: Option<String>,
    pub bucket: String,
    /// What visitors got by the switch when the plan was made; `None` where another spec's switch
    /// decides that.
    pub switch: Option<State>,
}

/// The switch, where it is the one of this spec.
fn switch(stack: &Stack, live: &Live) -> Option<State> {
    let keys = &stack.names.keys;
    let tells =
        |key: &ObjectKey| live.objects.ours(key).is_some_and(|page| !page.switch.is_empty());
    let is_own = match live.objects.ours(&keys.off) {
        Some(page) => page.switch == keys.on.as_str(),
        None => live.former.buckets.is_empty() && !live.objects.objects.keys().any(tells),
    };
    let judged = || live.shown.as_ref().map_or(State::Off, |on| judge(Some(&on.metadata), on.seen));
    is_own.then(judged)
}

impl Existing {
    /// Where nothing was changed.
    #[must_use]
    pub fn of(stack: &Stack, live: &Live) -> Self {
        let distribution = live.attached.as_ref().or(live.distribution.as_ref());
        let version = live
            .function
            .as_ref()
            .and_then(|function| function.number_of(&function.settings.frozen.name()));
        Self {
            address: distribution.map(|found| format!("https://{}/", found.domain)),
            distribution: distribution.map(|found| found.id.to_string()),
            function: version.map(|number| stack.any_version().arn(number)),
            bucket: stack.bucket.to_string(),
            switch: switch(stack, live),
        }
    }

    /// After a run; `None` where the plan took it down.
    #[must_use]
    pub fn after(plan: &Plan, stack: &Stack, live: &Live, outcome: &Outcome) -> Option<Self> {
        if plan.intent != Intent::Provision {
            return None;
        }
        let known = &outcome.references;
        let before = Self::of(stack, live);
        let wanted = plan.steps.iter().rev().find_map(|step| step.op.version());
        let version = wanted
            .and_then(|name| known.versions.get(&name))
            .map(|number| stack.any_version().arn(*number));
        Some(Self {
            address: known
                .domain
                .as_ref()
                .map(|domain| format!("https://{domain}/"))
                .or(before.address),
            distribution: known
                .distribution
                .as_ref()
                .map(ToString::to_string)
                .or(before.distribution),
            function: version.or(before.function),
            ..before
        })
    }
}

/// An action that a denied caller may lack, and where `provision policy` allows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The IAM action.
    pub action: String,
    /// The statement's `Sid`.
    pub statement: &'static str,
}

/// What the caller lacks: the first, or one of several where AWS does not say which.
#[must_use]
pub fn missing(fault: &Fault) -> Vec<Missing> {
    let known = |action: &String| {
        permissions::statement_with(action)
            .map(|statement| Missing { action: action.clone(), statement })
    };
    fault.lacks.iter().filter_map(known).collect()
}

/// One object in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub kind: Kind,
    pub name: String,
    pub exists: bool,
    /// Is it as the spec says?
    pub as_specified: bool,
    /// What is different, or how far a deployment is.
    pub remarks: Vec<String>,
}

/// Everything in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    pub stack: String,
    pub account: String,
    /// The objects.
    pub resources: Vec<Row>,
    /// What a user needs next.
    #[serde(flatten)]
    pub existing: Existing,
    /// Everything is as the spec says.
    pub as_specified: bool,
}

/// How a kind stands; `None` where it is no part of the stack.
fn standing(kind: Kind, stack: &Stack, live: &Live) -> Option<Standing> {
    let (names, attached) = (&stack.names, stack.names.attached.as_ref());
    let owned = |standing| attached.is_none().then_some(standing);
    match kind {
        Kind::Bucket => Some(bucket::standing(&stack.bucket, live.bucket.as_ref())),
        Kind::Site => Some(site::standing(&live.objects, stack.page_keys(), live.bucket.is_some())),
        Kind::Page => Some(page::standing(&names.keys, &live.objects)),
        Kind::Role => Some(role::standing(&names.role, live.role.as_ref())),
        Kind::Function => Some(function::standing(&names.function, live.function.as_ref())),
        Kind::Logs => names.logs.then(|| logs::standing(&names.function, &live.logs)),
        Kind::Access => owned(access::standing(live.access.as_ref())),
        Kind::Distribution => owned(distribution::standing(live.distribution.as_ref())),
        Kind::Grant => owned(grant::standing(&stack.bucket, live.policy.as_ref())),
        Kind::Invalidation => None,
        Kind::Association => attached.map(|id| association::standing(id, live.attached.as_ref())),
    }
}

/// Puts the status together.
#[must_use]
pub fn status(plan: &Plan, stack: &Stack, live: &Live) -> Status {
    let kinds = Kind::ALL.iter().filter_map(|kind| Some((*kind, standing(*kind, stack, live)?)));
    let mut resources: Vec<Row> = kinds
        .map(|(kind, standing)| {
            let own = |address: &Address| address.kind == kind && !is_former(address, stack, live);
            row(plan, kind, standing, own)
        })
        .collect();
    let former = plan.notices.iter().map(|notice| &notice.address);
    let former: BTreeSet<&Address> = former.filter(|at| is_former(at, stack, live)).collect();
    resources.extend(
        former
            .into_iter()
            .map(|at| row(plan, at.kind, Standing::of(&at.name, true), |address| address == at)),
    );
    Status {
        stack: stack.names.stack.to_string(),
        account: stack.account.to_string(),
        as_specified: plan.is_empty() && plan.can_apply(),
        existing: Existing::of(stack, live),
        resources,
    }
}

/// Is it something of the stack that the spec does not name?
fn is_former(address: &Address, stack: &Stack, live: &Live) -> bool {
    let (names, name) = (&stack.names, address.name.as_str());
    match address.kind {
        Kind::Bucket => name != stack.bucket.as_str(),
        Kind::Role => name != names.role.as_str(),
        Kind::Function => name != names.function.as_str(),
        Kind::Distribution | Kind::Access => names.attached.is_some(),
        Kind::Association => {
            let attached = names.attached.as_ref().is_some_and(|id| name == id.as_str());
            let own = live.distribution.as_ref().is_some_and(|own| name == own.id.as_str());
            !attached && !own
        }
        Kind::Logs | Kind::Site | Kind::Page | Kind::Grant | Kind::Invalidation => false,
    }
}

/// `own`: which addresses of the plan are its.
fn row(plan: &Plan, kind: Kind, standing: Standing, own: impl Fn(&Address) -> bool) -> Row {
    let Standing { name, exists, progress } = standing;
    let changes = plan
        .steps
        .iter()
        .map(|step| step.op.change())
        .filter(|change| own(&change.address) && change.action != Action::Await);
    let mut remarks: Vec<String> = changes
        .flat_map(|change| {
            let fields: Vec<String> = change
                .fields
                .iter()
                .filter(|_| exists)
                .map(|field| format!("{} differs", field.field))
                .collect();
            if fields.is_empty() { vec![change.summary] } else { fields }
        })
        .collect();
    remarks.extend(
        plan.conflicts
            .iter()
            .filter(|conflict| own(&conflict.address))
            .map(|conflict| conflict.reason.clone()),
    );
    // A kind that is in many places says it once.
    remarks.dedup();
    let as_specified = remarks.is_empty();
    if !exists {
        remarks = vec!["does not exist".into()];
    }
    remarks.extend(
        plan.notices.iter().filter(|notice| own(&notice.address)).map(|notice| notice.text.clone()),
    );
    remarks.extend(progress.map(str::to_owned));
    Row { kind, name, exists, as_specified: as_specified && exists, remarks }
}
