//! Keeping service accounts, their keys and their agents.

use jiff::Timestamp;

use super::access::forget;
use super::delivery::Arranged;
use super::{App, NewDelivery};
use crate::account::{Account, AccountError, AccountId};
use crate::address::Address;
use crate::callback::{CallbackUrl, SigningSecret};
use crate::error::Error;
use crate::intent::envelope::Delivery;
use crate::key::{Key, KeyText};
use crate::mesh::MeshEventKind;
use crate::principal::{Principal, Role};
use crate::registration::Standing;
use crate::route::Route;
use crate::store::{NewAgent, StoredAccount, StoredRoute};

/// An account to make.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The organization, if it is named.
    pub org_id: Option<String>,
    /// The workspace, if it is named.
    pub workspace_id: Option<String>,
    /// Its name, as it was given.
    pub name: String,
    /// The name, read as an address.
    pub address: Address,
    /// A name for people.
    pub display_name: Option<String>,
    /// Who asked for it, if that is said.
    pub created_by: Option<String>,
    /// How its agent is to get intents.
    pub delivery: NewDelivery,
}

/// What is to be different about an account; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// A name for people.
    pub display_name: Option<String>,
    /// Whether its agent takes part: active or suspended.
    pub standing: Option<Standing>,
    /// How its agent is to get intents.
    pub delivery: NewDelivery,
}

/// An account, and how its agent gets intents.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// How its agent gets intents.
    pub delivery: Delivery,
    /// Where its agent's turns are posted, if they are.
    pub callback_url: Option<CallbackUrl>,
    /// The secret that signs them, if it was made just now: nobody can read it later.
    pub made: Option<SigningSecret>,
}

impl AccountView {
    fn of(account: Account, agent: Option<Route>) -> Self {
        let delivery = agent.as_ref().map_or(Delivery::Stream, |agent| agent.delivery);
        let callback_url = agent.and_then(|agent| agent.push).map(|push| push.url);
        Self { account, delivery, callback_url, made: None }
    }
}

impl App {
    /// Makes an account and registers its agent.
    pub async fn create_account(
        &self,
        by: &Principal,
        new: NewAccount,
    ) -> Result<AccountView, Error> {
        self.require(by, &[Role::Admin])?;
        let now = self.now();
        let (org, workspace) = (new.org_id.as_deref(), new.workspace_id.as_deref());
        let account = Account {
            id: AccountId::derived(self.tenant(), org, workspace, &new.address),
            org_id: new.org_id,
            workspace_id: new.workspace_id,
            name: new.name,
            display_name: new.display_name,
            address: new.address,
            created_by: new.created_by.unwrap_or_else(|| by.name.clone()),
            standing: Standing::Active,
            created_at: now,
            updated_at: now,
        };
        let own = self.free_route(&account, account.address.clone()).await?;
        let alias = match account.alias() {
            Some(address) => Some((address.clone(), self.free_route(&account, address).await?)),
            None => None,
        };
        let (agent, made) = self.new_agent(&account, &new.delivery, own, alias)?;
        let event = self.mesh_event(MeshEventKind::Registered, account.address.clone(), by);
        let written = self.store().create_account(self.tenant(), &account, &agent, &event).await;
        if let Err(Error::Account(AccountError::Exists(found))) = &written
            && found.standing == Standing::Deleted
        {
            // Whoever deleted it did not get to the last of its keys.
            self.revoke_keys_of(account.id).await?;
            self.store().create_account(self.tenant(), &account, &agent, &event).await?;
        } else {
            written?;
        }
        self.forget_agent(&account);
        Ok(AccountView { made, ..self.view(account).await? })
    }

    /// Accounts that are not deleted.
    pub async fn accounts(&self, by: &Principal) -> Result<Vec<AccountView>, Error> {
        self.require(by, &[Role::Admin])?;
        let routes = self.store().routes(self.tenant()).await?;
        let accounts = self.store().accounts(self.tenant()).await?;
        let agent = |account: &Account| {
            routes.iter().find(|route| route.address == account.address).cloned()
        };
        let live = accounts.into_iter().filter(|account| account.standing != Standing::Deleted);
        let view = |account: Account| AccountView::of(account.clone(), agent(&account));
        Ok(live.map(view).collect())
    }

