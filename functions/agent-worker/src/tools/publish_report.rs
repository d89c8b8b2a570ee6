//! `publish_report`: puts a report among the published ones. Every run adds one.

use serde_json::{Value, json};
use shared::app::App;
use shared::id::IntentId;
use shared::store::{Report, StoreError};
use uuid::Builder;

use super::ToolError;

pub(super) async fn run(app: &App, intent: IntentId, content: &Value) -> Result<Value, ToolError> {
    let report_id = Builder::from_random_bytes(app.random()).into_uuid().to_string();
    let report = Report {
        report_id: report_id.clone(),
        intent,
        content: content.clone(),
        published_at: app.now(),
    };
    match app.store().put_report(app.tenant(), &report).await {
        Ok(()) => Ok(json!({ "report_id": report_id })),
        Err(StoreError::Unavailable(_)) => Err(ToolError::Lost),
        Err(error @ (StoreError::Corrupt(..) | StoreError::TooLarge)) => {
            Err(ToolError::Failed(error.to_string()))
        }
    }
}
