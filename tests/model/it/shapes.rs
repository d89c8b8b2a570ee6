//! Every shape under the rules of the core: explored to the end, and no promise is broken.

use std::collections::BTreeSet;

use model::person::Person::{Admin, Agent, Otto, Rita, Sender};
use model::time::Clocks;
use model::{Check, Promise, Rules, Shape};
use stateright::{Checker, Model};

/// Two days, in seconds.
const TWO_DAYS: i64 = 2 * 24 * 60 * 60;

/// Explores `shape`, which has more than `states_min` states and comes across what is `met`.
#[track_caller]
fn holds(shape: Shape, states_min: usize, met: &[&str]) {
    let (name, in_flight_max) = (shape.name, shape.in_flight_max);
    let checker = Check::new(shape, Rules::OfTheCore).checker().spawn_bfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    let depth = checker.max_depth();
    eprintln!("{name}, {in_flight_max} in flight: {states} states, {steps} steps, {depth} deep");
    for promise in Promise::ALL {
        checker.assert_no_discovery(promise.name());
    }
    assert!(checker.is_done());
    assert!(states > states_min, "only {states} states");
    let found: BTreeSet<&str> = checker.discoveries().into_keys().collect();
    assert_eq!(found, met.iter().copied().collect());
}

const ALL_ENDS: [&str; 4] = ["completed", "failed", "canceled", "timed out"];

#[test]
fn a_question_keeps_every_promise() {
    holds(Shape::question(), 4_000, &ALL_ENDS);
}

#[test]
fn a_question_that_is_raced_for_keeps_every_promise() {
    let people = [Rita, Otto, Agent, Sender, Admin];
    holds(Shape::question().raced(2, &[0, 80, 100]).among(&people), 20_000, &ALL_ENDS);
}

#[test]
fn a_question_that_is_raced_for_by_clocks_apart_keeps_every_promise() {
    let shape = Shape::question().raced(1, &[0, 79, 80, 81]).among(&[Rita, Otto, Sender]);
    holds(shape.by(&Clocks::APART), 40_000, &ALL_ENDS);
}

#[test]
fn a_sign_off_keeps_every_promise() {
    holds(Shape::sign_off(), 30_000, &ALL_ENDS);
}

#[test]
fn a_sign_off_that_is_raced_for_keeps_every_promise() {
    holds(Shape::sign_off().raced(1, &[0, 120, 900]), 12_000, &ALL_ENDS);
}

#[test]
fn an_ask_keeps_every_promise() {
    holds(Shape::ask(), 60_000, &["completed", "canceled", "timed out", "a tool has run"]);
}

#[test]
fn an_ask_that_is_raced_for_keeps_every_promise() {
    let shape = Shape::ask().raced(1, &[0, 100, TWO_DAYS]).among(&[Rita, Otto, Sender]);
    holds(shape, 20_000, &["completed", "canceled", "timed out", "a tool has run"]);
}

#[test]
fn an_ask_whose_messages_are_lost_and_doubled_keeps_every_promise() {
    let met = ["completed", "canceled", "timed out", "a tool has run"];
    holds(Shape::ask_by_post(), 6_000, &met);
}

#[test]
fn an_ask_whose_messages_race_keeps_every_promise() {
    let shape = Shape::ask_by_post().raced(1, &[0, TWO_DAYS]);
    holds(shape, 20_000, &["completed", "canceled", "timed out", "a tool has run"]);
}

#[test]
fn an_ask_under_leases_keeps_every_promise() {
    holds(Shape::leased_ask(), 16_000, &["completed", "failed", "timed out", "a tool has run"]);
}

#[test]
fn an_ask_under_leases_that_is_raced_for_keeps_every_promise() {
    let shape = Shape::leased_ask().raced(1, &[0, 120, 900]).among(&[Rita]);
    holds(shape, 100_000, &["completed", "timed out", "a tool has run"]);
}

#[test]
fn two_asks_keep_every_promise() {
    holds(Shape::two_asks(), 700, &["completed", "timed out", "a tool has run"]);
}

#[test]
fn two_asks_that_are_raced_for_keep_every_promise() {
    let shape = Shape::two_asks().raced(1, &[0, 100, 900]);
    holds(shape, 50_000, &["completed", "timed out", "a tool has run"]);
}