    /// One account, deleted or not.
    pub async fn account(&self, by: &Principal, id: AccountId) -> Result<AccountView, Error> {
        self.require(by, &[Role::Admin])?;
        self.view(self.stored_account(id).await?.account).await
    }

    /// Changes an account that is not deleted.
    pub async fn change_account(
        &self,
        by: &Principal,
        id: AccountId,
        change: AccountChange,
    ) -> Result<AccountView, Error> {
        self.require(by, &[Role::Admin])?;
        let before = self.live_account(id).await?;
        let mut after = Account { updated_at: self.now(), ..before.account.clone() };
        after.standing = change.standing.unwrap_or(after.standing);
        after.display_name = change.display_name.clone().or(after.display_name);
        let (routes, made) = self.rerouted(&after, &change).await?;
        self.write_account(by, &before, &after, &routes).await?;
        Ok(AccountView { made, ..self.view(after).await? })
    }

    /// Deletes an account: its keys are revoked, and its agent neither sends nor receives. May be
    /// repeated.
    pub async fn delete_account(
        &self,
        by: &Principal,
        id: AccountId,
    ) -> Result<AccountView, Error> {
        self.require(by, &[Role::Admin])?;
        let before = self.stored_account(id).await?;
        let mut after = before.account.clone();
        if after.standing != Standing::Deleted {
            after = Account { standing: Standing::Deleted, updated_at: self.now(), ..after };
            self.write_account(by, &before, &after, &[]).await?;
        }
        self.revoke_keys_of(id).await?;
        self.view(after).await
    }

    /// Makes a key that speaks for an account's agent. Its text is returned once and never stored.
    pub async fn create_account_key(
        &self,
        by: &Principal,
        id: AccountId,
        expires_at: Option<Timestamp>,
    ) -> Result<(Key, KeyText), Error> {
        self.require(by, &[Role::Admin])?;
        let account = self.live_account(id).await?.account;
        let (mut key, text) = self.draw_key(account.address.uri(), Role::Agent, expires_at);
        key.address = Some(account.address);
        key.service_account_id = Some(id);
        if self.store().add_key(self.tenant(), id, &key).await? {
            return Ok((key, text));
        }
        // It was deleted meanwhile, or else it has too many.
        self.live_account(id).await?;
        Err(AccountError::TooManyKeys.into())
    }

    /// Revokes a key of an account, from now on and for good.
    pub async fn revoke_account_key(
        &self,
        by: &Principal,
        id: AccountId,
        key_id: &str,
    ) -> Result<Key, Error> {
        self.require(by, &[Role::Admin])?;
        let now = self.now();
        let revoked = self.store().revoke_key_of(self.tenant(), id, key_id, now).await?;
        forget(&self.inner.keys, key_id);
        revoked.ok_or(Error::NotFound("key of this service account"))
    }

    async fn revoke_keys_of(&self, id: AccountId) -> Result<(), Error> {
        for key_id in self.stored_account(id).await?.key_ids {
            self.store().revoke_key_of(self.tenant(), id, &key_id, self.now()).await?;
            forget(&self.inner.keys, &key_id);
        }
        Ok(())
    }

    async fn write_account(
        &self,
        by: &Principal,
        before: &StoredAccount,
        after: &Account,
        routes: &[(StoredRoute, Route)],
    ) -> Result<(), Error> {
        let kind = match after.standing {
            Standing::Deleted => MeshEventKind::Deleted,
            Standing::Suspended => MeshEventKind::Suspended,
            Standing::Active | Standing::Killed => MeshEventKind::Activated,
        };
        let stands = before.account.standing != after.standing;
        let event = stands.then(|| self.mesh_event(kind, after.address.clone(), by));
        let event = event.as_ref();
        let written =
            self.store().change_account(self.tenant(), before, after, routes, event).await?;
        self.forget_agent(after);
        if written { Ok(()) } else { Err(Error::Busy) }
    }

