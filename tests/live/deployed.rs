//! What visitors see. These experiments need the stack as it was deployed; the last one changes and
//! deploys it once more.

use super::bench::Bench;
use super::caller::later;
use super::experiment::{Experiment, Observed, told, unsettled};
use super::refusal::refusal;
use super::visitor::{Door, Visit};
use std::time::Duration;

pub(crate) const ALL: &[Experiment] = &[
    Experiment {
        question: "the root object in events",
        part: "what is `uri` for `/`?",
        answers: &["`/`", "`/index.html`"],
        taken: &["`/`", "`/index.html`"],
        tries: |bench| Box::pin(root_object(bench)),
    },
    Experiment {
        question: "error pages and generated responses",
        part: "whose page comes for a 404 of the function's?",
        answers: &["the function's", "the distribution's"],
        taken: &["the function's"],
        tries: |bench| Box::pin(error_page(bench)),
    },
    Experiment {
        question: "what happens to a generated response",
        part: "does a HEAD get its body?",
        answers: &["no", "yes"],
        taken: &["no"],
        tries: |bench| Box::pin(head(bench)),
    },
    Experiment {
        question: "what happens to a generated response",
        part: "is it compressed?",
        answers: &["no", "yes"],
        taken: &["no"],
        tries: |bench| Box::pin(compressed(bench)),
    },
    Experiment {
        question: "a status that is a number",
        part: "is it accepted?",
        answers: &["yes", "no"],
        taken: &["yes"],
        tries: |bench| Box::pin(number(bench)),
    },
    Experiment {
        question: "how the 40 KB are counted",
        part: "is base64 measured before or after decoding?",
        answers: &["after", "before"],
        taken: &["after"],
        tries: |bench| Box::pin(base64(bench)),
    },
    Experiment {
        question: "how the 40 KB are counted",
        part: "what does a header count?",
        answers: &["nothing", "its value", "name and value", "up to 4 more", "something else"],
        taken: &["nothing", "its value", "name and value", "up to 4 more"],
        tries: |bench| Box::pin(header(bench)),
    },
    Experiment {
        question: "reserved concurrency, SnapStart, file systems",
        part: "what do visitors get with a reservation of 0?",
        answers: &["the function's answer", "an error"],
        taken: &["the function's answer"],
        tries: |bench| Box::pin(reservation(bench)),
    },
    Experiment {
        question: "what happens to a generated response",
        part: "do response headers policies apply to it?",
        answers: &["no", "yes"],
        taken: &["no"],
        tries: |bench| Box::pin(policy(bench)),
    },
];

async fn root_object(bench: &Bench) -> Observed {
    let visit = bench.door().await.get("/?status=200");
    match visit.header("x-uri") {
        Some("/") => told("`/`", "x-uri: /"),
        Some("/index.html") => told("`/index.html`", "x-uri: /index.html"),
        other => unsettled(format!("the function saw {other:?}, in {visit:?}")),
    }
}

/// The same rule decides about a 503, for which we make no page.
async fn error_page(bench: &Bench) -> Observed {
    let visit = bench.door().await.get("/?status=404");
    let text = String::from_utf8_lossy(&visit.body).into_owned();
    let said = format!("{} {text}", visit.status);
    if visit.status == 404 && text.contains("xxxx") {
        told("the function's", said)
    } else if text.contains("the site") {
        told("the distribution's", said)
    } else {
        unsettled(said)
    }
}

async fn head(bench: &Bench) -> Observed {
    let visit = bench.door().await.ask("HEAD", "/?status=200&body=100");
    assert_eq!(visit.status, 200, "{visit:?}");
    let answer = if visit.body.is_empty() { "no" } else { "yes" };
    let length = visit.header("content-length").unwrap_or("none");
    told(answer, format!("{} bytes, content-length: {length}", visit.body.len()))
}

/// CloudFront compresses what has 1,000 bytes at least (CloudFront Developer Guide, "Serve
/// compressed files").
async fn compressed(bench: &Bench) -> Observed {
    let visit = bench.door().await.get("/?status=200&body=5000");
    assert_eq!(visit.status, 200, "{visit:?}");
    match visit.header("content-encoding") {
        None => told("no", "no content-encoding"),
        Some(encoding) => told("yes", format!("content-encoding: {encoding}")),
    }
}

