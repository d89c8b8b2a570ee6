//! One step of a bundle.

use super::fields::Fields;
use super::findings::Findings;
use super::gate::Scene;
use super::work;
use crate::intent::envelope::TTL_SECONDS_MAX;
use crate::intent::workflow::{RETRIES_MAX, Retry, Step, Work};

/// The longest name of a step, in characters. The contract's limit for names.
pub(crate) const STEP_ID_CHARS_MAX: usize = 255;
/// Seconds before a step is tried again, unless the sender says otherwise. The contract's default.
const RETRY_DELAY_SECONDS_DEFAULT: u32 = 30;

/// A step as it was read: its words for what comes next, and the step itself if it has no fault.
#[derive(Debug)]
pub(super) struct Draft {
    /// Where it stands in the bundle.
    pub(super) at: String,
    pub(super) id: Option<String>,
    pub(super) on_success: Option<String>,
    pub(super) on_failure: Option<String>,
    pub(super) step: Option<Step>,
}

impl Draft {
    /// Reads a step. Where it leads to is for the order of all steps to say.
    pub(super) fn read(fields: Fields<'_>, scene: &Scene<'_>, findings: &mut Findings) -> Self {
        let id = fields.required_text("step_id", STEP_ID_CHARS_MAX, findings).map(str::to_owned);
        let fields = match &id {
            Some(id) => fields.named(format!("workflow.steps.{id}")),
            None => fields,
        };
        let named = |name: &str, findings: &mut Findings| {
            fields.text(name, STEP_ID_CHARS_MAX, findings).map(str::to_owned)
        };
        let on_success = named("on_success", findings);
        let on_failure = named("on_failure", findings);
        let work = work::read(&fields, scene, findings);
        let deadline_s = fields.number("step_deadline_seconds", 1, TTL_SECONDS_MAX, findings);
        let retry = retry(&fields, findings);
        let reminders = fields.reminders(findings);
        let working_hours = fields.working_hours(findings);
        let escalate_to = scene.cast.escalation(&fields, "escalate_to", findings);
        let step = |(id, work): (String, Work)| Step {
            id,
            work,
            next: None,
            on_failure: None,
            deadline_s,
            retry,
            reminders,
            working_hours,
            escalate_to,
        };
        let step = id.clone().zip(work).map(step);
        Self { at: fields.at().to_owned(), id, on_success, on_failure, step }
    }

    /// Whether a person is asked in it.
    pub(super) fn asks(&self) -> bool {
        self.step.as_ref().is_some_and(asks)
    }
}

/// Whether a person is asked in a step.
pub(in crate::http::wire) fn asks(step: &Step) -> bool {
    match &step.work {
        Work::Human { .. } => true,
        Work::Agent { hold_point, .. } => hold_point.is_some(),
        Work::Delay { .. } | Work::Timeout { .. } | Work::Notify { .. } | Work::Escalate { .. } => {
            false
        }
    }
}

fn retry(fields: &Fields<'_>, findings: &mut Findings) -> Retry {
    let Some(retry) = fields.object("retry", findings) else { return Retry::default() };
    let retries_max = retry.number("max_retries", 0, RETRIES_MAX, findings).unwrap_or(0);
    let delay_s = retry.number("retry_delay_seconds", 0, TTL_SECONDS_MAX, findings);
    Retry { retries_max, delay_s: delay_s.unwrap_or(RETRY_DELAY_SECONDS_DEFAULT) }
}
