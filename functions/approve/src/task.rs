//! What waits for a reviewer.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::origin::base_url;
use shared::http::wire::task;
use shared::http::{Caller, page};
use shared::intent::Intent;
use shared::link::Link;
use shared::principal::{Principal, Role};
use shared::store::Stored;

use super::Reviews;

/// The most tasks that one answer lists; the next ones follow as these are decided.
const TASKS_MAX: usize = 100;

/// The caller's tasks, oldest first, each with the caller's own link to its page.
pub(super) async fn list(
    State(app): State<App>,
    Extension(reviews): Extension<Reviews>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &[Role::Reviewer])?;
    let base = base_url(reviews.public_url.as_deref(), &headers);
    let wanted = |stored: &Stored| task::concerns(&by, &stored.intent);
    let waiting = app.store().tasks(app.tenant(), TASKS_MAX, wanted).await?;
    let tasks: Vec<_> = waiting
        .iter()
        .map(|stored| &stored.intent)
        .map(|intent| {
            task::present(intent, link(&reviews, &by, intent, base.as_deref()).as_deref())
        })
        .collect();
    Ok(Json(json!({"ok": true, "tasks": tasks})))
}

fn link(reviews: &Reviews, by: &Principal, intent: &Intent, base: Option<&str>) -> Option<String> {
    let link = Link {
        tenant: by.tenant.clone(),
        intent_id: intent.id.uuid(),
        hold_version: intent.open_hold()?.version,
        reviewer: by.name.clone(),
        expires_at: intent.decide_until(),
    };
    let token = link.sign(&reviews.secret).ok()?;
    Some(format!("{}{}", base?, page::path(token.as_str())))
}
