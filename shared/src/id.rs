//! Identifiers of intents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Names one intent. A UUID on the wire, as the contract demands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct IntentId(Uuid);

impl IntentId {
    /// An id that is not derived from anything; `uuid` comes from the caller's source of ids.
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The id that always belongs to these parts, so that a repeated request finds the first one.
    ///
    /// The parts are hashed with their lengths, so no two lists of parts run into each other.
    pub fn derived(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The UUID inside.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// Spreads intents evenly over `shards` partitions.
    pub fn shard(self, shards: u8) -> u8 {
        let [.., last] = self.0.into_bytes();
        last.checked_rem(shards).unwrap_or(0)
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IntentId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_id_and_shifted_parts_another() {
        let id = IntentId::derived(&["a", "bc"]);
        assert_eq!(id, IntentId::derived(&["a", "bc"]));
        assert_ne!(id, IntentId::derived(&["ab", "c"]));
        assert_eq!(id.uuid().get_version_num(), 8);
    }

    #[test]
    fn shards_stay_in_range() {
        for n in 0..100_u8 {
            assert!(IntentId::derived(&[&n.to_string()]).shard(8) < 8);
        }
    }
}
