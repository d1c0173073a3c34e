//! Policy documents, compared by meaning.
//!
//! IAM and S3 return documents reordered, with single values where lists were sent, and with
//! actions in other letter cases. Two documents mean the same when their normal forms are equal.
//! `Sid` is a label and means nothing.

use crate::change::FieldChange;
use serde_json::{Map, Value, json};

/// Returns the normal form: every statement with sorted lists, statements sorted, labels gone.
#[must_use]
pub fn normal(document: &Value) -> Value {
    if !document.is_object() {
        return document.clone();
    }
    let statements = sorted(list(document.get("Statement")).iter().map(normal_statement));
    // The policy language's default version is the old one (IAM User Guide, "IAM JSON policy
    // elements: Version").
    json!({"Version": document.get("Version").cloned().unwrap_or_else(|| json!("2008-10-17")),
        "Statement": statements})
}

/// Do both documents allow and deny the same?
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    normal(a) == normal(b)
}

/// Do both statements mean the same?
#[must_use]
pub fn same_statement(a: &Value, b: &Value) -> bool {
    normal_statement(a) == normal_statement(b)
}

/// The document's statements, also where AWS gives a lone one without a list.
#[must_use]
pub fn statements(document: &Value) -> Vec<Value> {
    list(document.get("Statement"))
}

/// The statements that only one side has: what really differs, not where the text does.
#[must_use]
pub fn changes(field: &str, before: &[Value], after: &[Value]) -> Vec<FieldChange> {
    let only_in = |these: &[Value], others: &[Value]| -> Vec<String> {
        let lacks =
            |statement: &&Value| !others.iter().any(|other| same_statement(statement, other));
        these.iter().filter(lacks).map(show).collect()
    };
    let gone =
        only_in(before, after).into_iter().map(|statement| FieldChange::removed(field, statement));
    gone.chain(
        only_in(after, before).into_iter().map(|statement| FieldChange::set(field, statement)),
    )
    .collect()
}

/// May the statement be about `action`?
#[must_use]
pub fn concerns(statement: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = list(statement.get("Action")).into_iter().any(|pattern| {
        let pattern = scalar(&pattern, true);
        pattern.strip_suffix('*').map_or(pattern == action, |start| action.starts_with(start))
    });
    named || statement.get("NotAction").is_some()
}

/// What a condition may ask for that makes a statement for everybody one for a few (Amazon S3 User
/// Guide, "The meaning of \"public\"").
const NARROWING: [&str; 11] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceaccount",
    "aws:userid",
    "s3:dataaccesspointaccount",
];

/// Does the statement let everybody in? One that asks for where a request comes from, or by whom,
/// is left to S3's own judgement.
#[must_use]
pub fn is_public(statement: &Value) -> bool {
    let is_everybody = |value: &Value| value == "*";
    let named = match statement.get("Principal") {
        Some(Value::Object(types)) => list(types.get("AWS")).iter().any(is_everybody),
        Some(principal) => is_everybody(principal),
        None => statement.get("NotPrincipal").is_some(),
    };
    let operators = statement.get("Condition").and_then(Value::as_object);
    let mut keys = operators
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::keys);
    let is_narrow = keys.any(|key| NARROWING.contains(&key.to_ascii_lowercase().as_str()));
    statement.get("Effect").is_some_and(|effect| effect == "Allow") && named && !is_narrow
}

/// A statement as people read it: `Allow s3:GetObject on arn:aws:s3:::bucket/key`. What has no
/// place in that sentence is added as it is.
#[must_use]
pub fn show(statement: &Value) -> String {
    let Value::Object(fields) = statement else { return statement.to_string() };
    let mut text = fields.get("Effect").map(|effect| scalar(effect, false)).unwrap_or_default();
    for (name, word) in [
        ("Action", " "),
        ("NotAction", " all but "),
        ("Principal", " to "),
        ("NotPrincipal", " to all but "),
        ("Resource", " on "),
        ("NotResource", " on all but "),
    ] {
        if let Some(value) = fields.get(name) {
            text.push_str(word);
            text.push_str(&show_values(value));
        }
    }
    for (name, value) in fields {
        match name.as_str() {
            "Condition" => {
                text.push_str(" if ");
                text.push_str(&show_condition(value));
            }
            "Sid" | "Effect" | "Action" | "NotAction" | "Principal" | "NotPrincipal"
            | "Resource" | "NotResource" => {}
            _ => text.extend([" ", name, " ", &value.to_string()]),
        }
    }
    text
}

