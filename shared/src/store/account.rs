//! Service accounts, each with its agent's route and its keys.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::{Item, body, item, number, read_body, read_number, text};
use super::place::{self, Place};
use super::registry::{StoredRoute, push_change, with_push};
use super::update::{Update, Written};
use super::{SCHEMA_VERSION, Store, StoreError};
use crate::account::{Account, AccountError, AccountId, KEYS_PER_ACCOUNT_MAX};
use crate::error::Error;
use crate::key::Key;
use crate::mesh::MeshEvent;
use crate::registration::Standing;
use crate::route::Route;

/// The most accounts that a list reads.
const ACCOUNTS_READ_MAX: usize = 5000;

/// When a name is free: nobody has it, or its account is gone with all its keys.
const FREE: &str = "attribute_not_exists(pk) \
    OR (attribute_exists(deleted_at) AND attribute_not_exists(key_ids))";

/// An account as the table has it.
#[derive(Clone, Debug)]
pub struct StoredAccount {
    /// The account.
    pub account: Account,
    /// How often it was written: the lock of the next change.
    version: u64,
    /// Public ids of its keys that are not revoked.
    pub key_ids: Vec<String>,
}

/// The routes that the agent of a new account gets.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// The agent's own.
    pub own: Route,
    /// The one of its second address, if it has one.
    pub alias: Option<Route>,
    /// Whether they take the place of routes that are there already.
    pub replaces: bool,
}

impl Store {
    /// Makes an account with the route of its agent and, where it has one, its second address.
    ///
    /// # Errors
    ///
    /// [`AccountError`] if there is one under the name, or the address belongs to another.
    pub async fn create_account(
        &self,
        tenant: &str,
        account: &Account,
        agent: &NewAgent,
        event: &MeshEvent,
    ) -> Result<(), Error> {
        let mut item = item(Place::account(tenant, account.id));
        item.insert("body".to_owned(), text(body(account)?));
        item.insert("version".to_owned(), number(1));
        let mut writes = vec![
            self.put_if(item, FREE),
            self.update_write(claim(tenant, account, agent)?),
            self.event_write(tenant, event)?,
        ];
        if let Some(alias) = &agent.alias {
            writes.push(self.update_write(keep(tenant, alias, agent.replaces)?));
        }
        match self.write_all(writes).await? {
            Written::All => Ok(()),
            Written::Nothing { write: 0, found: Some(found) } => {
                Err(AccountError::Exists(Box::new(read_body(&found)?)).into())
            }
            Written::Nothing { .. } => {
                Err(AccountError::AddressTaken(account.address.clone()).into())
            }
        }
    }

    /// The account with this id.
    pub async fn account(
        &self,
        tenant: &str,
        id: AccountId,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let found = self.get(Place::account(tenant, id)).await?;
        found.map(|item| read(&item)).transpose()
    }

    /// Every account, deleted ones included.
    pub async fn accounts(&self, tenant: &str) -> Result<Vec<Account>, StoreError> {
        let items = self.entries(place::accounts(tenant), ACCOUNTS_READ_MAX).await?;
        items.iter().map(read_body).collect()
    }

    /// Changes an account that is not deleted, and its agent with it: `routes` are those whose bodies
    /// change, each with what it was. `false` if somebody else changed one of them first.
    pub async fn change_account(
        &self,
        tenant: &str,
        before: &StoredAccount,
        after: &Account,
        routes: &[(StoredRoute, Route)],
        event: Option<&MeshEvent>,
    ) -> Result<bool, StoreError> {
        let deleted = after.standing == Standing::Deleted;
        let expression = if deleted {
            "SET body = :body, version = :version, deleted_at = :at"
        } else {
            "SET body = :body, version = :version"
        };
        let update = Update::new(Place::account(tenant, after.id), expression)
            .only_if("version = :before AND attribute_not_exists(deleted_at)")
            .value(":body", text(body(after)?))
            .value(":before", number(before.version))
            .value(":version", number(before.version + 1));
        let at = text(after.updated_at.to_string());
        let update = if deleted { update.value(":at", at) } else { update };
        let mut writes = vec![self.update_write(update)];
        let stands = before.account.standing != after.standing;
        let own = routes.iter().find(|(was, _)| was.route.address == after.address);
        if stands || own.is_some() {
            writes.push(self.update_write(agent_change(tenant, after, stands, own)?));
        }
        for (was, is) in routes.iter().filter(|(_, is)| is.address != after.address) {
            let update = Update::new(Place::route(tenant, &is.address), "SET body = :body");
            writes.push(self.update_write(rewritten(update, was, is)?));
        }
        if let Some(event) = event {
            writes.push(self.event_write(tenant, event)?);
        }
        Ok(matches!(self.write_all(writes).await?, Written::All))
    }

    /// Stores a key of an account. `false` if the account is deleted or has too many.
    pub async fn add_key(
        &self,
        tenant: &str,
        id: AccountId,
        key: &Key,
    ) -> Result<bool, StoreError> {
        let mut item = item(Place::key(tenant, &key.id));
        item.insert("body".to_owned(), text(body(key)?));
        let update = Update::new(Place::account(tenant, id), "ADD key_ids :one")
            .only_if(
                "attribute_exists(pk) AND attribute_not_exists(deleted_at) \
                 AND (attribute_not_exists(key_ids) OR size(key_ids) < :max)",
            )
            .value(":one", one(&key.id))
            .value(":max", number(KEYS_PER_ACCOUNT_MAX));
        let writes = vec![self.put_if(item, "attribute_not_exists(pk)"), self.update_write(update)];
        Ok(matches!(self.write_all(writes).await?, Written::All))
    }

