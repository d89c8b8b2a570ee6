//! Who is calling, and what they may see.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::{App, Remembered};
use crate::address::Address;
use crate::digest::Digest;
use crate::error::{Error, Unauthenticated};
use crate::id::IntentId;
use crate::intent::Intent;
use crate::key::{Key, KeyText};
use crate::principal::{Assurance, Principal, Role};
use crate::store::Stored;
use crate::trace;

/// How long a function goes by a key or a route that it has read. A revoked key may work this long,
/// and a changed route takes this long to hold everywhere.
pub const REMEMBERED: Duration = Duration::from_secs(5);
/// How many keys or routes one function remembers.
const REMEMBERED_MAX: usize = 10_000;

impl App {
    /// The holder of a key.
    pub async fn authenticate(&self, key: Option<&str>) -> Result<Principal, Error> {
        let text = key.ok_or(Error::Unauthenticated(Unauthenticated::Missing))?;
        if self.is_bootstrap(text) {
            return Ok(self.bootstrap_admin());
        }
        let unknown = Error::Unauthenticated(Unauthenticated::Invalid);
        let Some(text) = KeyText::parse(text) else { return Err(unknown) };
        let Some(key) = self.key(text.id()).await? else { return Err(unknown) };
        if key.admits(&text, self.now()) { Ok(key.principal(self.tenant())) } else { Err(unknown) }
    }

    /// The intent, if `by` may see it; otherwise as if it did not exist.
    pub async fn visible(&self, by: &Principal, id: IntentId) -> Result<Stored, Error> {
        trace::about(id);
        let found = self.store().load(self.tenant(), id).await?;
        found.filter(|stored| may_see(by, &stored.intent)).ok_or(Error::NotFound("intent"))
    }

    /// The approvals that an intent's agent asked for.
    pub async fn children(&self, intent: &Intent) -> Result<Vec<Intent>, Error> {
        let mut children = Vec::with_capacity(intent.asks.len());
        for ask in &intent.asks {
            let child = self.store().load(self.tenant(), ask.child).await?;
            children.extend(child.map(|stored| stored.intent));
        }
        Ok(children)
    }

    /// Refuses to show an agent's stream to anybody but that agent.
    pub fn may_listen(&self, by: &Principal, agent: &Address) -> Result<(), Error> {
        self.require(by, &[Role::Agent])?;
        if by.speaks_for(agent) {
            return Ok(());
        }
        let detail =
            format!("this key speaks for another agent than {agent}; use that agent's key");
        Err(Error::Forbidden(detail))
    }

    /// Refuses callers of another role.
    pub fn require(&self, by: &Principal, roles: &[Role]) -> Result<(), Error> {
        if roles.contains(&by.role) {
            return Ok(());
        }
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let (has, needs) = (by.role.name(), names.join(" or "));
        Err(Error::Forbidden(format!("this takes a key with the role {needs}; this one is {has}")))
    }

    async fn key(&self, id: &str) -> Result<Option<Key>, Error> {
        if let Some(key) = self.remembered(&self.inner.keys, id) {
            return Ok(Some(key));
        }
        let found = self.store().key(self.tenant(), id).await?;
        if let Some(key) = &found {
            self.remember(&self.inner.keys, id, key.clone());
        }
        Ok(found)
    }

    fn is_bootstrap(&self, text: &str) -> bool {
        self.config().bootstrap_admin_key.as_ref() == Some(&Digest::of_bytes(text.as_bytes()))
    }

    fn bootstrap_admin(&self) -> Principal {
        Principal {
            tenant: self.tenant().to_owned(),
            name: "bootstrap-admin".to_owned(),
            role: Role::Admin,
            address: None,
            assurance: Assurance::Key,
        }
    }

    pub(super) fn remembered<T: Clone>(
        &self,
        memory: &Mutex<HashMap<String, Remembered<T>>>,
        name: &str,
    ) -> Option<T> {
        let memory = memory.lock().ok()?;
        let remembered = memory.get(name).filter(|remembered| self.now() < remembered.until)?;
        Some(remembered.value.clone())
    }

    pub(super) fn remember<T>(
        &self,
        memory: &Mutex<HashMap<String, Remembered<T>>>,
        name: &str,
        value: T,
    ) {
        let Ok(mut memory) = memory.lock() else { return };
        if memory.len() >= REMEMBERED_MAX {
            memory.clear();
        }
        let Ok(until) = self.now().checked_add(REMEMBERED) else { return };
        memory.insert(name.to_owned(), Remembered { value, until });
    }
}

pub(super) fn forget<T>(memory: &Mutex<HashMap<String, Remembered<T>>>, name: &str) {
    if let Ok(mut memory) = memory.lock() {
        memory.remove(name);
    }
}

/// Agents see what they sent, what they handle and what is to be told to them; people see everything.
pub(super) fn may_see(by: &Principal, intent: &Intent) -> bool {
    match by.role {
        Role::Reviewer | Role::Admin => true,
        Role::Agent => {
            let behind = intent.envelope.parent.as_ref().map(|parent| parent.sender.as_str());
            by.name == intent.envelope.from
                || behind == Some(by.name.as_str())
                || by.speaks_for(&intent.envelope.handler)
                || by.speaks_for(intent.handler())
                || intent.grants_any(by)
                || intent.envelope.reply_to.as_ref().is_some_and(|to| by.speaks_for(to))
                || by.address.as_ref().is_some_and(|own| own.uri() == intent.envelope.from)
        }
    }
}
