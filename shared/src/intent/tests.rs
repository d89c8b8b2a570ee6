//! The core, tried from outside: every state comes about by commands, and each test is a row.
//!
//! Time is whole seconds from an epoch. Whatever happens in any test passes through
//! [`Story::take`], which holds every event against the rules that must always be true.

mod answers;
mod asks;
mod calls;
mod delivery;
mod flow;
mod formats;
mod handing_on;
mod hold_points;
mod kinds;
mod lifecycle;
mod lives;
mod messages;
mod policy;
mod properties;
mod react;
mod reassignment;
mod runs;
mod sign_offs;
mod step_endings;
mod time;
mod walk;
mod workflows;
mod working_hours;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::ask::{AskEnding, AskRequest, GRANT_SECONDS, call_digest};
use super::command::{Seen, WaitsFor};
use super::envelope::{Delivery, Envelope, Reminders};
use super::human_task::{HoldPoint, HumanTask, Outcome, Placement};
use super::phase::{Failure, Phase};
use super::{Command, EVENT_SEQ_STEP, Event, EventKind, Intent, Rejection, Status};
use super::{apply, decide};
use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;
use crate::principal::{Assurance, Principal, Role};
use kinds::{kind, kinds};

/// When the intents of these tests end, unless the test says otherwise: later than a grant lasts.
const DEADLINE: i64 = 1_000_000;

/// A command and its second.
type Step = (Command, i64);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An intent's life so far.
#[derive(Clone, Debug, Default)]
struct Story {
    intent: Option<Intent>,
    events: Vec<Event>,
}

impl Story {
    #[track_caller]
    fn of(steps: &[Step]) -> Self {
        let mut story = Self::default();
        for step in steps {
            if let Err(rejection) = story.take(step) {
                panic!("{step:?} was refused: {rejection}");
            }
        }
        story
    }

    /// Takes one step, event by event, and returns what happened.
    #[track_caller]
    fn take(&mut self, (command, second): &Step) -> Result<Vec<Event>, Rejection> {
        let events = decide(self.intent.as_ref(), command, at(*second))?;
        for event in &events {
            self.fold(event);
        }
        Ok(events)
    }

    #[track_caller]
    fn fold(&mut self, event: &Event) {
        let before = self.intent.take();
        let after = apply(before.clone(), event).expect("an intent stays one");
        assert_eq!(after.seq, before.as_ref().map_or(0, |it| it.seq) + EVENT_SEQ_STEP);
        assert_eq!((after.seq, after.updated_at), (event.seq, event.at));
        if let Some(before) = &before {
            assert!(!before.is_ended(), "{event:?} came after the end");
            assert_eq!((before.id, &before.envelope), (after.id, &after.envelope));
            let way = (before.status(), after.status());
            assert!(may_follow(way), "{way:?} is no way of the contract: {event:?}");
        }
        let deadline_at = after.deadline_at();
        assert!(
            event.at < deadline_at || event.kind == EventKind::TimedOut,
            "{event:?} came at or after the deadline"
        );
        self.events.push(event.clone());
        self.intent = Some(after);
    }

    #[track_caller]
    fn intent(&self) -> &Intent {
        self.intent.as_ref().expect("the story has begun")
    }
}

/// Whether one status may follow another: the contract's table, staying where it is, and the
/// deadline, which may pass anywhere.
fn may_follow((before, after): (Status, Status)) -> bool {
    use Status::{
        Acknowledged, Canceled, Completed, Created, Delivered, Failed, InProgress, Submitted,
        TimedOut, Waiting,
    };
    let next: &[Status] = match before {
        Created => &[Submitted],
        Submitted => &[Delivered, InProgress, Waiting, Failed, Canceled],
        Delivered => &[Acknowledged, InProgress, Waiting, Failed, Canceled, TimedOut],
        Acknowledged => &[InProgress, Waiting, Failed, Canceled, TimedOut],
        InProgress => &[Waiting, Completed, Failed, Canceled, TimedOut],
        Waiting => &[InProgress, Failed, Canceled, TimedOut],
        Completed | Failed | Canceled | TimedOut => &[],
    };
    before == after || next.contains(&after)
}

