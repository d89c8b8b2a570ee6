//! The pages without a form: each says what is the case and what to do about it.

use jiff::Timestamp;
use maud::{Markup, html};

use super::digest::digest;
use super::document;
use super::moment::moment;
use super::outcome::past;
use super::untrusted_text::isolated;

/// A decision that has been made.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// What it was about: the tool that would run, or the kind of intent.
    pub subject: &'a str,
    /// What was decided.
    pub outcome: &'a str,
    /// Who decided.
    pub reviewer: &'a str,
    /// When it was recorded.
    pub decided_at: Timestamp,
    /// What the reviewer wrote.
    pub comment: Option<&'a str>,
    /// The digest of what was decided on, in hexadecimal.
    pub digest: &'a str,
}

/// What a post got wrong.
#[derive(Debug, Clone, Copy)]
pub struct BadRequest<'a> {
    /// The form's field.
    pub field: &'a str,
    /// What the field may hold.
    pub limit: &'a str,
    /// What to do about it.
    pub remedy: &'a str,
}

/// The reviewer's own decision has been recorded.
pub fn decided(decision: &Decided<'_>) -> Markup {
    document(
        "Decision recorded",
        html! {
            p.eyebrow { "Your decision is recorded" }
            h1 { (isolated(&past(decision.outcome))) }
            p { "The agent is told now. There is nothing more for you to do: you can close this page." }
            (facts(decision))
        },
    )
}

/// Somebody, perhaps the same reviewer, decided before.
pub fn already_decided(decision: &Decided<'_>) -> Markup {
    document(
        "Already decided",
        html! {
            p.eyebrow { "Already decided" }
            h1 { (isolated(&past(decision.outcome))) }
            p {
                "This request had been decided before. That decision stands, and nothing was changed \
                 now. If it was wrong, tell the person who runs the agent at once: it may already \
                 have acted."
            }
            (facts(decision))
        },
    )
}

/// The request's deadline has passed.
pub fn timed_out(deadline_at: Timestamp) -> Markup {
    document(
        "Too late to decide",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "It is too late to decide" }
            p { "The deadline was " (moment(deadline_at)) ". After it nobody can decide this request." }
            p { "If it is still wanted, ask for it to be sent again: you will get a new notice." }
        },
    )
}

/// The request was withdrawn, or ended without anybody's decision.
pub fn withdrawn() -> Markup {
    document(
        "No decision needed",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "This no longer needs a decision" }
            p { "The request was withdrawn, or it ended in another way before anybody decided." }
            p { "There is nothing for you to do: you can close this page." }
        },
    )
}

/// Something on our side did not answer; the reviewer has done nothing wrong.
pub fn trouble() -> Markup {
    document(
        "Not recorded",
        html! {
            p.eyebrow { "Not recorded" }
            h1 { "We could not record that just now" }
            p { "Open the link again in a moment: it shows whether a decision was recorded." }
            p { a.button href="" { "Look again" } }
        },
    )
}

/// The reviewer may not decide this.
pub fn not_yours(reason: &str) -> Markup {
    document(
        "Not yours to decide",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "You cannot decide this" }
            p { (isolated(reason)) }
            p { "Ask another reviewer to look at it." }
        },
    )
}

/// The link was good and has ended; the request may still wait.
pub fn link_expired(expired_at: Timestamp) -> Markup {
    document(
        "Link expired",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "This link has expired" }
            p { "It opened until " (moment(expired_at)) "." }
            p { "Look for a newer notice about the same request, or ask for one." }
        },
    )
}

/// The link opens nothing. A wrong link and a missing intent read the same, so that nobody can use
/// the page to find out what exists.
pub fn not_found() -> Markup {
    document(
        "Link not valid",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "This link does not open anything" }
            p { "It may have been cut short on its way, or it was never valid." }
            p { "Open it again from the notice, or copy it from there as a whole." }
        },
    )
}

/// The hold point has changed since the page was made.
pub fn stale() -> Markup {
    document(
        "Request has changed",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "The request has changed" }
            p {
                "What you saw is no longer what would happen, so your decision was not taken. Look \
                 at the request as it is now, and decide again."
            }
            // An empty reference is the page's own address, opened anew.
            p { a.button href="" { "Look at the request again" } }
        },
    )
}

