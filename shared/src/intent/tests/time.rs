//! What happens by itself, one second before it is due, then, and one second later.

use super::super::decide::ANSWER_WITHIN_SECONDS;
use super::super::react;
use super::*;

const PATIENCE: i64 = ANSWER_WITHIN_SECONDS.cast_signed();
const OFFERED: Result<&[&str], Rejection> = Ok(&["Offered"]);
const GIVEN_UP: Result<&[&str], Rejection> = Ok(&["DeliveryFailed", "Failed"]);
const NOTHING: Result<&[&str], Rejection> = Ok(&[]);

#[test]
fn a_turn_that_no_worker_takes_is_offered_again_with_growing_patience() {
    let mut given = vec![(create(worked()), 0)];
    check_around(PATIENCE, &given, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
    given.push((Command::Wake, PATIENCE));
    let second = PATIENCE + 2 * PATIENCE;
    check_around(second, &given, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
    given.push((Command::Wake, second));
    let third = second + 4 * PATIENCE;
    check_around(third, &given, &Command::Wake, [NOTHING, GIVEN_UP, GIVEN_UP]);
}

#[test]
fn patience_stops_growing() {
    let envelope =
        Envelope { delivery_attempts_max: Some(100), deadline_at: at(DEADLINE * 100), ..worked() };
    let mut story = Story::of(&[(create(envelope), 0)]);
    let mut waits = vec![];
    for _ in 0..100 {
        let now = story.intent().updated_at;
        let due_at = react::wake_at(story.intent()).unwrap();
        waits.push((due_at - now).get_seconds() / PATIENCE);
        story.take(&(Command::Wake, due_at.as_second())).unwrap();
    }
    assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 256]);
    assert!(waits[10..].iter().all(|doubled| *doubled == 256));
    assert_eq!(story.intent().status(), Status::Failed);
}

#[test]
fn an_agent_that_asks_by_itself_is_offered_a_turn_once() {
    check(&[(create(streamed()), 0)], (Command::Wake, DEADLINE - 1), NOTHING);
}

#[test]
fn a_turn_whose_lease_ends_is_offered_again() {
    let given = [(create(worked()), 0), (start(60), 1)];
    check_around(60, &given, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
    let story = Story::of(&then(&given, &[(Command::Wake, 60)]));
    assert_eq!(story.intent().status(), Status::InProgress, "it had begun");
    assert_eq!(story.intent().delivery_attempt, 2);
    let stepped = then(&given, &[(step(1, 120, "a"), 50)]);
    check(&stepped, (Command::Wake, 60), NOTHING);
    check_around(120, &stepped, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
}

#[test]
fn a_turn_that_no_worker_finishes_fails() {
    let given = [
        (create(worked()), 0),
        (start(60), 1),
        (Command::Wake, 60),
        (start(120), 61),
        (Command::Wake, 120),
        (start(180), 121),
    ];
    check_around(180, &given, &Command::Wake, [NOTHING, GIVEN_UP, GIVEN_UP]);
    let story = Story::of(&then(&given, &[(Command::Wake, 180)]));
    let Phase::Failed { failure, .. } = &story.intent().phase else {
        panic!("{:?}", story.intent().phase);
    };
    assert_eq!(failure.code, "delivery_failed");
}

#[test]
fn an_answer_begins_a_new_turn_with_its_own_attempts() {
    let asked = [
        (create(worked()), 0),
        (Command::Wake, PATIENCE),
        (start(1000), 400),
        (suspend(Some(1), people(&["c"])), 401),
    ];
    let news = end_ask(&asked, "c", &[(approve(), 500)]);
    let given = then(&asked, &[(news, 501)]);
    let story = Story::of(&given);
    assert_eq!(story.intent().delivery_attempt, 1);
    let due = 501 + PATIENCE;
    check_around(due, &given, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
}

#[test]
fn a_workers_turn_that_somebody_else_began_is_offered_again() {
    for begun in [advance(), claim(None, "c", false, "t")] {
        let given = [(create(worked()), 0), (begun, 10)];
        let due = 10 + PATIENCE;
        check_around(due, &given, &Command::Wake, [NOTHING, OFFERED, OFFERED]);
    }
    let given = [(create(streamed()), 0), (advance(), 10)];
    check(&given, (Command::Wake, DEADLINE - 1), NOTHING);
}

#[test]
fn who_waits_for_people_looks_for_lost_news_ever_more_seldom() {
    let given = vec![(create(worked()), 0), (suspend(None, people(&["c"])), 1)];
    let hours = [1, 1 + 4, 1 + 4 + 16].into_iter().chain((1..=10).map(|days| 21 + 24 * days));
    let mut expected: Vec<_> = hours.map(|hour| (1 + hour * 3_600, vec!["Checked"])).collect();
    expected.push((DEADLINE, vec!["TimedOut"]));
    assert_eq!(calendar(&given), expected);
    let anew = [
        (Command::Wake, 3_601),
        (end_ask(&given, "c", &[(approve(), 2)]), 4_000),
        (suspend(None, people(&["d"])), 5_000),
    ];
    let story = Story::of(&then(&given, &anew));
    assert_eq!(react::wake_at(story.intent()), Some(at(5_000 + 3_600)), "a new wait");
}

#[test]
fn talk_does_not_put_off_the_look_for_lost_news() {
    let given = [(create(worked()), 0), (suspend(None, people(&["c"])), 1)];
    let say = |number, second| (messages::say(&deployer(), number), second);
    let looked = [say(1, 3_000), (Command::Wake, 3_601), say(2, 10_000)];
    let given = then(&given, &looked);
    let due = 3_601 + 4 * 3_600;
    check_around(due, &given, &Command::Wake, [NOTHING, Ok(&["Checked"]), Ok(&["Checked"])]);
}

#[test]
fn who_waits_for_a_tool_is_woken_by_the_deadline_alone() {
    let given = [(create(worked()), 0), (suspend(None, WaitsFor::Tool), 1)];
    check(&given, (Command::Wake, DEADLINE - 1), NOTHING);
}

#[test]
fn who_waits_for_a_moment_goes_on_at_it() {
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(500))), 1)];
    let resumed = || Ok(["Resumed"].as_slice());
    check_around(500, &given, &Command::Wake, [NOTHING, resumed(), resumed()]);
    let given = then(&given, &[(Command::Wake, 500)]);
    check(&given, (Command::Wake, 501), NOTHING);
    check(&given, (complete(None), 501), Ok(&["Completed"]));
}

