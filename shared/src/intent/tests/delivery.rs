//! Offers to agents: pushed, acknowledged, given up.

use super::super::{WaitingReason, react};
use super::*;
use crate::message::Message;

const NOTHING: Result<&[&str], Rejection> = Ok(&[]);

fn pushed(attempts: u32) -> Vec<Step> {
    let envelope =
        Envelope { delivery: Delivery::Push, delivery_attempts_max: Some(attempts), ..streamed() };
    vec![(create(envelope), 0)]
}

fn acknowledge() -> Command {
    Command::Acknowledge { by: deployer(), turn: None }
}

#[test]
fn a_turn_is_pushed_again_after_the_pauses_of_the_contract() {
    let push = [Message::Push { tenant: "default".to_owned(), intent: id() }];
    let mut given = pushed(4);
    assert_eq!(flow::owed_for(&given), push);
    for due in [30, 30 + 120, 30 + 120 + 600] {
        let offered = || Ok(["Offered"].as_slice());
        check_around(due, &given, &Command::Wake, [NOTHING, offered(), offered()]);
        given.push((Command::Wake, due));
        assert_eq!(flow::owed_for(&given), push);
    }
    let lost = || Ok(["DeliveryFailed", "Failed"].as_slice());
    check_around(750 + 600, &given, &Command::Wake, [NOTHING, lost(), lost()]);
}

#[test]
fn a_push_that_was_taken_is_not_repeated() {
    let given = then(&pushed(4), &[(Command::Wake, 30), (acknowledge(), 31)]);
    check(&given[..2], given[2].clone(), Ok(&["Acknowledged"]));
    assert_eq!(react::wake_at(Story::of(&given).intent()), Some(at(DEADLINE)));
    check(&given, (acknowledge(), 32), NOTHING);
    check(&given, (complete(None), 32), Ok(&["Started", "Completed"]));
}

#[test]
fn a_later_push_that_was_taken_is_not_repeated_either() {
    let given = then(&pushed(4), &[(suspend(None, people(&["c"])), 1)]);
    let news = end_ask(&given, "c", &[(approve(), 2)]);
    let given = then(&given, &[(news, 3)]);
    assert_eq!(react::wake_at(Story::of(&given).intent()), Some(at(33)));
    check(&given, (acknowledge(), 4), Ok(&["Started"]));
    let taken = then(&given, &[(acknowledge(), 4)]);
    assert_eq!(react::wake_at(Story::of(&taken).intent()), Some(at(DEADLINE)));
    check(&taken, (acknowledge(), 5), NOTHING);
}

#[test]
fn what_is_pushed_without_a_word_of_the_sender_is_pushed_once_and_after_each_pause() {
    let unsaid = |delivery| Envelope { delivery, delivery_attempts_max: None, ..streamed() };
    for (delivery, attempts) in [(Delivery::Stream, 3), (Delivery::Worker, 3), (Delivery::Push, 4)]
    {
        let given = [(create(unsaid(delivery)), 0)];
        assert_eq!(Story::of(&given).intent().delivery_attempts_max(), attempts);
    }
    let mut given = vec![(create(unsaid(Delivery::Push)), 0)];
    given.extend([30, 150, 750].map(|due| (Command::Wake, due)));
    check(&given, (Command::Wake, 1350), Ok(&["DeliveryFailed", "Failed"]));
}

/// The answer to a post can be read after its agent has asked, been answered and got its next turn.
#[test]
fn to_take_an_earlier_turn_takes_nothing_of_the_present_one() {
    let take = |turn| Command::Acknowledge { by: deployer(), turn: Some(turn) };
    let first = pushed(4);
    assert_eq!(Story::of(&first).intent().turn_seq, 0);
    check(&first, (take(0), 1), Ok(&["Acknowledged"]));
    let again = then(&first, &[(Command::Wake, 30)]);
    assert_eq!(Story::of(&again).intent().turn_seq, 0, "another offer of the same turn");
    let asked = then(&first, &[(suspend(None, people(&["c"])), 1)]);
    let news = end_ask(&asked, "c", &[(approve(), 2)]);
    let second = then(&asked, &[(news, 3)]);
    let turn = Story::of(&second).intent().turn_seq;
    assert!(turn > 0 && Story::of(&second).intent().awaits_push());
    check(&second, (take(0), 4), NOTHING);
    check(&second, (take(turn), 4), Ok(&["Started"]));
    let taken = then(&second, &[(take(turn), 4)]);
    assert!(!Story::of(&taken).intent().awaits_push());
}

/// The turn after a suspension begins in progress, so that a claim needs no start of its own there.
#[test]
fn whoever_claims_a_call_in_a_later_pushed_turn_has_taken_that_turn() {
    let asked = then(&pushed(4), &[(suspend(None, people(&["c"])), 1)]);
    let news = end_ask(&asked, "c", &[(approve(), 2)]);
    let second = then(&asked, &[(news, 3)]);
    let claims = (claim(None, "c", true, "token"), 4);
    check(&second, claims.clone(), Ok(&["Started", "CallClaimed"]));
    let claimed = then(&second, std::slice::from_ref(&claims));
    assert!(!Story::of(&claimed).intent().awaits_push());
    check(&claimed, (Command::Wake, 33), NOTHING);
    check(&claimed, claims, NOTHING);
}

