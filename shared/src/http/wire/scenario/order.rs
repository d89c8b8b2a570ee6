//! In which order the steps of a bundle are taken.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::step::Draft;
use crate::intent::workflow::Step;

/// Where each step leads to, by places in the list.
#[derive(Debug)]
pub(super) struct Order {
    /// The first step.
    pub(super) entry: usize,
    leads: Vec<Leads>,
}

#[derive(Clone, Copy, Debug)]
struct Leads {
    next: Option<usize>,
    on_failure: Option<usize>,
}

impl Order {
    /// Finds the order: each step leads to the one that it names, else to the following one in the
    /// list. Steps that only catch the failures of others are stepped over, and end the workflow
    /// unless they name what comes next.
    pub(super) fn of(drafts: &[Draft], entry: Option<&str>, findings: &mut Findings) -> Self {
        let mut places = BTreeMap::new();
        for (place, draft) in drafts.iter().enumerate() {
            let Some(id) = draft.id.as_deref() else { continue };
            if places.insert(id, place).is_some() {
                findings.fault(format!("{}.step_id", draft.at), "stands twice; give each its own");
            }
        }
        let named = |word: Option<&str>, field: String, findings: &mut Findings| {
            let word = word?;
            let place = places.get(word).copied();
            if place.is_none() {
                findings.fault(field, format!("`{word}` is no step_id of this workflow"));
            }
            place
        };
        let entry = named(entry, "workflow.entry_step".to_owned(), findings).unwrap_or(0);
        let mut targets = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let field = |name: &str| format!("{}.{name}", draft.at);
            targets.push(Leads {
                next: named(draft.on_success.as_deref(), field("on_success"), findings),
                on_failure: named(draft.on_failure.as_deref(), field("on_failure"), findings),
            });
        }
        let catches = |place: &usize| {
            let is_next = targets.iter().any(|leads| leads.next == Some(*place));
            let catches = targets.iter().any(|leads| leads.on_failure == Some(*place));
            catches && !is_next && *place != entry
        };
        let following = |place: usize| (place + 1..drafts.len()).find(|place| !catches(place));
        let lead = |(place, leads): (usize, &Leads)| Leads {
            next: leads.next.or_else(|| if catches(&place) { None } else { following(place) }),
            on_failure: leads.on_failure,
        };
        let leads = targets.iter().enumerate().map(lead).collect();
        let order = Self { entry, leads };
        order.warn(drafts, findings);
        order
    }

    /// Puts the order on the steps.
    pub(super) fn apply(&self, steps: &mut [Step]) {
        for (step, leads) in steps.iter_mut().zip(&self.leads) {
            (step.next, step.on_failure) = (leads.next, leads.on_failure);
        }
    }

    fn warn(&self, drafts: &[Draft], findings: &mut Findings) {
        let reached = self.reached(self.entry);
        for (place, draft) in drafts.iter().enumerate() {
            if !reached.contains(&place) {
                findings.warn(draft.at.as_str(), "is never reached from the first step");
            }
        }
        let round =
            |place: &usize| self.after(*place).any(|next| self.reached(next).contains(place));
        let round = (0..self.leads.len()).filter(|place| reached.contains(place)).find(round);
        if let Some(draft) = round.and_then(|place| drafts.get(place)) {
            let detail = format!(
                "leads back to itself; after {} steps the workflow fails",
                crate::intent::workflow::STEPS_BEGUN_MAX
            );
            findings.warn(draft.at.as_str(), detail);
        }
    }

    /// The steps that a step may lead to at once.
    fn after(&self, place: usize) -> impl Iterator<Item = usize> {
        let leads = self.leads.get(place);
        leads.into_iter().flat_map(|leads| [leads.next, leads.on_failure]).flatten()
    }

    /// The steps that are reached from a step, itself included.
    fn reached(&self, from: usize) -> Vec<usize> {
        let mut reached = vec![from];
        let mut looked_at = 0;
        while let Some(place) = reached.get(looked_at).copied() {
            looked_at += 1;
            let new: Vec<usize> = self.after(place).filter(|it| !reached.contains(it)).collect();
            for place in new {
                if !reached.contains(&place) {
                    reached.push(place);
                }
            }
        }
        reached
    }
}
