//! What a request has used of its key's limit, on its way from the extractor to the headers.

use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::app::Usage;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// A place for one request's usage, empty while its key is not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<OnceLock<Usage>>);

impl Tally {
    /// Takes the usage, if there is a limit.
    pub(super) fn set(&self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            // A request is counted once; a second count would be no better.
            let _ = self.0.set(usage);
        }
    }

    /// Writes the headers of the contract. The reset is a moment, in seconds since 1970.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Some(usage) = self.0.get() else { return };
        headers.insert(LIMIT, HeaderValue::from(usage.limit));
        headers.insert(REMAINING, HeaderValue::from(usage.remaining));
        headers.insert(RESET, HeaderValue::from(usage.reset_at.as_second()));
    }
}
