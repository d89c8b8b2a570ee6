//! `human_task`: what a person is asked.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use crate::error::Error;
use crate::intent::human_task::{
    ASSIGNEES_MAX, DESCRIPTION_CHARS_MAX, HumanTask, Outcome, TITLE_CHARS_MAX, TaskType,
};

/// The longest name of a person, in characters.
pub(super) const PERSON_CHARS_MAX: usize = 255;

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
    required_comment: Option<bool>,
    assignees: Option<Vec<String>>,
    notify_email: Option<String>,
    form_schema: Option<Value>,
    evidence_required: Option<bool>,
}

impl WireHumanTask {
    /// Reads the task; one without a title takes `title_otherwise`.
    pub fn read(&self, title_otherwise: &str) -> Result<HumanTask, Error> {
        let kind = self.task_type.as_deref().or(self.kind.as_deref()).unwrap_or("approval");
        if kind != "approval" {
            let detail = format!("`{kind}` is not served; send `approval`");
            return Err(Error::field("human_task.task_type", detail));
        }
        if self.form_schema.as_ref().is_some_and(|schema| !schema.is_null()) {
            let detail = "forms are not served; ask for approval, and put what is to be known in \
                          the payload";
            return Err(Error::field("human_task.form_schema", detail));
        }
        if self.evidence_required == Some(true) {
            let detail = "evidence is not served; use required_comment";
            return Err(Error::field("human_task.evidence_required", detail));
        }
        let title = self.title.as_deref().filter(|title| !title.trim().is_empty());
        let shortened: String = title_otherwise.chars().take(TITLE_CHARS_MAX).collect();
        Ok(HumanTask {
            task_type: TaskType::Approval,
            title: check::text("human_task.title", title.unwrap_or(&shortened), TITLE_CHARS_MAX)?,
            description: check::optional_text(
                "human_task.description",
                self.description.as_deref(),
                DESCRIPTION_CHARS_MAX,
            )?,
            allowed_outcomes: outcomes(self.allowed_outcomes.as_deref())?,
            required_comment: self.required_comment.unwrap_or(false),
            assignees: assignees("human_task.assignees", self.assignees.as_deref())?,
            notify_email: check::optional_text(
                "human_task.notify_email",
                self.notify_email.as_deref(),
                PERSON_CHARS_MAX,
            )?,
        })
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

fn outcomes(names: Option<&[String]>) -> Result<Vec<Outcome>, Error> {
    let Some(names) = names.filter(|names| !names.is_empty()) else {
        return Ok(Outcome::ALL.to_vec());
    };
    let read = |name: &String| {
        let detail = || format!("`{name}` is not served; send `approved` and `rejected`");
        Outcome::parse(name).ok_or_else(|| Error::field("human_task.allowed_outcomes", detail()))
    };
    let wanted: Vec<Outcome> = names.iter().map(read).collect::<Result<_, _>>()?;
    // Each once, the positive one first, however they were sent.
    Ok(Outcome::ALL.into_iter().filter(|outcome| wanted.contains(outcome)).collect())
}

/// Writes the task.
pub fn present(task: &HumanTask) -> Value {
    json!({
        "task_type": task.task_type,
        "title": task.title,
        "description": task.description,
        "allowed_outcomes": task.allowed_outcomes,
        "required_comment": task.required_comment,
        "assignees": task.assignees,
        "evidence_required": false,
        "form_schema": null,
        "notify_email": task.notify_email,
    })
}
