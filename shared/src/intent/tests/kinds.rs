//! Names for what happens and for what is refused.

use super::*;

pub(super) fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| kind(&event.kind)).collect()
}

/// Our own name of a kind of event; the wire's tell fewer apart.
pub(super) fn kind(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Created { .. } => "Created",
        EventKind::Submitted => "Submitted",
        EventKind::Offered { .. } => "Offered",
        EventKind::Acknowledged => "Acknowledged",
        EventKind::Started { .. } => "Started",
        EventKind::Stepped { .. } => "Stepped",
        EventKind::Held { .. } => "Held",
        EventKind::TaskAssigned => "TaskAssigned",
        EventKind::Reminded { .. } => "Reminded",
        EventKind::Escalated { .. } => "Escalated",
        EventKind::Approved { .. } => "Approved",
        EventKind::Suspended { .. } => "Suspended",
        EventKind::AskEnded { .. } => "AskEnded",
        EventKind::Resumed { .. } => "Resumed",
        EventKind::HandedOn { .. } => "HandedOn",
        EventKind::CallClaimed { .. } => "CallClaimed",
        EventKind::CallFinished { .. } => "CallFinished",
        EventKind::DeliveryFailed { .. } => "DeliveryFailed",
        EventKind::Refused { .. } => "Refused",
        EventKind::Reassigned { .. } => "Reassigned",
        EventKind::StepBegun { .. } => "StepBegun",
        EventKind::StepEnded { .. } => "StepEnded",
        EventKind::Notified { .. } => "Notified",
        EventKind::Checked => "Checked",
        EventKind::Said { .. } => "Said",
        EventKind::Hidden { .. } => "Hidden",
        EventKind::PolicyChanged { .. } => "PolicyChanged",
        EventKind::Completed { .. } => "Completed",
        EventKind::Failed { .. } => "Failed",
        EventKind::Canceled { .. } => "Canceled",
        EventKind::TimedOut => "TimedOut",
    }
}

/// Our own name of a refusal.
pub(super) fn name(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NotFound => "NotFound",
        Rejection::Exists => "Exists",
        Rejection::Ended(_) => "Ended",
        Rejection::DeadlinePassed(_) => "DeadlinePassed",
        Rejection::AwaitsDecision => "AwaitsDecision",
        Rejection::NothingToDecide(_) => "NothingToDecide",
        Rejection::AlreadyDecided { .. } => "AlreadyDecided",
        Rejection::StaleView => "StaleView",
        Rejection::WrongRole { .. } => "WrongRole",
        Rejection::NotTheHandler => "NotTheHandler",
        Rejection::NotTheSender => "NotTheSender",
        Rejection::SelfApproval => "SelfApproval",
        Rejection::NotAssigned => "NotAssigned",
        Rejection::OutcomeNotAllowed { .. } => "OutcomeNotAllowed",
        Rejection::OutcomeMissing { .. } => "OutcomeMissing",
        Rejection::EvidenceRequired => "EvidenceRequired",
        Rejection::FormInvalid(_) => "FormInvalid",
        Rejection::StalePolicy { .. } => "StalePolicy",
        Rejection::OnlyShortens(_) => "OnlyShortens",
        Rejection::DeadlineNotAhead(_) => "DeadlineNotAhead",
        Rejection::NotGranted => "NotGranted",
        Rejection::PolicyTooLarge => "PolicyTooLarge",
        Rejection::TooManyMessages => "TooManyMessages",
        Rejection::AnswerTooLarge => "AnswerTooLarge",
        Rejection::ResultTooLarge => "ResultTooLarge",
        Rejection::CommentRequired => "CommentRequired",
        Rejection::Leased(_) => "Leased",
        Rejection::LeaseLost => "LeaseLost",
        Rejection::NotAgentsTurn(_) => "NotAgentsTurn",
        Rejection::CheckpointConflict => "CheckpointConflict",
        Rejection::AskConflict(_) => "AskConflict",
        Rejection::AsksOutOfBounds => "AsksOutOfBounds",
        Rejection::TooManyCalls => "TooManyCalls",
        Rejection::CallOutcomeUnknown(_) => "CallOutcomeUnknown",
        Rejection::CallMismatch(_) => "CallMismatch",
        Rejection::CallNotClaimed(_) => "CallNotClaimed",
        Rejection::NoGrant(_) => "NoGrant",
        Rejection::GrantRefused(_) => "GrantRefused",
        Rejection::InexactNumber => "InexactNumber",
        Rejection::GrantExpired { .. } => "GrantExpired",
    }
}
