//! The functions of the test, over the Lambda Runtime API by hand.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::{Value as Json, json};

use crate::client::request;

const PREFIX: &str = "/2018-06-01/runtime/invocation";

/// Runs the function if this process was started as one; returns at once if it was not.
pub(crate) fn play() {
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    let Some(api) = variables.get("AWS_LAMBDA_RUNTIME_API") else {
        return;
    };
    if !variables.contains_key("DEAF") {
        // The parent's end closes this input, whatever way it ends.
        std::thread::spawn(|| {
            let mut input = Vec::new();
            let _end: std::io::Result<usize> = std::io::stdin().read_to_end(&mut input);
            std::process::exit(0);
        });
    }
    let workers: usize = variables["AWS_LAMBDA_MAX_CONCURRENCY"].parse().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| while work(api, &variables).is_ok() {});
        }
    });
}

fn work(api: &str, variables: &BTreeMap<String, String>) -> std::io::Result<()> {
    let invocation = request(api, "GET", &format!("{PREFIX}/next"), &[], b"")?;
    let id = invocation.header("lambda-runtime-aws-request-id").unwrap_or_default();
    assert!(invocation.header("lambda-runtime-deadline-ms").is_some());
    assert!(invocation.header("lambda-runtime-invoked-function-arn").is_some());
    let event: Json = serde_json::from_str(&invocation.body)?;
    let (path, body) = match answer(&event, variables) {
        Ok(answer) => ("response", answer),
        Err(kind) => ("error", json!({"errorType": kind, "errorMessage": "as asked"})),
    };
    let path = format!("{PREFIX}/{id}/{path}");
    let accepted = request(api, "POST", &path, &[], body.to_string().as_bytes())?;
    assert_eq!(accepted.status, 202);
    Ok(())
}

fn answer(event: &Json, variables: &BTreeMap<String, String>) -> Result<Json, &'static str> {
    if event.get("requestContext").is_some() {
        return match event["pathParameters"]["name"].as_str() {
            Some("fail") => Err("Asked"),
            Some("exit") => std::process::exit(7),
            Some("pid") => Ok(page(&json!(std::process::id()))),
            Some("environment") => Ok(page(&json!(variables))),
            Some(_) | None => Ok(page(event)),
        };
    }
    let Some(record) = event["Records"].get(0) else {
        // The log is all that can be told before the gateway serves, and the harness would
        // keep what is printed to itself.
        let line = format!("told {event}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return Ok(Json::Null);
    };
    let about = if record["eventSource"] == "aws:sqs" { "queue" } else { "stream" };
    let url = variables["NOTICE_URL"].trim_start_matches("http://");
    let (host, path) = url.split_once('/').unwrap();
    let notice = json!({"about": about, "event": event}).to_string();
    request(host, "POST", &format!("/{path}"), &[], notice.as_bytes()).unwrap();
    if record["body"] == r#"{"fail":true}"# {
        return Ok(json!({"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}));
    }
    Ok(Json::Null)
}

fn page(body: &Json) -> Json {
    json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": body.to_string(),
    })
}
