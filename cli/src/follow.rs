//! Following an intent together with the steps of its workflow, each of which an agent has as an
//! intent of its own.

use serde_json::Value;
use shared::id::IntentId;
use shared::intent::Status;

use crate::client::Client;
use crate::event_line::event_line;
use crate::failure::{Failure, Verdict};
use crate::terminal::{Paint, Terminal};
use crate::watch::{Event, Watch};

/// The answer to somebody who may see an intent and not its steps.
const NOT_FOUND: u16 = 404;

/// An intent that is followed, and the step that it waits for, if that is followed too.
#[derive(Debug)]
pub(crate) struct Follow {
    client: Client,
    intent: Watch,
    step: Option<Watch>,
    /// Whether the step that ended last completed although a person had said no in it.
    refused: bool,
}

/// What happened, and to whom.
#[derive(Debug)]
pub(crate) enum Happened {
    /// To the intent itself.
    Here(Event),
    /// To the child that has a step of its workflow.
    InStep(Event),
}

impl Follow {
    /// Follows `intent` from its first event after `since`.
    pub(crate) fn new(client: Client, intent: IntentId, since: u64) -> Self {
        let watch = Watch::new(client.clone(), intent, since);
        Self { client, intent: watch, step: None, refused: false }
    }

    /// Prints every event until the intent ends.
    pub(crate) async fn print(mut self, terminal: &Terminal) -> Result<Verdict, Failure> {
        loop {
            let happened = self.next().await?;
            terminal.line(&happened.event().body, || happened.line(terminal))?;
            if let Some(verdict) = happened.verdict() {
                return Ok(if self.refused { Verdict::Refused } else { verdict });
            }
        }
    }

    /// The next event. While a step is an agent's, nothing else can happen but that it ends, so its
    /// events come first. Nothing is lost if this is dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Happened, Failure> {
        if let Some(step) = &mut self.step {
            match step.next().await {
                Ok(event) => {
                    if event.is_last() {
                        self.step = None;
                        let completed = event.status() == Some(Status::Completed);
                        self.refused = completed && event.verdict() == Verdict::Refused;
                    }
                    return Ok(Happened::InStep(event));
                }
                Err(Failure::Answered(problem)) if problem.status == NOT_FOUND => self.step = None,
                Err(failure) => return Err(failure),
            }
        }
        let event = self.intent.next().await?;
        let child = child_of(&event);
        self.step = child.map(|child| Watch::new(self.client.clone(), child, 0));
        Ok(Happened::Here(event))
    }
}

impl Happened {
    /// The event.
    pub(crate) fn event(&self) -> &Event {
        match self {
            Self::Here(event) | Self::InStep(event) => event,
        }
    }

    /// It as a line for people; what happens in a step stands further in.
    pub(crate) fn line(&self, terminal: &Terminal) -> String {
        let line = event_line(&self.event().body, terminal);
        match self {
            Self::Here(_) => line,
            Self::InStep(_) => format!("{} {line}", terminal.paint(Paint::Quiet, "  |")),
        }
    }

    /// How the intent ended, if this is its end.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Here(event) if event.is_last() => Some(event.verdict()),
            Self::Here(_) | Self::InStep(_) => None,
        }
    }
}

/// The child that has the step which an event began.
fn child_of(event: &Event) -> Option<IntentId> {
    let child = event.body.pointer("/details/child_intent_id").and_then(Value::as_str);
    child.and_then(|id| id.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(body: Value) -> Event {
        Event { body }
    }

    #[test]
    fn only_the_end_of_the_intent_itself_is_the_end() {
        let ended = || event(json!({"status": "COMPLETED"}));
        assert_eq!(Happened::Here(ended()).verdict(), Some(Verdict::Done));
        assert_eq!(Happened::InStep(ended()).verdict(), None);
        assert_eq!(Happened::Here(event(json!({"status": "WAITING"}))).verdict(), None);
    }

    #[test]
    fn what_happens_in_a_step_stands_further_in() {
        let terminal = Terminal::new(false, true);
        let body = json!({"status": "WAITING", "at": "2030-01-01T00:00:00Z"});
        let here = Happened::Here(event(body.clone())).line(&terminal);
        let in_step = Happened::InStep(event(body)).line(&terminal);
        assert_eq!(in_step, format!("  | {here}"));
    }

    #[test]
    fn a_step_that_an_agent_has_names_its_child() {
        let id = "0190a1b2-0000-7000-8000-000000000001";
        let begun = |child: Value| event(json!({"details": {"child_intent_id": child}}));
        assert_eq!(child_of(&begun(json!(id))).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(child_of(&begun(Value::Null)), None);
    }
}
