//! Messages of the queues.

use shared::message::Message;

use crate::request::stored;

/// A message that is read goes on as the same message: consumers send on what came too early.
pub fn message(bytes: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Message>(bytes) else { return };
    stored(&message);
    let text = serde_json::to_vec(&message).expect("it is sent as JSON");
    let again: Message = serde_json::from_slice(&text).expect("it is read");
    assert_eq!(again.queue(), message.queue(), "another queue");
}
