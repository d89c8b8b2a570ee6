//! Folding what happens to the steps of a workflow.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::id::IntentId;
use crate::intent::Intent;
use crate::intent::answer::may_come_again_until;
use crate::intent::human_task::{Decided, Decision};
use crate::intent::phase::{Phase, Waiting};
use crate::intent::workflow::{JustAnswered, RESULTS_BYTES_MAX, Run, STEP_RESULT_BYTES_MAX, Work};

pub(super) fn begin(
    intent: &mut Intent,
    at: Timestamp,
    (step, attempt): (usize, u32),
    child: Option<IntentId>,
) {
    let first = || Run {
        step,
        attempt,
        began_at: at,
        begun: 0,
        child,
        pauses: false,
        results: Map::new(),
        last_result: Value::Null,
        decided: None,
        just_answered: vec![],
    };
    let run = intent.run.get_or_insert_with(|| Box::new(first()));
    (run.step, run.attempt, run.began_at, run.child) = (step, attempt, at, child);
    run.begun = run.begun.saturating_add(1);
    run.pauses = false;
    (intent.checks, intent.checked_at) = (0, None);
    intent.phase = match child {
        Some(child) => Phase::Waiting(Waiting::Step { child }),
        None => Phase::InProgress { lease: None, answer_by: None, decided: None },
    };
}

pub(super) fn end(intent: &mut Intent, step_id: &str, result: &Value, pauses: bool) {
    let of_agent = intent.current_step().is_some_and(|it| matches!(it.work, Work::Agent { .. }));
    if let Some(run) = &mut intent.run {
        let child = run.child.take();
        let bytes = result.to_string().len();
        run.results.remove(step_id);
        let others: usize = run.results.values().map(|kept| kept.to_string().len()).sum();
        let small = bytes <= STEP_RESULT_BYTES_MAX && others + bytes <= RESULTS_BYTES_MAX;
        let kept =
            if small { result.clone() } else { json!({"intent_id": child.unwrap_or(intent.id)}) };
        if !kept.is_null() {
            run.results.insert(step_id.to_owned(), kept);
        }
        if of_agent && !result.is_null() {
            run.last_result = result.clone();
        }
        run.pauses = pauses;
    }
    intent.phase = Phase::InProgress { lease: None, answer_by: None, decided: None };
}

/// Keeps the last answer, and who has given one a moment ago.
pub(super) fn note_answer(run: &mut Run, decided: Decided, now: Timestamp) {
    let Decision { by, decided_at, .. } = &decided.decision;
    run.just_answered.retain(|answer| now < may_come_again_until(answer.at));
    run.just_answered.push(JustAnswered { by: by.clone(), at: *decided_at });
    run.decided = Some(decided.without_proposal());
}
