//! What people and agents answer: resume, resolve, decide.

use serde_json::{Map, Value};
use shared::error::Error;
use shared::http::wire::resume::{self, Answered, Resume};
use shared::http::wire::{approval, inbox};
use shared::intent::answer::ANSWER_BYTES_MAX;
use shared::intent::human_task::{COMMENT_CHARS_MAX, HumanTask};
use shared::intent::{Command, Rejection};
use shared::principal::Role;

use crate::request::{body, principal, taken};

/// Whoever answers in whatever spelling: a no is never read as a yes, and no agent's body is an answer
/// unless it says so.
pub fn answer(bytes: &[u8]) {
    const RESUME: &str = "POST /v1/intents/{id}/resume";
    let Some(mut sent) = taken(RESUME, bytes, body::<Map<String, Value>>(bytes)) else { return };
    let decision = approval::read(&sent);
    let said = sent.get("decision").and_then(Value::as_str).map(|word| word.starts_with("approve"));
    judge("POST /v1/approvals/{id}/decision", bytes, decision, said);
    judge("POST /v1/inbox/{id}/approve", bytes, inbox::read_answer(&sent, true), Some(true));
    judge("POST /v1/inbox/{id}/reject", bytes, inbox::read_answer(&sent, false), Some(false));
    let admin = principal(Role::Admin);
    let resolve = "POST /v1/intents/{id}/resolve";
    if let Some(command) = taken(resolve, bytes, resume::read_resolve(&admin, &sent)) {
        let ends = matches!(
            command,
            Command::Complete { .. } | Command::Fail { .. } | Command::Cancel { .. }
        );
        assert!(ends, "a resolve is {command:?}");
    }
    if taken(RESUME, bytes, resume::take_generation(&mut sent)).is_none() {
        return;
    }
    for role in [Role::Agent, Role::Reviewer] {
        let read = resume::read(&principal(role), sent.clone());
        match taken(RESUME, bytes, read) {
            Some(Resume::Answer(answered)) => settle(&answered, None),
            Some(Resume::Agents(command)) => {
                assert!(matches!(*command, Command::Complete { .. } | Command::Fail { .. }));
            }
            Some(Resume::Advance { .. }) | None => {}
        }
    }
}

fn judge(route: &str, bytes: &[u8], read: Result<Answered, Error>, said: Option<bool>) {
    if let Some(answered) = taken(route, bytes, read) {
        settle(&answered, said);
    }
}

/// What the answer comes to for a plain question.
fn settle(answered: &Answered, said: Option<bool>) {
    let answer = &answered.answer;
    let chars = answer.comment.as_ref().map_or(0, |comment| comment.chars().count());
    assert!(chars <= COMMENT_CHARS_MAX, "{chars}");
    let task = HumanTask::approval("May it?".to_owned());
    match answer.settle(&task) {
        Ok(settled) => {
            assert!(task.allowed_outcomes.contains(&settled.outcome));
            assert_eq!(settled.approves, task.approves(&settled.outcome));
            assert!(said.is_none_or(|said| said == settled.approves), "another answer was meant");
            let bytes = Value::Object(settled.data).to_string().len();
            assert!(bytes <= ANSWER_BYTES_MAX, "{bytes}");
        }
        Err(rejection) => assert!(!matches!(rejection, Rejection::FormInvalid(_))),
    }
}
