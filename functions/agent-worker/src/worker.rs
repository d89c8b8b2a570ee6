//! What one instance of the function keeps between turns.

use std::sync::Arc;

use jiff::Timestamp;
use shared::agent::{Agents, AgentsError, sales};
use shared::app::App;
use shared::id::IntentId;
use shared::message::Message;
use shared::queue::Queues;

use crate::model::Model;
use crate::turn::{self, TurnError};

/// The app, the agents and the model behind them. Clones share all three.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(crate) app: App,
    pub(crate) queues: Queues,
    pub(crate) agents: Arc<Agents>,
    pub(crate) model: Arc<dyn Model>,
}

impl Worker {
    /// A worker for the built-in agents. Of `queues` it needs the one that its messages come from.
    pub fn new(app: App, queues: Queues, model: Arc<dyn Model>) -> Result<Self, AgentsError> {
        let agents = Arc::new(sales::agents(model.profile())?);
        Ok(Self { app, queues, agents, model })
    }

    /// Runs the turn that a message names, as far as it goes before `until`.
    pub(crate) async fn take(&self, message: Message, until: Timestamp) -> Result<(), TurnError> {
        let id = self.turn_of(&message)?;
        Box::pin(turn::run(self, id, until)).await
    }

    fn turn_of(&self, message: &Message) -> Result<IntentId, TurnError> {
        match message {
            Message::Turn { tenant, intent } if tenant == self.app.tenant() => Ok(*intent),
            Message::Turn { .. }
            | Message::Push { .. }
            | Message::Wake { .. }
            | Message::Recover { .. }
            | Message::RecoverAll { .. }
            | Message::AskEnded { .. }
            | Message::ParentEnded { .. }
            | Message::Notice { .. }
            | Message::Delivery(_)
            | Message::News(_) => Err(TurnError::Misdirected),
        }
    }
}
