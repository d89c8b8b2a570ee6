//! What must be true of a history, whoever made it and whatever went wrong meanwhile.
//!
//! The checker reads what a table holds and what callers were told, and nothing else. So it judges a
//! simulated world and the remains of killed processes by the same rules. It computes anew what the
//! store wrote: keys are spelled out here once more, and each history is folded from its beginning.

mod chain;
mod ledger;
mod life;
mod notice;
mod pointers;
mod post;
mod promise;
mod story;
mod told;
mod turn;
mod webhook;

pub use ledger::Ledger;
pub use post::{Door, Post, Whose, Wish};
pub use told::Told;

use std::collections::BTreeSet;
use std::fmt;

/// When it is looked.
#[derive(Clone, Debug)]
pub enum Moment {
    /// In between, while nobody is in the middle of a write. These timers were removed by TTL, and are
    /// put back or about to be: partition and sort keys.
    Meanwhile(BTreeSet<(String, String)>),
    /// After the last deadline, when everything must have ended.
    End,
}

/// What is checked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// What is stored can be read.
    Readable,
    /// Commits follow each other, each naming the digest of the one before, up to the head.
    Chain,
    /// The snapshot is what the events lead to.
    Replay,
    /// There is one end, and nothing happens behind it.
    OneEnd,
    /// Nothing but the timeout happens at or after a deadline, and no timeout before it.
    Deadline,
    /// Each hold is decided once, and by what was shown.
    Decision,
    /// A claim rests on a fitting, fresh yes, and is given once.
    Claim,
    /// Every live intent has a timer, and no ended one.
    Timer,
    /// Offers, tasks, inboxes and days agree with the states.
    Pointer,
    /// Whoever was told that something is so finds it in the history, exactly once.
    Promise,
    /// What is posted is signed with the receiver's secret.
    Signature,
    /// One thing is posted under one name, and each name is of one thing.
    Identity,
    /// Nothing is posted to whom it does not concern, or when it is over.
    Stray,
    /// Each event is taken by everybody who subscribed to it, or is a dead letter with its reason.
    Delivery,
    /// A turn is posted until its agent has it and not after, and fails after its attempts.
    Turn,
    /// People are told what waits for them.
    Notice,
    /// Everything has ended.
    Ended,
    /// No function panics, and nobody is answered as nobody should be.
    Answer,
}

/// Something that must not be.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// What is broken.
    pub rule: Rule,
    /// Where: an intent, a key or a place.
    pub subject: String,
    /// How.
    pub detail: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, subject: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self { rule, subject: subject.to_string(), detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}: {}", self.rule, self.subject, self.detail)
    }
}

/// Everything that is wrong.
pub fn check(ledger: &Ledger, told: &Told, moment: &Moment) -> Vec<Violation> {
    let (lives, mut found) = ledger.lives();
    for life in &lives {
        chain::check(life, &mut found);
        story::check(life, &mut found);
        if matches!(moment, Moment::End) && !life.state.is_ended() {
            let status = life.state.status().name();
            found.push(Violation::new(Rule::Ended, life.id, format!("is still {status}")));
        }
    }
    pointers::check(ledger, &lives, moment, &mut found);
    promise::check(ledger, &lives, told, &mut found);
    if matches!(moment, Moment::End) {
        posts(ledger, &lives, told, &mut found);
    }
    found.sort();
    found
}

/// What came to receivers outside, once nothing more comes.
fn posts(ledger: &Ledger, lives: &[life::Life], told: &Told, found: &mut Vec<Violation>) {
    for post in &told.posts {
        let door = told.doors.iter().find(|door| door.url == post.url);
        let fault = door.and_then(|door| post.fault(door, told.skew_ms_max));
        found.extend(fault.map(|detail| Violation::new(Rule::Signature, post, detail)));
        if door.is_none() {
            found.push(Violation::new(Rule::Stray, post, "came where nobody is"));
        }
    }
    webhook::check(ledger, lives, told, found);
    turn::check(lives, told, found);
    notice::check(ledger, lives, told, found);
}
