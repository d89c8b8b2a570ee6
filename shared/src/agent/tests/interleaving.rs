//! Whatever order things happen in, each call gets one output and nothing runs unasked.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::team::{agents, call, message, reply, started};
use crate::agent::{
    Agents, Answer, Decision, Limits, Phase, Question, RunState, Step, decided, model_replied,
    next, recovered, settle, start, tool_claimed, tool_finished, tool_lost,
};

/// One thing that happens, to whichever call the number picks.
#[derive(Clone, Debug)]
enum News {
    Replied(Vec<(u8, i64)>),
    Answered { pick: usize, question: Question, decision: Decision },
    Claimed { pick: usize },
    Finished { pick: usize, fails: bool },
    Lost { pick: usize },
    Crashed,
}

fn news() -> impl Strategy<Value = News> {
    let by = || "ada".to_owned();
    let pick = 0..4_usize;
    let question = prop_oneof![Just(Question::MayItRun), Just(Question::DidItHappen)];
    let decision = prop_oneof![
        4 => Just(Decision::Approved { by: by() }),
        2 => Just(Decision::Rejected { by: by(), reason: Some("no".into()) }),
        1 => Just(Decision::TimedOut),
        2 => Just(Decision::Happened { by: by(), report: None }),
        2 => Just(Decision::DidNotHappen { by: by() }),
    ];
    prop_oneof![
        3 => prop::collection::vec((0..9_u8, 99..103_i64), 0..4).prop_map(News::Replied),
        6 => (pick.clone(), question, decision).prop_map(|(pick, question, decision)| {
            News::Answered { pick, question, decision }
        }),
        3 => pick.clone().prop_map(|pick| News::Claimed { pick }),
        4 => (pick.clone(), any::<bool>()).prop_map(|(pick, fails)| News::Finished { pick, fails }),
        1 => pick.prop_map(|pick| News::Lost { pick }),
        1 => Just(News::Crashed),
    ]
}

/// What an observer outside the machine knows.
#[derive(Default)]
struct Witness {
    asked: u32,
    approved: BTreeSet<String>,
    /// At most once, and possibly begun: these must never be offered again.
    spent: BTreeSet<String>,
}

impl Witness {
    fn hear(&mut self, state: &RunState, agents: &Agents, news: News) -> RunState {
        let id = |pick: usize| {
            let calls = state.calls();
            calls.get(pick % calls.len().max(1)).map(|call| call.call_id.clone())
        };
        let unchanged = || state.clone();
        match news {
            News::Replied(calls) => {
                let response = self.reply(&calls);
                model_replied(state, agents, &response).unwrap_or_else(|_| unchanged())
            }
            News::Answered { pick, question, decision } => {
                let Some(call) = state.calls().get(pick % state.calls().len().max(1)) else {
                    return unchanged();
                };
                let (call_id, args_sha256) = (call.call_id.clone(), call.args_sha256.clone());
                let approves = matches!(decision, Decision::Approved { .. });
                let answer = Answer { call_id: call_id.clone(), args_sha256, question, decision };
                match decided(state, agents, &answer) {
                    Ok(state) => {
                        if approves {
                            self.approved.insert(call_id);
                        }
                        state
                    }
                    Err(_) => unchanged(),
                }
            }
            News::Claimed { pick } => {
                let Some(id) = id(pick) else { return unchanged() };
                match tool_claimed(state, agents, &id) {
                    Ok(after) => {
                        let call = state.calls().iter().find(|call| call.call_id == id);
                        let tool = &call.expect("it was claimed").tool;
                        if ["charge", "deploy"].contains(&tool.as_str()) {
                            self.spent.insert(id);
                        }
                        after
                    }
                    Err(_) => unchanged(),
                }
            }
            News::Finished { pick, fails } => {
                let Some(id) = id(pick) else { return unchanged() };
                let result = if fails { Err("it failed".into()) } else { Ok(json!(1)) };
                tool_finished(state, agents, &id, result).unwrap_or_else(|_| unchanged())
            }
            News::Lost { pick } => {
                let Some(id) = id(pick) else { return unchanged() };
                tool_lost(state, agents, &id).unwrap_or_else(|_| unchanged())
            }
            News::Crashed => recovered(unchanged(), agents),
        }
    }

