//! Who may decide, on what, and until when.

use super::*;

fn on_arrival() -> Vec<Step> {
    vec![(create(held(Placement::OnArrival)), 0)]
}

fn on_result() -> Vec<Step> {
    vec![(create(held(Placement::OnResult)), 0), (complete(None), 1)]
}

#[test]
fn a_question_is_held_on_arrival() {
    let expected = ["Created", "Submitted", "Offered", "Held", "TaskAssigned"];
    check(&[], (create(held(Placement::OnArrival)), 0), Ok(&expected));
    let story = Story::of(&on_arrival());
    let hold = story.intent().open_hold().unwrap();
    assert_eq!((hold.version, &hold.proposal, hold.opened_at), (8, &None, at(0)));
}

#[test]
fn a_result_is_held_for_its_sign_off() {
    let given = [(create(held(Placement::OnResult)), 0)];
    check(&given, (complete(None), 1), Ok(&["Started", "Held", "TaskAssigned"]));
    let story = Story::of(&on_result());
    let hold = story.intent().open_hold().unwrap();
    assert_eq!((hold.version, &hold.proposal, hold.opened_at), (10, &Some(result()), at(1)));
}

#[test]
fn a_result_that_a_digest_would_round_cannot_be_held() {
    let rounded = Command::Complete { by: deployer(), fence: None, result: json!([u64::MAX]) };
    check(&[(create(held(Placement::OnResult)), 0)], (rounded, 1), Err(Rejection::InexactNumber));
}

#[test]
fn a_held_result_that_is_sent_again_changes_nothing_and_another_one_is_refused() {
    check(&on_result(), (complete(None), 2), Ok(&[]));
    check(&on_result(), (complete(Some(1)), 2), Ok(&[]));
    let another = Command::Complete { by: deployer(), fence: None, result: json!("another") };
    check(&on_result(), (another, 2), Err(Rejection::AwaitsDecision));
}

#[test]
fn no_agent_goes_on_while_a_person_decides() {
    for given in [on_arrival(), on_result()] {
        for command in [
            start(60),
            step(1, 60, "a"),
            suspend(None, WaitsFor::Tool),
            suspend(None, people(&["c"])),
            claim(None, "c", false, "t"),
            fail(None),
            advance(),
            Command::Complete { by: sender(), fence: None, result: json!("another") },
        ] {
            check(&given, (command, 2), Err(Rejection::AwaitsDecision));
        }
    }
}

#[test]
fn a_number_that_a_digest_cannot_hold_is_not_shown() {
    let number = Command::Complete { by: deployer(), fence: None, result: json!([u64::MAX]) };
    let given = [(create(held(Placement::OnResult)), 0)];
    check(&given, (number.clone(), 1), Err(Rejection::InexactNumber));
    check(&[(create(streamed()), 0)], (number, 1), Ok(&["Started", "Completed"]));
    let mut request = ask("c");
    request.arguments.insert("n".to_owned(), json!(u64::MAX));
    let number = suspend(None, WaitsFor::People(vec![request]));
    check(&[(create(streamed()), 0)], (number, 1), Err(Rejection::InexactNumber));
}

#[test]
fn a_failure_needs_no_sign_off() {
    let given = [(create(held(Placement::OnResult)), 0)];
    check(&given, (fail(None), 1), Ok(&["Started", "Failed"]));
}

#[test]
fn a_yes_completes_with_the_result_that_was_shown() {
    let given = then(&on_result(), &[(approve(), 2)]);
    check(&on_result(), (approve(), 2), Ok(&["Approved", "Completed"]));
    let story = Story::of(&given);
    let completed = EventKind::Completed { result: result() };
    assert_eq!(story.events.last().unwrap().kind, completed);
    let decision = &story.intent().decided().unwrap().decision;
    assert_eq!((decision.by.as_str(), decision.outcome.clone()), ("rita", Outcome::APPROVED));
    assert_eq!(decision.digest, story.intent().decided().unwrap().hold.digest);
}

#[test]
fn a_yes_to_a_question_is_its_result() {
    let story = Story::of(&then(&on_arrival(), &[(approve(), 2)]));
    let expected = json!({
        "approved": true,
        "outcome": "approved",
        "comment": null,
        "decided_by": "rita",
        "decided_at": "1970-01-01T00:00:02Z",
    });
    let completed = EventKind::Completed { result: expected };
    assert_eq!(story.events.last().unwrap().kind, completed);
}

