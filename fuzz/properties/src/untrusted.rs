//! Text that somebody else wrote.

use shared::untrusted::{Piece, for_terminal, visible};

/// Nothing that is shown commands a terminal, hides, or turns the words around it; what was shown once
/// is shown the same again; and every word of the author's stays his.
pub fn untrusted(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = for_terminal(&text);
    let mut before = None;
    for c in shown.chars() {
        assert!(!c.is_control() || matches!(c, '\n' | '\t'), "{c:?} in {shown:?}");
        let completes_emoji = matches!(c, '\u{200D}' | '\u{FE0F}') && before.is_some();
        assert!(!is_hidden(c) || completes_emoji, "{c:?} after {before:?} in {shown:?}");
        before = Some(c).filter(|c| !c.is_ascii_alphabetic());
    }
    assert_eq!(for_terminal(&shown), shown, "shown again: {text:?}");
    let visible = visible(&text);
    let mut rest: &str = &text;
    for piece in visible.pieces() {
        if let Piece::Plain(plain) = piece {
            let (_, after) = rest.split_once(plain).expect("the author wrote it, in this order");
            rest = after;
        }
    }
    assert_eq!(visible.to_string(), shown);
    if !visible.has_marks() {
        assert_eq!(shown, text.replace("\r\n", "\n"));
    }
}

/// Signs that do nothing but hide or reorder, told apart from the list that is tried.
fn is_hidden(c: char) -> bool {
    let is_bidi = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let has_no_width =
        matches!(c, '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    let is_tag = matches!(c, '\u{E0000}'..='\u{E01EF}' | '\u{FE00}'..='\u{FE0F}');
    let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
    is_bidi || has_no_width || is_tag || ends_a_line
}
