//! What the world is owed, event by event, and when each place is woken.

use super::super::react;
use super::*;
use crate::message::{Message, Notice};

fn turn() -> Message {
    Message::Turn { tenant: "default".to_owned(), intent: id() }
}

fn notice(notice: Notice) -> Message {
    Message::Notice { tenant: "default".to_owned(), intent: id(), notice }
}

/// What the whole life so far owed, each event with the state that it led to.
fn owed(given: &[Step]) -> Vec<(&'static str, Message)> {
    let story = Story::of(given);
    let mut intent = None;
    let mut owed = vec![];
    for event in &story.events {
        intent = apply(intent, event);
        let messages = react::owed(intent.as_ref().unwrap(), event);
        owed.extend(messages.into_iter().map(|message| (kind(&event.kind), message)));
    }
    owed
}

#[test]
fn a_worker_is_owed_each_of_its_turns_once() {
    assert_eq!(owed(&[(create(streamed()), 0)]), []);
    let given = vec![(create(worked()), 0), (Command::Wake, 300), (start(900), 301)];
    assert_eq!(owed(&given), [("Offered", turn()), ("Offered", turn())]);
    let asked = then(&given, &[(suspend(Some(1), people(&["c"])), 302)]);
    let news = end_ask(&asked, "c", &[(approve(), 303)]);
    let resumed = then(&asked, &[(news, 304), (start(900), 305), (complete(Some(2)), 306)]);
    assert_eq!(owed(&resumed)[2..], [("Resumed", turn())]);
}

#[test]
fn a_reviewer_is_told_once_reminded_and_escalated() {
    let envelope = Envelope {
        reminders: Reminders { after_s: Some(30), interval_s: 30, max: 2 },
        escalate_to: Some(address("boss")),
        ..held(Placement::OnArrival)
    };
    let given = [30, 60, 90].map(|second| (Command::Wake, second));
    let given = then(&[(create(envelope), 0)], &given);
    let expected = [
        ("Held", notice(Notice::Assigned)),
        ("Reminded", notice(Notice::Reminder { count: 1 })),
        ("Reminded", notice(Notice::Reminder { count: 2 })),
        ("Escalated", notice(Notice::Escalation { to: address("boss") })),
    ];
    assert_eq!(owed(&given), expected);
    let decided = then(&given, &[(approve(), 91)]);
    assert_eq!(owed(&decided), expected, "an end that nobody waits for owes nothing");
}

#[test]
fn a_result_that_needs_a_sign_off_tells_the_reviewer() {
    let given = [(create(held(Placement::OnResult)), 0), (complete(None), 1)];
    assert_eq!(owed(&given), [("Held", notice(Notice::Assigned))]);
}

#[test]
fn a_question_is_no_workers_turn() {
    let question = Envelope { delivery: Delivery::Worker, ..held(Placement::OnArrival) };
    assert_eq!(owed(&[(create(question), 0)]), [("Held", notice(Notice::Assigned))]);
}

#[test]
fn every_end_of_a_parent_is_owed_to_its_open_children() {
    let given = [(create(streamed()), 0), (suspend(None, people(&["a", "b", "c"])), 1)];
    let news = end_ask(&given, "b", &[(approve(), 2)]);
    let given = then(&given, &[(news, 3)]);
    let children = ["a", "c"].map(|call| {
        let child =
            Story::of(&given).intent().asks.iter().find(|it| it.call_id == call).unwrap().child;
        Message::ParentEnded { tenant: "default".to_owned(), child }
    });
    for (end, name) in [((cancel(), 4), "Canceled"), ((Command::Wake, DEADLINE), "TimedOut")] {
        let expected = children.clone().map(|message| (name, message));
        assert_eq!(owed(&then(&given, &[end])), expected);
    }
}

#[test]
fn every_end_of_a_child_is_owed_to_its_parent() {
    let given = [(create(streamed()), 0), (suspend(None, people(&["c"])), 1)];
    for end in [(approve(), 2), (reject(), 2), (Command::ParentEnded, 2), (Command::Wake, DEADLINE)]
    {
        let story = child(&given, "c", &[end]);
        let last = story.events.last().unwrap();
        let expected = Message::AskEnded {
            tenant: "default".to_owned(),
            parent: id(),
            child: story.intent().id,
        };
        assert_eq!(react::owed(story.intent(), last), [expected]);
    }
}

