//! What callers were told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::digest::Digest;
use shared::id::IntentId;

use super::post::{Door, Post};

/// Everything that somebody was answered with success, and what was done on the strength of it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How far a function's clock may be from the caller's, in milliseconds.
    pub(super) skew_ms_max: i64,
    pub(super) sent: Vec<(String, IntentId)>,
    pub(super) decided: Vec<Decided>,
    pub(super) canceled: Vec<IntentId>,
    pub(super) completed: Vec<(IntentId, Value)>,
    pub(super) ran: Vec<Ran>,
    /// The names of errands that were ever sent, answered or not.
    pub(super) tried: BTreeSet<String>,
    /// When each reviewer first decided about something, answered or not.
    asked: BTreeMap<(String, String), Timestamp>,
    /// Events that somebody published: the name that they were given, and the one that they were sent
    /// under.
    pub(super) published: Vec<(String, String)>,
    /// Everybody outside who is posted to.
    pub doors: Vec<Door>,
    /// What came to them, in order.
    pub posts: Vec<Post>,
}

#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) intent: IntentId,
    pub(super) by: String,
    pub(super) yes: bool,
    pub(super) digest: Digest,
    /// Between these moments, by the caller's clock.
    pub(super) between: (Timestamp, Timestamp),
}

#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) intent: IntentId,
    pub(super) call_id: String,
    pub(super) claim_token: String,
}

impl Told {
    /// Nobody was told anything yet, by clocks that may be this far apart, in milliseconds.
    pub fn within(skew_ms_max: i64) -> Self {
        Self { skew_ms_max, ..Self::default() }
    }

    /// Somebody is about to send the errand of this name, perhaps once more.
    pub fn tries(&mut self, errand: &str) {
        self.tried.insert(errand.to_owned());
    }

    /// A reviewer is about to decide about what was shown, perhaps once more; when that was first.
    pub fn asks(&mut self, by: &str, digest: &Digest, at: Timestamp) -> Timestamp {
        *self.asked.entry((by.to_owned(), digest.to_string())).or_insert(at)
    }

    /// Somebody was told that the errand of this name is this intent.
    pub fn sent(&mut self, errand: &str, intent: IntentId) {
        self.sent.push((errand.to_owned(), intent));
    }

    /// A reviewer, who asked first and was answered at these moments, was told that a decision about
    /// what was shown is taken.
    pub fn decided(
        &mut self,
        (intent, digest): (IntentId, Digest),
        (by, yes): (&str, bool),
        between: (Timestamp, Timestamp),
    ) {
        self.decided.push(Decided { intent, by: by.to_owned(), yes, digest, between });
    }

    /// Somebody was told that an intent is withdrawn.
    pub fn canceled(&mut self, intent: IntentId) {
        self.canceled.push(intent);
    }

    /// An agent was told that its result is taken.
    pub fn completed(&mut self, intent: IntentId, result: Value) {
        self.completed.push((intent, result));
    }

    /// An agent was given a claim, and ran its tool.
    pub fn ran(&mut self, intent: IntentId, call_id: &str, claim_token: &str) {
        let (call_id, claim_token) = (call_id.to_owned(), claim_token.to_owned());
        self.ran.push(Ran { intent, call_id, claim_token });
    }

    /// Somebody was told that what was sent under this name is published as this event.
    pub fn published(&mut self, event: &str, name: &str) {
        self.published.push((event.to_owned(), name.to_owned()));
    }

    /// How far two functions' clocks may be apart.
    pub(super) fn skew(&self) -> Duration {
        Duration::from_millis(self.skew_ms_max.unsigned_abs()) * 2
    }

    /// How many decisions were acknowledged.
    pub fn decisions(&self) -> usize {
        self.decided.len()
    }

    /// How many posts came to their receivers, and how many of them were taken.
    pub fn posts(&self) -> (usize, usize) {
        (self.posts.len(), self.posts.iter().filter(|post| post.is_taken).count())
    }

    /// How often a tool ran.
    pub fn runs(&self) -> usize {
        self.ran.len()
    }
}
