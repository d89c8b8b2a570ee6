//! A walk through everything that can be reached in a few commands, at every moment that counts.
//!
//! Breadth first, over (state, command, moment). Two states are one when they differ in nothing but
//! their numbers and clocks, so the walk ends.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::super::ask::GRANT_SECONDS;
use super::super::{WaitingReason, react};
use super::kinds::name;
use super::*;

/// How many commands a life on this walk has.
const COMMANDS_MAX: usize = 5;
/// Where the walk would be too long for a test; far above what it needs.
const STATES_MAX: usize = 20_000;

#[derive(Default)]
struct Met {
    statuses: BTreeSet<Status>,
    waiting: BTreeSet<WaitingReason>,
    kinds: BTreeSet<&'static str>,
    rejections: BTreeSet<&'static str>,
    states: HashSet<String>,
    decisions: usize,
}

#[test]
fn a_walk_through_everything_meets_every_status_event_and_refusal() {
    let seen = walk();
    assert_eq!(seen.statuses.len(), Status::ALL.len(), "{:?}", seen.statuses);
    assert_eq!(seen.waiting.len(), 4, "{:?}", seen.waiting);
    assert_eq!(seen.kinds, BTreeSet::from(KINDS), "events");
    // Two hundred claims are more than a walk makes; `calls` has that one.
    let mut expected = BTreeSet::from(REJECTIONS);
    assert!(expected.remove("TooManyCalls"));
    assert_eq!(seen.rejections, expected, "refusals");
    assert!(seen.states.len() > 200, "only {} states", seen.states.len());
    assert!(seen.decisions > 50_000, "only {} decisions", seen.decisions);
}

fn walk() -> Met {
    let mut seen = Met::default();
    let mut queue = VecDeque::from([(Story::default(), 0)]);
    while let Some((story, depth)) = queue.pop_front() {
        for command in commands(&story) {
            for second in moments(&story) {
                seen.decisions += 1;
                let mut next = story.clone();
                match next.take(&(command.clone(), second)) {
                    Err(rejection) => {
                        seen.rejections.insert(name(&rejection));
                    }
                    Ok(events) => {
                        note(&mut seen, &story, &events);
                        assert_awake(next.intent.as_ref());
                        if seen.states.insert(shape(&next)) && depth + 1 < COMMANDS_MAX {
                            queue.push_back((next, depth + 1));
                        }
                    }
                }
            }
        }
        assert!(seen.states.len() < STATES_MAX, "the walk does not end");
    }
    seen
}

/// Looks at the state after each event, since some are only passed through.
fn note(seen: &mut Met, before: &Story, events: &[Event]) {
    let mut intent = before.intent.clone();
    for event in events {
        seen.kinds.insert(kind(&event.kind));
        intent = apply(intent, event);
        let intent = intent.as_ref().unwrap();
        seen.statuses.insert(intent.status());
        seen.waiting.extend(intent.phase.waiting_reason());
        react::owed(intent, event);
    }
}

fn assert_awake(intent: Option<&Intent>) {
    if let Some(intent) = intent {
        let wake_at = react::wake_at(intent);
        assert_eq!(wake_at.is_none(), intent.is_ended(), "{:?}", intent.phase);
        assert!(wake_at.is_none_or(|wake_at| wake_at <= intent.envelope.deadline_at));
    }
}

/// One second before, at and after whatever is due next, the deadline, and the end of a grant.
fn moments(story: &Story) -> Vec<i64> {
    let Some(intent) = &story.intent else { return vec![0, DEADLINE] };
    let now = intent.updated_at.as_second();
    let due = react::wake_at(intent).map(Timestamp::as_second);
    let grants = story.intent().asks.iter().filter_map(|ask| {
        let decided_at = ask.ending.as_ref()?.decision.as_ref()?.decided_at.as_second();
        Some(decided_at + GRANT_SECONDS.cast_signed())
    });
    let around = |second: i64| [second - 1, second, second + 1];
    let mut moments: BTreeSet<i64> =
        due.into_iter().chain(grants).chain([DEADLINE]).flat_map(around).collect();
    moments.insert(now + 1);
    moments.into_iter().filter(|second| now <= *second).collect()
}

