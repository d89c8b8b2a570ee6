//! Items that change under a lock of their own: a version that each write must know.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use serde::de::DeserializeOwned;

use super::commit::CommitError;
use super::item::{Item, corrupt, number, read_body, read_number};
use super::{Store, StoreError, unavailable};

/// Something stored, with the version that the next write of it must know.
#[derive(Clone, Debug)]
pub struct Locked<T> {
    /// What is stored.
    pub value: T,
    /// Its lock.
    pub version: u64,
}

type Values = HashMap<String, AttributeValue>;

impl<T: DeserializeOwned> Locked<T> {
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        let version = read_number(item, "version").ok_or_else(|| corrupt(item))?;
        Ok(Self { value: read_body(item)?, version })
    }
}

impl Store {
    /// Writes an item that is as `before` says: absent, or at that version.
    pub(super) async fn put_locked(
        &self,
        mut item: Item,
        before: Option<u64>,
    ) -> Result<(), CommitError> {
        let (condition, values) = lock(&mut item, before);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Err(CommitError::Conflict(None))
            }
            Err(error) => Err(unavailable(error).into()),
        }
    }

    /// The same, as part of a transaction.
    pub(super) fn locked_write(&self, mut item: Item, before: Option<u64>) -> TransactWriteItem {
        let (condition, values) = lock(&mut item, before);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        TransactWriteItem::builder().set_put(put.build().ok()).build()
    }
}

/// Sets the item's next version, and says what must be true of the one that it replaces.
fn lock(item: &mut Item, before: Option<u64>) -> (&'static str, Option<Values>) {
    item.insert("version".to_owned(), number(before.unwrap_or(0).saturating_add(1)));
    match before {
        None => ("attribute_not_exists(pk)", None),
        Some(version) => {
            ("version = :version", Some(Values::from([(":version".to_owned(), number(version))])))
        }
    }
}
