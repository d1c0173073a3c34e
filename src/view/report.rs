//! What exists and what is missing, as people and machines want to be told: put together from plan,
//! live state, faults and what a run has learned.

use crate::apply::Outcome;
use crate::change::{Action, Address, Fault, Kind};
use crate::name::ObjectKey;
use crate::permissions;
use crate::plan::{Intent, Plan};
use crate::resource::page::window::{State, judge};
use crate::resource::{
    ResourceId, Standing, access, association, bucket, distribution, function, grant, logs, page,
    role, site,
};
use crate::stack::{Former, Live, Stack};
use serde::Serialize;
use std::collections::BTreeMap;

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

/// How an object is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// As the spec says, or of an earlier spec and the stack's.
    Ok,
    Differs,
    Absent,
    /// It does not let us look.
    Unknown,
    /// Its marks do not surely say that it is the stack's.
    Disputed,
    /// An earlier spec named it, and it does not carry the stack's mark.
    NotOurs,
}

/// One object in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub kind: Kind,
    pub name: String,
    pub condition: Condition,
    /// `None` where nobody could look.
    pub exists: Option<bool>,
    /// Is it as the spec says?
    pub as_specified: bool,
    /// What is different, or how far a deployment is.
    pub remarks: Vec<String>,
}

impl Row {
    fn of(kind: Kind, name: String, condition: Condition, remarks: Vec<String>) -> Self {
        let exists = match condition {
            Condition::Unknown => None,
            condition => Some(condition != Condition::Absent),
        };
        let as_specified = condition == Condition::Ok;
        Self { kind, name, condition, exists, as_specified, remarks }
    }
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
    // Later ones hold: a function may be the stack's by one mark, and disputed by both.
    let former: BTreeMap<Address, Option<Condition>> = former_of_ours(stack, live)
        .map(|address| (address, None))
        .chain(doubtful(live).map(|(id, condition)| (id.address(), Some(condition))))
        .collect();
    let kinds = Kind::ALL.iter().filter_map(|kind| Some((*kind, standing(*kind, stack, live)?)));
    let mut resources: Vec<Row> = kinds
        .map(|(kind, standing)| {
            let own = |address: &Address| address.kind == kind && !former.contains_key(address);
            row(plan, kind, standing, own)
        })
        .collect();
    resources.extend(former.into_iter().map(|(at, condition)| {
        let row = row(plan, at.kind, Standing::of(&at.name, true), |address| *address == at);
        match condition {
            Some(condition) => Row::of(row.kind, row.name, condition, row.remarks),
            None => row,
        }
    }));
    Status {
        stack: stack.names.stack.to_string(),
        account: stack.account.to_string(),
        as_specified: plan.is_empty() && plan.can_apply(),
        existing: Existing::of(stack, live),
        resources,
    }
}

/// What is surely the stack's, or runs a function of it, and the spec does not name.
fn former_of_ours(stack: &Stack, live: &Live) -> impl Iterator<Item = Address> {
    let former = &live.former;
    let buckets = former.buckets.keys().map(|name| Address::new(Kind::Bucket, name));
    let roles = former.roles.keys().map(|name| Address::new(Kind::Role, name));
    let functions = former.functions.iter().map(|(name, (function, _))| {
        Address::new(if function.is_some() { Kind::Function } else { Kind::Logs }, name)
    });
    let gives_up_its_own = stack.names.attached.is_some();
    let own = live.distribution.as_ref().filter(|_| gives_up_its_own);
    let access = live.access.as_ref().filter(|live| {
        gives_up_its_own && own.is_none() && access::plan::is_ours(live, &stack.names.stack)
    });
    let own = own.map(|own| Address::new(Kind::Distribution, &own.id));
    let access = access.map(|access| Address::new(Kind::Access, &access.name));
    let running = live.functions(stack);
    let holders = live
        .holders
        .iter()
        .filter(move |held| held.occupants().iter().any(|arn| running.run(arn)))
        .map(|held| Address::new(Kind::Association, &held.id));
    buckets.chain(roles).chain(functions).chain(own).chain(access).chain(holders)
}

/// What an earlier spec named and is not surely the stack's, or surely not.
fn doubtful(live: &Live) -> impl Iterator<Item = (&ResourceId, Condition)> {
    let Former { refused, disputed, strangers, .. } = &live.former;
    let strangers = strangers.iter().map(|(id, _)| (id, Condition::NotOurs));
    let disputed = disputed.iter().map(|(id, _)| (id, Condition::Disputed));
    strangers.chain(disputed).chain(refused.iter().map(|(id, _)| (id, Condition::Unknown)))
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
    let condition = match (exists, remarks.is_empty()) {
        (false, _) => Condition::Absent,
        (true, true) => Condition::Ok,
        (true, false) => Condition::Differs,
    };
    if !exists {
        remarks = vec!["does not exist".into()];
    }
    remarks.extend(
        plan.notices.iter().filter(|notice| own(&notice.address)).map(|notice| notice.text.clone()),
    );
    remarks.extend(progress.map(str::to_owned));
    Row::of(kind, name, condition, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::FaultKind;
    use crate::resource::{Mark, Owner};
    use crate::stack::Names;
    use std::path::Path;

    #[test]
    fn only_what_was_seen_to_be_the_stacks_is_ok() {
        let spec = crate::spec::load::from_text(Path::new("s.yaml"), "stack: shop").unwrap();
        let account = "123456789012".parse().unwrap();
        let stack = Names::of(&spec).in_account(account).unwrap();
        let denied = Fault::new(FaultKind::Denied, "read role old", "no");
        let owner = |tag: &str, says: &str| {
            Owner::by_tag(Some(tag.parse().unwrap()), Some(says.parse().unwrap()), Mark::Index)
        };
        let mut former = Former::default();
        former.refused.push((ResourceId::Role("old".parse().unwrap()), denied));
        let bucket = ResourceId::Bucket("old-files".parse().unwrap());
        former.disputed.push((bucket, owner("other", "shop")));
        let function = ResourceId::Function("old-edge".parse().unwrap());
        former.strangers.push((function, owner("other", "other")));
        let live = Live { former, ..Live::default() };
        let mut plan = Plan::new(&stack, Intent::Provision);
        plan.notices.extend(live.former.left_alone());
        let status = status(&plan, &stack, &live);
        let found = |name: &str| status.resources.iter().find(|row| row.name == name).unwrap();
        for (name, condition, exists) in [
            ("old", Condition::Unknown, None),
            ("old-files", Condition::Disputed, Some(true)),
            ("old-edge", Condition::NotOurs, Some(true)),
        ] {
            let row = found(name);
            let seen = (row.condition, row.exists, row.as_specified);
            assert_eq!(seen, (condition, exists, false), "{row:?}");
        }
        assert!(found("old").remarks[0].contains("does not let us look"));
    }
}
