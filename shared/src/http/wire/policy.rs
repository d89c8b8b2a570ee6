//! `POST …/controls` and `POST …/policy`, and what an intent says of both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::check;
use crate::error::Error;
use crate::intent::envelope::{DELIVERY_ATTEMPTS_MAX, TTL_SECONDS_MAX};
use crate::intent::policy::{Patch, Right};
use crate::intent::{Command, Intent};
use crate::principal::Principal;

/// The longest reason, in characters. The contract's limit.
pub(crate) const REASON_CHARS_MAX: usize = 2000;
/// The longest name of a control or of a principal, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 383;
/// The largest control value, in bytes of JSON: all that one intent keeps must fit beside it.
pub(crate) const CONTROL_BYTES_MAX: usize = 2048;

/// A change as it is sent. Who sends it, and whether a scheduler does, follows from the key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireChange {
    controls_patch: Map<String, Value>,
    grants_patch: BTreeMap<String, Option<WireGrant>>,
    envelope_patch: Map<String, Value>,
    reason: Option<String>,
    expected_policy_generation: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireGrant {
    allow: Vec<String>,
}

impl WireChange {
    /// Reads a change of controls.
    pub fn controls(self, by: &Principal, now: Timestamp) -> Result<Command, Error> {
        let patch = Fields { name: "controls_patch", now, patch: Patch::default() };
        let patch = patch.read(self.controls_patch)?;
        command(by, patch, Right::UpdateControls, self.reason, self.expected_policy_generation)
    }

    /// Reads a change of the policy.
    pub fn policy(self, by: &Principal, now: Timestamp) -> Result<Command, Error> {
        let patch = Fields { name: "envelope_patch", now, patch: Patch::default() };
        let mut patch = patch.read(self.envelope_patch)?;
        for (name, grant) in self.grants_patch {
            let field = format!("grants_patch.{name}");
            let name = check::text("grants_patch", &name, NAME_CHARS_MAX)?;
            let rights = grant.unwrap_or_default().allow;
            let rights: Result<BTreeSet<_>, _> =
                rights.iter().map(|text| right(&field, text)).collect();
            patch.grants.insert(name, rights?);
        }
        command(by, patch, Right::UpdatePolicy, self.reason, self.expected_policy_generation)
    }
}

fn command(
    by: &Principal,
    patch: Patch,
    right: Right,
    reason: Option<String>,
    expected: Option<Value>,
) -> Result<Command, Error> {
    Ok(Command::ChangePolicy {
        by: by.clone(),
        patch: Box::new(patch),
        right,
        expected_generation: generation(expected.as_ref())?,
        reason: check::optional_text("reason", reason.as_deref(), REASON_CHARS_MAX)?,
    })
}

/// Reads the generation that a change was made for.
pub(super) fn generation(value: Option<&Value>) -> Result<Option<u64>, Error> {
    let given = value.filter(|value| !value.is_null());
    given.map(|value| check::whole("expected_policy_generation", value)).transpose()
}

/// The fields of a patch: those that mean something here, and the others, which are kept.
struct Fields {
    name: &'static str,
    now: Timestamp,
    patch: Patch,
}

impl Fields {
    fn read(mut self, fields: Map<String, Value>) -> Result<Patch, Error> {
        for (name, value) in fields {
            let field = format!("{}.{name}", self.name);
            match name.as_str() {
                // Null leaves these as they are: an intent always has a deadline and a number of tries.
                "timeout_seconds"
                | "execution_timeout_seconds"
                | "ttl_seconds"
                | "expires_at"
                | "max_retry_count"
                | "retry_backoff_seconds"
                    if value.is_null() => {}
                "timeout_seconds" | "execution_timeout_seconds" | "ttl_seconds" => {
                    let seconds = seconds(&field, &value, 1)?;
                    let after = Duration::from_secs(seconds.into());
                    let at = self.now.checked_add(after);
                    self.ends_at(at.map_err(|_| Error::field(&*field, "is out of range"))?);
                }
                "expires_at" => {
                    let at = value.as_str().and_then(|text| text.parse().ok());
                    let detail = "is not an RFC 3339 time with an offset";
                    let at = at.ok_or_else(|| Error::field(&*field, detail))?;
                    self.ends_at(self.within_reach(&field, at)?);
                }
                "max_retry_count" => {
                    let retries = check::whole(&field, &value)?;
                    let max = u64::from(DELIVERY_ATTEMPTS_MAX) - 1;
                    let retries = check::number(&field, retries, 0, max)?;
                    // The first try is no retry.
                    self.patch.delivery_attempts_max = Some(retries + 1);
                }
                "retry_backoff_seconds" => {
                    self.patch.retry_backoff_s = Some(seconds(&field, &value, 1)?);
                }
                _ => self.keep(&field, name, value)?,
            }
        }
        Ok(self.patch)
    }

    /// Whatever of several limits comes first ends the intent.
    fn ends_at(&mut self, at: Timestamp) {
        let earliest = self.patch.deadline_at.map_or(at, |other| other.min(at));
        self.patch.deadline_at = Some(earliest);
    }

    fn within_reach(&self, field: &str, at: Timestamp) -> Result<Timestamp, Error> {
        let latest = self.now.checked_add(Duration::from_secs(TTL_SECONDS_MAX.into()));
        if latest.is_ok_and(|latest| at > latest) {
            return Err(Error::field(field, "is more than 366 days away; send an earlier time"));
        }
        Ok(at)
    }

    fn keep(&mut self, field: &str, name: String, value: Value) -> Result<(), Error> {
        let bytes = value.to_string().len();
        if bytes > CONTROL_BYTES_MAX {
            let detail = format!("has {bytes} bytes; send at most {CONTROL_BYTES_MAX}");
            return Err(Error::field(field, detail));
        }
        let name = check::text(field, &name, NAME_CHARS_MAX)?;
        self.patch.controls.insert(name, value);
        Ok(())
    }
}

fn seconds(field: &str, value: &Value, min: u64) -> Result<u32, Error> {
    check::number(field, check::whole(field, value)?, min, TTL_SECONDS_MAX.into())
}

fn right(field: &str, text: &str) -> Result<Right, Error> {
    match text {
        "resume" => Ok(Right::Resume),
        "update_controls" => Ok(Right::UpdateControls),
        "update_policy" => Ok(Right::UpdatePolicy),
        other => {
            let detail = format!("allows `{other}`; send resume, update_controls or update_policy");
            Err(Error::field(field, detail))
        }
    }
}

/// Writes the answer to a change.
pub fn present(intent: &Intent) -> Value {
    json!({
        "ok": true,
        "applied": true,
        "intent": super::intent::present(intent),
        "policy_generation": intent.policy.generation,
    })
}

/// Writes what was changed about an intent, as fields of it.
pub(super) fn fields(intent: &Intent) -> Map<String, Value> {
    let policy = &intent.policy;
    let grants: Map<String, Value> = policy
        .grants
        .iter()
        .map(|(name, rights)| (name.clone(), json!({"allow": rights})))
        .collect();
    let envelope = json!({
        "max_retry_count": intent.delivery_attempts_max().saturating_sub(1),
        "retry_backoff_seconds": policy.retry_backoff_s,
        "expires_at": intent.deadline_at(),
    });
    let fields = [
        ("policy_generation", json!(policy.generation)),
        ("controls", json!(policy.controls)),
        ("policy", json!({"grants": grants, "envelope": envelope})),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
