//! Whole stacks with real processes. This very test executable plays the functions: the stack
//! starts it as `exe function <binary>`, which the test harness reads as "run the tests whose
//! names contain one of these words", and only [`function_mode`] does.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect must fail there"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use local::{Error, Options, Program, Stack};
use serde_json::{Value as Json, json};
use tokio::sync::broadcast;

#[path = "stack/client.rs"]
mod client;
#[path = "stack/runtime.rs"]
mod runtime;

use client::{Reply, request};

const TEMPLATE: &str = include_str!("stack/template.yaml");
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn function_mode() {
    runtime::play();
}

/// Holds a stack until it is killed, when [`whoever_is_killed_takes_its_processes_along`] asks.
#[test]
fn holding_mode() {
    let Some(data) = std::env::var_os("HOLD_DATA").map(std::path::PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stack = Stack::start(options(&data)).await.unwrap();
        put(&stack, "written before the kill").await;
        let pids = json!(stack.processes().iter().map(|(_, pid)| pid).collect::<Vec<_>>());
        std::fs::write(data.join("pids.next"), pids.to_string()).unwrap();
        std::fs::rename(data.join("pids.next"), data.join("pids.json")).unwrap();
        std::future::pending::<()>().await;
    });
}

fn options(data: &Path) -> Options {
    Options {
        listen: ([127, 0, 0, 1], 0).into(),
        data: data.to_owned(),
        template: TEMPLATE.to_owned(),
        parameters: BTreeMap::new(),
        environment: [("EXTRA".to_owned(), "from the caller".to_owned())].into(),
        program: Program::This { exe: std::env::current_exe().unwrap() },
        concurrency_per_function: 8,
        clock: now,
    }
}

#[expect(clippy::disallowed_methods, reason = "the queues know the real time only")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

async fn call(base: &str, method: &'static str, path: &str, body: &str) -> Reply {
    let (base, path, body) = (base.to_owned(), path.to_owned(), body.to_owned());
    let send = move || request(&base, method, &path, &[], body.as_bytes());
    tokio::task::spawn_blocking(send).await.unwrap().unwrap()
}

async fn amazon(base: &str, target: &'static str, body: Json) -> Json {
    let base = base.to_owned();
    let headers = [
        ("x-amz-target", target),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-date", "20261122T000000Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=local/20261122/us-east-1/x/aws4_request, \
             SignedHeaders=host, Signature=0",
        ),
    ];
    let send = move || request(&base, "POST", "/", &headers, body.to_string().as_bytes());
    let reply = tokio::task::spawn_blocking(send).await.unwrap().unwrap();
    assert_eq!(reply.status, 200, "{target}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap_or(Json::Null)
}

/// Waits until this holds.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn is_alive(pid: u64) -> bool {
    let probe = std::process::Command::new("kill").args(["-0", &pid.to_string()]).output();
    probe.unwrap().status.success()
}

