//! How a workflow goes from step to step.

use super::super::record::{Holder, pending_with};
use super::super::workflow::{
    RESULTS_BYTES_MAX, STEP_RESULT_BYTES_MAX, STEPS_BEGUN_MAX, STEPS_MAX,
};
use super::super::{WaitingReason, react};
use super::flow::*;
use super::*;
use crate::message::{Message, Notice};

const NOTHING: Result<&[&str], Rejection> = Ok(&[]);
/// What a table's item takes, in bytes; [`crate::app`] says where it comes from.
const ITEM_BYTES_MAX: usize = 390 * 1024;

#[test]
fn steps_are_taken_one_after_the_other_and_the_last_agents_result_counts() {
    let stages = [agent("build"), human("sign"), agent("ship"), notify("tell")];
    let expected = ["Created", "Submitted", "Offered", "StepBegun"];
    check(&[], (create(flow(&stages)), 0), Ok(&expected));
    let sent = sent(&stages);
    let built = done(&sent, 10);
    let held = ["StepEnded", "StepBegun", "Held", "TaskAssigned"];
    check(&sent, built[1].clone(), Ok(&held));
    check(&built, (approve(), 20), Ok(&["Approved", "StepEnded", "StepBegun"]));
    let signed = then(&built, &[(approve(), 20)]);
    let shipped = done(&signed, 30);
    let told = ["StepEnded", "StepBegun", "Notified", "StepEnded", "Completed"];
    check(&signed, shipped[3].clone(), Ok(&told));
    assert_eq!(path(&shipped), ["build", "sign", "ship", "tell"]);
    assert_eq!(result_of(&shipped), result());
    let notice = Notice::Step { step: 3 };
    let told = Message::Notice { tenant: "default".to_owned(), intent: id(), notice };
    assert_eq!(owed_for(&shipped), [told]);
}

#[test]
fn a_workflow_begins_where_it_says() {
    let mut envelope = flow(&[human("sign"), timeout("never", 1), notify("tell")]);
    envelope.workflow.as_mut().unwrap().entry = 2;
    let given = [(create(envelope.clone()), 0)];
    assert_eq!(path(&given), ["tell"]);
    assert_eq!(result_of(&given), json!({}));
    envelope.workflow.as_mut().unwrap().entry = 3;
    let nowhere = [(create(envelope), 0)];
    assert_eq!(failure_of(&nowhere).code, "no_such_step");
}

#[test]
fn an_agents_step_is_a_child_with_what_it_needs_to_know() {
    let built = done(&sent(&[agent("build"), within(agent("ship"), 600)]), 10);
    let child = child_of(&built, &[]);
    assert_eq!(kinds(&child.events), ["Created", "Submitted", "Offered"]);
    let envelope = &child.intent().envelope;
    let payload = json!({
        "parent_payload": {"build": 7},
        "parent_intent_id": id(),
        "scenario_id": "release",
        "step_id": "ship",
        "attempt": 1,
        "input": {"of": "ship"},
        "results": {"build": result()},
    });
    assert_eq!(Value::Object(envelope.payload.clone()), payload);
    let parent = envelope.parent.as_ref().unwrap();
    assert_eq!((parent.intent, parent.call_id.as_str(), parent.is_step), (id(), "ship", true));
    assert_eq!((envelope.from.as_str(), parent.sender.as_str()), ("sender", "sender"));
    assert_eq!((&envelope.to, &envelope.handler), (&address("desk"), &address("deployer")));
    assert_eq!(envelope.deadline_at, at(10 + 600));
    let first = child_of(&built[..1], &[]);
    assert_eq!(first.intent().envelope.deadline_at, at(DEADLINE), "no longer than its parent");
    assert_ne!(first.intent().id, child.intent().id);
}

