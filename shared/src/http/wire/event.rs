//! Events, as clients read them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::human_task;
use crate::app::Events;
use crate::http::sse::{Frame, carried_bytes};
use crate::id::IntentId;
use crate::intent::ask::AskEnding;
use crate::intent::envelope::Envelope;
use crate::intent::event::SuspendedFor;
use crate::intent::human_task::Decision;
use crate::intent::phase::Failure;
use crate::intent::record::Recorded;
use crate::intent::{EventKind, Intent};

/// The most bytes of a list, as an answer of a function carries them.
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Writes `{ok, events, has_more, next_since}`: what happened after `since`, as far as one answer
/// reaches.
pub fn list(id: IntentId, since: u64, read: &Events) -> Value {
    let mut events = Vec::with_capacity(read.records.len());
    let (mut bytes, mut next_since) = (0, since);
    for record in &read.records {
        let event = present(id, record);
        bytes += carried_bytes(&event.to_string());
        if bytes > LIST_BYTES_MAX && !events.is_empty() {
            break;
        }
        next_since = record.event.seq;
        events.push(event);
    }
    let has_more = read.has_more || events.len() < read.records.len();
    json!({"ok": true, "events": events, "has_more": has_more, "next_since": next_since})
}

/// A frame of an intent's event stream.
pub fn frame(id: IntentId, record: &Recorded) -> Frame {
    let event = record.event.kind.wire_name().to_owned();
    Frame { event, seq: record.event.seq, data: present(id, record) }
}

/// A frame of an agent's stream: an intent that is the agent's to do.
pub fn offer_frame(seq: u64, intent: &Intent) -> Frame {
    let status = intent.status().name();
    let event = match intent.status() {
        crate::intent::Status::InProgress => "intent.in_progress",
        crate::intent::Status::Waiting => "intent.waiting",
        crate::intent::Status::Created
        | crate::intent::Status::Submitted
        | crate::intent::Status::Delivered
        | crate::intent::Status::Acknowledged
        | crate::intent::Status::Completed
        | crate::intent::Status::Failed
        | crate::intent::Status::Canceled
        | crate::intent::Status::TimedOut => "intent.delivered",
    };
    let data = json!({
        "intent_id": intent.id,
        "seq": seq,
        "event_type": event,
        "status": status,
        "intent_type": intent.envelope.intent_type,
        "from_agent": intent.envelope.from,
        "to_agent": intent.envelope.to.uri(),
        "at": intent.updated_at,
        "data": {},
    });
    Frame { event: event.to_owned(), seq, data }
}

/// Writes an event, and the step of a workflow that it is about. Its facts stand under `details` and
/// under `data`, since clients read either.
pub fn present(id: IntentId, record: &Recorded) -> Value {
    let event = &record.event;
    let mut details = details(record);
    details.extend(record.step_id.as_ref().map(|step| ("step_id".to_owned(), json!(step))));
    let details = Value::Object(details);
    let mut body = json!({
        "intent_id": id,
        "seq": event.seq,
        "event_type": event.kind.wire_name(),
        "status": record.status.name(),
        "waiting_reason": record.waiting_reason,
        "lifecycle_waiting_reason": record.waiting_reason,
        "handler": record.pending_with.as_ref().map(|holder| &holder.reference),
        "pending_with": record.pending_with,
        "actor": event.actor,
        "at": event.at,
        "details": details,
        "data": details,
    });
    if let (EventKind::Completed { result }, Value::Object(fields)) = (&event.kind, &mut body) {
        fields.insert("result".to_owned(), result.clone());
    }
    body
}