#[test]
fn a_workflow_keeps_every_promise() {
    holds(Shape::workflow(), 5_000, &ALL_ENDS);
}

#[test]
fn a_workflow_that_is_raced_for_keeps_every_promise() {
    holds(Shape::workflow().raced(1, &[0, 100, 210, 500]), 20_000, &ALL_ENDS);
}

#[test]
fn a_question_that_is_shortened_and_prolonged_keeps_every_promise() {
    holds(Shape::prolonged(), 500, &["completed", "failed", "canceled", "timed out"]);
}

#[test]
fn a_question_that_is_passed_on_keeps_every_promise() {
    let met = ["completed", "failed", "canceled", "timed out", "it is passed on"];
    holds(Shape::reassigned(), 100, &met);
}

#[test]
fn a_question_that_is_passed_on_in_a_race_keeps_every_promise() {
    let met = ["completed", "failed", "canceled", "timed out", "it is passed on"];
    let shape = Shape::reassigned().raced(1, &[0, 60, 100]).among(&[Rita, Otto, Sender]);
    holds(shape, 1_000, &met);
}

#[test]
fn a_question_in_working_hours_keeps_every_promise() {
    holds(Shape::working_hours(), 100, &["completed", "canceled", "timed out"]);
}

#[test]
fn what_is_withdrawn_keeps_every_promise() {
    let met = ["completed", "canceled", "timed out", "a tool has run"];
    holds(Shape::withdrawn(), 100, &met);
}

#[test]
fn an_approval_that_is_talked_about_keeps_every_promise() {
    holds(Shape::talk(), 100, &["completed", "timed out"]);
}

#[test]
fn a_pushed_turn_keeps_every_promise() {
    let met = ["completed", "timed out", "a tool has run", "a turn is taken"];
    holds(Shape::pushed(), 8_000, &met);
}

#[test]
fn a_pushed_turn_that_is_raced_for_keeps_every_promise() {
    let met = ["completed", "a tool has run", "a turn is taken"];
    holds(Shape::pushed().raced(1, &[0, 30]), 10_000, &met);
}

#[test]
fn a_turn_that_is_pushed_often_keeps_every_promise() {
    let met = ["completed", "failed", "canceled", "timed out", "a turn is taken"];
    holds(Shape::pushed_often(), 100, &met);
}

#[test]
fn a_pushed_turn_that_is_put_off_keeps_every_promise() {
    let met = ["failed", "canceled", "timed out", "a turn is taken"];
    holds(Shape::pushed_and_put_off(), 100, &met);
}

#[test]
fn what_a_stream_shows_keeps_every_promise() {
    holds(Shape::streamed(), 100, &ALL_ENDS);
}

#[test]
fn what_a_stream_shows_and_is_raced_for_keeps_every_promise() {
    holds(Shape::streamed().raced(1, &[0, 60, 100]), 1_000, &ALL_ENDS);
}

#[test]
fn steps_of_workers_keep_every_promise() {
    holds(Shape::stepped(), 100, &["completed", "failed", "timed out"]);
}

#[test]
fn steps_of_workers_that_race_keep_every_promise() {
    holds(Shape::stepped().raced(1, &[0, 120]), 10_000, &["completed"]);
}

#[test]
fn what_is_handed_on_keeps_every_promise() {
    let met = ["completed", "timed out", "a turn is taken", "it is handed on"];
    holds(Shape::handed_on(), 1_000, &met);
}

#[test]
fn a_workflow_that_takes_a_detour_keeps_every_promise() {
    let met = ["completed", "failed", "canceled", "timed out", "it is passed on"];
    holds(Shape::detour(), 100, &met);
}

#[test]
fn three_generations_keep_every_promise() {
    let met = ["completed", "failed", "canceled", "timed out", "a tool has run"];
    holds(Shape::family(), 100, &met);
}

#[test]
fn three_generations_that_race_keep_every_promise() {
    let shape = Shape::family().raced(1, &[0, 100, 500]).among(&[Rita, Sender]);
    holds(shape, 1_000, &["completed", "canceled", "timed out", "a tool has run"]);
}
