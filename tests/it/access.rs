//! Who may ask what: every route against every kind of caller, and the routes against the template.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use shared::app::{NewKey, REMEMBERED};
use shared::principal::Role;
use tests::{Answer, World};

use crate::harness::{bare, key, link, path_of, question, refused, text, turn};
use crate::openapi;

/// What a route is tried on.
#[derive(Clone, Copy)]
enum On {
    /// The turn of the agent at this address.
    Turn(&'static str),
    /// A question to a person, in reach of the agent at this address.
    Question(&'static str),
}
use On::{Question, Turn};

const A: &str = "task-processor";

/// A route. The four expectations are for an agent with another address, the agent whose intent it
/// is, a reviewer and an administrator; a route for everybody has `OPEN`.
struct Row {
    method: &'static str,
    pattern: &'static str,
    path: &'static str,
    body: &'static str,
    on: On,
    expected: [&'static str; 4],
}

const OPEN: [&str; 4] = ["open"; 4];
const DENIED: &str = "403 policy_denied";
const ROLE: &str = "403 wrong_role";
const HIDDEN: &str = "404 not_found";
const SENDERS: [&str; 4] = ["200", "200", DENIED, "200"];
const READERS: [&str; 4] = [HIDDEN, "200", "200", "200"];
const HANDLER: [&str; 4] = [HIDDEN, "200", ROLE, ROLE];
const LISTENER: [&str; 4] = [DENIED, "200", DENIED, DENIED];
const OWNER: [&str; 4] = [DENIED, "200", DENIED, "200"];
const ADMIN: [&str; 4] = [DENIED, DENIED, DENIED, "200"];
const WRONG: &str = "422 invalid_request";
const STEERS: [&str; 4] = [HIDDEN, "403 not_granted", "403 not_granted", "200"];
const ANYBODY: [&str; 4] = ["200"; 4];
const NO_METHOD: [&str; 4] = ["405 method_not_allowed"; 4];

#[rustfmt::skip]
const ROUTES: &[Row] = &[
    row("GET", "/health", "/health", "", Turn(A), OPEN),
    row("GET", "/v1/health", "/v1/health", "", Turn(A), OPEN),
    row("GET", "/openapi.json", "/openapi.json", "", Turn(A), OPEN),
    row("POST", "/v1/intents", "/v1/intents", r#"{"intent_type":"t","to_agent":"x"}"#, Turn(A), SENDERS),
    row("POST", "/v1/scenarios/apply", "/v1/scenarios/apply", SCENARIO, Turn(A), SENDERS),
    row("POST", "/v1/scenarios/validate", "/v1/scenarios/validate", SCENARIO, Turn(A), SENDERS),
    row("GET", "/v1/intents", "/v1/intents", "", Turn(A), ANYBODY),
    row("GET", "/v1/intents/{id}", "/v1/intents/{id}", "", Turn(A), READERS),
    row("GET", "/v1/intents/{id}/events", "/v1/intents/{id}/events", "", Turn(A), READERS),
    row("GET", "/v1/intents/{id}/events/stream", "/v1/intents/{id}/events/stream", "", Turn(A), READERS),
    row("GET", "/v1/agents/{a}/intents/stream", "/v1/agents/task-processor/intents/stream", "", Turn(A), LISTENER),
    row("GET", "/v1/agents/{a}/{b}/intents/stream", "/v1/agents/team/deployer/intents/stream", "", Turn("team/deployer"), LISTENER),
    row("GET", "/v1/agents/{a}/{b}/{c}/intents/stream", "/v1/agents/org/team/deployer/intents/stream", "", Turn("org/team/deployer"), LISTENER),
    row("POST", "/v1/intents/{id}/resume", "/v1/intents/{id}/resume", r#"{"action":"complete"}"#, Turn(A), HANDLER),
    row("POST", "/v1/intents/{id}/resume", "/v1/intents/{id}/resume", r#"{"action":"fail"}"#, Turn(A), HANDLER),
    row("POST", "/v1/intents/{id}/resume", "/v1/intents/{id}/resume", r#"{"approve_current_step":true}"#, Turn(A), [HIDDEN, "200", "409 nothing_to_decide", ROLE]),
    row("POST", "/v1/intents/{id}/resume", "/v1/intents/{id}/resume", r#"{"outcome":"approved"}"#, Turn(A), [HIDDEN, ROLE, "409 nothing_to_decide", ROLE]),
    row("POST", "/v1/intents/{id}/resume", "/v1/intents/{id}/resume", r#"{"outcome":"approved"}"#, Question(A), [HIDDEN, ROLE, "200", ROLE]),
    row("POST", "/v1/intents/{id}/resolve", "/v1/intents/{id}/resolve", r#"{"status":"COMPLETED"}"#, Turn(A), HANDLER),
    row("POST", "/v1/intents/{id}/resolve", "/v1/intents/{id}/resolve", r#"{"status":"CANCELED"}"#, Turn(A), [HIDDEN, "403 not_the_sender", "403 not_the_sender", "200"]),
    row("GET", "/v1/me", "/v1/me", "", Turn(A), ANYBODY),
    row("GET", "/v1/capabilities", "/v1/capabilities", "", Turn(A), ANYBODY),
    row("POST", "/v1/intents/bulk-cancel", "/v1/intents/bulk-cancel", r#"{"older_than_hours":1}"#, Turn(A), SENDERS),
    row("POST", "/v1/intents/{id}/acknowledge", "/v1/intents/{id}/acknowledge", "", Turn(A), HANDLER),
    row("POST", "/v1/intents/{id}/controls", "/v1/intents/{id}/controls", r#"{"controls_patch":{"a":1}}"#, Turn(A), STEERS),
    row("POST", "/v1/intents/{id}/policy", "/v1/intents/{id}/policy", r#"{"envelope_patch":{"a":1}}"#, Turn(A), STEERS),
    row("GET", "/v1/inbox", "/v1/inbox", "", Turn(A), ["200", "200", "200", WRONG]),
    row("GET", "/v1/inbox", "/v1/inbox?owner_agent=task-processor", "", Turn(A), [DENIED, "200", "200", "200"]),
    row("GET", "/v1/inbox/changes", "/v1/inbox/changes", "", Turn(A), ["200", "200", "200", WRONG]),
    row("GET", "/v1/inbox/{id}", "/v1/inbox/{id}", "", Turn(A), READERS),
    row("POST", "/v1/inbox/{id}/reply", "/v1/inbox/{id}/reply", r#"{"message":"m"}"#, Turn(A), READERS),
    row("POST", "/v1/inbox/{id}/delegate", "/v1/inbox/{id}/delegate", r#"{"delegate_to":"ben"}"#, Turn(A), [HIDDEN, "200", "409 nothing_to_decide", ROLE]),
    row("POST", "/v1/inbox/{id}/delegate", "/v1/inbox/{id}/delegate", r#"{"delegate_to":"ben"}"#, Question(A), [HIDDEN, "409 awaits_decision", "200", ROLE]),
    row("POST", "/v1/inbox/{id}/approve", "/v1/inbox/{id}/approve", "", Question(A), [HIDDEN, ROLE, "200", ROLE]),
    row("POST", "/v1/inbox/{id}/reject", "/v1/inbox/{id}/reject", "", Question(A), [HIDDEN, ROLE, "200", ROLE]),
    row("POST", "/v1/inbox/{id}/messages/delete", "/v1/inbox/{id}/messages/delete", r#"{"mode":"self"}"#, Turn(A), READERS),
    row("POST", "/v1/inbox/{id}/read", "/v1/inbox/{id}/read", "", Turn(A), READERS),
    row("POST", "/v1/intents/{id}/suspend", "/v1/intents/{id}/suspend", r#"{"approvals":[{"call_id":"c","tool":"t"}]}"#, Turn(A), HANDLER),
    row("GET", "/v1/intents/{id}/checkpoint", "/v1/intents/{id}/checkpoint", "", Turn(A), READERS),
    row("POST", "/v1/intents/{id}/tool-calls/{call_id}/claim", "/v1/intents/{id}/tool-calls/c/claim", r#"{"tool":"t"}"#, Turn(A), HANDLER),
    row("POST", "/v1/intents/{id}/tool-calls/{call_id}/complete", "/v1/intents/{id}/tool-calls/c/complete", r#"{"claim_token":"never given out"}"#, Turn(A), [HIDDEN, "409 tool_call_not_claimed", ROLE, ROLE]),
    row("GET", "/approve/{token}", "/approve/{token}", "", Question(A), OPEN),
    row("POST", "/approve/{token}", "/approve/{token}", "", Question(A), ["form"; 4]),
    row("POST", "/v1/approvals/{id}/decision", "/v1/approvals/{id}/decision", r#"{"decision":"approve"}"#, Question(A), [HIDDEN, ROLE, "200", ROLE]),
    row("GET", "/v1/me/tasks", "/v1/me/tasks", "", Question(A), [DENIED, DENIED, "200", DENIED]),
    row("POST", "/v1/keys", "/v1/keys", r#"{"role":"agent","name":"n"}"#, Turn(A), ADMIN),
    row("POST", "/v1/keys/{key_id}/revoke", "/v1/keys/{key_id}/revoke", "", Turn(A), ADMIN),
    row("GET", "/v1/agents", "/v1/agents", "", Turn(A), ANYBODY),
    row("POST", "/v1/webhooks/subscriptions", "/v1/webhooks/subscriptions", SUBSCRIPTION, Turn(A), SENDERS),
    row("POST", "/v1/webhooks/subscriptions", "/v1/webhooks/subscriptions?owner_agent=task-processor", SUBSCRIPTION, Turn(A), OWNER),
    row("GET", "/v1/webhooks/subscriptions", "/v1/webhooks/subscriptions?owner_agent=task-processor", "", Turn(A), OWNER),
    row("DELETE", "/v1/webhooks/subscriptions/{id}", "/v1/webhooks/subscriptions/{id}?owner_agent=task-processor", "", Turn(A), [DENIED, HIDDEN, DENIED, HIDDEN]),
    row("POST", "/v1/webhooks/events", "/v1/webhooks/events?owner_agent=task-processor", r#"{"event_type":"a.b","source":"test","payload":{}}"#, Turn(A), OWNER),
    row("POST", "/v1/webhooks/events/{event_id}/replay", "/v1/webhooks/events/{id}/replay?owner_agent=task-processor", "", Turn(A), [DENIED, HIDDEN, DENIED, HIDDEN]),
    row("GET", "/v1/dead-letters", "/v1/dead-letters", "", Turn(A), ADMIN),
    row("GET", "/v1/diagnostics", "/v1/diagnostics", "", Turn(A), ADMIN),
    row("GET", "/v1/dead-letters/{id}", DEAD_LETTER, "", Turn(A), [DENIED, DENIED, DENIED, HIDDEN]),
    row("DELETE", "/v1/dead-letters/{id}", DEAD_LETTER, "", Turn(A), [DENIED, DENIED, DENIED, HIDDEN]),
    row("POST", "/v1/dead-letters/{id}/redrive", REDRIVE, "", Turn(A), [DENIED, DENIED, DENIED, HIDDEN]),
    row("GET", "/v1/agents/{a}", "/v1/agents/known", "", Turn(A), ANYBODY),
    row("GET", "/v1/agents/{a}/{b}", "/v1/agents/registered/before", "", Turn(A), ANYBODY),
    row("GET", "/v1/agents/{a}/{b}/{c}", "/v1/agents/org/team/known", "", Turn(A), ANYBODY),
    row("POST", "/v1/service-accounts", "/v1/service-accounts", r#"{"name":"new"}"#, Turn(A), ADMIN),
    row("GET", "/v1/service-accounts", "/v1/service-accounts", "", Turn(A), ADMIN),
    row("GET", "/v1/service-accounts/{id}", "/v1/service-accounts/{account}", "", Turn(A), ADMIN),
    row("PATCH", "/v1/service-accounts/{id}", "/v1/service-accounts/{account}", r#"{"display_name":"n"}"#, Turn(A), ADMIN),
    row("POST", "/v1/service-accounts/{id}/keys", "/v1/service-accounts/{account}/keys", "", Turn(A), ADMIN),
    row("POST", "/v1/service-accounts/{id}/keys/{key_id}/revoke", "/v1/service-accounts/{account}/keys/{account_key}/revoke", "", Turn(A), ADMIN),
    row("DELETE", "/v1/service-accounts/{id}", "/v1/service-accounts/{account}", "", Turn(A), ADMIN),
    row("POST", "/v1/mesh/heartbeat", "/v1/mesh/heartbeat", "", Turn(A), ["200", "200", DENIED, DENIED]),
    row("GET", "/v1/mesh/agents", "/v1/mesh/agents", "", Turn(A), ANYBODY),
    row("GET", "/v1/mesh/agents/{address+}", "/v1/mesh/agents/registered/before", "", Turn(A), ANYBODY),
    row("POST", "/v1/mesh/agents/{address+}", "/v1/mesh/agents/registered/before/kill", "", Turn(A), ADMIN),
    row("POST", "/v1/mesh/agents/{address+}", "/v1/mesh/agents/registered/before/resume", "", Turn(A), ADMIN),
    row("GET", "/v1/mesh/events", "/v1/mesh/events", "", Turn(A), ANYBODY),
    row("PUT", "/v1/routes/{address+}", "/v1/routes/team/alias", r#"{"to":"task-processor"}"#, Turn(A), ADMIN),
    row("GET", "/v1/routes/{address+}", "/v1/routes/registered/before", "", Turn(A), ANYBODY),
    row("POST", "/mcp", "/mcp", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, Turn(A), SENDERS),
    row("GET", "/mcp", "/mcp", "", Turn(A), NO_METHOD),
    row("DELETE", "/mcp", "/mcp", "", Turn(A), NO_METHOD),
];

/// Where the template sends what none of its other routes takes.
const ELSEWHERE: &str = "ANY /{path+}";

const DEAD_LETTER: &str = "/v1/dead-letters/1893456000000-0123456789abcdef01234567";
const REDRIVE: &str = "/v1/dead-letters/1893456000000-0123456789abcdef01234567/redrive";
const SUBSCRIPTION: &str = r#"{"callback_url":"https://hooks.example.com/","event_types":["a.b"]}"#;
const SCENARIO: &str = r#"{"scenario_id":"s","agents":[{"role":"a","address":"task-processor"}],"intent":{"type":"t"}}"#;

const fn row(
    method: &'static str,
    pattern: &'static str,
    path: &'static str,
    body: &'static str,
    on: On,
    expected: [&'static str; 4],
) -> Row {
    Row { method, pattern, path, body, on, expected }
}

/// Everybody who may knock. The first five hold no key that is in force.
struct Callers {
    strangers: [(&'static str, String, &'static str); 5],
    other_agent: String,
    victim: String,
    account: String,
    account_key: String,
}

const MISSING: &str = "401 missing_platform_api_key";
const INVALID: &str = "401 invalid_platform_api_key";

async fn callers(world: &World) -> Callers {
    let revoked = key(world, "revoked", Role::Admin, None).await;
    let revoked_id = key_id(&revoked).to_owned();
    world.app.revoke_key(&revoked_id).await.unwrap();
    let expires_at = world.app.now().checked_add(Duration::from_secs(1)).unwrap();
    let new = NewKey {
        name: "expired".to_owned(),
        role: Role::Admin,
        address: None,
        expires_at: Some(expires_at),
    };
    let (_, expired) = world.app.create_key(new).await.unwrap();
    let victim = key(world, "victim", Role::Agent, None).await;
    let (account, account_key) = account(world).await;
    world.pass(REMEMBERED);
    let unknown = format!("hp_00000000000000ff_{}", "x".repeat(32));
    Callers {
        strangers: [
            ("nobody", String::new(), MISSING),
            ("a malformed key", "sk-live-1234".to_owned(), INVALID),
            ("an unknown key", unknown, INVALID),
            ("a revoked key", revoked, INVALID),
            ("an expired key", expired.reveal().to_owned(), INVALID),
        ],
        other_agent: key(world, "other", Role::Agent, Some("somebody-else")).await,
        victim: key_id(&victim).to_owned(),
        account,
        account_key,
    }
}

/// A service account and a key of it.
async fn account(world: &World) -> (String, String) {
    let named = json!({"name": "account"});
    let made = world.post(&world.admin, "/v1/service-accounts", &named).await.json();
    let id = made["service_account"]["service_account_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/service-accounts/{id}/keys");
    let key = world.post(&world.admin, &path, &json!({})).await.json();
    (id, key["key"]["key_id"].as_str().unwrap().to_owned())
}

fn key_id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

async fn ask(world: &World, callers: &Callers, row: &Row, key: &str) -> Answer {
    let (id, token) = match row.on {
        Turn(address) => (turn(world, address).await, String::new()),
        Question(address) => {
            let id = question(world, address, json!({"title": "Sure?"})).await;
            let path = path_of(world, &link(world, &id, "ana").await);
            (id, path.trim_start_matches("/approve/").to_owned())
        }
    };
    let path = row.path.replace("{id}", &id).replace("{token}", &token);
    let path = path.replace("{key_id}", &callers.victim);
    let path = path.replace("{account}", &callers.account);
    let path = path.replace("{account_key}", &callers.account_key);
    let mut request = bare(row.method, &path).header("content-type", "application/json");
    if !key.is_empty() {
        request = request.header("x-api-key", key);
    }
    world.send(request, text(row.body)).await
}

fn said(answer: &Answer) -> String {
    let status = answer.status.as_u16();
    let refused = answer.status.is_client_error() && !answer.code().is_empty();
    if refused { format!("{status} {}", answer.code()) } else { status.to_string() }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let world = World::new().await;
    let known = json!({"display_name": "known"});
    world.put(&world.admin, "/v1/routes/registered/before", &known).await;
    for address in ["known", "org/team/known"] {
        world.put(&world.admin, &format!("/v1/routes/{address}"), &known).await;
    }
    let callers = callers(&world).await;
    let mut wrong = Vec::new();
    for row in ROUTES {
        let address = match row.on {
            Turn(address) | Question(address) => address,
        };
        let own = key(&world, "own", Role::Agent, Some(address)).await;
        let known = [
            ("another agent", &callers.other_agent),
            ("the agent", &own),
            ("a reviewer", &world.reviewer),
            ("an administrator", &world.admin),
        ];
        let strangers = callers.strangers.iter().map(|(who, key, expected)| (*who, key, *expected));
        let known = known.into_iter().zip(row.expected).map(|((who, key), e)| (who, key, e));
        for (who, key, expected) in strangers.chain(known) {
            let expected = match row.expected[0] {
                "open" => "200",
                "form" => "400",
                _ => expected,
            };
            let answer = ask(&world, &callers, row, key).await;
            let (method, pattern) = (row.method, row.pattern);
            wrong.extend(
                openapi::fault(method, pattern, &answer)
                    .map(|fault| format!("{method} {pattern} by {who}: {fault}")),
            );
            if said(&answer) != expected {
                let (method, path, body) = (row.method, row.pattern, row.body);
                wrong.push(format!("{method} {path} {body} by {who}: {}", said(&answer)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every route of the template but the one for what no route takes, as `METHOD /path`.
pub(crate) fn template_routes() -> BTreeSet<String> {
    let template = include_str!("../../template.yaml");
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(template).unwrap();
    let mut routes = BTreeSet::new();
    for (_, resource) in template["Resources"].as_mapping().unwrap() {
        let Some(events) = resource["Properties"]["Events"].as_mapping() else { continue };
        for (_, event) in events.iter().filter(|(_, event)| event["Type"] == "HttpApi") {
            let part = |name: &str| event["Properties"][name].as_str().unwrap().to_owned();
            let route = format!("{} {}", part("Method"), part("Path"));
            assert!(route == ELSEWHERE || routes.insert(route));
        }
    }
    routes
}

/// Every route that the functions' routers name, read off their source: a router keeps no list.
fn router_routes() -> BTreeSet<String> {
    let sources = [
        include_str!("../../functions/send-intent/src/lib.rs"),
        include_str!("../../functions/intents/src/lib.rs"),
        include_str!("../../functions/approve/src/lib.rs"),
        include_str!("../../functions/agents/src/lib.rs"),
        include_str!("../../functions/mcp/src/lib.rs"),
        include_str!("../../functions/webhooks/src/lib.rs"),
        include_str!("../../functions/inbox/src/lib.rs"),
        include_str!("../../functions/dead-letters/src/lib.rs"),
    ];
    let mut routes = BTreeSet::new();
    for line in sources.iter().flat_map(|source| source.lines()) {
        let Some((_, rest)) = line.split_once(".route(\"") else { continue };
        let (path, handlers) = rest.split_once('"').unwrap();
        let path = path.replace("{*address}", "{address+}");
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!(" {method}("))
                || handlers.contains(&format!(".{method}("))
            {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    routes
}

#[test]
fn the_template_the_routers_and_the_table_of_this_test_name_the_same_routes() {
    let tested: BTreeSet<_> =
        ROUTES.iter().map(|row| format!("{} {}", row.method, row.pattern)).collect();
    let (template, routers) = (template_routes(), router_routes());
    let none = BTreeSet::<&String>::new();
    assert_eq!(tested.difference(&template).collect::<BTreeSet<_>>(), none, "not in the template");
    assert_eq!(template.difference(&tested).collect::<BTreeSet<_>>(), none, "not tested");
    assert_eq!(routers.difference(&template).collect::<BTreeSet<_>>(), none, "not deployed");
    assert_eq!(template.difference(&routers).collect::<BTreeSet<_>>(), none, "not served");
}

/// Routes whose success needs more than the table sets up: the file and the story that has it.
const SUCCEED_ELSEWHERE: [(&str, &str, &str); 7] = [
    (
        "DELETE /v1/dead-letters/{id}",
        include_str!("dead_letters.rs"),
        "what_fails_comes_again_after_a_pause_of_its_class_until_its_last_attempt_buries_it",
    ),
    (
        "GET /v1/dead-letters/{id}",
        include_str!("dead_letters.rs"),
        "a_message_of_another_version_is_kept_whole_shown_singly_and_sent_as_it_was",
    ),
    (
        "POST /v1/dead-letters/{id}/redrive",
        include_str!("dead_letters.rs"),
        "an_intent_goes_on_when_its_dead_letter_is_sent_again",
    ),
    (
        "DELETE /v1/webhooks/subscriptions/{id}",
        include_str!("webhooks/subscriptions.rs"),
        "a_subscription_ends_once_and_may_be_made_again",
    ),
    (
        "POST /approve/{token}",
        include_str!("review_page.rs"),
        "one_decision_counts_and_everybody_else_is_told_whose_it_was",
    ),
    (
        "POST /v1/intents/{id}/tool-calls/{call_id}/complete",
        include_str!("agents_api.rs"),
        "a_call_runs_once_and_only_as_it_was_approved",
    ),
    (
        "POST /v1/webhooks/events/{event_id}/replay",
        include_str!("webhooks.rs"),
        "a_replay_goes_to_all_that_had_it_and_to_those_that_came_since_under_the_same_id",
    ),
];

#[test]
fn every_route_succeeds_in_this_table_or_in_a_story_that_it_names() {
    let here = ROUTES.iter().filter(|row| {
        row.expected.contains(&"200") || row.expected == OPEN || row.expected == NO_METHOD
    });
    let here: BTreeSet<_> = here.map(|row| format!("{} {}", row.method, row.pattern)).collect();
    let elsewhere = SUCCEED_ELSEWHERE.map(|(route, _, _)| route.to_owned()).into();
    let without = template_routes().difference(&here).cloned().collect::<BTreeSet<_>>();
    assert_eq!(without, elsewhere);
    for (route, file, story) in SUCCEED_ELSEWHERE {
        assert!(file.contains(&format!("async fn {story}(")), "{route} has no story {story}");
    }
}

#[tokio::test]
async fn every_route_of_the_template_is_answered_by_a_handler() {
    let world = World::new().await;
    for route in template_routes() {
        let (method, path) = route.split_once(' ').unwrap();
        let path: String = path.replace(['{', '}', '+'], "x");
        let answer = world.send(bare(method, &path), text("")).await;
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(!detail.starts_with("there is no such path"), "{route}: {detail}");
        let tells = ["GET /mcp", "DELETE /mcp"].contains(&route.as_str());
        assert!(tells || !detail.starts_with("this path takes"), "{route}: {detail}");
    }
    let nowhere = world.get(&world.admin, "/v1/nothing/here").await;
    assert!(nowhere.json()["detail"].as_str().unwrap().starts_with("there is no such path"));
    let method = world.put(&world.admin, "/v1/intents", &json!({})).await;
    refused(&method, 405, "method_not_allowed");
    assert_eq!(method.headers["allow"], "GET, POST");
}

#[tokio::test]
async fn a_key_may_come_in_either_header_and_a_platform_key_goes_before_an_actors_token() {
    let world = World::new().await;
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = bare("GET", "/v1/me/tasks");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        said(&world.send(request, text("")).await)
    };
    let key = world.reviewer.as_str();
    let (bearer, scheme, spaced) =
        (format!("Bearer {key}"), format!("bearer {key}"), format!("  {key} "));
    assert_eq!(ask(&[("x-api-key", key)]).await, "200");
    assert_eq!(ask(&[("x-api-key", &spaced)]).await, "200");
    assert_eq!(ask(&[("authorization", &bearer)]).await, "200");
    assert_eq!(ask(&[("authorization", &scheme)]).await, "200");
    assert_eq!(ask(&[("x-api-key", key), ("authorization", "Bearer actor-token")]).await, "200");
    assert_eq!(ask(&[("x-api-key", ""), ("authorization", &bearer)]).await, "200");
    assert_eq!(ask(&[("x-api-key", "nonsense"), ("authorization", &bearer)]).await, INVALID);
    assert_eq!(ask(&[("authorization", "Basic dTpw")]).await, MISSING);
    assert_eq!(ask(&[("x-api-key", " ")]).await, MISSING);
    let too_long = format!("{key}{}", "x".repeat(500));
    assert_eq!(ask(&[("x-api-key", &too_long)]).await, INVALID);
    let unknown = world.send(bare("GET", "/v1/me/tasks"), text("")).await;
    assert_eq!(unknown.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_list_has_only_what_its_reader_may_see() {
    let world = World::new().await;
    let id = turn(&world, A).await;
    let other = key(&world, "other", Role::Agent, Some("somebody-else")).await;
    let own = key(&world, "own", Role::Agent, Some(A)).await;
    for (key, expected) in [(&other, 0), (&own, 1), (&world.reviewer, 1), (&world.agent, 1)] {
        let list = world.get(key, "/v1/intents").await.json();
        assert_eq!(list["intents"].as_array().unwrap().len(), expected, "{list}");
    }
    let mine = json!({"intent_type": "t", "to_agent": A});
    let sent = world.post(&other, "/v1/intents", &mine).await.json();
    let list = world.get(&other, "/v1/intents").await.json();
    assert_eq!(list["intents"][0]["intent_id"], sent["intent_id"]);
    assert_ne!(sent["intent_id"], json!(id));
}

#[tokio::test]
async fn a_revoked_key_stops_working_no_later_than_keys_are_remembered() {
    let world = World::new().await;
    let held = key(&world, "short-lived", Role::Agent, None).await;
    assert_eq!(said(&world.get(&held, "/v1/agents").await), "200");
    // Another instance revokes it, so this one goes by what it remembers.
    let now = world.app.now();
    world.app.store().revoke_key("default", key_id(&held), now).await.unwrap().unwrap();
    world.pass(REMEMBERED);
    assert_eq!(said(&world.get(&held, "/v1/agents").await), INVALID);
}
