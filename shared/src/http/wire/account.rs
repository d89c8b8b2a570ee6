//! Service accounts.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::agent::matches;
use super::check;
use super::route::{WireDelivery, mode};
use crate::account::Account;
use crate::app::{AccountChange, AccountView, NewAccount};
use crate::callback::Reach;
use crate::error::Error;
use crate::registration::Standing;

/// The longest name of an account, and of what stands beside it, in characters. The contract's limit.
pub(crate) const NAME_CHARS_MAX: usize = 120;
/// The longest life that can be given to a key, in seconds: ten years.
pub(crate) const KEY_LIFE_SECONDS_MAX: u32 = 10 * 366 * 24 * 60 * 60;

/// `POST /v1/service-accounts`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireAccount {
    org_id: Option<String>,
    workspace_id: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    created_by_actor_id: Option<String>,
    delivery_mode: Option<String>,
    callback_url: Option<String>,
    secret: Option<String>,
}

impl WireAccount {
    /// Reads the account to make. Callbacks lead no further than `reach`.
    pub fn read(self, reach: Reach) -> Result<NewAccount, Error> {
        let name = self.name.as_deref();
        let name = name.ok_or_else(|| Error::field("name", "is missing; name the agent"))?;
        let name = check::text("name", name, NAME_CHARS_MAX)?;
        let optional =
            |field: &str, text: Option<&str>| check::optional_text(field, text, NAME_CHARS_MAX);
        let delivery = WireDelivery {
            delivery_mode: self.delivery_mode.as_deref(),
            callback_url: self.callback_url.as_deref(),
            secret: self.secret.as_deref(),
        };
        Ok(NewAccount {
            org_id: word("org_id", self.org_id.as_deref())?,
            workspace_id: word("workspace_id", self.workspace_id.as_deref())?,
            address: check::address("name", &name)?,
            name,
            display_name: optional("display_name", self.display_name.as_deref())?,
            created_by: optional("created_by_actor_id", self.created_by_actor_id.as_deref())?,
            delivery: delivery.read(reach)?,
        })
    }
}

/// A word that may stand in an address.
fn word(field: &str, text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = check::optional_text(field, text, NAME_CHARS_MAX)? else { return Ok(None) };
    let fits = check::address(field, &text).is_ok_and(|address| address.path() == text);
    if fits && !text.contains('/') {
        return Ok(Some(text));
    }
    Err(Error::field(field, "has more than letters, digits, `.`, `_`, `-`, `@` and `+`"))
}

/// Which accounts to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireAccounts {
    org_id: Option<String>,
    workspace_id: Option<String>,
}

impl WireAccounts {
    /// Writes `{ok, service_accounts}`.
    pub fn present(&self, accounts: &[AccountView]) -> Value {
        let wanted = |view: &&AccountView| {
            matches(self.org_id.as_deref(), view.account.org_id.as_deref())
                && matches(self.workspace_id.as_deref(), view.account.workspace_id.as_deref())
        };
        let accounts: Vec<_> = accounts.iter().filter(wanted).map(view_body).collect();
        json!({"ok": true, "service_accounts": accounts})
    }
}

/// `PATCH /v1/service-accounts/{id}`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireAccountChange {
    display_name: Option<String>,
    status: Option<String>,
    delivery_mode: Option<String>,
    callback_url: Option<String>,
    secret: Option<String>,
}

impl WireAccountChange {
    /// Reads the change. Callbacks lead no further than `reach`.
    pub fn read(self, reach: Reach) -> Result<AccountChange, Error> {
        let standing = match self.status.as_deref() {
            None => None,
            Some("active") => Some(Standing::Active),
            Some("suspended") => Some(Standing::Suspended),
            Some(other) => {
                let detail = format!(
                    "is `{other}`; send active or suspended (DELETE deletes the account, and its \
                     agent is killed at /v1/mesh/agents)"
                );
                return Err(Error::field("status", detail));
            }
        };
        let name = self.display_name.as_deref();
        let delivery = WireDelivery {
            delivery_mode: self.delivery_mode.as_deref(),
            callback_url: self.callback_url.as_deref(),
            secret: self.secret.as_deref(),
        };
        let change = AccountChange {
            display_name: check::optional_text("display_name", name, NAME_CHARS_MAX)?,
            standing,
            delivery: delivery.read(reach)?,
        };
        if change.display_name.is_none() && standing.is_none() && !change.delivery.is_named() {
            let detail =
                "changes nothing; send display_name, status, delivery_mode or callback_url";
            return Err(Error::field("", detail));
        }
        Ok(change)
    }
}

/// `POST /v1/service-accounts/{id}/keys`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireAccountKey {
    expires_at: Option<String>,
    expires_in_seconds: Option<Value>,
}

impl WireAccountKey {
    /// Reads from when on the key is refused; never, unless one of the two fields says so.
    pub fn read(self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let in_seconds = self.expires_in_seconds.filter(|value| !value.is_null());
        match (self.expires_at, in_seconds) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => {
                let detail = "cannot stand beside expires_at; send one";
                Err(Error::field("expires_in_seconds", detail))
            }
            (Some(text), None) => {
                let detail = "is not an RFC 3339 time with an offset, such as 2030-01-31T17:00:00Z";
                let at: Timestamp = text.parse().map_err(|_| Error::field("expires_at", detail))?;
                if at <= now {
                    return Err(Error::field("expires_at", "is in the past; send a later time"));
                }
                Ok(Some(at))
            }
            (None, Some(seconds)) => {
                let field = "expires_in_seconds";
                let seconds = check::whole(field, &seconds)?;
                let seconds = check::number(field, seconds, 1, KEY_LIFE_SECONDS_MAX.into())?;
                let life = std::time::Duration::from_secs(seconds.into());
                let at = now.checked_add(life).map_err(|_| Error::field(field, "is too far"))?;
                Ok(Some(at))
            }
        }
    }
}

/// Writes `{ok, service_account}`.
pub fn present(view: &AccountView) -> Value {
    json!({"ok": true, "service_account": view_body(view)})
}

fn view_body(view: &AccountView) -> Value {
    let mut body = body(&view.account);
    if let Value::Object(fields) = &mut body {
        fields.insert("delivery_mode".to_owned(), json!(mode(view.delivery)));
        fields
            .extend(view.callback_url.as_ref().map(|url| ("callback_url".to_owned(), json!(url))));
        // Only the answer that made it has one.
        fields.extend(view.made.as_ref().map(|made| ("secret".to_owned(), json!(made.reveal()))));
    }
    body
}

/// The fields of an account. Some clients read the agent's address under one name, some under the
/// other.
pub(crate) fn body(account: &Account) -> Value {
    json!({
        "service_account_id": account.id,
        "org_id": account.org_id,
        "workspace_id": account.workspace_id,
        "name": account.name,
        "display_name": account.display_name,
        "status": account.standing.name(),
        "address": account.address.uri(),
        "agent_address": account.address.uri(),
        "created_by_actor_id": account.created_by,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    })
}
