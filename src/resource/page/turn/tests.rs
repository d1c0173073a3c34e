use super::super::Applied;
use super::*;
use crate::edge::ObjectHeaders;
use crate::resource::site::STACK_METADATA;
use crate::resource::site::index::{MOVING, SWITCH};

const MARK: &str = "0123456789abcdef0123456789abcdef";

fn page(text: &str) -> Content {
    Content::in_memory(text.as_bytes(), ObjectHeaders::new("text/html", "no-store"))
}

fn pairs(metadata: &[(&str, &str)]) -> Metadata {
    metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "the rows below read as `Sides` do")]
fn side(text: &str, metadata: &[(&str, &str)]) -> Option<Side> {
    let metadata = pairs(&[metadata, &[(STACK_METADATA, "shop")]].concat());
    Some(Side::of(
        page(text).md5.clone(),
        text.as_bytes(),
        ObjectHeaders::new("text/html", "no-store"),
        metadata,
    ))
}

/// What another user put by hand.
fn by_hand(text: &str) -> Option<Side> {
    side(text, &[]).map(|side| Side { metadata: Metadata::new(), ..side })
}

fn keys() -> Keys {
    Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() }
}

/// An applied page of ours tells the on key.
fn telling(mut off: Side) -> Side {
    if is_ours(&off.metadata, &"shop".parse().unwrap()) {
        off.metadata.entry(SWITCH.to_owned()).or_insert_with(|| "m-on.html".to_owned());
    }
    off
}

fn planned(wanted: &Wanted, off: Option<Side>, on: Option<Side>) -> Planned<Op> {
    let seen = "2026-11-22T21:30:00Z".parse().unwrap();
    plan(
        &"shop".parse().unwrap(),
        &"shop-1".parse().unwrap(),
        &keys(),
        wanted,
        &Sides { off: off.map(telling), on, seen, applied: None },
    )
}

fn ops(wanted: &Wanted, off: Option<Side>, on: Option<Side>) -> Vec<String> {
    let planned = planned(wanted, off, on);
    let shown = planned.ops.iter().map(|op| match op {
        Op::Put(Put { object: site::Put { key, content, before, .. }, .. }) => {
            let bytes = content.read().unwrap();
            let page = window::unmarked(&bytes);
            let over = if before.is_some() { " over" } else { "" };
            let marked = if page.len() < bytes.len() { " marked" } else { "" };
            format!("put{marked} {} {key}{over}", String::from_utf8_lossy(page))
        }
        Op::Remove { key, .. } => format!("remove {key}"),
    });
    shown.chain(planned.conflicts.into_iter().map(|_| "conflict".to_owned())).collect()
}

fn window(window: &[(&str, &str)]) -> On {
    On {
        window: pairs(window),
        without: Vec::new(),
        once: None,
        standard: Ok(page("spec")),
        mark: MARK.into(),
    }
}

fn on(pairs: &[(&str, &str)]) -> Wanted {
    Wanted::On(window(pairs))
}

const PAST: &str = "2026-11-22T21:00:00Z";
const LATER: &str = "2026-11-22T22:00:00Z";
const LATEST: &str = "2026-11-22T23:00:00Z";

