//! A workflow, as clients read it: its steps with their states, and which step an event is about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::working_hours;
use crate::address::Address;
use crate::id::IntentId;
use crate::intent::phase::Failure;
use crate::intent::record::Recorded;
use crate::intent::workflow::{Step, Work};
use crate::intent::{EventKind, Intent, Status};

/// What the history of an intent says about one step.
#[derive(Clone, Debug, Default)]
struct Trace {
    attempts: u32,
    children: Vec<IntentId>,
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    failure: Option<Failure>,
}

/// Writes the fields that an intent with a workflow has beside the others. The steps' states need its
/// whole history; without it only the present step is named.
pub(super) fn fields(intent: &Intent, history: Option<&[Recorded]>) -> Map<String, Value> {
    let Some(workflow) = &intent.envelope.workflow else { return Map::new() };
    let current = intent.current_step().filter(|_| !intent.is_ended()).map(|step| &step.id);
    let mut shown = json!({"scenario_id": workflow.scenario_id, "current_step": current});
    let mut fields = Map::from_iter([("current_step".to_owned(), json!(current))]);
    if let (Some(history), Value::Object(shown)) = (history, &mut shown) {
        let traces = traces(history);
        let step = |step: &Step| present(intent, step, traces.get(step.id.as_str()));
        let steps: Vec<_> = workflow.steps.iter().map(step).collect();
        let children: Vec<_> = traces.values().flat_map(|trace| &trace.children).collect();
        shown.insert("steps".to_owned(), json!(steps));
        fields.insert("child_intent_ids".to_owned(), json!(children));
    }
    fields.insert("workflow".to_owned(), shown);
    fields
}

fn traces(history: &[Recorded]) -> BTreeMap<&str, Trace> {
    let mut traces: BTreeMap<&str, Trace> = BTreeMap::new();
    for record in history {
        let at = record.event.at;
        if let EventKind::StepBegun { step_id, attempt, child, .. } = &record.event.kind {
            let trace = traces.entry(step_id).or_default();
            (trace.attempts, trace.failure, trace.ended_at) = (*attempt, None, None);
            trace.began_at = Some(at);
            trace.children.extend(*child);
        }
        if let EventKind::StepEnded { step_id, failure, .. } = &record.event.kind {
            let trace = traces.entry(step_id).or_default();
            (trace.ended_at, trace.failure) = (Some(at), failure.clone());
        }
    }
    traces
}

fn present(intent: &Intent, step: &Step, trace: Option<&Trace>) -> Value {
    let trace = trace.cloned().unwrap_or_default();
    let results = intent.run.as_ref().map(|run| &run.results);
    let assigned_to = match &step.work {
        Work::Agent { to, .. } | Work::Escalate { to, .. } => Some(to.uri()),
        Work::Human { task } if !task.assignees.is_empty() => Some(task.assignees.join(", ")),
        Work::Notify { to, .. } => to.clone(),
        Work::Human { .. } | Work::Delay { .. } | Work::Timeout { .. } => None,
    };
    json!({
        "step_id": step.id,
        "kind": kind(&step.work),
        "assigned_to": assigned_to,
        "requires_approval": super::scenario::asks(step),
        "state": state(intent, step, &trace),
        "attempts": trace.attempts,
        "child_intent_id": trace.children.last(),
        "began_at": trace.began_at,
        "ended_at": trace.ended_at,
        "result": results.and_then(|results| results.get(&step.id)),
        "error": trace.failure,
        "working_hours": step.working_hours.as_ref().map(working_hours::present),
        "escalate_to": step.escalate_to.as_ref().map(Address::uri),
        "step_deadline_seconds": step.deadline_s,
    })
}

fn kind(work: &Work) -> &'static str {
    match work {
        Work::Agent { .. } => "agent",
        Work::Human { .. } => "human",
        Work::Delay { .. } => "delay",
        Work::Timeout { .. } => "timeout",
        Work::Notify { .. } => "notification",
        Work::Escalate { .. } => "escalation",
    }
}

/// In one word: a step that has not ended when its intent does has ended with it.
fn state(intent: &Intent, step: &Step, trace: &Trace) -> &'static str {
    let over = intent.is_ended();
    let is_current = intent.current_step().is_some_and(|current| current.id == step.id);
    let pauses = intent.run.as_ref().is_some_and(|run| run.pauses);
    match (trace.began_at, trace.ended_at) {
        (None, _) if over => "skipped",
        (None, _) => "pending",
        (Some(_), Some(_)) if is_current && pauses && !over => "retrying",
        (Some(_), Some(_)) if trace.failure.is_some() => "failed",
        (Some(_), Some(_)) => "completed",
        (Some(_), None) => match intent.status() {
            Status::Canceled => "canceled",
            Status::TimedOut => "timed_out",
            Status::Completed | Status::Failed => "failed",
            Status::Waiting => "waiting",
            Status::Created
            | Status::Submitted
            | Status::Delivered
            | Status::Acknowledged
            | Status::InProgress => "in_progress",
        },
    }
}
