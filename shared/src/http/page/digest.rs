//! A digest as people compare it.

use maud::{Markup, html};

const SHORT_CHARS: usize = 8;
const GROUP_CHARS: usize = 4;

/// The first characters in groups, with the whole digest behind a disclosure.
pub(super) fn digest(hex: &str) -> Markup {
    html! {
        details {
            summary { code { (short(hex)) } }
            p.muted {
                "The same digest in the notice and on the command line means the same request, to \
                 the last character."
            }
            p { code { (hex) } }
        }
    }
}

fn short(hex: &str) -> String {
    let mut text = String::with_capacity(SHORT_CHARS + 1);
    for (at, c) in hex.chars().take(SHORT_CHARS).enumerate() {
        if at > 0 && at % GROUP_CHARS == 0 {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_shows_eight_characters_in_two_groups_and_the_whole_on_demand() {
        let page = digest("3f9a21c4ffee").into_string();
        assert!(page.contains("<summary><code>3f9a 21c4</code></summary>"), "{page}");
        assert!(page.contains("<code>3f9a21c4ffee</code>"), "{page}");
        assert_eq!(short("3f9"), "3f9");
    }
}
