//! Answers in the name of the table and the queues, in the shapes that the AWS SDK reads.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

/// The names under which the services' errors stand.
const TABLE: &str = "com.amazonaws.dynamodb.v20120810";
/// A queue names the digest of what it took; nobody here reads it.
const NO_DIGEST: &str = "00000000000000000000000000000000";

/// The table was asked too often.
pub(super) fn throttled() -> Response<Body> {
    let kind = format!("{TABLE}#ProvisionedThroughputExceededException");
    answer(StatusCode::BAD_REQUEST, &json!({"__type": kind, "message": "too many requests"}))
}

/// The service failed.
pub(super) fn failed() -> Response<Body> {
    let kind = format!("{TABLE}#InternalServerError");
    answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({"__type": kind, "message": "failed"}))
}

/// Another transaction was about one of the items.
pub(super) fn in_conflict(transaction: &[u8]) -> Response<Body> {
    let sent: Value = serde_json::from_slice(transaction).unwrap_or_default();
    let writes = sent.get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
    let none = json!({"Code": "None"});
    let mut reasons = vec![none; writes];
    if let Some(first) = reasons.first_mut() {
        *first = json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing"});
    }
    let body = json!({
        "__type": format!("{TABLE}#TransactionCanceledException"),
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons \
                    [TransactionConflict]",
        "CancellationReasons": reasons,
    });
    answer(StatusCode::BAD_REQUEST, &body)
}

/// Messages were taken.
pub(super) fn sent(operation: &str, request: &[u8]) -> Response<Body> {
    let body = if operation.ends_with("Batch") {
        let sent: Value = serde_json::from_slice(request).unwrap_or_default();
        let entries = sent.get("Entries").and_then(Value::as_array);
        let taken = |entry: &Value| json!({"Id": entry.get("Id"), "MessageId": "m", "MD5OfMessageBody": NO_DIGEST});
        let all: Vec<_> = entries.into_iter().flatten().map(taken).collect();
        json!({"Successful": all, "Failed": []})
    } else {
        json!({"MessageId": "m", "MD5OfMessageBody": NO_DIGEST})
    };
    answer(StatusCode::OK, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
