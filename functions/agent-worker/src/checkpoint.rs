//! The run between two steps: one item, bound to its intent by a digest.

use jiff::Timestamp;
use shared::agent::{RunState, StateError};
use shared::app::App;
use shared::digest::Digest;
use shared::error::Error;
use shared::intent::Intent;
use shared::store::{Attachment, Checkpoint};

/// Which program can read the runs that this worker stores.
const FORMAT: &str = "holdpoint-agent";
/// The version of that format. The run's own schema number is inside.
const VERSION: &str = "1";

/// A stored run that this worker cannot go on with. It fails the message: a later build may read it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The table did not answer, or the item cannot be read.
    #[error(transparent)]
    Store(#[from] Error),
    /// The intent names a run and none is stored.
    #[error("the intent names a stored run and there is none")]
    Missing,
    /// Another agent's program wrote it.
    #[error(
        "the stored run has format {format} {version}, this worker reads {FORMAT} {VERSION}: give the address to the agent that wrote it"
    )]
    Foreign {
        /// The program.
        format: String,
        /// Its version.
        version: String,
    },
    /// The stored text is not the one that the intent names.
    #[error("the stored run is not the one that the intent names")]
    Altered,
    /// The text is the right one and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] StateError),
    /// The run cannot be written as JSON.
    #[error("the run cannot be written")]
    Unwritable(#[source] serde_json::Error),
}

/// The run that `intent` is in the middle of, if it has one.
pub(crate) async fn read(app: &App, intent: &Intent) -> Result<Option<RunState>, CheckpointError> {
    let Some(expected) = &intent.checkpoint else { return Ok(None) };
    let found = app.store().checkpoint(app.tenant(), intent.id).await.map_err(Error::from)?;
    let Checkpoint { format, version, data, .. } = found.ok_or(CheckpointError::Missing)?;
    if (format.as_str(), version.as_str()) != (FORMAT, VERSION) {
        return Err(CheckpointError::Foreign { format, version });
    }
    if Digest::of_bytes(data.as_bytes()) != *expected {
        return Err(CheckpointError::Altered);
    }
    Ok(Some(RunState::parse(&data)?))
}

/// The run as it is stored at `now`, and the digest that the intent keeps of it.
pub(crate) fn write(
    state: &RunState,
    now: Timestamp,
) -> Result<(Attachment, Digest), CheckpointError> {
    let data = serde_json::to_string(state).map_err(CheckpointError::Unwritable)?;
    let digest = Digest::of_bytes(data.as_bytes());
    let (format, version) = (FORMAT.to_owned(), VERSION.to_owned());
    let checkpoint = Checkpoint { format, version, data, stored_at: now };
    Ok((Attachment::Checkpoint(checkpoint), digest))
}
