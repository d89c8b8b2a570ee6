//! Workflows to try, and the children that have their steps.

use super::super::react;
use super::super::workflow::{self, Workflow};
pub(super) use super::super::workflow::{Retry, StepEnding, Work};
use super::*;
use crate::message::Message;

/// A step of a workflow.
pub(super) type Stage = workflow::Step;

fn stage(id: &str, work: Work) -> Stage {
    Stage {
        id: id.to_owned(),
        work,
        next: None,
        on_failure: None,
        deadline_s: None,
        retry: Retry::default(),
        reminders: Reminders::default(),
        working_hours: None,
        escalate_to: None,
    }
}

/// The agent at `deployer` has it.
pub(super) fn agent(id: &str) -> Stage {
    let input = serde_json::Map::from_iter([("of".to_owned(), json!(id))]);
    let (to, handler) = (address("desk"), address("deployer"));
    stage(id, Work::Agent { to, handler, delivery: Delivery::Stream, hold_point: None, input })
}

/// The same, and a person signs its result off.
pub(super) fn signed_off(id: &str) -> Stage {
    let mut stage = agent(id);
    if let Work::Agent { hold_point, .. } = &mut stage.work {
        let task = HumanTask::approval(format!("Is {id} right?"));
        *hold_point = Some(HoldPoint { placement: Placement::OnResult, task });
    }
    stage
}

pub(super) fn human(id: &str) -> Stage {
    stage(id, Work::Human { task: HumanTask::approval(format!("Is {id} right?")) })
}

pub(super) fn delay(id: &str, seconds: u32) -> Stage {
    stage(id, Work::Delay { seconds })
}

pub(super) fn timeout(id: &str, seconds: u32) -> Stage {
    stage(id, Work::Timeout { seconds })
}

pub(super) fn notify(id: &str) -> Stage {
    let subject = "It goes on.".to_owned();
    stage(id, Work::Notify { to: Some("ops".to_owned()), subject, body: None })
}

pub(super) fn escalate(id: &str) -> Stage {
    stage(id, Work::Escalate { to: address("boss"), reason: Some("it is late".to_owned()) })
}

pub(super) fn retried(stage: Stage, retries_max: u32, delay_s: u32) -> Stage {
    Stage { retry: Retry { retries_max, delay_s }, ..stage }
}

pub(super) fn within(stage: Stage, seconds: u32) -> Stage {
    Stage { deadline_s: Some(seconds), ..stage }
}

pub(super) fn caught(stage: Stage, on_failure: usize) -> Stage {
    Stage { on_failure: Some(on_failure), ..stage }
}

pub(super) fn followed(stage: Stage, next: usize) -> Stage {
    Stage { next: Some(next), ..stage }
}

/// An intent whose workflow takes these steps one after the other, as far as they do not say how they
/// are followed.
pub(super) fn flow(stages: &[Stage]) -> Envelope {
    let after = |place: usize| Some(place + 1).filter(|next| *next < stages.len());
    let place = |(place, stage): (usize, &Stage)| Stage {
        next: stage.next.or(after(place)),
        ..stage.clone()
    };
    let steps = stages.iter().enumerate().map(place).collect();
    let core = Address::agent_core();
    let workflow = Workflow { scenario_id: "release".to_owned(), entry: 0, steps };
    Envelope { to: core.clone(), handler: core, workflow: Some(workflow), ..streamed() }
}

/// The same, sent at 0.
pub(super) fn sent(stages: &[Stage]) -> Vec<Step> {
    vec![(create(flow(stages)), 0)]
}

/// The child of the step that the last of `given` began, after `steps` of its own.
#[track_caller]
pub(super) fn child_of(given: &[Step], steps: &[Step]) -> Story {
    let (last, before) = given.split_last().expect("it has a life");
    let mut story = Story::of(before);
    let events = story.take(last).expect("it begins a step");
    let births = react::births(story.intent(), &last.0, &events);
    let [(id, envelope)] = births.as_slice() else { panic!("{births:?}") };
    let born = Command::Create { id: *id, envelope: Box::new(envelope.clone()) };
    Story::of(&then(&[(born, last.1)], steps))
}

/// The news of that child, when it has ended.
#[track_caller]
pub(super) fn news(given: &[Step], steps: &[Step]) -> Command {
    news_of(&child_of(given, steps))
}

#[track_caller]
pub(super) fn news_of(child: &Story) -> Command {
    let ending = StepEnding::of(child.intent()).expect("the child has ended");
    Command::EndStep { child: child.intent().id, ending: Box::new(ending) }
}

/// `given`, and the news at `second` that the agent's step has ended with [`result`].
#[track_caller]
pub(super) fn done(given: &[Step], second: i64) -> Vec<Step> {
    then(given, &[(news(given, &[(complete(None), second)]), second)])
}

/// The same, and it has failed.
#[track_caller]
pub(super) fn failed(given: &[Step], second: i64) -> Vec<Step> {
    then(given, &[(news(given, &[(fail(None), second)]), second)])
}

/// Why it has failed.
#[track_caller]
pub(super) fn failure_of(given: &[Step]) -> Failure {
    let story = Story::of(given);
    let Phase::Failed { failure, .. } = &story.intent().phase else {
        panic!("{:?}", story.intent().phase);
    };
    failure.clone()
}

/// What came of it.
#[track_caller]
pub(super) fn result_of(given: &[Step]) -> Value {
    let story = Story::of(given);
    let Phase::Completed { result, .. } = &story.intent().phase else {
        panic!("{:?}", story.intent().phase);
    };
    result.clone()
}

/// What the last of `given` owes.
#[track_caller]
pub(super) fn owed_for(given: &[Step]) -> Vec<Message> {
    let (last, before) = given.split_last().expect("it has a life");
    let mut story = Story::of(before);
    let events = story.take(last).unwrap();
    events.iter().flat_map(|event| react::owed(story.intent(), event)).collect()
}

/// How an agent is told at `second` that it is its turn: what is owed then, and when something is due
/// next.
pub(super) fn told_at(second: i64) -> [(Delivery, Vec<Message>, i64); 3] {
    let (tenant, intent) = ("default".to_owned(), id());
    let turn = Message::Turn { tenant: tenant.clone(), intent };
    let push = Message::Push { tenant, intent };
    [
        (Delivery::Stream, vec![], DEADLINE),
        (Delivery::Worker, vec![turn], second + 300),
        (Delivery::Push, vec![push], second + 30),
    ]
}

/// The steps that have begun, in their order.
pub(super) fn path(given: &[Step]) -> Vec<String> {
    let begun = |event: &Event| {
        let EventKind::StepBegun { step_id, .. } = &event.kind else { return None };
        Some(step_id.clone())
    };
    Story::of(given).events.iter().filter_map(begun).collect()
}

/// The bytes of the largest of the states that `events` led to, and of the events of one commit.
pub(super) fn bytes(given: &[Step]) -> (usize, usize) {
    let mut story = Story::default();
    let (mut state, mut commit) = (0, 0);
    for step in given {
        let before = story.intent.clone();
        let events = story.take(step).unwrap();
        let (_, records) = super::super::record::record(before.as_ref(), &events);
        commit = commit.max(serde_json::to_string(&records).unwrap().len());
        state = state.max(serde_json::to_string(&story.intent).unwrap().len());
    }
    (state, commit)
}
