//! `POST /v1/intents`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::human_task::WireHumanTask;
use super::{check, working_hours};
use crate::address::Address;
use crate::digest::{Digest, is_exact};
use crate::error::Error;
use crate::http::body::of_kind;
use crate::intent::Intent;
use crate::intent::envelope::{
    DELIVERY_ATTEMPTS_MAX, Delivery, Envelope, INTENT_TYPE_CHARS_MAX, REMINDERS_MAX, Reminders,
    TTL_SECONDS_MAX, TTL_SECONDS_MIN,
};
use crate::intent::human_task::{HoldPoint, Placement};
use crate::intent::working_hours::SpelledHours;
use crate::principal::Principal;
use crate::route::Route;

/// How many reminders are sent if the sender names a delay and no number.
pub(super) const REMINDERS_DEFAULT: u32 = 3;
/// The intent type by which the contract's guides ask a person.
const ASK_A_PERSON: &str = "human_approval";
/// The part of an intent type that says so as well, such as `intent.approval.v1`.
const APPROVAL: &str = "approval";
/// The address by which the contract's examples mean no agent, but whoever is there to decide.
const HUMAN: &str = "human";

/// An intent as it is sent. Unknown fields are ignored, as real clients need it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireCreate {
    intent_type: Option<String>,
    correlation_id: Option<Uuid>,
    to_agent: Option<String>,
    payload: Option<Map<String, Value>>,
    reply_to: Option<String>,
    deadline_at: Option<String>,
    ttl_seconds: Option<Value>,
    remind_after_seconds: Option<Value>,
    remind_interval_seconds: Option<Value>,
    max_reminders: Option<Value>,
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    working_hours: Option<SpelledHours>,
    escalate_to: Option<String>,
    max_delivery_attempts: Option<Value>,
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    human_task: Option<WireHumanTask>,
}

/// What the edge knows beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Who sends it.
    pub by: &'a Principal,
    /// When.
    pub now: Timestamp,
    /// A correlation id for senders that name none.
    pub correlation_id: Uuid,
    /// The deployment's time to live for senders that name none, in seconds.
    pub default_ttl_s: u32,
}