/// The next notice that the functions of the test posted about this.
async fn notice(notices: &mut broadcast::Receiver<Json>, about: &str) -> Json {
    let wait = async {
        loop {
            let notice = notices.recv().await.unwrap();
            if notice["about"] == about {
                return notice["event"].clone();
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("no notice of {about}"))
}

async fn put(stack: &Stack, key: &str) {
    let item = json!({"pk": {"S": key}});
    let body = json!({"TableName": stack.resource("Table").unwrap(), "Item": item});
    amazon(stack.dynamodb_endpoint(), "DynamoDB_20120810.PutItem", body).await;
}

async fn send(stack: &Stack, body: Json) {
    let body = json!({
        "QueueUrl": stack.resource("Work").unwrap(),
        "MessageBody": body.to_string(),
    });
    amazon(stack.sqs_endpoint(), "AmazonSQS.SendMessage", body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_records_and_messages_reach_their_processes() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let mut notices = stack.notices();

    let reply = call(stack.base_url(), "POST", "/echo/a%20b?x=1", "hello").await;
    assert_eq!(reply.status, 200);
    let event: Json = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(event["pathParameters"]["name"], "a b");
    assert_eq!(event["body"], "hello");
    let reply = call(stack.base_url(), "GET", "/nowhere", "").await;
    assert_eq!((reply.status, reply.body.as_str()), (404, r#"{"message":"Not Found"}"#));
    let reply = call(stack.base_url(), "POST", "/echo/fail", "").await;
    assert_eq!(reply.status, 500);
    assert_eq!(reply.body, r#"{"message":"Internal Server Error"}"#);
    let reply = call(stack.base_url(), "POST", "/echo/large", &"x".repeat(10_000_001)).await;
    assert_eq!(reply.status, 413);

    let base = stack.base_url().to_owned();
    let rebound = move || request(&base, "GET", "/echo/a", &[("host", "attacker.example")], b"");
    let reply = tokio::task::spawn_blocking(rebound).await.unwrap().unwrap();
    assert_eq!(reply.status, 421, "{}", reply.body);

    put(&stack, "a").await;
    let event = notice(&mut notices, "stream").await;
    assert_eq!(event["Records"][0]["dynamodb"]["NewImage"]["pk"]["S"], "a");

    send(&stack, json!({"say": "hi"})).await;
    let event = notice(&mut notices, "queue").await;
    assert_eq!(event["Records"][0]["body"], r#"{"say":"hi"}"#);
    assert_eq!(event["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");

    stack.stop().await;
    let kept = std::fs::read_to_string(folder.path().join("notices.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_gets_a_clean_environment() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let reply = call(stack.base_url(), "POST", "/echo/environment", "").await;
    let variables: BTreeMap<String, String> = serde_json::from_str(&reply.body).unwrap();
    let expected = [
        ("AWS_LAMBDA_FUNCTION_NAME", "Web"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "8"),
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb_endpoint()),
        ("AWS_ENDPOINT_URL_SQS", stack.sqs_endpoint()),
        ("EXTRA", "from the caller"),
        ("TABLE_NAME", "Table"),
    ];
    for (name, value) in expected {
        assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(variables["SECRET"].len(), 20);
    assert!(!variables.contains_key("CARGO_PKG_NAME"), "the parent's variables were passed on");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_too_often_becomes_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let mut notices = stack.notices();
    send(&stack, json!({"fail": true})).await;
    for count in ["1", "2"] {
        let event = notice(&mut notices, "queue").await;
        assert_eq!(event["Records"][0]["attributes"]["ApproximateReceiveCount"], count);
    }
    let body = json!({
        "QueueUrl": stack.resource("Dead").unwrap(),
        "WaitTimeSeconds": 20,
    });
    let dead = amazon(stack.sqs_endpoint(), "AmazonSQS.ReceiveMessage", body).await;
    assert_eq!(dead["Messages"][0]["Body"], r#"{"fail":true}"#);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let pid = |stack: &Stack| {
        let processes = stack.processes();
        processes.into_iter().find(|(binary, _)| binary == "web").map(|(_, pid)| pid)
    };
    let before = pid(&stack).unwrap();
    let reply = call(stack.base_url(), "POST", "/echo/exit", "").await;
    assert_eq!(reply.status, 500);
    let reply = call(stack.base_url(), "POST", "/echo/again", "").await;
    assert_eq!(reply.status, 200);
    assert_ne!(pid(&stack), Some(before));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_secrets_and_items_and_tells_the_schedule_s_target() {
    let folder = tempfile::tempdir().unwrap();
    let environment =
        |reply: Reply| -> BTreeMap<String, String> { serde_json::from_str(&reply.body).unwrap() };
    let mut secrets = Vec::new();
    for _ in 0..2 {
        let stack = Stack::start(options(folder.path())).await.unwrap();
        let reply = call(stack.base_url(), "POST", "/echo/environment", "").await;
        secrets.push(environment(reply)["SECRET"].clone());
        put(&stack, "kept").await;
        stack.stop().await;
    }
    assert_eq!(secrets[0], secrets[1]);
    let told = std::fs::read_to_string(folder.path().join("logs").join("worker.log")).unwrap();
    let told = told.lines().filter(|line| *line == r#"told {"restart":true,"sweep":true}"#);
    assert_eq!(told.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stack_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let second = Stack::start(options(folder.path())).await.unwrap_err();
    assert!(matches!(second, Error::AlreadyRunning { .. }), "{second}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_asks_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.program = Program::This { exe: "/bin/false".into() };
    let message = Stack::start(options).await.unwrap_err().to_string();
    assert!(message.contains("did not start in 3 attempts; its output is in"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_executable_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.program = Program::Bootstraps { dir: folder.path().join("none") };
    let message = Stack::start(options).await.unwrap_err().to_string();
    assert!(message.starts_with("function web has no executable at"), "{message}");
    assert!(message.ends_with("none/web/bootstrap"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_takes_its_processes_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = std::process::Command::new(std::env::current_exe().unwrap())
        .arg("holding_mode")
        .env("HOLD_DATA", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join("pids.json");
    eventually("the other stack starts", || file.exists()).await;
    let pids: Vec<u64> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(pids.len(), 2);
    holder.kill().unwrap();
    holder.wait().unwrap();
    for pid in pids {
        eventually("the process ends", || !is_alive(pid)).await;
    }
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let body = json!({"TableName": "Table", "Key": {"pk": {"S": "written before the kill"}}});
    let item = amazon(stack.dynamodb_endpoint(), "DynamoDB_20120810.GetItem", body).await;
    assert_eq!(item["Item"]["pk"]["S"], "written before the kill");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_bootstraps_run_and_end_with_the_stack() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let executable = std::env::current_exe().unwrap();
    for binary in ["web", "worker"] {
        let path = folder.path().join(binary).join("bootstrap");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let script = format!("#!/bin/sh\nexec '{}' function {binary}\n", executable.display());
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut options = options(&folder.path().join("data"));
    options.program = Program::Bootstraps { dir: folder.path().to_owned() };
    // As a deployed function does, it pays no heed to its standard input.
    options.environment.insert("DEAF".to_owned(), "1".to_owned());
    let stack = Stack::start(options).await.unwrap();
    let reply = call(stack.base_url(), "POST", "/echo/pid", "").await;
    let pid: u64 = reply.body.parse().unwrap();
    assert!(is_alive(pid));
    stack.stop().await;
    eventually("the process ends", || !is_alive(pid)).await;
}
