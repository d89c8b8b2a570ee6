//! What administrators write: routes, accounts, keys, subscriptions; and heartbeats.

use serde_json::Value;
use shared::address::Address;
use shared::app::{NewDelivery, NewRoute};
use shared::callback::Reach;
use shared::http::wire::account::{WireAccount, WireAccountChange, WireAccountKey};
use shared::http::wire::key::WireNewKey;
use shared::http::wire::list::WireCleanup;
use shared::http::wire::mesh::WireHeartbeat;
use shared::http::wire::route::{self, WireRoute};
use shared::http::wire::webhook::{WireEvent, WireSubscription};
use shared::principal::Role;

use crate::callback;
use crate::request::{body, now, principal, stored, taken};

/// What is taken into the registry comes back from the table, and leads nowhere inside.
pub fn registry(bytes: &[u8]) {
    routes(bytes);
    accounts(bytes);
    let key = body::<WireNewKey>(bytes).and_then(WireNewKey::read);
    if let Some(key) = taken("POST /v1/keys", bytes, key) {
        assert!(key.address.is_none() || key.role == Role::Agent);
    }
    let heartbeat = body::<WireHeartbeat>(bytes).and_then(WireHeartbeat::read);
    taken("POST /v1/mesh/heartbeat", bytes, heartbeat);
    webhooks(bytes);
    let by = principal(Role::Admin);
    let cleanup = body::<WireCleanup>(bytes).and_then(|sent| sent.read(&by, now()));
    if let Some(cleanup) = taken("POST /v1/intents/bulk-cancel", bytes, cleanup) {
        assert!(cleanup.limit >= 1);
        assert!(cleanup.filter.created_before.is_none_or(|before| before < now()));
    }
}

fn routes(bytes: &[u8]) {
    let address = Address::parse("agent://team/a").expect("an address");
    let read = body::<WireRoute>(bytes).and_then(|sent| sent.read(address, now(), Reach::Public));
    if let Some(NewRoute { route, delivery }) = taken("PUT /v1/routes/{address}", bytes, read) {
        stored(&route);
        assert_eq!(route::present(&route)["route"]["to"], route.to.uri());
        posted(&delivery);
    }
}

fn accounts(bytes: &[u8]) {
    let account = body::<WireAccount>(bytes).and_then(|sent| sent.read(Reach::Public));
    if let Some(account) = taken("POST /v1/service-accounts", bytes, account) {
        posted(&account.delivery);
        for word in account.org_id.iter().chain(&account.workspace_id) {
            let address = Address::parse(&format!("{word}/x")).expect("it may stand in one");
            assert_eq!(address.path(), format!("{word}/x"));
        }
    }
    let change = body::<WireAccountChange>(bytes).and_then(|sent| sent.read(Reach::Public));
    if let Some(change) = taken("PATCH /v1/service-accounts/{id}", bytes, change) {
        posted(&change.delivery);
    }
    let key = body::<WireAccountKey>(bytes).and_then(|sent| sent.read(now()));
    if let Some(Some(expires_at)) = taken("POST /v1/service-accounts/{id}/keys", bytes, key) {
        assert!(expires_at > now());
    }
}

/// Turns are posted to public addresses only.
fn posted(delivery: &NewDelivery) {
    if let Some(url) = &delivery.callback_url {
        callback::is_public(url.text());
    }
}

fn webhooks(bytes: &[u8]) {
    let read = body::<WireSubscription>(bytes).and_then(|sent| sent.read(Reach::Public));
    if let Some(read) = taken("POST /v1/webhooks/subscriptions", bytes, read) {
        callback::is_public(read.callback_url.text());
    }
    let sent = body::<Value>(bytes).and_then(WireEvent::from_value).and_then(WireEvent::read);
    if let Some(event) = taken("POST /v1/webhooks/events", bytes, sent) {
        assert!(Value::Object(event.payload).to_string().len() <= 64 * 1024);
    }
}
