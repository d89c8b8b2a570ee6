//! What was seen of each intent's events, which nothing may ever change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// Between two events' numbers, as the contract has it.
const SEQ_STEP: u64 = 2;

/// An event by which it can be told from every other one.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Seen {
    seq: u64,
    kind: String,
    at: String,
}

/// Every event that was ever read.
#[derive(Debug, Default)]
pub(super) struct History {
    intents: BTreeMap<String, Vec<Seen>>,
    count: Arc<AtomicUsize>,
}

impl History {
    /// How many events have been seen; it counts on while the history is written elsewhere.
    pub(super) fn counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.count)
    }

    /// Takes all events of an intent as they are read now: what was seen before must stand there
    /// as it stood, and nothing may be missing, doubled or follow the end.
    pub(super) fn observe(&mut self, id: &str, events: &[Value]) {
        let now: Vec<_> = events.iter().map(Seen::read).collect();
        let before = self.intents.entry(id.to_owned()).or_default();
        assert!(now.len() >= before.len(), "{id} lost events: {before:?} became {now:?}");
        assert_eq!(before[..], now[..before.len()], "{id} has another past");
        for (index, seen) in now.iter().enumerate() {
            let expected = SEQ_STEP * (index as u64 + 1);
            assert_eq!(seen.seq, expected, "{id}: {now:?}");
            let is_last = index + 1 == now.len();
            assert!(is_last || !seen.is_end(), "{id} went on after its end: {now:?}");
        }
        self.count.fetch_add(now.len() - before.len(), Ordering::SeqCst);
        *before = now;
    }

    /// How an intent ended, if it has been seen to.
    pub(super) fn end_of(&self, id: &str) -> Option<&str> {
        let last = self.intents.get(id)?.last()?;
        last.is_end().then_some(last.kind.as_str())
    }

    /// When an event of this kind was.
    pub(super) fn at(&self, id: &str, kind: &str) -> Option<jiff::Timestamp> {
        let found = self.intents.get(id)?.iter().find(|seen| seen.kind == kind)?;
        found.at.parse().ok()
    }

    /// Everything that was seen, by the intent's id.
    pub(super) fn intents(&self) -> impl Iterator<Item = &str> {
        self.intents.keys().map(String::as_str)
    }

    /// How many events were seen of one intent.
    pub(super) fn len(&self, id: &str) -> usize {
        self.intents.get(id).map_or(0, Vec::len)
    }
}

impl Seen {
    fn read(event: &Value) -> Self {
        let text = |name: &str| event[name].as_str().expect("a whole event").to_owned();
        let seq = event["seq"].as_u64().expect("a numbered event");
        Self { seq, kind: text("event_type"), at: text("at") }
    }

    fn is_end(&self) -> bool {
        let ends = ["intent.completed", "intent.failed", "intent.canceled", "intent.timed_out"];
        ends.contains(&self.kind.as_str())
    }
}
