//! Saved plans: the very same plan is carried out, or nothing.

use crate::damage::{Bytes, json_text};
use crate::shop::Shop;
use crate::trial::hold;
use serde_json::Value;
use std::fs;

const TOKENS: [&[u8]; 8] = [
    b"\"format\": 2",
    b"\"plan\": null",
    b"\"destroy\": true",
    b"\"x\": 1,",
    b"shop",
    b"123456789012",
    b",",
    b": ",
];

/// What decides about the world. What may be taken over and deleted shows in the plan itself.
fn meaning(text: &[u8]) -> Option<Vec<Value>> {
    let whole: Value = serde_json::from_slice(text).ok()?;
    ["format", "stack", "account", "destroy", "plan"]
        .map(|key| whole.get(key).cloned())
        .into_iter()
        .collect()
}

#[test]
fn a_damaged_plan_is_refused_or_means_the_same() {
    let shop = Shop::open();
    let saved = shop.run("plan --sandbox --out good.plan");
    assert_eq!(saved.status.code(), Some(0));
    let good = fs::read(shop.path("good.plan")).unwrap();
    let example = serde_json::from_slice(&good).unwrap();
    hold(60, &json_text(vec![example], &TOKENS), |Bytes(text)| {
        fs::write(shop.path("next.plan"), &text).unwrap();
        let output = shop.run("apply next.plan --sandbox --yes");
        let told = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => {
                assert_eq!(meaning(&text), meaning(&good));
                fs::remove_dir_all(shop.path(".provision")).unwrap();
            }
            Some(4) => {
                assert!(
                    told.starts_with("error: plan next.plan: ") && told.contains("\n  hint: "),
                    "{told}"
                );
                assert!(!told.contains('\u{1b}') && told.len() < 2_000, "{told}");
                assert!(!shop.world().exists(), "refused, and something was done");
            }
            other => panic!("{other:?}: {told}"),
        }
    });
}
