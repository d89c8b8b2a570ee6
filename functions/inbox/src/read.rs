//! Looking into inboxes.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::{App, Inbox, Reader};
use shared::error::Error;
use shared::http::wire::inbox::{self, WireInbox};
use shared::http::{Id, OnBehalf, Query};

/// The threads of an inbox, newest first.
pub(super) async fn list(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Query(query): Query<WireInbox>,
) -> Result<Json<Value>, Error> {
    let of = Inbox::of(&by, owner.as_ref())?;
    let page = app.threads(&by, &of, query.state()?, query.from()?, query.limit()).await?;
    Ok(Json(inbox::present_list(&of, &page)))
}

/// The threads that changed, in that order.
pub(super) async fn changes(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Query(query): Query<WireInbox>,
) -> Result<Json<Value>, Error> {
    let of = Inbox::of(&by, owner.as_ref())?;
    let since = query.since()?;
    let changes = app.changes(&by, &of, since, query.limit()).await?;
    Ok(Json(inbox::present_changes(&of, since, &changes)))
}

/// One thread.
pub(super) async fn thread(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Id(id): Id,
) -> Result<Json<Value>, Error> {
    let thread = app.thread(Reader { by: &by, named: owner.as_ref() }, id).await?;
    Ok(Json(inbox::present(&thread)))
}