/// The form came back with something that cannot be taken.
pub fn bad_request(problem: &BadRequest<'_>) -> Markup {
    document(
        "Decision not taken",
        html! {
            p.eyebrow { "Nothing was recorded" }
            h1 { "Your decision could not be taken" }
            dl.facts.card {
                div { dt { "Field" } dd { (isolated(problem.field)) } }
                div { dt { "Limit" } dd { (isolated(problem.limit)) } }
                div { dt { "What to do" } dd { (isolated(problem.remedy)) } }
            }
            p { a.button href="" { "Back to the request" } }
        },
    )
}

fn facts(decision: &Decided<'_>) -> Markup {
    html! {
        dl.facts.card {
            div { dt { "Request" } dd { code { (isolated(decision.subject)) } } }
            div { dt { "Decided by" } dd { (isolated(decision.reviewer)) } }
            div { dt { "When" } dd { (moment(decision.decided_at)) } }
            @if let Some(comment) = decision.comment {
                div { dt { "Comment" } dd.prose { (isolated(comment)) } }
            }
            div { dt { "Digest" } dd { (digest(decision.digest)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-22T14:00:00Z";

    fn decision<'a>() -> Decided<'a> {
        Decided {
            subject: "payments.refund",
            outcome: "rejected",
            reviewer: "ana@example.com",
            decided_at: AT.parse().unwrap(),
            comment: Some("<b>no</b>\u{202e}"),
            digest: "3f9a21c4",
        }
    }

    fn pages() -> [String; 7] {
        let problem = BadRequest { field: "<i>", limit: "<i>", remedy: "<i>" };
        [
            decided(&decision()),
            already_decided(&decision()),
            timed_out(AT.parse().unwrap()),
            link_expired(AT.parse().unwrap()),
            not_found(),
            stale(),
            bad_request(&problem),
        ]
        .map(Markup::into_string)
    }

    #[test]
    fn a_decision_says_what_it_was_about() {
        for page in [decided(&decision()), already_decided(&decision())] {
            assert!(page.into_string().contains("payments.refund"));
        }
    }

    #[test]
    fn a_decision_page_says_what_who_when_and_why() {
        for page in [decided(&decision()), already_decided(&decision())] {
            let page = page.into_string();
            for part in [
                "<h1><bdi dir=\"auto\">Rejected</bdi></h1>",
                "ana@example.com",
                "Sunday 22 November 2026, 14:00 UTC",
                "&lt;b&gt;no&lt;/b&gt;<mark>⟨U+202E⟩</mark>",
                "3f9a 21c4",
            ] {
                assert!(page.contains(part), "{part} in {page}");
            }
        }
    }

    #[test]
    fn no_notice_has_a_form_a_script_or_unescaped_text() {
        for page in pages() {
            for part in ["<form", "<script", "<i>", "<b>", "\u{202e}", "style=", "javascript:"] {
                assert!(!page.contains(part), "{part} in {page}");
            }
        }
    }

    #[test]
    fn a_page_that_took_no_decision_says_so_and_names_a_way_on() {
        let [_, _, timed_out, expired, not_found, stale, bad_request] = pages();
        for (page, way_on) in [
            (timed_out, "ask for it to be sent again"),
            (expired, "Look for a newer notice"),
            (not_found, "Open it again from the notice"),
            (stale, "<a class=\"button\" href=\"\">Look at the request again</a>"),
            (bad_request, "<a class=\"button\" href=\"\">Back to the request</a>"),
        ] {
            assert!(page.contains("Nothing was recorded"), "{page}");
            assert!(page.contains(way_on), "{way_on} in {page}");
        }
    }

    #[test]
    fn the_page_for_a_bad_link_does_not_speak_of_any_request() {
        let page = not_found().into_string();
        let (_, body) = page.split_once("<body>").unwrap();
        for word in ["request", "intent", "exist", "decided", "deadline"] {
            assert!(!body.contains(word), "{word}");
        }
    }
}
