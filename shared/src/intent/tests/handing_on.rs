//! Handing an intent on to another agent.

use super::super::record::pending_with;
use super::super::{Handed, react};
use super::*;

fn hand_on(by: &Principal, to: &str, delivery: Delivery) -> Command {
    let next = Some(Handed { to: address(to), delivery });
    Command::Advance { by: by.clone(), reason: Some("over to you".to_owned()), next }
}

fn other() -> Principal {
    principal("other-key", Role::Agent, Some(address("other")))
}

fn handed(delivery: Delivery) -> Vec<Step> {
    vec![(create(streamed()), 0), (hand_on(&deployer(), "other", delivery), 10)]
}

#[test]
fn another_agent_has_it_from_then_on() {
    let given = handed(Delivery::Stream);
    check(&given[..1], given[1].clone(), Ok(&["HandedOn", "Resumed"]));
    let story = Story::of(&given);
    assert_eq!(
        (story.intent().status(), story.intent().handler()),
        (Status::InProgress, &address("other"))
    );
    assert_eq!(story.intent().envelope, streamed(), "what was sent stays as it was");
    assert_eq!(pending_with(story.intent()).unwrap().name, "other");
    assert_eq!(story.intent().offered(), Some(10_000_000), "the other's stream shows it anew");
    check(&given, (complete(None), 11), Err(Rejection::NotTheHandler));
    let done = Command::Complete { by: other(), fence: None, result: result() };
    check(&given, (done, 11), Ok(&["Completed"]));
    let back = then(&given, &[(hand_on(&other(), "deployer", Delivery::Stream), 11)]);
    check(&back, (complete(None), 12), Ok(&["Completed"]));
}

#[test]
fn the_other_agent_gets_it_its_own_way() {
    for (delivery, owed, due) in flow::told_at(10) {
        let given = handed(delivery);
        assert_eq!(flow::owed_for(&given), owed);
        let story = Story::of(&given);
        assert_eq!(story.intent().delivery(), delivery);
        assert_eq!(react::wake_at(story.intent()), Some(at(due)));
        assert_eq!(react::owed_still(story.intent()), owed);
        assert_eq!(story.intent().offered().is_some(), delivery == Delivery::Stream);
    }
}

#[test]
fn a_worker_whose_intent_was_handed_on_has_lost_it() {
    let given = [(create(worked()), 0), (start(60), 1)];
    let leased = Err(Rejection::Leased(at(60)));
    check(&given, (hand_on(&deployer(), "other", Delivery::Worker), 59), leased);
    let given = then(&given, &[(hand_on(&deployer(), "other", Delivery::Worker), 60)]);
    for command in [step(1, 120, "a"), suspend(Some(1), WaitsFor::Tool), start(120)] {
        check(&given, (command, 61), Err(Rejection::NotTheHandler));
    }
    check(&given, (complete(Some(1)), 61), Err(Rejection::NotTheHandler));
    let any = principal("any", Role::Agent, None);
    let old = Command::Complete { by: any, fence: Some(1), result: result() };
    check(&given, (old, 61), Err(Rejection::LeaseLost));
    let start = Command::Start { by: other(), lease_until: at(120) };
    check(&given, (start, 61), Ok(&["Started"]));
}

#[test]
fn the_other_agent_asks_in_its_own_name() {
    let given = handed(Delivery::Stream);
    let suspend = Command::Suspend {
        by: other(),
        fence: None,
        expected_checkpoint: None,
        checkpoint: None,
        waits_for: people(&["c"]),
    };
    let child = child(&then(&given, &[(suspend, 11)]), "c", &[]);
    assert_eq!(child.intent().envelope.from, "agent://other");
    for name in ["agent://other", "other-key", "sender"] {
        let own = (answer(name, Outcome::APPROVED), 12);
        assert_eq!(child.clone().take(&own), Err(Rejection::SelfApproval), "{name}");
    }
}

#[test]
fn the_first_agent_may_sign_nothing_off_that_the_other_gave() {
    let given = [
        (create(held(Placement::OnResult)), 0),
        (hand_on(&deployer(), "other", Delivery::Stream), 1),
    ];
    let done = Command::Complete { by: other(), fence: None, result: result() };
    let given = then(&given, &[(done, 2)]);
    check(&given, (answer("other-key", Outcome::APPROVED), 3), Err(Rejection::SelfApproval));
    check(&given, (approve(), 3), Ok(&["Approved", "Completed"]));
}

#[test]
fn strangers_hand_nothing_on_and_nobody_does_while_a_person_decides() {
    let given = [(create(streamed()), 0)];
    let theirs = hand_on(&stranger(), "elsewhere", Delivery::Stream);
    check(&given, (theirs, 1), Err(Rejection::NotTheHandler));
    let held = [(create(held(Placement::OnResult)), 0), (complete(None), 1)];
    let command = hand_on(&deployer(), "other", Delivery::Stream);
    check(&held, (command.clone(), 2), Err(Rejection::AwaitsDecision));
    let ended = then(&given, &[(complete(None), 1)]);
    check(&ended, (command, 2), Err(Rejection::Ended(Status::Completed)));
}

#[test]
fn a_workers_turn_goes_on_with_the_run_state_that_is_stored() {
    let given = [(create(worked()), 0), (start(60), 1), (step(1, 60, "one"), 2)];
    let given = then(&given, &[(hand_on(&deployer(), "other", Delivery::Worker), 60)]);
    let story = Story::of(&given);
    assert_eq!(story.intent().checkpoint, Some(digest("one")));
    assert_eq!((story.intent().fence, story.intent().delivery_attempt), (1, 1));
}
