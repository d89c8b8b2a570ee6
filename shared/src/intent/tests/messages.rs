//! What people and agents say on an intent.

use super::super::inbox::MESSAGES_MAX;
use super::*;

/// A message, named by its number.
pub(super) fn say(by: &Principal, number: u128) -> Command {
    let message_id = Uuid::from_u128(number);
    Command::Say { by: by.clone(), message_id, text: format!("message {number}") }
}

fn hide(by: &Principal, numbers: &[u128]) -> Command {
    let message_ids = numbers.iter().copied().map(Uuid::from_u128).collect();
    Command::Hide { by: by.clone(), message_ids, from_all: true }
}

fn given() -> Vec<Step> {
    vec![(create(streamed()), 0)]
}

#[test]
fn whoever_takes_part_speaks() {
    for by in [sender(), deployer(), reviewer("rita"), admin()] {
        check(&given(), (say(&by, 1), 1), Ok(&["Said"]));
        check(&given(), (hide(&by, &[1]), 1), Ok(&["Hidden"]));
    }
    for command in [say(&stranger(), 1), hide(&stranger(), &[1])] {
        check(&given(), (command, 1), Err(Rejection::NotTheHandler));
    }
}

#[test]
fn whoever_the_result_goes_to_speaks_too() {
    let envelope = Envelope { reply_to: Some(address("boss")), ..streamed() };
    let given = vec![(create(envelope), 0)];
    let receiver = Principal { address: Some(address("boss")), ..stranger() };
    check(&given, (say(&receiver, 1), 1), Ok(&["Said"]));
    check(&given, (say(&stranger(), 1), 1), Err(Rejection::NotTheHandler));
}

#[test]
fn talk_changes_nothing_but_the_count() {
    for given in [given(), vec![(create(held(Placement::OnArrival)), 0)]] {
        let before = Story::of(&given);
        let after = Story::of(&then(&given, &[(say(&sender(), 1), 1), (hide(&sender(), &[1]), 2)]));
        assert_eq!(after.intent().phase, before.intent().phase);
        assert_eq!((after.intent().messages.count, before.intent().messages.count), (1, 0));
    }
}

#[test]
fn a_message_that_is_sent_again_is_left_once() {
    let mut given = given();
    given.push((say(&sender(), 1), 1));
    check(&given, (say(&sender(), 1), 2), Ok(&[]));
    let ended = then(&given, &[(complete(None), 2)]);
    check(&ended, (say(&sender(), 1), 3), Ok(&[]));
    given.extend((2..=20).map(|number| (say(&sender(), number), 2)));
    check(&given, (say(&sender(), 1), 3), Ok(&[]));
    given.push((say(&sender(), 21), 3));
    check(&given, (say(&sender(), 2), 4), Ok(&[]));
    assert_eq!(Story::of(&given).intent().messages.recent.len(), 20);
}

#[test]
fn an_intent_takes_so_many_messages_and_no_more() {
    let mut given = given();
    given.extend((1..=u128::from(MESSAGES_MAX)).map(|number| (say(&sender(), number), 1)));
    check(&given, (say(&sender(), 0), 2), Err(Rejection::TooManyMessages));
    let all: Vec<u128> = (1..=u128::from(MESSAGES_MAX)).collect();
    check(&given, (hide(&sender(), &all), 2), Ok(&["Hidden"]));
    check(&given, (hide(&sender(), &[all, vec![0]].concat()), 2), Err(Rejection::TooManyMessages));
    check(&given, (hide(&sender(), &[]), 2), Ok(&[]));
}

#[test]
fn nobody_speaks_after_the_end_or_the_deadline() {
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check_around(DEADLINE, &given(), &say(&sender(), 1), [Ok(&["Said"]), late(), late()]);
    check_around(DEADLINE, &given(), &hide(&sender(), &[1]), [Ok(&["Hidden"]), late(), late()]);
    let ended = then(&given(), &[(complete(None), 1)]);
    for command in [say(&sender(), 1), hide(&sender(), &[1])] {
        check(&ended, (command, 2), Err(Rejection::Ended(Status::Completed)));
    }
}
