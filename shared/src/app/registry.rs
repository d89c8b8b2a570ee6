//! Keeping keys and routes.

use jiff::Timestamp;

use super::access::forget;
use super::delivery::arrange_alias;
use super::{App, NewDelivery};
use crate::address::Address;
use crate::callback::SigningSecret;
use crate::error::Error;
use crate::intent::envelope::Delivery;
use crate::key::{ID_BYTES, Key, KeyText, SECRET_BYTES};
use crate::mesh::MeshEventKind;
use crate::principal::{Principal, Role};
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

/// A route to make or to change.
#[derive(Clone, Debug)]
pub struct NewRoute {
    /// The route, but for how intents get to its agent.
    pub route: Route,
    /// How they are to get there.
    pub delivery: NewDelivery,
}

/// The answer to a route.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The route.
    pub route: Route,
    /// The secret that signs what is posted, if it was made just now: nobody can read it later.
    pub made: Option<SigningSecret>,
}

impl App {
    /// Makes a key. Its text is returned once and never stored.
    pub async fn create_key(&self, new: NewKey) -> Result<(Key, KeyText), Error> {
        let (mut key, text) = self.draw_key(new.name, new.role, new.expires_at);
        key.address = new.address;
        self.store().put_key(self.tenant(), &key).await?;
        Ok((key, text))
    }

    /// A new key that nothing is stored of yet.
    pub(super) fn draw_key(
        &self,
        name: String,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> (Key, KeyText) {
        let text = KeyText::new(self.random::<ID_BYTES>(), self.random::<SECRET_BYTES>());
        let key = Key {
            id: text.id().to_owned(),
            name,
            role,
            address: None,
            service_account_id: None,
            secret_digest: text.digest(),
            created_at: self.now(),
            expires_at,
            revoked_at: None,
        };
        (key, text)
    }

    /// Revokes a key, from now on and for good.
    pub async fn revoke_key(&self, id: &str) -> Result<Key, Error> {
        let revoked = self.store().revoke_key(self.tenant(), id, self.now()).await?;
        forget(&self.inner.keys, id);
        revoked.ok_or(Error::NotFound("key"))
    }

    /// Makes or changes a route.
    pub async fn put_route(&self, by: &Principal, new: NewRoute) -> Result<Routed, Error> {
        self.require(by, &[Role::Admin])?;
        let agent = self.store().route(self.tenant(), &new.route.to).await?;
        let arranged = if new.route.is_agent() {
            self.arrange(&new.delivery, agent.as_ref())?
        } else {
            arrange_alias(&new.delivery, agent.as_ref())?
        };
        let route = Route { delivery: arranged.delivery, push: arranged.push, ..new.route };
        if !route.is_agent() || !self.add_route(by, &route).await? {
            self.store().put_route(self.tenant(), &route).await?;
            forget(&self.inner.routes, route.address.path());
        }
        let stored = self.store().route(self.tenant(), &route.address).await?;
        Ok(Routed { route: stored.unwrap_or(route), made: arranged.made })
    }

    /// Registers an agent that is not registered yet; says whether it was this call that did.
    pub async fn register(&self, by: &Principal, new: &Routed) -> Result<bool, Error> {
        self.may_register(by, new.route.delivery, &new.route.address)?;
        self.add_route(by, &new.route).await
    }

    /// The agent as it is to be registered. What only an administrator registers is refused.
    pub fn registrable(&self, by: &Principal, new: NewRoute) -> Result<Routed, Error> {
        let mode = new.delivery.mode.unwrap_or(Delivery::Stream);
        self.may_register(by, mode, &new.route.address)?;
        let arranged = self.arrange(&new.delivery, None)?;
        let route = Route { delivery: arranged.delivery, push: arranged.push, ..new.route };
        Ok(Routed { route, made: arranged.made })
    }

    /// Agents may register others that ask by themselves, but must not put Holdpoint's own worker to
    /// work, nor let it post anywhere.
    fn may_register(&self, by: &Principal, mode: Delivery, agent: &Address) -> Result<(), Error> {
        match (by.role, mode) {
            (Role::Admin, _) | (Role::Agent, Delivery::Stream) => Ok(()),
            (Role::Agent, Delivery::Worker | Delivery::Push) => Err(Error::Forbidden(format!(
                "{agent} is not registered, and only an administrator registers an agent with \
                     worker or http delivery; ask one, or register it with stream delivery"
            ))),
            (Role::Reviewer, _) => self.require(by, &[Role::Agent, Role::Admin]),
        }
    }

    async fn add_route(&self, by: &Principal, route: &Route) -> Result<bool, Error> {
        let event = self.mesh_event(MeshEventKind::Registered, route.address.clone(), by);
        let added = self.store().add_route(self.tenant(), route, &event).await?;
        forget(&self.inner.routes, route.address.path());
        Ok(added)
    }
}
