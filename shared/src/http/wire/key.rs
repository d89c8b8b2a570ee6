//! API keys, as administrators see them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use crate::app::NewKey;
use crate::error::Error;
use crate::key::{Key, KeyText};
use crate::principal::Role;

/// The longest name of a holder, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 120;

/// `POST /v1/keys`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireNewKey {
    name: Option<String>,
    role: Option<String>,
    address: Option<String>,
    expires_at: Option<String>,
}

impl WireNewKey {
    /// Reads the key to make.
    pub fn read(self) -> Result<NewKey, Error> {
        let role = match self.role.as_deref() {
            Some("agent") => Role::Agent,
            Some("reviewer") => Role::Reviewer,
            Some("admin") => Role::Admin,
            Some(_) | None => return Err(Error::field("role", "send agent, reviewer or admin")),
        };
        let address = self.address.as_deref();
        let address = address.map(|text| check::address("address", text)).transpose()?;
        if address.is_some() && role != Role::Agent {
            return Err(Error::field("address", "is for the role agent only; leave it out"));
        }
        let named = self
            .name
            .clone()
            .filter(|name| !name.trim().is_empty())
            .or_else(|| address.as_ref().map(crate::address::Address::uri));
        let name =
            named.ok_or_else(|| Error::field("name", "is missing; say who holds the key"))?;
        let expires_at = self.expires_at.as_deref().map(|text| {
            let detail = "is not an RFC 3339 time with an offset, such as 2030-01-31T17:00:00Z";
            text.parse().map_err(|_| Error::field("expires_at", detail))
        });
        Ok(NewKey {
            name: check::text("name", &name, NAME_CHARS_MAX)?,
            role,
            address,
            expires_at: expires_at.transpose()?,
        })
    }
}

/// Writes a new key, with the text that is shown once.
pub fn present_new(key: &Key, text: &KeyText) -> Value {
    let mut answer = present(key);
    if let Some(Value::Object(fields)) = answer.get_mut("key") {
        fields.insert("token".to_owned(), json!(text.reveal()));
    }
    answer
}

/// Writes a key without its secret.
pub fn present(key: &Key) -> Value {
    let status = if key.revoked_at.is_some() { "revoked" } else { "active" };
    json!({
        "ok": true,
        "key": {
            "key_id": key.id,
            "key_hint": format!("hp_{}_…", key.id),
            "service_account_id": key.service_account_id,
            "name": key.name,
            "role": key.role,
            "address": key.address.as_ref().map(crate::address::Address::uri),
            "status": status,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "revoked_at": key.revoked_at,
        },
    })
}
