//! `GET /v1/intents` and `POST /v1/intents/bulk-cancel`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{check, page};
use crate::app::{CANCELED_PER_REQUEST_MAX, CleanedUp, Cleanup, Filter, Page};
use crate::error::Error;
use crate::http::Problem;
use crate::intent::Status;
use crate::intent::envelope::{INTENT_TYPE_CHARS_MAX, TTL_SECONDS_MAX};
use crate::principal::Principal;
use crate::store::ListPlace;

/// The most intents in one part of the list.
pub(crate) const LIST_MAX: usize = 100;
/// How many intents it has if its reader names no number.
pub(crate) const LIST_DEFAULT: usize = 20;
/// The longest name of a sender, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 383;
/// The longest reason, in characters. The contract's limit.
pub(crate) const REASON_CHARS_MAX: usize = 2000;

/// The query of a list, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireList {
    status: Option<String>,
    intent_type: Option<String>,
    to_agent: Option<String>,
    from_agent: Option<String>,
    correlation_id: Option<String>,
    created_after: Option<String>,
    created_before: Option<String>,
    limit: Option<u64>,
    cursor: Option<String>,
}

impl WireList {
    /// Reads which intents are wanted.
    pub fn filter(&self) -> Result<Filter, Error> {
        let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let type_max = INTENT_TYPE_CHARS_MAX;
        let statuses = named(&self.status).map(|list| {
            list.split(',').map(|name| status("status", name.trim())).collect::<Result<_, _>>()
        });
        let correlation_id = named(&self.correlation_id)
            .map(|text| text.parse().map_err(|_| Error::field("correlation_id", "is no UUID")));
        let to = named(&self.to_agent).map(|text| check::address("to_agent", &text));
        Ok(Filter {
            statuses: statuses.transpose()?,
            intent_type: check::optional_text(
                "intent_type",
                self.intent_type.as_deref(),
                type_max,
            )?,
            to: to.transpose()?,
            from: check::optional_text("from_agent", self.from_agent.as_deref(), NAME_CHARS_MAX)?,
            correlation_id: correlation_id.transpose()?,
            created_after: moment("created_after", named(&self.created_after))?,
            created_before: moment("created_before", named(&self.created_before))?,
        })
    }

    /// How many intents are wanted.
    pub fn limit(&self) -> usize {
        page::limit(self.limit, LIST_DEFAULT, LIST_MAX)
    }

    /// Reads where the page begins.
    pub fn from(&self) -> Result<Option<ListPlace>, Error> {
        page::from(self.cursor.as_deref())
    }
}

fn status(field: &str, name: &str) -> Result<Status, Error> {
    let status = name.to_ascii_uppercase().parse();
    status.map_err(|error: crate::intent::status::UnknownStatus| {
        Error::field(field, error.to_string())
    })
}

fn moment(field: &str, text: Option<String>) -> Result<Option<Timestamp>, Error> {
    let detail = "is not an RFC 3339 time with an offset, such as 2030-01-31T17:00:00Z";
    text.map(|text| text.parse().map_err(|_| Error::field(field, detail))).transpose()
}

/// Writes `{ok, intents, next_cursor}`.
pub fn present(page: &Page) -> Value {
    let entries = page.entries.iter().map(|(place, it)| (*place, super::intent::present(it)));
    let (intents, next_cursor) = page::fitting(entries, page.next);
    json!({"ok": true, "intents": intents, "next_cursor": next_cursor})
}

/// `POST /v1/intents/bulk-cancel`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireCleanup {
    older_than_hours: Option<Value>,
    dry_run: bool,
    reason: Option<String>,
    limit: Option<Value>,
    status_filter: Option<Vec<String>>,
    cursor: Option<String>,
}

impl WireCleanup {
    /// Whether only to say what would be canceled.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Reads what is to be canceled.
    pub fn read(self, by: &Principal, now: Timestamp) -> Result<Cleanup, Error> {
        let Some(hours) = self.older_than_hours.as_ref().filter(|hours| !hours.is_null()) else {
            let detail = "is missing; say how old an intent must be, 0 for any age";
            return Err(Error::field("older_than_hours", detail));
        };
        let hours = check::whole("older_than_hours", hours)?;
        let hours_max = u64::from(TTL_SECONDS_MAX) / 3600;
        let hours = check::number("older_than_hours", hours, 0, hours_max)?;
        let created_before = now.checked_sub(Duration::from_hours(hours.into()));
        // What was sent in this very moment is older than nothing, and still any age.
        let created_before = created_before.ok().filter(|_| hours > 0);
        let statuses = self.status_filter.filter(|names| !names.is_empty()).map(|names| {
            names
                .iter()
                .map(|name| status("status_filter", name.trim()))
                .collect::<Result<BTreeSet<_>, _>>()
        });
        let limit = self.limit.as_ref().filter(|limit| !limit.is_null());
        let limit = limit.map(|limit| check::whole("limit", limit)).transpose()?;
        let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let reason = check::optional_text("reason", self.reason.as_deref(), REASON_CHARS_MAX)?;
        Ok(Cleanup {
            filter: Filter { statuses: statuses.transpose()?, created_before, ..Filter::default() },
            reason: reason.unwrap_or_else(|| format!("cleaned up by {}", by.name)),
            limit: limit.unwrap_or(CANCELED_PER_REQUEST_MAX).clamp(1, CANCELED_PER_REQUEST_MAX),
            dry_run: self.dry_run,
            from: page::from(self.cursor.as_deref())?,
        })
    }
}

/// Writes what was canceled, or would be.
pub fn present_cleanup(done: &CleanedUp, is_dry_run: bool) -> Value {
    let count = done.intents.len();
    let failed = |(id, error): &(crate::id::IntentId, Error)| {
        let problem = Problem::of(error);
        json!({"intent_id": id, "code": problem.code, "detail": problem.detail})
    };
    json!({
        "ok": true,
        "dry_run": is_dry_run,
        "would_cancel": if is_dry_run { count } else { 0 },
        "canceled": if is_dry_run { 0 } else { count },
        "intent_ids": done.intents,
        "failed": done.failed.iter().map(failed).collect::<Vec<_>>(),
        "next_cursor": done.next.map(page::cursor),
    })
}
