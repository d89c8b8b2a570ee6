//! Heartbeats of agents, and what happened to them.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{Timestamp, ToSpan as _};

use super::item::just_before;
use super::item::{Item, body, item, number, read_body, read_number, read_text, remove_at, text};
use super::place::{self, Place};
use super::update::{Update, Written};
use super::{SCHEMA_VERSION, Store, StoreError};
use crate::address::Address;
use crate::mesh::{Beat, MeshEvent, Metrics};
use crate::route::Route;

/// Days that an event of the mesh is kept.
pub const MESH_EVENT_DAYS: i64 = 30;
/// The most events that are looked through for the ones that are wanted.
const EVENTS_READ_MAX: usize = 1000;
/// The most events that one read returns.
const EVENTS_PER_READ_MAX: i32 = 100;

impl Store {
    /// Notes that an agent was heard, adds up what it reports, and returns when it had been heard
    /// before. One write.
    pub async fn beat(
        &self,
        tenant: &str,
        agent: &Address,
        now: Timestamp,
        reported: &Metrics,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut expression = "SET heard_ms = :now, v = :v".to_owned();
        let mut sums = Vec::new();
        let mut values = Vec::new();
        if let Some(latency) = reported.avg_latency_us {
            expression.push_str(", avg_latency_us = :latency");
            values.push((":latency".to_owned(), latency));
        }
        for (name, amount) in amounts(reported).into_iter().filter(|(_, amount)| *amount > 0) {
            sums.push(format!("{name} :{name}"));
            values.push((format!(":{name}"), amount));
        }
        if !sums.is_empty() {
            expression = format!("{expression} ADD {}", sums.join(", "));
        }
        let update = Update::new(Place::beat(tenant, agent), expression)
            .value(":now", number(now.as_millisecond().max(0)))
            .value(":v", number(SCHEMA_VERSION));
        let update = values.into_iter().fold(update, |u, (name, n)| u.value(&name, number(n)));
        Ok(heard_at(&self.update(update).await?))
    }

    /// The newest heartbeat of one agent.
    pub async fn last_beat(
        &self,
        tenant: &str,
        agent: &Address,
    ) -> Result<Option<Beat>, StoreError> {
        Ok(self.get(Place::beat(tenant, agent)).await?.as_ref().and_then(beat))
    }

    /// The newest heartbeat of each agent that was ever heard, at most `limit`.
    pub async fn beats(&self, tenant: &str, limit: usize) -> Result<Vec<Beat>, StoreError> {
        let items = self.entries(place::beats(tenant), limit).await?;
        Ok(items.iter().filter_map(beat).collect())
    }

    /// Keeps an event that nothing else is written with.
    pub async fn put_mesh_event(&self, tenant: &str, event: &MeshEvent) -> Result<(), StoreError> {
        self.put(event_item(tenant, event)?).await
    }

    /// Events that are `wanted`, newest first, at most `limit`.
    pub async fn mesh_events(
        &self,
        tenant: &str,
        limit: usize,
        wanted: impl Fn(&MeshEvent) -> bool,
    ) -> Result<Vec<MeshEvent>, StoreError> {
        let (mut found, mut read) = (Vec::new(), 0);
        let mut before = "~".to_owned();
        while found.len() < limit && read < EVENTS_READ_MAX {
            let pk = place::mesh(tenant);
            let items = self.range(pk, "", &before, EVENTS_PER_READ_MAX, true).await?;
            let Some(oldest) = items.last().and_then(|item| read_text(item, "sk")) else { break };
            before = just_before(oldest);
            read += items.len();
            for item in &items {
                found.extend(Some(read_body(item)?).filter(&wanted));
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Kills the agent, which gets a route if it has none. `false` if it was killed before.
    pub async fn kill(&self, tenant: &str, event: &MeshEvent) -> Result<bool, StoreError> {
        let direct = Route { updated_at: event.at, ..Route::direct(event.agent.clone()) };
        let update = Update::new(
            Place::route(tenant, &event.agent),
            "SET killed_at = :at, body = if_not_exists(body, :body), \
             created_at = if_not_exists(created_at, :at), v = if_not_exists(v, :v)",
        )
        .only_if("attribute_not_exists(killed_at)")
        .value(":at", text(event.at.to_string()))
        .value(":body", text(body(&direct)?))
        .value(":v", number(SCHEMA_VERSION));
        self.write_with(tenant, event, self.update_write(update)).await
    }

    /// Lets a killed agent go on. `false` if it was not killed.
    pub async fn resume(&self, tenant: &str, event: &MeshEvent) -> Result<bool, StoreError> {
        let update = Update::new(Place::route(tenant, &event.agent), "REMOVE killed_at")
            .only_if("attribute_exists(killed_at)");
        self.write_with(tenant, event, self.update_write(update)).await
    }

    /// Writes something together with its event. `false` if its condition did not hold.
    pub(super) async fn write_with(
        &self,
        tenant: &str,
        event: &MeshEvent,
        write: TransactWriteItem,
    ) -> Result<bool, StoreError> {
        let writes = vec![write, self.event_write(tenant, event)?];
        Ok(matches!(self.write_all(writes).await?, Written::All))
    }

    pub(super) fn event_write(
        &self,
        tenant: &str,
        event: &MeshEvent,
    ) -> Result<TransactWriteItem, StoreError> {
        Ok(self.put_if(event_item(tenant, event)?, "attribute_not_exists(pk)"))
    }
}

fn event_item(tenant: &str, event: &MeshEvent) -> Result<Item, StoreError> {
    let mut item = item(Place::mesh_event(tenant, event.at, &event.id));
    item.insert("body".to_owned(), text(body(event)?));
    let kept_until = event.at.checked_add((24 * MESH_EVENT_DAYS).hours());
    remove_at(&mut item, kept_until.unwrap_or(Timestamp::MAX));
    Ok(item)
}

/// What is added up, by the names of its attributes.
fn amounts(metrics: &Metrics) -> [(&'static str, u64); 4] {
    [
        ("intents_total", metrics.intents_total),
        ("intents_succeeded", metrics.intents_succeeded),
        ("intents_failed", metrics.intents_failed),
        ("cost_micro_usd", metrics.cost_micro_usd),
    ]
}

fn beat(item: &Item) -> Option<Beat> {
    let sum = |name| read_number(item, name).unwrap_or(0);
    Some(Beat {
        agent: Address::parse(read_text(item, "sk")?).ok()?,
        heard_at: heard_at(item)?,
        metrics: Metrics {
            intents_total: sum("intents_total"),
            intents_succeeded: sum("intents_succeeded"),
            intents_failed: sum("intents_failed"),
            cost_micro_usd: sum("cost_micro_usd"),
            avg_latency_us: read_number(item, "avg_latency_us"),
        },
    })
}

fn heard_at(item: &Item) -> Option<Timestamp> {
    let millis = i64::try_from(read_number(item, "heard_ms")?).ok()?;
    Timestamp::from_millisecond(millis).ok()
}
