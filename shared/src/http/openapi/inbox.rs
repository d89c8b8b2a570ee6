//! Inboxes: threads, and what their readers do there.

use serde_json::{Value, json};

use super::approvals::answer_fields;
use super::operation::Operation;
use super::schema::{
    answer, count, instant, list, named, object, optional_text, optional_whole, or_null, said,
    text, text_to, uri, uuid, waiting_reason, words,
};
use super::{Area, parameter, refusals};
use crate::app::HIDDEN_PER_REQUEST_MAX;
use crate::error::Error;
use crate::http::wire::inbox::{NAME_CHARS_MAX, NOTE_CHARS_MAX, THREADS_DEFAULT, THREADS_MAX};
use crate::intent::Rejection;
use crate::intent::inbox::MESSAGE_CHARS_MAX;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Inbox",
        about: "Threads: an intent as its agent, its sender and reviewers talk about it.",
        operations: vec![
            threads(),
            changes(),
            thread(),
            reply(),
            delegate(),
            decide("/v1/inbox/{id}/approve", "approveThread", "Say yes to what a thread asks"),
            decide("/v1/inbox/{id}/reject", "rejectThread", "Say no to what a thread asks"),
            hide(),
            mark_read(),
        ],
        schemas: vec![("Thread", thread_schema()), ("Message", message())],
    }
}

fn threads() -> Operation {
    let states = words(["pending", "active", "done"]);
    of_inbox("/v1/inbox", "listThreads", "List threads")
        .says("Newest first.")
        .with_query([
            parameter::query("status", "Only threads that stand so.", states),
            parameter::page_limit(THREADS_DEFAULT, THREADS_MAX),
            parameter::cursor(),
        ])
        .answering(
            "Threads.",
            answer(json!({
                "threads": list(named("Thread")), "next_cursor": or_null(text()),
            })),
        )
}

fn changes() -> Operation {
    let change =
        object(&["cursor", "thread"], json!({"cursor": text(), "thread": named("Thread")}));
    let cursor = json!({"type": "string", "pattern": "^$|^[0-9]{1,15}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"});
    of_inbox("/v1/inbox/changes", "listThreadChanges", "Which threads have changed")
        .with_query([
            parameter::page_limit(THREADS_DEFAULT, THREADS_MAX),
            parameter::query("cursor", "The `next_cursor` of the look before.", cursor),
        ])
        .answering("Threads that changed after the cursor, in that order.", answer(json!({
            "changes": list(change), "next_cursor": or_null(text()), "has_more": {"type": "boolean"},
        })))
}

fn thread() -> Operation {
    on_thread("get", "/v1/inbox/{id}", "getThread", "Look at a thread")
        .answering("The thread, with its messages at the top as well.", one())
}

fn reply() -> Operation {
    on_thread("post", "/v1/inbox/{id}/reply", "replyToThread", "Leave a message")
        .with(parameter::idempotency_key())
        .taking(
            object(&["message"], json!({"message": text_to(MESSAGE_CHARS_MAX)})),
            json!({"message": "Which version is it?"}),
        )
        .answering("The thread after it.", one())
        .refusing([Error::KeyReused])
        .refusing(refusals::rejected([Rejection::TooManyMessages]))
}

fn delegate() -> Operation {
    let body = object(
        &["delegate_to"],
        json!({
            "delegate_to": said(
                "The reviewer or the agent who goes on.",
                text_to(NAME_CHARS_MAX),
            ),
            "note": optional_text(NOTE_CHARS_MAX),
        }),
    );
    on_thread("post", "/v1/inbox/{id}/delegate", "delegateThread", "Pass a thread on")
        .says("A reviewer passes the decision on, an agent the work.")
        .taking(body, json!({"delegate_to": "ben", "note": "You know the service better."}))
        .answering("The thread after it.", one())
        .refusing(refusals::out_of_turn())
        .refusing(refusals::unanswered())
}

