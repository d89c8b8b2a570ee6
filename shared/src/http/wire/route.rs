//! Routes and agents.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::human_task::WireHumanTask;
use crate::address::Address;
use crate::app::{NewDelivery, NewRoute, Routed};
use crate::callback::{CallbackUrl, Reach, SigningSecret};
use crate::error::Error;
use crate::intent::envelope::Delivery;
use crate::intent::human_task::{HoldPoint, Placement};
use crate::route::{CONCURRENT_TURNS_MAX, Route};

/// The longest display name, in characters.
pub(crate) const DISPLAY_NAME_CHARS_MAX: usize = 120;

/// `PUT /v1/routes/{address}`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireRoute {
    to: Option<String>,
    delivery_mode: Option<String>,
    callback_url: Option<String>,
    secret: Option<String>,
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    human_task: Option<WireHumanTask>,
    human_task_when: Option<String>,
    display_name: Option<String>,
    max_concurrent_turns: Option<Value>,
}

impl WireRoute {
    /// Reads the route of `address`. Callbacks lead no further than `reach`.
    pub fn read(
        self,
        address: Address,
        updated_at: Timestamp,
        reach: Reach,
    ) -> Result<NewRoute, Error> {
        let to = self.to.as_deref().map(|text| check::address("to", text)).transpose()?;
        let to = to.unwrap_or_else(|| address.clone());
        let delivery = WireDelivery {
            delivery_mode: self.delivery_mode.as_deref(),
            callback_url: self.callback_url.as_deref(),
            secret: self.secret.as_deref(),
        };
        let delivery = delivery.read(reach)?;
        let placement = match self.human_task_when.as_deref() {
            None | Some("on_result") => Placement::OnResult,
            Some("on_arrival") => Placement::OnArrival,
            Some(other) => {
                let detail = format!("is `{other}`; send on_result or on_arrival");
                return Err(Error::field("human_task_when", detail));
            }
        };
        let turns = concurrent_turns(self.max_concurrent_turns.as_ref(), to == address)?;
        let title = format!("Sign off on what {} did", to.path());
        let task = self.human_task.map(|task| task.read(&title)).transpose()?;
        let route = Route {
            to,
            hold_point: task.map(|task| HoldPoint { placement, task }),
            display_name: check::optional_text(
                "display_name",
                self.display_name.as_deref(),
                DISPLAY_NAME_CHARS_MAX,
            )?,
            max_concurrent_turns: turns,
            updated_at,
            ..Route::direct(address)
        };
        Ok(NewRoute { route, delivery })
    }
}

/// How an agent is to get its intents, as it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct WireDelivery<'a> {
    pub(super) delivery_mode: Option<&'a str>,
    pub(super) callback_url: Option<&'a str>,
    pub(super) secret: Option<&'a str>,
}

impl WireDelivery<'_> {
    /// Reads it. Whether its parts go together depends on how the agent gets its intents now.
    pub(super) fn read(self, reach: Reach) -> Result<NewDelivery, Error> {
        let mode = self.delivery_mode.map(|mode| delivery("delivery_mode", mode)).transpose()?;
        let url = self.callback_url.map(|text| CallbackUrl::parse(text, reach)).transpose();
        let secret = self.secret.map(SigningSecret::parse).transpose();
        Ok(NewDelivery {
            mode,
            callback_url: url.map_err(|error| Error::field("callback_url", error.to_string()))?,
            secret: secret.map_err(|error| Error::field("secret", error.to_string()))?,
        })
    }
}

fn concurrent_turns(given: Option<&Value>, is_agent: bool) -> Result<Option<NonZeroU32>, Error> {
    let name = "max_concurrent_turns";
    let Some(given) = given else { return Ok(None) };
    if !is_agent {
        let detail = "is a limit of the agent, and this leads to another address; set it there";
        return Err(Error::field(name, detail));
    }
    let whole = check::whole(name, given)?;
    check::number(name, whole, 1, u64::from(CONCURRENT_TURNS_MAX)).map(NonZeroU32::new)
}

/// Reads a delivery mode. `poll` is `stream` with short waits; `worker` is ours.
fn delivery(field: &str, mode: &str) -> Result<Delivery, Error> {
    match mode {
        "stream" | "poll" => Ok(Delivery::Stream),
        "worker" | "internal" => Ok(Delivery::Worker),
        "http" => Ok(Delivery::Push),
        other => {
            let detail = format!("`{other}` is not served; send stream, poll, http or worker");
            Err(Error::field(field, detail))
        }
    }
}

/// Writes the answer to a route that was made or changed, with a new secret in it this once.
pub fn present_routed(routed: &Routed) -> Value {
    let mut answer = present_kept(&routed.route);
    if let (Some(made), Some(Value::Object(route))) = (&routed.made, answer.get_mut("route")) {
        route.insert("secret".to_owned(), json!(made.reveal()));
    }
    answer
}

/// Writes a route as its keepers see it: with the address that turns are posted to, which may be a
/// secret by itself.
pub fn present_kept(route: &Route) -> Value {
    let mut answer = present(route);
    if let (Some(push), Some(Value::Object(fields))) = (&route.push, answer.get_mut("route")) {
        fields.insert("callback_url".to_owned(), json!(push.url));
    }
    answer
}

/// Writes `{ok, route}`.
pub fn present(route: &Route) -> Value {
    let within_s = crate::app::REMEMBERED.as_secs();
    json!({"ok": true, "route": body(route), "effective_within_seconds": within_s})
}

pub(super) fn body(route: &Route) -> Value {
    json!({
        "address": route.address.uri(),
        "to": route.to.uri(),
        "delivery_mode": mode(route.delivery),
        "human_task": route.hold_point.as_ref().map(|p| super::human_task::present(&p.task)),
        "human_task_when": route.hold_point.as_ref().map(|point| point.placement),
        "display_name": route.display_name,
        "max_concurrent_turns": route.max_concurrent_turns,
        "status": route.is_agent().then(|| route.registration.standing().name()),
        "updated_at": route.updated_at,
    })
}

pub(super) fn mode(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Stream => "stream",
        Delivery::Worker => "worker",
        Delivery::Push => "http",
    }
}
