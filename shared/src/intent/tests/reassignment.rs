//! Passing a task on to another reviewer.

use super::*;
use crate::message::{Message, Notice};

/// `by` passes the task on to `to`.
pub(super) fn reassign(by: &str, to: &str) -> Command {
    let note = Some("yours".to_owned());
    Command::Reassign { by: reviewer(by), to: to.to_owned(), note }
}

fn asked(names: &[&str]) -> Vec<Step> {
    let envelope = with_task(held(Placement::OnArrival), |task| {
        task.assignees = names.iter().copied().map(str::to_owned).collect();
    });
    vec![(create(envelope), 0)]
}

fn people(given: &[Step]) -> Vec<String> {
    let story = Story::of(given);
    let hold = story.intent().open_hold().unwrap();
    story.intent().assignees(hold).to_vec()
}

#[test]
fn another_takes_the_place_of_who_passes_it_on() {
    for (names, by, to, after) in [
        (vec![], "rita", "otto", vec!["otto"]),
        (vec![], "rita", "rita", vec!["rita"]),
        (vec!["rita"], "rita", "otto", vec!["otto"]),
        (vec!["mia", "rita"], "rita", "otto", vec!["mia", "otto"]),
        (vec!["rita", "otto"], "rita", "otto", vec!["otto"]),
    ] {
        let given = asked(&names);
        let passed = then(&given, &[(reassign(by, to), 1)]);
        check(&given, passed[1].clone(), Ok(&["Reassigned"]));
        assert_eq!(people(&passed), after, "{names:?}");
        let yes = Ok(["Approved", "Completed"].as_slice());
        check(&passed, (answer(to, Outcome::APPROVED), 2), yes);
        if by != to {
            check(&passed, (answer(by, Outcome::APPROVED), 2), Err(Rejection::NotAssigned));
        }
        check(&passed, (reassign(by, to), 2), Ok(&[]));
        let notice = Notice::Reassigned { to: to.to_owned() };
        let told = Message::Notice { tenant: "default".to_owned(), intent: id(), notice };
        assert_eq!(flow::owed_for(&passed), [told]);
    }
}

#[test]
fn only_whose_task_it_is_passes_it_on() {
    check(&asked(&["rita"]), (reassign("otto", "mia"), 1), Err(Rejection::NotAssigned));
    let passed = then(&asked(&["rita"]), &[(reassign("rita", "otto"), 1)]);
    check(&passed, (reassign("rita", "mia"), 2), Err(Rejection::NotAssigned));
    check(&passed, (reassign("otto", "rita"), 2), Ok(&["Reassigned"]));
    for (by, has) in [(deployer(), Role::Agent), (admin(), Role::Admin)] {
        let command = Command::Reassign { by, to: "otto".to_owned(), note: None };
        let refused = Err(Rejection::WrongRole { has, needs: Role::Reviewer });
        check(&asked(&[]), (command, 1), refused);
    }
}

#[test]
fn it_is_passed_to_nobody_who_asks() {
    let own = || Err(Rejection::SelfApproval);
    check(&asked(&[]), (reassign("rita", "sender"), 1), own());
    check(&asked(&[]), (reassign("sender", "rita"), 1), own());
    let passed = then(&asked(&[]), &[(reassign("rita", "otto"), 1)]);
    check(&passed, (reassign("sender", "otto"), 2), own());
    let result = [(create(held(Placement::OnResult)), 0), (complete(None), 1)];
    check(&result, (reassign("rita", "deployer-key"), 2), own());
    let given = [(create(streamed()), 0), (suspend(None, super::people(&["c"])), 1)];
    for name in ["agent://deployer", "deployer-key", "sender"] {
        let mut child = child(&given, "c", &[]);
        assert_eq!(child.take(&(reassign("rita", name), 2)), Err(Rejection::SelfApproval));
    }
}

#[test]
fn whom_it_was_escalated_to_passes_it_on_for_everybody() {
    let mut envelope = with_task(held(Placement::OnArrival), |task| {
        task.assignees = vec!["rita".to_owned()];
    });
    envelope.reminders = Reminders { after_s: Some(30), interval_s: 30, max: 0 };
    envelope.escalate_to = Some(address("boss"));
    let given = [(create(envelope), 0), (Command::Wake, 30)];
    let passed = then(&given, &[(reassign("boss", "otto"), 31)]);
    assert_eq!(people(&passed), ["otto"]);
    check(&passed, (answer("boss", Outcome::APPROVED), 32), Ok(&["Approved", "Completed"]));
}

#[test]
fn what_is_shown_stays_the_same() {
    let given = asked(&["rita"]);
    let before = Story::of(&given).intent().open_hold().unwrap().digest.clone();
    let passed = then(&given, &[(reassign("rita", "otto"), 1)]);
    let story = Story::of(&passed);
    let hold = story.intent().open_hold().unwrap();
    assert_eq!(
        (&hold.digest, &before),
        (&Digest::of_json(&story.intent().action(hold).unwrap()), &hold.digest)
    );
    assert_eq!(story.intent().human_task().unwrap().assignees, ["rita"]);
}

#[test]
fn only_an_open_task_is_passed_on() {
    let nothing = Err(Rejection::NothingToDecide(Status::Delivered));
    check(&[(create(streamed()), 0)], (reassign("rita", "otto"), 1), nothing);
    let ended = then(&asked(&[]), &[(approve(), 1)]);
    check(&ended, (reassign("rita", "otto"), 2), Err(Rejection::Ended(Status::Completed)));
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    let passed = Ok(["Reassigned"].as_slice());
    check_around(DEADLINE, &asked(&[]), &reassign("rita", "otto"), [passed, late(), late()]);
}