fn details(record: &Recorded) -> Map<String, Value> {
    let facts = match &record.event.kind {
        EventKind::Created { envelope, .. } => created(envelope),
        EventKind::Submitted | EventKind::Acknowledged | EventKind::TimedOut => json!({}),
        EventKind::TaskAssigned => json!({"status": "pending_human_approval"}),
        EventKind::Offered { attempt, .. } => json!({"delivery_attempt": attempt}),
        EventKind::Started { .. } => json!({"step": "started"}),
        EventKind::Stepped { note, .. } => json!({"step": note}),
        EventKind::Held { hold } => json!({
            "status": "pending_human_approval",
            "hold_version": hold.version,
            "digest": hold.digest,
        }),
        EventKind::Reminded { count } => json!({"remind_count": count}),
        EventKind::Escalated { to, .. } => json!({"escalated_to": to.uri()}),
        EventKind::Approved { decision } | EventKind::Refused { decision } => answered(decision),
        EventKind::Reassigned { to, note } => json!({"delegate_to": to, "note": note}),
        EventKind::StepBegun { step_id, attempt, child, .. } => {
            step_begun(step_id, *attempt, *child)
        }
        EventKind::StepEnded { step_id, result, failure, again_at, .. } => {
            step_ended(step_id, result, failure.as_ref(), *again_at)
        }
        EventKind::Notified { step_id, .. } => {
            json!({"step": "sent the notice of step", "step_id": step_id})
        }
        EventKind::Checked => json!({"step": "checked"}),
        EventKind::Said { message_id, text } => json!({"message_id": message_id, "message": text}),
        EventKind::Hidden { message_ids, from_all } => json!({
            "message_ids": message_ids,
            "mode": if *from_all { "both" } else { "self" },
        }),
        EventKind::PolicyChanged { patch, generation, reason } => json!({
            "policy_generation": generation,
            "patch": patch,
            "reason": reason,
        }),
        EventKind::Suspended { waits_for, .. } => suspended(waits_for),
        EventKind::AskEnded { call_id, ending } => ask_ended(call_id, ending),
        EventKind::Resumed { .. } => json!({"step": "resumed"}),
        EventKind::HandedOn { reason, next_handler, .. } => json!({
            "reason": reason,
            "next_handler": next_handler.as_ref().map(crate::address::Address::uri),
        }),
        EventKind::CallClaimed { call_id, .. } => {
            json!({"step": "tool claimed", "call_id": call_id})
        }
        EventKind::CallFinished { call_id, is_error, .. } => {
            json!({"step": "tool finished", "call_id": call_id, "is_error": is_error})
        }
        EventKind::DeliveryFailed { attempts } => json!({"delivery_attempt": attempts.to_string()}),
        EventKind::Completed { result } => json!({"status": "completed", "result": result}),
        EventKind::Failed { failure, .. } => failed(failure),
        EventKind::Canceled { reason } => json!({"status": "canceled", "reason": reason}),
    };
    let mut facts = match facts {
        Value::Object(facts) => facts,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    if let Some(Value::Object(answer)) = record.decision.as_ref().map(answered) {
        facts.extend(answer);
    }
    if let Some(approved) = record.approved {
        facts.insert("approved".to_owned(), json!(approved));
    }
    facts
}

fn created(envelope: &Envelope) -> Value {
    let parent = envelope.parent.as_ref();
    json!({
        "intent_type": envelope.intent_type,
        "to_agent": envelope.to.uri(),
        "deadline_at": envelope.deadline_at,
        "human_task": envelope.hold_point.as_ref().map(|point| human_task::present(&point.task)),
        "scenario_id": envelope.workflow.as_ref().map(|workflow| &workflow.scenario_id),
        "parent_intent_id": parent.map(|parent| parent.intent),
        "step_id": parent.filter(|parent| parent.is_step).map(|parent| &parent.call_id),
    })
}

fn step_begun(step_id: &str, attempt: u32, child: Option<IntentId>) -> Value {
    json!({
        "step": "began step",
        "step_id": step_id,
        "attempt": attempt,
        "child_intent_id": child,
    })
}

fn failed(failure: &Failure) -> Value {
    json!({
        "status": "failed",
        "code": failure.code,
        "reason": failure.reason,
        "error": failure.error,
    })
}

fn step_ended(
    step_id: &str,
    result: &Value,
    failure: Option<&Failure>,
    again_at: Option<Timestamp>,
) -> Value {
    json!({
        "step": if failure.is_none() { "completed step" } else { "failed step" },
        "step_id": step_id,
        "step_result": result,
        "code": failure.map(|failure| &failure.code),
        "reason": failure.map(|failure| &failure.reason),
        "again_at": again_at,
    })
}

fn ask_ended(call_id: &str, ending: &AskEnding) -> Value {
    let decision = ending.decision.as_ref();
    json!({
        "call_id": call_id,
        "approval_status": ending.status.name(),
        "approved": ending.is_approved(),
        "outcome": decision.map(|decision| &decision.outcome),
        "comment": decision.and_then(|decision| decision.comment.as_ref()),
        "decided_by": decision.map(|decision| &decision.by),
    })
}

fn answered(decision: &Decision) -> Value {
    json!({
        "approved": decision.is_approval(),
        "outcome": decision.outcome,
        "comment": decision.comment,
        "decided_by": decision.by,
        "decided_at": decision.decided_at,
        "digest": decision.digest,
        "fields": decision.data,
    })
}

fn suspended(waits_for: &SuspendedFor) -> Value {
    match waits_for {
        SuspendedFor::People(asks) => {
            let asks: Vec<_> = asks.iter().map(super::intent::ask).collect();
            json!({"status": "pending_human_approval", "approvals": asks})
        }
        SuspendedFor::Tool => json!({"status": "pending_tool"}),
        SuspendedFor::Time(until) => json!({"status": "pending_time", "until": until}),
    }
}