#[test]
fn a_turn_is_one_write() {
    let (plain, off) = (on(&[]), Wanted::Off { standard: Ok(page("spec")) });
    let until = |moment| side("p", &[(window::UNTIL, moment)]);
    let p = || side("p", &[]);
    for (wanted, own, shown, expected) in [
        (&plain, p(), None, vec!["put marked p m-on.html"]),
        (&plain, p(), p(), vec![]),
        (&plain, p(), side("old", &[]), vec!["put marked p m-on.html over"]),
        (&on(&[(window::UNTIL, LATER)]), p(), None, vec!["put marked p m-on.html"]),
        (&on(&[(window::UNTIL, LATER)]), p(), until(LATER), vec![]),
        (&on(&[(window::UNTIL, LATEST)]), p(), until(LATER), vec!["put marked p m-on.html over"]),
        (&plain, p(), until(LATER), vec![]),
        (&plain, p(), until(PAST), vec!["put marked p m-on.html over"]),
        (&plain, p(), side("p", &[(window::FROM, LATER)]), vec!["put marked p m-on.html over"]),
        (&on(&[(window::UNTIL, PAST)]), p(), None, vec!["conflict"]),
        (&on(&[(window::FROM, LATEST), (window::UNTIL, LATER)]), p(), None, vec!["conflict"]),
        // The end that stays is before the new beginning.
        (&on(&[(window::FROM, LATEST)]), p(), until(LATER), vec!["conflict"]),
        // Visitors would see the site until then.
        (&on(&[(window::FROM, LATER)]), p(), p(), vec!["conflict"]),
        (&on(&[(window::FROM, LATER)]), p(), until(PAST), vec!["put marked p m-on.html over"]),
        (
            &on(&[(window::FROM, LATER)]),
            p(),
            side("p", &[(window::FROM, LATEST)]),
            vec!["put marked p m-on.html over"],
        ),
        (&off, p(), None, vec![]),
        (&off, p(), p(), vec!["remove m-on.html"]),
        (&off, p(), until(PAST), vec!["remove m-on.html"]),
        (&off, p(), by_hand("x"), vec!["remove m-on.html"]),
    ] {
        assert_eq!(
            ops(wanted, own.clone(), shown.clone()),
            expected,
            "{wanted:?} {own:?} {shown:?}"
        );
    }
}

/// The page tells of the on key that the function which was deployed last looks at.
#[test]
fn a_switch_that_nobody_looks_at_is_not_turned() {
    let (plain, off) = (on(&[]), Wanted::Off { standard: Ok(page("spec")) });
    let tells = |on: &str| side("p", &[(SWITCH, on)]);
    for wanted in [&plain, &off] {
        for shown in [None, side("p", &[])] {
            assert_eq!(ops(wanted, tells("other.html"), shown), ["conflict"], "{wanted:?}");
        }
    }
    assert_eq!(ops(&plain, tells("m-on.html"), None), ["put marked p m-on.html"]);
    let theirs = side("p", &[(SWITCH, "other.html"), (STACK_METADATA, "x")]).map(|mut side| {
        side.metadata.remove(STACK_METADATA);
        side
    });
    assert_eq!(ops(&plain, theirs, side("p", &[])), [""; 0], "what is not ours tells nothing");
}

/// The page tells, or, where there is none of ours, the index.
#[test]
fn what_was_applied_last_decides_which_switch_it_is() {
    let told = |off: Option<Side>, applied: Option<Applied>| {
        let sides = Sides { off, applied, ..Sides::default() };
        sides.elsewhere(&"shop".parse().unwrap(), &keys()).unwrap_or_default()
    };
    let tells = |on: &str| side("p", &[(SWITCH, on)]);
    let with = |off: &str, on: &str| Some(Applied::With(off.parse().unwrap(), on.parse().unwrap()));
    for (off, applied, expected) in [
        (tells("m-on.html"), None, ""),
        (tells("x.html"), None, "looks at x.html, and the spec says m-on.html"),
        (tells(MOVING), None, "or that an apply moves it and has not ended"),
        (side("p", &[]), with("m.html", "m-on.html"), ""),
        (side("p", &[]), Some(Applied::Never), "no apply of this stack has ended in this bucket"),
        (None, with("m.html", "m-on.html"), ""),
        (None, with("m.html", "x.html"), "looks at x.html"),
        (None, with("x.html", "m-on.html"), "applied as x.html, and the spec says m.html"),
        (None, Some(Applied::Never), "no apply of this stack has ended in this bucket"),
        (by_hand("p"), with("x.html", "y.html"), "applied as x.html"),
    ] {
        let told = told(off.clone(), applied);
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }
    let others = Sides { applied: Some(Applied::Of("other".into())), ..Sides::default() };
    assert_eq!(others.owner(&"shop".parse().unwrap()), Some("other"));
}

