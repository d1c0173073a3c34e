//! What exists and what is missing, as people and machines want to be told: put together from plan,
//! live state, faults and what a run has learned.

use crate::apply::Outcome;
use crate::change::{Action, Address, Fault, Kind};
use crate::name::ObjectKey;
use crate::operator;
use crate::plan::{Intent, Plan};
use crate::resource::page::window::{State, judge};
use crate::resource::{grant, logs};
use crate::stack::{Live, Stack};
use serde::Serialize;
use std::collections::BTreeSet;

/// The names that a user needs next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Existing {
    /// Where visitors find the site.
    pub address: Option<String>,
    /// The distribution.
    pub distribution: Option<String>,
    /// The function version in use.
    pub function: Option<String>,
    /// The bucket.
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
        operator::statement_with(action)
            .map(|statement| Missing { action: action.clone(), statement })
    };
    fault.lacks.iter().filter_map(known).collect()
}

/// One object in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its kind.
    pub kind: Kind,
    /// Its name or id.
    pub name: String,
    /// Does it exist?
    pub exists: bool,
    /// Is it as the spec says?
    pub as_specified: bool,
    /// What is different, or how far a deployment is.
    pub remarks: Vec<String>,
}

/// Everything in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The stack.
    pub stack: String,
    /// The account.
    pub account: String,
    /// The objects.
    pub resources: Vec<Row>,
    /// What a user needs next.
    #[serde(flatten)]
    pub existing: Existing,
    /// Everything is as the spec says.
    pub as_specified: bool,
}

/// Puts the status together.
#[must_use]
pub fn status(plan: &Plan, stack: &Stack, live: &Live) -> Status {
    let owned = stack.names.attached.is_none();
    let version =
        |live: &crate::resource::function::Live| live.number_of(&live.settings.frozen.name());
    let function = live.function.as_ref().map(|found| match version(found) {
        Some(number) => format!("{} version {number}", stack.names.function),
        None => stack.names.function.to_string(),
    });
    let reader = |found: &Option<crate::resource::distribution::Live>| {
        found.as_ref().map(|found| found.id.to_string())
    };
    let kinds: Vec<(Kind, String, bool)> = [
        Some((Kind::Bucket, stack.bucket.to_string(), live.bucket.is_some())),
        Some((Kind::Site, counted(objects(live, stack), "object"), live.bucket.is_some())),
        Some((
            Kind::Page,
            stack.names.keys.off.to_string(),
            live.objects.objects.contains_key(&stack.names.keys.off),
        )),
        Some((Kind::Role, stack.names.role.to_string(), live.role.is_some())),
        Some((
            Kind::Function,
            function.unwrap_or_else(|| stack.names.function.to_string()),
            live.function.is_some(),
        )),
        stack.names.logs.then(|| {
            let regions = counted(live.logs.groups.len(), "region");
            (
                Kind::Logs,
                format!("{} in {regions}", logs::group(&stack.names.function)),
                !live.logs.groups.is_empty(),
            )
        }),
        owned.then(|| {
            (
                Kind::Access,
                live.access.as_ref().map_or_else(|| "(none)".into(), |found| found.id.clone()),
                live.access.is_some(),
            )
        }),
        owned.then(|| {
            (
                Kind::Distribution,
                reader(&live.distribution).unwrap_or_else(|| "(none)".into()),
                live.distribution.is_some(),
            )
        }),
        owned.then(|| (Kind::Grant, stack.bucket.to_string(), grant::exists(live.policy.as_ref()))),
        stack
            .names
            .attached
            .as_ref()
            .map(|id| (Kind::Association, id.to_string(), live.attached.is_some())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut resources: Vec<Row> = kinds
        .into_iter()
        .map(|(kind, name, exists)| {
            let own = |address: &Address| address.kind == kind && !is_former(address, stack, live);
            row(plan, live, (kind, name, exists), own)
        })
        .collect();
    let former = plan.notices.iter().map(|notice| &notice.address);
    let former: BTreeSet<&Address> = former.filter(|at| is_former(at, stack, live)).collect();
    resources.extend(
        former
            .into_iter()
            .map(|at| row(plan, live, (at.kind, at.name.clone(), true), |address| address == at)),
    );
    Status {
        stack: stack.names.stack.to_string(),
        account: stack.account.to_string(),
        as_specified: plan.is_empty() && plan.can_apply(),
        existing: Existing::of(stack, live),
        resources,
    }
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn objects(live: &Live, stack: &Stack) -> usize {
    live.objects.objects.keys().filter(|key| !stack.page_keys().contains(key)).count()
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
        Kind::Logs | Kind::Site | Kind::Page | Kind::Grant => false,
    }
}

/// `at`: kind, what it is called, whether it exists. `own`: which addresses of the plan are its.
fn row(plan: &Plan, live: &Live, at: (Kind, String, bool), own: impl Fn(&Address) -> bool) -> Row {
    let (kind, name, exists) = at;
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
    let distribution = match kind {
        Kind::Distribution => live.distribution.as_ref(),
        Kind::Association => live.attached.as_ref(),
        _ => None,
    };
    remarks.extend(distribution.map(|found| {
        if found.deployed { "deployed".to_owned() } else { "still deploying".to_owned() }
    }));
    Row { kind, name, exists, as_specified: as_specified && exists, remarks }
}
