//! The page on which a reviewer decides.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::arguments::{arguments, has_marks};
use super::digest::digest;
use super::document;
use super::form;
use super::moment::{moment, time_left};
use super::notice::timed_out;
use super::outcome::{Tone, labels};
use super::untrusted_text::isolated;
use crate::form::{FormFault, FormSchema};
use crate::intent::task_type::TaskType;
use crate::untrusted::visible;

/// The longest comment, in characters.
pub const COMMENT_CHARS_MAX: usize = 2000;

/// The name of the field for evidence.
pub const EVIDENCE: &str = "evidence";
/// The name of the field for the answer to a question that has no form.
pub const ANSWER: &str = "answer";

/// With less time than this the deadline stands out.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// What a reviewer is asked to decide.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// The agent's headline. It is shown as the agent's words and never as ours.
    pub title: &'a str,
    /// The agent's explanation, shown below the headline.
    pub description: Option<&'a str>,
    /// The address of the agent that asks.
    pub asked_by: &'a str,
    /// The type of the intent.
    pub intent_type: &'a str,
    /// The tool that would run, when the decision is about one call.
    pub tool: Option<&'a str>,
    /// What the tool or the intent was given, whole.
    pub arguments: &'a Value,
    /// A result that the agent has produced and that waits to be released.
    pub proposal: Option<&'a Value>,
    /// What the steps before this one came to, when the decision is a step of a workflow.
    pub earlier: Option<&'a Value>,
    /// The first instant at which nobody can decide any more.
    pub deadline_at: Timestamp,
    /// The instant at which the page is made.
    pub now: Timestamp,
    /// The digest of the stored action, in hexadecimal.
    pub digest: &'a str,
    /// The version of the hold point that is shown.
    pub hold_version: u64,
    /// Whose decision it will be.
    pub reviewer: &'a str,
    /// What kind of answer is wanted.
    pub task_type: TaskType,
    /// What can be answered.
    pub outcomes: &'a [Choice<'a>],
    /// Whether a decision without a comment is refused.
    pub comment_required: bool,
    /// Whether an answer that lets the work go on is refused without evidence.
    pub evidence_required: bool,
    /// The fields that such an answer fills in.
    pub form: Option<&'a FormSchema>,
    /// What stands in the fields.
    pub filled_in: FilledIn<'a>,
    /// The token that the form carries back.
    pub csrf_token: &'a str,
}

/// An answer that can be given.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The word.
    pub outcome: &'a str,
    /// Whether it lets the work go on.
    pub approves: bool,
}

/// What stands in the fields of the page.
#[derive(Debug, Clone, Copy)]
pub struct FilledIn<'a> {
    /// The comment.
    pub comment: &'a str,
    /// The evidence.
    pub evidence: &'a str,
    /// The answer to a question that has no form.
    pub answer: &'a str,
    /// The fields of the form.
    pub values: &'a Map<String, Value>,
    /// What is wrong with them.
    pub faults: &'a [FormFault],
}

/// The page with the form, or the page that says that the deadline has passed.
///
/// The form posts `csrf`, `version`, `digest`, `comment` and the pressed button's `outcome`, URL
/// encoded, to the address that the page has. It has no field in which Enter would submit it.
pub fn review(review: &Review<'_>) -> Markup {
    if review.now >= review.deadline_at {
        return timed_out(review.deadline_at);
    }
    document(
        "Review request",
        html! {
            p.eyebrow { "Your decision is needed" }
            (heading(review))
            (deadline(review))
            @if anything_hidden(review) { (warning()) }
            (facts(review))
            (content(review))
            (agents_words(review))
            (decision(review))
        },
    )
}

/// The heading is built from the stored action alone, so that prose cannot misname it.
fn heading(review: &Review<'_>) -> Markup {
    let (before, name, after) = match (review.proposal, review.tool) {
        (Some(_), tool) => ("Release the result of ", tool.unwrap_or(review.intent_type), "?"),
        (None, Some(tool)) => ("Run ", tool, "?"),
        (None, None) => match review.task_type {
            TaskType::Clarification | TaskType::ProvideData | TaskType::AttachFile => {
                ("", review.intent_type, " asks for an answer")
            }
            TaskType::Form => ("", review.intent_type, " asks for a form"),
            TaskType::ManualAction => ("", review.intent_type, " asks for something to be done"),
            TaskType::Assignment | TaskType::Delegation | TaskType::Reroute => {
                ("Who takes ", review.intent_type, "?")
            }
            TaskType::Override => ("Let ", review.intent_type, " go ahead against the rule?"),
            TaskType::Approval
            | TaskType::Review
            | TaskType::Confirmation
            | TaskType::ValidateRealWorld
            | TaskType::ValidateOutput
            | TaskType::Escalate => ("Let ", review.intent_type, " go ahead?"),
        },
    };
    html! { h1 { (before) code { (isolated(name)) } (after) } }
}

fn deadline(review: &Review<'_>) -> Markup {
    let soon = review.now.duration_until(review.deadline_at) < SOON;
    html! {
        p.deadline.soon[soon] {
            strong { (time_left(review.now, review.deadline_at)) " left" }
            " when this page was opened." br; "Decide before " (moment(review.deadline_at)) "."
        }
    }
}

fn warning() -> Markup {
    html! {
        section.warning aria-labelledby="hidden" {
            h2 #hidden { "This request contains hidden characters" }
            p {
                "They can make text look like something else. Each is shown as a mark, such as "
                mark { "⟨U+202E⟩" }
                ". Reject the request unless you know why they are there."
            }
        }
    }
}

