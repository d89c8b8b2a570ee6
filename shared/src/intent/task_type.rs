//! The kinds of human task, and the answers that each takes.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;

/// What kind of answer is wanted. The contract's fourteen, and its forms.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskType {
    /// Yes or no.
    Approval,
    /// Yes, no, or not yet.
    Review,
    /// An answer to a question.
    Clarification,
    /// Data that somebody knows.
    ProvideData,
    /// A reference to a file.
    AttachFile,
    /// Something that a person does by hand.
    ManualAction,
    /// That something is so.
    Confirmation,
    /// That something is so, seen with one's own eyes.
    ValidateRealWorld,
    /// That something came out right.
    ValidateOutput,
    /// Who is to do it.
    Assignment,
    /// Who decides instead.
    Delegation,
    /// Where it goes instead.
    Reroute,
    /// A yes in spite of a rule.
    Override,
    /// A yes from further up.
    Escalate,
    /// Fields that a person fills in.
    Form,
}

impl TaskType {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Approval,
        Self::Review,
        Self::Clarification,
        Self::ProvideData,
        Self::AttachFile,
        Self::ManualAction,
        Self::Confirmation,
        Self::ValidateRealWorld,
        Self::ValidateOutput,
        Self::Assignment,
        Self::Delegation,
        Self::Reroute,
        Self::Override,
        Self::Escalate,
        Self::Form,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Review => "review",
            Self::Clarification => "clarification",
            Self::ProvideData => "provide_data",
            Self::AttachFile => "attach_file",
            Self::ManualAction => "manual_action",
            Self::Confirmation => "confirmation",
            Self::ValidateRealWorld => "validate_real_world",
            Self::ValidateOutput => "validate_output",
            Self::Assignment => "assignment",
            Self::Delegation => "delegation",
            Self::Reroute => "reroute",
            Self::Override => "override",
            Self::Escalate => "escalate",
            Self::Form => "form",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// The answers of a task that names none itself, the one that lets work go on first.
    pub fn outcomes(self) -> Vec<Outcome> {
        let words: &[&str] = match self {
            Self::Approval | Self::ValidateOutput | Self::Escalate => &["approved", "rejected"],
            Self::Review => &["approved", "changes_requested", "rejected"],
            Self::Clarification | Self::ProvideData | Self::AttachFile => &["provided", "declined"],
            Self::ManualAction => &["completed", "failed"],
            Self::Confirmation | Self::ValidateRealWorld => &["confirmed", "denied"],
            Self::Assignment | Self::Delegation | Self::Reroute => &["assigned", "declined"],
            Self::Override => &["override_approved", "rejected"],
            Self::Form => &["submitted", "declined"],
        };
        words.iter().map(|word| Outcome::known(word)).collect()
    }

    /// Whether an answer that lets work go on needs a comment even if the task does not say so: who
    /// overrides a rule says why.
    pub fn wants_reason(self) -> bool {
        self == Self::Override
    }
}
