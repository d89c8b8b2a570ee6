//! Turns that are posted to their agents.

mod registry;
mod stack;
mod turns;

use std::time::Duration;

use serde_json::{Value, json};
use shared::intent::Status;
use shared::message::Message;
use tests::{Answer, World};

use crate::harness::{create, stored};
use crate::pump::Pump;
use crate::webhooks::receiver::{Post, Receiver};

/// The agent that has its turns posted.
const AGENT: &str = "pushed";
/// Its route.
const ROUTE: &str = "/v1/routes/pushed";

/// A world with one agent whose turns are posted to a receiver.
struct Stage<'a> {
    world: &'a World,
    pump: Pump<'a>,
    receiver: Receiver,
    secret: String,
}

impl<'a> Stage<'a> {
    async fn of(world: &'a World) -> Self {
        let receiver = Receiver::start().await;
        let secret = register(world, &receiver.url).await;
        Self { world, pump: Pump::of(world).await, receiver, secret }
    }

    /// Sends the agent an intent, and lets happen what is due.
    async fn send(&mut self, more: &Value) -> String {
        let id = sent(self.world, more).await;
        self.pump.run().await;
        id
    }

    async fn status(&self, id: &str) -> Status {
        stored(self.world, id).await.status()
    }

    /// The message of the intent's turn comes once more.
    async fn repeat(&mut self, id: &str) {
        let (tenant, intent) = ("default".to_owned(), id.parse().unwrap());
        self.pump.deliver(Message::Push { tenant, intent }).await;
    }

    /// What came since the last look; all of it signed with the agent's secret.
    #[track_caller]
    fn posts(&self) -> Vec<Post> {
        let posts = self.receiver.posts();
        for post in &posts {
            post.assert_signed_with(&self.secret);
        }
        posts
    }

    /// Nothing comes before `seconds` have passed, and one post then.
    async fn comes_after(&mut self, seconds: u64) -> Post {
        self.pump.pass(Duration::from_secs(seconds - 1)).await;
        assert!(self.receiver.posts().is_empty(), "early");
        self.pump.pass(Duration::from_secs(1)).await;
        let mut posts = self.posts();
        assert_eq!(posts.len(), 1, "after {seconds} seconds");
        posts.remove(0)
    }
}

/// Registers the agent, and gives its secret.
async fn register(world: &World, url: &str) -> String {
    let made = put(world, &json!({"delivery_mode": "http", "callback_url": url})).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["route"]["secret"].as_str().unwrap().to_owned()
}

async fn put(world: &World, body: &Value) -> Answer {
    world.put(&world.admin, ROUTE, body).await
}

async fn sent(world: &World, more: &Value) -> String {
    let mut body = json!({"intent_type": "t", "to_agent": AGENT, "payload": {"n": 1}});
    let more = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().unwrap().extend(more);
    create(world, &body).await
}