fn facts(review: &Review<'_>) -> Markup {
    html! {
        section.card aria-labelledby="request" {
            h2 #request { "Request" }
            dl.facts {
                div { dt { "Asked by" } dd { (isolated(review.asked_by)) } }
                div { dt { "Kind" } dd { (isolated(review.intent_type)) } }
                @if let Some(tool) = review.tool {
                    div { dt { "Tool" } dd { (isolated(tool)) } }
                }
                div { dt { "Digest" } dd { (digest(review.digest)) } }
            }
        }
    }
}

fn content(review: &Review<'_>) -> Markup {
    let name = match (review.proposal, review.tool) {
        (Some(_), _) => "What was asked for",
        (None, Some(_)) => "What exactly would run",
        (None, None) => "What exactly is asked for",
    };
    html! {
        @if let Some(proposal) = review.proposal {
            section.card aria-labelledby="proposal" {
                h2 #proposal { "The result that waits for you" }
                (arguments(proposal))
            }
        }
        @if let Some(earlier) = review.earlier {
            section.card aria-labelledby="earlier" {
                h2 #earlier { "What the steps before came to" }
                (arguments(earlier))
            }
        }
        section.card aria-labelledby="arguments" {
            h2 #arguments { (name) }
            (arguments(review.arguments))
        }
    }
}

fn agents_words(review: &Review<'_>) -> Markup {
    html! {
        section.card aria-labelledby="words" {
            h2 #words { "In the agent’s own words" }
            p.muted { "Written by the agent and checked by nobody. Decide on what is shown above." }
            blockquote {
                p.prose { strong { (isolated(review.title)) } }
                @if let Some(description) = review.description {
                    p.prose { (isolated(description)) }
                }
            }
        }
    }
}

fn decision(review: &Review<'_>) -> Markup {
    let words: Vec<_> = review.outcomes.iter().map(|choice| choice.outcome).collect();
    let outcomes = review.outcomes.iter().zip(labels(&words));
    let need = if review.comment_required { "(required)" } else { "(optional)" };
    html! {
        section.card aria-labelledby="decision" {
            h2 #decision { "Your decision" }
            p {
                "You decide as " strong { (isolated(review.reviewer)) } ". "
                span.muted {
                    "If that is not you, close this page: the link was sent to somebody else."
                }
            }
            form method="post" accept-charset="utf-8" {
                input type="hidden" name="csrf" value=(review.csrf_token);
                input type="hidden" name="version" value=(review.hold_version);
                input type="hidden" name="digest" value=(review.digest);
                @if let Some(schema) = review.form {
                    (form::fields(schema, review.filled_in.values, review.filled_in.faults))
                } @else if let Some(label) = wanted(review.task_type) {
                    label for=(ANSWER) { (label) }
                    textarea id=(ANSWER) name=(ANSWER) rows="3" maxlength=(COMMENT_CHARS_MAX) {
                        (review.filled_in.answer)
                    }
                }
                @if review.evidence_required {
                    label for=(EVIDENCE) { "Evidence " span.muted { "(required to go ahead)" } }
                    p.hint.muted #evidence-hint {
                        "What shows it: an address, a number, what you saw."
                    }
                    textarea id=(EVIDENCE) name=(EVIDENCE) rows="2" maxlength=(COMMENT_CHARS_MAX)
                        aria-describedby="evidence-hint" { (review.filled_in.evidence) }
                }
                label for="comment" {
                    "Comment " span.muted { (need) }
                }
                p.hint.muted #comment-hint {
                    "The agent receives it with your decision, and it stays in the record. At most "
                    (COMMENT_CHARS_MAX) " characters."
                }
                textarea #comment name="comment" rows="3" maxlength=(COMMENT_CHARS_MAX)
                    aria-describedby="comment-hint" required[review.comment_required] {
                    (review.filled_in.comment)
                }
                div.choices {
                    @for (at, (choice, label)) in outcomes.enumerate() {
                        @let tone = Tone::of(choice.outcome, choice.approves && at == 0).class();
                        // Who says no need not fill in the form.
                        button class=(tone) type="submit" name="outcome" value=(choice.outcome)
                            formnovalidate[review.form.is_some() && !choice.approves] {
                            (isolated(&label))
                        }
                    }
                }
                p.hint.muted { "Nothing is decided until you press a button." }
            }
        }
    }
}

/// What a task without a form asks for beside the decision, if anything.
fn wanted(task_type: TaskType) -> Option<&'static str> {
    match task_type {
        TaskType::Clarification | TaskType::ProvideData => Some("Your answer"),
        TaskType::AttachFile => Some("Where the file is"),
        TaskType::Assignment | TaskType::Delegation | TaskType::Reroute => Some("Who it goes to"),
        TaskType::ManualAction => Some("What was done"),
        TaskType::Approval
        | TaskType::Review
        | TaskType::Confirmation
        | TaskType::ValidateRealWorld
        | TaskType::ValidateOutput
        | TaskType::Override
        | TaskType::Escalate
        | TaskType::Form => None,
    }
}

fn anything_hidden(review: &Review<'_>) -> bool {
    let texts = [review.title, review.asked_by, review.intent_type, review.reviewer];
    texts
        .iter()
        .copied()
        .chain(review.outcomes.iter().map(|choice| choice.outcome))
        .chain(review.description)
        .chain(review.tool)
        .any(|text| visible(text).has_marks())
        || has_marks(review.arguments)
        || review.proposal.is_some_and(has_marks)
        || review.earlier.is_some_and(has_marks)
        || review.form.is_some_and(|schema| has_marks(schema.as_value()))
}

#[cfg(test)]
mod tests;