    /// The route that an address has, if it has one: it must lead to the account's agent.
    async fn free_route(
        &self,
        account: &Account,
        address: Address,
    ) -> Result<Option<Route>, Error> {
        let found = self.store().route(self.tenant(), &address).await?;
        if found.as_ref().is_some_and(|route| route.to != account.address) {
            return Err(AccountError::AddressTaken(address).into());
        }
        Ok(found)
    }

    /// The routes that a new account's agent gets, and the secret that was made for it. A deleted
    /// agent's way of delivery is no longer its own.
    fn new_agent(
        &self,
        account: &Account,
        delivery: &NewDelivery,
        own: Option<Route>,
        alias: Option<(Address, Option<Route>)>,
    ) -> Result<(NewAgent, Option<SigningSecret>), Error> {
        let was_posted = own.as_ref().is_some_and(|route| route.push.is_some());
        let known = own.filter(|route| route.registration.standing() != Standing::Deleted);
        let Arranged { delivery, push, made } = self.arrange(delivery, known.as_ref())?;
        let replaces = was_posted || push.is_some();
        let known = known.unwrap_or_else(|| Route::direct(account.address.clone()));
        let updated_at = account.created_at;
        let alias = alias.map(|(address, found)| {
            let found = found.unwrap_or_else(|| Route::direct(address));
            Route { to: account.address.clone(), delivery, updated_at, ..found }
        });
        let display_name = account.display_name.clone().or(known.display_name);
        let own = Route { delivery, display_name, updated_at, push, ..known };
        Ok((NewAgent { own, alias, replaces }, made))
    }

    /// The routes of an account's agent as a change wants them, each with what it was, and the secret
    /// that was made for it.
    async fn rerouted(
        &self,
        account: &Account,
        change: &AccountChange,
    ) -> Result<(Vec<(StoredRoute, Route)>, Option<SigningSecret>), Error> {
        let mut routes = Vec::new();
        if !change.delivery.is_named() && change.display_name.is_none() {
            return Ok((routes, None));
        }
        let own = self.store().stored_route(self.tenant(), &account.address).await?;
        let alias = match account.alias() {
            Some(address) => self.store().stored_route(self.tenant(), &address).await?,
            None => None,
        };
        let known = own.as_ref().map(|own| &own.route);
        let Arranged { delivery, push, made } = self.arrange(&change.delivery, known)?;
        let found = own.into_iter().chain(alias);
        for was in found.filter(|found| found.route.to == account.address) {
            let mut is = Route { updated_at: account.updated_at, ..was.route.clone() };
            if change.delivery.is_named() {
                is.delivery = delivery;
            }
            if is.is_agent() {
                is.push.clone_from(&push);
                is.display_name = change.display_name.clone().or(is.display_name);
            }
            routes.push((was, is));
        }
        Ok((routes, made))
    }

    async fn view(&self, account: Account) -> Result<AccountView, Error> {
        let agent = self.store().route(self.tenant(), &account.address).await?;
        Ok(AccountView::of(account, agent))
    }

    async fn stored_account(&self, id: AccountId) -> Result<StoredAccount, Error> {
        let found = self.store().account(self.tenant(), id).await?;
        found.ok_or(Error::NotFound("service account"))
    }

    async fn live_account(&self, id: AccountId) -> Result<StoredAccount, Error> {
        let found = self.stored_account(id).await?;
        if found.account.standing == Standing::Deleted {
            return Err(Error::NotFound("service account"));
        }
        Ok(found)
    }

    fn forget_agent(&self, account: &Account) {
        for address in std::iter::once(account.address.clone()).chain(account.alias()) {
            forget(&self.inner.routes, address.path());
        }
    }
}
