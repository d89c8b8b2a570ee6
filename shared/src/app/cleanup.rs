//! Canceling many intents at once.

use std::collections::BTreeSet;

use super::{App, Filter};
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::{Command, Status, decide};
use crate::principal::{Principal, Role};
use crate::store::ListPlace;

/// The most intents that one request cancels. Each is a transaction, and all of them must fit into
/// the function's time.
pub const CANCELED_PER_REQUEST_MAX: usize = 100;

/// What to cancel.
#[derive(Clone, Debug)]
pub struct Cleanup {
    /// Which intents. What has ended is left alone whatever it says.
    pub filter: Filter,
    /// Why.
    pub reason: String,
    /// How many at most.
    pub limit: usize,
    /// Whether only to say what would be canceled.
    pub dry_run: bool,
    /// Where to go on.
    pub from: Option<ListPlace>,
}

/// What became of it.
#[derive(Debug)]
pub struct CleanedUp {
    /// What was canceled, or would be.
    pub intents: Vec<IntentId>,
    /// What could not be, and why.
    pub failed: Vec<(IntentId, Error)>,
    /// Where a next request goes on; `None` if there is nothing more.
    pub next: Option<ListPlace>,
}

impl App {
    /// Cancels live intents: an agent its own, an administrator any. One that fails stops none of the
    /// others, and whoever asks again finds only what is left.
    pub async fn clean_up(&self, by: &Principal, cleanup: Cleanup) -> Result<CleanedUp, Error> {
        self.require(by, &[Role::Agent, Role::Admin])?;
        let mut filter = cleanup.filter;
        let live = Status::ALL.into_iter().filter(|status| !status.is_terminal());
        let live: BTreeSet<Status> = live.collect();
        filter.statuses = Some(match filter.statuses {
            Some(wanted) => &wanted & &live,
            None => live,
        });
        if by.role == Role::Agent {
            filter.from = Some(by.name.clone());
        }
        let limit = cleanup.limit.clamp(1, CANCELED_PER_REQUEST_MAX);
        let page = self.sent(by, &filter, cleanup.from, limit).await?;
        let (mut intents, mut failed) = (Vec::new(), Vec::new());
        for (_, intent) in page.entries {
            // An address that looks like the caller's name is not the caller.
            let is_own = by.role == Role::Admin || intent.envelope.from == by.name;
            if !is_own {
                continue;
            }
            let reason = cleanup.reason.clone();
            let command = Command::Cancel { by: by.clone(), reason };
            let done = if cleanup.dry_run {
                decide(Some(&intent), &command, self.now()).map(|_| ()).map_err(Error::from)
            } else {
                self.execute(intent.id, &command, &[]).await.map(|_| ())
            };
            match done {
                Ok(()) => intents.push(intent.id),
                Err(error) => failed.push((intent.id, error)),
            }
        }
        Ok(CleanedUp { intents, failed, next: page.next })
    }
}
