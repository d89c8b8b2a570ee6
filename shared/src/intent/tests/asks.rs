//! Approvals that an agent asks for in the middle of its work.

use super::super::ask::{ASK_INTENT_TYPE, ASKS_PER_INTENT_MAX, ASKS_PER_SUSPENSION_MAX};
use super::super::react;
use super::*;

fn asked(call_ids: &[&str]) -> Vec<Step> {
    vec![(create(streamed()), 0), (suspend(None, people(call_ids)), 10)]
}

#[test]
fn an_agent_stops_for_a_persons_yes() {
    let given = [(create(streamed()), 0)];
    check(&given, (suspend(None, people(&["c"])), 10), Ok(&["Started", "Suspended"]));
    let given = [(create(worked()), 0), (start(60), 1)];
    check(&given, (suspend(Some(1), people(&["c"])), 10), Ok(&["Suspended"]));
    for command in [start(60), complete(None), fail(None), advance()] {
        check(&asked(&["c"]), (command, 11), Err(Rejection::AwaitsDecision));
    }
}

#[test]
fn it_goes_on_when_the_last_question_has_ended() {
    let given = asked(&["a", "b", "c"]);
    let news = |call, outcome| end_ask(&given, call, &[(answer("rita", outcome), 11)]);
    let (a, b) = (news("a", Outcome::APPROVED), news("b", Outcome::REJECTED));
    let c = end_ask(&given, "c", &[(cancel_as_deployer(), 12)]);
    check(&given, (b.clone(), 12), Ok(&["AskEnded"]));
    let one_left = then(&given, &[(b.clone(), 12), (c.clone(), 13)]);
    check(&one_left, (a.clone(), 14), Ok(&["AskEnded", "Resumed"]));
    let all = then(&one_left, &[(a.clone(), 14)]);
    for again in [a, b, c] {
        check(&all, (again, 15), Ok(&[]));
    }
    let story = Story::of(&all);
    let approved = |call: &str| {
        let ask = story.intent().asks.iter().find(|ask| ask.call_id == call).unwrap();
        ask.ending.as_ref().unwrap().is_approved()
    };
    assert_eq!(["a", "b", "c"].map(approved), [true, false, false]);
}

/// The child's sender is the address of the agent that asks.
fn cancel_as_deployer() -> Command {
    let by = principal("agent://deployer", Role::Agent, None);
    Command::Cancel { by, reason: "not needed".to_owned() }
}

#[test]
fn news_of_a_stranger_change_nothing() {
    let ending = AskEnding { status: Status::TimedOut, decision: None };
    let stranger = Command::EndAsk { child: id(), ending };
    check(&asked(&["c"]), (stranger, 11), Ok(&[]));
}

#[test]
fn a_question_that_times_out_lets_the_agent_go_on_without_a_yes() {
    let mut request = ask("c");
    request.timeout_s = Some(100);
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::People(vec![request])), 10)];
    let late = || Err(Rejection::DeadlinePassed(at(110)));
    for (second, then) in
        [(109, Ok(["Approved", "Completed"].as_slice())), (110, late()), (111, late())]
    {
        let mut child = child(&given, "c", &[]);
        let happened = child.take(&(approve(), second)).map(|events| kinds(&events));
        assert_eq!(happened, then.map(<[&str]>::to_vec), "at {second}");
    }
    let news = end_ask(&given, "c", &[(Command::Wake, 110)]);
    check(&given, (news, 111), Ok(&["AskEnded", "Resumed"]));
}

#[test]
fn a_suspension_that_is_repeated_asks_once() {
    let command = suspend_from(None, (None, Some("state")), people(&["a", "b"]));
    let given = [(create(streamed()), 0), (command.clone(), 10)];
    check(&given, (command.clone(), 11), Ok(&[]));
    let news = end_ask(&given, "a", &[(approve(), 11)]);
    let given = then(&given, &[(news, 12)]);
    check(&given, (command.clone(), 13), Ok(&[]));
    let news = end_ask(&given[..2], "b", &[(approve(), 11)]);
    let given = then(&given, &[(news, 13)]);
    check(&given, (command.clone(), 14), Ok(&[]));
    let given = then(&given, &[(complete(None), 15)]);
    check(&given, (command, 16), Ok(&[]));
}

#[test]
fn a_suspension_without_a_run_state_is_repeated_over_a_stored_one() {
    let given = [(create(worked()), 0), (start(60), 1), (step(1, 60, "one"), 2)];
    for waits_for in [people(&["c"]), WaitsFor::Tool, WaitsFor::Time(at(500))] {
        let command = suspend_from(Some(1), (Some("one"), None), waits_for);
        let given = then(&given, &[(command.clone(), 3)]);
        check(&given, (command, 4), Ok(&[]));
    }
}