/// A lone value, a list, or (for principals) lists by type, whose types the values themselves tell.
fn show_values(value: &Value) -> String {
    match value {
        Value::Object(types) => types.values().map(show_values).collect::<Vec<_>>().join(", "),
        Value::Array(items) => items.iter().map(show_values).collect::<Vec<_>>().join(", "),
        one => scalar(one, false),
    }
}

fn show_condition(condition: &Value) -> String {
    let Value::Object(operators) = condition else { return condition.to_string() };
    let tests = operators.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| format!("{key} {operator} {}", show_values(values)))
    });
    tests.collect::<Vec<_>>().join(" and ")
}

fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    }
}

fn normal_statement(statement: &Value) -> Value {
    let Value::Object(fields) = statement else { return statement.clone() };
    let mut normal = Map::new();
    let mut names: Vec<&String> = fields.keys().filter(|name| *name != "Sid").collect();
    names.sort();
    for name in names {
        let value = &fields[name];
        let lower = matches!(name.as_str(), "Action" | "NotAction");
        let value = match name.as_str() {
            "Condition" => normal_condition(value),
            // Both stand for everybody (IAM User Guide, "AWS JSON policy elements: Principal").
            "Principal" | "NotPrincipal" if value == "*" => json!({"AWS": ["*"]}),
            _ => normal_value(value, lower),
        };
        normal.insert(name.clone(), value);
    }
    Value::Object(normal)
}

/// A condition block is operator → key → values; keys are compared without case (IAM User Guide,
/// "Condition"). Two keys that differ in nothing but case stay two.
fn normal_condition(condition: &Value) -> Value {
    let Value::Object(operators) = condition else { return normal_value(condition, false) };
    let mut operators: Vec<(String, Value)> = operators
        .iter()
        .map(|(operator, keys)| {
            let Value::Object(keys) = keys else {
                return (operator.clone(), normal_value(keys, false));
            };
            let keys = keys.iter().map(|(key, values)| {
                json!([key.to_ascii_lowercase(), normal_value(values, false)])
            });
            (operator.clone(), json!({"keys": sorted(keys)}))
        })
        .collect();
    operators.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(operators.into_iter().collect())
}

/// A lone value becomes a list of one; lists are sets; scalars are compared as text, as IAM does
/// (`true` is `"true"`).
fn normal_value(value: &Value, lower: bool) -> Value {
    let item = |item: &Value| match item {
        Value::Object(_) | Value::Array(_) => normal_value(item, lower),
        Value::Null => Value::Null,
        one => Value::String(scalar(one, lower)),
    };
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.iter().map(|(k, v)| (k.clone(), normal_value(v, lower))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => {
            let mut items = sorted(items.iter().map(item));
            items.dedup();
            Value::Array(items)
        }
        one => Value::Array(vec![item(one)]),
    }
}

fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values
}

fn scalar(value: &Value, lower: bool) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if lower { text.to_ascii_lowercase() } else { text }
}

