//! What is stored beside an intent, in the transaction that makes it true.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::item::{Item, body, item, read_body, text};
use super::place::{self, Place};
use super::{Store, StoreError};
use crate::id::IntentId;

/// The most reports that a list returns.
const REPORTS_PER_READ_MAX: i32 = 500;

/// Something that belongs to a commit but is too large, or read too seldom, for the snapshot.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// The agent's run state; it replaces the one before.
    Checkpoint(Checkpoint),
    /// What a tool gave.
    CallOutput(CallOutput),
    /// What an agent published.
    Report(Report),
}

/// The run state of an agent, kept as the agent wrote it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Checkpoint {
    /// Which program can read it, such as `openai-agents-python`.
    pub format: String,
    /// Which version of that program's format it has.
    pub version: String,
    /// The run state.
    pub data: String,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// What a claimed tool call gave.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CallOutput {
    /// The agent's name for the call.
    pub call_id: String,
    /// What the tool gave.
    pub output: Value,
    /// Whether the tool itself said that it failed.
    pub is_error: bool,
}

/// A report that the built-in agent published: the effect of its one tool that may run once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Report {
    /// The report's own name, new for every run of the tool.
    pub report_id: String,
    /// The intent that it was written for.
    pub intent: IntentId,
    /// What was published.
    pub content: Value,
    /// When.
    pub published_at: Timestamp,
}

impl Attachment {
    pub(super) fn item(&self, tenant: &str, id: IntentId) -> Result<Item, StoreError> {
        let (place, body) = match self {
            Self::Checkpoint(checkpoint) => (Place::checkpoint(tenant, id), body(checkpoint)?),
            Self::CallOutput(output) => {
                (Place::call_output(tenant, id, &output.call_id), body(output)?)
            }
            Self::Report(report) => (Place::report(tenant, &report.report_id), body(report)?),
        };
        let mut item = item(place);
        item.insert("body".to_owned(), text(body));
        Ok(item)
    }
}

impl Store {
    /// The run state that the agent stored last.
    pub async fn checkpoint(
        &self,
        tenant: &str,
        id: IntentId,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let found = self.get(Place::checkpoint(tenant, id)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// What a tool call gave, if it was reported.
    pub async fn call_output(
        &self,
        tenant: &str,
        id: IntentId,
        call_id: &str,
    ) -> Result<Option<CallOutput>, StoreError> {
        let found = self.get(Place::call_output(tenant, id, call_id)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// Publishes a report. Every call adds one: it is the worker's claim that keeps it to one.
    pub async fn put_report(&self, tenant: &str, report: &Report) -> Result<(), StoreError> {
        let mut item = item(Place::report(tenant, &report.report_id));
        item.insert("body".to_owned(), text(body(report)?));
        self.put(item).await
    }

    /// Published reports.
    pub async fn reports(&self, tenant: &str) -> Result<Vec<Report>, StoreError> {
        let pk = place::reports(tenant);
        let items = self.range(pk, "", "~", REPORTS_PER_READ_MAX, false).await?;
        items.iter().map(read_body).collect()
    }
}
