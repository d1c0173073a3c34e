//! `--json`: one document a line, with one schema for all verbs.

use crate::story::Story;
use serde_json::Value;

/// The documents on stdout; each says schema and type.
fn documents(story: &Story, arguments: &str) -> (i32, Vec<Value>) {
    let answer = story.ask(arguments);
    let documents: Vec<Value> =
        answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for document in &documents {
        assert_eq!(document["schema"], 1, "{document}");
        assert!(document["type"].is_string(), "{document}");
    }
    (answer.code, documents)
}

fn types(documents: &[Value]) -> Vec<&str> {
    documents.iter().map(|document| document["type"].as_str().unwrap()).collect()
}

/// The names of a document's fields, and those of the first element of its lists.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => Value::Null,
    }
}

#[test]
fn every_verb_speaks_json() {
    let story = Story::of_a_shop();
    let (code, valid) = documents(&story, "validate --json");
    assert_eq!((code, types(&valid)), (0, vec!["valid"]));
    let (code, plan) = documents(&story, "plan --sandbox --json --detailed-exitcode");
    assert_eq!((code, types(&plan)), (2, vec!["plan"]));
    let (code, apply) = documents(&story, "--json --sandbox apply --yes");
    assert_eq!(code, 0);
    let steps = apply.iter().filter(|document| document["type"] == "step").count();
    assert_eq!(
        (&apply[0]["type"], &apply[steps + 1]["type"], apply.len()),
        (&"plan".into(), &"outcome".into(), steps + 2)
    );
    let (code, status) = documents(&story, "status --sandbox --json");
    assert_eq!((code, types(&status)), (0, vec!["status"]));
    let (code, nothing) = documents(&story, "apply --sandbox --yes --json");
    assert_eq!(
        (code, types(&nothing), &nothing[0]["empty"]),
        (0, vec!["plan", "outcome"], &true.into())
    );
    insta::assert_snapshot!(
        [&valid[0], &plan[0], &apply[1], &apply[2], apply.last().unwrap(), &status[0]]
            .map(|document| serde_json::to_string_pretty(&shape(document)).unwrap())
            .join("\n")
    );
}

#[test]
fn errors_and_refusals_are_documents_too() {
    let story = Story::of_a_shop_that_stands();
    let (code, refused) = documents(&story, "destroy --sandbox --json");
    assert_eq!((code, types(&refused)), (4, vec!["plan", "error"]));
    assert_eq!(refused[1]["message"], "cannot ask for confirmation: there is no terminal");
    story.write("provision.yaml", "stack: Shop\nregin: x\n");
    let (code, wrong) = documents(&story, "apply --sandbox --json --yes");
    assert_eq!((code, types(&wrong)), (65, vec!["problems"]));
    let places: Vec<_> = wrong[0]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64(), problem["column"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(1), Some(8)), (Some(2), Some(1)), (Some(2), Some(8))]);
}

#[test]
fn a_damaged_world_is_one_error_document() {
    let story = Story::of_a_shop();
    story.write(".provision/sandbox/world.json", "{");
    let (code, failed) = documents(&story, "plan --sandbox --json");
    assert_eq!((code, types(&failed)), (1, vec!["error"]));
    assert_eq!(failed[0]["fault"]["kind"], "Local");
}

#[test]
fn what_is_pending_says_when_to_try_again() {
    let mut story = Story::of_a_shop_that_stands();
    story.delays("deploy=0,replicas=86400");
    let (code, documents) = documents(&story, "destroy --sandbox --yes --json");
    let outcome = documents.last().unwrap();
    assert_eq!((code, &outcome["deferred"][0]["try_again_after_seconds"]), (3, &86_400.into()));
    assert_eq!(outcome["deferred"][0]["address"]["kind"], "function");
    assert_eq!(
        outcome["not_started"].as_array().unwrap().len(),
        2,
        "the role waits for the function"
    );
}
