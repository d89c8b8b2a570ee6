//! What is refused, how it is said, and that nothing has changed then.

mod edges;
mod everywhere;
mod surface;

use axum::body::Body;
use serde_json::{Value, json};
use tests::{Answer, World};

use crate::harness::{bare, events, nobody, question, text, turn};

/// A request that must be refused.
struct Case {
    method: &'static str,
    path: String,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// The field that the refusal names; empty if the body as a whole is wrong.
    field: &'static str,
}

const UNREADABLE: (u16, &str) = (400, "malformed_request");
const WRONG: (u16, &str) = (422, "invalid_request");
const LARGE: (u16, &str) = (413, "payload_too_large");
const ABSENT: (u16, &str) = (404, "not_found");

fn case(
    method: &'static str,
    path: impl Into<String>,
    body: impl Into<Vec<u8>>,
    (status, code): (u16, &'static str),
    field: &'static str,
) -> Case {
    Case { method, path: path.into(), body: body.into(), status, code, field }
}

fn get(path: impl Into<String>, outcome: (u16, &'static str), field: &'static str) -> Case {
    case("GET", path, "", outcome, field)
}

/// A body with `field` set to `value`, on top of one that would be taken.
fn with(base: &Value, field: &str, value: Value) -> String {
    let mut body = base.clone();
    body[field] = value;
    body.to_string()
}

fn long(chars: usize) -> Value {
    Value::String("x".repeat(chars))
}

async fn check(world: &World, key: &str, cases: Vec<Case>) {
    let before = world.table.items().await;
    let mut wrong = Vec::new();
    for case in cases {
        let request = bare(case.method, &case.path).header("content-type", "application/json");
        let request = request.header("x-api-key", key);
        let shown: String = String::from_utf8_lossy(&case.body).chars().take(120).collect();
        let answer = world.send(request, Body::from(case.body)).await;
        let expected = (case.status, case.code, case.field);
        if let Some(fault) = fault(&answer, expected) {
            wrong.push(format!("{} {} {shown}\n  {fault}", case.method, case.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.table.items().await, before, "a refused request changed the table");
}

/// What is wrong with a refusal, if anything is.
fn fault(answer: &Answer, (status, code, field): (u16, &str, &str)) -> Option<String> {
    let body = answer.json();
    let named = body["error"]["details"]["field"].as_str().unwrap_or_default();
    let said = (answer.status.as_u16(), answer.code());
    let whole = body["status"] == status
        && body["type"] == format!("urn:holdpoint:problem:{code}")
        && body["title"].as_str().is_some_and(|title| !title.is_empty())
        && body["detail"].as_str().is_some_and(|detail| !detail.is_empty())
        && body["error"]["message"] == body["detail"]
        && answer.headers.get("content-type").is_some_and(|t| t == "application/problem+json")
        && answer.headers.contains_key("x-request-id");
    let right = said == (status, code.to_owned()) && named == field && whole;
    (!right).then(|| format!("expected {status} {code} `{field}`, got {}", answer.text))
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_on_every_route_that_takes_one() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let intent = format!("/v1/intents/{id}");
    let mut cases = Vec::new();
    for (method, path) in [
        ("POST", "/v1/intents".to_owned()),
        ("POST", "/v1/scenarios/apply".to_owned()),
        ("POST", "/v1/scenarios/validate".to_owned()),
        ("POST", format!("{intent}/resume")),
        ("POST", format!("{intent}/resolve")),
        ("POST", format!("{intent}/suspend")),
        ("POST", format!("{intent}/tool-calls/c/claim")),
        ("POST", format!("{intent}/tool-calls/c/complete")),
        ("POST", format!("/v1/approvals/{id}/decision")),
        ("POST", "/v1/keys".to_owned()),
        ("PUT", "/v1/routes/a".to_owned()),
    ] {
        for body in
            ["{", "not json", "{\"a\":1} x", "[]", "\"text\"", "5", "null", "true", "\u{feff}{}"]
        {
            cases.push(case(method, path.clone(), body, UNREADABLE, ""));
        }
        cases.push(case(method, path.clone(), b"{\"a\":\"\xff\"}".as_slice(), UNREADABLE, ""));
        let deep =
            |levels: usize| format!("{{\"payload\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        cases.push(case(method, path.clone(), deep(64), UNREADABLE, ""));
        cases.push(case(method, path, deep(60_000), UNREADABLE, ""));
    }
    check(&world, &world.agent, cases).await;
}

#[tokio::test]
async fn an_intent_that_cannot_be_is_refused_by_field() {
    let world = World::new().await;
    let ok = json!({"intent_type": "t", "to_agent": "a"});
    let mut cases = vec![
        case("POST", "/v1/intents", "", WRONG, "to_agent"),
        case("POST", "/v1/intents", "{}", WRONG, "to_agent"),
        case("POST", "/v1/intents", r#"{"to_agent":"a"}"#, WRONG, "intent_type"),
    ];
    for (field, value, named) in [
        ("intent_type", json!(5), "intent_type"),
        ("intent_type", json!(" "), "intent_type"),
        ("intent_type", long(256), "intent_type"),
        ("correlation_id", json!("none"), "correlation_id"),
        ("to_agent", json!(["a"]), "to_agent"),
        ("to_agent", json!("a/b/c/d"), "to_agent"),
        ("to_agent", json!("a b"), "to_agent"),
        ("to_agent", json!(""), "to_agent"),
        ("to_agent", long(384), "to_agent"),
        ("payload", json!([]), "payload"),
        ("payload", json!("text"), "payload"),
        ("reply_to", json!("a#b"), "reply_to"),
        ("escalate_to", json!("a?b"), "escalate_to"),
        ("deadline_at", json!("tomorrow"), "deadline_at"),
        ("deadline_at", json!("2030-01-31T17:00:00"), "deadline_at"),
        ("deadline_at", json!("2030-01-01T00:00:00Z"), "deadline_at"),
        ("deadline_at", json!("2029-12-31T23:59:59Z"), "deadline_at"),
        ("deadline_at", json!("2031-01-02T00:00:01Z"), "deadline_at"),
        ("deadline_at", json!(1_893_456_060), "deadline_at"),
        ("ttl_seconds", json!(0), "ttl_seconds"),
        ("ttl_seconds", json!(-1), "ttl_seconds"),
        ("ttl_seconds", json!(1.5), "ttl_seconds"),
        ("ttl_seconds", json!("a minute"), "ttl_seconds"),
        ("ttl_seconds", json!(31_622_401), "ttl_seconds"),
        ("ttl_seconds", json!(1e300), "ttl_seconds"),
        ("remind_after_seconds", json!(0), "remind_after_seconds"),
        ("remind_interval_seconds", json!("-5"), "remind_interval_seconds"),
        ("max_reminders", json!(101), "max_reminders"),
        ("max_delivery_attempts", json!(0), "max_delivery_attempts"),
        ("max_delivery_attempts", json!(101), "max_delivery_attempts"),
        ("human_task", json!("yes"), "human_task"),
        ("human_task", json!(["Sure?"]), "human_task"),
        ("human_task", json!({"title": long(256)}), "human_task.title"),
        ("human_task", json!({"title": 5}), "human_task.title"),
        ("human_task", json!({"description": long(2001)}), "human_task.description"),
        ("human_task", json!({"task_type": "prayer"}), "human_task.task_type"),
        ("human_task", json!({"type": "prayer"}), "human_task.task_type"),
        ("human_task", json!({"form_schema": {"type": "array"}}), "human_task.form_schema"),
        ("human_task", json!({"form_schema": [1]}), "human_task.form_schema"),
        ("human_task", json!({"evidence_required": "very"}), "human_task.evidence_required"),
        ("human_task", json!({"allowed_outcomes": ["Yes, please"]}), "human_task.allowed_outcomes"),
        (
            "human_task",
            json!({"allowed_outcomes": vec!["approved"; 21]}),
            "human_task.allowed_outcomes",
        ),
        ("human_task", json!({"approving_outcomes": ["shipped"]}), "human_task.approving_outcomes"),
        ("human_task", json!({"allowed_outcomes": ["maybe"]}), "human_task.allowed_outcomes"),
        ("human_task", json!({"allowed_outcomes": "approved"}), "human_task.allowed_outcomes"),
        ("human_task", json!({"assignees": "ana"}), "human_task.assignees"),
        ("human_task", json!({"assignees": [""]}), "human_task.assignees"),
        ("human_task", json!({"assignees": vec!["a"; 21]}), "human_task.assignees"),
        ("human_task", json!({"required_comment": "yes"}), "human_task.required_comment"),
        ("human_task", json!({"notify_email": long(256)}), "human_task.notify_email"),
    ] {
        cases.push(case("POST", "/v1/intents", with(&ok, field, value), WRONG, named));
    }
    let both = json!({"ttl_seconds": 60, "deadline_at": "2030-01-02T00:00:00Z", "intent_type": "t", "to_agent": "a"});
    cases.push(case("POST", "/v1/intents", both.to_string(), WRONG, "ttl_seconds"));
    check(&world, &world.agent, cases).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_the_limit_and_one_at_the_limit_is_taken() {
    let world = World::new().await;
    let frame = json!({"intent_type": "t", "to_agent": "a", "payload": {"p": ""}}).to_string();
    let fill = |bytes: usize| {
        frame.replace("\"p\":\"\"", &format!("\"p\":\"{}\"", "x".repeat(bytes - frame.len())))
    };
    check(&world, &world.agent, vec![case("POST", "/v1/intents", fill(131_073), LARGE, "")]).await;
    let request = || bare("POST", "/v1/intents").header("x-api-key", &world.agent);
    let over = world.send(request(), text(fill(131_073))).await;
    assert!(over.json()["detail"].as_str().unwrap().contains("131072 bytes"), "{}", over.text);
    let at = world.send(request(), text(fill(131_072))).await;
    assert_eq!(at.status.as_u16(), 200, "{}", at.text);

    let id = turn(&world, "a").await;
    let path = format!("/v1/intents/{id}/suspend");
    let suspend = |bytes: usize| {
        json!({
            "checkpoint": {"format": "f", "version": "1", "data": "x".repeat(bytes)},
            "approvals": [{"call_id": "c", "tool": "t"}],
        })
        .to_string()
    };
    let cases = vec![
        case("POST", path.clone(), suspend(300_001), WRONG, "checkpoint.data"),
        case("POST", path.clone(), suspend(400_000), LARGE, ""),
    ];
    check(&world, &world.agent, cases).await;
    let request = bare("POST", &path).header("x-api-key", &world.agent);
    let taken = world.send(request, text(suspend(300_000))).await;
    assert_eq!(taken.status.as_u16(), 200, "{}", taken.text);
}

#[tokio::test]
async fn what_cannot_be_found_is_not_found_and_queries_that_say_nothing_are_refused() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let mut cases = Vec::new();
    for id in [nobody().to_string(), "none".to_owned(), "123".to_owned(), "%F0%9F".to_owned()] {
        for path in ["", "/events", "/events/stream", "/checkpoint"] {
            cases.push(get(format!("/v1/intents/{id}{path}"), ABSENT, ""));
        }
        for (path, body) in [
            ("resume", "{}"),
            ("resolve", r#"{"status":"CANCELED"}"#),
            ("suspend", r#"{"waits_for":"tool"}"#),
            ("tool-calls/c/claim", r#"{"tool":"t"}"#),
            ("tool-calls/c/complete", r#"{"claim_token":"t"}"#),
        ] {
            cases.push(case("POST", format!("/v1/intents/{id}/{path}"), body, ABSENT, ""));
        }
        let path = format!("/v1/approvals/{id}/decision");
        cases.push(case("POST", path, r#"{"decision":"approve"}"#, ABSENT, ""));
    }
    cases.extend([
        get("/v1/intents?status=DONE", WRONG, "status"),
        get("/v1/intents?limit=some", UNREADABLE, ""),
        get("/v1/intents?limit=-1", UNREADABLE, ""),
        get(format!("/v1/intents/{id}/events?since=-1"), UNREADABLE, ""),
        get(format!("/v1/intents/{id}/events?since=now"), UNREADABLE, ""),
        get(format!("/v1/intents/{id}/events/stream?wait_seconds=long"), UNREADABLE, ""),
        get(format!("/v1/intents/{id}/events/stream?wait_seconds=0"), WRONG, "wait_seconds"),
        get("/v1/agents/a/intents/stream?wait_seconds=61", WRONG, "wait_seconds"),
        get("/v1/agents?limit=0", WRONG, "limit"),
        get("/v1/mesh/events?limit=501", WRONG, "limit"),
        get("/v1/agents/a/intents/stream?since=18446744073709551616", UNREADABLE, ""),
        get("/v1/agents/a%20b/intents/stream", WRONG, "address"),
        get("/v1/routes/nowhere", ABSENT, ""),
        get("/v1/routes/a/b/c/d", WRONG, "address"),
        get("/v1/nothing", ABSENT, ""),
    ]);
    check(&world, &world.agent, cases).await;
}

/// A suspension whose one question has `field` set to `value`.
fn ask(field: &str, value: Value) -> Value {
    let ask = with(&json!({"call_id": "c", "tool": "t"}), field, value);
    json!({"approvals": [serde_json::from_str::<Value>(&ask).unwrap()]})
}

#[tokio::test]
async fn what_an_agent_says_wrongly_is_refused_by_field() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let at = |rest: &str| format!("/v1/intents/{id}/{rest}");
    let post = |rest: &str, body: Value, field: &'static str| {
        case("POST", at(rest), body.to_string(), WRONG, field)
    };
    let call = json!({"call_id": "c", "tool": "t"});
    let mut cases = vec![
        post("resume", json!({"action": "fail", "reason": long(2001)}), "reason"),
        post("resume", json!({"action": "fail", "reason": 5}), "reason"),
        post(
            "resume",
            json!({"approve_current_step": true, "next_handler": "a b"}),
            "next_handler",
        ),
        post("resume", json!({"approve_current_step": true, "next_handler": 5}), "next_handler"),
        post("resolve", json!({}), "status"),
        post("resolve", json!({"status": "DONE"}), "status"),
        post("resolve", json!({"status": "CANCELED", "reason": long(2001)}), "reason"),
        post("suspend", json!({"approvals": "one"}), "approvals"),
        post("suspend", json!({"approvals": [{"tool": "t"}]}), "approvals[0]"),
        post("suspend", json!({"checkpoint": {"format": "f"}}), "checkpoint"),
        post(
            "suspend",
            json!({"expected_checkpoint": "x", "approvals": [call]}),
            "expected_checkpoint",
        ),
        post("suspend", json!({"waits_for": "luck"}), "waits_for"),
        post("suspend", json!({"waits_for": "time"}), "until"),
        post("suspend", json!({"waits_for": "time", "until": "later"}), "until"),
        post("suspend", json!({"waits_for": "tool", "approvals": [call]}), "approvals"),
        post("suspend", ask("call_id", long(201)), "approvals[0].call_id"),
        post("suspend", ask("call_id", json!("")), "approvals[0].call_id"),
        post("suspend", ask("tool", long(201)), "approvals[0].tool"),
        post("suspend", ask("arguments", json!([])), "approvals[0].arguments"),
        post(
            "suspend",
            ask("arguments", json!({"n": 9_007_199_254_740_992_u64})),
            "approvals[0].arguments",
        ),
        post("suspend", ask("title", long(256)), "approvals[0].title"),
        post("suspend", ask("description", long(2001)), "approvals[0].description"),
        post("suspend", ask("assignees", json!(vec!["a"; 21])), "approvals[0].assignees"),
        post("suspend", ask("timeout_seconds", json!(0)), "approvals[0].timeout_seconds"),
        post("suspend", ask("max_reminders", json!(101)), "approvals[0].max_reminders"),
        post("tool-calls/c/claim", json!({"tool": 5}), "tool"),
        post("tool-calls/c/claim", json!({"tool": "t", "arguments": 5}), "arguments"),
        post("tool-calls/c/claim", json!({"tool": "t", "claim_token": "short"}), "claim_token"),
        post("tool-calls/c/claim", json!({"tool": "t", "claim_token": long(101)}), "claim_token"),
        post("tool-calls/c/complete", json!({"claim_token": "t", "is_error": "no"}), "is_error"),
        post(
            "tool-calls/c/complete",
            json!({"claim_token": "t", "output": long(32_768)}),
            "output",
        ),
    ];
    let many = vec![json!({"call_id": "c", "tool": "t"}); 11];
    for approvals in [json!([]), json!(many)] {
        let body = json!({"approvals": approvals}).to_string();
        cases.push(case("POST", at("suspend"), body, (422, "too_many_approvals"), ""));
    }
    let twice = json!({"approvals": [call, call]}).to_string();
    cases.push(case("POST", at("suspend"), twice, (409, "call_id_reused"), ""));
    let long_call = format!("tool-calls/{}/claim", "c".repeat(201));
    cases.push(post(&long_call, json!({"tool": "t"}), "call_id"));
    check(&world, &world.agent, cases).await;
    assert_eq!(events(&world, &id).await.len(), 3);
}

#[tokio::test]
async fn what_a_reviewer_says_wrongly_is_refused_by_field() {
    let world = World::new().await;
    let id = question(&world, "a", json!({"required_comment": true})).await;
    let digest = "0".repeat(64);
    let mut cases = Vec::new();
    for (path, base) in [
        (format!("/v1/intents/{id}/resume"), json!({"outcome": "approved"})),
        (format!("/v1/approvals/{id}/decision"), json!({"decision": "approve"})),
    ] {
        let decisive = if path.ends_with("resume") { "outcome" } else { "decision" };
        for (field, value, named) in [
            (decisive, json!(5), decisive),
            ("comment", long(2001), "comment"),
            ("comment", json!(7), "comment"),
            ("version", json!(8), "digest"),
            ("digest", json!(digest), "digest"),
        ] {
            cases.push(case("POST", path.clone(), with(&base, field, value), WRONG, named));
        }
        let mut seen = base.clone();
        seen["version"] = json!("eight");
        seen["digest"] = json!(digest);
        cases.push(case("POST", path.clone(), seen.to_string(), WRONG, "version"));
        seen["version"] = json!(8);
        seen["digest"] = json!("short");
        cases.push(case("POST", path.clone(), seen.to_string(), WRONG, "digest"));
        seen["digest"] = json!(digest);
        cases.push(case("POST", path.clone(), seen.to_string(), (409, "stale_view"), ""));
        cases.push(case(
            "POST",
            path.clone(),
            base.to_string(),
            (422, "comment_required"),
            "comment",
        ));
        cases.push(case(
            "POST",
            path.clone(),
            with(&base, "comment", json!(" ")),
            (422, "comment_required"),
            "comment",
        ));
        let nothing = if decisive == "outcome" { (422, "outcome_missing") } else { WRONG };
        cases.push(case("POST", path.clone(), "{}", nothing, decisive));
        let maybe = if decisive == "outcome" { (422, "outcome_not_allowed") } else { WRONG };
        cases.push(case("POST", path, with(&base, decisive, json!("maybe")), maybe, decisive));
    }
    check(&world, &world.reviewer, cases).await;
}

#[tokio::test]
async fn what_an_administrator_says_wrongly_is_refused_by_field() {
    let world = World::new().await;
    let key = json!({"role": "agent", "name": "n"});
    let mut cases = Vec::new();
    for (field, value, named) in [
        ("role", json!("owner"), "role"),
        ("role", json!(null), "role"),
        ("role", json!(5), "role"),
        ("name", json!(null), "name"),
        ("name", json!(" "), "name"),
        ("name", long(121), "name"),
        ("address", json!("a b"), "address"),
        ("expires_at", json!("soon"), "expires_at"),
    ] {
        cases.push(case("POST", "/v1/keys", with(&key, field, value), WRONG, named));
    }
    let bound = json!({"role": "reviewer", "name": "n", "address": "a"});
    cases.push(case("POST", "/v1/keys", bound.to_string(), WRONG, "address"));
    for (field, value, named) in [
        ("to", json!("a b"), "to"),
        ("delivery_mode", json!("http"), "callback_url"),
        ("delivery_mode", json!("pigeon"), "delivery_mode"),
        ("callback_url", json!("https://agents.example.com/"), "callback_url"),
        ("callback_url", json!(5), "callback_url"),
        ("secret", json!("of some length, and for nothing"), "secret"),
        ("human_task_when", json!("always"), "human_task_when"),
        ("human_task", json!({"task_type": "prayer"}), "human_task.task_type"),
        ("display_name", long(121), "display_name"),
        ("display_name", json!(5), "display_name"),
    ] {
        cases.push(case("PUT", "/v1/routes/a", with(&json!({}), field, value), WRONG, named));
    }
    cases.push(case("PUT", "/v1/routes/a%20b", "{}", WRONG, "address"));
    cases.push(case("PUT", "/v1/routes/a/b/c/d", "{}", WRONG, "address"));
    for id in ["none".to_owned(), "00000000000000ff".to_owned(), "x".repeat(3000), "%FF".to_owned()]
    {
        cases.push(case("POST", format!("/v1/keys/{id}/revoke"), "", ABSENT, ""));
    }
    check(&world, &world.admin, cases).await;
}

#[tokio::test]
async fn a_scenario_that_is_refused_registers_nobody() {
    let world = World::new().await;
    let bundle = json!({
        "scenario_id": "s",
        "agents": [{"role": "a", "address": "new-agent", "create_if_missing": true}],
        "intent": {"type": "t"},
    });
    let mut cases = vec![
        case("POST", "/v1/scenarios/apply", "{}", WRONG, "scenario_id"),
        case("POST", "/v1/scenarios/apply", with(&bundle, "agents", json!("a")), WRONG, "agents"),
    ];
    for (intent, named) in [
        (json!({"type": "t", "payload": []}), "intent.payload"),
        (json!({"type": "t", "ttl_seconds": 0}), "intent.ttl_seconds"),
        (json!({"type": "t", "reply_to": "a b"}), "intent.reply_to"),
    ] {
        cases.push(case(
            "POST",
            "/v1/scenarios/apply",
            with(&bundle, "intent", intent),
            WRONG,
            named,
        ));
    }
    check(&world, &world.agent, cases).await;
}
