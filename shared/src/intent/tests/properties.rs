//! What holds for every life, whatever is asked of the intent, by whom and when.
//!
//! [`Story::fold`] holds each event against the contract's ways, the numbering, the end and the
//! deadline; what follows is what only a whole life can show.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Number;

use super::super::event::SuspendedFor;
use super::super::policy::Patch;
use super::super::{Handed, react};
use super::*;
use crate::message::Message;

/// Short, so that random lives meet it.
const SHORT: i64 = 2_000;
const STEPS_MAX: usize = 40;
const CALLS: [&str; 3] = ["a", "b", "c"];

/// Something to be asked, as far as it can be said before the state is known.
#[derive(Clone, Debug)]
enum Ask {
    Plain(Command),
    /// A worker takes the turn for so many seconds.
    Start(Principal, i64),
    /// A worker stores a step and stays for so many seconds.
    Step(Principal, u64, i64, &'static str),
    /// The agent waits for so many seconds.
    Nap(Option<u64>, i64),
    /// News of the child that was asked for under this name.
    Answered(&'static str, Option<Outcome>),
    /// A decision on what is open now.
    Seeing(Principal, Outcome),
}

impl Ask {
    fn command(self, story: &Story, now: i64) -> Command {
        match self {
            Self::Plain(command) => command,
            Self::Start(by, seconds) => Command::Start { by, lease_until: at(now + seconds) },
            Self::Step(by, fence, seconds, checkpoint) => Command::Step {
                by,
                fence,
                lease_until: at(now + seconds),
                checkpoint: digest(checkpoint),
                note: "a step".to_owned(),
            },
            Self::Nap(fence, seconds) => suspend(fence, WaitsFor::Time(at(now + seconds))),
            Self::Answered(call_id, outcome) => {
                let child = ask(call_id).child_id(story.intent());
                let decision = outcome.map(|outcome| crate::intent::human_task::Decision {
                    outcome,
                    approves: None,
                    data: serde_json::Map::new(),
                    comment: None,
                    by: "rita".to_owned(),
                    assurance: Assurance::Link,
                    decided_at: at(now),
                    digest: digest("what was shown"),
                });
                Command::EndAsk { child, ending: AskEnding { status: Status::Failed, decision } }
            }
            Self::Seeing(by, outcome) => {
                let hold = story.intent.as_ref().and_then(Intent::open_hold);
                let seen =
                    hold.map(|hold| Seen { version: hold.version, digest: hold.digest.clone() });
                Command::Decide { by, answer: says(outcome, Some("seen")), seen }
            }
        }
    }
}

fn agents() -> impl Strategy<Value = Principal> {
    prop_oneof![8 => Just(deployer()), 1 => Just(sender()), 1 => Just(stranger())]
}

fn anybody() -> impl Strategy<Value = Principal> {
    prop_oneof![
        2 => agents(),
        1 => Just(admin()),
        6 => names().prop_map(reviewer),
    ]
}

fn names() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(["rita", "otto", "sender"].as_slice())
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    proptest::sample::select([Delivery::Stream, Delivery::Worker, Delivery::Push].as_slice())
}

fn fences() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0..4_u64).prop_map(Some)]
}

fn calls() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(CALLS.as_slice())
}

fn tokens() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(["t", "u"].as_slice())
}

fn checkpoints() -> impl Strategy<Value = Option<&'static str>> {
    proptest::sample::select([None, None, Some("one"), Some("two")].as_slice())
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    proptest::sample::select(PLAIN.to_vec())
}