#[test]
fn a_result_of_null_is_signed_off_as_it_is() {
    let nothing = Command::Complete { by: deployer(), fence: None, result: Value::Null };
    let given = [(create(held(Placement::OnResult)), 0), (nothing.clone(), 1)];
    let mut story = Story::of(&given);
    let stored = serde_json::to_string(story.intent()).unwrap();
    story.intent = serde_json::from_str(&stored).unwrap();
    assert_eq!(story.take(&(nothing, 2)), Ok(vec![]));
    let events = story.take(&(approve(), 2)).unwrap();
    assert_eq!(events[1].kind, EventKind::Completed { result: Value::Null });
}

#[test]
fn a_no_fails_the_intent_with_the_reviewers_words() {
    for given in [on_arrival(), on_result()] {
        check(&given, (reject(), 2), Ok(&["Failed"]));
        let comment = Some("not on a Friday".to_owned());
        let by = reviewer("rita");
        let no = Command::Decide {
            by,
            answer: Answer { comment, ..says(Outcome::REJECTED, None) },
            seen: None,
        };
        let story = Story::of(&then(&given, &[(no, 2)]));
        let Phase::Failed { failure, decided, .. } = &story.intent().phase else {
            panic!("{:?}", story.intent().phase);
        };
        assert_eq!(failure.code, "rejected");
        assert_eq!(failure.reason, "not on a Friday");
        assert_eq!(decided.as_ref().unwrap().decision.outcome, Outcome::REJECTED);
    }
}

#[test]
fn a_decision_at_or_after_the_deadline_is_refused() {
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    for given in [on_arrival(), on_result()] {
        let yes = Ok(["Approved", "Completed"].as_slice());
        check_around(DEADLINE, &given, &approve(), [yes, late(), late()]);
        check_around(DEADLINE, &given, &reject(), [Ok(&["Failed"]), late(), late()]);
        let timed_out = then(&given, &[(Command::Wake, DEADLINE)]);
        check(&timed_out, (approve(), DEADLINE + 1), late());
    }
}

#[test]
fn only_reviewers_decide() {
    for (by, has) in [(deployer(), Role::Agent), (sender(), Role::Agent), (admin(), Role::Admin)] {
        for outcome in PLAIN {
            let command =
                Command::Decide { by: by.clone(), answer: says(outcome, None), seen: None };
            let refused = || Err(Rejection::WrongRole { has, needs: Role::Reviewer });
            check(&on_arrival(), (command.clone(), 1), refused());
            check(&on_result(), (command.clone(), 2), refused());
            check(&[(create(streamed()), 0)], (command, 2), refused());
        }
    }
}

#[test]
fn the_sender_does_not_decide_what_it_sent() {
    let own = answer("sender", Outcome::APPROVED);
    check(&on_arrival(), (own.clone(), 1), Err(Rejection::SelfApproval));
    check(&on_result(), (own, 2), Err(Rejection::SelfApproval));
}

#[test]
fn who_gave_the_result_does_not_sign_it_off() {
    let own = answer("deployer-key", Outcome::APPROVED);
    check(&on_result(), (own.clone(), 2), Err(Rejection::SelfApproval));
    let decided = then(&on_result(), &[(approve(), 2)]);
    check(&decided, (own.clone(), 3), Err(Rejection::SelfApproval));
    check(&on_arrival(), (own, 2), Ok(&["Approved", "Completed"]));
}

#[test]
fn only_the_assigned_decide() {
    let assigned = |placement| {
        with_task(held(placement), |task| {
            task.assignees = vec!["rita".to_owned(), "sender".to_owned()];
        })
    };
    let given = [(create(assigned(Placement::OnArrival)), 0)];
    check(&given, (approve(), 1), Ok(&["Approved", "Completed"]));
    check(&given, (answer("otto", Outcome::APPROVED), 1), Err(Rejection::NotAssigned));
    check(&given, (answer("sender", Outcome::APPROVED), 1), Err(Rejection::SelfApproval));
    let given = [(create(assigned(Placement::OnResult)), 0), (complete(None), 1)];
    check(&given, (reject(), 2), Ok(&["Failed"]));
    check(&given, (answer("otto", Outcome::REJECTED), 2), Err(Rejection::NotAssigned));
}

