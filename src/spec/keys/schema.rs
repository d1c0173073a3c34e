//! The table as a JSON Schema, so that an editor completes and checks a spec while it is written.
//!
//! It refuses nothing that the decoder takes. What needs more than a type, a range or a list of
//! words is left to `provision validate`.

use super::{Fallback, Key, Value, below};
use serde_json::{Map, Value as Json, json};

/// The schema of a spec.
#[must_use]
pub fn schema() -> Json {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The spec of `provision`",
    });
    let required: Vec<&str> =
        below("").filter(|key| matches!(key.default, Fallback::Required)).map(Key::name).collect();
    let rest = json!({
        "required": required,
        "$defs": { "variable": { "type": "string", "pattern": r"\$\{" } },
    });
    for part in [section("", &json!("object")), rest] {
        extend(&mut schema, part);
    }
    schema
}

fn extend(schema: &mut Json, more: Json) {
    if let (Json::Object(schema), Json::Object(more)) = (schema, more) {
        schema.extend(more);
    }
}

fn section(path: &str, kind: &Json) -> Json {
    let keys: Map<String, Json> =
        below(path).map(|key| (key.name().into(), property(key))).collect();
    json!({ "type": kind, "properties": keys, "additionalProperties": false })
}

fn property(key: &Key) -> Json {
    let limits = match key.value {
        Value::Section => String::new(),
        value => format!(" ({value})"),
    };
    let otherwise = match key.default {
        Fallback::Derived(_) | Fallback::Words(_) => format!("; default {}", key.default),
        _ => String::new(),
    };
    let mut property = json!({ "description": format!("{}{limits}{otherwise}", key.meaning) });
    extend(&mut property, shape(key));
    if let Fallback::Value(value) = key.default {
        extend(&mut property, json!({ "default": read(value) }));
    }
    if !key.example.is_empty() {
        extend(&mut property, json!({ "examples": [read(key.example)] }));
    }
    property
}

fn shape(key: &Key) -> Json {
    let number = |least, most| json!({ "type": "integer", "minimum": least, "maximum": most });
    let one_of = |words: fn() -> Vec<&'static str>| or_variable(vec![json!({ "enum": words() })]);
    let list = |item| json!({ "type": "array", "items": item, "uniqueItems": true });
    // A section whose keys are all commented out is nothing at all.
    let map = || json!(["object", "null"]);
    match key.value {
        Value::Section => section(key.path, &map()),
        Value::Text(_) | Value::Duration(..) | Value::Days(_) => json!({ "type": "string" }),
        Value::Flag => or_variable(vec![json!({ "type": "boolean" })]),
        Value::Whole(least, most) => or_variable(vec![number(least, most)]),
        Value::Megabytes(least, most) => {
            let unit = json!({ "type": "string", "pattern": r"^\+?\d+\s*MB$" });
            or_variable(vec![number(least, most), unit])
        }
        Value::OneOf(words) => one_of(words),
        Value::List(_) => list(json!({ "type": "string" })),
        Value::ListOf(words) => list(one_of(words)),
        Value::Rules(_, keys) => {
            let text = |key: &&str| ((*key).to_owned(), json!({ "type": "string" }));
            let texts: Map<String, Json> = keys.iter().map(text).collect();
            let rule = json!({
                "type": "object", "properties": texts, "additionalProperties": false
            });
            json!({ "type": map(), "additionalProperties": rule })
        }
        Value::Tags(_) => json!({ "type": map(), "additionalProperties": { "type": "string" } }),
    }
}

/// A variable may stand for what is no text in the end.
fn or_variable(mut shapes: Vec<Json>) -> Json {
    shapes.push(json!({ "$ref": "#/$defs/variable" }));
    json!({ "anyOf": shapes })
}

/// A value of the table; the tests read each of them as part of a spec.
fn read(yaml: &str) -> Json {
    serde_yaml::from_str(yaml).unwrap_or_default()
}
