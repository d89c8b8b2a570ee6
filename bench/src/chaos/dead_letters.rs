//! What queues have given up.

use std::collections::BTreeMap;

use local::Stack;
use serde_json::{Value, json};

use crate::Failure;

/// The template's queues of dead letters.
const QUEUES: [&str; 5] = [
    "TurnsDeadLetters",
    "WakesDeadLetters",
    "NoticesDeadLetters",
    "DeliveriesDeadLetters",
    "RelayDeadLetters",
];
/// The stack's queues ask that a request is signed, not by whom.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=local/20300101/us-east-1/sqs/aws4_request, \
                      SignedHeaders=host, Signature=00";

/// The queues that hold any, with how many.
pub(super) async fn count(stack: &Stack) -> Result<BTreeMap<String, u64>, Failure> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut found = BTreeMap::new();
    for name in QUEUES {
        let body = json!({
            "QueueUrl": stack.resource(name),
            "AttributeNames": ["ApproximateNumberOfMessages"],
        });
        let request = http.post(stack.sqs_endpoint()).body(body.to_string());
        let request = request
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "AmazonSQS.GetQueueAttributes")
            .header("authorization", SIGNED);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let count = body.pointer("/Attributes/ApproximateNumberOfMessages");
        let count = count.and_then(Value::as_str).and_then(|text| text.parse().ok());
        match count {
            Some(0) => {}
            Some(count) => drop(found.insert(name.to_owned(), count)),
            None => return Err(Failure::Refused { what: format!("{name} {text}"), status }),
        }
    }
    Ok(found)
}
