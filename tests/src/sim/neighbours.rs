//! Who is posted to, and what they have asked for before anything goes wrong.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::WorldClock;
use super::errand::{AGENT, MUTE, RUNNER};
use super::functions::{Functions, NOTICE_SECRET, NOTICES};
use super::outside::{Outside, Temper};
use super::plan::Plan;
use super::stage::{Asked, Keys};
use crate::check::{Door, Whose, Wish};

/// How long a receiver is away, in seconds.
const AWAY_S: std::ops::Range<u64> = 5..200;
/// After how many posts a receiver says good-bye.
const GOOD_BYE_AFTER: std::ops::Range<usize> = 1..20;
/// What customers want to hear of: whose business it is, which types, and whether their receiver works.
/// Nothing is ever the stranger's business. The second of the sender's is the one that may leave.
const CUSTOMERS: [(&str, &str, &[&str]); 5] = [
    ("sender", "all", &["intent.completed", "intent.timed_out", "inbox.thread_created", "sim.*"]),
    ("sender", "some", &["intent.canceled", "intent.human_task_assigned", "sim.*"]),
    ("sender", "broken", &["intent.failed", "sim.*"]),
    (AGENT, "clerk", &["intent.completed", "intent.delivery_failed"]),
    ("stranger", "stranger", &["*"]),
];

/// Everybody settles in.
pub(super) async fn settle(
    outside: &Outside,
    functions: &Functions,
    keys: &Keys,
    (plan, clock, rng): (&Plan, WorldClock, &mut Rng),
) {
    let (began_at, stays_for) = (clock.now(0), rng.usize(GOOD_BYE_AFTER));
    let mut open = |url: &str, secret: &Value, of, temper| {
        let (url, secret) = (url.to_owned(), secret.as_str().expect("a secret").to_owned());
        let leaves = matches!(temper, Temper::Leaving(_));
        let is_away = rng.u32(0..100) < plan.weather.away_percent;
        let away = is_away.then(|| away(began_at, plan.storm, rng));
        outside.open(Door { url, secret, of, leaves }, temper, away);
    };
    open(NOTICES, &json!(NOTICE_SECRET), Whose::People, Temper::Well);
    for (agent, temper) in [(RUNNER, Temper::Well), (MUTE, Temper::Broken)] {
        let url = format!("https://agents.example.com/{agent}");
        let route = json!({"delivery_mode": "http", "callback_url": url});
        let path = format!("/v1/routes/{agent}");
        let made = asked("PUT", &keys.admin, &path, &route).of(functions).await;
        open(&url, &made["route"]["secret"], Whose::Agent(agent.to_owned()), temper);
    }
    for (owner, name, event_types) in CUSTOMERS {
        let url = format!("https://hooks.example.com/{name}");
        let path = format!("/v1/webhooks/subscriptions?owner_agent={owner}");
        let wish = json!({"callback_url": url, "event_types": event_types});
        let made = asked("POST", &keys.sender, &path, &wish).of(functions).await;
        let made = &made["subscription"];
        let temper = match name {
            "broken" => Temper::Broken,
            "some" if plan.weather.has_good_bye => Temper::Leaving(stays_for),
            _ => Temper::Well,
        };
        let wish = Wish {
            subscription: made["subscription_id"].as_str().expect("a name").to_owned(),
            owner: owner.to_owned(),
            event_types: event_types.iter().map(ToString::to_string).collect(),
        };
        open(&url, &made["secret"], Whose::Customer(wish), temper);
    }
}

fn asked<'a>(method: &'a str, key: &'a str, path: &'a str, body: &'a Value) -> Asked<'a> {
    Asked { method, key, path, body: Some(body), name: None }
}

/// A while within the storm.
fn away(began_at: Timestamp, storm: Duration, rng: &mut Rng) -> (Timestamp, Timestamp) {
    let since = began_at.checked_add(storm.mul_f64(rng.f64())).expect("a time");
    let until = since.checked_add(Duration::from_secs(rng.u64(AWAY_S))).expect("a time");
    (since, until)
}
