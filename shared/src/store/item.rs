//! Building and reading items.

use std::collections::HashMap;
use std::pin::Pin;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::place::Place;
use super::{SCHEMA_VERSION, Store, StoreError};

/// The attributes of one item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attribute by which `DynamoDB` removes items.
pub(crate) const TTL: &str = "ttl_epoch_s";

/// What one read of a range returned.
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// Whether the range may go on behind them.
    pub(crate) has_more: bool,
}

/// The most items that one read of a whole partition returns.
const ENTRIES_PER_READ_MAX: i32 = 500;

/// Starts an item at `place`.
pub(crate) fn item(place: Place) -> Item {
    Item::from([
        ("pk".to_owned(), text(place.pk)),
        ("sk".to_owned(), text(place.sk)),
        ("v".to_owned(), number(SCHEMA_VERSION)),
    ])
}

/// The primary key of `place`.
pub(crate) fn primary_key(place: Place) -> Item {
    Item::from([("pk".to_owned(), text(place.pk)), ("sk".to_owned(), text(place.sk))])
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The JSON of `value`, which is how bodies are kept: one attribute that only our own code reads.
pub(crate) fn body(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Corrupt("to write".into(), Some(error)))
}

pub(crate) fn read_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn read_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Reads the body of an item.
pub(crate) fn read_body<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let body = read_text(item, "body").ok_or_else(|| corrupt(item))?;
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(name(item), Some(error)))
}

/// An error that names the item.
pub(crate) fn corrupt(item: &Item) -> StoreError {
    StoreError::Corrupt(name(item), None)
}

fn name(item: &Item) -> String {
    let part = |attribute| read_text(item, attribute).unwrap_or("?");
    format!("{} {}", part("pk"), part("sk"))
}

/// A request on its way, without its type. The SDK's futures are so deep that whoever awaits one inside
/// others of its own comes near to what the compiler follows.
pub(crate) fn sent<'a, T>(
    request: impl Future<Output = T> + Send + 'a,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(request)
}

impl Store {
    /// Lets `DynamoDB` remove the item once its intent's retention is over.
    pub(crate) fn retire(&self, item: &mut Item, deadline_at: Timestamp) {
        let kept_s = i64::from(self.retention_days) * 24 * 60 * 60;
        item.insert(TTL.to_owned(), number(deadline_at.as_second().saturating_add(kept_s)));
    }

    pub(crate) async fn get(&self, place: Place) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(place)))
            .consistent_read(true);
        let answer = sent(request.send()).await.map_err(super::unavailable)?;
        Ok(answer.item)
    }

    pub(crate) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        sent(request.send()).await.map_err(super::unavailable)?;
        Ok(())
    }

    /// Up to `limit` items of a partition between two sort keys, both excluded.
    pub(crate) async fn range(
        &self,
        pk: String,
        after: &str,
        before: &str,
        limit: i32,
        newest_first: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let page = self.page(pk, after, before, limit, newest_first).await?;
        Ok(page.items)
    }

    /// The same, and whether the range goes on behind them: a read returns no more than a megabyte.
    pub(crate) async fn page(
        &self,
        pk: String,
        after: &str,
        before: &str,
        limit: i32,
        newest_first: bool,
    ) -> Result<Page, StoreError> {
        // BETWEEN includes its ends; a trailing U+0001 steps past the lower one.
        let after = format!("{after}\u{1}");
        if after.as_str() > before {
            return Ok(Page { items: vec![], has_more: false });
        }
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :after AND :before")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":after", text(after))
            .expression_attribute_values(":before", text(before))
            .consistent_read(true)
            .scan_index_forward(!newest_first)
            .limit(limit);
        let answer = sent(request.send()).await.map_err(super::unavailable)?;
        let has_more = answer.last_evaluated_key.is_some();
        Ok(Page { items: answer.items.unwrap_or_default(), has_more })
    }

    /// Up to `limit` items of a whole partition, page by page.
    pub(crate) async fn entries(&self, pk: String, limit: usize) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut from = String::new();
        while found.len() < limit {
            let page = self.range(pk.clone(), &from, "~", ENTRIES_PER_READ_MAX, false).await?;
            let Some(last) = page.last().and_then(|item| read_text(item, "sk")) else { break };
            last.clone_into(&mut from);
            found.extend(page);
        }
        found.truncate(limit);
        Ok(found)
    }
}

/// Sets the moment at which `DynamoDB` may remove the item: the second in which `at` lies has ended.
pub(crate) fn remove_at(item: &mut Item, at: Timestamp) {
    let whole = at.as_second();
    let second = if at.subsec_nanosecond() > 0 { whole + 1 } else { whole };
    item.insert(TTL.to_owned(), number(second));
}

/// A sort key that excludes `sk` and all behind it from a range that includes its end. Sort keys end
/// in an id, so one that is cut short sorts before the whole.
pub(crate) fn just_before(sk: &str) -> String {
    let mut cut = sk.to_owned();
    cut.pop();
    cut
}
