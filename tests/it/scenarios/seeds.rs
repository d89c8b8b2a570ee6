//! The bundles that the contract's own demonstrations send, in their shapes.

use serde_json::{Value, json};
use tests::World;

use super::{Story, findings};

fn agent(role: &str, address: &str) -> Value {
    json!({
        "role": role,
        "address": address,
        "display_name": role,
        "delivery_mode": "stream",
        "create_if_missing": true,
    })
}

/// One agent's step and nobody else: what the seed applies.
fn seed() -> Value {
    json!({
        "scenario_id": "openai-handoff.demo.v1",
        "title": "A task for an agent",
        "agents": [agent("worker", "openai-agent-demo")],
        "workflow": {"steps": [{
            "step_id": "process_task",
            "tool_id": "tool.agent.task.v1",
            "assigned_to": "worker",
            "step_deadline_seconds": 300,
        }]},
        "intent": {
            "type": "intent.task.v1",
            "payload": {"task": "Find what moved the sales", "priority": "high"},
            "max_delivery_attempts": 3,
        },
    })
}

/// Two agents and a board, as the command line sends it: empty texts and no names left out.
fn board() -> Value {
    json!({
        "scenario_id": "release.board.v1",
        "agents": [agent("rules", "rules-agent"), agent("risk", "risk-agent")],
        "humans": [{"role": "board", "contact": "", "display_name": "The board"}],
        "workflow": {"entry_step": "", "steps": [
            {"step_id": "rules_check", "tool_id": "tool.agent.task.v1", "assigned_to": "rules",
             "step_deadline_seconds": 60},
            {"step_id": "risk_check", "tool_id": "axme.approval.v1", "assigned_to": "risk",
             "requires_approval": false, "step_deadline_seconds": 60},
            {"step_id": "board_sign_off", "tool_id": "axme.approval.v1", "assigned_to": "board",
             "requires_approval": true, "step_deadline_seconds": 3600,
             "remind_after_seconds": 900, "remind_interval_seconds": 900, "max_reminders": 2,
             "human_task": {"title": "Release it?", "notify_email": "board@example.com"}},
        ]},
        "intent": {"type": "intent.release.v1", "payload": {"service": "api"},
                   "max_delivery_attempts": 3},
    })
}

#[tokio::test]
async fn the_seeds_bundle_gives_its_agent_a_child_and_completes_with_its_result() {
    let world = World::new().await;
    assert_eq!(findings(&world, &seed()).await, (vec![], vec![]));
    let mut story = Story::of(&world, &seed()).await;
    let offered = story.offered("openai-agent-demo").await;
    assert_eq!(offered["payload"]["parent_payload"]["priority"], "high");
    let result = json!({"action": "complete", "insights": ["one", "two"], "confidence": 0.9});
    story.agent_ends("openai-agent-demo", &result).await;
    let intent = story.read().await;
    assert_eq!(intent["status"], "COMPLETED");
    assert_eq!(intent["result"], json!({"insights": ["one", "two"], "confidence": 0.9}));
}

#[tokio::test]
async fn two_agents_and_a_board_release_or_do_not() {
    for (outcome, status) in [("approved", "COMPLETED"), ("rejected", "FAILED")] {
        let world = World::new().await;
        let (faults, warnings) = findings(&world, &board()).await;
        assert_eq!((faults, warnings), (vec![], vec![]));
        let mut story = Story::of(&world, &board()).await;
        let done = json!({"action": "complete", "passed": true});
        story.agent_ends("rules-agent", &done).await;
        let second = story.offered("risk-agent").await;
        assert_eq!(second["payload"]["results"], json!({"rules_check": {"passed": true}}));
        story.agent_ends("risk-agent", &json!({"action": "complete", "score": 12})).await;
        let held = story.read().await;
        assert_eq!(held["waiting_reason"], "WAITING_FOR_HUMAN");
        assert_eq!(held["human_task"]["notify_email"], "board@example.com");
        let shown = json!({"rules_check": {"passed": true}, "risk_check": {"score": 12}});
        assert_eq!(held["hold"]["action"]["proposal"], shown, "the board sees what was found");
        let tasks = world.get(&world.reviewer, "/v1/me/tasks").await.json();
        assert_eq!(tasks["tasks"][0]["intent_id"], story.id.as_str());
        story.reviewer_says(outcome).await;
        let ended = story.read().await;
        assert_eq!(ended["status"], status);
        assert_eq!(ended["decision"]["outcome"], outcome);
    }
}
