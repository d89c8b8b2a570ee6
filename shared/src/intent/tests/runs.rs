//! What holds for every run of every workflow, whatever comes and in whichever order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::human_task::{Decided, Decision, Hold};
use super::super::react;
use super::super::workflow::STEPS_BEGUN_MAX;
use super::flow::*;
use super::*;

/// Short, so that random runs meet it.
const SHORT: i64 = 2_000;
const STAGES_MAX: usize = 5;
const COMMANDS_MAX: usize = 40;
/// The most wake-ups that can be due at one moment: each step that can end by itself, and the three
/// of any intent.
const WAKES_AT_ONCE_MAX: usize = 3 + 4 * STEPS_BEGUN_MAX as usize;

/// Something that comes, as far as it can be said before the state is known.
#[derive(Clone, Debug)]
enum Comes {
    Plain(Command),
    /// A person answers what is open now.
    Seeing(&'static str, Outcome),
    /// The child of the step ends.
    End(How),
    /// The child of a step before ends, or ends again.
    EndOld(How, usize),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Completed,
    Approved,
    Refused,
    Failed,
    Canceled,
    TimedOut,
}

impl How {
    fn ending(self, now: i64) -> StepEnding {
        let decided = |outcome: Outcome| Decided {
            hold: Hold {
                version: 10,
                opened_at: at(now),
                opened_by: "deployer-key".to_owned(),
                proposal: None,
                digest: digest("what was shown"),
                remind_count: 0,
                escalated: false,
                step: None,
                reassigned_to: vec![],
            },
            decision: Decision {
                outcome,
                approves: None,
                data: serde_json::Map::new(),
                comment: None,
                by: "rita".to_owned(),
                assurance: Assurance::Link,
                decided_at: at(now),
                digest: digest("what was shown"),
            },
        };
        let (status, decided, code) = match self {
            Self::Completed => (Status::Completed, None, None),
            Self::Approved => (Status::Completed, Some(decided(Outcome::APPROVED)), None),
            Self::Refused => (Status::Failed, Some(decided(Outcome::REJECTED)), Some("rejected")),
            Self::Failed => (Status::Failed, None, Some("no_disk")),
            Self::Canceled => (Status::Canceled, None, Some("step_canceled")),
            Self::TimedOut => (Status::TimedOut, None, Some("step_timeout")),
        };
        let failure = code.map(|code| Failure { code: code.to_owned(), ..failure() });
        let result = if failure.is_none() { result() } else { Value::Null };
        StepEnding { status, result, failure, decided }
    }
}

impl Comes {
    fn command(self, story: &Story, now: i64) -> Command {
        let end = |child, how: How| Command::EndStep { child, ending: Box::new(how.ending(now)) };
        match self {
            Self::Plain(command) => command,
            Self::Seeing(name, outcome) => {
                let hold = story.intent().open_hold();
                let seen = hold.map(|it| Seen { version: it.version, digest: it.digest.clone() });
                Command::Decide { by: reviewer(name), answer: says(outcome, None), seen }
            }
            Self::End(how) => end(children(story).last().copied().unwrap_or(id()), how),
            Self::EndOld(how, nth) => {
                let children = children(story);
                end(children.get(nth).copied().unwrap_or(id()), how)
            }
        }
    }
}

/// The children that have been born, oldest first.
fn children(story: &Story) -> Vec<IntentId> {
    story.events.iter().filter_map(born).collect()
}

/// The child that is born with an event.
fn born(event: &Event) -> Option<IntentId> {
    let EventKind::StepBegun { child, .. } = event.kind else { return None };
    child
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let work = prop_oneof![
        4 => Just(agent("a")),
        1 => Just(signed_off("s")),
        4 => Just(human("h")),
        1 => (0..300_u32).prop_map(|seconds| delay("d", seconds)),
        1 => (0..300_u32).prop_map(|seconds| timeout("t", seconds)),
        1 => Just(notify("n")),
        1 => Just(escalate("e")),
    ];
    let places = || proptest::option::of(0..STAGES_MAX);
    let seconds = proptest::option::weighted(0.4, 0..300_u32);
    let reminders = (proptest::option::of(0..200_u32), 0..200_u32, 0..3_u32)
        .prop_map(|(after_s, interval_s, max)| Reminders { after_s, interval_s, max });
    let retry = (0..3_u32, prop_oneof![Just(0), 1..100_u32]);
    let stage = (work, places(), places(), seconds, retry, reminders).prop_map(
        |(stage, next, on_failure, deadline_s, (retries, delay_s), reminders)| Stage {
            next: next.filter(|next| *next > 2),
            on_failure,
            deadline_s,
            reminders,
            ..retried(stage, retries, delay_s)
        },
    );
    let named = |stages: Vec<Stage>| {
        let name = |(n, stage): (usize, Stage)| Stage { id: format!("{}{n}", stage.id), ..stage };
        stages.into_iter().enumerate().map(name).collect()
    };
    proptest::collection::vec(stage, 1..=STAGES_MAX).prop_map(named)
}

fn coming() -> impl Strategy<Value = Comes> {
    let how = || {
        proptest::sample::select(vec![
            How::Completed,
            How::Completed,
            How::Approved,
            How::Refused,
            How::Failed,
            How::Canceled,
            How::TimedOut,
        ])
    };
    let name = || proptest::sample::select(vec!["rita", "otto", "sender"]);
    let outcome = || proptest::sample::select(PLAIN.to_vec());
    let shorter = |second| super::super::policy::Patch {
        deadline_at: Some(at(second)),
        ..Default::default()
    };
    prop_oneof![
        6 => how().prop_map(Comes::End),
        2 => (how(), 0..4_usize).prop_map(|(how, nth)| Comes::EndOld(how, nth)),
        5 => (name(), outcome()).prop_map(|(name, outcome)| Comes::Seeing(name, outcome)),
        3 => (name(), outcome()).prop_map(|(name, word)| Comes::Plain(answer(name, word))),
        6 => Just(Comes::Plain(Command::Wake)),
        1 => (name(), name()).prop_map(|(by, to)| Comes::Plain(reassignment::reassign(by, to))),
        1 => (0..3_u128).prop_map(|number| Comes::Plain(messages::say(&sender(), number))),
        1 => (1..SHORT).prop_map(move |second| Comes::Plain(policy::change(&sender(), shorter(second)))),
        1 => proptest::sample::select(vec![
            cancel(),
            complete(None),
            advance(),
            Command::GiveUp { attempts: 9 },
            Command::ParentEnded,
        ]).prop_map(Comes::Plain),
    ]
}

type Life = (Vec<Stage>, Vec<(Comes, i64)>);

fn lives() -> impl Strategy<Value = Life> {
    let gaps = prop_oneof![10 => 0..40_i64, 3 => 40..400_i64, 1 => -5..0_i64];
    (stages(), proptest::collection::vec((coming(), gaps), 1..COMMANDS_MAX))
}

/// Runs a life and hands every accepted step to `each`, with the state before it; the first is the
/// creation.
fn live((stages, comes): Life, mut each: impl FnMut(&Story, &Step, &Story, &[Event])) -> Story {
    let envelope = Envelope { deadline_at: at(SHORT), ..flow(&stages) };
    let mut story = Story::default();
    let mut now = 0;
    let mut next = Some((create(envelope), 0));
    let mut comes = comes.into_iter();
    while let Some(step) = next.take() {
        let before = story.clone();
        if let Ok(events) = story.take(&step) {
            each(&before, &step, &story, &events);
        }
        if let Some((comes, gap)) = comes.next() {
            now = (now + gap).max(0);
            next = Some((comes.command(&story, now), now));
        }
    }
    story
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn history_replays_to_the_same_state_and_is_stored_as_it_is(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let text = serde_json::to_string(&story.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&events, &story.events);
        prop_assert_eq!(&events.iter().fold(None, apply), &story.intent);
        let text = serde_json::to_string(&story.intent).unwrap();
        let stored: Option<Intent> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(stored, story.intent);
    }

    #[test]
    fn every_run_has_a_wake_up_that_does_something_and_comes_to_rest(life in lives()) {
        live(life, |_, (_, now), story, _| {
            let Some(wake_at) = react::wake_at(story.intent()) else {
                assert!(story.intent().is_ended(), "{:?} sleeps for ever", story.intent().phase);
                return;
            };
            let mut woken = story.clone();
            if at(*now) < wake_at {
                assert_eq!(woken.take(&(Command::Wake, *now)), Ok(vec![]), "it is not due");
            }
            let due = wake_at.as_second().max(*now);
            let mut wakes = 0;
            while react::wake_at(woken.intent()).is_some_and(|wake_at| wake_at <= at(due)) {
                let events = woken.take(&(Command::Wake, due)).unwrap();
                assert!(!events.is_empty(), "a wake-up does nothing: {:?}", story.intent().phase);
                wakes += 1;
                assert!(wakes <= WAKES_AT_ONCE_MAX, "it never comes to rest");
            }
        });
    }

    #[test]
    fn a_repeated_command_has_no_second_effect(life in lives()) {
        live(life, |_, step, after, events| {
            let second = after.clone().take(step);
            let nothing = second.as_ref().is_ok_and(Vec::is_empty);
            // One wake-up does one thing, and policy counts its changes.
            let may = nothing
                || matches!(step.0, Command::Wake | Command::ChangePolicy { .. })
                || (matches!(step.0, Command::Create { .. }) && second == Err(Rejection::Exists))
                // Where it may be about something else by now, it says so.
                || (matches!(step.0, Command::Decide { seen: None, .. })
                    && second == Err(Rejection::StaleView));
            assert!(may, "{step:?} gave {:?}, then {second:?}", kinds(events));
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
    fn steps_begin_and_end_in_turn_and_children_are_born_with_theirs(life in lives()) {
        let mut known = BTreeSet::new();
        live(life, |_, (command, second), after, events| {
            let begun: Vec<IntentId> = events.iter().filter_map(born).collect();
            let births = react::births(after.intent(), command, events);
            assert_eq!(births.iter().map(|(child, _)| *child).collect::<Vec<_>>(), begun);
            for (child, envelope) in births {
                assert!(known.insert(child), "{child} was born twice");
                assert!(envelope.deadline_at <= after.intent().deadline_at());
                let create = Command::Create { id: child, envelope: Box::new(envelope) };
                let created = decide(None, &create, at(*second).max(events[0].at));
                assert!(created.is_ok(), "{created:?}");
            }
            let mut open = false;
            let mut count = 0;
            for event in &after.events {
                if let EventKind::StepBegun { .. } = event.kind {
                    assert!(!open, "a step began while another one was open");
                    (open, count) = (true, count + 1);
                } else if let EventKind::StepEnded { .. } = event.kind {
                    assert!(open, "a step ended that had not begun");
                    open = false;
                } else if let EventKind::Completed { .. } = event.kind {
                    assert!(!open, "it ended before its step");
                }
            }
            assert!(count <= STEPS_BEGUN_MAX);
        });
    }

    #[test]
    fn no_persons_step_is_passed_without_that_persons_answer_in_time(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let workflow = story.intent().envelope.workflow.clone().unwrap();
        let (mut stage, mut began_at, mut answer) = (None, at(0), None);
        for event in &story.events {
            if let EventKind::StepBegun { step, .. } = &event.kind {
                (stage, began_at, answer) = (workflow.step(*step), event.at, None);
            } else if let EventKind::Approved { decision } | EventKind::Refused { decision } =
                &event.kind
            {
                let stage = stage.unwrap();
                prop_assert!(["rita", "otto"].contains(&decision.by.as_str()));
                prop_assert!(stage.human_task().is_some());
                let seconds = i64::from(stage.deadline_s.unwrap_or(u32::MAX).max(1));
                prop_assert!(event.at.as_second() < began_at.as_second() + seconds);
                answer = Some(decision.is_approval());
            } else if let EventKind::StepEnded { failure, .. } = &event.kind
                && stage.unwrap().human_task().is_some()
            {
                // Only a yes passes it, and only a no or the time fails it.
                prop_assert_eq!(answer == Some(true), failure.is_none());
            }
        }
    }
}
