//! The table: one commit of an intent, with the children that are born with it.
//!
//! What `App::execute` and `Store::commit` do around the core, without AWS: the condition on the
//! version, the text that is stored, the chain, the timer, and what goes onto the stream.

use std::sync::Arc;

use shared::intent::{Command, Event, Intent, apply, decide, react};

use crate::rules::Rules;
use crate::state::{Link, Mail, Stored, print_of};

/// What a commit writes.
#[derive(Clone, Debug)]
pub struct Written {
    /// What happened.
    pub events: Vec<Event>,
    /// The intent itself.
    pub after: Arc<Stored>,
    /// The children that are born.
    pub born: Vec<Arc<Stored>>,
    /// What the world is owed for all of it.
    pub owed: Vec<Mail>,
    /// Whether history leads to what is stored, of the intent and of the children.
    pub replays: bool,
}

/// What `events` make of `base`, the state that they were decided on, for `command`; none if they make
/// nothing. Without a base they make a new intent.
pub fn write(
    rules: Rules,
    base: Option<&Stored>,
    command: &Command,
    events: Vec<Event>,
) -> Option<Written> {
    let after = stored(rules, base, &events)?;
    let mut owed = mails(rules, &after.intent, &events);
    let mut born = vec![];
    let now = events.last()?.at;
    for (id, envelope) in react::births(&after.intent, command, &events) {
        let create = Command::Create { id, envelope: Box::new(envelope) };
        // As `App` does it: a child whose time is over before it begins is not asked.
        let Ok(events) = decide(None, &create, now) else { continue };
        let child = stored(rules, None, &events)?;
        owed.extend(mails(rules, &child.intent, &events));
        born.push(child);
    }
    let replays = after.replays() && born.iter().all(|child| child.replays());
    Some(Written { events, after, born, owed, replays })
}

fn stored(rules: Rules, base: Option<&Stored>, events: &[Event]) -> Option<Arc<Stored>> {
    let folded = rules.fold(base.map(|base| &base.intent), events)?;
    let text = serde_json::to_string(&folded).ok()?;
    // What the next reader gets is what the text says.
    let intent: Intent = serde_json::from_str(&text).ok()?;
    let version = base.map_or(0, |base| base.version) + 1;
    let previous = base.map_or_else(|| genesis(&intent), |base| base.head);
    let head = link(previous, events);
    let mut history = base.map(|base| base.history.as_ref().clone()).unwrap_or_default();
    history.push(Link { previous, events: events.to_vec() });
    let timer = rules.wake_at(&intent);
    let print = print_of(&(version, timer, &text));
    Some(Arc::new(Stored { intent, version, head, timer, print, history: Arc::new(history) }))
}

/// The link before the first.
fn genesis(intent: &Intent) -> u64 {
    print_of(&intent.id)
}

fn link(previous: u64, events: &[Event]) -> u64 {
    let texts: Vec<_> = events.iter().map(|event| serde_json::to_string(event).ok()).collect();
    print_of(&(previous, texts))
}

impl Stored {
    /// Whether its history leads to it: from the first event on, link by link, to what the text says.
    pub fn replays(&self) -> bool {
        let heads = self.history.iter().try_fold(genesis(&self.intent), |head, commit| {
            (commit.previous == head).then(|| link(head, &commit.events))
        });
        let events = self.history.iter().flat_map(|link| &link.events);
        let replayed = events.fold(None, apply);
        heads == Some(self.head) && replayed.as_ref() == Some(&self.intent)
    }
}

fn mails(rules: Rules, after: &Intent, events: &[Event]) -> Vec<Mail> {
    let owed = events.iter().flat_map(|event| rules.owed(after, event));
    owed.filter_map(|message| Mail::of(&message)).collect()
}