/// Says what `when` does after `given`: the kinds of its events, or the refusal.
#[track_caller]
fn check(given: &[Step], when: Step, then: Result<&[&str], Rejection>) {
    let mut story = Story::of(given);
    let before = story.clone();
    let happened = story.take(&when);
    let happened = happened.map(|events| kinds(&events));
    assert_eq!(happened, then.map(<[&str]>::to_vec), "{when:?}");
    if happened.is_err() {
        assert_eq!(before.intent, story.intent, "a refusal changes nothing");
    }
}

/// The same, one second before `second`, at it, and one second after it.
#[track_caller]
fn check_around(
    second: i64,
    given: &[Step],
    when: &Command,
    [before, on, after]: [Result<&[&str], Rejection>; 3],
) {
    check(given, (when.clone(), second - 1), before);
    check(given, (when.clone(), second), on);
    check(given, (when.clone(), second + 1), after);
}

// What is sent.

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn id() -> IntentId {
    IntentId::derived(&["the intent of these tests"])
}

/// Sent by the agent `sender`, handled by the agent at `deployer`, which holds the stream.
fn streamed() -> Envelope {
    Envelope {
        tenant: "default".to_owned(),
        intent_type: "intent.deploy.v1".to_owned(),
        correlation_id: Uuid::nil(),
        from: "sender".to_owned(),
        to: address("desk"),
        handler: address("deployer"),
        delivery: Delivery::Stream,
        payload: serde_json::Map::from_iter([("build".to_owned(), json!(7))]),
        parent: None,
        reply_to: None,
        deadline_at: at(DEADLINE),
        reminders: Reminders::default(),
        working_hours: None,
        escalate_to: None,
        delivery_attempts_max: Some(3),
        hold_point: None,
        workflow: None,
    }
}

/// The same, run by the worker.
fn worked() -> Envelope {
    Envelope { delivery: Delivery::Worker, ..streamed() }
}

fn held(placement: Placement) -> Envelope {
    let task = HumanTask::approval("Deploy build 7?".to_owned());
    Envelope { hold_point: Some(HoldPoint { placement, task }), ..streamed() }
}

/// `envelope` with its human task changed.
fn with_task(mut envelope: Envelope, change: impl FnOnce(&mut HumanTask)) -> Envelope {
    change(&mut envelope.hold_point.as_mut().unwrap().task);
    envelope
}

// Who acts.

fn principal(name: &str, role: Role, address: Option<Address>) -> Principal {
    let tenant = "default".to_owned();
    Principal { tenant, name: name.to_owned(), role, address, assurance: Assurance::Key }
}

fn sender() -> Principal {
    principal("sender", Role::Agent, Some(address("sender")))
}

fn deployer() -> Principal {
    principal("deployer-key", Role::Agent, Some(address("deployer")))
}

fn stranger() -> Principal {
    principal("stranger", Role::Agent, Some(address("elsewhere")))
}

fn reviewer(name: &str) -> Principal {
    principal(name, Role::Reviewer, None)
}

fn admin() -> Principal {
    principal("root", Role::Admin, None)
}

// What is asked of an intent.

fn create(envelope: Envelope) -> Command {
    Command::Create { id: id(), envelope: Box::new(envelope) }
}

fn start(lease_until: i64) -> Command {
    Command::Start { by: deployer(), lease_until: at(lease_until) }
}

fn step(fence: u64, lease_until: i64, checkpoint: &str) -> Command {
    Command::Step {
        by: deployer(),
        fence,
        lease_until: at(lease_until),
        checkpoint: digest(checkpoint),
        note: "asked the model".to_owned(),
    }
}

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

/// A suspension that replaces no run state and stores none.
fn suspend(fence: Option<u64>, waits_for: WaitsFor) -> Command {
    suspend_from(fence, (None, None), waits_for)
}

fn suspend_from(
    fence: Option<u64>,
    (expected, stored): (Option<&str>, Option<&str>),
    waits_for: WaitsFor,
) -> Command {
    Command::Suspend {
        by: deployer(),
        fence,
        expected_checkpoint: expected.map(digest),
        checkpoint: stored.map(digest),
        waits_for,
    }
}

