//! How AWS says no.

use serde_json::{Value, json};

use super::crossing::Service;
use super::mishap::Mishap;

/// What a service says that does not do what it was asked, or does not say that it did.
pub(super) fn refusal(
    service: Service,
    (operation, body): (&str, &[u8]),
    mishap: Mishap,
) -> Option<(u16, String)> {
    let said = |status: u16, kind: &str| {
        let kind = match service {
            Service::Table => format!("com.amazonaws.dynamodb.v20120810#{kind}"),
            Service::Queue => format!("com.amazonaws.sqs#{kind}"),
            Service::Outside => return Some((503, String::new())),
        };
        Some((status, json!({"__type": kind, "message": "not now"}).to_string()))
    };
    let transacts = operation == "TransactWriteItems";
    if mishap == Mishap::Throttled {
        return match service {
            Service::Queue => said(400, "RequestThrottled"),
            Service::Table if transacts => said(400, "ThrottlingException"),
            Service::Table | Service::Outside => {
                said(400, "ProvisionedThroughputExceededException")
            }
        };
    }
    if mishap == Mishap::Conflicted {
        let conflict = transacts.then(|| (400, conflict(body)));
        return conflict.or_else(|| said(400, "TransactionConflictException"));
    }
    let fails = matches!(mishap, Mishap::Failed | Mishap::FailedAfterwards | Mishap::PostFailed);
    if fails { said(500, "InternalServerError") } else { None }
}

/// A transaction that another one is in the way of.
fn conflict(body: &[u8]) -> String {
    let request: Value = serde_json::from_slice(body).expect("a request is JSON");
    let writes = request["TransactItems"].as_array().map_or(0, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); writes];
    if let Some(first) = reasons.first_mut() {
        *first = json!({"Code": "TransactionConflict", "Message": "a transaction is under way"});
    }
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let message = "Transaction cancelled, please refer cancellation reasons";
    json!({"__type": kind, "message": message, "CancellationReasons": reasons}).to_string()
}
