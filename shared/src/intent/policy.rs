//! What may be changed about an intent after it was sent, under a counted generation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Intent;
use crate::address::Address;
use crate::principal::Principal;

/// The most control values that an intent keeps.
pub const CONTROLS_MAX: usize = 50;
/// The most principals that an intent's grants name.
pub const GRANTS_MAX: usize = 50;

/// The most that all controls and grants of an intent may have, in bytes of JSON.
pub const POLICY_BYTES_MAX: usize = 16 * 1024;

/// What was changed since the intent was sent.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Policy {
    /// Counts the changes; a change names the one that it was made for.
    pub generation: u64,
    /// Values that the sender keeps with the intent, by name.
    pub controls: Map<String, Value>,
    /// What others than its parties may do.
    pub grants: BTreeMap<String, BTreeSet<Right>>,
    /// Its deadline, if it is another than the one that was sent.
    pub deadline_at: Option<Timestamp>,
    /// How often a turn is offered, if it is another number than the one that was sent.
    pub delivery_attempts_max: Option<u32>,
    /// Seconds before a turn is offered again, if the sender sets them.
    pub retry_backoff_s: Option<u32>,
}

/// What a grant allows. None of them decides.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Resume with a result, as the agent.
    Resume,
    /// Change controls.
    UpdateControls,
    /// Change the policy.
    UpdatePolicy,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 3] = [Self::Resume, Self::UpdateControls, Self::UpdatePolicy];
}

/// A change of controls or policy; what it leaves out stays.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Patch {
    /// Control values to set; null removes one.
    #[serde(default)]
    pub controls: Map<String, Value>,
    /// Grants to set; an empty set removes one.
    #[serde(default)]
    pub grants: BTreeMap<String, BTreeSet<Right>>,
    /// The new deadline.
    #[serde(default)]
    pub deadline_at: Option<Timestamp>,
    /// How often a turn is offered.
    #[serde(default)]
    pub delivery_attempts_max: Option<u32>,
    /// Seconds before a turn is offered again.
    #[serde(default)]
    pub retry_backoff_s: Option<u32>,
}

impl Policy {
    /// How much it keeps for others, in bytes of JSON.
    pub(super) fn bytes(&self) -> usize {
        json!([self.controls, self.grants]).to_string().len()
    }

    /// The policy after `patch`.
    #[must_use]
    pub fn patched(&self, patch: &Patch) -> Self {
        let mut after = self.clone();
        after.generation += 1;
        for (name, value) in &patch.controls {
            if value.is_null() {
                after.controls.remove(name);
            } else {
                after.controls.insert(name.clone(), value.clone());
            }
        }
        for (name, rights) in &patch.grants {
            if rights.is_empty() {
                after.grants.remove(name);
            } else {
                after.grants.insert(name.clone(), rights.clone());
            }
        }
        after.deadline_at = patch.deadline_at.or(self.deadline_at);
        after.delivery_attempts_max = patch.delivery_attempts_max.or(self.delivery_attempts_max);
        after.retry_backoff_s = patch.retry_backoff_s.or(self.retry_backoff_s);
        after
    }
}

impl Intent {
    /// From this moment on nothing but `TIMED_OUT` can happen to it.
    pub fn deadline_at(&self) -> Timestamp {
        self.policy.deadline_at.unwrap_or(self.envelope.deadline_at)
    }

    /// Whether `by` was granted `right`, by its name or by its address.
    pub fn grants(&self, by: &Principal, right: Right) -> bool {
        let address = by.address.as_ref().map(Address::uri);
        let granted =
            |name: &str| self.policy.grants.get(name).is_some_and(|rights| rights.contains(&right));
        granted(&by.name) || address.is_some_and(|address| granted(&address))
    }

    /// Whether `by` was granted anything, and so may see it.
    pub fn grants_any(&self, by: &Principal) -> bool {
        Right::ALL.into_iter().any(|right| self.grants(by, right))
    }

    /// How often a turn is offered before delivery has failed: as it was said, else as its way of
    /// delivery has it.
    pub fn delivery_attempts_max(&self) -> u32 {
        self.delivery_attempts_said().unwrap_or_else(|| self.delivery().attempts_default())
    }

    /// The same, if the sender or whoever changed the policy has said it.
    pub fn delivery_attempts_said(&self) -> Option<u32> {
        self.policy.delivery_attempts_max.or(self.envelope.delivery_attempts_max)
    }
}
