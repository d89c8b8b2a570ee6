//! The example for the `OpenAI` Agents SDK: an agent that ends at its hold point and goes on in
//! another process, killed wherever that could hurt.

mod lossy;
mod stage;

use self::lossy::Lossy;
use self::stage::{Decision, Stage, Story};

/// What the agent says when it ends at its hold point.
const SUSPENDED: &str = "suspended, waiting for a person";

#[test]
fn an_approval_is_acted_on_in_another_process() {
    let Some(stage) = Stage::new() else { return };
    let story = stage.story();
    story.step(SUSPENDED);
    // Nothing is to be done while it waits: a start of the agent finds no work and ends.
    story.agent_for(1.0).with_code(0);
    assert_eq!(story.deployments(), 0);
    story.decide(&Decision::approve("call_3_deploy_model"));
    story.step("done, deployed=True");
    let outcome = story.outcome();
    assert_eq!(outcome["status"], "COMPLETED", "{outcome}");
    assert_eq!(outcome["result"]["deployed"], true, "{outcome}");
    assert_eq!(outcome["result"]["decided_by_model"], "scripted model, no LLM", "{outcome}");
    assert_eq!(story.deployments(), 1);
}

#[test]
fn a_rejection_reaches_the_agent_in_the_reviewers_words() {
    let Some(stage) = Stage::new() else { return };
    let story = stage.story();
    story.step(SUSPENDED);
    story.decide(&Decision::reject("call_3_deploy_model", "not on a Friday"));
    story.step("done, deployed=False");
    let outcome = story.outcome();
    assert_eq!(outcome["status"], "COMPLETED", "{outcome}");
    assert_eq!(outcome["result"]["deployed"], false, "{outcome}");
    let reason = outcome["result"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("not on a Friday"), "{outcome}");
    assert_eq!(story.deployments(), 0);
}

#[test]
fn an_agent_killed_before_the_decision_asks_once() {
    let Some(stage) = Stage::new() else { return };
    let story = stage.story();
    story.killed_at("before-suspend");
    story.step(SUSPENDED);
    finishes_once(&story);

    let story = stage.story();
    story.killed_at("after-suspend");
    finishes_once(&story);
}

#[test]
fn an_agent_killed_before_its_claim_deploys_once() {
    let Some(stage) = Stage::new() else { return };
    let story = stage.story();
    story.step(SUSPENDED);
    story.decide(&Decision::approve("call_3_deploy_model"));
    story.killed_at("before-claim");
    assert_eq!(story.deployments(), 0);
    deployed_once(&story);
}

#[test]
fn an_agent_killed_with_a_claim_asks_whether_it_happened() {
    let Some(stage) = Stage::new() else { return };
    let story = stage.story();
    story.step(SUSPENDED);
    story.decide(&Decision::approve("call_3_deploy_model"));
    story.killed_at("after-claim");
    story.step(SUSPENDED);
    story.decide(&Decision::reject("call_3_deploy_model:outcome", "the log is empty"));
    story.step("deployed=False");
    let outcome = story.outcome();
    assert_eq!(outcome["status"], "COMPLETED", "{outcome}");
    assert_eq!(outcome["result"]["deployed"], false, "{outcome}");
    assert_eq!(story.deployments(), 0);

    let story = stage.story();
    story.step(SUSPENDED);
    story.decide(&Decision::approve("call_3_deploy_model"));
    story.killed_at("after-effect");
    assert_eq!(story.deployments(), 1);
    story.step(SUSPENDED);
    story.decide(&Decision::approve("call_3_deploy_model:outcome"));
    deployed_once(&story);
}

#[test]
fn an_agent_killed_after_its_record_deploys_nothing_again() {
    let Some(stage) = Stage::new() else { return };
    for place in ["after-record", "before-resume"] {
        let story = stage.story();
        story.step(SUSPENDED);
        story.decide(&Decision::approve("call_3_deploy_model"));
        story.killed_at(place);
        assert_eq!(story.deployments(), 1, "{place}");
        deployed_once(&story);
    }
}

#[test]
fn every_place_of_the_rehearsal_is_rehearsed() {
    let source = std::fs::read_to_string(stage::example().join("rehearsal.py")).expect("a file");
    let (_, places) = source.split_once("PLACES = (").expect("the places");
    let (places, _) = places.split_once(')').expect("their end");
    let own = include_str!("openai_agents.rs");
    let rehearsed: Vec<_> = places.split('"').skip(1).step_by(2).collect();
    assert_eq!(rehearsed.len(), 7, "{rehearsed:?}");
    for place in rehearsed {
        assert!(own.contains(&format!("\"{place}\"")), "{place} is rehearsed by no story");
    }
}

#[test]
fn a_claim_whose_answer_was_lost_is_asked_for_again() {
    let Some(stage) = Stage::new() else { return };
    let lossy = Lossy::before(&stage.connection().base_url, "/claim");
    let story = stage.story();
    story.step(SUSPENDED);
    story.decide(&Decision::approve("call_3_deploy_model"));
    // The claim was taken and nobody learned it; the same process asks again and may act.
    let agent = story.agent_at(&lossy.base_url()).with_code(0);
    assert!(agent.out.contains("done, deployed=True"), "{}", agent.out);
    assert_eq!(lossy.lost(), 1);
    let outcome = story.outcome();
    assert_eq!(outcome["result"]["deployed"], true, "{outcome}");
    assert_eq!(story.deployments(), 1);
}

/// A person approves the one question that waits; the deployment follows.
#[track_caller]
fn finishes_once(story: &Story<'_>) {
    assert_eq!(story.deployments(), 0);
    story.decide(&Decision::approve("call_3_deploy_model"));
    deployed_once(story);
}

/// The next start of the agent ends the intent, and there is one deployment.
#[track_caller]
fn deployed_once(story: &Story<'_>) {
    story.step("done, deployed=True");
    let outcome = story.outcome();
    assert_eq!(outcome["status"], "COMPLETED", "{outcome}");
    assert_eq!(outcome["result"]["deployed"], true, "{outcome}");
    assert_eq!(story.deployments(), 1);
}
