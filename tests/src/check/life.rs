//! One intent, as it is stored.

use shared::id::IntentId;
use shared::intent::Intent;
use shared::intent::event::{Event, EventKind};
use shared::intent::human_task::Decision;
use shared::store::Commit;

/// One intent with its whole history.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) id: IntentId,
    /// The state, as its snapshot has it.
    pub(super) state: Intent,
    /// How many commits the snapshot counts.
    pub(super) version: u64,
    /// The head of the chain that the snapshot names.
    pub(super) head: String,
    /// The commits, oldest first.
    pub(super) links: Vec<Link>,
}

/// One commit.
#[derive(Debug)]
pub(super) struct Link {
    /// Its sort key.
    pub(super) sk: String,
    /// Its text, which the next one's digest covers.
    pub(super) text: String,
    pub(super) commit: Commit,
}

impl Life {
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        let records = self.links.iter().flat_map(|link| &link.commit.records);
        records.map(|record| &record.event)
    }

    /// The decisions that people made about it.
    pub(super) fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.events().filter_map(decision)
    }
}

/// The decision that an event is.
pub(super) fn decision(event: &Event) -> Option<&Decision> {
    if let EventKind::Approved { decision } | EventKind::Refused { decision } = &event.kind {
        return Some(decision);
    }
    if let EventKind::Failed { decision: Some(decision), .. } = &event.kind {
        return Some(decision);
    }
    None
}
