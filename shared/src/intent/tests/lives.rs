//! Random lives: whatever may be asked of an intent, by whom and when.

use proptest::prelude::*;
use serde_json::Number;

use super::super::Handed;
use super::super::policy::Patch;
use super::*;

/// Short, so that random lives meet it.
const SHORT: i64 = 2_000;
const STEPS_MAX: usize = 40;
const CALLS: [&str; 3] = ["a", "b", "c"];

/// Something to be asked, as far as it can be said before the state is known.
#[derive(Clone, Debug)]
pub(super) enum Ask {
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
        agents().prop_map(|by| Ask::Plain(Command::Acknowledge { by, turn: None })),
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
            delivery_attempts_max: Some(delivery_attempts_max),
            payload: payload.into_iter().collect(),
            ..base
        },
    )
}

/// Seconds between two commands: clocks mostly go on, and now and then one is behind another.
fn gaps() -> impl Strategy<Value = i64> {
    prop_oneof![10 => 0..40_i64, 2 => 40..400_i64, 1 => -5..0_i64]
}

pub(super) fn lives() -> impl Strategy<Value = (Envelope, Vec<(Ask, i64)>)> {
    (envelopes(), proptest::collection::vec((asks(), gaps()), 1..STEPS_MAX))
}

/// Runs a life and hands every accepted step to `each`, with the state before it.
pub(super) fn live(
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
