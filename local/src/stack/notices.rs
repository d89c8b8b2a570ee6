//! Notices to reviewers, as a webhook receiver on this machine would see them.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use serde_json::Value as Json;
use tokio::sync::broadcast;
use tracing::warn;

use crate::stack::data_folder::append;

/// Where the gateway takes notices; not a route of the template.
pub(crate) const PATH: &str = "/_local/notices";
/// The template's parameter for the address that notices are posted to.
pub(crate) const URL_PARAMETER: &str = "NoticeUrl";

const NOTICE_BYTES_MAX: usize = 256 * 1024;
/// Notices that a slow listener may lag behind before it misses some.
const LAG_NOTICES_MAX: usize = 1_024;

/// Keeps notices in a file and tells listeners. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    file: Arc<Mutex<File>>,
    listeners: broadcast::Sender<Json>,
}

impl Notices {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(Mutex::new(append(path)?));
        Ok(Self { file, listeners: broadcast::Sender::new(LAG_NOTICES_MAX) })
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Json> {
        self.listeners.subscribe()
    }

    /// Takes one posted notice.
    pub(crate) async fn take(&self, body: Body) -> StatusCode {
        let Ok(body) = to_bytes(body, NOTICE_BYTES_MAX).await else {
            return StatusCode::PAYLOAD_TOO_LARGE;
        };
        let Ok(notice) = serde_json::from_slice::<Json>(&body) else {
            return StatusCode::BAD_REQUEST;
        };
        if let Err(error) = self.keep(&notice) {
            warn!(%error, "a notice could not be kept");
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        // No listener is no error: the file has it.
        let _: Result<usize, _> = self.listeners.send(notice);
        StatusCode::NO_CONTENT
    }

    /// One line for each notice, written in one piece.
    fn keep(&self, notice: &Json) -> io::Result<()> {
        let line = format!("{notice}\n");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())
    }
}
