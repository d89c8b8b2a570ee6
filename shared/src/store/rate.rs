//! Counters of requests, which the instances of a deployment share.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::item::{TTL, number, primary_key, read_number};
use super::place::Place;
use super::{SCHEMA_VERSION, Store, StoreError, unavailable};

/// How long a counter is kept after its minute began, in seconds.
const KEPT_SECONDS: i64 = 120;

impl Store {
    /// Adds `requests` to those that a key made at an endpoint in the minute that began at
    /// `minute_at`, and returns how many that makes.
    pub async fn count_requests(
        &self,
        tenant: &str,
        key_id: &str,
        endpoint: &str,
        minute_at: Timestamp,
        requests: u32,
    ) -> Result<u32, StoreError> {
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(Place::rate(tenant, key_id, endpoint, minute_at))))
            .update_expression("SET v = :v, #ttl = :ttl ADD taken :taken")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":v", number(SCHEMA_VERSION))
            .expression_attribute_values(
                ":ttl",
                number(minute_at.as_second().saturating_add(KEPT_SECONDS)),
            )
            .expression_attribute_values(":taken", number(requests))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(unavailable)?;
        let sum = counted.attributes.as_ref().and_then(|item| read_number(item, "taken"));
        Ok(sum.and_then(|sum| u32::try_from(sum).ok()).unwrap_or(u32::MAX))
    }
}