/// A page that another user put under our key is shown by nobody who did not say so.
#[test]
fn what_is_not_ours_is_not_shown() {
    let (plain, off) = (on(&[]), Wanted::Off { standard: Ok(page("spec")) });
    let once = Wanted::On(On { once: Some(page("q")), ..window(&[]) });
    let others = |text| {
        side(text, &[]).map(|mut side| {
            side.metadata.insert(STACK_METADATA.to_owned(), "other".to_owned());
            side
        })
    };
    for own in [by_hand("x"), others("x")] {
        for (wanted, shown, expected) in [
            (&once, side("p", &[]), vec!["put marked q m-on.html over"]),
            (&on(&[(window::UNTIL, LATER)]), side("p", &[]), vec!["put marked p m-on.html over"]),
            (&off, side("p", &[]), vec!["remove m-on.html"]),
        ] {
            assert_eq!(ops(wanted, own.clone(), shown), expected, "{wanted:?}");
        }
    }
    for (wanted, own, shown, expected) in [
        (&plain, by_hand("x"), None, vec!["conflict"]),
        (&once, by_hand("x"), None, vec!["put marked q m-on.html"]),
        (&off, by_hand("x"), None, vec![]),
        (&plain, by_hand("x"), by_hand("y"), vec![]),
        (&off, by_hand("x"), by_hand("y"), vec!["remove m-on.html"]),
        // A copy of another stack's page is as if put by hand; without one of ours it is theirs.
        (&off, side("p", &[]), others("y"), vec!["remove m-on.html"]),
        (&off, others("x"), others("y"), vec!["conflict"]),
        (&plain, others("x"), None, vec!["conflict"]),
    ] {
        assert_eq!(
            ops(wanted, own.clone(), shown.clone()),
            expected,
            "{wanted:?} {own:?} {shown:?}"
        );
    }
}

/// The page is lost, and the file that the spec names cannot be read.
#[test]
fn another_page_than_the_one_that_was_lost_is_never_shown() {
    let gone = || Err("could not read page.html: no such file".to_owned());
    let plain = Wanted::On(On { standard: gone(), ..window(&[]) });
    assert_eq!(ops(&plain, None, None), ["conflict"]);
    assert_eq!(ops(&plain, side("p", &[]), None), ["put marked p m-on.html"]);
    let off = Wanted::Off { standard: gone() };
    let once = side("q", &[(window::ONCE, "true")]);
    assert_eq!(ops(&off, None, once), ["remove m-on.html"], "the window ends all the same");
}

#[test]
fn what_people_leave_is_healed_first() {
    let (plain, off) = (on(&[]), Wanted::Off { standard: Ok(page("spec")) });
    let once = || side("q", &[(window::ONCE, "true")]);
    for (wanted, shown, expected) in [
        (&plain, side("p", &[]), vec!["put p m.html"]),
        (&plain, by_hand("p"), vec!["put p m.html"]),
        (&plain, None, vec!["put spec m.html", "put marked spec m-on.html"]),
        (
            &on(&[(window::UNTIL, LATER)]),
            by_hand("p"),
            vec!["put p m.html", "put marked p m-on.html over"],
        ),
        (&plain, once(), vec!["put spec m.html"]),
        (&off, side("p", &[]), vec!["put p m.html", "remove m-on.html"]),
        (&off, by_hand("p"), vec!["put p m.html", "remove m-on.html"]),
        (&off, once(), vec!["put spec m.html", "remove m-on.html"]),
        (&off, None, vec!["put spec m.html"]),
    ] {
        assert_eq!(ops(wanted, None, shown.clone()), expected, "{wanted:?} {shown:?}");
        assert!(!planned(wanted, None, shown).notices.is_empty());
    }
}

#[test]
fn another_page_is_for_its_window_only() {
    let once = Wanted::On(On { once: Some(page("q")), ..window(&[]) });
    let shown = || side("q", &[(window::ONCE, "true")]);
    assert_eq!(ops(&once, side("p", &[]), None), ["put marked q m-on.html"]);
    assert_eq!(ops(&once, side("p", &[]), side("p", &[])), ["put marked q m-on.html over"]);
    assert_eq!(ops(&once, side("p", &[]), shown()), [""; 0]);
    assert_eq!(
        ops(&on(&[]), side("p", &[]), shown()),
        [""; 0],
        "it stays for the whole of its window"
    );
    assert_eq!(
        ops(&on(&[(window::UNTIL, LATER)]), side("p", &[]), shown()),
        ["put marked q m-on.html over"]
    );
    let over = side("q", &[(window::ONCE, "true"), (window::UNTIL, PAST)]);
    assert_eq!(
        ops(&on(&[]), side("p", &[]), over),
        ["put marked p m-on.html over"],
        "a new window has the standard page"
    );
    assert_eq!(
        ops(&on(&[(window::UNTIL, LATER)]), side("p", &[]), by_hand("x")),
        ["put marked x m-on.html over"],
        "so does theirs"
    );
}