#[test]
fn a_pushed_turn_that_somebody_else_moves_on_still_waits_for_its_agent() {
    let moves_on = Command::Advance { by: sender(), reason: None, next: None };
    let given = then(&pushed(4), &[(moves_on.clone(), 1)]);
    assert!(Story::of(&given).intent().awaits_push());
    let offered = || Ok(["Offered"].as_slice());
    check_around(31, &given, &Command::Wake, [NOTHING, offered(), offered()]);
    check(&given, (acknowledge(), 2), Ok(&["Started"]));
    for taken in [acknowledge(), advance()] {
        let taken = then(&pushed(4), &[(taken, 1), (moves_on.clone(), 2)]);
        assert!(!Story::of(&taken).intent().awaits_push(), "its agent has it");
    }
}

/// A tool that runs elsewhere is often finished by somebody who was granted to resume the intent.
#[test]
fn an_agent_that_waits_for_a_tool_is_told_when_somebody_else_moves_it_on() {
    let moves_on = Command::Advance { by: sender(), reason: None, next: None };
    for (delivery, owed, due) in flow::told_at(10) {
        let envelope = Envelope { delivery, ..streamed() };
        let given = [(create(envelope), 0), (suspend(None, WaitsFor::Tool), 1)];
        check(&given, (advance(), 10), Ok(&["HandedOn", "Started"]));
        check(&given, (moves_on.clone(), 10), Ok(&["HandedOn", "Resumed"]));
        let given = then(&given, &[(moves_on.clone(), 10)]);
        assert_eq!(flow::owed_for(&given), owed);
        let story = Story::of(&given);
        assert_eq!(react::wake_at(story.intent()), Some(at(due)));
        assert_eq!(story.intent().offered().is_some(), delivery == Delivery::Stream);
    }
}

#[test]
fn an_acknowledged_intent_stays_on_the_stream_and_waits_for_no_further_offer() {
    let given = [(create(streamed()), 0), (acknowledge(), 1)];
    let story = Story::of(&given);
    assert_eq!(story.intent().status(), Status::Acknowledged);
    assert_eq!(story.intent().offered(), Some(0));
    check(&given, (acknowledge(), 2), NOTHING);
    check(&given, (Command::GiveUp { attempts: 3 }, 2), NOTHING);
    for (command, events) in [
        (complete(None), ["Started", "Completed"].as_slice()),
        (suspend(None, WaitsFor::Tool), &["Started", "Suspended"]),
        (advance(), &["HandedOn", "Started"]),
        (start(60), &["Started"]),
        (cancel(), &["Canceled"]),
    ] {
        check(&given, (command, 2), Ok(events));
    }
}

#[test]
fn a_worker_that_acknowledged_and_died_is_offered_the_turn_again() {
    let given = [(create(worked()), 0), (acknowledge(), 1)];
    let offered = || Ok(["Offered"].as_slice());
    check_around(300, &given, &Command::Wake, [NOTHING, offered(), offered()]);
    let again = then(&given, &[(Command::Wake, 300)]);
    let turn = Message::Turn { tenant: "default".to_owned(), intent: id() };
    assert_eq!(flow::owed_for(&again), [turn]);
    assert_eq!(Story::of(&again).intent().status(), Status::Acknowledged);
    check(&again, (start(400), 301), Ok(&["Started"]));
}

#[test]
fn only_its_agent_acknowledges_an_intent() {
    let given = [(create(streamed()), 0)];
    for by in [stranger(), sender()] {
        check(&given, (Command::Acknowledge { by, turn: None }, 1), Err(Rejection::NotTheHandler));
    }
    let refused = Err(Rejection::WrongRole { has: Role::Admin, needs: Role::Agent });
    check(&given, (Command::Acknowledge { by: admin(), turn: None }, 1), refused);
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check_around(DEADLINE, &given, &acknowledge(), [Ok(&["Acknowledged"]), late(), late()]);
}

/// An agent often has its result before its answer to the push is read.
#[test]
fn an_acknowledgement_that_comes_late_changes_nothing() {
    let given = [(create(streamed()), 0)];
    for later in [complete(None), fail(None), cancel(), suspend(None, WaitsFor::Tool), start(60)] {
        check(&then(&given, &[(later, 1)]), (acknowledge(), 2), NOTHING);
    }
    let held = [(create(held(Placement::OnArrival)), 0)];
    let core = Command::Acknowledge { by: principal("any", Role::Agent, None), turn: None };
    check(&held, (core, 1), NOTHING);
}

#[test]
fn an_agent_that_was_shown_its_intent_often_enough_and_did_nothing_loses_it() {
    let given = [(create(streamed()), 0)];
    check(&given, (Command::GiveUp { attempts: 2 }, 1), NOTHING);
    let given_up = Ok(["DeliveryFailed", "Failed"].as_slice());
    check_around(DEADLINE, &given, &Command::GiveUp { attempts: 3 }, [given_up, NOTHING, NOTHING]);
    let lost = then(&given, &[(Command::GiveUp { attempts: 3 }, 1)]);
    assert_eq!(flow::failure_of(&lost).code, "delivery_failed");
    check(&lost, (Command::GiveUp { attempts: 3 }, 2), NOTHING);
}

#[test]
fn nobody_else_is_given_up_on() {
    let give_up = Command::GiveUp { attempts: 100 };
    let asked = [(create(streamed()), 0), (suspend(None, people(&["c"])), 1)];
    for given in [
        vec![(create(worked()), 0)],
        pushed(4),
        vec![(create(streamed()), 0), (advance(), 1)],
        vec![(create(held(Placement::OnArrival)), 0)],
        vec![(create(held(Placement::OnResult)), 0), (complete(None), 1)],
        asked.to_vec(),
    ] {
        check(&given, (give_up.clone(), 2), NOTHING);
    }
    let reason = Story::of(&asked).intent().phase.waiting_reason();
    assert_eq!(reason, Some(WaitingReason::WaitingForHuman));
}
