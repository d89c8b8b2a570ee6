//! The Model Context Protocol, as its clients speak it: versions, messages, batches and refusals.

mod clients;
mod tools;

use axum::body::Body;
use serde_json::{Value, json};
use tests::{Answer, World};

use crate::harness::{bare, refused, text};

/// Every version that begins with `initialize`.
const WITH_HANDSHAKE: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The version that needs no handshake.
const WITHOUT_HANDSHAKE: &str = "2026-07-28";

/// A request of the protocol.
fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// Posts a message under a version that the client names, or none.
async fn post(world: &World, version: Option<&str>, body: impl Into<Body>) -> Answer {
    let request = bare("POST", "/mcp").header("content-type", "application/json");
    let request = request.header("x-api-key", &world.agent);
    let request = match version {
        Some(version) => request.header("mcp-protocol-version", version),
        None => request,
    };
    world.send(request, body.into()).await
}

async fn send(world: &World, message: &Value) -> Value {
    let answer = post(world, None, message.to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers.get("mcp-session-id"), None, "there are no sessions");
    answer.json()
}

/// The result of a tool, called by the holder of `key`.
async fn call(world: &World, key: &str, tool: &str, arguments: &Value) -> Value {
    let message = request("tools/call", &json!({"name": tool, "arguments": arguments}));
    let answer = world.post(key, "/mcp", &message).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["result"].clone()
}

/// What JSON-RPC says of a message that is not served.
#[track_caller]
fn refuses(answer: &Answer, status: u16, code: i64, words: &str) {
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["error"]["code"]), (status, &json!(code)), "{body}");
    let message = body["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{message}");
    assert_eq!(body["jsonrpc"], "2.0");
}

#[tokio::test]
async fn a_handshake_agrees_on_the_client_s_version() {
    let world = World::new().await;
    for version in WITH_HANDSHAKE {
        let client = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "client", "version": "1"},
        });
        let result = send(&world, &request("initialize", &client)).await["result"].clone();
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "holdpoint");
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        let instructions = result["instructions"].as_str().unwrap();
        assert!(instructions.contains("A rejection is final"), "{instructions}");

        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
        let answer = post(&world, Some(version), ready).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
        let list = request("tools/list", &json!({})).to_string();
        let tools = post(&world, Some(version), list).await.json();
        assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(4), "{tools}");
    }
}

#[tokio::test]
async fn a_handshake_of_another_version_is_offered_the_newest_that_has_one() {
    let world = World::new().await;
    for version in ["1999-01-01", WITHOUT_HANDSHAKE, "2999-01-01"] {
        // The contract's client sends its version and nothing else.
        let hello = request("initialize", &json!({"protocolVersion": version}));
        let result = send(&world, &hello).await["result"].clone();
        assert_eq!(result["protocolVersion"], WITH_HANDSHAKE[3], "{version}");
    }
}

/// A request of the version that has everything in each request.
async fn modern(world: &World, method: &str, mut params: Value) -> Answer {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": WITHOUT_HANDSHAKE,
        "io.modelcontextprotocol/clientInfo": {"name": "client", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut head = bare("POST", "/mcp")
        .header("x-api-key", &world.agent)
        .header("mcp-protocol-version", WITHOUT_HANDSHAKE)
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str() {
        head = head.header("mcp-name", name);
    }
    world.send(head, text(request(method, &params).to_string())).await
}

#[tokio::test]
async fn the_newest_version_needs_no_handshake() {
    let world = World::new().await;
    let found = modern(&world, "server/discover", json!({})).await.json()["result"].clone();
    let versions = found["supportedVersions"].as_array().unwrap();
    assert_eq!(versions.len(), WITH_HANDSHAKE.len() + 1, "{found}");
    assert!(versions.contains(&json!(WITHOUT_HANDSHAKE)), "{found}");
    let tools = modern(&world, "tools/list", json!({})).await.json();
    assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(4), "{tools}");
    let asked = json!({"name": "request_approval", "arguments": {"title": "Deploy?"}});
    let asked = modern(&world, "tools/call", asked).await.json()["result"].clone();
    assert_eq!(asked["structuredContent"]["status"], "waiting", "{asked}");
    assert_eq!(asked["resultType"], "complete", "{asked}");
}

#[tokio::test]
async fn the_tools_are_described_for_a_model() {
    let world = World::new().await;
    let listed = send(&world, &request("tools/list", &json!({}))).await;
    insta::assert_json_snapshot!("tools", listed["result"]);
}

