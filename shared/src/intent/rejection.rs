//! Why a command was refused. Nothing has changed when one of these comes back.

use jiff::Timestamp;

use super::answer::ANSWER_BYTES_MAX;
use super::ask::{ASKS_PER_INTENT_MAX, ASKS_PER_SUSPENSION_MAX};
use super::call::CALLS_MAX;
use super::human_task::PROPOSAL_BYTES_MAX;
use super::inbox::MESSAGES_MAX;
use super::outcome::Outcome;
use super::policy::{CONTROLS_MAX, GRANTS_MAX, POLICY_BYTES_MAX};
use super::status::Status;
use crate::form::FormFault;
use crate::principal::Role;

/// A refusal: what stands in the way, and what would help.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such intent, or it belongs to another account.
    #[error("there is no such intent")]
    NotFound,
    /// It exists already. The store answers a repeated creation before the core sees it.
    #[error("this intent exists already")]
    Exists,
    /// It has ended.
    #[error("the intent has ended as {}; nothing can change it any more", .0.name())]
    Ended(Status),
    /// Its deadline has passed.
    #[error("the deadline {0} has passed; send a new intent")]
    DeadlinePassed(Timestamp),
    /// A person must decide first.
    #[error("a person must decide first; no agent can go on with it until then")]
    AwaitsDecision,
    /// No person is asked here.
    #[error("no decision is asked for here; the intent is {}", .0.name())]
    NothingToDecide(Status),
    /// It was decided before: by somebody else, or differently.
    #[error("{by} has answered `{outcome}` at {decided_at}")]
    AlreadyDecided {
        /// The answer that counts.
        outcome: Outcome,
        /// Whose it is.
        by: String,
        /// When it came.
        decided_at: Timestamp,
    },
    /// What the reviewer saw is not what would be approved.
    #[error("what you saw is not what waits now; look at it again before you decide")]
    StaleView,
    /// The caller's role may not do this.
    #[error("a key with the role {} cannot do this; it takes a key with the role {}", .has.name(), .needs.name())]
    WrongRole {
        /// What the caller is.
        has: Role,
        /// What it would have to be.
        needs: Role,
    },
    /// The caller is no party to the intent.
    #[error("only the agent that handles this intent may do this")]
    NotTheHandler,
    /// Only the sender or an administrator may withdraw it.
    #[error("only the sender or an administrator may cancel this intent")]
    NotTheSender,
    /// The one who asked cannot be the one who answers.
    #[error("who asks for an action cannot approve it; another reviewer must decide")]
    SelfApproval,
    /// The task is for other people.
    #[error("this task is assigned to other reviewers")]
    NotAssigned,
    /// The answer is not among those that the task takes.
    #[error("this task takes no answer `{outcome}`; it takes {}", words(.allowed))]
    OutcomeNotAllowed {
        /// What was sent.
        outcome: Outcome,
        /// What is taken.
        allowed: Vec<Outcome>,
    },
    /// No answer was sent.
    #[error("outcome is missing; send one of {}", words(.allowed))]
    OutcomeMissing {
        /// What is taken.
        allowed: Vec<Outcome>,
    },
    /// The task wants evidence.
    #[error("this task needs evidence: send `data.evidence`, a text, a list or an object")]
    EvidenceRequired,
    /// What was filled in does not fit the form.
    #[error("the form is not filled in as it asks: {}", faults(.0))]
    FormInvalid(Vec<FormFault>),
    /// Too much was filled in.
    #[error(
        "an answer fills in at most {ANSWER_BYTES_MAX} bytes of JSON; send a reference instead"
    )]
    AnswerTooLarge,
    /// Too much would have to be shown.
    #[error(
        "a person signs off at most {PROPOSAL_BYTES_MAX} bytes of JSON; send a reference instead"
    )]
    ResultTooLarge,
    /// The task wants a comment.
    #[error("this task needs a comment: send `comment` with at least one character")]
    CommentRequired,
    /// Somebody made another change first.
    #[error("the policy is at generation {generation} by now; read it again and send that one")]
    StalePolicy {
        /// The generation that counts.
        generation: u64,
    },
    /// The deadline would come later.
    #[error("only an administrator may move the deadline {0} further away; send an earlier one")]
    OnlyShortens(Timestamp),
    /// The deadline would be over.
    #[error("the new deadline {0} is not in the future; cancel the intent instead")]
    DeadlineNotAhead(Timestamp),
    /// The caller may not change this.
    #[error("only the sender, an administrator or a principal with a grant may change this")]
    NotGranted,
    /// Too many control values or grants, or too large ones.
    #[error(
        "one intent keeps at most {CONTROLS_MAX} controls and {GRANTS_MAX} grants, in at most {POLICY_BYTES_MAX} bytes of JSON"
    )]
    PolicyTooLarge,
    /// Too many messages.
    #[error("one intent takes at most {MESSAGES_MAX} messages")]
    TooManyMessages,
    /// Another worker holds the lease.
    #[error("another worker holds this intent until {0}")]
    Leased(Timestamp),
    /// The worker's lease was taken over.
    #[error("this worker's lease is over; another one goes on with the intent")]
    LeaseLost,
    /// It is not the agent's turn.
    #[error("it is not the agent's turn; the intent is {}", .0.name())]
    NotAgentsTurn(Status),
    /// The stored run state is another one.
    #[error("the stored checkpoint is another one; read it again (GET …/checkpoint)")]
    CheckpointConflict,
    /// A name was used for a question before.
    #[error("call `{0}` was asked about before; read how that ended, or use a new call_id")]
    AskConflict(String),
    /// Too many questions.
    #[error(
        "one suspension asks for 1 to {ASKS_PER_SUSPENSION_MAX} approvals, and one intent for at most {ASKS_PER_INTENT_MAX}"
    )]
    AsksOutOfBounds,
    /// Too many calls.
    #[error("one intent claims at most {CALLS_MAX} tool calls")]
    TooManyCalls,
    /// The call was claimed before and never reported.
    #[error(
        "call `{0}` was claimed before and nobody reported its output, so it may have run; ask a person whether it did"
    )]
    CallOutcomeUnknown(String),
    /// The call was asked about, claimed or reported before, and differently.
    #[error(
        "call `{0}` was asked about, claimed or reported before with another tool, other arguments or another output"
    )]
    CallMismatch(String),
    /// The call was never claimed, or by somebody else.
    #[error("call `{0}` is not claimed with this claim_token")]
    CallNotClaimed(String),
    /// The call needs a person's yes and has none.
    #[error("call `{0}` has no approval to run; ask for one by suspending")]
    NoGrant(String),
    /// A person said no, or nobody answered.
    #[error("call `{0}` was not approved")]
    GrantRefused(String),
    /// What would be shown has a number that its digest could not hold.
    #[error(
        "a whole number beyond ±9007199254740991 cannot be approved exactly; send it as a string"
    )]
    InexactNumber,
    /// The yes is too old.
    #[error(
        "the approval of call `{call_id}` was good until {until}; ask again under a new call_id"
    )]
    GrantExpired {
        /// The agent's name for the call.
        call_id: String,
        /// When it ended.
        until: Timestamp,
    },
}

fn words(outcomes: &[Outcome]) -> String {
    let words: Vec<&str> = outcomes.iter().map(Outcome::name).collect();
    words.join(", ")
}

fn faults(faults: &[FormFault]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}
