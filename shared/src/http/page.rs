//! The pages that a reviewer sees: plain HTML from the server, and no script at all.
//!
//! A page holds one form at most, which posts; to open a page never changes anything. Whatever an
//! agent or another person wrote passes through [`crate::untrusted`] and stands in its own `<bdi>`, so
//! that it can neither hide characters nor reorder the words around it. Headings, labels and
//! buttons are ours.

mod arguments;
mod digest;
pub mod form;
mod headers;
mod moment;
mod notice;
mod outcome;
mod review;
mod untrusted_text;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::headers::{HEADERS, security_headers};
pub use self::notice::{
    BadRequest, Decided, already_decided, bad_request, decided, link_expired, not_found, not_yours,
    stale, timed_out, trouble, withdrawn,
};
pub use self::review::{ANSWER, COMMENT_CHARS_MAX, Choice, EVIDENCE, FilledIn, Review, review};

/// The one stylesheet. It is inlined and allowed by its digest, so a page needs no second request.
const STYLE: &str = include_str!("page/style.css");

/// Where the page behind a link stands.
pub fn path(token: &str) -> String {
    format!("/approve/{token}")
}

/// The document around every page. The name is never taken from a request: it shows in the
/// browser's history and on shared screens.
fn document(name: &'static str, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex, nofollow";
                title { (name) " · Holdpoint" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { p.brand { "Holdpoint" } }
                main { (main) }
            }
        }
    }
}
