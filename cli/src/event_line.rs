//! An event as one line for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::terminal::{Paint, Terminal, field, one_line};

/// The widest status.
const STATUS_WIDTH: usize = "ACKNOWLEDGED".len();

/// When, where the intent stands, what happened, and by whom.
pub(crate) fn event_line(event: &Value, terminal: &Terminal) -> String {
    let at = clock_time(event.get("at").and_then(Value::as_str).unwrap_or(""));
    let status = field(event, "/status");
    let paint = match status.as_str() {
        "COMPLETED" => Paint::Good,
        "FAILED" | "CANCELED" | "TIMED_OUT" => Paint::Bad,
        "WAITING" => Paint::Attention,
        _ => Paint::Strong,
    };
    let status = terminal.paint(paint, &format!("{status:<STATUS_WIDTH$}"));
    let by = terminal.paint(Paint::Quiet, &format!("by {}", field(event, "/actor")));
    format!("{}  {status}  {}  {by}", terminal.paint(Paint::Quiet, &at), what(event))
}

/// An instant as people near it read it: the local time of day, or all of it if it is another day's.
pub(crate) fn moment(text: &str, now: Timestamp) -> String {
    let Ok(at) = text.parse::<Timestamp>() else { return one_line(text) };
    let zone = TimeZone::system();
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    if at.date() == now.date() {
        at.strftime("%H:%M:%S").to_string()
    } else {
        at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

fn clock_time(text: &str) -> String {
    let Ok(at) = text.parse::<Timestamp>() else { return one_line(text) };
    at.to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

fn what(event: &Value) -> String {
    let detail = |name: &str| field(event, &format!("/details/{name}"));
    let has = |name: &str| event.pointer(&format!("/details/{name}")).is_some_and(|v| !v.is_null());
    let kind = event.get("event_type").and_then(Value::as_str).unwrap_or("");
    match kind {
        "intent.created" => format!("{} for {}", detail("intent_type"), detail("to_agent")),
        "intent.submitted" => "stored durably".to_owned(),
        "intent.delivered" => format!(
            "offered to {}, attempt {}",
            field(event, "/pending_with/ref"),
            detail("delivery_attempt")
        ),
        "intent.acknowledged" => "taken by the agent".to_owned(),
        "intent.in_progress" if has("step") && has("step_id") => step(event),
        "intent.in_progress" if has("step") => detail("step"),
        "intent.in_progress" if has("outcome") => decided(event),
        "intent.waiting" if has("child_intent_id") => {
            format!("{}, with {}", step(event), field(event, "/pending_with/ref"))
        }
        "intent.waiting" => waiting(event),
        "intent.human_task_assigned" => "a person is asked".to_owned(),
        "intent.reminder" => format!("reminder {}", detail("remind_count")),
        "intent.escalated" => format!("escalated to {}", detail("escalated_to")),
        "intent.delivery_failed" => {
            format!("nobody took it, attempt {}", detail("delivery_attempt"))
        }
        "intent.transfer" => format!("handed on to {}", detail("next_handler")),
        "intent.completed" => "completed".to_owned(),
        "intent.failed" => format!("{}: {}", detail("code"), detail("reason")),
        "intent.canceled" => format!("canceled: {}", detail("reason")),
        "intent.timed_out" => "the deadline passed".to_owned(),
        other => one_line(other.trim_start_matches("intent.")),
    }
}

/// What a workflow's step has come to.
fn step(event: &Value) -> String {
    let detail = |name: &str| field(event, &format!("/details/{name}"));
    let why = match detail("reason").as_str() {
        "-" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{} {}{why}", detail("step"), detail("step_id"))
}

fn waiting(event: &Value) -> String {
    let detail = |name: &str| field(event, &format!("/details/{name}"));
    if let Some(asks) = event.pointer("/details/approvals").and_then(Value::as_array) {
        let tools: Vec<_> = asks.iter().map(|ask| field(ask, "/tool")).collect();
        return format!("HOLD POINT: may {} run?", tools.join(", "));
    }
    if event.pointer("/details/call_id").is_some() {
        return match detail("outcome").as_str() {
            "-" => format!("approval of {} is {}", detail("call_id"), detail("approval_status")),
            _ => format!("{}: {}", detail("call_id"), decided(event)),
        };
    }
    match detail("status").as_str() {
        "pending_human_approval" => "HOLD POINT: a person must decide".to_owned(),
        "pending_time" => format!("waits until {}", detail("until")),
        "pending_tool" => "waits for a tool".to_owned(),
        _ => format!("waits for {}", field(event, "/waiting_reason")),
    }
}

fn decided(event: &Value) -> String {
    let detail = |name: &str| field(event, &format!("/details/{name}"));
    let comment = match detail("comment").as_str() {
        "-" => String::new(),
        comment => format!(": {comment}"),
    };
    format!("{} by {}{comment}", detail("outcome"), detail("decided_by"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: &str, details: Value, expected: &str) {
        let event = json!({
            "event_type": kind,
            "details": details,
            "pending_with": {"ref": "agent://a"},
            "waiting_reason": "WAITING_FOR_HUMAN",
        });
        assert_eq!(what(&event), expected);
    }

    #[test]
    fn every_event_says_what_happened() {
        let created = json!({"intent_type": "t.v1", "to_agent": "agent://a"});
        check("intent.created", created, "t.v1 for agent://a");
        check(
            "intent.delivered",
            json!({"delivery_attempt": 2}),
            "offered to agent://a, attempt 2",
        );
        check("intent.in_progress", json!({"step": "asked the model"}), "asked the model");
        let yes = json!({"outcome": "approved", "decided_by": "alice", "comment": "fine"});
        check("intent.in_progress", yes, "approved by alice: fine");
        let asks = json!({"approvals": [{"tool": "publish"}, {"tool": "mail"}]});
        check("intent.waiting", asks, "HOLD POINT: may publish, mail run?");
        let held = json!({"status": "pending_human_approval"});
        check("intent.waiting", held, "HOLD POINT: a person must decide");
        let begun = json!({"step": "began step", "step_id": "check", "child_intent_id": "x"});
        check("intent.waiting", begun, "began step check, with agent://a");
        let failed = json!({"step": "failed step", "step_id": "check", "reason": "too late"});
        check("intent.in_progress", failed, "failed step check: too late");
        let late = json!({"call_id": "c1", "approval_status": "TIMED_OUT", "outcome": null});
        check("intent.waiting", late, "approval of c1 is TIMED_OUT");
        let no = json!({"call_id": "c1", "outcome": "rejected", "decided_by": "alice"});
        check("intent.waiting", no, "c1: rejected by alice");
        check("intent.waiting", json!({}), "waits for WAITING_FOR_HUMAN");
        check("intent.failed", json!({"code": "x", "reason": "y"}), "x: y");
        check("intent.something_new", json!({}), "something_new");
    }

    #[test]
    fn a_hostile_event_is_one_line_without_commands() {
        let hostile = "x\n12:00:00  COMPLETED\u{1b}[2K\u{202e}";
        let event = json!({
            "at": hostile, "status": hostile, "actor": hostile,
            "event_type": "intent.in_progress", "details": {"step": hostile},
        });
        let line = event_line(&event, &Terminal::new(false, true));
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
    }

    #[test]
    fn a_moment_of_another_day_names_the_day() {
        let now: Timestamp = "2030-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(moment("2030-01-31T12:00:00Z", now).len(), "12:00:00".len());
        assert!(moment("2030-03-31T12:00:00Z", now).starts_with("2030-03-31"));
        assert_eq!(moment("soon", now), "soon");
    }
}