#[test]
fn who_a_task_is_escalated_to_decides_it_too_and_may_say_it_again() {
    let assigned = with_task(held(Placement::OnArrival), |task| {
        task.assignees = vec!["rita".to_owned()];
    });
    let reminders = Reminders { after_s: Some(30), interval_s: 30, max: 1 };
    let escalate_to = Some(address("boss"));
    let given = [(create(Envelope { reminders, escalate_to, ..assigned }), 0)];
    let yes = answer("boss", Outcome::APPROVED);
    let reminded = then(&given, &[(Command::Wake, 30)]);
    check(&reminded, (yes.clone(), 59), Err(Rejection::NotAssigned));
    let escalated = then(&reminded, &[(Command::Wake, 60)]);
    check(&escalated, (yes.clone(), 61), Ok(&["Approved", "Completed"]));
    check(&escalated, (approve(), 61), Ok(&["Approved", "Completed"]));
    check(&escalated, (answer("otto", Outcome::APPROVED), 61), Err(Rejection::NotAssigned));
    let decided = then(&escalated, &[(yes.clone(), 61)]);
    check(&decided, (yes, 62), Ok(&[]));
}

#[test]
fn who_may_not_decide_learns_nothing_of_a_decision() {
    let given = with_task(held(Placement::OnArrival), |task| {
        task.assignees = vec!["rita".to_owned()];
    });
    let given = [(create(given), 0), (approve(), 1)];
    check(&given, (answer("otto", Outcome::APPROVED), 2), Err(Rejection::NotAssigned));
    check(&given, (answer("sender", Outcome::APPROVED), 2), Err(Rejection::SelfApproval));
}

#[test]
fn a_decision_fits_only_what_was_seen() {
    for given in [on_arrival(), on_result()] {
        let story = Story::of(&given);
        let hold = story.intent().open_hold().unwrap();
        let decide = |version, digest: &Digest| {
            let seen = Some(Seen { version, digest: digest.clone() });
            let by = reviewer("rita");
            Command::Decide { by, answer: says(Outcome::APPROVED, None), seen }
        };
        let right = decide(hold.version, &hold.digest);
        check(&given, (right.clone(), 2), Ok(&["Approved", "Completed"]));
        let older = decide(hold.version - 2, &hold.digest);
        check(&given, (older, 2), Err(Rejection::StaleView));
        let other = decide(hold.version, &digest("another action"));
        check(&given, (other, 2), Err(Rejection::StaleView));
        let second = then(&given, &[(right.clone(), 2)]);
        check(&second, (right, 3), Ok(&[]));
    }
}

#[test]
fn a_reminder_leaves_the_reviewers_view_fresh() {
    let reminders = Reminders { after_s: Some(30), interval_s: 30, max: 1 };
    let envelope = Envelope { reminders, ..held(Placement::OnArrival) };
    let given = [(create(envelope), 0)];
    let before = Story::of(&given).intent().open_hold().unwrap().clone();
    let seen = Some(Seen { version: before.version, digest: before.digest });
    let by = reviewer("rita");
    let command = Command::Decide { by, answer: says(Outcome::APPROVED, None), seen };
    let reminded = then(&given, &[(Command::Wake, 30)]);
    check(&reminded, (command, 31), Ok(&["Approved", "Completed"]));
}

#[test]
fn a_required_comment_has_words() {
    let envelope = with_task(held(Placement::OnArrival), |task| task.required_comment = true);
    let given = [(create(envelope), 0)];
    let says = |comment: Option<&str>| {
        let comment = comment.map(str::to_owned);
        let by = reviewer("rita");
        (
            Command::Decide {
                by,
                answer: Answer { comment, ..says(Outcome::APPROVED, None) },
                seen: None,
            },
            1,
        )
    };
    for without in [None, Some(""), Some(" \n\t")] {
        check(&given, says(without), Err(Rejection::CommentRequired));
    }
    check(&given, says(Some("fine")), Ok(&["Approved", "Completed"]));
}

#[test]
fn only_an_allowed_answer_is_taken() {
    let envelope = with_task(held(Placement::OnArrival), |task| {
        task.allowed_outcomes = vec![Outcome::APPROVED];
    });
    let given = [(create(envelope), 0)];
    check(
        &given,
        (reject(), 1),
        Err(Rejection::OutcomeNotAllowed {
            outcome: Outcome::REJECTED,
            allowed: vec![Outcome::APPROVED],
        }),
    );
    check(&given, (approve(), 1), Ok(&["Approved", "Completed"]));
}

