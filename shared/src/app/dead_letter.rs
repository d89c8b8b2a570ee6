//! Burying what was given up, and what becomes of it.

use tracing::warn;

use super::App;
use crate::dead_letter::{DeadLetter, DeadLetterId, Origin};
use crate::error::Error;
use crate::metric::{self, Metric};
use crate::principal::{Principal, Role};

/// The most dead letters that one request for a list looks at.
pub const DEAD_LETTERS_LOOKED_AT_MAX: usize = 1000;
/// The most that one read returns: they may have texts of some size.
const DEAD_LETTERS_PER_READ_MAX: i32 = 50;

/// Which dead letters are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeadLetterFilter {
    /// Only those from here.
    pub origin: Option<Origin>,
    /// Also those that were sent again.
    pub include_redriven: bool,
}

/// A part of the dead letters.
#[derive(Debug)]
pub struct DeadLetterPage {
    /// They, oldest first.
    pub letters: Vec<DeadLetter>,
    /// Behind which one the rest is, if there may be a rest.
    pub next: Option<DeadLetterId>,
}

impl App {
    /// Keeps a message that was given up, and raises the alarm. One write; the same message buried
    /// twice is one dead letter.
    pub async fn bury(&self, letter: &DeadLetter) -> Result<(), Error> {
        self.store().put_dead_letter(self.tenant(), letter).await?;
        let origin = letter.origin.map_or("unknown", Origin::name);
        let (id, reason, attempts) = (&letter.id, letter.reason.code(), letter.attempts);
        let intent_id = letter.intent().map(|id| id.to_string());
        warn!(dead_letter = %id, origin, reason, attempts, intent_id, "a message was given up");
        metric::count(&Metric::DeadLetters { origin }, 1, self.now());
        Ok(())
    }

    /// A part of the dead letters behind `after`, oldest first.
    pub async fn dead_letters(
        &self,
        by: &Principal,
        filter: DeadLetterFilter,
        after: Option<DeadLetterId>,
        limit: usize,
    ) -> Result<DeadLetterPage, Error> {
        self.require(by, &[Role::Admin])?;
        let (mut found, mut looked_at, mut next) = (Vec::new(), 0, after);
        while looked_at < DEAD_LETTERS_LOOKED_AT_MAX {
            let page =
                self.store().dead_letters(self.tenant(), next.as_ref(), DEAD_LETTERS_PER_READ_MAX);
            let page = page.await?;
            if page.is_empty() {
                return Ok(DeadLetterPage { letters: found, next: None });
            }
            for letter in page {
                next = Some(letter.id.clone());
                looked_at += 1;
                if filter.takes(&letter) {
                    found.push(letter);
                }
                if found.len() == limit {
                    return Ok(DeadLetterPage { letters: found, next });
                }
            }
        }
        Ok(DeadLetterPage { letters: found, next })
    }

    /// One dead letter.
    pub async fn dead_letter(
        &self,
        by: &Principal,
        id: &DeadLetterId,
    ) -> Result<DeadLetter, Error> {
        self.require(by, &[Role::Admin])?;
        let found = self.store().dead_letter(self.tenant(), id).await?;
        found.ok_or(Error::NotFound("dead letter"))
    }

    /// Notes that a dead letter was sent again.
    pub async fn mark_redriven(&self, id: &DeadLetterId) -> Result<DeadLetter, Error> {
        let marked = self.store().mark_redriven(self.tenant(), id, self.now()).await?;
        marked.ok_or(Error::NotFound("dead letter"))
    }

    /// Forgets a dead letter: nobody waits for it any more.
    pub async fn drop_dead_letter(&self, by: &Principal, id: &DeadLetterId) -> Result<(), Error> {
        self.require(by, &[Role::Admin])?;
        let was_there = self.store().drop_dead_letter(self.tenant(), id).await?;
        if was_there { Ok(()) } else { Err(Error::NotFound("dead letter")) }
    }
}

impl DeadLetterFilter {
    fn takes(self, letter: &DeadLetter) -> bool {
        self.origin.is_none_or(|origin| letter.origin == Some(origin))
            && (self.include_redriven || letter.redriven_at.is_none())
    }
}
