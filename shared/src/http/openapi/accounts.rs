//! Service accounts, and their keys.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, instant, list, named, object, optional_text, optional_whole, or_null, said, text,
    text_to, uri, uuid, words,
};
use super::{Area, keys, parameter};
use crate::account::{Account, AccountError, AccountId};
use crate::address::Address;
use crate::address::SCHEME;
use crate::error::Error;
use crate::http::wire::account::{KEY_LIFE_SECONDS_MAX, NAME_CHARS_MAX};
use crate::principal::Role;
use crate::registration::Standing;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Service accounts",
        about: "Accounts of agents, with keys of their own.",
        operations: vec![
            create(),
            accounts(),
            get(),
            change(),
            delete(),
            create_key(),
            revoke_key(),
        ],
        schemas: vec![
            ("ServiceAccount", account()),
            ("NewServiceAccount", new_account()),
            ("ServiceAccountChange", account_change()),
            ("NewServiceAccountKey", new_key()),
        ],
    }
}

fn create() -> Operation {
    let example = json!({"org_id": "acme", "workspace_id": "production", "name": "release-agent"});
    Operation::new("post", "/v1/service-accounts", "createServiceAccount", "Make an account")
        .says(
            "Registers the agent of that name. If it exists already, the refusal carries it as \
             `service_account`.",
        )
        .for_roles(&[Role::Admin])
        .taking(named("NewServiceAccount"), example)
        .answering("The account.", one())
        .refusing([exists(), taken()])
}

fn accounts() -> Operation {
    let path = "/v1/service-accounts";
    Operation::new("get", path, "listServiceAccounts", "List accounts")
        .for_roles(&[Role::Admin])
        .with_query([
            parameter::query("org_id", "Only those of this organization.", text()),
            parameter::query("workspace_id", "Only those of this workspace.", text()),
        ])
        .answering(
            "Accounts that are not deleted.",
            answer(json!({
                "service_accounts": list(named("ServiceAccount")),
            })),
        )
}

fn get() -> Operation {
    on_one("get", "/v1/service-accounts/{id}", "getServiceAccount", "Look at an account")
        .answering("The account, deleted or not.", one())
}

fn change() -> Operation {
    on_one("patch", "/v1/service-accounts/{id}", "changeServiceAccount", "Change an account")
        .says("A suspended agent neither sends nor receives.")
        .taking(named("ServiceAccountChange"), json!({"display_name": "Releases"}))
        .answering("The account.", one())
}

fn delete() -> Operation {
    on_one("delete", "/v1/service-accounts/{id}", "deleteServiceAccount", "Delete an account")
        .says("Revokes its keys, and stops its agent. It may be repeated.")
        .answering("The account.", one())
}

fn create_key() -> Operation {
    let path = "/v1/service-accounts/{id}/keys";
    on_one("post", path, "createServiceAccountKey", "Make a key for an account's agent")
        .says("`token` is the key's text, and shown in this one answer.")
        .taking(named("NewServiceAccountKey"), json!({"expires_in_seconds": 86_400}))
        .or_nothing()
        .answering("The key.", keys::shown_once())
        .refusing([Error::Account(AccountError::TooManyKeys)])
}

fn revoke_key() -> Operation {
    let path = "/v1/service-accounts/{id}/keys/{key_id}/revoke";
    on_one("post", path, "revokeServiceAccountKey", "Revoke a key of an account")
        .with(keys::key_id())
        .answering("The key, without its text.", answer(json!({"key": named("Key")})))
}

fn on_one(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(method, path, id, summary)
        .for_roles(&[Role::Admin])
        .with(parameter::path("id", "The account.", uuid()))
        .refusing([Error::NotFound("service account")])
}

fn one() -> Value {
    answer(json!({"service_account": named("ServiceAccount")}))
}

fn account() -> Value {
    let properties = json!({
        "service_account_id": uuid(),
        "org_id": or_null(text()),
        "workspace_id": or_null(text()),
        "name": text(),
        "display_name": or_null(text()),
        "status": words([Standing::Active, Standing::Suspended, Standing::Deleted].map(Standing::name)),
        "address": uri(),
        "agent_address": said("The same as `address`.", uri()),
        "created_by_actor_id": text(),
        "created_at": instant(),
        "updated_at": instant(),
        "delivery_mode": text(),
        "callback_url": super::agents::shown_callback_url(),
        "secret": super::agents::shown_secret(),
    });
    let required = [
        "service_account_id",
        "org_id",
        "workspace_id",
        "name",
        "status",
        "address",
        "agent_address",
        "created_at",
        "updated_at",
    ];
    object(&required, properties)
}

fn new_account() -> Value {
    let word = json!({"type": ["string", "null"], "maxLength": NAME_CHARS_MAX, "pattern": "^[A-Za-z0-9._@+-]+$"});
    let name = json!({
        "type": "string",
        "maxLength": NAME_CHARS_MAX,
        "pattern": format!("^({SCHEME})?{}$", super::schema::ADDRESS_PATH),
    });
    object(
        &["name"],
        json!({
            "org_id": word,
            "workspace_id": word,
            "name": said("The agent's address, in one to three segments.", name),
            "display_name": optional_text(NAME_CHARS_MAX),
            "created_by_actor_id": optional_text(NAME_CHARS_MAX),
            "delivery_mode": super::agents::delivery_mode(),
            "callback_url": super::agents::callback_url(),
            "secret": super::agents::secret(),
        }),
    )
}

fn account_change() -> Value {
    let mut schema = object(
        &[],
        json!({
            "display_name": optional_text(NAME_CHARS_MAX),
            "status": or_null(words([Standing::Active, Standing::Suspended].map(Standing::name))),
            "delivery_mode": super::agents::delivery_mode(),
            "callback_url": super::agents::callback_url(),
            "secret": super::agents::secret(),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        let is_there =
            |name: &str, of: Value| json!({"required": [name], "properties": {name: of}});
        let any = [
            is_there("display_name", text_to(NAME_CHARS_MAX)),
            is_there("status", text()),
            is_there("delivery_mode", text()),
            is_there("callback_url", text()),
            is_there("secret", text()),
        ];
        fields.insert("anyOf".to_owned(), json!(any));
    }
    schema
}

fn new_key() -> Value {
    let mut schema = object(
        &[],
        json!({
            "expires_at": said(
                "From when on it is refused; a later time than now.",
                or_null(instant()),
            ),
            "expires_in_seconds": said(
                "The same, counted from now.",
                optional_whole(1_u32, KEY_LIFE_SECONDS_MAX),
            ),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        let both = json!({"required": ["expires_at", "expires_in_seconds"], "properties": {
            "expires_at": {"type": "string"}, "expires_in_seconds": {"type": "integer"},
        }});
        fields.insert("not".to_owned(), both);
    }
    schema
}

fn exists() -> Error {
    let address = Address::agent_core();
    let at = jiff::Timestamp::UNIX_EPOCH;
    Error::Account(AccountError::Exists(Box::new(Account {
        id: AccountId::derived("default", None, None, &address),
        org_id: None,
        workspace_id: None,
        name: "release-agent".to_owned(),
        display_name: None,
        address,
        created_by: String::new(),
        standing: Standing::Active,
        created_at: at,
        updated_at: at,
    })))
}

fn taken() -> Error {
    Error::Account(AccountError::AddressTaken(Address::agent_core()))
}
