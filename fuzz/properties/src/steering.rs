//! What agents and administrators do to an intent that lives: suspend, claim, change its policy,
//! hide and pass on.

use shared::http::wire::inbox::{WireDelegate, WireHiding, WireReply};
use shared::http::wire::policy::WireChange;
use shared::http::wire::suspend::{CHECKPOINT_BYTES_MAX, WireClaim, WireFinish, WireSuspend};
use shared::intent::Command;
use shared::intent::command::WaitsFor;
use shared::principal::Role;

use crate::request::{body, now, principal, taken};

/// Every body that changes a living intent becomes one command within its limits, or is refused.
pub fn steering(bytes: &[u8]) {
    suspension(bytes);
    let by = principal(Role::Admin);
    let controls = body::<WireChange>(bytes).and_then(|sent| sent.controls(&by, now()));
    let controls = taken("POST /v1/intents/{id}/controls", bytes, controls);
    let policy = body::<WireChange>(bytes).and_then(|sent| sent.policy(&by, now()));
    let policy = taken("POST /v1/intents/{id}/policy", bytes, policy);
    for command in controls.into_iter().chain(policy) {
        assert!(matches!(command, Command::ChangePolicy { .. }), "{command:?}");
    }
    calls(bytes);
    let reply = body::<WireReply>(bytes).and_then(WireReply::read);
    taken("POST /v1/inbox/{id}/reply", bytes, reply);
    let delegate = body::<WireDelegate>(bytes).and_then(WireDelegate::read);
    taken("POST /v1/inbox/{id}/delegate", bytes, delegate);
    let hiding = body::<WireHiding>(bytes).and_then(WireHiding::read);
    if let Some(hiding) = taken("POST /v1/inbox/{id}/messages/delete", bytes, hiding) {
        assert!(hiding.message_ids.is_none_or(|ids| ids.len() <= 100) && hiding.limit <= 100);
    }
}

fn suspension(bytes: &[u8]) {
    let by = principal(Role::Agent);
    let read = body::<WireSuspend>(bytes).and_then(|sent| sent.read(&by, now()));
    let read = taken("POST /v1/intents/{id}/suspend", bytes, read);
    let Some((command, _)) = read else { return };
    let Command::Suspend { waits_for, .. } = command else { panic!("a suspension is {command:?}") };
    if let WaitsFor::People(asks) = waits_for {
        for ask in asks {
            assert!(!ask.call_id.is_empty() && !ask.call_id.contains('/'), "{}", ask.call_id);
        }
    }
    assert!(bytes.len() <= CHECKPOINT_BYTES_MAX + 131_072);
}

fn calls(bytes: &[u8]) {
    let call_id = || "call-1".to_owned();
    let claim = body::<WireClaim>(bytes).and_then(|sent| sent.read(call_id()));
    taken("POST /v1/intents/{id}/tool-calls/{call_id}/claim", bytes, claim);
    let finish = body::<WireFinish>(bytes).and_then(|sent| sent.read(call_id()));
    taken("POST /v1/intents/{id}/tool-calls/{call_id}/complete", bytes, finish);
    // A name that paths would change is never taken.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let claim = body::<WireClaim>(br#"{"tool": "t"}"#).and_then(|sent| sent.read(text.to_owned()));
    if let Ok(call) = claim {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
        assert!(call.call_id == text && text.bytes().all(plain), "{text}");
    }
}
