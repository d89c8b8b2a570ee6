//! Webhooks: subscriptions, and events that clients publish.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, count, instant, list, named, object, optional_flag, optional_text, or_null, said, text,
    uuid,
};
use super::{Area, parameter, refusals};
use crate::callback::{CALLBACK_URL_BYTES_MAX, SECRET_CHARS_MAX, SECRET_CHARS_MIN};
use crate::error::Error;
use crate::http::wire::webhook::{
    DESCRIPTION_CHARS_MAX, EVENT_TYPES_MAX, PAYLOAD_BYTES_MAX, SOURCE_CHARS_MAX, SOURCE_CHARS_MIN,
};
use crate::principal::Role;
use crate::webhook::{EVENT_TYPE_CHARS_MAX, EVENT_TYPE_CHARS_MIN};

/// What stands for every event type, or for all that begin alike.
const EVERY: &str = "^\\*$|^[A-Za-z0-9._:/-]{2,100}\\.\\*$";

/// What an event type looks like.
fn event_type() -> String {
    format!("^[A-Za-z0-9._:/-]{{{EVENT_TYPE_CHARS_MIN},{EVENT_TYPE_CHARS_MAX}}}$")
}

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Webhooks",
        about: "Who wants to hear of what, and events that clients publish. Posts are signed by \
                Standard Webhooks 1.0.",
        operations: vec![subscribe(), subscriptions(), unsubscribe(), publish(), replay()],
        schemas: vec![
            ("Subscription", subscription()),
            ("NewSubscription", new_subscription()),
            ("NewEvent", new_event()),
        ],
    }
}

fn subscribe() -> Operation {
    let example = json!({
        "callback_url": "https://hooks.example.com/holdpoint", "event_types": ["intent.*"],
    });
    owned("post", "/v1/webhooks/subscriptions", "subscribe", "Subscribe, or change a subscription")
        .says("A secret that is made here is shown in this one answer.")
        .taking(named("NewSubscription"), example)
        .answering(
            "The subscription.",
            answer(json!({
                "subscription": named("Subscription"),
                "effective_within_seconds": count(),
            })),
        )
}

fn subscriptions() -> Operation {
    let path = "/v1/webhooks/subscriptions";
    let inactive = json!({"type": "boolean", "default": false});
    owned("get", path, "listSubscriptions", "List subscriptions")
        .with_query([parameter::query("include_inactive", "Those that are over, too.", inactive)])
        .answering("Subscriptions.", answer(json!({"subscriptions": list(named("Subscription"))})))
}

fn unsubscribe() -> Operation {
    let path = "/v1/webhooks/subscriptions/{id}";
    owned("delete", path, "unsubscribe", "End a subscription")
        .with(parameter::path("id", "The subscription.", uuid()))
        .answering(
            "It is over.",
            answer(json!({
                "subscription_id": uuid(), "owner_agent": text(), "revoked_at": or_null(instant()),
            })),
        )
        .refusing([Error::NotFound("subscription")])
}

fn publish() -> Operation {
    let example = json!({
        "event_type": "release.prepared", "source": "ci", "payload": {"version": "2.4"},
    });
    owned("post", "/v1/webhooks/events", "publishEvent", "Publish an event")
        .says("It is posted to each subscription of the owner that wants it.")
        .with(parameter::idempotency_key())
        .taking(named("NewEvent"), example)
        .answering(
            "It is taken, and these posts are owed.",
            counted(&[("accepted_at", instant()), ("source", text())]),
        )
        .refusing([Error::KeyReused])
}

fn replay() -> Operation {
    let path = "/v1/webhooks/events/{event_id}/replay";
    owned("post", path, "replayEvent", "Post an event once more")
        .with(parameter::idempotency_key())
        .with(parameter::path("event_id", "The event.", uuid()))
        .answering("These posts are owed again.", counted(&[("replayed_at", instant())]))
        .refusing([Error::NotFound("event"), Error::KeyReused])
}

/// An operation on what belongs to an owner.
fn owned(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(method, path, id, summary)
        .for_roles(&[Role::Agent, Role::Admin])
        .with_query([parameter::owner_agent()])
        .refusing([refusals::wrong()])
}

fn counted(more: &[(&str, Value)]) -> Value {
    let mut properties = json!({
        "event_id": uuid(),
        "event_type": text(),
        "owner_agent": text(),
        "queued_deliveries": count(),
        "processed_deliveries": count(),
        "delivered": count(),
        "pending": count(),
        "dead_lettered": count(),
    });
    if let Value::Object(fields) = &mut properties {
        fields.extend(more.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    }
    answer(properties)
}

fn subscription() -> Value {
    object(
        &[
            "subscription_id",
            "owner_agent",
            "callback_url",
            "event_types",
            "active",
            "description",
            "created_at",
            "updated_at",
            "revoked_at",
            "secret_hint",
        ],
        json!({
            "subscription_id": uuid(),
            "owner_agent": text(),
            "callback_url": text(),
            "event_types": list(text()),
            "active": {"type": "boolean"},
            "description": or_null(text()),
            "created_at": instant(),
            "updated_at": instant(),
            "revoked_at": or_null(instant()),
            "secret_hint": said("The end of the secret.", text()),
            "secret": said("A secret that was made for you, shown this once.", text()),
        }),
    )
}

fn new_subscription() -> Value {
    let url = json!({
        "type": "string",
        "maxLength": CALLBACK_URL_BYTES_MAX,
        "pattern": "^https?://",
        "examples": ["https://hooks.example.com/holdpoint"],
    });
    let pattern = json!({
        "type": "string",
        "pattern": format!("{EVERY}|{}", event_type()),
    });
    let secret = json!({"type": ["string", "null"], "minLength": SECRET_CHARS_MIN, "maxLength": SECRET_CHARS_MAX});
    object(
        &["callback_url", "event_types"],
        json!({
            "callback_url": said("An https address that leads to no private network.", url),
            "event_types": {
                "type": "array", "minItems": 1, "maxItems": EVENT_TYPES_MAX, "items": pattern,
                "description": "Event types, beginnings such as `intent.*`, or `*`.",
            },
            "secret": said(
                "What posts are signed with; after `whsec_` it is base64. One is made if it is \
                 missing.",
                secret,
            ),
            "active": optional_flag(),
            "description": optional_text(DESCRIPTION_CHARS_MAX),
        }),
    )
}

fn new_event() -> Value {
    let event_type = json!({
        "type": "string",
        "pattern": event_type(),
    });
    let source = json!({
        "type": "string",
        "minLength": SOURCE_CHARS_MIN,
        "maxLength": SOURCE_CHARS_MAX,
        "pattern": "\\S",
        "not": {"const": "holdpoint"},
    });
    object(
        &["event_type", "source", "payload"],
        json!({
            "event_type": event_type,
            "source": said("Who publishes it.", source),
            "payload": said(&format!("Its facts: at most {PAYLOAD_BYTES_MAX} bytes."), json!({"type": "object"})),
        }),
    )
}
