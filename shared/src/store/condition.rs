//! Reading why a transaction was refused.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;

use super::commit::{CommitError, Stored};
use super::{StoreError, unavailable};

type Refused = SdkError<TransactWriteItemsError>;

/// What a refused transaction means for its first change: somebody else was first, or the table did
/// not take it.
pub(super) fn read(error: Refused) -> CommitError {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            canceled.cancellation_reasons()
        }
        // The whole request is too large for the table, or one item of it.
        Some(service) if service.meta().code() == Some("ValidationException") => {
            let message = service.meta().message().unwrap_or_default();
            return if message.contains("size") {
                CommitError::Store(StoreError::TooLarge)
            } else {
                CommitError::Store(unavailable(error))
            };
        }
        Some(_) | None => return CommitError::Store(unavailable(error)),
    };
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let codes: Vec<String> = reasons.iter().map(code).collect();
    let has = |code: &str| codes.iter().any(|other| other == code);
    if has("ConditionalCheckFailed") {
        let item = reasons.first().and_then(CancellationReason::item);
        return match item.map(Stored::read) {
            Some(Ok(stored)) => CommitError::Conflict(Some(Box::new(stored))),
            Some(Err(corrupt)) => CommitError::Store(corrupt),
            None => CommitError::Conflict(None),
        };
    }
    let large = reasons.iter().any(|reason| {
        reason.code() == Some("ValidationError")
            && reason.message().is_some_and(|message| message.contains("size"))
    });
    if has("TransactionConflict") {
        CommitError::Conflict(None)
    } else if large {
        CommitError::Store(StoreError::TooLarge)
    } else {
        CommitError::Store(unavailable(error))
    }
}