/// What the turn puts beside the page, without what is always there.
fn told(wanted: &Wanted, on: Option<Side>) -> (Vec<String>, usize) {
    let planned = planned(wanted, side("p", &[("theirs", "kept")]), on);
    let Op::Put(Put { metadata, .. }) = &planned.ops[0] else { panic!("{planned:?}") };
    let shown = metadata
        .iter()
        .filter(|(name, _)| ![window::PAGE, window::WINDOW].contains(&name.as_str()));
    (
        shown
            .map(|(name, value)| format!("{} {value}", name.trim_start_matches("provision-")))
            .collect(),
        planned.notices.len(),
    )
}

#[test]
fn what_is_in_force_stays_where_nobody_says_otherwise() {
    let given = [(window::SINCE, "now"), (window::BY, "y"), (window::FROM, "2026-11-22T21:45:00Z")];
    let with = |more: &[(&str, &str)], without: &[&'static str]| {
        Wanted::On(On { without: without.to_vec(), ..window(&[&given, more].concat()) })
    };
    let begin = "from 2026-11-22T21:45:00Z";
    let scheduled = [
        (window::SINCE, "first"),
        (window::BYPASS, "h"),
        (window::FROM, "2026-11-22T21:40:00Z"),
        (window::BY, "x"),
    ];
    let shown = |until| side("p", &[&scheduled[..], &[(window::UNTIL, until)]].concat());
    for (wanted, on, kept, notes) in [
        (
            with(&[], &[]),
            shown(LATER),
            vec!["bypass h", "by y", begin, "since now", "until 2026-11-22T22:00:00Z"],
            2,
        ),
        (
            with(&[], &[window::UNTIL]),
            shown(LATER),
            vec!["bypass h", "by y", begin, "since now"],
            1,
        ),
        (
            with(&[], &[window::UNTIL, window::BYPASS]),
            shown(LATER),
            vec!["by y", begin, "since now"],
            0,
        ),
        (
            with(&[(window::BYPASS, "new")], &[window::UNTIL]),
            shown(LATER),
            vec!["bypass new", "by y", begin, "since now"],
            0,
        ),
        (with(&[], &[]), shown(PAST), vec!["by y", begin, "since now", "theirs kept"], 0),
        (with(&[], &[]), None, vec!["by y", begin, "since now", "theirs kept"], 0),
    ] {
        let mut kept: Vec<String> = kept.into_iter().map(str::to_owned).collect();
        kept.sort();
        let (mut told, said) = told(&wanted, on.clone());
        told.sort();
        assert_eq!((told, said), (kept, notes), "{wanted:?} {on:?}");
    }
    let again = on(&[(window::SINCE, "now"), (window::FROM, "2026-11-22T21:40:00Z"), scheduled[3]]);
    assert_eq!(ops(&again, side("p", &[]), shown(LATER)), [""; 0], "said again later");
    let open = side("p", &[(window::SINCE, "first"), (window::UNTIL, LATER)]);
    let longer = on(&[(window::SINCE, "now"), (window::UNTIL, LATEST)]);
    assert_eq!(
        told(&longer, open).0,
        ["since first", "until 2026-11-22T23:00:00Z"],
        "it has been on since then"
    );
}

#[test]
fn a_turn_that_was_overtaken_is_not_done() {
    let marked = |mark: &str| side("p", &[(window::WINDOW, mark)]);
    let off = Wanted::Off { standard: Ok(page("spec")) };
    let (wanted, other) = (on(&[]), "f".repeat(32));
    let sets = planned(&wanted, side("p", &[]), None).ops;
    let heals = planned(&wanted, None, side("p", &[])).ops;
    for (wanted, ops, now, expected) in [
        (&wanted, &sets, marked(MARK), true),
        (&wanted, &sets, marked(&other), false),
        (&wanted, &sets, by_hand("p"), false),
        (&wanted, &sets, None, false),
        (&wanted, &heals, by_hand("p"), true),
        (&wanted, &heals, None, false),
        (&off, &sets, marked(&other), false),
        (&off, &sets, None, true),
    ] {
        assert_eq!(
            holds(wanted, &keys(), &ops.iter().collect::<Vec<_>>(), now.as_ref()),
            expected,
            "{wanted:?} {now:?}"
        );
    }
}
