//! What the steps of a workflow lead to.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::person::verdict;
use super::{HOLDPOINT, History, hold, in_time};
use crate::id::IntentId;
use crate::intent::Intent;
use crate::intent::event::{EventKind, SuspendedFor};
use crate::intent::human_task::{Decided, Decision};
use crate::intent::phase::Failure;
use crate::intent::workflow::{Run, STEPS_BEGUN_MAX, Step, StepEnding, Work};

/// How many events a command may have before a step that only tells something is left for the next
/// moment: a commit is one item of the table, and such steps need nobody to go on and on.
const EVENTS_AT_ONCE_MAX: usize = 60;

/// How a try of a step ended.
#[derive(Default)]
struct Ending {
    result: Value,
    failure: Option<Failure>,
    /// Whether it failed because a person said no. Asking again would not be taking that for an
    /// answer, so it is not tried again.
    refused: bool,
    /// The decision that the step's own child rests on.
    decided: Option<Box<Decided>>,
}

/// Begins a step, and those after it that need nobody.
pub(super) fn begin(place: usize, attempt: u32, history: &mut History) {
    let Some(intent) = history.state.clone() else { return };
    let begun = intent.run.as_ref().map_or(0, |run| run.begun);
    let workflow = intent.envelope.workflow.as_ref();
    let Some(step) = workflow.and_then(|workflow| workflow.step(place)) else {
        return fail(failure("no_such_step", format!("there is no step {place}")), history);
    };
    if begun >= STEPS_BEGUN_MAX {
        let reason =
            format!("the workflow has begun {STEPS_BEGUN_MAX} steps and not come to an end");
        return fail(failure("too_many_steps", reason), history);
    }
    let of_agent = matches!(step.work, Work::Agent { .. });
    let child = of_agent.then(|| intent.step_child(begun + 1));
    let step_id = step.id.clone();
    history.push(HOLDPOINT, EventKind::StepBegun { step: place, step_id, attempt, child });
    match &step.work {
        Work::Agent { .. } => {}
        Work::Human { task } => {
            let subject = (intent.id, &intent.envelope);
            let asker = &intent.envelope.from;
            // The reviewer sees what the steps before came to.
            let results = intent.run.as_ref().map(|run| &run.results);
            let proposal = results.filter(|results| !results.is_empty());
            let proposal = proposal.map(|results| Value::Object(results.clone()));
            hold(subject, task, (Some(place), proposal), asker, history);
        }
        Work::Delay { seconds } | Work::Timeout { seconds } => pause(*seconds, history),
        Work::Notify { .. } | Work::Escalate { .. } => {
            if history.events.len() < EVENTS_AT_ONCE_MAX {
                tell(history);
            } else {
                pause(0, history);
            }
        }
    }
}

/// Tells what the current step has to tell, and ends it.
fn tell(history: &mut History) {
    let Some(Current { step, place, .. }) = Current::of(history) else { return };
    let step_id = step.id;
    let kind = match step.work {
        Work::Escalate { to, .. } => EventKind::Escalated { to, step: Some(place) },
        Work::Notify { .. }
        | Work::Agent { .. }
        | Work::Human { .. }
        | Work::Delay { .. }
        | Work::Timeout { .. } => EventKind::Notified { step: place, step_id },
    };
    history.push(HOLDPOINT, kind);
    end(Ending::default(), history);
}

/// Ends the current try of a step, and goes where that leads.
fn end(ending: Ending, history: &mut History) {
    let Some(Current { step, place, attempt }) = Current::of(history) else { return };
    let Ending { result, failure, refused, decided } = ending;
    let again = failure.is_some() && !refused && attempt <= step.retry.retries_max;
    let again_at = again.then(|| after(history, step.retry.delay_s));
    let (step_id, why) = (step.id, failure.clone());
    history
        .push(HOLDPOINT, EventKind::StepEnded { step_id, result, failure: why, decided, again_at });
    match failure {
        None => match step.next {
            Some(next) => begin(next, 1, history),
            None => complete(history),
        },
        Some(_) if again && step.retry.delay_s == 0 => begin(place, attempt + 1, history),
        Some(_) if again => pause(step.retry.delay_s, history),
        Some(failure) => match step.on_failure {
            Some(next) => begin(next, 1, history),
            None => fail(failure, history),
        },
    }
}

