//! A table of the template, and a function's subscription to its stream.

use serde_json::{Map, Value as Json, json};
use serde_yaml_ng::Value as Yaml;

use super::filter::EventFilter;
use super::queue::{Queue, queue_of, reports_failures};
use super::scope::{ACCOUNT, REGION, Scope, whole_of};
use super::{TemplateError, shape};

/// Records that one invocation may get, as on AWS.
const BATCH_SIZE_MAX: u64 = 1_000;
const BATCH_SIZE_DEFAULT: u64 = 100;

/// One `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The properties as a `CreateTable` request.
    pub(crate) request: Json,
    /// The attribute that holds an item's end of life, in seconds since 1970.
    pub(crate) ttl_attribute: Option<String>,
}

/// One `DynamoDB` event of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamSource {
    pub(crate) table: String,
    pub(crate) batch_size: u16,
    /// `None` retries until the records are gone, which here is for ever.
    pub(crate) retries_max: Option<u32>,
    /// A failed batch is tried again in halves.
    pub(crate) bisects: bool,
    /// The function says at which record a batch failed.
    pub(crate) reports_failures: bool,
    /// The queue that is told about records that were given up.
    pub(crate) on_failure: Option<String>,
    /// Records that the function is invoked with; the others are passed over.
    pub(crate) filter: EventFilter,
}

impl Table {
    /// Properties that `CreateTable` takes in the same shape; the others configure AWS itself.
    const CREATE_PROPERTIES: [&'static str; 6] = [
        "KeySchema",
        "AttributeDefinitions",
        "GlobalSecondaryIndexes",
        "LocalSecondaryIndexes",
        "BillingMode",
        "ProvisionedThroughput",
    ];

    /// The name that the template gives, or else the logical id.
    pub(crate) fn name(logical_id: &str, properties: &Yaml) -> String {
        properties.get("TableName").and_then(Yaml::as_str).unwrap_or(logical_id).to_owned()
    }

    pub(crate) fn arn(name: &str) -> String {
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
    }

    pub(crate) fn stream_arn(name: &str) -> String {
        format!("{}/stream/local", Self::arn(name))
    }

    pub(crate) fn parse(
        name: String,
        properties: &Yaml,
        scope: &Scope<'_>,
    ) -> Result<Self, TemplateError> {
        let resolved = scope.resolve(properties)?.unwrap_or(Json::Null);
        let mut request: Map<_, _> = Self::CREATE_PROPERTIES
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), resolved.get(key)?.clone())))
            .collect();
        request.insert("TableName".to_owned(), json!(name));
        if let Some(view) = resolved.pointer("/StreamSpecification/StreamViewType") {
            let stream = json!({"StreamEnabled": true, "StreamViewType": view});
            request.insert("StreamSpecification".to_owned(), stream);
        }
        let ttl = resolved.get("TimeToLiveSpecification");
        let ttl = ttl.filter(|ttl| ttl.get("Enabled").is_some_and(|on| on == true || on == "true"));
        let ttl_attribute = match ttl.map(|ttl| ttl.get("AttributeName").and_then(Json::as_str)) {
            None => None,
            Some(Some(attribute)) => Some(attribute.to_owned()),
            Some(None) => {
                return Err(shape(format!("TTL of table {name}"), "given an AttributeName"));
            }
        };
        Ok(Self { name, request: Json::Object(request), ttl_attribute })
    }

    fn has_stream(&self) -> bool {
        self.request.get("StreamSpecification").is_some()
    }
}

impl StreamSource {
    pub(crate) fn parse(
        place: &str,
        properties: &Yaml,
        scope: &Scope<'_>,
        tables: &[Table],
        queues: &[Queue],
    ) -> Result<Self, TemplateError> {
        let resolved = scope.resolve(properties)?.unwrap_or(Json::Null);
        let arn = resolved.get("Stream").and_then(Json::as_str);
        let arn = arn.ok_or_else(|| shape(format!("{place}.Stream"), "the ARN of a stream"))?;
        let table = tables.iter().find(|table| Table::stream_arn(&table.name) == arn);
        let table = table.filter(|table| table.has_stream());
        let table = table.ok_or_else(|| TemplateError::Reference { reference: arn.to_owned() })?;
        if resolved.get("StartingPosition").is_some_and(|position| position != "TRIM_HORIZON") {
            return Err(shape(format!("{place}.StartingPosition"), "TRIM_HORIZON"));
        }
        let batch_size = resolved.get("BatchSize").and_then(whole_of).unwrap_or(BATCH_SIZE_DEFAULT);
        let retries = resolved.get("MaximumRetryAttempts").and_then(whole_of);
        let on_failure = resolved.pointer("/DestinationConfig/OnFailure/Destination");
        let on_failure = on_failure.and_then(Json::as_str);
        Ok(Self {
            table: table.name.clone(),
            batch_size: u16::try_from(batch_size.clamp(1, BATCH_SIZE_MAX)).unwrap_or(1),
            retries_max: retries.map(|retries| u32::try_from(retries).unwrap_or(u32::MAX)),
            bisects: resolved.get("BisectBatchOnFunctionError") == Some(&Json::Bool(true)),
            reports_failures: reports_failures(&resolved),
            on_failure: on_failure.map(|arn| queue_of(arn, queues)).transpose()?,
            filter: EventFilter::parse(place, resolved.get("FilterCriteria"))?,
        })
    }
}
