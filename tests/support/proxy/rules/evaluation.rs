//! Whether a policy allows an action, as IAM would judge it and as far as our policies go: they only
//! allow (IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition
//! operators").

use std::collections::BTreeMap;

use serde_json::Value;

use super::role::members;

/// What a condition may ask for.
pub type Context = BTreeMap<String, String>;

/// One action on one resource.
#[derive(Clone, Debug)]
pub struct Need {
    pub action: &'static str,
    pub resource: String,
    pub context: Context,
}

pub fn need(action: &'static str, resource: impl Into<String>) -> Need {
    Need { action, resource: resource.into(), context: Context::new() }
}

impl Need {
    pub fn with(self, context: Context) -> Self {
        Self { context, ..self }
    }
}

pub fn allows(policy: &Value, need: &Need) -> bool {
    members(&policy["Statement"]).any(|statement| {
        let mut conditions = statement["Condition"].as_object().into_iter().flatten();
        statement["Effect"] == "Allow"
            && members(&statement["Action"]).any(|action| matches(action, need.action))
            && members(&statement["Resource"]).any(|resource| matches(resource, &need.resource))
            && conditions.all(|(operator, keys)| {
                let mut keys = keys.as_object().unwrap().iter();
                keys.all(|(key, values)| holds(operator, values, need.context.get(key)))
            })
    })
}

fn holds(operator: &str, values: &Value, found: Option<&String>) -> bool {
    let equals = |found: &String| {
        members(values).any(|value| value.as_str().is_some_and(|value| plain(value) == *found))
    };
    match operator {
        "StringEquals" => found.is_some_and(equals),
        "StringEqualsIfExists" => found.is_none_or(equals),
        "Null" => {
            members(values).any(|value| value == if found.is_none() { "true" } else { "false" })
        }
        other => panic!("nobody taught the proxy the operator {other}"),
    }
}

/// The characters for which IAM has variables.
fn plain(text: &str) -> String {
    text.replace("${*}", "*").replace("${?}", "?").replace("${$}", "$")
}

/// A pattern of IAM's, in which a star stands for anything.
fn matches(pattern: &Value, text: &str) -> bool {
    let mut parts = pattern.as_str().unwrap_or_default().split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
