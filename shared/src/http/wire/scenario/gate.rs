//! What a person is asked in a step.

use serde_json::Value;

use super::cast::{Cast, Human, Who};
use super::fields::Fields;
use super::findings::Findings;
use crate::http::body::of_kind;
use crate::http::wire::human_task::WireHumanTask;
use crate::intent::human_task::HumanTask;

/// What is known of the bundle while its steps are read.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) cast: &'a Cast,
    /// What the intent itself asks a person; steps without a question of their own ask it.
    pub(super) task: Option<&'a HumanTask>,
    /// What a notice without a subject is about.
    pub(super) title: &'a str,
}

/// Reads a `human_task` that stands in `fields`, if one does.
pub(super) fn own_task(
    fields: &Fields<'_>,
    title_otherwise: &str,
    findings: &mut Findings,
) -> Option<HumanTask> {
    let sent = fields.value("human_task")?;
    let at = fields.path("human_task");
    let read: WireHumanTask = findings.take(&at, of_kind(sent.clone()))?;
    // The task names its own fields `human_task.…` already.
    findings.take(fields.at(), read.read(title_otherwise))
}

/// Reads what the person in a step is asked, and who may answer.
pub(super) fn task(
    fields: &Fields<'_>,
    human: Option<&Human>,
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Option<HumanTask> {
    let title = fields.at().rsplit('.').next().unwrap_or_default();
    let title = format!("Sign off on {title}");
    let own = fields.value("human_task");
    let titled = own.and_then(|task| task.get("title")).and_then(Value::as_str);
    let mut task = match (own, scene.task) {
        (None, Some(of_intent)) => of_intent.clone(),
        (None, None) => HumanTask::approval(title.clone()),
        (Some(_), _) => own_task(fields, &title, findings)?,
    };
    let borrowed = own.is_none() && scene.task.is_some();
    if titled.is_none_or(|text| text.trim().is_empty()) && !borrowed {
        let detail = format!("is missing; reviewers read `{title}`");
        findings.warn(fields.path("human_task.title"), detail);
    }
    assign(&mut task, human, fields, scene.cast, findings);
    Some(task)
}

/// Names the people who may answer: those of the task, else the one whom the step is assigned to.
fn assign(
    task: &mut HumanTask,
    human: Option<&Human>,
    fields: &Fields<'_>,
    cast: &Cast,
    findings: &mut Findings,
) {
    for assignee in &mut task.assignees {
        let Some(Who::Human(human)) = cast.who(assignee) else { continue };
        if let Some(name) = human.reviewer() {
            name.clone_into(assignee);
        } else {
            let detail = format!(
                "names the role `{assignee}`, which has no contact; only a reviewer whose key has \
                 this name may decide"
            );
            findings.warn(fields.path("human_task.assignees"), detail);
        }
    }
    let Some(human) = human else { return };
    let email = human.email().map(str::to_owned);
    task.notify_email = task.notify_email.take().or(email);
    if task.assignees.is_empty() {
        task.assignees.extend(human.reviewer().map(str::to_owned));
    }
}