/// IAM reads some characters that paths and keys may hold as more than themselves (IAM User Guide,
/// "IAM policy elements: Variables and tags").
#[must_use]
pub fn literal(resource: &str) -> String {
    let escaped = |c: char| match c {
        '*' | '?' | '$' => format!("${{{c}}}"),
        c => c.to_string(),
    };
    resource.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_equal_by_meaning() {
        let a = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": "*",
             "Condition": {"StringEquals": {"AWS:SourceArn": "x"}}},
            {"Effect": "Allow", "Principal": {"Service": ["b", "a"]},
                "Action": "sts:AssumeRole"}]});
        let b = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sts:assumerole"], "Principal": {"Service": ["a", "b"]}},
            {"Condition": {"StringEquals": {"aws:sourcearn": ["x"]}}, "Effect": "Allow",
                "Resource": ["*"],
             "Action": ["S3:ListBucket", "s3:GetObject"], "Sid": "B"}]});
        assert!(same(&a, &b));
    }

    #[test]
    fn a_statement_reads_as_a_sentence() {
        let rows = [
            (
                json!({"Sid": "X", "Effect": "Allow", "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::b/k"}),
                "Allow s3:GetObject on arn:aws:s3:::b/k",
            ),
            (
                json!({"Effect": "Allow", "Principal": {"Service": ["a.com", "b.com"]},
                    "Action": ["sts:AssumeRole"]}),
                "Allow sts:AssumeRole to a.com, b.com",
            ),
            (
                json!({"Effect": "Deny", "Principal": "*", "NotAction": "s3:Get*",
                    "Resource": ["x", "y"],
                       "Condition": {"StringEquals": {"AWS:SourceArn": "z"}}}),
                "Deny all but s3:Get* to * on x, y if AWS:SourceArn StringEquals z",
            ),
            (json!({"Effect": "Allow", "Odd": [1]}), "Allow Odd [1]"),
            (json!({"Effect": null, "Resource": "x"}), "null on x"),
            (json!("odd"), "\"odd\""),
        ];
        for (statement, text) in rows {
            assert_eq!(show(&statement), text);
        }
    }

    #[test]
    fn everybody_is_everybody() {
        let statement = |principal: Value| {
            json!({"Effect": "Deny", "Principal": principal,
            "Action": "s3:*", "Resource": "*"})
        };
        assert!(same_statement(&statement(json!("*")), &statement(json!({"AWS": "*"}))));
        assert!(same_statement(&statement(json!("*")), &statement(json!({"AWS": ["*"]}))));
        assert!(!same_statement(&statement(json!("*")), &statement(json!({"Service": "*"}))));
    }

    #[test]
    fn documents_differ_where_the_meaning_differs() {
        let base = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": "s3:GetObject", "Resource": "a"}});
        for (path, value) in [
            ("/Statement/Effect", json!("Deny")),
            ("/Statement/Action", json!(["s3:GetObject", "s3:PutObject"])),
            ("/Statement/Resource", json!("A")),
            ("/Version", json!("2008-10-17")),
        ] {
            let mut other = base.clone();
            *other.pointer_mut(path).unwrap() = value;
            assert!(!same(&base, &other), "{path}");
        }
    }

    #[test]
    fn a_statement_for_everybody_is_public_unless_it_asks_where_one_comes_from() {
        let statement = |principal: Value, condition: Value| {
            json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
                "Resource": "*", "Condition": condition})
        };
        let none = || json!({});
        for (statement, public) in [
            (statement(json!("*"), none()), true),
            (statement(json!({"AWS": "*"}), none()), true),
            (statement(json!({"AWS": ["arn:aws:iam::1:root", "*"]}), none()), true),
            (statement(json!({"AWS": "arn:aws:iam::1:root"}), none()), false),
            (statement(json!({"Service": "cloudfront.amazonaws.com"}), none()), false),
            (statement(json!("*"), json!({"Bool": {"aws:SecureTransport": "true"}})), true),
            (statement(json!("*"), json!({"StringLike": {"aws:Referer": "x"}})), true),
            (statement(json!("*"), json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})), false),
            (statement(json!("*"), json!({"StringEquals": {"AWS:sourceArn": "x"}})), false),
            (json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}), false),
            (json!({"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "*"}), true),
            (json!("odd"), false),
        ] {
            assert_eq!(is_public(&statement), public, "{statement}");
        }
    }

    /// None of these is IAM's grammar; equal they are not all the same.
    #[test]
    fn odd_documents_are_not_all_equal() {
        let one = |statement: Value| json!({"Statement": statement});
        for (a, b) in [
            (json!("a"), json!("b")),
            (json!([]), json!({})),
            (one(json!({"Action": ["[\"a\"]"]})), one(json!({"Action": [["a"]]}))),
            (one(json!({"Resource": "null"})), one(json!({"Resource": null}))),
            (
                one(json!({"Condition": {"StringEquals": {"aws:x": "a", "AWS:X": "b"}}})),
                one(json!({"Condition": {"StringEquals": {"aws:x": "b"}}})),
            ),
        ] {
            assert!(!same(&a, &b), "{a} {b}");
        }
        assert!(same(
            &one(json!({"Odd": [{"a": 1, "b": 2}]})),
            &one(json!({"Odd": [{"b": 2, "a": 1}]}))
        ));
    }
}
