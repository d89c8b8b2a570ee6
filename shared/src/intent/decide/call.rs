//! What agents may do with tools.

use jiff::Timestamp;

use super::agent::{self, Decision, taken, working};
use super::{History, in_time};
use crate::digest::Digest;
use crate::intent::ask::{AskEnding, GRANT_SECONDS};
use crate::intent::call::CALLS_MAX;
use crate::intent::event::EventKind;
use crate::intent::{Intent, Rejection};
use crate::principal::Principal;

/// A tool call as its claimer describes it.
pub(super) struct Claim<'a> {
    pub(super) call_id: &'a str,
    pub(super) call_digest: &'a Digest,
    pub(super) needs_grant: bool,
    pub(super) token_digest: &'a Digest,
}

pub(super) fn claim(
    intent: &Intent,
    by: &Principal,
    fence: Option<u64>,
    call: &Claim<'_>,
    history: &mut History,
) -> Decision {
    working(intent, by, fence, history.now)?;
    if let Some(claimed) = intent.calls.get(call.call_id) {
        return if claimed.call_digest != *call.call_digest {
            Err(Rejection::CallMismatch(call.call_id.to_owned()))
        } else if claimed.finished.is_some() || claimed.token_digest == *call.token_digest {
            Ok(())
        } else {
            Err(Rejection::CallOutcomeUnknown(call.call_id.to_owned()))
        };
    }
    if intent.calls.len() >= CALLS_MAX {
        return Err(Rejection::TooManyCalls);
    }
    granted(intent, call, history.now)?;
    taken(intent, by, fence, history);
    let kind = EventKind::CallClaimed {
        call_id: call.call_id.to_owned(),
        call_digest: call.call_digest.clone(),
        token_digest: call.token_digest.clone(),
    };
    history.push(&by.name, kind);
    Ok(())
}

/// Whether a person allowed exactly this call. A call that was asked about needs the yes even if its
/// claimer says that it needs none.
fn granted(intent: &Intent, call: &Claim<'_>, now: Timestamp) -> Decision {
    let call_id = || call.call_id.to_owned();
    let Some(ask) = intent.asks.iter().find(|ask| ask.call_id == call.call_id) else {
        return if call.needs_grant { Err(Rejection::NoGrant(call_id())) } else { Ok(()) };
    };
    if ask.call_digest != *call.call_digest {
        return Err(Rejection::CallMismatch(call_id()));
    }
    let Some(AskEnding { decision, .. }) = &ask.ending else {
        return Err(Rejection::AwaitsDecision);
    };
    let approved =
        decision.as_ref().filter(|_| ask.ending.as_ref().is_some_and(AskEnding::is_approved));
    let Some(decision) = approved else { return Err(Rejection::GrantRefused(call_id())) };
    let until = decision
        .decided_at
        .checked_add(std::time::Duration::from_secs(GRANT_SECONDS))
        .unwrap_or(Timestamp::MAX);
    if now < until { Ok(()) } else { Err(Rejection::GrantExpired { call_id: call_id(), until }) }
}

pub(super) fn finish_call(
    intent: &Intent,
    by: &Principal,
    call_id: &str,
    token_digest: &Digest,
    (output_digest, is_error): (&Digest, bool),
    history: &mut History,
) -> Decision {
    agent::handler(intent, by)?;
    let call = intent
        .calls
        .get(call_id)
        .filter(|call| call.token_digest == *token_digest)
        .ok_or_else(|| Rejection::CallNotClaimed(call_id.to_owned()))?;
    if let Some(finished) = &call.finished {
        let same = finished.output_digest == *output_digest && finished.is_error == is_error;
        return if same { Ok(()) } else { Err(Rejection::CallMismatch(call_id.to_owned())) };
    }
    agent::open(intent)?;
    in_time(intent, history.now)?;
    let (call_id, output_digest) = (call_id.to_owned(), output_digest.clone());
    history.push(&by.name, EventKind::CallFinished { call_id, output_digest, is_error });
    Ok(())
}
