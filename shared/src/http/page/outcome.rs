//! An outcome as a button and as a fact. Whatever is not a word of ours is still untrusted text.

/// How an outcome looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Positive,
    Negative,
    Neutral,
}

impl Tone {
    /// Only the first outcome may look like consent, and a word known to refuse never does,
    /// wherever it stands.
    pub(super) fn of(outcome: &str, first: bool) -> Self {
        match (Word::of(outcome), first) {
            (Some(Word { refuses: true, .. }), _) => Self::Negative,
            (Some(_) | None, true) => Self::Positive,
            (Some(_) | None, false) => Self::Neutral,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Neutral => "neutral",
        }
    }
}

/// What the buttons say, in the order of the outcomes. Outcomes that would read the same are told
/// apart by their exact words.
pub(super) fn labels(outcomes: &[&str]) -> Vec<String> {
    let labels: Vec<String> = outcomes.iter().map(|outcome| label(outcome)).collect();
    let exact = |(outcome, label): (&&str, &String)| {
        if labels.iter().filter(|other| *other == label).count() > 1 {
            format!("{label} ({outcome})")
        } else {
            label.clone()
        }
    };
    outcomes.iter().zip(&labels).map(exact).collect()
}

/// What the outcome is called once it is a fact.
pub(super) fn past(outcome: &str) -> String {
    Word::of(outcome).map_or_else(|| capitalised(outcome), |word| word.past.into())
}

fn label(outcome: &str) -> String {
    Word::of(outcome).map_or_else(|| capitalised(outcome), |word| word.label.into())
}

/// An outcome that has its own words here.
struct Word {
    label: &'static str,
    past: &'static str,
    refuses: bool,
}

impl Word {
    fn of(outcome: &str) -> Option<Self> {
        let (label, past, refuses) = match outcome {
            "accept" | "accepted" => ("Accept", "Accepted", false),
            "approve" | "approved" => ("Approve", "Approved", false),
            "cancel" | "canceled" | "cancelled" => ("Cancel", "Cancelled", true),
            "assign" | "assigned" => ("Assign", "Assigned", false),
            "changes_requested" | "request_changes" => {
                ("Request changes", "Changes requested", false)
            }
            "complete" | "completed" | "done" => ("Done", "Done", false),
            "confirm" | "confirmed" => ("Confirm", "Confirmed", false),
            "decline" | "declined" => ("Decline", "Declined", true),
            "deny" | "denied" => ("Deny", "Denied", true),
            "escalate" | "escalated" => ("Escalate", "Escalated", false),
            "fail" | "failed" => ("It failed", "Failed", true),
            "override_approved" => ("Override the rule", "Override approved", false),
            "provide" | "provided" => ("Provide", "Provided", false),
            "reject" | "rejected" => ("Reject", "Rejected", true),
            "submit" | "submitted" => ("Submit", "Submitted", false),
            _ => return None,
        };
        Some(Self { label, past, refuses })
    }
}

fn capitalised(outcome: &str) -> String {
    let words = outcome.replace('_', " ");
    let mut chars = words.chars();
    let upper: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{upper}{}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::task_type::TaskType;

    #[test]
    fn known_words_become_commands_and_others_are_capitalised() {
        assert_eq!(
            labels(&["approved", "rejected", "changes_requested", "ship_on_monday"]),
            ["Approve", "Reject", "Request changes", "Ship on monday"]
        );
        assert_eq!(past("approve"), "Approved");
        assert_eq!(past("needs_info"), "Needs info");
        assert_eq!(past(""), "");
    }

    #[test]
    fn every_word_that_a_task_takes_by_itself_is_a_command_and_a_fact() {
        for task_type in TaskType::ALL {
            for outcome in task_type.outcomes() {
                let word = outcome.name();
                assert!(Word::of(word).is_some(), "{word}");
                assert!(label(word) != past(word) || word == "completed", "{word}");
            }
        }
        assert_eq!(labels(&["submitted", "declined"]), ["Submit", "Decline"]);
        assert_eq!(labels(&["completed", "failed"]), ["Done", "It failed"]);
        assert_eq!(Tone::of("failed", false), Tone::Negative);
    }

    #[test]
    fn outcomes_that_would_read_alike_show_their_exact_words() {
        assert_eq!(
            labels(&["approve", "approved", "reject"]),
            ["Approve (approve)", "Approve (approved)", "Reject"]
        );
    }

    #[test]
    fn a_refusal_never_looks_like_consent_and_only_the_first_outcome_does() {
        assert_eq!(Tone::of("approved", true), Tone::Positive);
        assert_eq!(Tone::of("release", true), Tone::Positive);
        assert_eq!(Tone::of("rejected", true), Tone::Negative);
        assert_eq!(Tone::of("rejected", false), Tone::Negative);
        assert_eq!(Tone::of("approved", false), Tone::Neutral);
        assert_eq!(Tone::of("later", false), Tone::Neutral);
    }
}