    /// Revokes a key of an account from `now` on; `None` if the account has no such key.
    pub async fn revoke_key_of(
        &self,
        tenant: &str,
        id: AccountId,
        key_id: &str,
        now: Timestamp,
    ) -> Result<Option<Key>, StoreError> {
        let found = self.key(tenant, key_id).await?;
        if found.is_none_or(|key| key.service_account_id != Some(id)) {
            return Ok(None);
        }
        let revoked = self.revoke_key(tenant, key_id, now).await?;
        // Only now: until then the key must be found by whoever deletes the account.
        let forget = Update::new(Place::account(tenant, id), "DELETE key_ids :one")
            .value(":one", one(key_id));
        self.update(forget).await?;
        Ok(revoked)
    }
}

/// Registers the account's agent, and marks it as the account's.
fn claim(tenant: &str, account: &Account, agent: &NewAgent) -> Result<Update, StoreError> {
    let (set, remove) = if agent.replaces { push_change(&agent.own) } else { ("", "") };
    let expression = format!(
        "SET body = {}, v = if_not_exists(v, :v), created_at = if_not_exists(created_at, :at), \
         account = :account, account_id = :id{set} \
         REMOVE account_ended, deleted_at, suspended_at{remove}",
        new_body(agent.replaces)
    );
    let update = Update::new(Place::route(tenant, &agent.own.address), expression)
        .only_if(
            "attribute_not_exists(account_id) OR account_id = :id OR attribute_exists(account_ended)",
        )
        .value(":body", text(body(&agent.own)?))
        .value(":v", number(SCHEMA_VERSION))
        .value(":at", text(account.created_at.to_string()))
        .value(":account", text(body(&account.owner())?))
        .value(":id", text(account.id.to_string()));
    Ok(if agent.replaces { with_push(update, &agent.own) } else { update })
}

/// What a route's body is set to.
fn new_body(replaces: bool) -> &'static str {
    if replaces { ":body" } else { "if_not_exists(body, :body)" }
}

/// Makes a route; if its address has one, that stays or is replaced.
fn keep(tenant: &str, route: &Route, replaces: bool) -> Result<Update, StoreError> {
    let expression = format!(
        "SET body = {}, v = if_not_exists(v, :v), created_at = if_not_exists(created_at, :at)",
        new_body(replaces)
    );
    let update = Update::new(Place::route(tenant, &route.address), expression)
        .value(":body", text(body(route)?))
        .value(":v", number(SCHEMA_VERSION))
        .value(":at", text(route.updated_at.to_string()));
    Ok(update)
}

/// Lets the agent stand as its account does, and changes its route: one write, as an item may have
/// in a transaction.
fn agent_change(
    tenant: &str,
    account: &Account,
    stands: bool,
    route: Option<&(StoredRoute, Route)>,
) -> Result<Update, StoreError> {
    let (set, remove) = match account.standing {
        Standing::Deleted if stands => ("SET v = :v, deleted_at = :at, account_ended = :at", ""),
        Standing::Suspended if stands => ("SET v = :v, suspended_at = :at", ""),
        Standing::Active | Standing::Killed if stands => ("SET v = :v", "suspended_at"),
        Standing::Active | Standing::Suspended | Standing::Killed | Standing::Deleted => {
            ("SET v = :v", "")
        }
    };
    let (changed, push_set, push_removed) = match route {
        Some((_, is)) => {
            let (set, removed) = push_change(is);
            (", body = :body", set, removed)
        }
        None => ("", "", ""),
    };
    let removed = match (remove, push_removed.trim_start_matches(", ")) {
        ("", "") => String::new(),
        ("", pushed) => format!(" REMOVE {pushed}"),
        (stop, _) => format!(" REMOVE {stop}{push_removed}"),
    };
    let place = Place::route(tenant, &account.address);
    let mut update = Update::new(place, format!("{set}{changed}{push_set}{removed}"))
        .value(":v", number(SCHEMA_VERSION));
    if set.contains(":at") {
        update = update.value(":at", text(account.updated_at.to_string()));
    }
    match route {
        Some((was, is)) => rewritten(with_push(update, is), was, is),
        None => Ok(update),
    }
}

/// Makes a change of a route's body hold only for the body that it was made from.
fn rewritten(update: Update, was: &StoredRoute, is: &Route) -> Result<Update, StoreError> {
    let update = update.only_if("body = :was").value(":was", text(was.text.clone()));
    Ok(update.value(":body", text(body(is)?)))
}

fn one(key_id: &str) -> AttributeValue {
    AttributeValue::Ss(vec![key_id.to_owned()])
}

fn read(item: &Item) -> Result<StoredAccount, StoreError> {
    let key_ids = item.get("key_ids").and_then(|value| value.as_ss().ok());
    Ok(StoredAccount {
        account: read_body(item)?,
        version: read_number(item, "version").unwrap_or(0),
        key_ids: key_ids.cloned().unwrap_or_default(),
    })
}
