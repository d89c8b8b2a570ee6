//! Untrusted text in a page: isolated, escaped, and with nothing hidden.

use maud::{Markup, html};

use crate::untrusted::{Piece, Visible, visible};

/// Text whose direction is its own and cannot leak into its surroundings.
pub(super) fn isolated(text: &str) -> Markup {
    html! { bdi dir="auto" { (marked(&visible(text))) } }
}

/// The pieces alone, for an element that isolates them itself.
pub(super) fn marked(text: &Visible<'_>) -> Markup {
    html! {
        @for piece in text.pieces() {
            @match piece {
                Piece::Plain(text) => (text),
                Piece::Marked(marks) => mark { (marks) },
            }
        }
    }
}
