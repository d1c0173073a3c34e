//! What our slots need, and how they are vacated.

use super::unreached::unreached;
use super::{Op, Turn, show_behavior};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::DistributionId;
use crate::resource::Planned;
use crate::resource::distribution::document::EVENT;
use crate::resource::distribution::plan::{holds, unfit};
use crate::resource::distribution::{Behavior, Live};
use crate::resource::function::{self, Functions, Occupant, VersionReference};
use std::collections::{BTreeMap, BTreeSet};

/// The slots that a spec names, and what fills them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub id: DistributionId,
    /// Behaviors whose viewer-request slot is ours.
    pub behaviors: BTreeSet<Behavior>,
    /// Take a slot that another function holds.
    pub replace: bool,
    /// What fills them.
    pub occupant: VersionReference,
}

/// Plans filling the named slots. Those that we hold and the spec does not name are named, or,
/// where they are to be left, emptied in the same update.
#[must_use]
pub fn plan(
    desired: &Desired,
    live: Option<&Live>,
    functions: &Functions<'_>,
    function: Option<&function::Live>,
    leave: bool,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let address = Address::new(Kind::Association, &desired.id);
    let Some(live) = live else {
        planned.conflicts.push(Conflict {
            address,
            reason: "the distribution does not exist in this account".into(),
            hint: "check `distribution.id` and the account; `aws cloudfront list-distributions` \
                names them"
                .into(),
        });
        return planned;
    };
    let reading = live.document.read();
    let mut slots = if leave { ours(live, functions, &desired.behaviors) } else { BTreeMap::new() };
    if !leave {
        planned.notices.extend(unnamed(live, functions, &desired.behaviors));
    }
    for behavior in &desired.behaviors {
        let mut refuse = |reason: String, hint: String| {
            planned.conflicts.push(Conflict { address: address.clone(), reason, hint });
        };
        let Some(found) = reading.behaviors.get(behavior) else {
            let known = reading
                .behaviors
                .keys()
                .map(|known| format!("`{known}`"))
                .collect::<Vec<_>>()
                .join(", ");
            refuse(format!("has no behavior `{behavior}`"), format!("its behaviors are {known}"));
            continue;
        };
        if let Some(reason) = unfit(&reading, behavior) {
            let hint = if desired.behaviors.len() > 1 {
                format!(
                    "take `{behavior}` out of `distribution.behaviors`, or change the distribution"
                )
            } else {
                "change the distribution, or attach to another one".to_owned()
            };
            refuse(reason, hint);
            continue;
        }
        let occupant = found.functions.get(EVENT).map(String::as_str);
        let with_body = found.with_body.contains(EVENT);
        if holds(occupant, &desired.occupant, function) && !with_body {
            continue;
        }
        let foreign = occupant.filter(|arn| !functions.run(arn));
        if let Some(arn) = foreign.filter(|_| !desired.replace) {
            let reason = format!("{} already runs {arn} at {EVENT}", show_behavior(behavior));
            refuse(
                reason,
                "set `distribution.replace: true` to put ours in its place (destroy \
                will leave the slot empty)"
                    .into(),
            );
            continue;
        }
        let before = occupant.map(|arn| functions.occupant(arn));
        slots.insert(behavior.clone(), Turn { before, with_body, fill: true });
    }
    if !slots.is_empty() && planned.conflicts.is_empty() {
        planned.ops.push(turn(live, slots, &desired.occupant));
    }
    planned.notices.extend(unreached(live, &desired.behaviors, functions));
    planned
}

/// Plans leaving every slot that a function of ours holds. The distribution stays.
#[must_use]
pub fn teardown(live: &Live, functions: &Functions<'_>, any: &VersionReference) -> Option<Op> {
    let slots = ours(live, functions, &BTreeSet::new());
    (!slots.is_empty()).then(|| turn(live, slots, any))
}

