//! The agent's questions as approvals of the intent, and the ended approvals as answers to the agent.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use shared::agent::{Answer, ApprovalRequest, Call, Decision, Question, RunState};
use shared::intent::Intent;
use shared::intent::ask::{Ask, AskEnding, AskRequest, call_digest};

/// The tool under which people are asked whether a call of unknown outcome happened.
const CONFIRM_OUTCOME: &str = "confirm_outcome";
/// What tells the name of that question from the name of the call.
const OUTCOME_SUFFIX: &str = ":outcome";

/// People get this part of the time that is left, so that the agent can still say that nobody
/// answered.
const REST_PARTS: i64 = 10;
/// The most of it that is kept from them, in seconds.
const REST_SECONDS_MAX: i64 = 60 * 60;

/// A question as the reviewer's list has it: its name, the tool and what it would run with.
struct Subject {
    call_id: String,
    tool: String,
    arguments: Map<String, Value>,
}

/// The questions among `requests` that were not put to people before.
pub(crate) fn unasked(
    requests: &[ApprovalRequest],
    intent: &Intent,
    now: Timestamp,
) -> Vec<AskRequest> {
    let asked = |ask: &AskRequest| intent.asks.iter().any(|old| old.call_id == ask.call_id);
    requests
        .iter()
        .map(|request| ask(request, intent, now))
        .filter(|request| !asked(request))
        .collect()
}

/// What people answered to questions about the calls of the run's present turn. An answer to
/// anything but exactly the call that stands there is none.
pub(crate) fn answers(intent: &Intent, state: &RunState) -> Vec<Answer> {
    intent.asks.iter().filter_map(|ask| answer(ask, state.calls())).collect()
}

fn ask(request: &ApprovalRequest, intent: &Intent, now: Timestamp) -> AskRequest {
    let subject =
        Subject::of(request.question, &request.call_id, &request.tool, &request.arguments);
    AskRequest {
        call_id: subject.call_id,
        tool: subject.tool,
        arguments: subject.arguments,
        title: request.title.clone(),
        description: Some(request.description.clone()),
        assignees: vec![],
        timeout_s: timeout_s(now, intent.deadline_at()),
        reminders: intent.envelope.reminders,
        working_hours: None,
    }
}

fn timeout_s(now: Timestamp, deadline_at: Timestamp) -> Option<u32> {
    let left_s = deadline_at.as_second().saturating_sub(now.as_second());
    let rest_s = (left_s / REST_PARTS).clamp(1, REST_SECONDS_MAX);
    u32::try_from(left_s.saturating_sub(rest_s).max(1)).ok()
}

fn answer(ask: &Ask, calls: &[Call]) -> Option<Answer> {
    let ending = ask.ending.as_ref()?;
    let (question, call_id) = match ask.call_id.strip_suffix(OUTCOME_SUFFIX) {
        Some(call_id) if ask.tool == CONFIRM_OUTCOME => (Question::DidItHappen, call_id),
        Some(_) | None => (Question::MayItRun, ask.call_id.as_str()),
    };
    let call = calls.iter().find(|call| call.call_id == call_id)?;
    let subject = Subject::of(question, &call.call_id, &call.tool, &call.arguments);
    let fits = ask.call_digest == call_digest(&subject.tool, &subject.arguments);
    fits.then(|| Answer {
        call_id: call.call_id.clone(),
        args_sha256: call.args_sha256.clone(),
        question,
        decision: decision(question, ending),
    })
}

/// An ending without a decision is nobody's answer, whether time ran out or it was withdrawn.
fn decision(question: Question, ending: &AskEnding) -> Decision {
    let Some(decision) = &ending.decision else { return Decision::TimedOut };
    let (by, comment) = (decision.by.clone(), decision.comment.clone());
    match (question, decision.is_approval()) {
        (Question::MayItRun, true) => Decision::Approved { by },
        (Question::MayItRun, false) => Decision::Rejected { by, reason: comment },
        (Question::DidItHappen, true) => Decision::Happened { by, report: comment },
        (Question::DidItHappen, false) => Decision::DidNotHappen { by },
    }
}

impl Subject {
    fn of(question: Question, call_id: &str, tool: &str, arguments: &Value) -> Self {
        // The loop parses arguments against a schema of an object, so the other case is for the
        // types only; wrapped, it is still shown whole.
        let arguments = match arguments {
            Value::Object(fields) => fields.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::from_iter([("arguments".to_owned(), arguments.clone())]),
        };
        match question {
            Question::MayItRun => {
                Self { call_id: call_id.to_owned(), tool: tool.to_owned(), arguments }
            }
            Question::DidItHappen => Self {
                call_id: format!("{call_id}{OUTCOME_SUFFIX}"),
                tool: CONFIRM_OUTCOME.to_owned(),
                arguments: Map::from_iter([
                    ("tool".to_owned(), json!(tool)),
                    ("arguments".to_owned(), Value::Object(arguments)),
                ]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::agent::CallState;
    use shared::id::IntentId;
    use shared::intent::{Status, human_task};
    use shared::principal::Assurance;

    use super::*;

    #[track_caller]
    fn check(left_s: i64, timeout: u32) {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let deadline_at = Timestamp::from_second(1_000_000 + left_s).unwrap();
        assert_eq!(timeout_s(now, deadline_at), Some(timeout));
    }

    #[test]
    fn people_have_most_of_the_time_and_the_agent_the_rest() {
        check(600, 540);
        check(7 * 24 * 3_600, 7 * 24 * 3_600 - 3_600);
        check(5, 4);
        check(1, 1);
        check(0, 1);
    }

    fn call(tool: &str, arguments: Value) -> Call {
        Call {
            call_id: "c".to_owned(),
            tool: tool.to_owned(),
            arguments,
            args_sha256: "d".to_owned(),
            state: CallState::AwaitingApproval,
        }
    }

    fn approved(asked: &Subject) -> Ask {
        let decided_at = Timestamp::from_second(1_000_000).unwrap();
        let digest = call_digest(&asked.tool, &asked.arguments);
        Ask {
            call_id: asked.call_id.clone(),
            child: IntentId::derived(&["child"]),
            tool: asked.tool.clone(),
            call_digest: digest.clone(),
            asked_at: decided_at,
            ending: Some(AskEnding {
                status: Status::Completed,
                decision: Some(human_task::Decision {
                    outcome: human_task::Outcome::APPROVED,
                    approves: None,
                    data: serde_json::Map::new(),
                    comment: None,
                    by: "ada".to_owned(),
                    assurance: Assurance::Key,
                    decided_at,
                    digest,
                }),
            }),
        }
    }

    #[test]
    fn an_answer_counts_for_the_call_that_was_shown_and_for_no_other() {
        let shown = json!({"n": 1});
        for question in [Question::MayItRun, Question::DidItHappen] {
            let ask = approved(&Subject::of(question, "c", "t", &shown));
            let heard = answer(&ask, &[call("t", shown.clone())]).map(|answer| answer.question);
            assert_eq!(heard, Some(question));
            assert_eq!(answer(&ask, &[call("t", json!({"n": 2}))]), None);
            assert_eq!(answer(&ask, &[call("u", shown.clone())]), None);
            assert_eq!(answer(&ask, &[]), None);
        }
    }
}