#[test]
fn a_moment_that_has_passed_is_due_at_once() {
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(5))), 10)];
    check(&given, (Command::Wake, 10), Ok(&["Resumed"]));
}

fn reminding(reminders: Reminders, escalate_to: Option<&str>) -> Vec<Step> {
    let escalate_to = escalate_to.map(address);
    vec![(create(Envelope { reminders, escalate_to, ..held(Placement::OnArrival) }), 0)]
}

/// The seconds at which something is due, each with what happens, until nothing but the deadline is.
pub(super) fn calendar(given: &[Step]) -> Vec<(i64, Vec<&'static str>)> {
    let mut story = Story::of(given);
    let mut days = vec![];
    while let Some(due_at) = react::wake_at(story.intent()) {
        let second = due_at.as_second();
        assert_eq!(story.take(&(Command::Wake, second - 1)), Ok(vec![]), "nothing before {second}");
        let events = story.take(&(Command::Wake, second)).unwrap();
        days.push((second, kinds(&events)));
        assert!(days.len() < 50, "{days:?}");
    }
    days
}

#[test]
fn reminders_come_at_their_times_and_then_the_escalation() {
    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 3 };
    let timeout = (DEADLINE, vec!["TimedOut"]);
    let reminded = |second| (second, vec!["Reminded"]);
    let expected = [reminded(30), reminded(90), reminded(150), timeout.clone()];
    assert_eq!(calendar(&reminding(reminders, None)), expected);
    let escalated = (210, vec!["Escalated"]);
    let expected = [reminded(30), reminded(90), reminded(150), escalated, timeout.clone()];
    assert_eq!(calendar(&reminding(reminders, Some("boss"))), expected);
    let none = Reminders { max: 0, ..reminders };
    assert_eq!(calendar(&reminding(none, None)), std::slice::from_ref(&timeout));
    let expected = [(30, vec!["Escalated"]), timeout.clone()];
    assert_eq!(calendar(&reminding(none, Some("boss"))), expected);
    let never = Reminders { after_s: None, ..reminders };
    assert_eq!(calendar(&reminding(never, Some("boss"))), [timeout]);
}

#[test]
fn reminders_that_were_missed_come_as_one() {
    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 5 };
    let given = reminding(reminders, Some("boss"));
    for (second, count) in [(89, 1), (90, 2), (91, 2), (150, 3), (270, 5), (9_999, 5)] {
        let mut story = Story::of(&given);
        let events = story.take(&(Command::Wake, second)).unwrap();
        assert_eq!(events[0].kind, EventKind::Reminded { count }, "at {second}");
    }
    let late = then(&given, &[(Command::Wake, 9_999)]);
    check(&late, (Command::Wake, 9_999), Ok(&["Escalated"]));
    let at_once = Reminders { after_s: Some(30), interval_s: 0, max: 5 };
    let all = reminding(at_once, Some("boss"));
    check(&all, (Command::Wake, 30), Ok(&["Reminded"]));
    let all = then(&all, &[(Command::Wake, 30)]);
    check(&all, (Command::Wake, 30), Ok(&["Escalated"]));
    let all = then(&all, &[(Command::Wake, 30)]);
    check(&all, (Command::Wake, 31), NOTHING);
}

#[test]
fn reminders_count_from_the_opening_of_the_hold() {
    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 1 };
    let given = Envelope { reminders, ..held(Placement::OnResult) };
    let given = [(create(given), 0), (complete(None), 1000)];
    check_around(1030, &given, &Command::Wake, [NOTHING, Ok(&["Reminded"]), Ok(&["Reminded"])]);
}

#[test]
fn reminders_end_with_the_decision() {
    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 3 };
    let given = then(&reminding(reminders, Some("boss")), &[(approve(), 29)]);
    check(&given, (Command::Wake, 30), NOTHING);
}

#[test]
fn reminders_never_come_at_or_after_the_deadline() {
    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 3 };
    let envelope = Envelope { deadline_at: at(90), reminders, ..held(Placement::OnArrival) };
    let expected = [(30, vec!["Reminded"]), (90, vec!["TimedOut"])];
    assert_eq!(calendar(&[(create(envelope), 0)]), expected);
}

#[test]
fn a_reminder_too_far_in_the_future_is_none() {
    let reminders = Reminders { after_s: Some(u32::MAX), interval_s: u32::MAX, max: u32::MAX };
    assert_eq!(reminders.due_at(Timestamp::MAX, 0), None);
    assert!(reminders.due_at(at(0), 1).is_some());
    assert_eq!(reminders.due_at(at(0), u32::MAX), None);
}
