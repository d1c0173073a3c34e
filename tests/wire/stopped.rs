//! A turn of the switch that is stopped or gets no answer: what is said of it is so.

use super::ends::Running;
use super::shop::{OWNED, Shop};
use crate::support::{At, Fault, Moment, Rules};

const LOOK: &str = "s3:GetObject";
const PUT: &str = "s3:PutObject";
const DELETE: &str = "s3:DeleteObject";
const HEARD: &str = "Stopping as soon as it is safe; once more stops at once.";

/// Runs the turn, and stops it with the call in its hands, whose answer never comes. What only
/// looks is given up with its call; a write is waited for.
fn stopped(shop: &Shop, arguments: &str, at: At) -> (Option<i32>, String) {
    shop.ground.clear_calls();
    let held = shop.ground.hold(at, Moment::Before);
    let mut running = Running::of(shop, arguments);
    assert!(held.wait_reached_unless(|| running.child.try_wait().unwrap().is_some()));
    running.stop();
    running.line(HEARD);
    if matches!(at, At::Operation(PUT | DELETE, _)) {
        running.line("  waiting for the end of S3 ");
        held.drop_connection();
        return running.end();
    }
    let ended = running.end();
    held.drop_connection();
    ended
}

#[tokio::test]
async fn a_write_without_an_answer_may_still_arrive_also_when_the_user_stops() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for (before, arguments, write, holds) in [
        ("off", "on", PUT, "visitors see the site"),
        ("off", "on --json", PUT, "visitors see the site"),
        ("on", "off", DELETE, "visitors see the maintenance page"),
        ("on", "off --json", DELETE, "visitors see the maintenance page"),
    ] {
        drop(shop.run(&format!("maintenance {before}")).exits(0));
        let (code, said) =
            stopped(&shop, &format!("maintenance {arguments}"), At::Operation(write, 1));
        assert_eq!(code, Some(130), "{arguments}: {said}");
        let headline = format!("{holds}; a write of this turn has no answer");
        for says in [&headline, "the write may still arrive; `provision maintenance status` says"] {
            assert!(said.contains(says), "{arguments}, {says}: {said}");
        }
    }
}

#[tokio::test]
async fn a_link_that_may_let_somebody_in_is_shown_however_the_turn_ends() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for (at, code, shows) in [
        (At::Operation(PUT, 1), 130, true),
        (At::Operation(LOOK, 3), 130, true),
        (At::Operation(LOOK, 1), 130, false),
    ] {
        drop(shop.run("maintenance off").exits(0));
        let (ended, said) = stopped(&shop, "maintenance on --bypass", at);
        assert_eq!((ended, said.contains("?provision-bypass=")), (Some(code), shows), "{said}");
    }
    for (at, shows) in [(At::Operation(LOOK, 3), true), (At::Every(PUT), false)] {
        drop(shop.run("maintenance off").exits(0));
        shop.ground.clear_calls();
        shop.ground.fault(at, Fault::Denied);
        let ran = shop.run("maintenance on --bypass").exits(1);
        shop.ground.clear_faults();
        assert_eq!(ran.said.contains("?provision-bypass="), shows, "{}", ran.said);
    }
}

#[tokio::test]
async fn what_was_done_is_said_also_where_nobody_could_see_what_holds() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for (arguments, did) in [("on", "put"), ("off", "removed")] {
        let headline = format!("the page was {did}, and it is not known what visitors see");
        let turn = |back: &str| drop(shop.run(&format!("maintenance {back}")).exits(0));
        shop.ground.clear_calls();
        shop.ground.fault(At::Operation(LOOK, 3), Fault::Denied);
        let ran = shop.run(&format!("maintenance {arguments}")).exits(1);
        shop.ground.clear_faults();
        let ran = ran.says(&format!("Written: {headline}: could not read object"));
        assert!(!ran.said.contains("..") && !ran.said.contains("Failed"), "{}", ran.said);
        turn(if arguments == "on" { "off" } else { "on" });
        let json = format!("maintenance {arguments} --json");
        let (code, said) = stopped(&shop, &json, At::Operation(LOOK, 3));
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains(&headline) && said.contains("\"interrupted\":true"), "{said}");
        turn("on");
    }
}

#[tokio::test]
async fn whoever_stops_a_look_hears_that_nothing_was_changed() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for verb in ["maintenance on", "maintenance off", "maintenance status", "plan", "apply --yes"] {
        for json in ["", " --json"] {
            let at = At::Operation("sts:GetCallerIdentity", 1);
            let (code, said) = stopped(&shop, &format!("{verb}{json}"), at);
            assert_eq!(code, Some(130), "{verb}{json}: {said}");
            assert!(said.contains("stopped; nothing was changed"), "{verb}{json}: {said}");
            let document = said.lines().any(|line| line.starts_with("{\"schema\""));
            assert_eq!(document, !json.is_empty(), "{verb}{json}: {said}");
        }
    }
}