#[test]
fn a_decision_is_made_once_and_may_be_said_again() {
    for (outcome, other) in
        [(Outcome::APPROVED, Outcome::REJECTED), (Outcome::REJECTED, Outcome::APPROVED)]
    {
        for given in [on_arrival(), on_result()] {
            let again = || answer("rita", outcome.clone());
            let given = then(&given, &[(again(), 2)]);
            let by = "rita".to_owned();
            let decided = || {
                Err(Rejection::AlreadyDecided {
                    outcome: outcome.clone(),
                    by: by.clone(),
                    decided_at: at(2),
                })
            };
            check(&given, (again(), 3), Ok(&[]));
            check(&given, (again(), DEADLINE + 1), Ok(&[]));
            check(&given, (answer("rita", other.clone()), 3), decided());
            check(&given, (answer("otto", outcome.clone()), 3), decided());
            check(&given, (answer("otto", other.clone()), 3), decided());
        }
    }
}

#[test]
fn where_nothing_is_asked_nothing_is_decided() {
    let nothing = |status| Err(Rejection::NothingToDecide(status));
    let sent = [(create(streamed()), 0)];
    check(&sent, (approve(), 1), nothing(Status::Delivered));
    let not_yet = [(create(held(Placement::OnResult)), 0)];
    check(&not_yet, (approve(), 1), nothing(Status::Delivered));
    let going = then(&not_yet, &[(start(60), 1)]);
    check(&going, (approve(), 2), nothing(Status::InProgress));
    let asks = then(&sent, &[(suspend(None, people(&["c"])), 1)]);
    check(&asks, (approve(), 2), nothing(Status::Waiting));
}

#[test]
fn what_ended_without_a_decision_cannot_be_decided() {
    for given in [on_arrival(), on_result()] {
        let canceled = then(&given, &[(cancel(), 2)]);
        check(&canceled, (approve(), 3), Err(Rejection::Ended(Status::Canceled)));
    }
    let completed = [(create(streamed()), 0), (complete(None), 1)];
    check(&completed, (approve(), 2), Err(Rejection::Ended(Status::Completed)));
    let failed = [(create(held(Placement::OnResult)), 0), (fail(None), 1)];
    check(&failed, (reject(), 2), Err(Rejection::Ended(Status::Failed)));
}

#[test]
fn the_digest_covers_every_fact_of_the_action() {
    let digest = |envelope: &Envelope, proposal: Value| {
        let any = principal("any", Role::Agent, None);
        let by = Principal { tenant: envelope.tenant.clone(), ..any };
        let complete = Command::Complete { by, fence: None, result: proposal };
        let story = Story::of(&[(create(envelope.clone()), 0), (complete, 1)]);
        let intent = story.intent();
        let hold = intent.open_hold().unwrap();
        assert_eq!(hold.digest, Digest::of_json(&intent.action(hold).unwrap()));
        hold.digest.clone()
    };
    let base = held(Placement::OnResult);
    let task = |change: fn(&mut HumanTask)| with_task(base.clone(), change);
    let changed = [
        Envelope { tenant: "other".to_owned(), ..base.clone() },
        Envelope { intent_type: "intent.other.v1".to_owned(), ..base.clone() },
        Envelope { correlation_id: Uuid::max(), ..base.clone() },
        Envelope { from: "other".to_owned(), ..base.clone() },
        Envelope { to: address("other"), ..base.clone() },
        Envelope { handler: address("other"), ..base.clone() },
        Envelope { reply_to: Some(address("other")), ..base.clone() },
        Envelope { payload: serde_json::Map::new(), ..base.clone() },
        Envelope { deadline_at: at(DEADLINE + 1), ..base.clone() },
        task(|task| task.title.push('!')),
        task(|task| task.description = Some("more".to_owned())),
        task(|task| task.allowed_outcomes = vec![Outcome::APPROVED]),
        task(|task| task.assignees = vec!["rita".to_owned()]),
    ];
    let shown = digest(&base, result());
    for envelope in &changed {
        assert_ne!(digest(envelope, result()), shown, "{envelope:?}");
    }
    assert_ne!(digest(&base, json!("another")), shown);
    // How people are told and reminded, and how the agent is reached, is no part of what is done.
    let told_otherwise = [
        Envelope { delivery: Delivery::Worker, ..base.clone() },
        Envelope { delivery_attempts_max: Some(9), ..base.clone() },
        Envelope { escalate_to: Some(address("boss")), ..base.clone() },
        task(|task| task.notify_email = Some("rita@example.com".to_owned())),
        task(|task| task.required_comment = true),
    ];
    for envelope in &told_otherwise {
        assert_eq!(digest(envelope, result()), shown, "{envelope:?}");
    }
}