#[test]
fn a_child_is_born_with_its_step_and_never_again() {
    let sent = sent(&[agent("build"), agent("ship")]);
    let child = child_of(&sent, &[]).intent().id;
    let built = done(&sent, 10);
    let mut story = Story::of(&built);
    assert_eq!(story.intent().run.as_ref().unwrap().child, Some(child_of(&built, &[]).intent().id));
    for again in [built[1].clone(), (messages::say(&sender(), 1), 11), (Command::Wake, 4_000)] {
        let events = story.take(&again).unwrap();
        assert_eq!(react::births(story.intent(), &again.0, &events), []);
    }
    assert_ne!(story.intent().run.as_ref().unwrap().child, Some(child));
}

#[test]
fn reviewers_see_what_the_steps_before_came_to() {
    let built = done(&sent(&[agent("build"), human("sign"), human("again")]), 10);
    let story = Story::of(&built);
    let hold = story.intent().open_hold().unwrap();
    assert_eq!(hold.proposal, Some(json!({"build": result()})));
    assert_eq!((hold.step, hold.opened_by.as_str()), (Some(1), "sender"));
    let action = story.intent().action(hold).unwrap();
    assert_eq!(action["step_id"], json!("sign"));
    assert_eq!(hold.digest, Digest::of_json(&action));
    let signed = Story::of(&then(&built, &[(approve(), 20)]));
    let next = signed.intent().open_hold().unwrap();
    let proposal = next.proposal.as_ref().unwrap();
    assert_eq!(proposal["sign"]["approved"], json!(true));
    assert_eq!(proposal["sign"]["decided_by"], json!("rita"));
    assert_ne!(next.digest, hold.digest);
}

#[test]
fn a_workflow_of_people_comes_to_their_last_answer() {
    let given = sent(&[human("first"), human("second")]);
    let given = then(&given, &[(approve(), 10), (answer("otto", Outcome::APPROVED), 20)]);
    let result = result_of(&given);
    assert_eq!((&result["approved"], &result["decided_by"]), (&json!(true), &json!("otto")));
    let story = Story::of(&given);
    let last = story.events.last().unwrap();
    let (_, records) = super::super::record::record(None, &story.events);
    assert_eq!(last.kind, EventKind::Completed { result });
    assert_eq!(records.last().unwrap().approved, Some(true));
}

#[test]
fn a_delay_lets_time_pass() {
    let given = sent(&[delay("rest", 60), human("sign")]);
    let over = || Ok(["StepEnded", "StepBegun", "Held", "TaskAssigned"].as_slice());
    check_around(60, &given, &Command::Wake, [NOTHING, over(), over()]);
    let story = Story::of(&given);
    assert_eq!(react::wake_at(story.intent()), Some(at(60)));
    assert_eq!(story.intent().phase.waiting_reason(), Some(WaitingReason::WaitingForTime));
    let none = sent(&[delay("rest", 0), notify("tell")]);
    check(
        &none,
        (Command::Wake, 0),
        Ok(&["StepEnded", "StepBegun", "Notified", "StepEnded", "Completed"]),
    );
    let endless = sent(&[delay("rest", u32::MAX)]);
    check(&endless, (Command::Wake, DEADLINE - 1), NOTHING);
    check(&endless, (Command::Wake, DEADLINE), Ok(&["TimedOut"]));
}

#[test]
fn a_timeout_fails_and_leads_where_it_says() {
    let given = sent(&[timeout("late", 60)]);
    let over = || Ok(["StepEnded", "Failed"].as_slice());
    check_around(60, &given, &Command::Wake, [NOTHING, over(), over()]);
    let late = then(&given, &[(Command::Wake, 60)]);
    assert_eq!(failure_of(&late).code, "step_timeout");
    let given = sent(&[caught(timeout("late", 60), 2), human("never"), escalate("boss")]);
    let late = then(&given, &[(Command::Wake, 60)]);
    assert_eq!(path(&late), ["late", "boss"]);
    assert_eq!(result_of(&late), json!({}));
}

