//! Posting turns to the agents that want them posted.
//!
//! Nothing is sent again from here. A turn that is not taken is offered again by the intent's own timer,
//! which counts the attempts too, and each offer owes a message of its own.

use shared::callback::SignedPost;
use shared::digest::Digest;
use shared::http::wire::event;
use shared::id::IntentId;
use shared::intent::Intent;
use tracing::info;

use super::{Notifier, NotifyError};

/// Hex digits of a post's id.
const ID_DIGITS: usize = 32;

impl Notifier {
    /// Posts the turn of an intent, if it waits for that, and notes that the agent has it.
    pub(super) async fn push(&self, intent_id: IntentId) -> Result<(), NotifyError> {
        let Some(turn) = self.app.turn_to_push(intent_id).await? else {
            info!(%intent_id, "no turn is to be posted");
            return Ok(());
        };
        let frame = event::offer_frame(turn.intent.offer_seq, &turn.intent);
        let (url, secret) = (turn.to.url.clone(), turn.to.secret.clone());
        let post = SignedPost { url, secret, id: id(&turn.intent), body: frame.data.to_string() };
        let reply = self.courier.post(&post, self.app.now()).await?;
        let attempt = turn.intent.delivery_attempt;
        info!(%intent_id, attempt, ?reply, "posted a turn");
        if reply.is_taken() {
            self.app.note_pushed(&turn).await?;
        }
        Ok(())
    }
}

/// The same for the same turn, however often it is posted, and another one for the next.
fn id(intent: &Intent) -> String {
    let name = format!("turn/{}/{}", intent.id, intent.turn_seq);
    let digest = Digest::of_bytes(name.as_bytes());
    format!("msg_{}", digest.hex().get(..ID_DIGITS).unwrap_or_default())
}
