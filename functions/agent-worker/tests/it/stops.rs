//! An agent is stopped, and goes on later as if nothing had been.

use std::sync::Arc;

use serde_json::json;
use shared::address::Address;
use shared::app::{ClaimedCall, REMEMBERED, ToolCall};
use shared::error::Error;
use shared::id::IntentId;
use shared::intent::{Intent, Phase, Waiting};
use shared::mesh::{MeshEvent, MeshEventKind};
use shared::principal::{Assurance, Principal, Role};
use shared::store::CallOutput;

use crate::models::Interrupted;
use crate::stage::{Stage, result};

/// Longer than the worker takes to try again, however old the intent is.
const PAUSE_S: i64 = 600;

fn event(stage: &Stage, kind: MeshEventKind) -> MeshEvent {
    let at = stage.app.now();
    MeshEvent { id: at.to_string(), kind, agent: address(), actor: "admin".to_owned(), at }
}

pub(crate) async fn kill(stage: &Stage) {
    let event = event(stage, MeshEventKind::Killed);
    assert!(stage.app.store().kill("default", &event).await.unwrap());
    forgotten(stage);
}

async fn resume(stage: &Stage) {
    let event = event(stage, MeshEventKind::Resumed);
    assert!(stage.app.store().resume("default", &event).await.unwrap());
    forgotten(stage);
}

/// Workers go by a route for a while.
fn forgotten(stage: &Stage) {
    stage.pass(i64::try_from(REMEMBERED.as_secs()).unwrap());
}

async fn is_put_off(stage: &Stage, id: IntentId) -> Intent {
    let intent = stage.intent(id).await;
    let waits = matches!(intent.phase, Phase::Waiting(Waiting::Time { .. }));
    assert!(waits, "it is not put off: {:?}", intent.phase);
    assert_eq!(intent.delivery_attempt, 1, "no attempt is used up");
    intent
}

#[tokio::test]
async fn the_turn_of_a_killed_agent_is_put_off_and_goes_on_after_it_resumed() {
    let stage = Stage::new().await;
    let (id, worker) = (stage.task().await, stage.worker());
    kill(&stage).await;
    for _ in 0..20 {
        assert!(stage.deliver(&worker, id).await, "the message is done with");
        let intent = is_put_off(&stage, id).await;
        assert_eq!((intent.checkpoint, intent.asks.len()), (None, 0), "nothing was done");
        stage.pass(PAUSE_S);
        stage.wake(id).await;
    }
    resume(&stage).await;
    let intent = stage.play(&worker, id).await;
    assert_eq!(result(&intent)["published"], true);
}

#[tokio::test]
async fn an_agent_that_is_killed_in_its_turn_stops_at_its_next_step_and_keeps_its_run() {
    for requests in 1..4 {
        let stage = Arc::new(Stage::new().await);
        let id = stage.task().await;
        let model = Interrupted::at(requests, Arc::clone(&stage));
        assert!(stage.deliver(&stage.worker_with(Arc::new(model)), id).await);
        let stopped = is_put_off(&stage, id).await;
        assert_eq!(stopped.checkpoint.is_some(), requests > 1, "after {requests} requests");
        resume(&stage).await;
        let intent = stage.play(&stage.worker(), id).await;
        assert_eq!(result(&intent)["published"], true, "after {requests} requests");
        assert_eq!(stage.reports(id).await.len(), 1);
    }
}

#[tokio::test]
async fn what_a_tool_gave_is_kept_even_if_its_agent_was_killed_while_it_ran() {
    let stage = Stage::new().await;
    let id = stage.task().await;
    let by = analyst();
    let call = ToolCall {
        call_id: "call_1".to_owned(),
        tool: "read".to_owned(),
        arguments: serde_json::Map::new(),
        needs_grant: false,
        claim_token: None,
    };
    let claimed = stage.app.claim(&by, None, id, &call).await.unwrap();
    let ClaimedCall::Run { claim_token } = claimed else { panic!("it ran before") };
    kill(&stage).await;
    let output = CallOutput { call_id: call.call_id, output: json!(1), is_error: false };
    let refused = stage.app.finish_call(&by, id, &claim_token, output.clone()).await;
    assert!(matches!(refused, Err(Error::AgentStopped { .. })), "an agent of its own waits");
    stage.app.record_call(&by, id, &claim_token, output).await.unwrap();
    assert!(stage.intent(id).await.calls["call_1"].finished.is_some());
}

#[tokio::test]
async fn a_stopped_turn_still_ends_at_its_deadline() {
    let stage = Stage::new().await;
    let (id, worker) = (stage.task().await, stage.worker());
    kill(&stage).await;
    assert!(stage.deliver(&worker, id).await);
    let intent = is_put_off(&stage, id).await;
    stage.pass(intent.envelope.deadline_at.as_second() - stage.app.now().as_second());
    stage.wake(id).await;
    let intent = stage.intent(id).await;
    assert!(matches!(intent.phase, Phase::TimedOut { .. }), "{:?}", intent.phase);
}

fn analyst() -> Principal {
    let address = address();
    Principal {
        tenant: "default".to_owned(),
        name: address.uri(),
        role: Role::Agent,
        address: Some(address),
        assurance: Assurance::Key,
    }
}

fn address() -> Address {
    Address::parse("agent://analyst").unwrap()
}
