//! Webhooks: subscriptions, published events, and what is posted.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{check, event};
use crate::app::{NewEvent, NewSubscription, Publication, REMEMBERED, Subscribed};
use crate::callback::{CallbackUrl, Reach, SigningSecret};
use crate::error::Error;
use crate::http::body::of_kind;
use crate::id::IntentId;
use crate::intent::record::Recorded;
use crate::webhook::{EventPattern, EventType, News, Owner, Published, Subscription};
use crate::webhook::{THREAD_CREATED, THREAD_UPDATED};

/// The most event types of one subscription. The contract's limit.
pub(crate) const EVENT_TYPES_MAX: usize = 32;
/// The longest description, in characters.
pub(crate) const DESCRIPTION_CHARS_MAX: usize = 500;
/// The shortest source, in characters. The contract's limit.
pub(crate) const SOURCE_CHARS_MIN: usize = 2;
/// The longest source, in characters. The contract's limit.
pub(crate) const SOURCE_CHARS_MAX: usize = 100;
/// The largest payload of an event, in bytes of JSON.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// The source of what Holdpoint itself posts, by which receivers tell it from what clients publish.
const OWN_SOURCE: &str = "holdpoint";

/// `POST /v1/webhooks/subscriptions`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireSubscription {
    callback_url: Option<String>,
    event_types: Option<Vec<String>>,
    secret: Option<String>,
    active: Option<bool>,
    description: Option<String>,
}

/// `POST /v1/webhooks/events`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireEvent {
    event_type: Option<String>,
    source: Option<String>,
    payload: Option<Map<String, Value>>,
}

impl WireSubscription {
    /// Reads the subscription, which leads no further than `reach`.
    pub fn read(self, reach: Reach) -> Result<NewSubscription, Error> {
        let url = self.callback_url.as_deref().ok_or_else(|| {
            let detail = "is missing; send one such as https://hooks.example.com/holdpoint";
            Error::field("callback_url", detail)
        })?;
        let callback_url = CallbackUrl::parse(url, reach);
        let secret = self.secret.as_deref().map(SigningSecret::parse).transpose();
        let description = self.description.as_deref();
        Ok(NewSubscription {
            callback_url: callback_url
                .map_err(|error| Error::field("callback_url", error.to_string()))?,
            event_types: event_types(self.event_types.as_deref().unwrap_or_default())?,
            secret: secret.map_err(|error| Error::field("secret", error.to_string()))?,
            active: self.active.unwrap_or(true),
            description: check::optional_text("description", description, DESCRIPTION_CHARS_MAX)?,
        })
    }
}

impl WireEvent {
    /// Reads the contract's body.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        of_kind(value)
    }

    /// Reads the event.
    pub fn read(self) -> Result<NewEvent, Error> {
        let event_type = EventType::parse(self.event_type.as_deref().unwrap_or_default());
        let payload = self.payload.ok_or_else(|| {
            Error::field("payload", "is missing; send an object with the event's facts")
        })?;
        let bytes = Value::Object(payload.clone()).to_string().len();
        if bytes > PAYLOAD_BYTES_MAX {
            let detail = format!(
                "has {bytes} bytes; send at most {PAYLOAD_BYTES_MAX}, or a reference to the rest"
            );
            return Err(Error::field("payload", detail));
        }
        Ok(NewEvent {
            event_type: event_type
                .map_err(|error| Error::field("event_type", error.to_string()))?,
            source: source(self.source.as_deref().unwrap_or_default())?,
            payload,
        })
    }
}

fn event_types(sent: &[String]) -> Result<Vec<EventPattern>, Error> {
    if !(1..=EVENT_TYPES_MAX).contains(&sent.len()) {
        let detail = format!(
            "has {} entries; send 1 to {EVENT_TYPES_MAX}, such as intent.completed or intent.*",
            sent.len()
        );
        return Err(Error::field("event_types", detail));
    }
    let read = |(n, text): (usize, &String)| {
        EventPattern::parse(text)
            .map_err(|error| Error::field(format!("event_types[{n}]"), error.to_string()))
    };
    sent.iter().enumerate().map(read).collect()
}