#[tokio::test]
async fn what_is_no_message_is_refused_in_the_protocol_s_words() {
    let world = World::new().await;
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(131_072));
    refused(&post(&world, None, large).await, 413, "payload_too_large");
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for (body, words) in [("", "not JSON"), ("{", "not JSON"), (deep.as_str(), "nested deeper")] {
        let answer = post(&world, None, body.to_owned()).await;
        refuses(&answer, 400, -32700, words);
        assert_eq!(answer.json()["id"], Value::Null);
    }
    for body in ["5", "null", "\"tools/list\"", "{}", r#"{"jsonrpc":"2.0","id":7}"#] {
        refuses(&post(&world, None, body).await, 400, -32600, "this is no message; send {");
    }
    let old = r#"{"jsonrpc":"1.0","id":"seven","method":"tools/list"}"#;
    let answer = post(&world, None, old).await;
    refuses(&answer, 400, -32600, "this is no message");
    assert_eq!(answer.json()["id"], "seven");
    let reply = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    refuses(&post(&world, None, reply).await, 400, -32600, "does not accept");
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let world = World::new().await;
    let ask = async |method: &str, params: Value| {
        post(&world, None, request(method, &params).to_string()).await
    };
    refuses(&ask("tasks/decide", json!({})).await, 200, -32601, "tools/call are");
    refuses(&ask("resources/list", json!({})).await, 200, -32601, "resources/list");
    let decide = json!({"name": "approve", "arguments": {}});
    refuses(&ask("tools/call", decide).await, 200, -32602, "call one of request_approval");
    refuses(&ask("tools/call", json!({})).await, 200, -32602, "missing field `name`");
    let list = json!({"name": "list_approvals", "arguments": []});
    refuses(&ask("tools/call", list).await, 200, -32602, "arguments: invalid type: sequence");
    refuses(&ask("initialize", json!({})).await, 200, -32602, "protocolVersion");
    assert_eq!(ask("ping", json!({})).await.json()["result"], json!({}));

    let list = request("tools/list", &json!({})).to_string();
    let unknown = post(&world, Some("1999-01-01"), list).await;
    refuses(&unknown, 400, -32600, "2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28");
    assert_eq!(unknown.json()["id"], 1);
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_where_the_version_has_batches() {
    let world = World::new().await;
    let one = |id: u64, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method});
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let batch =
        json!([one(7, "tools/list"), told, one(8, "no/method"), {"id": 9}, one(10, "ping")]);
    for version in [None, Some("2025-03-26")] {
        let answer = post(&world, version, batch.to_string()).await;
        let answers = answer.json();
        let ids: Vec<_> = answers.as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert_eq!(
            (answer.status.as_u16(), ids),
            (200, vec![7.into(), 8.into(), 9.into(), 10.into()])
        );
        assert_eq!(answers[1]["error"]["code"], -32601);
        assert_eq!(answers[2]["error"]["code"], -32600);
    }
    let answer = post(&world, None, json!([told, told]).to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
    let later = post(&world, Some("2025-06-18"), batch.to_string()).await;
    refuses(&later, 400, -32600, "send one message at a time");
    refuses(&post(&world, None, "[]").await, 400, -32600, "a batch has 0 messages; send 1 to 20");
    let many = json!(vec![one(1, "ping"); 21]).to_string();
    refuses(&post(&world, None, many).await, 400, -32600, "a batch has 21 messages");
}

#[tokio::test]
async fn there_is_no_stream_to_open_and_no_session_to_end() {
    let world = World::new().await;
    for method in ["GET", "DELETE"] {
        let head = bare(method, "/mcp").header("x-api-key", &world.agent);
        let answer = world.send(head.header("accept", "text/event-stream"), text("")).await;
        refused(&answer, 405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn a_web_page_from_elsewhere_cannot_use_this_machine_s_server() {
    let world = World::new().await;
    let list = request("tools/list", &json!({})).to_string();
    let ask = async |method: &str, origin: &str| {
        let head = bare(method, "/mcp").header("origin", origin);
        world.send(head.header("x-api-key", &world.agent), text(list.clone())).await
    };
    for origin in ["https://example.com", "http://127.0.0.1.example.com", "null"] {
        refused(&ask("POST", origin).await, 403, "policy_denied");
        refused(&ask("GET", origin).await, 403, "policy_denied");
    }
    assert_eq!(ask("POST", "http://localhost:6274").await.status.as_u16(), 200);
}