#[test]
fn an_escalation_tells_one_person_once() {
    let given = sent(&[escalate("boss"), human("sign")]);
    let events = ["Created", "Submitted", "Offered", "StepBegun", "Escalated", "StepEnded"];
    let held = ["StepBegun", "Held", "TaskAssigned"];
    check(&[], given[0].clone(), Ok(&[events.as_slice(), &held].concat()));
    let notice = |notice| Message::Notice { tenant: "default".to_owned(), intent: id(), notice };
    assert_eq!(owed_for(&given), [notice(Notice::Step { step: 0 }), notice(Notice::Assigned)]);
    let story = Story::of(&given);
    assert!(!story.intent().open_hold().unwrap().escalated, "it was not this hold");
    check(
        &given,
        (answer("boss", Outcome::APPROVED), 1),
        Ok(&["Approved", "StepEnded", "Completed"]),
    );
}

#[test]
fn steps_lead_back_and_forth() {
    // The person sends it back until it is right.
    let stages = [agent("build"), caught(human("sign"), 0), agent("ship")];
    let built = done(&sent(&stages), 10);
    let no = answer("rita", Outcome::REJECTED);
    check(&built, (no.clone(), 20), Ok(&["Refused", "StepEnded", "StepBegun"]));
    let again = done(&then(&built, &[(no, 20)]), 90);
    let signed = then(&again, &[(approve(), 91)]);
    let shipped = done(&signed, 92);
    assert_eq!(path(&shipped), ["build", "sign", "build", "sign", "ship"]);
    assert_eq!(result_of(&shipped), result());
    let jump = sent(&[followed(notify("a"), 2), human("never"), notify("c")]);
    assert_eq!(path(&jump), ["a", "c"]);
}

#[test]
fn a_workflow_that_goes_in_circles_ends() {
    let mut given = sent(&[caught(agent("build"), 0)]);
    for second in 1.. {
        given = failed(&given, second);
        if Story::of(&given).intent().is_ended() {
            break;
        }
    }
    assert_eq!(path(&given).len(), usize::try_from(STEPS_BEGUN_MAX).unwrap());
    assert_eq!(failure_of(&given).code, "too_many_steps");
}

#[test]
fn steps_that_need_nobody_do_not_make_one_commit_too_large() {
    let long = "s".repeat(255);
    for envelope in [
        flow(&vec![notify(&long); STEPS_MAX]),
        flow(&[followed(escalate(&long), 0)]),
        flow(&[notify(&long), followed(escalate(&long), 0)]),
    ] {
        let mut given = vec![(create(envelope), 0)];
        while !Story::of(&given).intent().is_ended() {
            assert_eq!(
                react::wake_at(Story::of(&given).intent()),
                Some(at(0)),
                "it is due at once"
            );
            given.push((Command::Wake, 0));
            assert!(given.len() < 20);
        }
        let told = path(&given).len();
        let ended = Story::of(&given).intent().status();
        let circles = usize::try_from(STEPS_BEGUN_MAX).unwrap();
        let expected = [(STEPS_MAX, Status::Completed), (circles, Status::Failed)];
        assert!(expected.contains(&(told, ended)), "{told} {ended:?}");
        let (_, commit) = bytes(&given);
        assert!(commit < 96 * 1024, "{commit} bytes");
    }
}

#[test]
fn a_result_too_large_to_pass_on_is_named_by_its_intent() {
    let large = json!("x".repeat(STEP_RESULT_BYTES_MAX));
    let given = sent(&[agent("build"), human("sign"), agent("ship")]);
    let child = child_of(&given, &[(completed(large.clone()), 10)]);
    let built = then(&given, &[(news_of(&child), 10)]);
    let story = Story::of(&built);
    let proposal = story.intent().open_hold().unwrap().proposal.clone();
    assert_eq!(proposal, Some(json!({"build": {"intent_id": child.intent().id}})));
    let fits = json!("x".repeat(STEP_RESULT_BYTES_MAX - 2));
    let built = then(&given, &[(news(&given, &[(completed(fits.clone()), 10)]), 10)]);
    assert_eq!(Story::of(&built).intent().run.as_ref().unwrap().results["build"], fits);
    // It is the result of the whole all the same.
    let only = sent(&[agent("build")]);
    let built = then(&only, &[(news(&only, &[(completed(large.clone()), 10)]), 10)]);
    assert_eq!(result_of(&built), large);
}

