//! Working hours, wherever reminders are asked for.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::http::body::of_kind;
use crate::intent::working_hours::{SpelledHours, WorkingHours};

/// Reads hours that stand at `field`, if any do.
pub(super) fn read(
    field: &str,
    spelled: Option<&SpelledHours>,
) -> Result<Option<WorkingHours>, Error> {
    let read = spelled.cloned().map(WorkingHours::try_from).transpose();
    read.map_err(|wrong| Error::field(format!("{field}.{}", wrong.field), wrong.detail))
}

/// Reads the members of hours whose kinds nobody has looked at yet. The refusal names the member.
pub(super) fn read_members(members: &Map<String, Value>) -> Result<WorkingHours, Error> {
    let spelled: SpelledHours = of_kind(Value::Object(members.clone()))?;
    WorkingHours::try_from(spelled).map_err(|wrong| Error::field(wrong.field, wrong.detail))
}

/// Writes the hours.
pub(super) fn present(hours: &WorkingHours) -> SpelledHours {
    hours.clone().into()
}
