//! `GET /v1/me`.

use serde_json::{Value, json};

use crate::address::Address;
use crate::principal::Principal;

/// Writes who the caller is, as far as the caller's key says so.
pub fn present(by: &Principal) -> Value {
    json!({
        "ok": true,
        "name": by.name,
        "role": by.role,
        "address": by.address.as_ref().map(Address::uri),
        "tenant": by.tenant,
    })
}
