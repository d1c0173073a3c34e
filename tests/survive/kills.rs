//! SIGKILL at every call, on either side of it; then the same command again.

use super::matrix::{Row, name, sampled};
use super::verbs::{self, Verb};
use super::yard::Yard;
use crate::support::Moment;

async fn survives(verb: Verb, nth: usize) {
    let mut row = Row::new(verb.name, &["calls", "kills", "too late", "converged"]);
    let yard = Yard::new(verb).await;
    yard.begin().await;
    let ran = yard.run();
    assert!(matches!(ran.code, Some(0 | 3)), "undisturbed, it said:\n{}", ran.said);
    let calls = yard.ground().calls().len();
    row.add("calls", calls);
    yard.run_until_done().unwrap();
    let expected = yard.census().await;
    let grid = (1..=calls).flat_map(|number| [(number, Moment::Before), (number, Moment::After)]);
    for (number, moment) in sampled(grid, nth) {
        yard.begin().await;
        let is_killed =
            yard.ground().kill_at(number, moment, &mut yard.desk().command(yard.verb.arguments));
        row.add(if is_killed { "kills" } else { "too late" }, 1);
        let cell =
            format!("killed {moment:?} call {number} ({})", name(&yard.ground().calls(), number));
        let ended = match yard.run_until_done() {
            Ok(_) => Some(expected.differences(&yard.census().await))
                .filter(|text| !text.is_empty())
                .map_or(Ok(()), Err),
            Err(why) => Err(why),
        };
        row.note(&cell, ended);
    }
    row.show();
}

#[tokio::test]
async fn a_killed_apply_is_healed() {
    survives(verbs::APPLY, 13).await;
}

#[tokio::test]
async fn a_killed_apply_in_a_foreign_distribution_is_healed() {
    survives(verbs::APPLY_ATTACHED, 13).await;
}

#[tokio::test]
async fn a_killed_change_is_healed() {
    survives(verbs::CHANGE, 13).await;
}

#[tokio::test]
async fn a_killed_change_in_a_foreign_distribution_is_healed() {
    survives(verbs::CHANGE_ATTACHED, 13).await;
}

#[tokio::test]
async fn a_killed_turn_on_is_healed() {
    survives(verbs::TURN_ON, 3).await;
}

#[tokio::test]
async fn a_killed_turn_off_is_healed() {
    survives(verbs::TURN_OFF, 3).await;
}

#[tokio::test]
async fn a_killed_destroy_is_healed() {
    survives(verbs::DESTROY, 13).await;
}

#[tokio::test]
async fn a_killed_destroy_in_a_foreign_distribution_is_healed() {
    survives(verbs::DESTROY_ATTACHED, 13).await;
}

#[tokio::test]
async fn a_killed_destroy_with_replicas_is_healed() {
    survives(verbs::DESTROY_PENDING, 17).await;
}