    fn reply(&mut self, calls: &[(u8, i64)]) -> Value {
        let names = [
            "read",
            "put",
            "charge",
            "deploy",
            "scale",
            "erase",
            "fly",
            "transfer_to_second",
            "deploy",
        ];
        let mut items = vec![message("a remark")];
        for (tool, n) in calls {
            self.asked += 1;
            let name = names[usize::from(*tool)];
            items.push(call(&format!("call_{}", self.asked), name, &json!({"n": n})));
        }
        reply(items)
    }

    fn check(&self, state: &RunState, agents: &Agents) {
        let step = next(state, agents);
        let stored = json!(state).to_string();
        let read = RunState::parse(&stored).expect("this build stored it");
        assert_eq!(step, next(&read, agents), "a stored run goes on elsewhere");
        match &step {
            Step::CallTool(call) => {
                let free = match call.tool.as_str() {
                    "read" | "put" | "charge" => true,
                    "scale" => call.arguments["n"].as_i64().expect("a number") <= 100,
                    _ => false,
                };
                let approved = self.approved.contains(&call.call_id);
                assert!(free || approved, "{} runs unasked", call.call_id);
                assert_eq!(call.approved_by.is_some(), approved);
                assert!(!self.spent.contains(&call.call_id), "{} may run twice", call.call_id);
            }
            Step::AskPeople(requests) => assert!(!requests.is_empty(), "nobody can answer"),
            Step::AskModel(body) => assert_paired(body["input"].as_array().expect("items"), true),
            Step::Finish(_) => assert!(!matches!(state.phase(), Phase::RunTools { .. })),
        }
        let settled = matches!(state.phase(), Phase::CallModel | Phase::Done { .. });
        assert_paired(state.items(), settled);
    }
}

/// No call has two outputs, no output lacks its call, and none is missing when the turn is closed.
fn assert_paired(items: &[Value], closed: bool) {
    let mut outputs: BTreeMap<&str, u32> = BTreeMap::new();
    for item in items {
        let id = || item["call_id"].as_str().expect("a call id");
        match item["type"].as_str().expect("a type") {
            "function_call" => assert_eq!(outputs.insert(id(), 0), None),
            "function_call_output" => *outputs.get_mut(id()).expect("its call came first") += 1,
            _ => {}
        }
    }
    for (id, count) in outputs {
        assert!(count == 1 || (!closed && count == 0), "{id} has {count} outputs");
    }
}

proptest! {
    #[test]
    fn any_order_of_news_keeps_calls_and_outputs_paired(news in prop::collection::vec(news(), 0..60)) {
        let agents = agents();
        let mut witness = Witness::default();
        let mut state = started(&agents);
        for news in news {
            state = witness.hear(&state, &agents, news);
            witness.check(&state, &agents);
        }
    }

    /// People and tools that answer at all bring every run to an end within its budget.
    #[test]
    fn every_run_ends_when_everybody_answers(
        replies in prop::collection::vec(prop::collection::vec((0..9_u8, 99..103_i64), 0..4), 1..8),
        refuse in any::<bool>(),
    ) {
        let agents = agents();
        let mut witness = Witness::default();
        let limits = Limits { turns_max: 6, ..Limits::default() };
        let mut state = start(super::team::RUN_ID, &json!({"task": "t"}), &agents, limits);
        let mut replies = replies.into_iter().cycle();
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 100, "the run does not end");
            state = match next(&state, &agents) {
                Step::Finish(_) => break,
                Step::AskModel(_) => {
                    let response = witness.reply(&replies.next().expect("it cycles"));
                    model_replied(&state, &agents, &response).expect("it was asked")
                }
                Step::CallTool(call) => {
                    let state = tool_claimed(&state, &agents, &call.call_id).expect("it may run");
                    tool_finished(&state, &agents, &call.call_id, Ok(json!(1))).expect("it ran")
                }
                Step::AskPeople(requests) => {
                    let request = &requests[0];
                    let by = "ada".to_owned();
                    let decision = if refuse {
                        Decision::Rejected { by, reason: None }
                    } else {
                        Decision::Approved { by }
                    };
                    let answer = Answer {
                        call_id: request.call_id.clone(),
                        args_sha256: request.args_sha256.clone(),
                        question: request.question,
                        decision,
                    };
                    decided(&state, &agents, &answer).expect("it is asked")
                }
            };
        }
        prop_assert!(settle(state, &agents).is_finished());
    }
}