#[test]
fn a_suspension_for_a_tool_or_a_moment_is_repeated_too() {
    for waits_for in [WaitsFor::Tool, WaitsFor::Time(at(500))] {
        for stored in [None, Some("state")] {
            let command = suspend_from(None, (None, stored), waits_for.clone());
            let given = [(create(streamed()), 0), (command.clone(), 10)];
            check(&given, (command, 11), Ok(&[]));
        }
    }
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(500))), 10)];
    let other = suspend(None, WaitsFor::Time(at(501)));
    check(&given, (other, 11), Err(Rejection::NotAgentsTurn(Status::Waiting)));
}

#[test]
fn a_name_that_was_used_is_not_used_for_another_question() {
    let given = asked(&["c"]);
    let news = end_ask(&given, "c", &[(approve(), 11)]);
    let given = then(&given, &[(news, 12)]);
    let conflict = || Err(Rejection::AskConflict("c".to_owned()));
    let mut other = ask("c");
    other.tool = "erase".to_owned();
    let other = suspend(None, WaitsFor::People(vec![other]));
    check(&given, (other, 13), conflict());
    check(&given, (suspend(None, people(&["c", "d"])), 13), conflict());
    let twice = suspend(None, people(&["d", "d"]));
    check(&given, (twice, 13), Err(Rejection::AskConflict("d".to_owned())));
    check(&given, (suspend(None, people(&["d"])), 13), Ok(&["Suspended"]));
}

#[test]
fn a_suspension_replaces_the_run_state_that_it_knows() {
    let stored = suspend_from(None, (None, Some("one")), people(&["c"]));
    let given = [(create(streamed()), 0), (stored, 10)];
    let news = end_ask(&given, "c", &[(approve(), 11)]);
    let given = then(&given, &[(news, 12)]);
    let from = |expected| suspend_from(None, (expected, Some("two")), people(&["d"]));
    check(&given, (from(None), 13), Err(Rejection::CheckpointConflict));
    check(&given, (from(Some("zero")), 13), Err(Rejection::CheckpointConflict));
    check(&given, (from(Some("one")), 13), Ok(&["Suspended"]));
    let story = Story::of(&then(&given, &[(from(Some("one")), 13)]));
    assert_eq!(story.intent().checkpoint, Some(digest("two")));
}

#[test]
fn a_suspension_without_a_run_state_leaves_the_stored_one() {
    let given = [(create(worked()), 0), (start(60), 1), (step(1, 60, "one"), 2)];
    let command = suspend_from(Some(1), (Some("one"), None), people(&["c"]));
    let story = Story::of(&then(&given, &[(command, 3)]));
    assert_eq!(story.intent().checkpoint, Some(digest("one")));
}

#[test]
fn a_suspension_asks_between_one_and_so_many_questions() {
    let names: Vec<String> = (0..=ASKS_PER_SUSPENSION_MAX).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let given = [(create(streamed()), 0)];
    let out = || Err(Rejection::AsksOutOfBounds);
    check(&given, (suspend(None, people(&[])), 1), out());
    check(&given, (suspend(None, people(&names)), 1), out());
    let most = &names[..ASKS_PER_SUSPENSION_MAX];
    check(&given, (suspend(None, people(most)), 1), Ok(&["Started", "Suspended"]));
}