#[test]
fn results_that_are_too_many_are_named_by_their_intents() {
    let fits = json!("x".repeat(STEP_RESULT_BYTES_MAX - 2));
    let names = ["a", "b", "c"];
    let mut given = sent(&names.map(agent));
    for _ in names {
        given.push((news(&given, &[(completed(fits.clone()), 10)]), 10));
    }
    let story = Story::of(&given);
    let results = &story.intent().run.as_ref().unwrap().results;
    assert_eq!((&results["a"], &results["b"]), (&fits, &fits));
    assert!(results["c"]["intent_id"].is_string());
    // A step that is taken again takes the place of its own result.
    let circle = sent(&[followed(agent("a"), 0)]);
    let mut given = circle;
    for second in 1..5 {
        given.push((news(&given, &[(completed(fits.clone()), second)]), second));
    }
    assert_eq!(Story::of(&given).intent().run.as_ref().unwrap().results["a"], fits);
    const { assert!(RESULTS_BYTES_MAX >= 2 * STEP_RESULT_BYTES_MAX) };
}

/// Everything as large as the edge lets it in, in the places where it is kept longest.
#[test]
fn the_largest_workflow_fits_into_the_table() {
    let edge = "x".repeat(128 * 1024 - 2_000);
    let stages = [agent("build"), human("sign"), human("again"), signed_off("ship"), agent("last")];
    let mut envelope = flow(&stages);
    envelope.payload.insert("large".to_owned(), json!(edge));
    let sent = vec![(create(envelope), 0)];
    let kept = json!("x".repeat(STEP_RESULT_BYTES_MAX - 2));
    let built = then(&sent, &[(news(&sent, &[(completed(kept), 1)]), 1)]);
    let mut full = says(Outcome::APPROVED, Some("fine"));
    full.data
        .insert("why".to_owned(), json!("x".repeat(super::super::answer::ANSWER_BYTES_MAX - 20)));
    let say = |name: &str| Command::Decide { by: reviewer(name), answer: full.clone(), seen: None };
    let signed = then(&built, &[(say("rita"), 2), (say("otto"), 3)]);
    let most = json!("x".repeat(super::super::human_task::PROPOSAL_BYTES_MAX - 2));
    let steps = [(completed(most), 4), (say("rita"), 5)];
    let child = child_of(&signed, &steps);
    let state = serde_json::to_string(child.intent()).unwrap().len();
    assert!(state < ITEM_BYTES_MAX, "{state} bytes");
    let shipped = then(&signed, &[(news_of(&child), 6)]);
    let whole = json!("x".repeat(128 * 1024 - 2));
    let ended = then(&shipped, &[(news(&shipped, &[(completed(whole.clone()), 7)]), 7)]);
    assert_eq!(result_of(&ended), whole);
    let error = json!(edge);
    let failure = Failure { error, ..failure() };
    let failed = Command::Fail { by: deployer(), fence: None, failure };
    let failed = then(&shipped, &[(news(&shipped, &[(failed, 7)]), 7)]);
    for given in [ended, failed] {
        let (state, commit) = bytes(&given);
        assert!(state < ITEM_BYTES_MAX, "{state} bytes");
        assert!(commit < ITEM_BYTES_MAX, "{commit} bytes");
    }
}

fn completed(result: Value) -> Command {
    Command::Complete { by: deployer(), fence: None, result }
}