fn commands(story: &Story) -> Vec<Command> {
    let mut commands: Vec<Command> = envelopes().into_iter().map(create).collect();
    let fence = story.intent.as_ref().map_or(0, |intent| intent.fence);
    let now = story.intent.as_ref().map_or(0, |intent| intent.updated_at.as_second());
    for fence in [None, Some(fence)] {
        commands.extend([
            suspend_from(fence, (None, Some("one")), people(&["a", "b"])),
            suspend(fence, people(&["a"])),
            suspend(fence, people(&[])),
            suspend(fence, WaitsFor::Tool),
            suspend(fence, WaitsFor::Time(at(now + 100))),
            claim(fence, "a", true, "t"),
            complete(fence),
            fail(fence),
        ]);
    }
    commands.extend([
        start(now + 60),
        step(fence, now + 120, "one"),
        step(fence + 1, now + 120, "two"),
        claim(None, "a", false, "u"),
        Command::Claim {
            by: deployer(),
            fence: None,
            call_id: "a".to_owned(),
            call_digest: digest("another call"),
            needs_grant: false,
            token_digest: digest("t"),
        },
        finish("a", "t", "out"),
        finish("a", "t", "another"),
        advance(),
        Command::Complete { by: stranger(), fence: None, result: result() },
        Command::Complete { by: deployer(), fence: None, result: json!(u64::MAX) },
        Command::Cancel { by: stranger(), reason: "no".to_owned() },
        cancel(),
        approve(),
        reject(),
        answer("otto", Outcome::APPROVED),
        answer("sender", Outcome::APPROVED),
        Command::Decide { by: admin(), answer: says(Outcome::APPROVED, None), seen: None },
        decide_with_comment(Outcome::APPROVED, Some(stale())),
        decide_with_comment(Outcome::APPROVED, None),
        decide_with_comment(Outcome::REJECTED, None),
        Command::ParentEnded,
        Command::Wake,
    ]);
    commands.extend(news(story, now));
    commands
}

fn stale() -> Seen {
    Seen { version: 1, digest: digest("another view") }
}

fn decide_with_comment(outcome: Outcome, seen: Option<Seen>) -> Command {
    Command::Decide { by: reviewer("rita"), answer: says(outcome, Some("looked at it")), seen }
}

fn news(story: &Story, now: i64) -> Vec<Command> {
    let Some(intent) = &story.intent else { return vec![] };
    let decision = |outcome| crate::intent::human_task::Decision {
        outcome,
        approves: None,
        data: serde_json::Map::new(),
        comment: None,
        by: "rita".to_owned(),
        assurance: Assurance::Key,
        decided_at: at(now),
        digest: digest("what was shown"),
    };
    let endings = [
        (Status::Completed, Some(decision(Outcome::APPROVED))),
        (Status::Failed, Some(decision(Outcome::REJECTED))),
        (Status::TimedOut, None),
    ];
    let end = |child, (status, decision)| Command::EndAsk {
        child,
        ending: AskEnding { status, decision },
    };
    let asks = intent.asks.iter();
    asks.flat_map(|ask| endings.clone().map(|ending| end(ask.child, ending))).collect()
}

fn envelopes() -> Vec<Envelope> {
    let reminders = Reminders { after_s: Some(30), interval_s: 30, max: 1 };
    let escalate_to = Some(address("boss"));
    let strict = with_task(held(Placement::OnArrival), |task| {
        task.required_comment = true;
        task.assignees = vec!["rita".to_owned()];
        task.allowed_outcomes = vec![Outcome::APPROVED];
    });
    vec![
        streamed(),
        Envelope { delivery_attempts_max: Some(2), ..worked() },
        Envelope { reminders, escalate_to, ..held(Placement::OnArrival) },
        strict,
        held(Placement::OnResult),
    ]
}

/// What makes two states the same place: everything but numbers and clocks that only count on.
fn shape(story: &Story) -> String {
    fn blank(value: &mut Value) {
        match value {
            Value::String(text) if text.parse::<Timestamp>().is_ok() => "moment".clone_into(text),
            Value::Array(items) => items.iter_mut().for_each(blank),
            Value::Object(fields) => {
                for number in ["seq", "offer_seq", "version", "fence", "digest"] {
                    fields.remove(number);
                }
                fields.values_mut().for_each(blank);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(&story.intent).unwrap();
    blank(&mut value);
    value.to_string()
}

const KINDS: [&str; 23] = [
    "Acknowledged",
    "Approved",
    "AskEnded",
    "CallClaimed",
    "CallFinished",
    "Canceled",
    "Checked",
    "Completed",
    "Created",
    "DeliveryFailed",
    "Escalated",
    "Failed",
    "HandedOn",
    "Held",
    "Offered",
    "Reminded",
    "Resumed",
    "Started",
    "Stepped",
    "Submitted",
    "Suspended",
    "TaskAssigned",
    "TimedOut",
];

const REJECTIONS: [&str; 29] = [
    "AlreadyDecided",
    "AskConflict",
    "AsksOutOfBounds",
    "AwaitsDecision",
    "CallMismatch",
    "CallNotClaimed",
    "CallOutcomeUnknown",
    "CheckpointConflict",
    "CommentRequired",
    "DeadlinePassed",
    "Ended",
    "Exists",
    "GrantExpired",
    "GrantRefused",
    "InexactNumber",
    "LeaseLost",
    "Leased",
    "NoGrant",
    "NotAgentsTurn",
    "NotAssigned",
    "NotFound",
    "NotTheHandler",
    "NotTheSender",
    "NothingToDecide",
    "OutcomeNotAllowed",
    "SelfApproval",
    "StaleView",
    "TooManyCalls",
    "WrongRole",
];
