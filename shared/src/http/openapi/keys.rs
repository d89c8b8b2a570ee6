//! API keys.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    address, answer, instant, named, object, optional_text, or_null, role, said, text, uri, uuid,
    words,
};
use super::{Area, parameter};
use crate::error::Error;
use crate::http::wire::key::NAME_CHARS_MAX;
use crate::key::ID_BYTES;
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Keys",
        about: "API keys: random, stored as digests, shown once.",
        operations: vec![create(), revoke()],
        schemas: vec![("Key", key()), ("NewKey", new_key())],
    }
}

fn create() -> Operation {
    Operation::new("post", "/v1/keys", "createKey", "Make a key")
        .says("`token` is the key's text, and shown in this one answer.")
        .for_roles(&[Role::Admin])
        .taking(named("NewKey"), json!({"role": "reviewer", "name": "ana"}))
        .answering("The key.", shown_once())
}

fn revoke() -> Operation {
    Operation::new("post", "/v1/keys/{key_id}/revoke", "revokeKey", "Revoke a key")
        .says("It is refused everywhere within five seconds.")
        .for_roles(&[Role::Admin])
        .with(key_id())
        .answering("The key, without its text.", answer(json!({"key": named("Key")})))
        .refusing([Error::NotFound("key")])
}

/// The key of the path.
pub(super) fn key_id() -> Value {
    let id = json!({"type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", 2 * ID_BYTES)});
    parameter::path("key_id", "The key's public id.", id)
}

/// A key with its text.
pub(super) fn shown_once() -> Value {
    let shown = json!({"properties": {"token": text()}, "required": ["token"]});
    answer(json!({"key": {"allOf": [named("Key"), shown]}}))
}

fn key() -> Value {
    object(
        &["key_id", "name", "role", "address", "status", "created_at"],
        json!({
            "key_id": text(),
            "key_hint": said("The beginning of its text.", text()),
            "service_account_id": or_null(uuid()),
            "name": text(),
            "role": role(),
            "address": or_null(uri()),
            "status": words(["active", "revoked"]),
            "created_at": instant(),
            "expires_at": or_null(instant()),
            "revoked_at": or_null(instant()),
        }),
    )
}

fn new_key() -> Value {
    let mut schema = object(
        &["role"],
        json!({
            "name": said(
                "Who holds it. An agent's address is its name if there is no other.",
                optional_text(NAME_CHARS_MAX),
            ),
            "role": role(),
            "address": said(
                "The one address that it speaks for; for agents only.",
                or_null(address()),
            ),
            "expires_at": said("From when on it is refused.", or_null(instant())),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        let agent = json!({
            "properties": {"role": {"const": Role::Agent.name()}, "address": {"type": "string"}},
            "required": ["address"],
        });
        let named = json!({
            "properties": {"name": super::schema::text_to(NAME_CHARS_MAX)},
            "required": ["name"],
        });
        let bound = json!({"properties": {"address": {"type": "null"}}});
        let is_agent = json!({"properties": {"role": {"const": Role::Agent.name()}}});
        fields.insert("anyOf".to_owned(), json!([named, agent]));
        fields.insert("allOf".to_owned(), json!([{"anyOf": [is_agent, bound]}]));
    }
    schema
}
