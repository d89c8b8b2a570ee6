//! What people and agents say on an intent.

use uuid::Uuid;

use super::{History, in_time};
use crate::intent::event::EventKind;
use crate::intent::inbox::MESSAGES_MAX;
use crate::intent::policy::Right;
use crate::intent::{Intent, Rejection};
use crate::principal::{Principal, Role};

/// Leaves a message. One that is sent again under its name is left once.
pub(super) fn say(
    intent: &Intent,
    by: &Principal,
    message_id: Uuid,
    text: &str,
    history: &mut History,
) -> Result<(), Rejection> {
    takes_part(intent, by)?;
    if intent.messages.recent.contains(&message_id) {
        return Ok(());
    }
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    if intent.messages.count >= MESSAGES_MAX {
        return Err(Rejection::TooManyMessages);
    }
    history.push(&by.name, EventKind::Said { message_id, text: text.to_owned() });
    Ok(())
}

/// Hides messages from their readers; history keeps them.
pub(super) fn hide(
    intent: &Intent,
    by: &Principal,
    message_ids: &[Uuid],
    from_all: bool,
    history: &mut History,
) -> Result<(), Rejection> {
    takes_part(intent, by)?;
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    if message_ids.len() > usize::try_from(MESSAGES_MAX).unwrap_or(usize::MAX) {
        return Err(Rejection::TooManyMessages);
    }
    if !message_ids.is_empty() {
        let message_ids = message_ids.to_vec();
        history.push(&by.name, EventKind::Hidden { message_ids, from_all });
    }
    Ok(())
}

/// Whether this principal may speak on the intent: its sender, its agent, whoever its result goes to
/// or was granted to resume it, and people.
fn takes_part(intent: &Intent, by: &Principal) -> Result<(), Rejection> {
    let takes_part = match by.role {
        Role::Reviewer | Role::Admin => true,
        Role::Agent => {
            by.name == intent.envelope.from
                || by.speaks_for(intent.handler())
                || intent.envelope.reply_to.as_ref().is_some_and(|to| by.speaks_for(to))
                || intent.grants(by, Right::Resume)
        }
    };
    if takes_part { Ok(()) } else { Err(Rejection::NotTheHandler) }
}
