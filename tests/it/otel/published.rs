//! What a client publishes, on its way to its receiver, as a collector sees it.

use std::collections::BTreeSet;

use serde_json::json;

use super::collector::{Collector, Mood, Received};
use super::life::{STAGE_MAX, post, traced};
use super::tree::{CALLER, TRACE, Tree};
use crate::api::{Api, until};
use crate::webhooks::receiver::Receiver;

/// The spans that a post which was refused once leaves, from the last to the first.
const HOPS: [&str; 5] = [
    "process DeliveriesQueue",
    "relay delivery",
    "process DeliveriesQueue",
    "relay delivery",
    "POST /v1/webhooks/events",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_event_is_posted_and_posted_again_in_the_trace_of_its_request() {
    let collector = Collector::start(Mood::Taking).await;
    let data = tempfile::tempdir().unwrap();
    let running = traced(&data, &collector);
    let (api, receiver) = (Api::of(&running), Receiver::start().await);
    let body = json!({"callback_url": receiver.url, "event_types": ["inbox.*"]});
    api.post("/v1/webhooks/subscriptions", &body).await;
    receiver.answer([500]);
    let event = json!({"event_type": "inbox.reply_received", "source": "test", "payload": {}});
    post(&api, "/v1/webhooks/events", &event).await;

    let tree = until(STAGE_MAX, "every hop's span comes", async || {
        let tree = Tree::of(&collector.spans(), TRACE);
        let is_there = tree.spans().any(|span| hops(&tree, span) == HOPS);
        (is_there && tree.is_whole()).then_some(tree)
    });
    let tree = tree.await;
    tree.check();
    let first = tree.spans().find(|span| span.parent == CALLER).unwrap();
    assert_eq!((first.name.as_str(), first.service.as_str()), (HOPS[4], "Webhooks"));
    let relayed = tree.spans().filter(|span| span.name == "relay delivery");
    let happened = relayed.map(|span| span.attributes["faas.document.operation"].as_str());
    assert_eq!(happened.collect::<BTreeSet<_>>(), ["edit", "insert"].into());
    assert!(!collector.says(&receiver.url), "whose receiver it is, is nobody's business");

    // The logs of every hop have the same id.
    for name in ["webhooks", "relay", "notify"] {
        let log = running.data().join(format!("logs/{name}.log"));
        assert!(std::fs::read_to_string(log).unwrap().contains(TRACE), "{name}");
    }
    running.kill();
}

/// The names from a span up to the first. A message that comes too early is sent once more.
fn hops<'a>(tree: &'a Tree, from: &'a Received) -> Vec<&'a str> {
    let mut names = tree.path(from);
    names.dedup();
    names
}