/// Any JSON that the edge lets in: whole numbers that canonical JSON keeps, and any fraction.
fn values() -> impl Strategy<Value = Value> {
    let whole = -9_007_199_254_740_991_i64..=9_007_199_254_740_991;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        whole.prop_map(Value::from),
        any::<f64>().prop_map(|it| Number::from_f64(it).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn asks() -> impl Strategy<Value = Ask> {
    let by_agents = prop_oneof![
        (agents(), 1..200_i64).prop_map(|(by, seconds)| Ask::Start(by, seconds)),
        (agents(), 1..4_u64, 1..200_i64, tokens())
            .prop_map(|(by, fence, seconds, name)| Ask::Step(by, fence, seconds, name)),
        (fences(), checkpoints(), checkpoints(), proptest::sample::subsequence(&CALLS, 0..3))
            .prop_map(|(fence, from, to, calls)| {
                Ask::Plain(suspend_from(fence, (from, to), people(&calls)))
            }),
        (fences(), checkpoints(), checkpoints()).prop_map(|(fence, from, to)| {
            Ask::Plain(suspend_from(fence, (from, to), WaitsFor::Tool))
        }),
        (fences(), 1..300_i64).prop_map(|(fence, seconds)| Ask::Nap(fence, seconds)),
        (fences(), calls(), any::<bool>(), tokens()).prop_map(|(fence, call, needs, token)| {
            Ask::Plain(claim(fence, call, needs, token))
        }),
        (calls(), tokens(), tokens())
            .prop_map(|(call, token, output)| Ask::Plain(finish(call, token, output))),
        Just(Ask::Plain(advance())),
        agents().prop_map(|by| Ask::Plain(Command::Acknowledge { by })),
        (agents(), deliveries()).prop_map(|(by, delivery)| {
            let next = Some(Handed { to: address("deployer"), delivery });
            Ask::Plain(Command::Advance { by, reason: None, next })
        }),
    ];
    let ends = prop_oneof![
        (agents(), fences(), values())
            .prop_map(|(by, fence, result)| Ask::Plain(Command::Complete { by, fence, result })),
        (agents(), fences()).prop_map(|(by, fence)| Ask::Plain(Command::Fail {
            by,
            fence,
            failure: failure()
        })),
        Just(Ask::Plain(cancel())),
        Just(Ask::Plain(Command::ParentEnded)),
        (1..5_u32).prop_map(|attempts| Ask::Plain(Command::GiveUp { attempts })),
    ];
    let beside = prop_oneof![
        (anybody(), 0..9_u128).prop_map(|(by, number)| Ask::Plain(messages::say(&by, number))),
        (anybody(), 1..SHORT).prop_map(|(by, second)| {
            let deadline_at = Some(at(second));
            Ask::Plain(policy::change(&by, Patch { deadline_at, ..Patch::default() }))
        }),
        (names(), names()).prop_map(|(by, to)| Ask::Plain(reassignment::reassign(by, to))),
    ];
    let by_people = prop_oneof![
        (anybody(), outcomes()).prop_map(|(by, outcome)| Ask::Seeing(by, outcome)),
        (anybody(), outcomes()).prop_map(|(by, outcome)| {
            Ask::Plain(Command::Decide { by, answer: says(outcome, None), seen: None })
        }),
    ];
    prop_oneof![
        8 => by_agents,
        1 => ends,
        2 => by_people,
        1 => beside,
        4 => (calls(), proptest::option::of(outcomes()))
            .prop_map(|(call, outcome)| Ask::Answered(call, outcome)),
        4 => Just(Ask::Plain(Command::Wake)),
    ]
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    let base = prop_oneof![
        Just(streamed()),
        Just(worked()),
        Just(Envelope { delivery: Delivery::Push, ..streamed() }),
        Just(Envelope { delivery: Delivery::Worker, ..held(Placement::OnResult) }),
        Just(held(Placement::OnResult)),
        Just(held(Placement::OnArrival)),
        Just(Envelope { delivery: Delivery::Worker, ..held(Placement::OnArrival) }),
    ];
    let reminders = (proptest::option::of(0..500_u32), 0..300_u32, 0..5_u32)
        .prop_map(|(after_s, interval_s, max)| Reminders { after_s, interval_s, max });
    let payload = proptest::collection::btree_map(any::<String>(), values(), 0..3);
    (base, reminders, any::<bool>(), 1..4_u32, payload).prop_map(
        |(base, reminders, escalates, delivery_attempts_max, payload)| Envelope {
            deadline_at: at(SHORT),
            reminders,
            escalate_to: escalates.then(|| address("boss")),
            delivery_attempts_max,
            payload: payload.into_iter().collect(),
            ..base
        },
    )
}

/// Seconds between two commands: clocks mostly go on, and now and then one is behind another.
fn gaps() -> impl Strategy<Value = i64> {
    prop_oneof![10 => 0..40_i64, 2 => 40..400_i64, 1 => -5..0_i64]
}

fn lives() -> impl Strategy<Value = (Envelope, Vec<(Ask, i64)>)> {
    (envelopes(), proptest::collection::vec((asks(), gaps()), 1..STEPS_MAX))
}

/// Runs a life and hands every accepted step to `each`, with the state before it.
fn live(
    (envelope, asks): (Envelope, Vec<(Ask, i64)>),
    mut each: impl FnMut(&Story, &Step, &Story, &[Event]),
) -> Story {
    let mut story = Story::of(&[(create(envelope), 0)]);
    let mut now = 0;
    for (ask, gap) in asks {
        now = (now + gap).max(0);
        let step = (ask.command(&story, now), now);
        let before = story.clone();
        if let Ok(events) = story.take(&step) {
            each(&before, &step, &story, &events);
        }
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn history_replays_to_the_same_state(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let replayed = story.events.iter().fold(None, apply);
        prop_assert_eq!(&replayed, &story.intent);
        let text = serde_json::to_string(&story.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&events, &story.events);
        let text = serde_json::to_string(&story.intent).unwrap();
        let stored: Option<Intent> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(stored, story.intent);
    }

    #[test]
    fn a_repeated_command_never_has_a_second_effect(life in lives()) {
        live(life, |_, step, after, events| {
            let (command, now) = step;
            let mut again = after.clone();
            let second = again.take(step);
            match command {
                // Handing on is no state that could be recognized; doing it twice leaves the
                // intent where it was.
                Command::Advance { .. } => {
                    assert_eq!(after.intent().status(), again.intent().status());
                }
                // One wake-up does one thing. When it comes late, the next one is due at once; that
                // they come to rest is the next property.
                // Policy counts its changes, and hiding is written down as often as it is said.
                Command::Wake | Command::ChangePolicy { .. } | Command::Hide { .. } => {}
                Command::Acknowledge { .. }
                | Command::Reassign { .. }
                | Command::Say { .. }
                | Command::EndStep { .. }
                | Command::GiveUp { .. }
                | Command::Create { .. }
                | Command::Start { .. }
                | Command::Step { .. }
                | Command::Suspend { .. }
                | Command::Claim { .. }
                | Command::FinishCall { .. }
                | Command::Complete { .. }
                | Command::Fail { .. }
                | Command::Decide { .. }
                | Command::Cancel { .. }
                | Command::EndAsk { .. }
                | Command::ParentEnded => {
                    let nothing = second.as_ref().is_ok_and(Vec::is_empty);
                    let leased = matches!(
                        (command, &second),
                        (Command::Start { .. }, Err(Rejection::Leased(_)))
                    );
                    assert!(
                        nothing || leased,
                        "at {now} {command:?} gave {:?}, then {second:?}",
                        kinds(events)
                    );
                }
            }
        });
    }

    #[test]
    fn every_live_intent_has_a_wake_up_that_does_something_and_comes_to_rest(life in lives()) {
        live(life, |_, (_, now), story, _| {
            let intent = story.intent();
            let Some(wake_at) = react::wake_at(intent) else {
                assert!(intent.is_ended(), "{:?} sleeps for ever", intent.phase);
                return;
            };
            assert!(!intent.is_ended() && wake_at <= intent.deadline_at());
            let mut woken = story.clone();
            if at(*now) < wake_at {
                assert_eq!(woken.take(&(Command::Wake, *now)), Ok(vec![]), "it is not due");
            }
            let due = wake_at.as_second().max(*now);
            let events = woken.take(&(Command::Wake, due)).unwrap();
            assert!(!events.is_empty(), "a wake-up at its time does nothing: {:?}", intent.phase);
            let mut wakes = 1;
            while react::wake_at(woken.intent()).is_some_and(|wake_at| wake_at <= at(due)) {
                woken.take(&(Command::Wake, due)).unwrap();
                wakes += 1;
                assert!(wakes <= 3, "a late wake-up is one of many");
            }
        });
    }

    #[test]
    fn nothing_ends_well_without_the_yes_that_it_needs(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let mut approved = false;
        for event in &story.events {
            if let EventKind::Approved { decision } = &event.kind {
                prop_assert_eq!(&decision.outcome, &Outcome::APPROVED);
                prop_assert!(["rita", "otto"].contains(&decision.by.as_str()));
                approved = true;
            }
            if let EventKind::Completed { .. } = &event.kind {
                prop_assert!(approved || story.intent().human_task().is_none());
            }
        }
    }

    #[test]
    fn a_call_runs_at_most_once_and_only_with_the_yes_that_it_needs(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let (mut claimed, mut asked, mut allowed) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in &story.events {
            if let EventKind::Suspended { waits_for: SuspendedFor::People(asks), .. } = &event.kind {
                asked.extend(asks.iter().map(|ask| ask.call_id.clone()));
            }
            if let EventKind::AskEnded { call_id, ending } = &event.kind
                && ending.is_approved()
            {
                allowed.insert(call_id.clone());
            }
            if let EventKind::CallClaimed { call_id, .. } = &event.kind {
                prop_assert!(claimed.insert(call_id.clone()), "{} was claimed twice", call_id);
                prop_assert!(!asked.contains(call_id) || allowed.contains(call_id));
            }
        }
    }

    #[test]
    fn every_lease_is_newer_than_the_ones_before(life in lives()) {
        live(life, |before, _, after, events| {
            let leases = |kind: &EventKind| {
                matches!(kind, EventKind::Started { lease_until: Some(_), .. })
            };
            let given = events.iter().filter(|event| leases(&event.kind)).count();
            assert_eq!(after.intent().fence, before.intent().fence + given as u64);
        });
    }

    #[test]
    fn the_digest_of_a_hold_survives_being_stored(life in lives()) {
        live(life, |_, _, story, _| {
            let text = serde_json::to_string(story.intent()).unwrap();
            let stored: Intent = serde_json::from_str(&text).unwrap();
            if let Some(hold) = stored.open_hold() {
                assert_eq!(hold.digest, Digest::of_json(&stored.action(hold).unwrap()));
            }
        });
    }

    #[test]
    fn what_is_owed_is_the_same_seen_from_each_event_and_from_the_end_of_its_commit(
        life in lives()
    ) {
        live(life, |before, _, after, events| {
            let mut intent = before.intent.clone();
            for event in events {
                intent = apply(intent, event);
                let then = react::owed(intent.as_ref().unwrap(), event);
                assert_eq!(then, react::owed(after.intent(), event), "{event:?}");
            }
        });
    }

    #[test]
    fn only_who_does_not_ask_by_itself_is_owed_turns_and_only_its_own(life in lives()) {
        live(life, |_, _, story, events| {
            let intent = story.intent();
            let owed = events.last().map(|event| react::owed(intent, event)).unwrap_or_default();
            for message in owed.into_iter().chain(react::owed_still(intent)) {
                let delivery = match message {
                    Message::Turn { .. } => Delivery::Worker,
                    Message::Push { .. } => Delivery::Push,
                    Message::Wake { .. }
                    | Message::Recover { .. }
                    | Message::AskEnded { .. }
                    | Message::ParentEnded { .. }
                    | Message::Notice { .. } => continue,
                };
                assert_eq!(intent.delivery(), delivery);
                assert!(intent.is_agents_turn());
            }
        });
    }
}
