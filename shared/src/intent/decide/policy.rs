//! Who may change controls and policy, and to what.

use super::{History, in_time};
use crate::intent::event::EventKind;
use crate::intent::policy::{CONTROLS_MAX, GRANTS_MAX, POLICY_BYTES_MAX, Patch, Right};
use crate::intent::{Intent, Rejection};
use crate::principal::{Principal, Role};

/// A change that is asked for.
pub(super) struct Change<'a> {
    pub(super) patch: &'a Patch,
    pub(super) right: Right,
    /// The generation that it was made for.
    pub(super) expected: Option<u64>,
}

pub(super) fn change(
    intent: &Intent,
    by: &Principal,
    change: &Change<'_>,
    reason: Option<&String>,
    history: &mut History,
) -> Result<(), Rejection> {
    let allowed = match by.role {
        Role::Admin => true,
        Role::Agent => by.name == intent.envelope.from || granted(intent, by, change),
        Role::Reviewer => false,
    };
    if !allowed {
        return Err(Rejection::NotGranted);
    }
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    let generation = intent.policy.generation;
    if change.expected.is_some_and(|expected| expected != generation) {
        return Err(Rejection::StalePolicy { generation });
    }
    if let Some(deadline_at) = change.patch.deadline_at {
        if deadline_at <= history.now {
            return Err(Rejection::DeadlineNotAhead(deadline_at));
        }
        // No agent gives itself, or the people who look at it, more time.
        if deadline_at > intent.deadline_at() && by.role != Role::Admin {
            return Err(Rejection::OnlyShortens(intent.deadline_at()));
        }
    }
    let after = intent.policy.patched(change.patch);
    let too_many = after.controls.len() > CONTROLS_MAX || after.grants.len() > GRANTS_MAX;
    if too_many || after.bytes() > POLICY_BYTES_MAX {
        return Err(Rejection::PolicyTooLarge);
    }
    let (patch, reason) = (Box::new(change.patch.clone()), reason.cloned());
    let generation = after.generation;
    history.push(&by.name, EventKind::PolicyChanged { patch, generation, reason });
    Ok(())
}

/// Whether a grant allows the change. Who may change controls cannot use them to grant more.
fn granted(intent: &Intent, by: &Principal, change: &Change<'_>) -> bool {
    let of_controls = change.right == Right::UpdateControls && change.patch.grants.is_empty();
    intent.grants(by, Right::UpdatePolicy)
        || (of_controls && intent.grants(by, Right::UpdateControls))
}
