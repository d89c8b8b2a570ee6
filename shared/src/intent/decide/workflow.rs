//! What the steps of a workflow lead to.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HOLDPOINT, History, hold, in_time};
use crate::id::IntentId;
use crate::intent::Intent;
use crate::intent::event::{EventKind, SuspendedFor};
use crate::intent::human_task::{Decided, Decision};
use crate::intent::phase::Failure;
use crate::intent::workflow::{STEPS_BEGUN_MAX, Step, StepEnding, Work};

/// The code of a failure that a person's refusal is.
const REJECTED: &str = "rejected";

/// How a step ended.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) result: Value,
    pub(super) failure: Option<Failure>,
    /// The decision that the step's own child rests on.
    pub(super) decided: Option<Box<Decided>>,
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
        Work::Notify { .. } => {
            let step_id = step.id.clone();
            history.push(HOLDPOINT, EventKind::Notified { step: place, step_id });
            end(Ending::default(), history);
        }
        Work::Escalate { to, .. } => {
            history.push(HOLDPOINT, EventKind::Escalated { to: to.clone() });
            let step_id = step.id.clone();
            history.push(HOLDPOINT, EventKind::Notified { step: place, step_id });
            end(Ending::default(), history);
        }
    }
}

/// Ends the current step, and goes where that leads.
pub(super) fn end(ending: Ending, history: &mut History) {
    let Some((step, attempt, place)) = current(history) else { return };
    let refused = ending.failure.as_ref().is_some_and(|failure| failure.code == REJECTED);
    let again = ending.failure.is_some() && !refused && attempt <= step.retry.retries_max;
    let again_at = again.then(|| after(history, step.retry.delay_s)).flatten();
    let failure = ending.failure;
    history.push(
        HOLDPOINT,
        EventKind::StepEnded {
            step_id: step.id.clone(),
            result: ending.result,
            failure: failure.clone(),
            decided: ending.decided,
            again_at,
        },
    );
    match failure {
        None => go_on(step.next, history),
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
    let decided = ending.decided.clone().map(Box::new);
    let (result, failure) = (ending.result.clone(), ending.failure.clone());
    end(Ending { result, failure, decided }, history);
}

/// Ends the step that a person has decided.
pub(super) fn decided(decision: Decision, verdict: Value, actor: &str, history: &mut History) {
    let (result, failure) = if decision.is_approval() {
        (verdict, None)
    } else {
        let said = format!("{} answered `{}`", decision.by, decision.outcome);
        let reason = decision.comment.clone().unwrap_or(said);
        (verdict, Some(failure(REJECTED, reason)))
    };
    let kind = if failure.is_none() {
        EventKind::Approved { decision }
    } else {
        EventKind::Refused { decision }
    };
    history.push(actor, kind);
    end(Ending { result, failure, decided: None }, history);
}

/// What happens when the time comes for which the current step waited.
pub(super) fn time_has_come(history: &mut History) {
    let Some((step, attempt, place)) = current(history) else { return };
    let run = history.state.as_ref().and_then(|intent| intent.run.as_ref());
    if run.is_some_and(|run| run.pauses) {
        return begin(place, attempt + 1, history);
    }
    match step.work {
        Work::Timeout { seconds } => {
            let reason = format!("{seconds} seconds have passed");
            let failure = Some(failure("step_timeout", reason));
            end(Ending { failure, ..Ending::default() }, history);
        }
        Work::Agent { .. }
        | Work::Human { .. }
        | Work::Delay { .. }
        | Work::Notify { .. }
        | Work::Escalate { .. } => end(Ending::default(), history),
    }
}

/// Ends the current step because its time is over.
pub(super) fn time_out(history: &mut History) {
    let reason = "nobody answered before the step's deadline".to_owned();
    let failure = Some(failure("step_timeout", reason));
    end(Ending { failure, ..Ending::default() }, history);
}

fn current(history: &History) -> Option<(Step, u32, usize)> {
    let intent = history.state.as_ref()?;
    let run = intent.run.as_ref()?;
    Some((intent.current_step()?.clone(), run.attempt, run.step))
}

fn go_on(next: Option<usize>, history: &mut History) {
    match next {
        Some(next) => begin(next, 1, history),
        None => {
            let run = history.state.as_ref().and_then(|intent| intent.run.as_ref());
            let result = run.map_or_else(|| json!({}), result);
            history.push(HOLDPOINT, EventKind::Completed { result });
        }
    }
}

/// What a workflow comes to: the result of its last agent, or the last answer of a person.
fn result(run: &crate::intent::workflow::Run) -> Value {
    if !run.last_result.is_null() {
        return run.last_result.clone();
    }
    let decision = run.decided.as_ref().map(|decided| &decided.decision);
    decision.map_or_else(|| json!({}), super::person::verdict)
}

fn fail(failure: Failure, history: &mut History) {
    history.push(HOLDPOINT, EventKind::Failed { failure, decision: None });
}

fn pause(seconds: u32, history: &mut History) {
    if let Some(until) = after(history, seconds) {
        let waits_for = SuspendedFor::Time(until);
        history.push(HOLDPOINT, EventKind::Suspended { checkpoint: None, waits_for });
    }
}

fn after(history: &History, seconds: u32) -> Option<jiff::Timestamp> {
    history.now.checked_add(Duration::from_secs(seconds.into())).ok()
}

fn failure(code: &str, reason: String) -> Failure {
    Failure { code: code.to_owned(), reason, error: Value::Null }
}
