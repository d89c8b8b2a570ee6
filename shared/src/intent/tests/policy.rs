//! Controls and policy: who may change what, and what counts then.

use std::collections::{BTreeMap, BTreeSet};

use super::super::policy::{CONTROLS_MAX, GRANTS_MAX, POLICY_BYTES_MAX, Patch, Right};
use super::super::react;
use super::*;

const CHANGED: Result<&[&str], Rejection> = Ok(&["PolicyChanged"]);

/// A change of the policy.
pub(super) fn change(by: &Principal, patch: Patch) -> Command {
    of(by, patch, Right::UpdatePolicy, None)
}

fn of(by: &Principal, patch: Patch, right: Right, expected_generation: Option<u64>) -> Command {
    let (by, patch) = (by.clone(), Box::new(patch));
    Command::ChangePolicy { by, patch, right, expected_generation, reason: None }
}

fn given() -> Vec<Step> {
    vec![(create(streamed()), 0)]
}

fn controls(value: &Value) -> Patch {
    let Value::Object(controls) = value.clone() else { panic!("{value}") };
    Patch { controls, ..Patch::default() }
}

fn grants(name: &str, rights: &[Right]) -> Patch {
    let rights = rights.iter().copied().collect();
    Patch { grants: BTreeMap::from([(name.to_owned(), rights)]), ..Patch::default() }
}

fn until(second: i64) -> Patch {
    Patch { deadline_at: Some(at(second)), ..Patch::default() }
}

#[test]
fn every_change_counts_one_generation() {
    let patch = || controls(&json!({"speed": 1}));
    let by = |expected| of(&sender(), patch(), Right::UpdateControls, expected);
    let stale = |generation| Err(Rejection::StalePolicy { generation });
    check(&given(), (by(Some(0)), 1), CHANGED);
    check(&given(), (by(Some(1)), 1), stale(0));
    let once = then(&given(), &[(by(Some(0)), 1)]);
    check(&once, (by(Some(0)), 2), stale(1));
    check(&once, (by(Some(1)), 2), CHANGED);
    check(&once, (by(None), 2), CHANGED);
    let story = Story::of(&then(&once, &[(by(None), 2)]));
    assert_eq!(story.intent().policy.generation, 2);
    let EventKind::PolicyChanged { generation, .. } = story.events.last().unwrap().kind else {
        panic!("{:?}", story.events)
    };
    assert_eq!(generation, 2);
}

#[test]
fn what_a_change_leaves_out_stays() {
    let steps = [
        controls(&json!({"speed": 1, "colour": "red"})),
        controls(&json!({"speed": null, "size": 2})),
        grants("a", &[Right::Resume]),
        grants("b", &[Right::UpdatePolicy]),
        grants("a", &[]),
        until(500),
        Patch { delivery_attempts_max: Some(9), ..Patch::default() },
    ];
    let steps = steps.map(|patch| (change(&sender(), patch), 1));
    let story = Story::of(&then(&given(), &steps));
    let policy = &story.intent().policy;
    assert_eq!(Value::Object(policy.controls.clone()), json!({"colour": "red", "size": 2}));
    let expected = BTreeMap::from([("b".to_owned(), BTreeSet::from([Right::UpdatePolicy]))]);
    assert_eq!(policy.grants, expected);
    assert_eq!(story.intent().deadline_at(), at(500));
    assert_eq!(story.intent().delivery_attempts_max(), 9);
    assert_eq!(story.intent().envelope, streamed(), "what was sent stays as it was");
}

#[test]
fn the_sender_and_administrators_change_it_and_others_with_a_grant() {
    let anything = || controls(&json!({"speed": 1}));
    for right in [Right::UpdateControls, Right::UpdatePolicy] {
        for by in [sender(), admin()] {
            check(&given(), (of(&by, anything(), right, None), 1), CHANGED);
        }
        for by in [deployer(), stranger(), reviewer("rita"), reviewer("sender")] {
            let refused = Err(Rejection::NotGranted);
            check(&given(), (of(&by, anything(), right, None), 1), refused);
        }
    }
}

