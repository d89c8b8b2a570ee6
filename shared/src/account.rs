//! Service accounts: an agent's place in the registry, and the holder of its keys.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::address::Address;
use crate::id::IntentId;
use crate::registration::{Owner, Standing};

/// The most keys that an account may have at a time, expired ones included.
pub const KEYS_PER_ACCOUNT_MAX: usize = 50;

/// Names one service account.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct AccountId(Uuid);

/// A service account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Account {
    /// Its name in paths.
    pub id: AccountId,
    /// The organization that it was made for. One deployment serves one; this is a word of the
    /// contract's clients, by which they find the account again.
    pub org_id: Option<String>,
    /// The workspace that it was made for; a word like the organization.
    pub workspace_id: Option<String>,
    /// Its name, as it was given.
    pub name: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// The agent that it stands for.
    pub address: Address,
    /// Who asked for it, in the caller's words or else the name of the caller's key.
    pub created_by: String,
    /// Whether its agent takes part. An account is never killed; its agent is.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Why the registry does not do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is one already under this name.
    #[error(
        "a service account named `{}` exists in this workspace; use it, or choose another name",
        .0.name
    )]
    Exists(Box<Account>),
    /// The agent's address belongs to something else.
    #[error(
        "{0} belongs to another service account or leads to another agent; choose another name, \
         such as org/workspace/name"
    )]
    AddressTaken(Address),
    /// It has as many keys as it may have.
    #[error("this service account has {KEYS_PER_ACCOUNT_MAX} keys; revoke one first")]
    TooManyKeys,
}

impl AccountId {
    /// The id that always belongs to these words, so that one name in one workspace is one account.
    pub fn derived(
        tenant: &str,
        org_id: Option<&str>,
        workspace_id: Option<&str>,
        address: &Address,
    ) -> Self {
        let (org, workspace) = (org_id.unwrap_or_default(), workspace_id.unwrap_or_default());
        let parts = ["service-account", tenant, org, workspace, address.path()];
        Self(IntentId::derived(&parts).uuid())
    }
}

impl Account {
    /// The second address of its agent: the whole one, where the name is a bare one.
    pub fn alias(&self) -> Option<Address> {
        let (org, workspace) = (self.org_id.as_ref()?, self.workspace_id.as_ref()?);
        let name = self.address.path();
        if name.contains('/') {
            return None;
        }
        Address::parse(&format!("{org}/{workspace}/{name}")).ok()
    }

    /// What its agent's registration keeps of it.
    pub fn owner(&self) -> Owner {
        Owner {
            id: self.id,
            name: self.name.clone(),
            org_id: self.org_id.clone(),
            workspace_id: self.workspace_id.clone(),
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AccountId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(org: Option<&str>, workspace: Option<&str>, name: &str) -> Account {
        let address = Address::parse(name).unwrap();
        Account {
            id: AccountId::derived("default", org, workspace, &address),
            org_id: org.map(str::to_owned),
            workspace_id: workspace.map(str::to_owned),
            name: name.to_owned(),
            display_name: None,
            address,
            created_by: "admin".to_owned(),
            standing: Standing::Active,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[track_caller]
    fn check(org: Option<&str>, workspace: Option<&str>, name: &str, alias: Option<&str>) {
        let found = account(org, workspace, name).alias();
        assert_eq!(found.as_ref().map(Address::path), alias);
    }

    #[test]
    fn a_bare_name_in_a_workspace_has_a_whole_address_too() {
        check(Some("acme"), Some("prod"), "deployer", Some("acme/prod/deployer"));
        check(Some("acme"), Some("prod"), "team/deployer", None);
        check(Some("acme"), None, "deployer", None);
        check(None, None, "agent://deployer", None);
    }

    #[test]
    fn one_name_is_one_account_in_each_workspace() {
        let id = |org, workspace, name| account(org, workspace, name).id;
        let here = id(Some("acme"), Some("prod"), "deployer");
        assert_eq!(here, id(Some("acme"), Some("prod"), "agent://deployer"));
        assert_ne!(here, id(Some("acme"), Some("test"), "deployer"));
        assert_ne!(here, id(Some("acmeprod"), None, "deployer"));
    }
}
