//! What clients publish.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EventType, Owner};
use crate::digest::Digest;
use crate::id::IntentId;

/// Names one published event. It is the `webhook-id` of every post of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

/// An event that a client published, as it stays.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Published {
    /// Its name.
    pub id: EventId,
    /// Whose subscriptions get it.
    pub owner: Owner,
    /// What happened.
    pub event_type: EventType,
    /// Where, in the publisher's words.
    pub source: String,
    /// The facts.
    pub payload: Map<String, Value>,
    /// When it was taken.
    pub accepted_at: Timestamp,
    /// Digest of the request, if that named an idempotency key.
    pub fingerprint: Option<Digest>,
}

impl EventId {
    /// An id that is not derived from anything.
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The id that always belongs to these parts, so that a repeated request finds the first one.
    pub fn derived(parts: &[&str]) -> Self {
        Self(IntentId::derived(parts).uuid())
    }

    /// Reads an id. Whatever is none names no event.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
