//! API keys and routes.

use jiff::Timestamp;

use super::item::{body, item, read_body, text};
use super::place::{self, Place};
use super::{Store, StoreError};
use crate::address::Address;
use crate::key::Key;
use crate::route::Route;

/// The most routes that a list returns.
const ROUTES_PER_READ_MAX: i32 = 500;

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
        let found = self.get(Place::route(tenant, address)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// Makes or changes a route.
    pub async fn put_route(&self, tenant: &str, route: &Route) -> Result<(), StoreError> {
        let mut item = item(Place::route(tenant, &route.address));
        item.insert("body".to_owned(), text(body(route)?));
        self.put(item).await
    }

    /// Every route.
    pub async fn routes(&self, tenant: &str) -> Result<Vec<Route>, StoreError> {
        let pk = place::routes(tenant);
        let items = self.range(pk, "", "~", ROUTES_PER_READ_MAX, false).await?;
        items.iter().map(read_body).collect()
    }
}
