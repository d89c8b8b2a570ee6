//! Which refusals an operation can answer with. Status and code come from the one table of errors.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::schema;
use crate::address::Address;
use crate::error::{Error, Unauthenticated};
use crate::http::Problem;
use crate::intent::human_task::Outcome;
use crate::intent::{Rejection, Status};
use crate::principal::Role;
use crate::registration::Standing;

/// Codes under their statuses, each with a sentence such as callers get.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<u16, Codes>);

type Codes = BTreeMap<&'static str, String>;

impl Refusals {
    /// Adds what the table says of `errors`.
    pub(super) fn add(&mut self, errors: impl IntoIterator<Item = Error>) {
        for error in errors {
            let problem = Problem::of(&error);
            let codes = self.0.entry(problem.status.as_u16()).or_default();
            codes.insert(problem.code, problem.detail);
        }
    }

    /// The answers, under their statuses: each by the name that it has in the components, since most
    /// operations share most of them.
    pub(super) fn answers(&self) -> impl Iterator<Item = (u16, Value)> {
        let named = |(status, codes): (&u16, &Codes)| {
            (*status, json!({"$ref": format!("#/components/responses/{}", name(*status, codes))}))
        };
        self.0.iter().map(named)
    }

    /// The components that the answers name.
    pub(super) fn components(&self) -> impl Iterator<Item = (String, Value)> {
        self.0.iter().map(|(status, codes)| (name(*status, codes), answer(*status, codes)))
    }

    /// Every code, with its sentence.
    pub(super) fn codes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.values().flatten().map(|(code, detail)| (*code, detail.as_str()))
    }
}

fn name(status: u16, codes: &Codes) -> String {
    let words: Vec<_> = codes.keys().copied().collect();
    format!("{status}.{}", words.join("."))
}

fn answer(status: u16, codes: &Codes) -> Value {
    let words: Vec<_> = codes.keys().collect();
    let code = json!({"properties": {"code": {"enum": words}}});
    let narrowed = json!({"properties": {"status": {"const": status}, "error": code}});
    let mut headers = super::operation::headers();
    let more = match status {
        401 => Some(("www-authenticate", "How to authenticate: `Bearer`.", schema::text())),
        405 => Some(("allow", "The methods that this path takes.", schema::text())),
        429 | 503 => Some(("retry-after", "Seconds after which to try again.", schema::count())),
        _ => None,
    };
    if let (Some((name, description, of)), Value::Object(headers)) = (more, &mut headers) {
        let header = json!({"description": description, "required": true, "schema": of});
        headers.insert(name.to_owned(), header);
    }
    let named: Vec<_> = codes.keys().map(|code| format!("`{code}`")).collect();
    json!({
        "description": format!("Refused: {}.", named.join(", ")),
        "headers": headers,
        "content": {"application/problem+json": {
            "schema": {"allOf": [schema::named("Problem"), narrowed]},
        }},
    })
}

/// What any operation can answer.
pub(super) fn any() -> Vec<Error> {
    vec![Error::Busy, unavailable(), Error::Corrupt("".into())]
}

/// What any operation can answer that takes a key.
pub(super) fn keyed() -> Vec<Error> {
    let (missing, invalid) = (Unauthenticated::Missing, Unauthenticated::Invalid);
    let limited = Error::RateLimited { limit: 120, retry_after_s: 30 };
    vec![Error::Unauthenticated(missing), Error::Unauthenticated(invalid), limited]
}

/// What an operation can answer that takes a body of at most so many bytes.
pub(super) fn body(bytes_max: usize) -> Vec<Error> {
    let unread = Error::malformed("the body is not JSON");
    let kind = Error::UnsupportedMediaType;
    vec![unread, kind, Error::TooLarge { bytes_max }, wrong()]
}

/// Something that is asked for wrongly.
pub(super) fn wrong() -> Error {
    Error::field("title", "is empty; send 1 to 255 characters")
}

/// A query string that cannot be read.
pub(super) fn query() -> Vec<Error> {
    vec![Error::malformed("the query string cannot be read"), wrong()]
}

/// A role that may not do it.
pub(super) fn role() -> Error {
    Error::Forbidden("this takes a key with another role".to_owned())
}

/// An intent that is not there, or none of the caller's business.
pub(super) fn hidden() -> Vec<Error> {
    vec![Error::NotFound("intent"), Error::Rejected(Rejection::NotFound)]
}

/// An intent that nothing changes any more.
pub(super) fn over() -> Vec<Error> {
    rejected([
        Rejection::Ended(Status::Completed),
        Rejection::DeadlinePassed(Timestamp::UNIX_EPOCH),
    ])
}

/// What an agent is told that acts out of turn.
pub(super) fn out_of_turn() -> Vec<Error> {
    let turn = rejected([
        Rejection::WrongRole { has: Role::Reviewer, needs: Role::Agent },
        Rejection::NotTheHandler,
        Rejection::AwaitsDecision,
        Rejection::NotAgentsTurn(Status::Waiting),
        Rejection::Leased(Timestamp::UNIX_EPOCH),
        Rejection::LeaseLost,
    ]);
    [hidden(), over(), turn, stopped()].into_iter().flatten().collect()
}

/// What an agent is told that an administrator has stopped, and whoever sends to it.
pub(super) fn stopped() -> Vec<Error> {
    let stopped = |standing| Error::AgentStopped { agent: Address::agent_core(), standing };
    [Standing::Suspended, Standing::Killed, Standing::Deleted].map(stopped).into()
}

/// What a person is told whose answer is not taken.
pub(super) fn unanswered() -> Vec<Error> {
    let outcome = || Outcome::APPROVED;
    let allowed = || vec![Outcome::APPROVED, Outcome::REJECTED];
    let answer = rejected([
        Rejection::WrongRole { has: Role::Agent, needs: Role::Reviewer },
        Rejection::SelfApproval,
        Rejection::NotAssigned,
        Rejection::NothingToDecide(Status::Delivered),
        Rejection::AlreadyDecided {
            outcome: outcome(),
            by: "ana".to_owned(),
            decided_at: Timestamp::UNIX_EPOCH,
        },
        Rejection::StaleView,
        Rejection::OutcomeNotAllowed { outcome: outcome(), allowed: allowed() },
        Rejection::OutcomeMissing { allowed: allowed() },
        Rejection::EvidenceRequired,
        Rejection::CommentRequired,
        Rejection::FormInvalid(vec![]),
        Rejection::InexactNumber,
    ]);
    [hidden(), over(), answer].into_iter().flatten().collect()
}

/// What is wrong with a tool call that is claimed or reported.
pub(super) fn call() -> Vec<Error> {
    let call = || "call-1".to_owned();
    rejected([
        Rejection::TooManyCalls,
        Rejection::CallOutcomeUnknown(call()),
        Rejection::CallMismatch(call()),
        Rejection::CallNotClaimed(call()),
        Rejection::NoGrant(call()),
        Rejection::GrantRefused(call()),
        Rejection::GrantExpired { call_id: call(), until: Timestamp::UNIX_EPOCH },
    ])
}

/// Rejections, as errors.
pub(super) fn rejected(rejections: impl IntoIterator<Item = Rejection>) -> Vec<Error> {
    rejections.into_iter().map(Error::Rejected).collect()
}

fn unavailable() -> Error {
    Error::Unavailable { dependency: "the table", source: "".into() }
}