fn people(call_ids: &[&str]) -> WaitsFor {
    WaitsFor::People(call_ids.iter().map(|call_id| ask(call_id)).collect())
}

/// The question whether `call_id` may run the tool of these tests.
fn ask(call_id: &str) -> AskRequest {
    AskRequest {
        call_id: call_id.to_owned(),
        tool: "deploy".to_owned(),
        arguments: serde_json::Map::from_iter([("call".to_owned(), json!(call_id))]),
        title: "May it deploy?".to_owned(),
        description: None,
        assignees: vec![],
        timeout_s: None,
        reminders: Reminders::default(),
        working_hours: None,
    }
}

/// Claims the call that [`ask`] asks about.
fn claim(fence: Option<u64>, call_id: &str, needs_grant: bool, token: &str) -> Command {
    let request = ask(call_id);
    Command::Claim {
        by: deployer(),
        fence,
        call_id: call_id.to_owned(),
        call_digest: call_digest(&request.tool, &request.arguments),
        needs_grant,
        token_digest: digest(token),
    }
}

fn finish(call_id: &str, token: &str, output: &str) -> Command {
    Command::FinishCall {
        by: deployer(),
        call_id: call_id.to_owned(),
        token_digest: digest(token),
        output_digest: digest(output),
        is_error: false,
    }
}

fn complete(fence: Option<u64>) -> Command {
    Command::Complete { by: deployer(), fence, result: result() }
}

fn result() -> Value {
    json!({"url": "https://build-7.example"})
}

fn fail(fence: Option<u64>) -> Command {
    Command::Fail { by: deployer(), fence, failure: failure() }
}

fn failure() -> Failure {
    Failure {
        code: "no_disk".to_owned(),
        reason: "the disk is full".to_owned(),
        error: Value::Null,
    }
}

fn advance() -> Command {
    Command::Advance { by: deployer(), reason: Some("over to you".to_owned()), next: None }
}

fn approve() -> Command {
    answer("rita", Outcome::APPROVED)
}

fn reject() -> Command {
    answer("rita", Outcome::REJECTED)
}

fn answer(name: &str, outcome: Outcome) -> Command {
    Command::Decide { by: reviewer(name), answer: says(outcome, None), seen: None }
}

/// The two plain answers.
const PLAIN: [Outcome; 2] = [Outcome::APPROVED, Outcome::REJECTED];

/// An answer as a button gives it.
fn says(outcome: Outcome, comment: Option<&str>) -> Answer {
    Answer { comment: comment.map(str::to_owned), ..Answer::of(outcome) }
}

fn cancel() -> Command {
    Command::Cancel { by: sender(), reason: "not needed".to_owned() }
}

/// The news that the child of `call_id` has ended, as that child's own story gives it.
fn end_ask(parent: &[Step], call_id: &str, child_steps: &[Step]) -> Command {
    let child = child(parent, call_id, child_steps);
    let ending = AskEnding::of(child.intent()).expect("the child has ended");
    Command::EndAsk { child: child.intent().id, ending }
}

/// The child that the last step of `parent` asked for under `call_id`, after `steps`.
#[track_caller]
fn child(parent: &[Step], call_id: &str, steps: &[Step]) -> Story {
    let (last, before) = parent.split_last().expect("the parent has a life");
    let mut story = Story::of(before);
    let events = story.take(last).expect("the parent asks");
    let births = super::react::births(story.intent(), &last.0, &events);
    let name = |envelope: &Envelope| envelope.parent.as_ref().map(|it| it.call_id.clone());
    let birth = births.into_iter().find(|(_, it)| name(it).as_deref() == Some(call_id));
    let (id, envelope) = birth.expect("the child was born");
    let mut life = vec![(Command::Create { id, envelope: Box::new(envelope) }, last.1)];
    life.extend_from_slice(steps);
    Story::of(&life)
}

/// Given and the steps after it.
fn then(given: &[Step], steps: &[Step]) -> Vec<Step> {
    [given, steps].concat()
}
