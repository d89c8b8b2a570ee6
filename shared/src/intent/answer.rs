//! What a person answers, read against what the task takes.
//!
//! Channels send more or less of it: a button sends the outcome, a command line sends every value as
//! text, an old client sends `approved: true`. What it comes to is decided here, for all of them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Intent;
use super::human_task::{Decision, HumanTask};
use super::outcome::Outcome;
use super::rejection::Rejection;
use crate::digest::is_exact;
use crate::form;
use crate::principal::Principal;

/// The most that one answer fills in, in bytes of JSON.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How long a bare answer that comes again is taken for the one before, rather than for one about
/// what is open now.
const REPEATED_WITHIN: Duration = Duration::from_mins(1);
/// The fields of a form that the answer itself fills in, if the form has them.
pub const DERIVED: [&str; 3] = ["approved", "outcome", "comment"];
/// The field in which evidence is sent.
const EVIDENCE: &str = "evidence";

/// An answer as a channel sends it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The word, if one was sent.
    pub outcome: Option<Outcome>,
    /// Whether it is a yes, if that was sent.
    pub approved: Option<bool>,
    /// Whether the channel itself says yes or no, as a path that ends in `reject` does. A word that
    /// says otherwise is refused: nobody's no may be taken for a yes.
    pub channel: Option<bool>,
    /// In the reviewer's words.
    pub comment: Option<String>,
    /// Whatever else was filled in.
    pub data: Map<String, Value>,
}

/// An answer that the task takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The word.
    pub outcome: Outcome,
    /// Whether it lets the work go on.
    pub approves: bool,
    /// In the reviewer's words.
    pub comment: Option<String>,
    /// What was filled in, in the types that the form wants.
    pub data: Map<String, Value>,
}

impl Answer {
    /// The bare word.
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), ..Self::default() }
    }

    /// The answer that this is to `task`.
    pub fn settle(&self, task: &HumanTask) -> Result<Settled, Rejection> {
        let outcome = self.word(task)?;
        let approves = task.approves(&outcome);
        if self.channel.is_some_and(|said| said != approves) {
            let allowed = task.allowed_outcomes.iter().filter(|it| task.approves(it) != approves);
            return Err(Rejection::OutcomeNotAllowed {
                outcome,
                allowed: allowed.cloned().collect(),
            });
        }
        let wants_reason = approves && task.task_type.wants_reason();
        let comment = self.comment.clone().filter(|comment| !comment.trim().is_empty());
        if comment.is_none() && (task.required_comment || wants_reason) {
            return Err(Rejection::CommentRequired);
        }
        let mut settled = Settled { outcome, approves, comment, data: self.data.clone() };
        // Who says no has nothing to show and nothing to fill in.
        if approves && task.evidence_required && !shows_something(self.data.get(EVIDENCE)) {
            return Err(Rejection::EvidenceRequired);
        }
        if approves && let Some(schema) = &task.form_schema {
            // The form says nothing of what the task wants beside it.
            let beside = task.evidence_required && !has_field(schema, EVIDENCE);
            let evidence = beside.then(|| settled.data.remove(EVIDENCE)).flatten();
            let mut data = form::coerce(schema, settled.candidate(schema));
            form::validate(schema, &data).map_err(Rejection::FormInvalid)?;
            data.extend(evidence.map(|evidence| (EVIDENCE.to_owned(), evidence)));
            settled.data = data;
        }
        if !settled.data.values().all(is_exact) {
            return Err(Rejection::InexactNumber);
        }
        if json!(settled.data).to_string().len() > ANSWER_BYTES_MAX {
            return Err(Rejection::AnswerTooLarge);
        }
        Ok(settled)
    }

    /// Whether this is the same as `decision`, as far as that can be said without the task.
    pub(super) fn repeats(&self, decision: &Decision) -> bool {
        if self.channel.is_some_and(|said| said != decision.is_approval()) {
            return false;
        }
        match &self.outcome {
            Some(outcome) => *outcome == decision.outcome,
            None => self.approved == Some(decision.is_approval()),
        }
    }

    fn word(&self, task: &HumanTask) -> Result<Outcome, Rejection> {
        let allowed = &task.allowed_outcomes;
        if let Some(outcome) = &self.outcome {
            if allowed.contains(outcome) {
                return Ok(outcome.clone());
            }
            let meant = match outcome.name() {
                "approved" | "approve" => only(task, true),
                "rejected" | "reject" => only(task, false),
                _ => None,
            };
            return meant.ok_or_else(|| Rejection::OutcomeNotAllowed {
                outcome: outcome.clone(),
                allowed: allowed.clone(),
            });
        }
        // A filled-in form says yes by being sent.
        let filled_in = task.form_schema.is_some() && !self.data.is_empty();
        let yes = self.approved.or(filled_in.then_some(true));
        let meant = yes.and_then(|yes| only(task, yes));
        meant.ok_or_else(|| Rejection::OutcomeMissing { allowed: allowed.clone() })
    }
}

impl Intent {
    /// Whether `by` has answered something of this intent a moment ago, so that a bare answer may be
    /// that one again: it must not decide what nobody has looked at.
    pub fn was_just_answered(&self, by: &Principal, now: Timestamp) -> bool {
        let of_steps = self.run.iter().flat_map(|run| &run.just_answered);
        let of_asks = self.asks.iter().filter_map(|ask| ask.ending.as_ref()?.decision.as_ref());
        let of_steps = of_steps.map(|answer| (&answer.by, answer.at));
        let of_asks = of_asks.map(|decision| (&decision.by, decision.decided_at));
        let mut answers = of_steps.chain(of_asks);
        answers.any(|(name, at)| *name == by.name && now < may_come_again_until(at))
    }
}

/// Until when an answer that was given at `at` may come again by mistake.
pub(super) fn may_come_again_until(at: Timestamp) -> Timestamp {
    at.checked_add(REPEATED_WITHIN).unwrap_or(Timestamp::MAX)
}

impl Settled {
    /// What the form is held against: the fields, and what the answer says beside them where the form
    /// has fields for that.
    fn candidate(&self, schema: &form::FormSchema) -> Map<String, Value> {
        let mut data = self.data.clone();
        let said = [json!(self.approves), json!(self.outcome), json!(self.comment)];
        for (name, value) in DERIVED.into_iter().zip(said) {
            // The word that was chosen says whether it is a yes, whatever else was sent.
            let derived = name != "comment";
            if has_field(schema, name) && !value.is_null() && (derived || !data.contains_key(name))
            {
                data.insert(name.to_owned(), value);
            }
        }
        data
    }
}

fn has_field(schema: &form::FormSchema, name: &str) -> bool {
    schema.as_value().pointer("/properties").is_some_and(|fields| fields.get(name).is_some())
}

/// The one answer of the task that is a yes, or a no; the plain word if there are several.
fn only(task: &HumanTask, yes: bool) -> Option<Outcome> {
    let plain = if yes { Outcome::APPROVED } else { Outcome::REJECTED };
    let mut meant = task.allowed_outcomes.iter().filter(|outcome| task.approves(outcome) == yes);
    match (meant.next(), meant.next()) {
        (Some(one), None) => Some(one.clone()),
        (Some(_), Some(_)) => Some(plain).filter(|plain| task.allowed_outcomes.contains(plain)),
        (None, _) => None,
    }
}

fn shows_something(evidence: Option<&Value>) -> bool {
    match evidence {
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_)) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
    }
}
