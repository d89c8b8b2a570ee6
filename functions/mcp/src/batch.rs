//! Several messages in one request, which versions up to 2025-03-26 of the protocol have.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rmcp::model::ErrorCode;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::exchange::Exchange;
use crate::refusal::{body, refuse};

/// The most messages that one request may carry.
const MESSAGES_MAX: usize = 20;
/// The most bytes of one message's answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Answers each message, in their order, and nothing where none of them wants an answer.
pub(super) async fn answer(exchange: &Exchange, messages: Vec<Value>) -> Response {
    if !exchange.has_batches() {
        let detail = "this version of the protocol has no batches; send one message at a time";
        return refuse(None, ErrorCode::INVALID_REQUEST, detail);
    }
    if messages.is_empty() || messages.len() > MESSAGES_MAX {
        let detail = format!("a batch has {} messages; send 1 to {MESSAGES_MAX}", messages.len());
        return refuse(None, ErrorCode::INVALID_REQUEST, &detail);
    }
    let mut running = JoinSet::new();
    for (place, message) in messages.into_iter().enumerate() {
        let exchange = exchange.clone();
        // At the same time: several may wait for people, and the request has one time limit.
        running.spawn(async move {
            (place, body(exchange.answer(message).await, ANSWER_BYTES_MAX).await)
        });
    }
    let mut answers = running.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    let answers: Vec<Value> = answers.into_iter().filter_map(|(_, answer)| answer).collect();
    if answers.is_empty() {
        return StatusCode::ACCEPTED.into_response();
    }
    Json(answers).into_response()
}
