//! For machines: one document a line, one schema for all verbs. `schema` counts its incompatible
//! changes.

use super::remains::Listing;
use super::report::{Existing, Status, missing};
use super::switch::{ProbeReport, SwitchStatus};
use crate::apply::{Event, Outcome};
use crate::change::{Change, Done, Fault, Later};
use crate::edge::EdgeEvent;
use crate::plan::Plan;
use crate::spec::Spec;
use crate::spec::problem::Problems;
use serde_json::{Value, json};

const SCHEMA: u32 = 1;

fn document(kind: &str, mut body: Value) -> Value {
    let mut whole = json!({"schema": SCHEMA, "type": kind});
    if let (Some(whole), Some(body)) = (whole.as_object_mut(), body.as_object_mut()) {
        whole.append(body);
    }
    whole
}

#[must_use]
pub(crate) fn plan(plan: &Plan) -> Value {
    let changes: Vec<Change> = plan.steps.iter().map(|step| step.op.change()).collect();
    document(
        "plan",
        json!({
            "stack": plan.stack,
            "account": plan.account,
            "intent": plan.intent,
            "changes": changes,
            "conflicts": plan.conflicts,
            "notices": plan.notices,
            "empty": plan.is_empty(),
        }),
    )
}

/// A step that began or ended. What happens between is for people.
#[must_use]
pub(crate) fn event(event: &Event<'_>) -> Option<Value> {
    let step = |change: &Change, state: &str| {
        json!({"address": change.address,
        "action": change.action, "summary": change.summary, "state": state})
    };
    let body = match event {
        Event::Started(change) => step(change, "started"),
        Event::Waiting(..)
        | Event::Sending { .. }
        | Event::Unanswered(..)
        | Event::Stopping(..) => return None,
        Event::Ended(change, done, elapsed) => {
            let mut body = step(change, done_word(done));
            body["seconds"] = json!(elapsed.as_secs_f64());
            if let Done::Deferred(Later { said: Some(fault), .. }) = done {
                body["fault"] = fault_body(fault);
            }
            body
        }
        Event::Failed(change, fault, elapsed) => {
            let mut body = step(change, "failed");
            body["seconds"] = json!(elapsed.as_secs_f64());
            body["fault"] = fault_body(fault);
            body
        }
    };
    Some(document("step", body))
}

fn done_word(done: &Done) -> &'static str {
    match done {
        Done::Changed(_) => "changed",
        Done::AlreadySo => "already-so",
        Done::Deferred(_) => "deferred",
    }
}

/// How a plan ended.
#[must_use]
pub(crate) fn outcome(outcome: &Outcome, now: Option<&Existing>) -> Value {
    let done: Vec<Value> = outcome
        .done
        .iter()
        .map(|(change, done)| {
            json!({"address": change.address, "action": change.action,
            "state": done_word(done)})
        })
        .collect();
    let deferred: Vec<Value> = outcome
        .deferred
        .iter()
        .map(|(change, later)| {
            json!({"address": change.address, "reason": later.reason,
            "try_again_after_seconds": later.try_again_after.as_secs(),
            "fault": later.said.as_deref().map(fault_body)})
        })
        .collect();
    let failed: Vec<Value> = outcome
        .failed
        .iter()
        .map(|(change, fault)| json!({"address": change.address, "fault": fault_body(fault)}))
        .collect();
    let not_started: Vec<Value> = outcome
        .not_started
        .iter()
        .map(|change| json!({"address": change.address, "action": change.action}))
        .collect();
    document(
        "outcome",
        json!({"done": done, "deferred": deferred, "failed": failed, "not_started": not_started,
            "interrupted": outcome.interrupted, "existing": now}),
    )
}

#[must_use]
pub(crate) fn status(status: &Status) -> Value {
    document("status", json!(status))
}

#[must_use]
pub(crate) fn switch(status: &SwitchStatus) -> Value {
    document("switch", json!(status))
}

/// What the site answered.
#[must_use]
pub(crate) fn probe(report: &ProbeReport) -> Value {
    document("probe", json!(report))
}

#[must_use]
pub(crate) fn bypass(link: &str, token: &str) -> Value {
    document("bypass", json!({"link": link, "token": token}))
}

/// What happened at the local edge; log lines and warnings are for people.
#[must_use]
pub(crate) fn edge(event: &EdgeEvent) -> Option<Value> {
    match event {
        EdgeEvent::Listening(addresses) => Some(document(
            "listening",
            json!({"site": format!("http://{}/", addresses.viewer),
                "console": format!("http://{}/__provision/", addresses.console)}),
        )),
        EdgeEvent::Visit(visit) => Some(document(
            "visit",
            json!({"method": visit.method, "path": visit.path, "status": visit.status,
                "x_cache": visit.x_cache, "seconds": visit.took.as_secs_f64()}),
        )),
        EdgeEvent::Reloaded { .. } | EdgeEvent::Log { .. } | EdgeEvent::Warning(_) => None,
    }
}

/// What is left of stacks.
#[must_use]
pub(crate) fn remains(listing: &Listing<'_>) -> Value {
    document("remains", listing.json())
}

/// A right spec.
#[must_use]
pub(crate) fn valid(spec: &Spec) -> Value {
    document("valid", json!({"file": spec.file, "stack": spec.stack}))
}

/// A new spec.
#[must_use]
pub(crate) fn initialised(file: &str) -> Value {
    document("initialised", json!({"file": file}))
}

/// Problems of a spec.
#[must_use]
pub(crate) fn problems(problems: &Problems) -> Value {
    document("problems", json!({"problems": problems.json()}))
}

fn fault_body(fault: &Fault) -> Value {
    json!({
        "kind": format!("{:?}", fault.kind),
        "tried": fault.tried,
        "code": fault.code,
        "message": fault.message,
        "request_id": fault.request_id,
        "hint": fault.hint,
        "missing": missing(fault),
    })
}

/// The pages of the documentation, each with its title.
#[must_use]
pub(crate) fn topics(topics: &[(&str, &str)]) -> Value {
    let topics: Vec<_> =
        topics.iter().map(|(name, title)| json!({"topic": name, "title": title})).collect();
    document("topics", json!({"topics": topics}))
}

/// A page of the documentation.
#[must_use]
pub(crate) fn topic(name: &str, title: &str, text: &str) -> Value {
    document("topic", json!({"topic": name, "title": title, "text": text}))
}

/// A fault outside of a plan.
#[must_use]
pub(crate) fn fault(fault: &Fault) -> Value {
    document("error", json!({"fault": fault_body(fault)}))
}

#[must_use]
pub(crate) fn error(what: &str, hint: Option<&str>) -> Value {
    document("error", json!({"message": what, "hint": hint}))
}
