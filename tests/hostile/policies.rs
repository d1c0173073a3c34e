//! Policies: compared by meaning, whatever they look like.

use crate::damage::values;
use crate::trial::hold;
use fastrand::Rng;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use provision::resource::policy::{same, same_statement, show, statements};
use serde_json::{Map, Value, json};

fn policies() -> Vec<Value> {
    vec![
        json!({"Version": "2012-10-17", "Id": "x", "Statement": [
            {"Sid": "A", "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
                "Action": "s3:GetObject",
             "Resource": "arn:aws:s3:::shop/*",
                 "Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/E"}}},
            {"Effect": "Deny", "Principal": "*", "NotAction": ["s3:Get*", "s3:List*"],
                "NotResource": ["a", "b"],
             "Condition": {"Bool": {"aws:SecureTransport": false},
                 "NumericLessThan": {"s3:TlsVersion": 1.2, "aws:x": ["1", "2"]}}}]}),
        json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": ["1", "2"],
            "Service": ["lambda.amazonaws.com"]}, "Action": "sts:AssumeRole"}}),
    ]
}

/// The same meaning in other words: keys in another order, lists in another order, lone values in
/// lists and the other way round, actions and condition keys in other letters, other labels.
fn disguised(policy: &Value, dice: &mut Rng) -> Value {
    let statements = policy.get("Statement").map(|found| match found {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    });
    let mut statements: Vec<Value> =
        statements.unwrap_or_default().iter().map(|one| disguised_statement(one, dice)).collect();
    dice.shuffle(&mut statements);
    let statement = if statements.len() == 1 && dice.bool() {
        statements.remove(0)
    } else {
        Value::Array(statements)
    };
    let version = policy.get("Version").cloned().unwrap_or_else(|| json!("2008-10-17"));
    json!({"Statement": statement, "Version": version})
}

fn disguised_statement(statement: &Value, dice: &mut Rng) -> Value {
    let Value::Object(fields) = statement else { return statement.clone() };
    let fields = fields.iter().filter(|(name, _)| *name != "Sid").map(|(name, value)| {
        let value = match name.as_str() {
            "Action" | "NotAction" => disguised_values(value, dice, Rng::bool),
            "Principal" | "NotPrincipal" => match value {
                Value::Object(types) => mixed(
                    types
                        .iter()
                        .map(|(k, v)| (k.clone(), disguised_values(v, dice, |_| false)))
                        .collect(),
                    dice,
                ),
                one => one.clone(),
            },
            "Condition" => disguised_condition(value, dice),
            "Effect" => value.clone(),
            _ => disguised_values(value, dice, |_| false),
        };
        (name.clone(), value)
    });
    let mut fields: Vec<(String, Value)> = fields.collect();
    fields.push(("Sid".into(), json!(dice.u32(..).to_string())));
    mixed(fields, dice)
}

fn disguised_condition(condition: &Value, dice: &mut Rng) -> Value {
    let Value::Object(operators) = condition else { return condition.clone() };
    let mut tests = Vec::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else { return condition.clone() };
        let keys = keys
            .iter()
            .map(|(k, v)| (k.to_ascii_uppercase(), disguised_values(v, dice, |_| false)))
            .collect();
        tests.push((operator.clone(), mixed(keys, dice)));
    }
    mixed(tests, dice)
}

fn disguised_values(value: &Value, dice: &mut Rng, shout: impl Fn(&mut Rng) -> bool) -> Value {
    let mut items: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    for item in &mut items {
        *item = match &*item {
            Value::String(text) if shout(dice) => json!(text.to_ascii_uppercase()),
            Value::Bool(flag) => json!(flag.to_string()),
            other => other.clone(),
        };
    }
    items.extend(items.first().cloned().filter(|_| dice.bool()));
    dice.shuffle(&mut items);
    if items.len() == 1 && dice.bool() { items.remove(0) } else { Value::Array(items) }
}

fn mixed(mut fields: Vec<(String, Value)>, dice: &mut Rng) -> Value {
    dice.shuffle(&mut fields);
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}

#[test]
fn the_same_in_other_words_is_the_same() {
    hold(300, &(0..policies().len(), any::<u64>()), |(at, seed)| {
        let policy = &policies()[at];
        let other = disguised(policy, &mut Rng::with_seed(seed));
        assert!(same(policy, &other) && same(&other, policy), "{policy}\n{other}");
    });
}

/// Every text of a policy that is not a label means something.
#[test]
fn another_principal_action_or_value_is_never_the_same() {
    let places = [
        (0, "/Version"),
        (0, "/Statement/0/Effect"),
        (0, "/Statement/0/Principal/Service"),
        (0, "/Statement/0/Action"),
        (0, "/Statement/0/Resource"),
        (0, "/Statement/0/Condition/StringEquals/AWS:SourceArn"),
        (0, "/Statement/1/Principal"),
        (0, "/Statement/1/NotAction/0"),
        (0, "/Statement/1/NotResource/1"),
        (0, "/Statement/1/Condition/Bool/aws:SecureTransport"),
        (0, "/Statement/1/Condition/NumericLessThan/aws:x/0"),
        (1, "/Statement/Principal/AWS/1"),
        (1, "/Statement/Principal/Service/0"),
        (1, "/Statement/Action"),
    ];
    let text = "[a-z*:é\"\\[\\]{},]{1,12}";
    hold(
        400,
        &(select(places.to_vec()), text, any::<u64>(), any::<bool>()),
        |((at, place), text, seed, listed)| {
            let policy = &policies()[at];
            let mut other = policy.clone();
            let value = other.pointer_mut(place).unwrap();
            let text = format!("other-{text}");
            *value = if listed && !matches!(place, "/Version" | "/Statement/0/Effect") {
                json!([value, text])
            } else {
                json!(text)
            };
            let other = disguised(&other, &mut Rng::with_seed(seed));
            assert!(!same(policy, &other) && !same(&other, policy), "{policy}\n{other}");
        },
    );
}

#[test]
fn any_two_documents_can_be_compared() {
    hold(400, &vec(values(policies()), 2), |documents| {
        let [a, b] = &documents[..] else { unreachable!("two were asked for") };
        assert!(same(a, a) && same(b, b), "{a}\n{b}");
        assert_eq!(same(a, b), same(b, a), "{a}\n{b}");
        for statement in statements(a) {
            assert!(same_statement(&statement, &statement), "{statement}");
            let effect = statement
                .get("Effect")
                .map(|effect| effect.as_str().map_or_else(|| effect.to_string(), str::to_owned));
            assert!(
                show(&statement).starts_with(&effect.unwrap_or_default()),
                "{statement}: {}",
                show(&statement)
            );
        }
    });
}