fn decide(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let body = object(&[], Value::Object(answer_fields()));
    on_thread("post", path, id, summary)
        .taking(body, json!({"comment": "Seen."}))
        .or_nothing()
        .answering("The thread after it.", one())
        .refusing(refusals::unanswered())
}

fn hide() -> Operation {
    let max = u64::try_from(HIDDEN_PER_REQUEST_MAX).unwrap_or(u64::MAX);
    let ids = json!({"type": ["array", "null"], "items": uuid(), "maxItems": max});
    let body = object(
        &["mode"],
        json!({
            "mode": said("Hide them from oneself, or from everybody.", words(["self", "both"])),
            "message_ids": said("Which; the newest if it is missing.", ids),
            "limit": optional_whole(1_u64, max),
        }),
    );
    let hidden = json!({
        "mode": words(["self", "both"]), "deleted_count": count(), "message_ids": list(uuid()),
    });
    let path = "/v1/inbox/{id}/messages/delete";
    on_thread("post", path, "hideMessages", "Hide messages")
        .says("History keeps them.")
        .taking(body, json!({"mode": "self"}))
        .answering("What was hidden.", json!({"allOf": [one(), answer(hidden)]}))
        .refusing(refusals::over())
        .refusing(refusals::stopped())
}

fn mark_read() -> Operation {
    on_thread("post", "/v1/inbox/{id}/read", "readThread", "Note that it was read")
        .answering("The thread after it.", one())
        .refusing(refusals::out_of_turn())
}

fn of_inbox(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, id, summary)
        .with_query([parameter::owner_agent()])
        .refusing([refusals::role()])
}

fn on_thread(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(method, path, id, summary)
        .with(parameter::path("id", "The thread: an intent.", uuid()))
        .with_query([parameter::owner_agent()])
        .refusing([refusals::role()])
        .refusing(refusals::hidden())
        .refusing(if method == "get" { vec![] } else { refusals::over() })
}

fn one() -> Value {
    answer(json!({"thread": named("Thread"), "messages": list(named("Message"))}))
}

fn thread_schema() -> Value {
    let entry = object(
        &["event_id", "event_type", "actor", "at", "details"],
        json!({
            "event_id": uuid(),
            "event_type": text(),
            "seq": count(),
            "status": text(),
            "actor": text(),
            "at": instant(),
            "details": {"type": "object"},
        }),
    );
    let required = [
        "thread_id",
        "intent_id",
        "status",
        "owner_agent",
        "from_agent",
        "to_agent",
        "subject",
        "intent_type",
        "created_at",
        "updated_at",
        "timeline",
    ];
    object(
        &required,
        json!({
            "thread_id": said("The same as `intent_id`.", uuid()),
            "intent_id": uuid(),
            "status": words(["pending", "active", "done"]),
            "intent_status": super::schema::status(),
            "waiting_reason": waiting_reason(),
            "pending_with": or_null(named("PendingWith")),
            "owner_agent": text(),
            "from_agent": text(),
            "to_agent": uri(),
            "reply_to": or_null(uri()),
            "subject": text(),
            "intent_type": text(),
            "created_at": instant(),
            "updated_at": instant(),
            "deadline_at": instant(),
            "message_count": count(),
            "completion": said(
                "How it ended; null while it has not.",
                json!({"type": ["object", "null"]}),
            ),
            "timeline": {"type": "array", "minItems": 1, "items": entry},
            "timeline_is_whole": {"type": "boolean"},
            "messages": list(named("Message")),
            "messages_are_whole": {"type": "boolean"},
        }),
    )
}

fn message() -> Value {
    object(
        &["message_id", "role", "content", "text", "actor", "at"],
        json!({
            "message_id": uuid(),
            "role": words(["sender", "agent", "reviewer", "participant"]),
            "content": text(),
            "text": text(),
            "actor": text(),
            "at": instant(),
        }),
    )
}