#[test]
fn nobody_but_holdpoint_takes_the_steps() {
    let with_agent = sent(&[agent("build")]);
    let waits = || Err(Rejection::NotAgentsTurn(Status::Waiting));
    let any = principal("any", Role::Agent, None);
    let of = |by: &Principal| {
        let by = by.clone();
        [
            Command::Complete { by: by.clone(), fence: None, result: result() },
            Command::Fail { by: by.clone(), fence: None, failure: failure() },
            Command::Advance { by, reason: None, next: None },
        ]
    };
    for command in of(&any).into_iter().chain(of(&sender())) {
        check(&with_agent, (command.clone(), 1), waits());
        check(&sent(&[delay("rest", 60)]), (command.clone(), 1), waits());
        let held = sent(&[human("sign")]);
        check(&held, (command, 1), Err(Rejection::AwaitsDecision));
    }
    let start = Command::Start { by: any.clone(), lease_until: at(60) };
    check(&with_agent, (start, 1), waits());
    check(&with_agent, (Command::Acknowledge { by: any, turn: None }, 1), NOTHING);
    let give_up = Command::GiveUp { attempts: 100 };
    check(&with_agent, (give_up, 1), NOTHING);
    assert_eq!(Story::of(&with_agent).intent().offered(), None);
}

#[test]
fn a_workflow_says_who_has_it() {
    let holder = |given: &[Step]| {
        let story = Story::of(given);
        let holder = pending_with(story.intent()).unwrap();
        (holder.holder, holder.name, story.intent().phase.waiting_reason().unwrap())
    };
    let agents = (Holder::Agent, "deployer".to_owned(), WaitingReason::WaitingForAgent);
    assert_eq!(holder(&sent(&[agent("build")])), agents);
    let people = (Holder::Human, "reviewers".to_owned(), WaitingReason::WaitingForHuman);
    assert_eq!(holder(&sent(&[human("sign")])), people);
    let time = (Holder::Internal, "agent_core".to_owned(), WaitingReason::WaitingForTime);
    assert_eq!(holder(&sent(&[delay("rest", 60)])), time);
}

#[test]
fn a_step_reminds_as_it_says_and_else_as_the_intent_does() {
    let own = Reminders { after_s: Some(5), interval_s: 5, max: 1 };
    let of_intent = Reminders { after_s: Some(30), interval_s: 60, max: 1 };
    for stage in [human, signed_off] {
        for (reminders, escalate_to, due) in
            [(own, Some(address("chief")), 5), (Reminders::default(), None, 30)]
        {
            let boss = escalate_to.clone().unwrap_or_else(|| address("boss"));
            let stage = Stage { reminders, escalate_to, ..stage("sign") };
            let envelope = Envelope {
                reminders: of_intent,
                escalate_to: Some(address("boss")),
                ..flow(&[stage])
            };
            let given = [(create(envelope), 0)];
            let mut story = Story::of(&given);
            if story.intent().open_hold().is_none() {
                story = child_of(&given, &[(complete(None), 0)]);
            }
            assert_eq!(react::wake_at(story.intent()), Some(at(due)));
            assert_eq!(kinds(&story.take(&(Command::Wake, due)).unwrap()), ["Reminded"]);
            let escalated = story.take(&(Command::Wake, DEADLINE - 1)).unwrap();
            assert_eq!(escalated[0].kind, EventKind::Escalated { to: boss, step: None });
        }
    }
}

#[test]
fn a_child_is_offered_as_often_as_the_policy_of_its_parent_says() {
    let patch =
        super::super::policy::Patch { delivery_attempts_max: Some(7), ..Default::default() };
    let given = then(
        &sent(&[human("sign"), agent("build")]),
        &[(policy::change(&sender(), patch), 1), (approve(), 2)],
    );
    let child = child_of(&given, &[]);
    assert_eq!(child.intent().delivery_attempts_max(), 7);
}
