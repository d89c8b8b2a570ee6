//! API keys and routes.

use jiff::Timestamp;

use super::item::{Item, body, corrupt, item, number, read_body, read_text, text};
use super::place::{self, Place};
use super::update::Update;
use super::{SCHEMA_VERSION, Store, StoreError};
use crate::address::Address;
use crate::callback::{CallbackUrl, SigningSecret};
use crate::key::Key;
use crate::mesh::MeshEvent;
use crate::registration::{Owner, Registration};
use crate::route::{Push, Route};

/// The most routes that a list reads.
const ROUTES_READ_MAX: usize = 5000;

/// Where an agent's turns are posted, beside its route.
const PUSH_URL: &str = "push_url";
/// What signs them.
const PUSH_SECRET: &str = "push_secret";

/// A route as the table has it.
#[derive(Clone, Debug)]
pub struct StoredRoute {
    /// The route.
    pub route: Route,
    /// Its text, which is the lock of its next change.
    pub(super) text: String,
}

impl Store {
    /// The key with this public id.
    pub async fn key(&self, tenant: &str, key_id: &str) -> Result<Option<Key>, StoreError> {
        let found = self.get(Place::key(tenant, key_id)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// Stores a key.
    pub async fn put_key(&self, tenant: &str, key: &Key) -> Result<(), StoreError> {
        let mut item = item(Place::key(tenant, &key.id));
        item.insert("body".to_owned(), text(body(key)?));
        self.put(item).await
    }

    /// Revokes a key from `now` on; `None` if there is no such key.
    pub async fn revoke_key(
        &self,
        tenant: &str,
        key_id: &str,
        now: Timestamp,
    ) -> Result<Option<Key>, StoreError> {
        let Some(mut key) = self.key(tenant, key_id).await? else { return Ok(None) };
        key.revoked_at = key.revoked_at.or(Some(now));
        self.put_key(tenant, &key).await?;
        Ok(Some(key))
    }

    /// The route of an address.
    pub async fn route(
        &self,
        tenant: &str,
        address: &Address,
    ) -> Result<Option<Route>, StoreError> {
        Ok(self.stored_route(tenant, address).await?.map(|stored| stored.route))
    }

    /// The route of an address, as it must be for a change of it to be written.
    pub async fn stored_route(
        &self,
        tenant: &str,
        address: &Address,
    ) -> Result<Option<StoredRoute>, StoreError> {
        let found = self.get(Place::route(tenant, address)).await?;
        found.map(|item| stored_route(&item)).transpose()
    }

    /// Makes or changes a route. What the registry knows of the agent stays, except that a deleted
    /// one is registered anew.
    pub async fn put_route(&self, tenant: &str, route: &Route) -> Result<(), StoreError> {
        let (set, remove) = push_change(route);
        let expression = format!(
            "SET body = :body, v = :v, created_at = if_not_exists(created_at, :at){set} \
             REMOVE deleted_at{remove}"
        );
        let update = Update::new(Place::route(tenant, &route.address), expression)
            .value(":body", text(body(route)?))
            .value(":v", number(SCHEMA_VERSION))
            .value(":at", text(route.updated_at.to_string()));
        self.update(with_push(update, route)).await?;
        Ok(())
    }

    /// Registers an agent whose address has no route yet. `false` if it has one.
    pub async fn add_route(
        &self,
        tenant: &str,
        route: &Route,
        event: &MeshEvent,
    ) -> Result<bool, StoreError> {
        let mut item = item(Place::route(tenant, &route.address));
        item.insert("body".to_owned(), text(body(route)?));
        item.insert("created_at".to_owned(), text(route.updated_at.to_string()));
        if let Some(push) = &route.push {
            item.insert(PUSH_URL.to_owned(), text(push.url.text()));
            item.insert(PUSH_SECRET.to_owned(), text(push.secret.reveal()));
        }
        self.write_with(tenant, event, self.put_if(item, "attribute_not_exists(pk)")).await
    }

    /// Every route.
    pub async fn routes(&self, tenant: &str) -> Result<Vec<Route>, StoreError> {
        let items = self.entries(place::routes(tenant), ROUTES_READ_MAX).await?;
        items.iter().map(|item| Ok(stored_route(item)?.route)).collect()
    }
}

fn stored_route(item: &Item) -> Result<StoredRoute, StoreError> {
    let text = read_text(item, "body").ok_or_else(|| corrupt(item))?.to_owned();
    let mut route: Route = read_body(item)?;
    route.registration = registration(item)?;
    route.push = push(item);
    Ok(StoredRoute { route, text })
}

/// What sets or removes where an agent's turns are posted: further parts of SET and of REMOVE.
pub(super) fn push_change(route: &Route) -> (&'static str, &'static str) {
    match &route.push {
        Some(_) => (", push_url = :push_url, push_secret = :push_secret", ""),
        None => ("", ", push_url, push_secret"),
    }
}

/// The values that [`push_change`] names.
pub(super) fn with_push(update: Update, route: &Route) -> Update {
    let Some(push) = &route.push else { return update };
    let update = update.value(":push_url", text(push.url.text()));
    update.value(":push_secret", text(push.secret.reveal()))
}

fn push(item: &Item) -> Option<Push> {
    let (url, secret) = (read_text(item, PUSH_URL)?, read_text(item, PUSH_SECRET)?);
    Some(Push { url: CallbackUrl::stored(url), secret: SigningSecret::stored(secret) })
}

fn registration(item: &Item) -> Result<Registration, StoreError> {
    let instant = |name| read_text(item, name).and_then(|text| text.parse().ok());
    let owner = read_text(item, "account").map(serde_json::from_str::<Owner>).transpose();
    let owner = owner.map_err(|error| StoreError::Corrupt("an owner".into(), Some(error)))?;
    let deleted_at = instant("deleted_at");
    // An account that has ended is named as long as its agent is gone with it, and no longer.
    let is_named = !item.contains_key("account_ended") || deleted_at.is_some();
    Ok(Registration {
        created_at: instant("created_at"),
        owner: owner.filter(|_| is_named),
        killed_at: instant("killed_at"),
        suspended_at: instant("suspended_at"),
        deleted_at,
    })
}
