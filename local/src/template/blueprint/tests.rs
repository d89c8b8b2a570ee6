use std::time::Duration;

use serde_json::json;

use super::*;
use crate::template::filter::EventFilter;

const TEMPLATE: &str = include_str!("../../../../template.yaml");

fn blueprint(text: &str, given: &[(&str, &str)]) -> Result<Blueprint, TemplateError> {
    let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let addresses =
        Addresses { api: "http://127.0.0.1:1".to_owned(), sqs: "http://127.0.0.1:2".to_owned() };
    Blueprint::new(&Template::parse(text)?, &given, &addresses)
}

fn function<'b>(blueprint: &'b Blueprint, id: &str) -> &'b Function {
    blueprint.functions.iter().find(|function| function.logical_id == id).unwrap()
}

#[test]
fn the_product_s_own_template_can_be_run() {
    let blueprint = blueprint(TEMPLATE, &[("StreamPollMilliseconds", "5")]).unwrap();
    assert_eq!(blueprint.functions.len(), 12);
    let intents = function(&blueprint, "Intents");
    assert_eq!(intents.binary, "intents");
    assert_eq!(intents.timeout, Duration::from_secs(29));
    assert_eq!(intents.memory_mib, 256);
    assert_eq!(intents.environment["STREAM_POLL_MS"], "5");
    assert_eq!(intents.environment["TABLE_NAME"], "Table");
    assert_eq!(intents.environment["RETENTION_DAYS"], "180");
    let notify = function(&blueprint, "Notify");
    assert_eq!(notify.environment["PUBLIC_URL"], "http://127.0.0.1:1");
    let relay = function(&blueprint, "Relay");
    assert_eq!(relay.environment["TURNS_QUEUE_URL"], "http://127.0.0.1:2/123456789012/TurnsQueue");
    let [stream] = relay.stream_sources.as_slice() else { panic!("one stream") };
    assert_ne!(stream.filter, EventFilter::default());
    assert_eq!(
        *stream,
        crate::template::table::StreamSource {
            table: "Table".to_owned(),
            batch_size: 100,
            retries_max: Some(100),
            bisects: true,
            reports_failures: true,
            on_failure: Some("RelayDeadLetters".to_owned()),
            filter: stream.filter.clone(),
        }
    );
    let worker = function(&blueprint, "AgentWorker");
    assert_eq!(
        worker.queue_sources,
        [crate::template::queue::QueueSource {
            queue: "TurnsQueue".to_owned(),
            batch_size: 1,
            reports_failures: true,
        }]
    );
    let [sweep] = function(&blueprint, "Wake").schedules.as_slice() else {
        panic!("one schedule");
    };
    assert_eq!((sweep.every, &sweep.input), (Duration::from_mins(1), &json!({"sweep": true})));
}

#[test]
fn the_product_s_table_queues_and_secrets_are_read() {
    let blueprint = blueprint(TEMPLATE, &[]).unwrap();
    let [table] = blueprint.tables.as_slice() else { panic!("one table") };
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl_epoch_s"));
    assert_eq!(table.request["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(table.request.get("PointInTimeRecoverySpecification"), None);
    let turns = blueprint.queues.iter().find(|queue| queue.name == "TurnsQueue").unwrap();
    assert_eq!(turns.attributes["VisibilityTimeout"], "720");
    let redrive: serde_json::Value =
        serde_json::from_str(&turns.attributes["RedrivePolicy"]).unwrap();
    assert_eq!(
        redrive,
        json!({
            "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:TurnsDeadLetters",
            "maxReceiveCount": 8
        })
    );
    let [links, notices] = blueprint.secrets.as_slice() else { panic!("two secrets") };
    for secret in [links, notices] {
        assert_eq!((secret.length, secret.alphabet.len()), (64, 62));
    }
    assert_eq!(blueprint.references["Table"], "Table");
}

#[test]
fn the_product_s_routes_lead_to_their_functions() {
    let routes = blueprint(TEMPLATE, &[]).unwrap().routes;
    let table = [
        ("POST", "/v1/intents", "SendIntent"),
        ("GET", "/v1/intents/7/events/stream", "Intents"),
        ("GET", "/v1/agents/a/b/c/intents/stream", "Intents"),
        ("GET", "/v1/agents", "Agents"),
        ("PUT", "/v1/routes/agent://a/b/c", "Agents"),
        ("POST", "/approve/token", "Approve"),
        ("POST", "/mcp", "Mcp"),
        ("DELETE", "/v1/webhooks/subscriptions/7", "Webhooks"),
    ];
    for (method, path, expected) in table {
        assert_eq!(routes.find(method, path).unwrap().function, expected, "{method} {path}");
    }
}

#[test]
fn what_cannot_run_here_is_refused_by_name() {
    let function = |rest: &str| {
        format!(
            "Resources: {{F: {{Type: 'AWS::Serverless::Function', \
             Metadata: {{BuildProperties: {{Binary: f}}}}, Properties: {{{rest}}}}}}}"
        )
    };
    let table = [
        (
            function("Events: {Drop: {Type: S3}}"),
            "event Drop of function F has type S3, which cannot run on one machine; \
             supported are HttpApi, SQS, DynamoDB, Schedule and ScheduleV2",
        ),
        (
            function(
                "Events: {Nightly: {Type: Schedule, Properties: {Schedule: 'cron(0 0 * * ? *)'}}}",
            ),
            "schedule cron(0 0 * * ? *) is not supported on one machine; use rate(N minutes)",
        ),
        (
            function("Events: {In: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:x'}}}"),
            "arn:aws:sqs:x in the template refers to nothing that exists here",
        ),
        (function("Timeout: soon"), "Timeout of function F in the template must be a whole number"),
        (
            "Resources: {F: {Type: 'AWS::Serverless::Function'}}".to_owned(),
            "Metadata.BuildProperties.Binary of function F in the template must be \
             the name of its executable",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(blueprint(&text, &[]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_resource_whose_condition_fails_does_not_exist() {
    let text = "
Parameters: {Stage: {Type: String, Default: dev}}
Conditions: {Live: !Equals [!Ref Stage, prod]}
Resources:
  Always: {Type: 'AWS::SQS::Queue'}
  Sometimes: {Type: 'AWS::SQS::Queue', Condition: Live}";
    let names = |given: &[(&str, &str)]| {
        let queues = blueprint(text, given).unwrap().queues;
        queues.into_iter().map(|queue| queue.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["Always"]);
    assert_eq!(names(&[("Stage", "prod")]), ["Always", "Sometimes"]);
}
