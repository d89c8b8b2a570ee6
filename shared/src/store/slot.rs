//! Slots: how many turns of one agent run at once.
//!
//! One item holds who has a slot and until when. Nobody prolongs a slot, so one whose time is over is
//! free, whatever became of its holder.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{Timestamp, ToSpan as _};

use super::item::{TTL, item, number, primary_key, remove_at, sent};
use super::place::Place;
use super::{Store, StoreError, unavailable};
use crate::address::Address;

/// How often others may be quicker before a slot counts as not to be had.
const TRIES_MAX: u32 = 4;
/// The most slots that are cleared at once; an expression has a bound.
const CLEARED_MAX: usize = 20;
/// Hours that the item is kept after its last slot was taken.
const KEPT_HOURS: i64 = 24;

impl Store {
    /// Takes one of the agent's `slots` until `until`; says whether there was one. Mostly one write.
    /// A holder names itself anew each time.
    pub async fn take_slot(
        &self,
        tenant: &str,
        agent: &Address,
        holder: &str,
        slots: u32,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        for _ in 0..TRIES_MAX {
            if self.hold_slot(tenant, agent, holder, slots, until).await? {
                return Ok(true);
            }
            let found = self.get(Place::slots(tenant, agent)).await?;
            let Some(found) = found else {
                self.begin_slots(tenant, agent, until).await?;
                continue;
            };
            let holders = found.get("holders").and_then(|it| it.as_m().ok());
            let over: Vec<&String> = holders
                .into_iter()
                .flatten()
                .filter(|(_, until)| is_over(until, now))
                .map(|(holder, _)| holder)
                .take(CLEARED_MAX)
                .collect();
            if over.is_empty() {
                return Ok(false);
            }
            self.clear_slots(tenant, agent, &over).await?;
        }
        Ok(false)
    }

    /// Gives a slot back. One that is not held any more is free anyway.
    pub async fn give_slot_back(
        &self,
        tenant: &str,
        agent: &Address,
        holder: &str,
    ) -> Result<(), StoreError> {
        self.clear_slots(tenant, agent, &[&holder.to_owned()]).await
    }

    async fn hold_slot(
        &self,
        tenant: &str,
        agent: &Address,
        holder: &str,
        slots: u32,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let kept_until = until.checked_add(KEPT_HOURS.hours()).unwrap_or(Timestamp::MAX);
        let taking = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(Place::slots(tenant, agent))))
            .update_expression("SET holders.#holder = :until, #ttl = :ttl")
            .condition_expression("size(holders) < :slots")
            .expression_attribute_names("#holder", holder)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":ttl", number(kept_until.as_second()))
            .expression_attribute_values(":slots", number(slots));
        match sent(taking.send()).await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn begin_slots(
        &self,
        tenant: &str,
        agent: &Address,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = item(Place::slots(tenant, agent));
        item.insert("holders".to_owned(), AttributeValue::M(HashMap::new()));
        remove_at(&mut item, until.checked_add(KEPT_HOURS.hours()).unwrap_or(Timestamp::MAX));
        // Whoever was quicker has made the same.
        self.write_all(vec![self.put_if(item, "attribute_not_exists(pk)")]).await.map(drop)
    }

    async fn clear_slots(
        &self,
        tenant: &str,
        agent: &Address,
        holders: &[&String],
    ) -> Result<(), StoreError> {
        let place = Place::slots(tenant, agent);
        let names = (0..holders.len()).map(|number| format!("holders.#h{number}"));
        let expression = format!("REMOVE {}", names.collect::<Vec<_>>().join(", "));
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(place)))
            .update_expression(expression)
            .condition_expression("attribute_exists(holders)");
        for (number, holder) in holders.iter().enumerate() {
            update = update.expression_attribute_names(format!("#h{number}"), *holder);
        }
        match sent(update.send()).await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn is_over(until: &AttributeValue, now: Timestamp) -> bool {
    let until_ms = until.as_n().ok().and_then(|text| text.parse::<i64>().ok());
    until_ms.is_none_or(|until_ms| until_ms <= now.as_millisecond())
}
