//! Whatever others have written somewhere, and whatever AWS says: it is shown, and steers nothing.

use super::remains::{Listing, Then};
use super::report::{Condition, Existing, Row, Status};
use super::switch::{Answer, Ending, ProbeReport, SwitchStatus};
use super::{clean, human, json, progress, switch};
use crate::apply::{Event, Outcome};
use crate::change::{Action, Address, Change, Conflict, Done, Fault, FaultKind, FieldChange};
use crate::change::{Kind, Later, Notice};
use crate::edge::{EdgeEvent, Visit};
use crate::name::ObjectKey;
use crate::plan::{Intent, Plan, Stage, Step};
use crate::resource::{Trace, role, site};
use crate::spec::problem::{Place, Problem, Problems, steers};
use crate::stack::Op;
use crate::sweep::Remains;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Each with what would steer a terminal, turn letters around, hide, or command a CI system.
const HOSTILE: [&str; 12] = [
    "a\n::error::b",
    "a\r\n  ::add-mask::b",
    "::set-env name=a::b",
    "\u{1b}[31m::stop-commands::b",
    "\u{200b}::b",
    "##[error]b",
    "a ###vso[task.setvariable]b",
    "a\u{1b}]0;title\u{7}\u{1b}[2Jb\u{8}",
    "a\u{9b}31mb\u{85}::c",
    "a\u{202e}b\u{2066}c\u{200e}d\u{61c}",
    "a\u{2028}::b\u{2029}::c",
    "a\u{feff}b\u{200b}c\u{e0041}d\u{7f}e",
];

fn fault(h: &str) -> Fault {
    let mut fault = Fault::new(FaultKind::Refused, h, h).hinted(h);
    (fault.code, fault.request_id) = (Some(h.into()), Some(h.into()));
    fault
}

fn change(h: &str) -> Change {
    let fields = [FieldChange { field: h.into(), before: Some(h.into()), after: Some(h.into()) }];
    Change::new(Address::new(Kind::Site, h), Action::Update, h).with(fields)
}

fn plan(h: &str) -> Plan {
    let key = ObjectKey::listed(h.to_owned());
    let delete = site::Op::Delete { bucket: "shop-1".parse().unwrap(), key, before: h.into() };
    let describe = role::Op::Describe { before: h.into(), after: h.into() };
    let address = || Address::new(Kind::Bucket, h);
    Plan {
        stack: "shop".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        intent: Intent::Provision,
        steps: vec![
            Step { stage: Stage::Leftovers, op: Op::Site(delete) },
            Step { stage: Stage::Role, op: Op::Role("shop-edge".parse().unwrap(), describe) },
        ],
        conflicts: vec![Conflict { address: address(), reason: h.into(), hint: h.into() }],
        notices: vec![Notice { address: address(), text: h.into() }],
    }
}

fn outcome(h: &str) -> Outcome {
    let said = Some(Box::new(fault(h)));
    let later = Later { reason: h.into(), try_again_after: Duration::ZERO, said };
    Outcome {
        done: vec![(change(h), Done::Changed(h.into()))],
        deferred: vec![(change(h), later)],
        failed: vec![(change(h), fault(h))],
        not_started: vec![change(h)],
        ..Outcome::default()
    }
}

fn status(h: &str) -> Status {
    let existing = Existing {
        address: Some(h.into()),
        distribution: Some(h.into()),
        function: Some(h.into()),
        bucket: h.into(),
        switch: None,
    };
    let row = Row {
        kind: Kind::Role,
        name: h.into(),
        condition: Condition::Differs,
        exists: Some(true),
        as_specified: false,
        remarks: vec![h.into()],
    };
    let (stack, account) = ("shop".to_owned(), "123456789012".to_owned());
    Status { stack, account, resources: vec![row], existing, as_specified: false }
}

fn switch_status(h: &str) -> SwitchStatus {
    let rows = vec![switch::Row { name: "by".into(), value: h.into() }];
    let window = [("by", h.to_owned())].into();
    SwitchStatus {
        headline: h.into(),
        window,
        rows,
        notes: vec![h.into()],
        ..SwitchStatus::default()
    }
}

fn probed(h: &str) -> ProbeReport {
    let text = || Some(h.to_owned());
    let answer = Answer {
        path: h.into(),
        version: text(),
        cache: text(),
        error: text(),
        ..Answer::default()
    };
    let answers = vec![Answer { error: None, ..answer.clone() }, answer];
    ProbeReport { url: h.into(), expect_page: true, answers, as_expected: false }
}

fn remains(h: &str) -> Remains {
    let stack: crate::name::StackName = "shop".parse().unwrap();
    let text = || Some(h.to_owned());
    let trace = Trace {
        stack: stack.clone(),
        kind: Kind::Role,
        name: h.into(),
        place: text(),
        since: None,
        ttl: text(),
        protect: text(),
        enabled: None,
    };
    Remains { stack, traces: vec![trace], attached: Vec::new(), switch_is_on: true }
}

fn visit(h: &str) -> Visit {
    Visit {
        at: UNIX_EPOCH,
        method: h.into(),
        path: h.into(),
        status: 200,
        x_cache: "Miss",
        function: None,
        took: Duration::ZERO,
    }
}

