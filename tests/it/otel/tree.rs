//! One trace, as its spans hang together.

use std::collections::BTreeMap;

use super::collector::Received;

/// What a caller began, and its own unit of work.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(super) const CALLER: &str = "00f067aa0ba902b7";

/// The spans of one trace, by their ids.
pub(super) struct Tree(BTreeMap<String, Received>);

impl Tree {
    pub(super) fn of(spans: &[Received], trace: &str) -> Self {
        let its = spans.iter().filter(|span| span.trace == trace);
        Self(its.map(|span| (span.id.clone(), span.clone())).collect())
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &Received> {
        self.0.values()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.spans().all(|span| self.knows(&span.parent))
    }

    pub(super) fn named(&self, name: &str) -> &Received {
        let found = self.0.values().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn knows(&self, parent: &str) -> bool {
        parent.is_empty() || parent == CALLER || self.0.contains_key(parent)
    }

    /// The names from a span up to the first.
    pub(super) fn path<'a>(&'a self, from: &'a Received) -> Vec<&'a str> {
        let parent = |span: &&'a Received| self.0.get(&span.parent);
        std::iter::successors(Some(from), parent).map(|span| span.name.as_str()).collect()
    }

    /// What is true of every trace.
    pub(super) fn check(&self) {
        let begins = |span: &&Received| !self.0.contains_key(&span.parent);
        assert_eq!(self.0.values().filter(begins).count(), 1, "it has one beginning");
        for span in self.0.values() {
            assert!(!span.has_failed && self.knows(&span.parent), "{span:?}");
        }
    }
}
