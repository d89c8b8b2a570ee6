//! Everybody outside who is posted to: customers, agents behind addresses, and who tells people what
//! waits for them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;
use shared::id::IntentId;
use tokio::sync::Notify;

use super::mishap::Mishap;
use crate::check::{Door, Post, Whose};

/// How a receiver is at heart. What happens on the way is no doing of its own.
#[derive(Clone, Debug)]
pub(super) enum Temper {
    /// It takes what comes.
    Well,
    /// It takes nothing, ever.
    Broken,
    /// It says good-bye (410) once it has taken so many.
    Leaving(usize),
}

/// Everybody outside. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    state: Arc<Mutex<State>>,
    posted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    receivers: Vec<Receiver>,
    posts: Vec<Post>,
    /// Turns that agents have taken and not begun.
    turns: VecDeque<IntentId>,
}

#[derive(Debug)]
struct Receiver {
    door: Door,
    temper: Temper,
    /// While it is not there.
    away: Option<(Timestamp, Timestamp)>,
}

impl Outside {
    /// From now on this receiver is there, but for a while.
    pub(super) fn open(&self, door: Door, temper: Temper, away: Option<(Timestamp, Timestamp)>) {
        self.state().receivers.push(Receiver { door, temper, away });
    }

    /// Nobody is away any more.
    pub(super) fn calm_down(&self) {
        for receiver in &mut self.state().receivers {
            receiver.away = None;
        }
    }

    /// Who is posted to.
    pub(super) fn doors(&self) -> Vec<Door> {
        self.state().receivers.iter().map(|receiver| receiver.door.clone()).collect()
    }

    /// What came so far.
    pub(super) fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// A post comes to its receiver: what that answers, and what is wrong with it.
    pub(super) fn receive(&self, posted: &Value, now: Timestamp) -> (u16, Option<Mishap>) {
        let mut state = self.state();
        let State { receivers, posts, turns } = &mut *state;
        let receiver = receivers.iter().find(|it| posted["url"] == it.door.url.as_str());
        let came = posts.iter().filter(|post| posted["url"] == post.url.as_str() && post.is_taken);
        let (status, mishap) = match receiver {
            None => (404, None),
            Some(receiver) => receiver.answer(came.count(), now),
        };
        let post = post(posted, status == 204);
        if let Some(Whose::Agent(_)) = receiver.filter(|_| post.is_taken).map(|it| &it.door.of) {
            let id = post.json()["intent_id"].as_str().and_then(|id| id.parse::<IntentId>().ok());
            turns.extend(id);
        }
        posts.push(post);
        drop(state);
        self.posted.notify_waiters();
        (status, mishap)
    }

    /// Waits for the next turn that an agent has taken.
    pub(super) async fn next_turn(&self) -> IntentId {
        loop {
            let posted = self.posted.notified();
            if let Some(id) = self.state().turns.pop_front() {
                return id;
            }
            posted.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

impl Receiver {
    fn answer(&self, taken: usize, now: Timestamp) -> (u16, Option<Mishap>) {
        if self.away.is_some_and(|(since, until)| (since..until).contains(&now)) {
            return (503, Some(Mishap::ReceiverAway));
        }
        match self.temper {
            Temper::Well => (204, None),
            Temper::Leaving(after) if taken < after => (204, None),
            Temper::Leaving(_) => (410, Some(Mishap::ReceiverGone)),
            Temper::Broken => (500, Some(Mishap::ReceiverBroken)),
        }
    }
}

fn post(posted: &Value, is_taken: bool) -> Post {
    let text = |name: &str| posted[name].as_str().unwrap_or_default().to_owned();
    Post {
        url: text("url"),
        sent_at: text("sent_at").parse().expect("a time"),
        id: text("webhook-id"),
        timestamp_s: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        axme_signature: posted["x-axme-signature"].as_str().map(str::to_owned),
        body: text("body"),
        is_taken,
    }
}
