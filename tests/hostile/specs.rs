//! The spec: it loads, twice the same, or every problem has its place in the file.

use crate::damage::{Bytes, bytes};
use crate::shop::{ATTACHED, SPEC, Shop};
use crate::trial::hold;
use proptest::prelude::*;
use provision::spec::load::{Files, load};
use provision::spec::problem::Problems;

const TOKENS: [&[u8]; 24] = [
    b"stack: shop\n",
    b"stack",
    b": ",
    b"- ",
    b"  ",
    b"&a ",
    b"*a",
    b"*text",
    b"<<: *text\n",
    b"!!binary ",
    b"!!float ",
    b"| \n",
    b">-\n  ",
    b"? ",
    b"---\n",
    b"...\n",
    b"%YAML 9.9\n",
    b"# ",
    b"${X}",
    b"$${",
    b"99999999999999999999y",
    b".inf",
    b"0x7fffffffffffffffffffffffffffffff",
    b"::/0",
];

#[test]
fn a_damaged_spec_loads_or_its_problems_have_their_places() {
    let shop = Shop::open();
    let file = shop.path("damaged.yaml");
    let examples = [SPEC, ATTACHED, include_str!("../../config/demo/provision.yaml")]
        .map(|text| text.as_bytes().to_vec());
    hold(250, &(bytes(examples.to_vec(), &TOKENS), any::<bool>()), |(Bytes(text), known)| {
        std::fs::write(&file, &text).unwrap();
        let load =
            || load(&file, &|_| known.then(|| "value: ${X}\n*text".to_owned()), Files::Needed);
        let loaded = load();
        assert_eq!(loaded, load());
        match loaded {
            Ok(loaded) => have_their_places(&loaded.warnings, &text),
            Err(problems) => {
                assert!(problems.errors() > 0, "refused without a reason");
                have_their_places(&problems, &text);
            }
        }
    });
}

fn have_their_places(problems: &Problems, text: &[u8]) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    // YAML ends lines with either character.
    let lines = text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    for problem in problems {
        for part in [&problem.what, &problem.rule, &problem.fix] {
            assert!(!part.is_empty(), "{problem:?}");
        }
        let Some(place) = &problem.place else { continue };
        assert!((1..=lines + 1).contains(&place.line) && place.column >= 1, "{problem:?}");
        if let Ok(text) = std::str::from_utf8(text) {
            assert!(text.get(place.span.clone()).is_some(), "{problem:?}");
        }
    }
    let shown = problems.render(false);
    assert!(shown.len() < 1_000_000 && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(problems.json().as_array().map(Vec::len), Some(problems.len()));
}
