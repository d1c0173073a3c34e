//! CloudFront's document: reader and editor mean the same element, however it is written.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed};
use provision::resource::distribution::Behavior;
use provision::resource::distribution::document::{Document, EVENT, Place, Reading};
use provision::resource::distribution::edit::Edit;
use std::fmt::Write as _;

/// Patterns that may be taken for something else.
const PATTERNS: &[&str] = &[
    "default",
    "/default",
    "DefaultCacheBehavior",
    "*",
    "/*",
    "/app/*",
    "app/*",
    "//app/*",
    " /app/*",
    "/a&b<c>",
    "/\u{fc}\u{1f600}/*",
    "",
];
const FUNCTIONS: &[&str] = &["arn:theirs:1", "arn:ours:1", "arn:a&b:2"];
const EVENTS: &[&str] = &["viewer-request", "origin-request", "viewer-response"];
/// What may stand wherever elements stand.
const BETWEEN: &[&str] = &[
    "",
    "\n    ",
    "<!-- <PathPattern>default</PathPattern> -->",
    "<FromTheFuture a='/Items>'><PathPattern>default</PathPattern></FromTheFuture>",
    "<o:PathPattern xmlns:o='urn:o'>default</o:PathPattern>",
    "<o:ViewerProtocolPolicy xmlns:o='urn:o'>x</o:ViewerProtocolPolicy>",
];

/// A text, written in one of the ways that XML has for it.
fn written(text: &str, way: usize) -> String {
    let mut written = String::new();
    match way {
        0 => written = text.replace('&', "&amp;").replace('<', "&lt;"),
        1 => written = format!("<![CDATA[{text}]]>"),
        2 => text.chars().for_each(|c| write!(written, "&#{};", u32::from(c)).unwrap()),
        _ => {
            text.chars()
                .for_each(|c| write!(written, "<!-- {way} -->&#x{:x};", u32::from(c)).unwrap());
        }
    }
    written
}

#[derive(Clone, Debug)]
struct Written {
    pattern: Option<&'static str>,
    functions: Vec<(&'static str, &'static str)>,
    way: usize,
    between: &'static str,
}

impl Written {
    fn element(&self, prefix: &str) -> String {
        let Self { pattern, functions, way, between } = self;
        let text = |name: &str, text: &str| {
            format!("<{prefix}{name} a='b>'>{}</{prefix}{name}\n>", written(text, *way))
        };
        let items = functions.iter().map(|(event, arn)| {
            let fields = [text("LambdaFunctionARN", arn), text("EventType", event)].join(between);
            let item = format!("{prefix}LambdaFunctionAssociation");
            format!("{between}<{item}>{between}{fields}<New/></{item}>{between}")
        });
        let items: String = items.collect();
        let list = match (functions.len(), way) {
            (0, 0) => String::new(),
            (0, 1) => format!("<{prefix}LambdaFunctionAssociations/>"),
            (0, 2) => format!(
                "<{prefix}LambdaFunctionAssociations><{prefix}Quantity>0</{prefix}Quantity>\
                 </{prefix}LambdaFunctionAssociations>"
            ),
            (count, _) => format!(
                "<{prefix}LambdaFunctionAssociations>{between}<{prefix}Quantity>{count}\
                 </{prefix}Quantity><{prefix}Items>{items}</{prefix}Items>{between}\
                 </{prefix}LambdaFunctionAssociations>"
            ),
        };
        let name = if pattern.is_some() { "CacheBehavior" } else { "DefaultCacheBehavior" };
        let pattern = pattern.map_or_else(String::new, |pattern| text("PathPattern", pattern));
        let rest = text("TargetOriginId", "o");
        let inside = [&pattern, &list, &rest, ""].join(between);
        format!("<{prefix}{name} z=\"'\">{between}{inside}</{prefix}{name}>")
    }

    fn behavior(&self) -> Behavior {
        self.pattern.map_or(Behavior::Default, |pattern| Behavior::Pattern(pattern.into()))
    }
}

fn behavior(pattern: bool) -> impl Strategy<Value = Written> {
    let functions = prop::sample::subsequence(EVENTS, 0..=3);
    let functions = functions.prop_flat_map(|events| {
        let arns = prop::collection::vec(select(FUNCTIONS), events.len());
        arns.prop_map(move |arns| events.iter().copied().zip(arns).collect())
    });
    (select(PATTERNS), functions, 0..4_usize, select(BETWEEN)).prop_map(
        move |(named, functions, way, between)| Written {
            pattern: pattern.then_some(named),
            functions,
            way,
            between,
        },
    )
}

