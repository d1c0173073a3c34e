//! Damage to a valid example: in its bytes, in its lines, in its JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::fmt;

/// Bytes that show as text in a failure.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes: b\"{}\"", self.0.len(), self.0.escape_ascii())
    }
}

/// No damage makes more of it.
const LARGEST: usize = 2 * 1024 * 1024;

/// What breaks readers of any format.
const TOKENS: [&[u8]; 26] = [
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xef\xbb\xbf",
    "\u{202e}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{1F600}\u{301}".as_bytes(),
    b"\x1b[2J",
    b"\r\n",
    b"\n",
    b"\t",
    b"\"",
    b"'",
    b"\\",
    b"[",
    b"{",
    b"}",
    b"<a>",
    b"18446744073709551615",
    b"99999999999999999999999999",
    b"-1",
    b"1e400",
    b"../../../../etc/passwd",
    b"null",
    b"${HOME}",
];

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, usize),
    End(Index),
    Repeat(Index, usize, usize),
    Move(Index, Index, usize),
    Insert(Index, &'static [u8]),
    Line(Index, Index, usize),
}

fn damage(tokens: &'static [&'static [u8]]) -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    // Mostly a few times, sometimes beyond every limit.
    let times =
        || prop_oneof![8 => 1..10_usize, 1 => 100..2_000_usize, 1 => 100_000..200_000_usize];
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        (at(), 1..40_usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        at().prop_map(Damage::End),
        (at(), 1..12_usize, times())
            .prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        (at(), at(), 1..200_usize).prop_map(|(from, to, length)| Damage::Move(from, to, length)),
        (at(), select(&TOKENS[..])).prop_map(|(at, token)| Damage::Insert(at, token)),
        (at(), select(tokens)).prop_map(|(at, token)| Damage::Insert(at, token)),
        (at(), select(tokens)).prop_map(|(at, token)| Damage::Insert(at, token)),
        (at(), at(), 0..3_usize).prop_map(|(from, to, times)| Damage::Line(from, to, times)),
    ]
}

impl Damage {
    fn on(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let part = |bytes: &[u8], at: &Index, length: usize| {
            let begin = at.index(bytes.len());
            begin..(begin + length).min(bytes.len())
        };
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bit;
            }
            Self::Cut(at, length) => drop(bytes.drain(part(bytes, at, *length))),
            Self::End(at) => bytes.truncate(at.index(bytes.len())),
            Self::Repeat(at, length, times) => {
                let part = part(bytes, at, *length);
                let times = (*times).min((LARGEST - bytes.len().min(LARGEST)) / part.len());
                let again = bytes[part.clone()].repeat(times);
                bytes.splice(part.end..part.end, again);
            }
            Self::Move(from, to, length) => {
                let moved = bytes[part(bytes, from, *length)].to_vec();
                let to = to.index(bytes.len());
                bytes.splice(to..to, moved);
            }
            Self::Insert(at, token) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, token.iter().copied());
            }
            Self::Line(from, to, times) => {
                let mut lines: Vec<Vec<u8>> =
                    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let line = lines.remove(from.index(lines.len()));
                let to = to.index(lines.len() + 1);
                lines.splice(to..to, std::iter::repeat_n(line, *times));
                *bytes = lines.concat();
            }
        }
    }
}

/// One of `examples` with a little damage; `tokens` are words of its format.
pub(crate) fn bytes(
    examples: Vec<Vec<u8>>,
    tokens: &'static [&'static [u8]],
) -> impl Strategy<Value = Bytes> {
    (select(examples), vec(damage(tokens), 1..6)).prop_map(|(mut bytes, all)| {
        for damage in all {
            damage.on(&mut bytes);
        }
        Bytes(bytes)
    })
}

/// The paths of all values in `value`, itself first.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    all.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                paths(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| paths(item, &format!("{path}/{at}"), all)),
        _ => {}
    }
}