/// Rows of what is granted, and columns of what it is used for.
#[test]
fn a_grant_allows_what_it_says_and_nothing_more() {
    let uses = |by: &Principal| {
        [
            of(by, controls(&json!({"speed": 1})), Right::UpdateControls, None),
            of(by, controls(&json!({"speed": 1})), Right::UpdatePolicy, None),
            of(by, grants("friend", &[Right::Resume]), Right::UpdateControls, None),
            of(by, controls(&json!({"speed": 1})), Right::Resume, None),
        ]
    };
    for (granted, allowed) in [
        (vec![Right::Resume], [false; 4]),
        (vec![Right::UpdateControls], [true, false, false, false]),
        (vec![Right::UpdatePolicy], [true; 4]),
        (vec![], [false; 4]),
    ] {
        for name in ["stranger", "agent://elsewhere"] {
            let given = then(&given(), &[(change(&sender(), grants(name, &granted)), 1)]);
            for (command, allowed) in uses(&stranger()).into_iter().zip(allowed) {
                let expected = if allowed { CHANGED } else { Err(Rejection::NotGranted) };
                check(&given, (command, 2), expected);
            }
            let intent = Story::of(&given).intent().clone();
            assert_eq!(intent.grants_any(&stranger()), !granted.is_empty());
            assert!(!intent.grants_any(&deployer()));
        }
    }
}

#[test]
fn a_grant_to_resume_gives_results_and_decides_nothing() {
    let granted = |envelope| {
        then(
            &[(create(envelope), 0)],
            &[(change(&sender(), grants("stranger", &[Right::Resume])), 1)],
        )
    };
    let complete = Command::Complete { by: stranger(), fence: None, result: result() };
    check(&given(), (complete.clone(), 2), Err(Rejection::NotTheHandler));
    check(&granted(streamed()), (complete.clone(), 2), Ok(&["Started", "Completed"]));
    let held = held(Placement::OnResult);
    let signed = granted(held.clone());
    check(&signed, (complete.clone(), 2), Ok(&["Started", "Held", "TaskAssigned"]));
    let waiting = then(&signed, &[(complete, 2)]);
    let decide =
        Command::Decide { by: stranger(), answer: says(Outcome::APPROVED, None), seen: None };
    let refused = Err(Rejection::WrongRole { has: Role::Agent, needs: Role::Reviewer });
    check(&waiting, (decide, 3), refused);
    let own = answer("stranger", Outcome::APPROVED);
    check(&waiting, (own, 3), Err(Rejection::SelfApproval));
    // A reviewer's key with the same name is no agent's.
    let person = Command::Complete { by: reviewer("stranger"), fence: None, result: result() };
    let refused = Err(Rejection::WrongRole { has: Role::Reviewer, needs: Role::Agent });
    check(&granted(held), (person, 2), refused);
}

#[test]
fn the_sender_brings_the_deadline_forward_and_only_administrators_put_it_off() {
    let later = until(DEADLINE + 1);
    check(
        &given(),
        (change(&sender(), later.clone()), 1),
        Err(Rejection::OnlyShortens(at(DEADLINE))),
    );
    check(&given(), (change(&admin(), later.clone()), 1), CHANGED);
    check(&given(), (change(&sender(), until(DEADLINE)), 1), CHANGED);
    check(&given(), (change(&sender(), until(2)), 1), CHANGED);
    for by in [sender(), admin()] {
        let passed = Err(Rejection::DeadlineNotAhead(at(1)));
        check(&given(), (change(&by, until(1)), 1), passed);
    }
    let sooner = then(&given(), &[(change(&sender(), until(500)), 1)]);
    check(&sooner, (change(&sender(), until(501)), 2), Err(Rejection::OnlyShortens(at(500))));
    assert_eq!(react::wake_at(Story::of(&sooner).intent()), Some(at(500)));
    let timed_out = || Ok(["TimedOut"].as_slice());
    check_around(500, &sooner, &Command::Wake, [Ok(&[]), timed_out(), timed_out()]);
    check(&sooner, (complete(None), 500), Err(Rejection::DeadlinePassed(at(500))));
    let put_off = then(&given(), &[(change(&admin(), until(DEADLINE + 100)), 1)]);
    check(&put_off, (complete(None), DEADLINE), Ok(&["Started", "Completed"]));
}

