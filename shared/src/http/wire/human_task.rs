//! `human_task`: what a person is asked.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use crate::error::Error;
use crate::form::FormSchema;
use crate::intent::human_task::{
    ASSIGNEES_MAX, DESCRIPTION_CHARS_MAX, HumanTask, OUTCOMES_MAX, Outcome, TITLE_CHARS_MAX,
    TaskType,
};

/// The longest name of a person, in characters.
pub(crate) const PERSON_CHARS_MAX: usize = 255;

/// `human_task` as it is sent. Unknown fields are ignored, as real clients need it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireHumanTask {
    title: Option<String>,
    description: Option<String>,
    task_type: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    allowed_outcomes: Option<Vec<String>>,
    approving_outcomes: Option<Vec<String>>,
    required_comment: Option<bool>,
    assignees: Option<Vec<String>>,
    notify_email: Option<String>,
    form_schema: Option<Value>,
    evidence_required: Option<bool>,
}

impl WireHumanTask {
    /// Reads the task; one without a title takes `title_otherwise`.
    pub fn read(&self, title_otherwise: &str) -> Result<HumanTask, Error> {
        let form_schema = self.form_schema()?;
        let task_type = self.task_type(form_schema.is_some())?;
        let allowed = outcomes("allowed_outcomes", self.allowed_outcomes.as_deref())?;
        let allowed_outcomes = if allowed.is_empty() { task_type.outcomes() } else { allowed };
        let approving_outcomes = self.approving(&allowed_outcomes)?;
        let title = self.title.as_deref().filter(|title| !title.trim().is_empty());
        let shortened: String = title_otherwise.chars().take(TITLE_CHARS_MAX).collect();
        Ok(HumanTask {
            task_type,
            title: check::text("human_task.title", title.unwrap_or(&shortened), TITLE_CHARS_MAX)?,
            description: check::optional_text(
                "human_task.description",
                self.description.as_deref(),
                DESCRIPTION_CHARS_MAX,
            )?,
            allowed_outcomes,
            approving_outcomes,
            required_comment: self.required_comment.unwrap_or(false),
            evidence_required: self.evidence_required.unwrap_or(false),
            form_schema,
            assignees: assignees("human_task.assignees", self.assignees.as_deref())?,
            notify_email: check::optional_text(
                "human_task.notify_email",
                self.notify_email.as_deref(),
                PERSON_CHARS_MAX,
            )?,
        })
    }

    fn task_type(&self, has_form: bool) -> Result<TaskType, Error> {
        let named = self.task_type.as_deref().or(self.kind.as_deref());
        let otherwise = if has_form { TaskType::Form } else { TaskType::Approval };
        let Some(name) = named else { return Ok(otherwise) };
        TaskType::parse(name).ok_or_else(|| {
            let kinds: Vec<&str> = TaskType::ALL.into_iter().map(TaskType::name).collect();
            let detail = format!("is `{name}`; send one of {}", kinds.join(", "));
            Error::field("human_task.task_type", detail)
        })
    }

    fn form_schema(&self) -> Result<Option<FormSchema>, Error> {
        let given = self.form_schema.as_ref().filter(|schema| !schema.is_null());
        let read = |schema: &Value| {
            FormSchema::parse(schema.clone())
                .map_err(|error| Error::field("human_task.form_schema", error.to_string()))
        };
        given.map(read).transpose()
    }

    /// The answers that let the work go on. Somebody must be able to say yes.
    fn approving(&self, allowed: &[Outcome]) -> Result<Vec<Outcome>, Error> {
        let approving = outcomes("approving_outcomes", self.approving_outcomes.as_deref())?;
        if let Some(other) = approving.iter().find(|outcome| !allowed.contains(outcome)) {
            let detail = format!("names `{other}`, which allowed_outcomes does not");
            return Err(Error::field("human_task.approving_outcomes", detail));
        }
        if approving.is_empty() && !allowed.iter().any(Outcome::is_known_to_approve) {
            let detail = "has no word that is known to let the work go on, such as approved; name \
                          the words that do in approving_outcomes";
            return Err(Error::field("human_task.allowed_outcomes", detail));
        }
        Ok(approving)
    }
}

/// Reads who may decide.
pub(super) fn assignees(field: &str, names: Option<&[String]>) -> Result<Vec<String>, Error> {
    let names = names.unwrap_or_default();
    if names.len() > ASSIGNEES_MAX {
        let detail = format!("names {} people; send at most {ASSIGNEES_MAX}", names.len());
        return Err(Error::field(field, detail));
    }
    names.iter().map(|name| check::text(field, name, PERSON_CHARS_MAX)).collect()
}

fn outcomes(field: &str, names: Option<&[String]>) -> Result<Vec<Outcome>, Error> {
    let field = format!("human_task.{field}");
    let names = names.unwrap_or_default();
    if names.len() > OUTCOMES_MAX {
        let detail = format!("names {} outcomes; send at most {OUTCOMES_MAX}", names.len());
        return Err(Error::field(field, detail));
    }
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(names.len());
    for name in names {
        let outcome =
            Outcome::parse(name).map_err(|error| Error::field(&*field, error.to_string()))?;
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

/// Writes the task.
pub fn present(task: &HumanTask) -> Value {
    let approving: Vec<_> = task.allowed_outcomes.iter().filter(|it| task.approves(it)).collect();
    json!({
        "task_type": task.task_type,
        "title": task.title,
        "description": task.description,
        "allowed_outcomes": task.allowed_outcomes,
        "required_comment": task.required_comment,
        "approving_outcomes": approving,
        "assignees": task.assignees,
        "evidence_required": task.evidence_required,
        "form_schema": task.form_schema,
        "notify_email": task.notify_email,
    })
}