async fn number(bench: &Bench) -> Observed {
    let visit = bench.door().await.get("/?status=200&as=number");
    let cache = visit.header("x-cache").unwrap_or("none");
    let answer = if visit.status == 200 { "yes" } else { "no" };
    told(answer, format!("{}, x-cache: {cache}", visit.status))
}

/// Is a response of this size sent? Any other end than a refusal for its size settles nothing.
fn fits(door: &Door, query: &str) -> bool {
    let visit = door.get(&format!("/?status=200&{query}"));
    assert!(matches!(visit.status, 200 | 502), "{query}: {}", visit.status);
    visit.status == 200
}

async fn base64(bench: &Bench) -> Observed {
    let door = bench.door().await;
    assert!(fits(&door, "body=36000"), "36,000 bytes of text do not fit");
    if fits(&door, "body=36000&as=base64") {
        told("after", "36,000 bytes fit, which are 48,000 in base64")
    } else {
        told("before", "36,000 bytes fit as text, but not as base64")
    }
}

/// The longest body that fits, with what the query says beside it.
fn longest(door: &Door, beside: &str) -> usize {
    let (mut fitting, mut over) = (30_000, 42_000);
    while over - fitting > 1 {
        let middle = usize::midpoint(fitting, over);
        let fits = fits(door, &format!("body={middle}{beside}"));
        *if fits { &mut fitting } else { &mut over } = middle;
    }
    fitting
}

/// A header called `x-fill` with 1,000 bytes, beside those that are always there.
async fn header(bench: &Bench) -> Observed {
    let door = bench.door().await;
    let (without, with) = (longest(&door, ""), longest(&door, "&fill=1000"));
    let said = format!("the longest body has {without} bytes without the header, {with} with it");
    match without - with {
        0 => told("nothing", said),
        1000 => told("its value", said),
        1006 => told("name and value", said),
        1007..=1010 => told("up to 4 more", said),
        _ => told("something else", said),
    }
}

async fn reservation(bench: &Bench) -> Observed {
    if bench.ground.is_some() {
        return unsettled("a function on this machine has no reservation");
    }
    let lambda = &bench.sdk.lambda;
    let name = format!("{}-edge", bench.stack);
    let put = lambda.put_function_concurrency().function_name(&name);
    if let Some(refusal) = refusal(&put.reserved_concurrent_executions(0).send().await) {
        return unsettled(format!("Lambda took no reservation: {refusal}"));
    }
    // Nobody tells when it is in force at the edge.
    later(Duration::from_mins(1)).await;
    let door = bench.door().await;
    let statuses: Vec<u16> = (0..5).map(|_| door.get("/?status=200").status).collect();
    lambda.delete_function_concurrency().function_name(name).send().await.unwrap();
    let all = statuses.iter().all(|status| *status == 200);
    told(if all { "the function's answer" } else { "an error" }, format!("{statuses:?}"))
}

/// `SecurityHeadersPolicy`, which has the same id in every account (CloudFront Developer Guide,
/// "Use managed response headers policies").
const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

async fn policy(bench: &Bench) -> Observed {
    if bench.ground.is_some() {
        return unsettled("the local edge applies no policy");
    }
    let refused = bench.configure(&bench.sdk, |config| {
        let behavior = config.default_cache_behavior.as_mut().unwrap();
        behavior.response_headers_policy_id = Some(SECURITY_HEADERS.into());
    });
    if let Some(refusal) = refused.await {
        return unsettled(format!("CloudFront took no policy: {refusal}"));
    }
    bench.wait_deployed().await;
    let door = bench.door().await;
    // Of the site itself it is known.
    let site = door.get("/index.html");
    let found = |visit: &Visit| visit.header("x-frame-options").is_some();
    assert!(found(&site), "the policy is not in force: {site:?}");
    let is_there = found(&door.get("/?status=200"));
    told(if is_there { "yes" } else { "no" }, format!("x-frame-options is there: {is_there}"))
}
