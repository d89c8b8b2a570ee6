//! Keeping keys and routes.

use jiff::Timestamp;

use super::App;
use super::access::forget;
use crate::address::Address;
use crate::error::Error;
use crate::key::{ID_BYTES, Key, KeyText, SECRET_BYTES};
use crate::principal::Role;
use crate::route::Route;

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Name of the holder.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// For agents: the one address that it speaks for.
    pub address: Option<Address>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl App {
    /// Makes a key. Its text is returned once and never stored.
    pub async fn create_key(&self, new: NewKey) -> Result<(Key, KeyText), Error> {
        let text = KeyText::new(self.random::<ID_BYTES>(), self.random::<SECRET_BYTES>());
        let key = Key {
            id: text.id().to_owned(),
            name: new.name,
            role: new.role,
            address: new.address,
            secret_digest: text.digest(),
            created_at: self.now(),
            expires_at: new.expires_at,
            revoked_at: None,
        };
        self.store().put_key(self.tenant(), &key).await?;
        Ok((key, text))
    }

    /// Revokes a key, from now on and for good.
    pub async fn revoke_key(&self, id: &str) -> Result<Key, Error> {
        let revoked = self.store().revoke_key(self.tenant(), id, self.now()).await?;
        forget(&self.inner.keys, id);
        revoked.ok_or(Error::NotFound("key"))
    }

    /// Makes or changes a route.
    pub async fn put_route(&self, route: Route) -> Result<Route, Error> {
        self.store().put_route(self.tenant(), &route).await?;
        forget(&self.inner.routes, route.address.path());
        Ok(route)
    }
}