fn source(sent: &str) -> Result<String, Error> {
    let source = check::text("source", sent, SOURCE_CHARS_MAX)?;
    if source.chars().count() < SOURCE_CHARS_MIN {
        let detail =
            format!("is too short; send {SOURCE_CHARS_MIN} to {SOURCE_CHARS_MAX} characters");
        return Err(Error::field("source", detail));
    }
    if source == OWN_SOURCE {
        let detail = "is how receivers know what Holdpoint itself says; send another name";
        return Err(Error::field("source", detail));
    }
    Ok(source)
}

/// Writes the answer to a subscription, with a new secret in it this once.
pub fn present_subscribed(subscribed: &Subscribed) -> Value {
    let mut subscription = present(&subscribed.subscription);
    if let (Some(made), Value::Object(fields)) = (&subscribed.made, &mut subscription) {
        fields.insert("secret".to_owned(), json!(made.reveal()));
    }
    json!({
        "ok": true,
        "subscription": subscription,
        "effective_within_seconds": REMEMBERED.as_secs(),
    })
}

/// Writes `{ok, subscriptions}`.
pub fn list(subscriptions: &[Subscription]) -> Value {
    let subscriptions: Vec<_> = subscriptions.iter().map(present).collect();
    json!({"ok": true, "subscriptions": subscriptions})
}

/// Writes the answer to the end of a subscription.
pub fn present_revoked(subscription: &Subscription) -> Value {
    json!({
        "ok": true,
        "subscription_id": subscription.id,
        "owner_agent": subscription.owner.to_string(),
        "revoked_at": subscription.revoked_at(),
    })
}

/// Writes the answer to a publication.
pub fn present_published(publication: &Publication) -> Value {
    let mut answer = counted(publication);
    let (published, fields) = (&publication.published, answer.as_object_mut());
    if let Some(fields) = fields {
        fields.insert("accepted_at".to_owned(), json!(published.accepted_at));
        fields.insert("source".to_owned(), json!(published.source));
    }
    answer
}

/// Writes the answer to a replay.
pub fn present_replayed(publication: &Publication, replayed_at: jiff::Timestamp) -> Value {
    let mut answer = counted(publication);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("replayed_at".to_owned(), json!(replayed_at));
    }
    answer
}

/// What is posted of an event that a client published.
pub fn post_of_published(published: &Published) -> Value {
    json!({
        "type": published.event_type,
        "timestamp": published.accepted_at,
        "data": published.payload,
        "source": published.source,
        "event_id": published.id,
        "owner_agent": published.owner.to_string(),
    })
}

/// What is posted of an event of an intent; `None` if it is none of `records`. For an inbox's events
/// the last one of the commit stands, with the thread that it belongs to.
pub fn post_of_news(news: &News, records: &[Recorded]) -> Option<Value> {
    let record = records.iter().find(|record| record.event.seq == news.seq)?;
    let mut data = event::present(news.intent, record);
    if [THREAD_CREATED, THREAD_UPDATED].contains(&news.event_type.as_str()) {
        add_thread(&mut data, news.intent, &news.owner);
    }
    Some(json!({
        "type": news.event_type,
        "timestamp": record.event.at,
        "data": data,
        "source": OWN_SOURCE,
        "owner_agent": news.owner.to_string(),
    }))
}

fn add_thread(data: &mut Value, intent: IntentId, owner: &Owner) {
    if let Some(fields) = data.as_object_mut() {
        fields.insert("thread_id".to_owned(), json!(intent));
        fields.insert("owner_agent".to_owned(), json!(owner.to_string()));
    }
}

fn present(subscription: &Subscription) -> Value {
    json!({
        "subscription_id": subscription.id,
        "owner_agent": subscription.owner.to_string(),
        "callback_url": subscription.callback_url,
        "event_types": subscription.event_types,
        "active": subscription.is_active(),
        "description": subscription.description,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
        "revoked_at": subscription.revoked_at(),
        "secret_hint": subscription.secret_hint,
    })
}

fn counted(publication: &Publication) -> Value {
    let Publication { published, counts } = publication;
    json!({
        "ok": true,
        "event_id": published.id,
        "event_type": published.event_type,
        "owner_agent": published.owner.to_string(),
        "queued_deliveries": counts.queued,
        "processed_deliveries": counts.processed(),
        "delivered": counts.delivered,
        "pending": counts.pending,
        "dead_lettered": counts.dead_lettered,
    })
}