/// Names the slots that a function of ours holds beside those that the spec names.
#[must_use]
pub fn unnamed(
    live: &Live,
    functions: &Functions<'_>,
    named: &BTreeSet<Behavior>,
) -> Option<Notice> {
    let slots = ours(live, functions, named);
    let shown = slots.iter().map(|(behavior, turn)| {
        let occupant = turn.before.as_ref().map(Occupant::show).unwrap_or_default();
        format!("{} runs {occupant}", show_behavior(behavior))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (!slots.is_empty()).then(|| Notice {
        address: Address::new(Kind::Association, &live.id),
        text: format!(
            "{shown}, which the spec does not name (any more); `provision apply --delete \
            association` empties that"
        ),
    })
}

/// Why the function cannot go: another user put it into slots of other events, which are not ours to
/// empty, and AWS keeps what is in use.
#[must_use]
pub fn held(live: &Live, functions: &Functions<'_>) -> Vec<Conflict> {
    let behaviors = live.document.read().behaviors.into_iter();
    let slots = behaviors.flat_map(|(behavior, does)| {
        does.functions.into_iter().map(move |(event, arn)| (behavior.clone(), event, arn))
    });
    slots
        .filter(|(_, event, arn)| event != EVENT && functions.run(arn))
        .map(|(behavior, event, arn)| Conflict {
            address: Address::new(Kind::Association, &live.id),
            reason: format!(
                "{} runs {arn} at {event}, where `provision` did not put it",
                show_behavior(&behavior)
            ),
            hint: "take it out there first, or keep the function with `protect: [function]`".into(),
        })
        .collect()
}

fn turn(live: &Live, slots: BTreeMap<Behavior, Turn>, occupant: &VersionReference) -> Op {
    Op::Turn {
        etag: live.etag.clone(),
        document: live.document.clone(),
        slots,
        occupant: occupant.clone(),
    }
}

/// The slots that a function of ours holds, except in the behaviors to keep, as slots to vacate.
fn ours(
    live: &Live,
    functions: &Functions<'_>,
    keep: &BTreeSet<Behavior>,
) -> BTreeMap<Behavior, Turn> {
    let behaviors = live.document.read().behaviors;
    let held = behaviors.into_iter().filter_map(|(pattern, behavior)| {
        behavior.functions.get(EVENT).cloned().map(|arn| (pattern, arn))
    });
    held.filter(|(pattern, arn)| !keep.contains(pattern) && functions.run(arn))
        .map(|(pattern, arn)| {
            let before = Some(functions.occupant(&arn));
            (pattern, Turn { before, with_body: false, fill: false })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Tags;
    use crate::resource::distribution::document::Document;
    use crate::resource::distribution::edit::Edit;
    use crate::resource::function::{Frozen, Settings, Version};

    fn frozen() -> Frozen {
        Frozen {
            code_sha256: "c".into(),
            runtime: "r".into(),
            handler: "h".into(),
            memory: 128,
            timeout: 5,
            role: "role".into(),
            refused: BTreeSet::new(),
            description: String::new(),
        }
    }

    fn function() -> function::Live {
        let settings = Settings { frozen: frozen(), tags: Tags::new() };
        function::Live {
            settings,
            revision: String::new(),
            versions: vec![Version { number: 4, frozen: frozen() }],
            image: false,
        }
    }

    fn ours(function: &function::Live) -> Functions<'_> {
        Functions(vec![(desired(&[], false).occupant, Some(function))])
    }

    fn live(slots: &[(&str, &str)]) -> Live {
        let text = "<DistributionConfig><Enabled>true</Enabled><DefaultCacheBehavior><TargetOriginId>o</TargetOriginId></DefaultCacheBehavior><CacheBehaviors><Items>\
            <CacheBehavior><PathPattern>/app/*</PathPattern></CacheBehavior></Items></CacheBehaviors></DistributionConfig>";
        let edits: Vec<Edit> = slots
            .iter()
            .map(|(behavior, arn)| Edit::Occupant((*behavior).into(), Some((*arn).into())))
            .collect();
        Live {
            id: "E2ABCDEF0123".parse().unwrap(),
            etag: "etag".into(),
            document: Document(text.into()).edit(&edits).unwrap(),
            deployed: true,
            domain: "d".into(),
            tags: Tags::new(),
        }
    }

    fn desired(behaviors: &[&str], replace: bool) -> Desired {
        Desired {
            id: "E2ABCDEF0123".parse().unwrap(),
            behaviors: behaviors.iter().map(|&word| word.into()).collect(),
            replace,
            occupant: VersionReference { function: "arn:f".into(), version: frozen().name() },
        }
    }

    fn turns(planned: &Planned<Op>) -> Vec<(String, bool)> {
        let slots = planned.ops.iter().filter_map(|op| {
            if let Op::Turn { slots, .. } = op { Some(slots.clone()) } else { None }
        });
        slots.flatten().map(|(behavior, turn)| (behavior.to_string(), turn.fill)).collect()
    }

    #[test]
    fn slots_are_filled_kept_and_vacated() {
        type Row = (
            &'static [&'static str],
            &'static [(&'static str, &'static str)],
            &'static [(&'static str, bool)],
        );
        let rows: [Row; 5] = [
            (&["default"], &[], &[("default", true)]),
            (&["default"], &[("default", "arn:f:4")], &[]),
            (&["default"], &[("default", "arn:f:3")], &[("default", true)]),
            (&["default"], &[("default", "arn:f:4"), ("/app/*", "arn:f:4")], &[("/app/*", false)]),
            (&["/app/*"], &[("default", "arn:theirs:1")], &[("/app/*", true)]),
        ];
        for (behaviors, seen, expected) in rows {
            let planned = plan(
                &desired(behaviors, false),
                Some(&live(seen)),
                &ours(&function()),
                Some(&function()),
                true,
            );
            assert_eq!(
                turns(&planned),
                expected.iter().map(|(b, fill)| ((*b).to_owned(), *fill)).collect::<Vec<_>>(),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn a_slot_that_the_spec_does_not_name_is_named_and_stays() {
        let held = live(&[("default", "arn:f:4"), ("/app/*", "arn:f:3")]);
        let function = function();
        let planned = plan(
            &desired(&["default"], false),
            Some(&held),
            &ours(&function),
            Some(&function),
            false,
        );
        assert_eq!(turns(&planned), []);
        assert!(
            planned.notices[0].text.starts_with("behavior `/app/*` runs arn:f:3, which"),
            "{planned:?}"
        );
    }

    #[test]
    fn a_foreign_occupant_stays_unless_replaced() {
        let taken = live(&[("default", "arn:theirs:1")]);
        let function = function();
        let with = |replace| {
            plan(
                &desired(&["default"], replace),
                Some(&taken),
                &ours(&function),
                Some(&function),
                false,
            )
        };
        let refused = with(false);
        assert!(
            refused.ops.is_empty()
                && refused.conflicts[0].reason.contains("already runs arn:theirs:1")
        );
        assert_eq!(turns(&with(true)), [("default".to_owned(), true)]);
        assert_eq!(teardown(&taken, &ours(&function), &desired(&["default"], true).occupant), None);
    }

    #[test]
    fn unknown_behaviors_conflict_and_uncovered_ones_are_named() {
        let planned = plan(
            &desired(&["/x/*"], false),
            Some(&live(&[])),
            &ours(&function()),
            Some(&function()),
            false,
        );
        assert!(
            planned.conflicts[0].reason.contains("no behavior `/x/*`") && planned.ops.is_empty()
        );
        let planned = plan(
            &desired(&["default"], false),
            Some(&live(&[])),
            &ours(&function()),
            Some(&function()),
            false,
        );
        assert!(planned.notices[0].text.contains("`/app/*`; add them"));
    }

    #[test]
    fn a_slot_of_ours_that_gets_the_body_is_repaired() {
        let mut live = live(&[("default", "arn:f:4")]);
        let function = function();
        let planned = |live: &Live| {
            let named = desired(&["default"], false);
            plan(&named, Some(live), &ours(&function), Some(&function), false)
        };
        assert_eq!(turns(&planned(&live)), []);
        live.document.0 = live.document.0.replace("<IncludeBody>false", "<IncludeBody>true");
        let [op] = &planned(&live).ops[..] else { panic!("no drift") };
        let fields = op.change(&live.id).fields;
        assert!(fields[0].before.as_ref().unwrap().ends_with(", with the body"), "{fields:?}");
        live.document = live.document.edit(&op.edits("arn:f:4")).unwrap();
        assert_eq!(turns(&planned(&live)), []);
    }
}
