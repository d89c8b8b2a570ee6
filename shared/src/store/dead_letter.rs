//! Dead letters, by age.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::item::{Item, body, item, primary_key, read_body, sent, text};
use super::place::{self, Place};
use super::{Store, StoreError, unavailable};
use crate::dead_letter::{DeadLetter, DeadLetterId};

impl Store {
    /// Keeps a dead letter for as long as intents are kept. The same one again takes its own place.
    pub async fn put_dead_letter(
        &self,
        tenant: &str,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        let mut item = item(Place::dead_letter(tenant, &letter.id));
        item.insert("body".to_owned(), text(body(letter)?));
        self.retire(&mut item, letter.last_failed_at);
        self.put(item).await
    }

    /// The dead letter of this name.
    pub async fn dead_letter(
        &self,
        tenant: &str,
        id: &DeadLetterId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        self.get(Place::dead_letter(tenant, id)).await?.as_ref().map(read).transpose()
    }

    /// Up to `limit` dead letters behind `after`, oldest first.
    pub async fn dead_letters(
        &self,
        tenant: &str,
        after: Option<&DeadLetterId>,
        limit: i32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let after = after.map(|id| Place::dead_letter(tenant, id).sk).unwrap_or_default();
        let items = self.range(place::dead_letters(tenant), &after, "~", limit, false).await?;
        items.iter().map(read).collect()
    }

    /// Notes that a dead letter was sent again. `None` if it is not there any more; the first mark
    /// stays.
    pub async fn mark_redriven(
        &self,
        tenant: &str,
        id: &DeadLetterId,
        now: Timestamp,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let marked = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(Place::dead_letter(tenant, id))))
            .update_expression("SET redriven_at = if_not_exists(redriven_at, :now)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", text(now.to_string()))
            .return_values(ReturnValue::AllNew);
        match sent(marked.send()).await {
            Ok(answer) => answer.attributes.as_ref().map(read).transpose(),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Removes a dead letter; says whether it was there.
    pub async fn drop_dead_letter(
        &self,
        tenant: &str,
        id: &DeadLetterId,
    ) -> Result<bool, StoreError> {
        let dropped = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(Place::dead_letter(tenant, id))))
            .return_values(ReturnValue::AllOld);
        let answer = sent(dropped.send()).await.map_err(unavailable)?;
        Ok(answer.attributes.is_some_and(|item| !item.is_empty()))
    }
}

/// The body, and the mark beside it: whoever buries the same letter again knows nothing of a mark.
fn read(item: &Item) -> Result<DeadLetter, StoreError> {
    let letter: DeadLetter = read_body(item)?;
    let marked_at = super::item::read_text(item, "redriven_at").and_then(|at| at.parse().ok());
    Ok(DeadLetter { redriven_at: marked_at.or(letter.redriven_at), ..letter })
}