#[test]
fn a_new_deadline_holds_for_decisions_and_leaves_what_was_shown_as_it_was() {
    let given = [(create(held(Placement::OnArrival)), 0)];
    let before = Story::of(&given).intent().open_hold().unwrap().clone();
    let given = then(&given, &[(change(&sender(), until(500)), 1)]);
    let story = Story::of(&given);
    let hold = story.intent().open_hold().unwrap();
    assert_eq!(*hold, before);
    assert_eq!(hold.digest, Digest::of_json(&story.intent().action(hold).unwrap()));
    let late = || Err(Rejection::DeadlinePassed(at(500)));
    check_around(500, &given, &approve(), [Ok(&["Approved", "Completed"]), late(), late()]);
}

#[test]
fn nothing_is_changed_after_the_end_or_the_deadline() {
    let patch = || controls(&json!({"speed": 1}));
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check_around(DEADLINE, &given(), &change(&admin(), patch()), [CHANGED, late(), late()]);
    let ended = then(&given(), &[(complete(None), 1)]);
    check(&ended, (change(&admin(), patch()), 2), Err(Rejection::Ended(Status::Completed)));
}

#[test]
fn an_intent_keeps_so_many_controls_and_grants_and_no_more() {
    let many = |count: usize| {
        let fields = (0..count).map(|n| (format!("c{n}"), json!(n))).collect();
        controls(&Value::Object(fields))
    };
    check(&given(), (change(&sender(), many(CONTROLS_MAX)), 1), CHANGED);
    check(&given(), (change(&sender(), many(CONTROLS_MAX + 1)), 1), Err(Rejection::PolicyTooLarge));
    let full = then(&given(), &[(change(&sender(), many(CONTROLS_MAX)), 1)]);
    check(
        &full,
        (change(&sender(), controls(&json!({"more": 1}))), 2),
        Err(Rejection::PolicyTooLarge),
    );
    check(&full, (change(&sender(), controls(&json!({"more": 1, "c0": null}))), 2), CHANGED);
    let friends = |count: usize| Patch {
        grants: (0..count).map(|n| (format!("g{n}"), BTreeSet::from([Right::Resume]))).collect(),
        ..Patch::default()
    };
    check(&given(), (change(&sender(), friends(GRANTS_MAX)), 1), CHANGED);
    check(
        &given(),
        (change(&sender(), friends(GRANTS_MAX + 1)), 1),
        Err(Rejection::PolicyTooLarge),
    );
    let large = |bytes: usize| controls(&json!({"a": "x".repeat(bytes - 13)}));
    check(&given(), (change(&sender(), large(POLICY_BYTES_MAX)), 1), CHANGED);
    let larger = large(POLICY_BYTES_MAX + 1);
    check(&given(), (change(&sender(), larger), 1), Err(Rejection::PolicyTooLarge));
}

#[test]
fn offers_follow_the_policy() {
    let patch = Patch { delivery_attempts_max: Some(1), ..Patch::default() };
    let worker = [(create(worked()), 0)];
    let once = then(&worker, &[(change(&sender(), patch), 1)]);
    check(&once, (Command::Wake, 300), Ok(&["DeliveryFailed", "Failed"]));
    let patch = Patch { retry_backoff_s: Some(10), ..Patch::default() };
    for delivery in [Delivery::Worker, Delivery::Push] {
        let given = [(create(Envelope { delivery, ..worked() }), 0)];
        let given = then(&given, &[(change(&sender(), patch.clone()), 1), (Command::Wake, 300)]);
        let offered = Ok(["Offered"].as_slice());
        check_around(320, &given, &Command::Wake, [Ok(&[]), offered.clone(), offered]);
    }
    let forever = Patch { retry_backoff_s: Some(u32::MAX), ..Patch::default() };
    let given = then(&worker, &[(change(&sender(), forever), 1), (Command::Wake, 300)]);
    assert_eq!(react::wake_at(Story::of(&given).intent()), Some(at(DEADLINE)));
}
