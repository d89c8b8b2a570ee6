//! The newest part of an intent's history, for readers who begin at its end.

use super::commit::Commit;
use super::item::{read_body, read_text};
use super::place::Place;
use super::{Store, StoreError};
use crate::id::IntentId;

/// The most commits that are read. An intent takes 500 messages, and each is one of them.
const COMMITS_MAX: usize = 1000;
/// The most commits that one read asks for; it returns a megabyte at most.
const COMMITS_PER_READ_MAX: usize = 250;

/// The newest commits of an intent.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The commits, oldest first.
    pub commits: Vec<Commit>,
    /// Whether nothing older was left out.
    pub is_whole: bool,
}

impl Store {
    /// The newest commits of an intent, as many as one answer can show.
    pub async fn latest(&self, tenant: &str, id: IntentId) -> Result<Latest, StoreError> {
        let from = Place::commit(tenant, id, 0);
        let mut before = Place::commit(tenant, id, u64::MAX).sk;
        let mut commits: Vec<Commit> = Vec::new();
        while commits.len() < COMMITS_MAX {
            let limit = COMMITS_PER_READ_MAX.min(COMMITS_MAX - commits.len());
            let limit = i32::try_from(limit).unwrap_or(i32::MAX);
            let items = self.range(from.pk.clone(), &from.sk, &before, limit, true).await?;
            let Some(oldest) = items.last().and_then(|item| read_text(item, "sk")) else { break };
            // Keys end in the number of an event, and every intent's numbers step by two: one less
            // than the oldest is the place right behind it.
            before = behind(oldest);
            for item in &items {
                commits.push(read_body(item)?);
            }
        }
        commits.reverse();
        let is_whole = commits.first().is_some_and(|commit| commit.version == 1);
        Ok(Latest { commits, is_whole })
    }
}

/// The key right before `sk` in order.
fn behind(sk: &str) -> String {
    let digits = sk.trim_start_matches(super::place::COMMIT);
    let seq: u64 = digits.parse().unwrap_or(0);
    format!("{}{:020}", super::place::COMMIT, seq.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_behind_another_sorts_right_before_it() {
        assert_eq!(behind("C#00000000000000000010"), "C#00000000000000000009");
        assert!(behind("C#00000000000000000010").as_str() < "C#00000000000000000010");
    }
}