/// Ends the step whose child has ended. News that come twice, or late, change nothing.
pub(super) fn end_child(
    intent: &Intent,
    child: IntentId,
    ending: &StepEnding,
    history: &mut History,
) {
    let has_it = intent.run.as_ref().is_some_and(|run| run.child == Some(child));
    if !has_it || intent.is_ended() || in_time(intent, history.now).is_err() {
        return;
    }
    let StepEnding { result, failure, decided, .. } = ending.clone();
    let refused = decided.as_ref().is_some_and(|decided| !decided.decision.is_approval());
    end(Ending { result, failure, refused, decided: decided.map(Box::new) }, history);
}

/// Ends the step that a person has decided.
pub(super) fn decided(decision: Decision, actor: &str, history: &mut History) {
    let result = verdict(&decision);
    if decision.is_approval() {
        history.push(actor, EventKind::Approved { decision });
        return end(Ending { result, ..Ending::default() }, history);
    }
    let failure = Some(Failure::rejected(&decision));
    history.push(actor, EventKind::Refused { decision });
    end(Ending { result, failure, refused: true, decided: None }, history);
}

/// What happens when the time comes for which the current step waited.
pub(super) fn time_has_come(history: &mut History) {
    let Some(Current { step, place, attempt }) = Current::of(history) else { return };
    let run = history.state.as_ref().and_then(|intent| intent.run.as_ref());
    if run.is_some_and(|run| run.pauses) {
        return begin(place, attempt + 1, history);
    }
    match step.work {
        Work::Delay { .. } => end(Ending::default(), history),
        Work::Notify { .. } | Work::Escalate { .. } => tell(history),
        Work::Timeout { .. } | Work::Agent { .. } | Work::Human { .. } => time_out(history),
    }
}

/// Ends the current try of a step because its time is over.
pub(super) fn time_out(history: &mut History) {
    let reason = "the step's time is over".to_owned();
    let failure = Some(failure("step_timeout", reason));
    end(Ending { failure, ..Ending::default() }, history);
}

/// The step that the workflow is at.
struct Current {
    step: Step,
    place: usize,
    attempt: u32,
}

impl Current {
    fn of(history: &History) -> Option<Self> {
        let intent = history.state.as_ref()?;
        let run = intent.run.as_ref()?;
        let step = intent.current_step()?.clone();
        Some(Self { step, place: run.step, attempt: run.attempt })
    }
}

fn complete(history: &mut History) {
    let run = history.state.as_ref().and_then(|intent| intent.run.as_deref());
    let result = run.map_or_else(|| json!({}), result);
    history.push(HOLDPOINT, EventKind::Completed { result });
}

/// What a workflow comes to: the result of its last agent, or the last answer of a person.
fn result(run: &Run) -> Value {
    if !run.last_result.is_null() {
        return run.last_result.clone();
    }
    run.decided.as_ref().map_or_else(|| json!({}), |decided| verdict(&decided.decision))
}

fn fail(failure: Failure, history: &mut History) {
    history.push(HOLDPOINT, EventKind::Failed { failure, decision: None });
}

fn pause(seconds: u32, history: &mut History) {
    let waits_for = SuspendedFor::Time(after(history, seconds));
    history.push(HOLDPOINT, EventKind::Suspended { checkpoint: None, waits_for });
}

fn after(history: &History, seconds: u32) -> Timestamp {
    let seconds = Duration::from_secs(seconds.into());
    history.now.checked_add(seconds).unwrap_or(Timestamp::MAX)
}

fn failure(code: &str, reason: String) -> Failure {
    Failure { code: code.to_owned(), reason, error: Value::Null }
}
