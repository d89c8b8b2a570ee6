//! The embedded database, asked in the words of the SDK's requests.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the database answers.
pub(crate) fn answer(database: &Database, operation: &str, body: &[u8]) -> (u16, String) {
    match perform(database, operation, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// An answer, as the SDK gets it.
pub(crate) fn response((status, body): (u16, String)) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

fn perform(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchGetItem" => said(&database.batch_get_item(read(body))?),
        "CreateTable" => said(&database.create_table(read(body))?),
        "GetItem" => said(&database.get_item(read(body))?),
        "PutItem" => said(&database.put_item(read(body))?),
        "UpdateItem" => said(&database.update_item(read(body))?),
        "DeleteItem" => said(&database.delete_item(read(body))?),
        "Query" => said(&database.query(read(body))?),
        "Scan" => said(&database.scan(read(body))?),
        "TransactWriteItems" => said(&database.transact_write_items(read(body))?),
        other => panic!("nobody asked the table to {other} before; add it here"),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("a request that the table knows")
}

#[expect(clippy::unnecessary_wraps, reason = "it ends the arms of a fallible match")]
fn said(answer: &impl Serialize) -> Result<String, DynoxideError> {
    Ok(serde_json::to_string(answer).expect("an answer is JSON"))
}
