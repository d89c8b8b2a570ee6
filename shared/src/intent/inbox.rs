//! The conversation on an intent: what people and agents say about it while it waits.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most messages on one intent.
pub const MESSAGES_MAX: u32 = 500;
/// The longest message, in characters. The contract's limit.
pub const MESSAGE_CHARS_MAX: usize = 5000;
/// How many names of messages are kept, so that one that is sent again is known.
const RECENT_MAX: usize = 20;

/// What an intent keeps of its messages; their texts are in its history.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Messages {
    /// How many there are.
    pub count: u32,
    /// The names of the newest, oldest first.
    pub recent: Vec<Uuid>,
}

impl Messages {
    /// With one more.
    pub(super) fn push(&mut self, message_id: Uuid) {
        self.count = self.count.saturating_add(1);
        if self.recent.len() >= RECENT_MAX {
            self.recent.remove(0);
        }
        self.recent.push(message_id);
    }
}
