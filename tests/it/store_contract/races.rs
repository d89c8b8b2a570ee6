//! What many writers at once can rely on.

use std::sync::Arc;

use serde_json::json;
use shared::app::{App, ClaimedCall, ToolCall};
use shared::error::Error;
use shared::id::IntentId;
use shared::intent::answer::Answer;
use shared::intent::human_task::Outcome;
use shared::intent::{Command, Rejection, Status};
use shared::principal::{Principal, Role};
use tests::{Table, World};

use super::contracts::agent;
use crate::harness::{question, turn};

const WRITERS: usize = 20;

/// Runs `work` for every writer at once and returns what each one got.
async fn at_once<T, F>(world: &World, work: impl Fn(App, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(WRITERS));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (start, work) = (start.clone(), work(world.app.clone(), n));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

fn reviewer(n: usize) -> Principal {
    Principal { name: format!("reviewer {n}"), role: Role::Reviewer, ..agent() }
}

pub(super) async fn of_many_decisions_at_once_exactly_one_counts(table: Table) {
    let world = World::over(table).await;
    let id: IntentId = question(&world, "agent_core", json!({})).await.parse().unwrap();
    let results = at_once(&world, |app, n| async move {
        let outcome = if n % 2 == 0 { Outcome::APPROVED } else { Outcome::REJECTED };
        app.answer(&reviewer(n), id, Answer::of(outcome), None).await
    })
    .await;
    let winners: Vec<_> = (0..WRITERS).filter(|n| results[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(refused, Error::Rejected(Rejection::AlreadyDecided { .. })),
            "{refused:?}"
        );
    }
    let stored = world.app.load(id).await.unwrap();
    let decision = &stored.intent.decided().unwrap().decision;
    assert_eq!((decision.by.clone(), stored.version), (reviewer(winners[0]).name, 2));
}

pub(super) async fn of_many_results_at_once_exactly_one_counts(table: Table) {
    let world = World::over(table).await;
    let id: IntentId = turn(&world, "a").await.parse().unwrap();
    let results = at_once(&world, |app, n| async move {
        let command = Command::Complete { by: agent(), fence: None, result: json!({"n": n}) };
        app.execute(id, &command, &[]).await
    })
    .await;
    let winners: Vec<_> = (0..WRITERS).filter(|n| results[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(refused, Error::Rejected(Rejection::Ended(Status::Completed))),
            "{refused:?}"
        );
    }
    let events = world.app.events(id, 0).await.unwrap().records;
    let ends = events.iter().filter(|record| record.status == Status::Completed).count();
    assert_eq!((ends, world.app.load(id).await.unwrap().version), (1, 2));
}

pub(super) async fn of_many_claims_at_once_exactly_one_may_run(table: Table) {
    let world = World::over(table).await;
    let id: IntentId = turn(&world, "a").await.parse().unwrap();
    let results = at_once(&world, |app, n| async move {
        let call = ToolCall {
            call_id: "c".to_owned(),
            tool: "publish".to_owned(),
            arguments: serde_json::Map::new(),
            needs_grant: false,
            claim_token: Some(format!("token of the claimer {n}")),
        };
        app.claim(&agent(), None, id, &call).await
    })
    .await;
    let may_run =
        |result: &&Result<ClaimedCall, Error>| matches!(result, Ok(ClaimedCall::Run { .. }));
    assert_eq!(results.iter().filter(may_run).count(), 1);
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(refused, Error::Rejected(Rejection::CallOutcomeUnknown(_))),
            "{refused:?}"
        );
    }
}

pub(super) async fn no_update_is_lost_however_many_come_at_once(table: Table) {
    let world = World::over(table).await;
    let id: IntentId = turn(&world, "a").await.parse().unwrap();
    let results = at_once(&world, |app, n| async move {
        let reason = Some(format!("writer {n}"));
        let command = Command::Advance { by: agent(), reason, next: None };
        app.execute(id, &command, &[]).await
    })
    .await;
    let taken = results.iter().filter(|result| result.is_ok()).count();
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(refused, Error::Busy), "only patience may run out: {refused:?}");
    }
    let events = world.app.events(id, 0).await.unwrap().records;
    let handed_on = events.iter().filter(|e| e.event.kind.wire_name() == "intent.transfer").count();
    assert!(taken >= 1);
    assert_eq!((handed_on, world.app.load(id).await.unwrap().version), (taken, taken as u64 + 1));
    let seqs: std::collections::BTreeSet<_> =
        events.iter().map(|record| record.event.seq).collect();
    assert_eq!(seqs.len(), events.len());
}
