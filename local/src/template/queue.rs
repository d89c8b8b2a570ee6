//! A queue of the template, and a function's subscription to one.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

use super::scope::{ACCOUNT, REGION, Scope, text_of, whole_of};
use super::{TemplateError, shape};

/// Messages that one invocation may get, as on AWS without a batching window.
const BATCH_SIZE_MAX: u64 = 10;

/// One `AWS::SQS::Queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Attributes as the SQS API takes them.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// One `SQS` event of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueSource {
    pub(crate) queue: String,
    pub(crate) batch_size: u16,
    /// The function says which messages of a batch failed.
    pub(crate) reports_failures: bool,
}

impl Queue {
    const ATTRIBUTES: [&'static str; 5] = [
        "VisibilityTimeout",
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
    ];

    /// The name that the template gives, or else the logical id.
    pub(crate) fn name(logical_id: &str, properties: &Yaml) -> String {
        properties.get("QueueName").and_then(Yaml::as_str).unwrap_or(logical_id).to_owned()
    }

    pub(crate) fn arn(name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
    }

    pub(crate) fn parse(
        name: String,
        properties: &Yaml,
        scope: &Scope<'_>,
    ) -> Result<Self, TemplateError> {
        let resolved = scope.resolve(properties)?.unwrap_or(Json::Null);
        let mut attributes: BTreeMap<_, _> = Self::ATTRIBUTES
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), text_of(resolved.get(key)?)?)))
            .collect();
        if let Some(redrive) = resolved.get("RedrivePolicy") {
            attributes.insert("RedrivePolicy".to_owned(), redrive.to_string());
        }
        if resolved.get("FifoQueue").is_some_and(|fifo| *fifo == Json::Bool(true)) {
            return Err(shape(
                format!("Queue {name}"),
                "a standard queue, as FIFO has no stand-in",
            ));
        }
        Ok(Self { name, attributes })
    }
}

impl QueueSource {
    pub(crate) fn parse(
        place: &str,
        properties: &Yaml,
        scope: &Scope<'_>,
        queues: &[Queue],
    ) -> Result<Self, TemplateError> {
        let resolved = scope.resolve(properties)?.unwrap_or(Json::Null);
        let arn = resolved.get("Queue").and_then(Json::as_str);
        let arn = arn.ok_or_else(|| shape(format!("{place}.Queue"), "the ARN of a queue"))?;
        let queue = queue_of(arn, queues)?;
        if resolved.get("FilterCriteria").is_some() {
            return Err(shape(
                format!("{place}.FilterCriteria"),
                "absent, since filters are for streams here",
            ));
        }
        let batch_size = resolved.get("BatchSize").and_then(whole_of).unwrap_or(BATCH_SIZE_MAX);
        let batch_size = u16::try_from(batch_size.clamp(1, BATCH_SIZE_MAX)).unwrap_or(1);
        Ok(Self { queue, batch_size, reports_failures: reports_failures(&resolved) })
    }
}

/// The queue with this ARN.
pub(crate) fn queue_of(arn: &str, queues: &[Queue]) -> Result<String, TemplateError> {
    let queue = queues.iter().find(|queue| Queue::arn(&queue.name) == arn);
    queue
        .map(|queue| queue.name.clone())
        .ok_or_else(|| TemplateError::Reference { reference: arn.to_owned() })
}

/// Whether `FunctionResponseTypes` holds `ReportBatchItemFailures`.
pub(crate) fn reports_failures(properties: &Json) -> bool {
    let types = properties.get("FunctionResponseTypes").and_then(Json::as_array);
    types.is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures"))
}