/// A document in pieces, of which every second is a behavior.
fn pieces(behaviors: &[Written], prefix: &str) -> Vec<String> {
    let space = if prefix.is_empty() { "xmlns='urn:x'" } else { "xmlns:cf='urn:x'" };
    let count = behaviors.len() - 1;
    let head = format!("<{prefix}DistributionConfig {space}><{prefix}Comment>c</{prefix}Comment>");
    let list = format!(
        "<{prefix}CacheBehaviors><{prefix}Quantity>{count}</{prefix}Quantity><{prefix}Items>"
    );
    let mut pieces = vec![head];
    for (at, behavior) in behaviors.iter().enumerate() {
        pieces.push(behavior.element(prefix));
        pieces.push(if at == 0 { list.clone() } else { behavior.between.to_owned() });
    }
    let end = format!("</{prefix}Items></{prefix}CacheBehaviors></{prefix}DistributionConfig>");
    pieces.last_mut().unwrap().push_str(&end);
    pieces
}

/// Each edit of `behavior`, and what is read after it.
fn edits(behavior: &Behavior, before: &Reading) -> Vec<(Edit, Reading)> {
    let after =
        |change: &dyn Fn(&mut provision::resource::distribution::document::CacheBehavior)| {
            let mut after = before.clone();
            change(after.behaviors.get_mut(behavior).unwrap());
            after
        };
    vec![
        (
            Edit::Occupant(behavior.clone(), Some("arn:<new>:1".into())),
            after(&|does| drop(does.functions.insert(EVENT.into(), "arn:<new>:1".into()))),
        ),
        (Edit::Occupant(behavior.clone(), None), after(&|does| drop(does.functions.remove(EVENT)))),
        (
            Edit::Text(Place::Behavior(behavior.clone(), "SmoothStreaming"), "true".into()),
            after(&|does| does.smooth_streaming = true),
        ),
    ]
}

#[test]
fn an_edit_changes_what_is_read_there_and_nothing_else() {
    let config =
        Config { rng_seed: RngSeed::Fixed(20), failure_persistence: None, ..Config::default() };
    let behaviors = (behavior(false), prop::collection::vec(behavior(true), 0..4));
    let all = (behaviors, select(&["", "cf:"][..]), any::<Index>());
    proptest!(config, |(((first, others), prefix, chosen) in all)| {
        let behaviors: Vec<Written> = [first].into_iter().chain(others).collect();
        let pieces = pieces(&behaviors, prefix);
        let document = Document(pieces.concat());
        let before = document.read();
        let named: Vec<Behavior> = before.behaviors.keys().cloned().collect();
        let chosen = chosen.get(&named);
        // Of several with the same pattern, the first one answers.
        let at = behaviors.iter().position(|written| written.behavior() == *chosen).unwrap();
        let functions = behaviors[at].functions.iter().map(|(event, arn)| ((*event).into(), (*arn).into()));
        prop_assert_eq!(&before.behaviors[chosen].functions, &functions.collect());
        for (edit, expected) in edits(chosen, &before) {
            let edited = document.edit(std::slice::from_ref(&edit)).unwrap();
            prop_assert_eq!(edited.read(), expected, "{:?}\n{}\n{}", edit, document.0, edited.0);
            let (head, tail) = (pieces[..=2 * at].concat(), pieces[2 * at + 2..].concat());
            let outside = edited.0.starts_with(&head) && edited.0.ends_with(&tail);
            prop_assert!(outside, "{:?}\n{}\n{}", edit, document.0, edited.0);
        }
        // Where nobody was, filling and leaving is as if nothing had been.
        let written = &behaviors[at];
        let nobody = !before.behaviors[chosen].functions.contains_key(EVENT);
        if nobody && (!written.functions.is_empty() || written.way == 2) {
            let turn = |arn: Option<&str>| Edit::Occupant(chosen.clone(), arn.map(str::to_owned));
            prop_assert_eq!(document.edit(&[turn(Some("arn:new:1")), turn(None)]).unwrap(), document);
        }
    });
}