#[test]
fn an_intent_asks_so_many_questions_in_its_life() {
    let mut given = vec![(create(streamed()), 0)];
    for round in 0..ASKS_PER_INTENT_MAX / ASKS_PER_SUSPENSION_MAX {
        let names: Vec<String> =
            (0..ASKS_PER_SUSPENSION_MAX).map(|n| format!("c{round}-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        given.push((suspend(None, people(&names)), 1));
        let asked = given.clone();
        let news = names.iter().map(|name| (end_ask(&asked, name, &[(approve(), 2)]), 3));
        given.extend(news);
    }
    check(&given, (suspend(None, people(&["more"])), 4), Err(Rejection::AsksOutOfBounds));
}

#[test]
fn each_question_is_born_as_an_intent_that_only_asks() {
    let given = asked(&["a", "b"]);
    let (first, second) = (child(&given, "a", &[]), child(&given, "b", &[]));
    assert_ne!(first.intent().id, second.intent().id);
    let created = ["Created", "Submitted", "Offered", "Held", "TaskAssigned"];
    assert_eq!(kinds(&first.events), created);
    let parent = Story::of(&given);
    let envelope = &first.intent().envelope;
    assert_eq!(envelope.intent_type, ASK_INTENT_TYPE);
    assert_eq!(envelope.deadline_at, at(DEADLINE), "a child lives no longer than its parent");
    assert_eq!(envelope.correlation_id, parent.intent().envelope.correlation_id);
    assert_eq!(envelope.parent.as_ref().unwrap().intent, parent.intent().id);
    assert_eq!(parent.intent().asks[0].child, first.intent().id);
}

#[test]
fn a_child_never_outlives_its_parent() {
    for (timeout_s, deadline) in
        [(Some(0), 11), (Some(100), 110), (Some(u32::MAX), DEADLINE), (None, DEADLINE)]
    {
        let mut request = ask("c");
        request.timeout_s = timeout_s;
        let suspension = suspend(None, WaitsFor::People(vec![request]));
        let given = [(create(streamed()), 0), (suspension, 10)];
        let child = child(&given, "c", &[]);
        assert_eq!(child.intent().envelope.deadline_at, at(deadline), "{timeout_s:?}");
    }
}

#[test]
fn a_repeated_suspension_gives_birth_to_nothing() {
    let given = asked(&["c"]);
    let mut story = Story::of(&given);
    let (again, _) = given.last().unwrap();
    let events = story.take(&(again.clone(), 11)).unwrap();
    assert_eq!(react::births(story.intent(), again, &events), vec![]);
    assert_eq!(react::births(story.intent(), &complete(None), &story.events), vec![]);
}

#[test]
fn the_action_of_a_question_names_the_tool_call() {
    let given = asked(&["c"]);
    let child = child(&given, "c", &[]);
    let action = child.intent().action(child.intent().open_hold().unwrap()).unwrap();
    assert_eq!(action["tool"], json!("deploy"));
    assert_eq!(action["arguments"], json!({"call": "c"}));
    assert_eq!(action["parent"]["intent"], json!(id()));
    assert_eq!(action["parent"]["call_id"], json!("c"));
}

#[test]
fn neither_the_agent_nor_its_key_nor_the_sender_answers_what_the_agent_asks() {
    let given = asked(&["c"]);
    for name in ["agent://deployer", "deployer-key", "sender"] {
        let mut child = child(&given, "c", &[]);
        let own = (answer(name, Outcome::APPROVED), 11);
        assert_eq!(child.take(&own), Err(Rejection::SelfApproval), "{name}");
    }
}

#[test]
fn only_the_assigned_answer_what_the_agent_asks() {
    let mut request = ask("c");
    request.assignees = vec!["otto".to_owned()];
    let suspension = suspend(None, WaitsFor::People(vec![request]));
    let given = [(create(streamed()), 0), (suspension, 10)];
    let mut child = child(&given, "c", &[]);
    assert_eq!(child.take(&(approve(), 11)), Err(Rejection::NotAssigned));
    let answered = child.take(&(answer("otto", Outcome::APPROVED), 11)).unwrap();
    assert_eq!(kinds(&answered), ["Approved", "Completed"]);
}

#[test]
fn a_question_whose_asker_has_ended_is_withdrawn() {
    let given = asked(&["c"]);
    let mut withdrawn = child(&given, "c", &[]);
    let events = withdrawn.take(&(Command::ParentEnded, 11)).unwrap();
    assert_eq!(kinds(&events), ["Canceled"]);
    assert_eq!(withdrawn.take(&(Command::ParentEnded, 12)), Ok(vec![]));
    assert_eq!(withdrawn.take(&(approve(), 12)), Err(Rejection::Ended(Status::Canceled)));
    let mut answered = child(&given, "c", &[(approve(), 11)]);
    assert_eq!(answered.take(&(Command::ParentEnded, 12)), Ok(vec![]));
}

#[test]
fn an_ended_parent_takes_no_news() {
    let given = asked(&["c"]);
    let news = end_ask(&given, "c", &[(approve(), 11)]);
    let canceled = then(&given, &[(cancel(), 11)]);
    check(&canceled, (news.clone(), 12), Ok(&[]));
    let timed_out = then(&given, &[(Command::Wake, DEADLINE)]);
    check(&timed_out, (news, DEADLINE + 1), Ok(&[]));
}

#[test]
fn news_at_or_after_the_parents_deadline_change_nothing() {
    let given = asked(&["c"]);
    let news = end_ask(&given, "c", &[(approve(), DEADLINE - 1)]);
    let resumed = Ok(["AskEnded", "Resumed"].as_slice());
    check_around(DEADLINE, &given, &news, [resumed, Ok(&[]), Ok(&[])]);
}

#[test]
fn a_child_is_not_withdrawn_at_or_after_its_deadline() {
    let given = asked(&["c"]);
    for (second, expected) in [(DEADLINE - 1, vec!["Canceled"]), (DEADLINE, vec![])] {
        let mut child = child(&given, "c", &[]);
        let events = child.take(&(Command::ParentEnded, second)).unwrap();
        assert_eq!(kinds(&events), expected, "at {second}");
    }
}

#[test]
fn an_intent_that_nobody_asked_for_is_not_withdrawn_with_a_parent() {
    check(&[(create(streamed()), 0)], (Command::ParentEnded, 1), Ok(&[]));
}