impl WireCreate {
    /// Reads the contract's body.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        of_kind(value)
    }

    /// Where it is sent. An intent that only asks a person may name nobody.
    pub fn to(&self) -> Result<Address, Error> {
        match &self.to_agent {
            Some(to) => check::address("to_agent", to),
            None if self.human_task.is_some() || self.wants_a_person() => Ok(Address::agent_core()),
            None => {
                Err(Error::field("to_agent", "is missing; name an agent, such as agent://deployer"))
            }
        }
    }

    /// Whether its type says that a person is to decide.
    fn wants_a_person(&self) -> bool {
        self.intent_type
            .as_deref()
            .is_some_and(|kind| kind == ASK_A_PERSON || kind.split('.').any(|it| it == APPROVAL))
    }

    /// Reads the intent, sent by `arrival.by` and routed by `route`.
    pub fn read(self, arrival: Arrival<'_>, route: &Route) -> Result<Envelope, Error> {
        let mut envelope = self.without_people(arrival, route)?;
        let Envelope { to, intent_type, payload, .. } = &envelope;
        envelope.hold_point = self.hold_point(to, intent_type, payload, route)?;
        if envelope.hold_point.is_some() {
            check::exact("payload", &envelope.payload)?;
        }
        Ok(envelope)
    }

    /// Reads the intent without a hold point: those of a scenario stand in its steps.
    pub(super) fn without_people(
        &self,
        arrival: Arrival<'_>,
        route: &Route,
    ) -> Result<Envelope, Error> {
        let to = self.to()?;
        let intent_type = self.intent_type.as_deref().ok_or_else(|| {
            Error::field("intent_type", "is missing; send a name such as deploy.request.v1")
        })?;
        let intent_type = check::text("intent_type", intent_type, INTENT_TYPE_CHARS_MAX)?;
        let payload = self.payload.clone().unwrap_or_default();
        let reply_to = self.reply_to.as_deref();
        let escalate_to = self.escalate_to.as_deref();
        Ok(Envelope {
            tenant: arrival.by.tenant.clone(),
            correlation_id: self.correlation_id.unwrap_or(arrival.correlation_id),
            from: arrival.by.name.clone(),
            handler: route.to.clone(),
            delivery: if to.is_agent_core() { Delivery::Stream } else { route.delivery },
            parent: None,
            reply_to: reply_to.map(|text| check::address("reply_to", text)).transpose()?,
            deadline_at: self.deadline(arrival)?,
            reminders: self.reminders()?,
            working_hours: working_hours::read("working_hours", self.working_hours.as_ref())?,
            escalate_to: escalate_to.map(|text| check::address("escalate_to", text)).transpose()?,
            delivery_attempts_max: self.delivery_attempts_max()?,
            to,
            intent_type,
            payload,
            hold_point: None,
            workflow: None,
        })
    }

    fn hold_point(
        &self,
        to: &Address,
        intent_type: &str,
        payload: &Map<String, Value>,
        route: &Route,
    ) -> Result<Option<HoldPoint>, Error> {
        let said = |name: &str| payload.get(name).and_then(Value::as_str);
        let title = said("title").or_else(|| said("task")).unwrap_or(intent_type);
        let nobody = to.path() == HUMAN || intent_type == ASK_A_PERSON;
        let asks = to.is_agent_core() || (nobody && route.hold_point.is_none());
        let sent = self.human_task.clone().or_else(|| asks.then(WireHumanTask::default));
        let Some(sent) = sent else { return Ok(route.hold_point.clone()) };
        Ok(Some(HoldPoint { placement: Placement::OnArrival, task: sent.read(title)? }))
    }

    fn deadline(&self, arrival: Arrival<'_>) -> Result<Timestamp, Error> {
        let seconds = match (&self.deadline_at, &self.ttl_seconds) {
            (Some(_), Some(_)) => {
                return Err(Error::field(
                    "ttl_seconds",
                    "cannot stand beside deadline_at; send one",
                ));
            }
            (Some(text), None) => return deadline(text, arrival.now),
            (None, Some(ttl)) => {
                let seconds = check::whole("ttl_seconds", ttl)?;
                let (min, max) = (TTL_SECONDS_MIN.into(), TTL_SECONDS_MAX.into());
                check::number("ttl_seconds", seconds, min, max)?
            }
            (None, None) => arrival.default_ttl_s,
        };
        let ttl = std::time::Duration::from_secs(seconds.into());
        arrival.now.checked_add(ttl).map_err(|_| Error::field("ttl_seconds", "is out of range"))
    }

    fn reminders(&self) -> Result<Reminders, Error> {
        let seconds = |field: &str, value: &Option<Value>| {
            let given = value.as_ref().filter(|value| !value.is_null());
            given
                .map(|value| check::whole(field, value))
                .transpose()?
                .map(|seconds| check::number(field, seconds, 1, TTL_SECONDS_MAX.into()))
                .transpose()
        };
        let after_s = seconds("remind_after_seconds", &self.remind_after_seconds)?;
        let interval_s = seconds("remind_interval_seconds", &self.remind_interval_seconds)?;
        let given = self.max_reminders.as_ref().filter(|value| !value.is_null());
        let given = given.map(|value| check::whole("max_reminders", value)).transpose()?;
        let max = given.unwrap_or(REMINDERS_DEFAULT.into());
        Ok(Reminders {
            after_s,
            interval_s: interval_s.or(after_s).unwrap_or(0),
            max: check::number("max_reminders", max, 0, REMINDERS_MAX.into())?,
        })
    }

    fn delivery_attempts_max(&self) -> Result<Option<u32>, Error> {
        let given = self.max_delivery_attempts.as_ref().filter(|value| !value.is_null());
        let Some(given) = given else { return Ok(None) };
        let attempts = check::whole("max_delivery_attempts", given)?;
        check::number("max_delivery_attempts", attempts, 1, DELIVERY_ATTEMPTS_MAX.into()).map(Some)
    }
}

fn deadline(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let at: Timestamp = text.parse().map_err(|_| {
        let detail = "is not an RFC 3339 time with an offset, such as 2030-01-31T17:00:00Z";
        Error::field("deadline_at", detail)
    })?;
    let latest = now.checked_add(std::time::Duration::from_secs(TTL_SECONDS_MAX.into()));
    if at <= now {
        return Err(Error::field("deadline_at", "is in the past; send a later time"));
    }
    if latest.is_ok_and(|latest| at > latest) {
        return Err(Error::field(
            "deadline_at",
            "is more than 366 days away; send an earlier time",
        ));
    }
    Ok(at)
}

/// Digest of a request's body, by which a repeated request is told from another one.
pub fn fingerprint(body: &Value) -> Digest {
    if is_exact(body) {
        return Digest::of_json(body);
    }
    // The canonical form rounds what is not exact, and two requests could seem to be one.
    Digest::of_bytes(body.to_string().as_bytes())
}

/// Writes the answer.
pub fn present(intent: &Intent) -> Value {
    json!({
        "ok": true,
        "intent_id": intent.id,
        "status": intent.status().name(),
        "lifecycle_status": intent.status().name(),
        "created_at": intent.created_at,
        "correlation_id": intent.envelope.correlation_id,
        "deadline_at": intent.envelope.deadline_at,
        "pending_with": crate::intent::record::pending_with(intent),
    })
}