#[test]
fn only_a_live_child_of_an_ended_parent_is_orphaned() {
    let given = [(create(streamed()), 0), (suspend(None, people(&["c"])), 1)];
    let (live, ended) = (Story::of(&given), Story::of(&then(&given, &[(cancel(), 2)])));
    let (open, decided) = (child(&given, "c", &[]), child(&given, "c", &[(approve(), 2)]));
    let another = Story::of(&[(create(streamed()), 0)]);
    for (child, parent, orphaned) in [
        (&open, &ended, true),
        (&open, &live, false),
        (&decided, &ended, false),
        (&another, &ended, false),
        (&open, &decided, false),
    ] {
        assert_eq!(react::is_orphaned(child.intent(), parent.intent()), orphaned);
    }
}

/// Every place where an intent can rest, with its next wake-up and what it is owed still.
#[test]
fn every_place_has_its_wake_up_and_says_what_it_is_owed_still() {
    let worker = [(create(worked()), 0)];
    let started = then(&worker, &[(start(60), 1)]);
    let asked = then(&worker, &[(suspend(None, people(&["c"])), 1)]);
    let child = Story::of(&asked).intent().asks[0].child;
    let news = Message::AskEnded { tenant: "default".to_owned(), parent: id(), child };
    let resumed = then(&asked, &[(end_ask(&asked, "c", &[(approve(), 2)]), 3)]);
    let reminders = Reminders { after_s: Some(30), interval_s: 30, max: 1 };
    let held = |placement| (create(Envelope { reminders, ..held(placement) }), 0);
    let moment = |second| suspend(None, WaitsFor::Time(at(second)));
    let asks_a_person = notice(Notice::Assigned);
    for (given, wake_at, still) in [
        (vec![(create(streamed()), 0)], DEADLINE, vec![]),
        (worker.to_vec(), 300, vec![turn()]),
        (started.clone(), 60, vec![turn()]),
        (then(&started, &[(step(1, 99, "a"), 2)]), 99, vec![turn()]),
        (then(&started, &[(Command::Wake, 60)]), 60 + 600, vec![turn()]),
        (asked, 1 + 3_600, vec![news]),
        (resumed, 303, vec![turn()]),
        (then(&worker, &[(suspend(None, WaitsFor::Tool), 1)]), DEADLINE, vec![]),
        (then(&worker, &[(moment(500), 1)]), 500, vec![]),
        (then(&worker, &[(moment(DEADLINE + 1), 1)]), DEADLINE, vec![]),
        (vec![held(Placement::OnArrival)], 30, vec![asks_a_person.clone()]),
        (vec![held(Placement::OnResult), (complete(None), 5)], 35, vec![asks_a_person.clone()]),
        (vec![held(Placement::OnArrival), (Command::Wake, 30)], DEADLINE, vec![asks_a_person]),
    ] {
        let story = Story::of(&given);
        assert_eq!(react::wake_at(story.intent()), Some(at(wake_at)), "{given:?}");
        assert_eq!(react::owed_still(story.intent()), still, "{given:?}");
    }
}

#[test]
fn an_ended_intent_is_never_woken() {
    for end in [(complete(None), 1), (fail(None), 1), (cancel(), 1), (Command::Wake, DEADLINE)] {
        let story = Story::of(&[(create(worked()), 0), end]);
        assert_eq!(react::wake_at(story.intent()), None);
        assert_eq!(react::owed_still(story.intent()), []);
    }
}

#[test]
fn the_stream_shows_an_intent_while_it_is_the_agents_turn() {
    let micros = |second: u64| Some(second * 1_000_000);
    let given = [(create(streamed()), 1)];
    let suspended = |waits_for| then(&given, &[(suspend(None, waits_for), 2)]);
    let asked = suspended(people(&["c"]));
    let answered = then(&asked, &[(end_ask(&asked, "c", &[(approve(), 3)]), 4)]);
    for (given, offered) in [
        (given.to_vec(), micros(1)),
        (then(&given, &[(advance(), 2)]), micros(1)),
        (suspended(WaitsFor::Tool), micros(1)),
        (asked, None),
        (answered, micros(4)),
        (suspended(WaitsFor::Time(at(9))), None),
        (then(&suspended(WaitsFor::Time(at(9))), &[(Command::Wake, 9)]), micros(9)),
        (then(&given, &[(complete(None), 2)]), None),
        (vec![(create(held(Placement::OnArrival)), 1)], None),
        (vec![(create(worked()), 1)], None),
    ] {
        assert_eq!(Story::of(&given).intent().offered(), offered, "{given:?}");
    }
}
