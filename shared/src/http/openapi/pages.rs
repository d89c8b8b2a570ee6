//! The page behind a review link.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{digest, object, text};
use super::{Area, parameter};

/// The statuses of pages that refuse, and what they say.
const REFUSALS: [(u16, &str); 8] = [
    (400, "The form is incomplete, or not the page's own."),
    (403, "The reviewer may not decide this."),
    (404, "The link opens nothing."),
    (409, "Something else waits by now, or it was decided before."),
    (410, "The link or the intent is over."),
    (413, "The form is too large."),
    (422, "The form is not filled in as it asks; the page says where."),
    (503, "Something did not answer; try again."),
];

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Pages",
        about: "The page behind a review link, for browsers. The link is the reviewer's key.",
        operations: vec![show(), decide()],
        schemas: vec![],
    }
}

fn show() -> Operation {
    let operation = Operation::open("get", "/approve/{token}", "showReview", "Show what waits")
        .says("Looking changes nothing. The page's form decides.");
    pages(operation)
}

fn decide() -> Operation {
    let form = object(
        &["csrf", "version", "digest", "outcome"],
        json!({
            "csrf": text(),
            "version": {"type": "integer", "minimum": 0},
            "digest": digest(),
            "outcome": text(),
            "comment": text(),
        }),
    );
    let operation =
        Operation::open("post", "/approve/{token}", "submitReview", "Decide on the page")
            .says("Takes what the page's own form sends, in the browser that opened the page.")
            .taking_form(form);
    pages(operation)
}

fn pages(operation: Operation) -> Operation {
    let token = parameter::path("token", "The signed token of the link.", text());
    let page = |operation: Operation, status, said: &str| {
        operation.answering_in(status, "text/html", said, html())
    };
    let operation = page(operation.with(token), 200, "The page.");
    REFUSALS.into_iter().fold(operation, |operation, (status, said)| page(operation, status, said))
}

fn html() -> Value {
    json!({"schema": {"type": "string", "pattern": "^<!DOCTYPE html>"}})
}
