//! Writes of the registry: single attributes, several items at once.
//!
//! Where several people and processes keep parts of one item, writing it whole would undo what the
//! others wrote. So each writes its own attributes, under a condition where one is needed.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update as AwsUpdate,
};

use super::item::{Item, primary_key};
use super::place::Place;
use super::{Store, StoreError, unavailable};

/// A change of some attributes of an item, which it makes if there is none.
#[derive(Debug)]
pub(super) struct Update {
    place: Place,
    expression: String,
    condition: Option<&'static str>,
    values: HashMap<String, AttributeValue>,
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Written {
    /// All of it was written.
    All,
    /// Nothing was, because the condition of one write did not hold.
    Nothing {
        /// Which write.
        write: usize,
        /// The item that stood in its way, if there was one.
        found: Option<Item>,
    },
}

impl Update {
    pub(super) fn new(place: Place, expression: impl Into<String>) -> Self {
        let expression = expression.into();
        Self { place, expression, condition: None, values: HashMap::new() }
    }

    pub(super) fn only_if(mut self, condition: &'static str) -> Self {
        self.condition = Some(condition);
        self
    }

    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

impl Store {
    /// Changes an item, and returns what the changed attributes had been.
    pub(super) async fn update(&self, update: Update) -> Result<Item, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_expression_attribute_values(update.values())
            .set_key(Some(primary_key(update.place)))
            .update_expression(update.expression)
            .set_condition_expression(update.condition.map(str::to_owned))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedOld)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// Writes all or nothing.
    pub(super) async fn write_all(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Written, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send();
        match sent.await {
            Ok(_) => Ok(Written::All),
            Err(error) => refused(&error).ok_or_else(|| unavailable(error)),
        }
    }

    pub(super) fn update_write(&self, update: Update) -> TransactWriteItem {
        let built = AwsUpdate::builder()
            .table_name(&self.table)
            .set_expression_attribute_values(update.values())
            .set_key(Some(primary_key(update.place)))
            .update_expression(update.expression)
            .set_condition_expression(update.condition.map(str::to_owned))
            .build();
        TransactWriteItem::builder().set_update(built.ok()).build()
    }

    pub(super) fn put_if(&self, item: Item, condition: &str) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        TransactWriteItem::builder().set_put(put.ok()).build()
    }
}

/// The write whose condition did not hold, if that is why the transaction failed.
fn refused(error: &SdkError<TransactWriteItemsError>) -> Option<Written> {
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = canceled.cancellation_reasons();
    let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let write = reasons.iter().position(failed)?;
    let found = reasons.get(write).and_then(CancellationReason::item).cloned();
    Some(Written::Nothing { write, found })
}