/// What stands where something else should.
fn odd_values() -> Vec<Value> {
    let deep = (0..120).fold(json!(0), |inside, _| json!([inside]));
    let document = |text: String| Value::String(text);
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(u64::MAX - 1),
        json!(i64::MIN),
        json!(253_402_300_800_u64),
        json!(1_u64 << 53),
        json!(""),
        json!("\0"),
        json!("é\u{202e}\u{1b}[31m"),
        json!("../../../etc/passwd"),
        json!("/etc/passwd"),
        json!("99999999999999999999y"),
        json!("9999-12-31T23:59:59Z"),
        json!("-009999-01-02T01:59:59Z"),
        document("x".repeat(100_000)),
        document("<a>".repeat(50_000)),
        document(format!("{}{}", "<a>".repeat(200), "</a>".repeat(200))),
        document("<DistributionConfig/>".to_owned()),
        json!([]),
        json!({}),
        json!([{}]),
        deep,
    ]
}

#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    Replace(Index, Value),
    Copy(Index, Index),
    Rename(Index, String),
    Double(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Edit::Remove),
        (at(), select(odd_values())).prop_map(|(at, value)| Edit::Replace(at, value)),
        (at(), at()).prop_map(|(from, to)| Edit::Copy(from, to)),
        (at(), select(vec!["", "a", "../../x", "A\u{202e}", "__proto__", "\0"]))
            .prop_map(|(at, name)| Edit::Rename(at, name.to_owned())),
        at().prop_map(Edit::Double),
    ]
}

impl Edit {
    fn on(&self, whole: &mut Value) {
        let mut all = Vec::new();
        paths(whole, "", &mut all);
        let path = |at: &Index| all[at.index(all.len())].clone();
        match self {
            Self::Replace(at, value) => *whole.pointer_mut(&path(at)).unwrap() = value.clone(),
            Self::Copy(from, to) => {
                let copied = whole.pointer(&path(from)).unwrap().clone();
                *whole.pointer_mut(&path(to)).unwrap() = copied;
            }
            Self::Remove(at) | Self::Rename(at, _) | Self::Double(at) => {
                let path = path(at);
                let Some((parent, key)) = path.rsplit_once('/') else { return };
                let key = key.replace("~1", "/").replace("~0", "~");
                match (whole.pointer_mut(parent).unwrap(), self) {
                    (Value::Object(fields), Self::Rename(_, name)) => {
                        let value = fields.remove(&key).unwrap();
                        fields.insert(name.clone(), value);
                    }
                    (Value::Object(fields), Self::Double(_)) => {
                        let value = fields[&key].clone();
                        fields.insert(format!("{key}2"), value);
                    }
                    (Value::Object(fields), _) => drop(fields.remove(&key)),
                    (Value::Array(items), Self::Double(_)) => {
                        items.push(items[key.parse::<usize>().unwrap()].clone());
                    }
                    (Value::Array(items), _) => drop(items.remove(key.parse().unwrap())),
                    _ => unreachable!("only these have children"),
                }
            }
        }
    }
}

/// One of `examples` with a few values removed, replaced, renamed, doubled.
pub(crate) fn values(examples: Vec<Value>) -> impl Strategy<Value = Value> {
    (select(examples), vec(edit(), 1..5)).prop_map(|(mut value, edits)| {
        for edit in edits {
            edit.on(&mut value);
        }
        value
    })
}

/// JSON text, damaged in its bytes or in its structure.
pub(crate) fn json_text(
    examples: Vec<Value>,
    tokens: &'static [&'static [u8]],
) -> impl Strategy<Value = Bytes> {
    let texts =
        examples.iter().map(|example| serde_json::to_vec_pretty(example).unwrap()).collect();
    let structured =
        values(examples).prop_map(|value| Bytes(serde_json::to_vec_pretty(&value).unwrap()));
    prop_oneof![bytes(texts, tokens), structured]
}