/// Every view for people.
fn texts(h: &str) -> Vec<String> {
    let (status, switched) = (status(h), switch_status(h));
    let (later, failed) = (outcome(h), fault(h));
    let found = remains(h);
    let notices = [Notice { address: Address::new(Kind::Role, h), text: h.into() }];
    let account = "123456789012".parse().unwrap();
    let listing = Listing {
        account: &account,
        stack: None,
        chosen: std::slice::from_ref(&found),
        staying: &[],
        notices: &notices,
        now: 0,
        then: Then::Ends,
    };
    let (ticker, step, done) = (progress::Ticker::default(), change(h), Done::AlreadySo);
    let events =
        [Event::Ended(&step, &done, Duration::ZERO), Event::Failed(&step, &failed, Duration::ZERO)];
    let lines = events.iter().filter_map(|event| ticker.line(event));
    let mut texts: Vec<String> = lines.map(|line| clean::clean(&line) + "\n").collect();
    texts.extend([
        human::plan(&plan(h)),
        human::outcome(&later, "`provision apply`", ""),
        human::existing(&status.existing, "", ""),
        human::status(&status, ""),
        human::fault(&failed),
        human::failed(&step, &failed),
        human::error(h, Some(h)),
        human::warning(h, h),
        human::recording(Path::new(h), 1, &[]),
        switch::status(&switched),
        switch::turned(Ending::Failed, true, &switched, &[human::failed(&step, &failed)], ""),
        switch::probe(&probed(h)),
        listing.text(),
    ]);
    let edge = [
        EdgeEvent::Visit(visit(h)),
        EdgeEvent::Log { instance: 1, line: h.into() },
        EdgeEvent::Warning(h.into()),
    ];
    texts.extend(edge.iter().map(|event| human::edge(event) + "\n"));
    texts
}

/// Every view for machines.
fn documents(h: &str) -> Vec<Value> {
    let step = change(h);
    let failed = fault(h);
    vec![
        json::plan(&plan(h)),
        json::outcome(&outcome(h), Some(&status(h).existing)),
        json::status(&status(h)),
        json::switch(&switch_status(h)),
        json::probe(&probed(h)),
        json::fault(&failed),
        json::error(h, Some(h)),
        json::topic(h, h, h),
        json::event(&Event::Failed(&step, &failed, Duration::ZERO)).unwrap(),
        json::edge(&EdgeEvent::Visit(visit(h))).unwrap(),
    ]
}

fn commands(line: &str) -> bool {
    line.contains("##[") || line.contains("##vso[") || line.trim_start().starts_with("::")
}

fn is_quiet(text: &str) -> bool {
    !text.contains(|letter| steers(letter) && letter != '\n') && !text.lines().any(commands)
}

#[test]
fn no_text_of_others_steers_whoever_reads_it() {
    let plain = texts("a");
    for h in HOSTILE {
        for (text, plain) in texts(h).iter().zip(&plain) {
            let shown = clean::text(text);
            let colours = |text: &str| text.matches("\u{1b}[").count();
            assert_eq!(colours(&shown), colours(plain), "{h:?}: {shown:?}");
            let without = anstream::adapter::strip_str(&shown).to_string();
            assert!(is_quiet(&without), "{h:?}: {shown:?}");
            assert_eq!(shown.lines().count(), plain.lines().count(), "{h:?}: {shown:?}");
        }
        let source = format!("stack: {h}\n{h}");
        let place = Place { line: 1, column: 1, span: 0..5 };
        let problem = Problem::error(&place, "no name", "a rule", "a fix");
        let problems = Problems::new(h, &source, vec![problem]);
        let shown = clean::text(&problems.render(false));
        assert!(is_quiet(&shown), "{h:?}: {shown:?}");
    }
}

#[test]
fn a_document_means_the_same_and_steers_nobody() {
    for h in HOSTILE {
        for document in documents(h) {
            for pretty in [false, true] {
                let written = clean::json(&document, pretty);
                assert!(is_quiet(&written), "{h:?}: {written:?}");
                assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), document);
            }
        }
    }
}

#[test]
fn no_address_tells_a_password() {
    for (told, shown) in [
        ("http://user:secret@127.0.0.1:4566/x", "http://***@127.0.0.1:4566/x"),
        (
            "at 'https://secret@host', https://u:se@cret@host",
            "at 'https://***@host', https://***@host",
        ),
        ("http://u:se?cret@host", "http://***@host"),
        ("'u:secret@127.0.0.1:1' is no address", "'***@127.0.0.1:1' is no address"),
        ("'http://u:se/secret@host'", "'***@host'"),
        ("http:/u:secret@host", "***@host"),
        ("arn:aws:iam::1:user/ibex@example.org", "arn:aws:iam::1:user/ibex@example.org"),
        (
            "see https://host/@scope and ibex@example.org",
            "see https://host/@scope and ibex@example.org",
        ),
        ("`http://USER:PASSWORD@HOST:PORT`", "`http://USER:PASSWORD@HOST:PORT`"),
    ] {
        for text in texts(told) {
            let text = clean::text(&text);
            assert!(!text.contains("secret") && !text.contains("cret@"), "{text}");
        }
        for document in documents(told) {
            let text = clean::json(&document, false);
            assert!(!text.contains("secret") && !text.contains("cret@"), "{text}");
        }
        assert_eq!(clean::text(told), shown);
    }
}
