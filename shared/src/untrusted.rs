//! Text that an agent wrote, made safe to show to the person who must judge it.
//!
//! Characters that a reader cannot see, or that change how others are seen, are replaced by a mark
//! that names them, such as `⟨U+202E⟩`. Nothing is dropped silently, and the stored text keeps its
//! bytes: only what is displayed changes. The one exception is the carriage return before a line
//! feed, which is an ordinary line break.
//!
//! The rule is stricter than any one language needs: joiners and direction marks that Persian or
//! Hindi use with good reason are marked as well. Marks cost such a reader some comfort; without
//! them two names that look alike could be two different names.

use std::fmt::{self, Write};

/// More line breaks than this in one stretch of white space could push text out of sight.
pub const LINE_BREAKS_MAX: usize = 4;
/// A longer stretch of white space could do so sideways.
pub const WHITE_SPACE_CHARS_MAX: usize = 80;
/// More combining marks than this on one letter would paint over the lines around it.
pub const COMBINING_MARKS_MAX: usize = 4;
/// Typography uses no-break and wide spaces one or two at a time.
const TYPOGRAPHIC_SPACES_MAX: usize = 2;

const ZERO_WIDTH_JOINER: char = '\u{200D}';
const EMOJI_PRESENTATION: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';

/// Makes everything in `text` visible.
pub fn visible(text: &str) -> Visible<'_> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut plain = 0;
    // The character before, if it was kept: an emoji's modifiers are judged by it.
    let mut before = None;
    let mut unread = text;
    while let Some(token) = Token::first(before, unread) {
        let (bytes, mark) = match token {
            Token::Keep { bytes } => {
                plain += bytes;
                let (kept, after) = unread.split_at_checked(bytes).unwrap_or((unread, ""));
                before = kept.chars().next_back();
                unread = after;
                continue;
            }
            Token::LineFeedFollows => (1, None),
            Token::Mark { bytes, mark } => (bytes, Some(mark)),
        };
        let (kept, from_token) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        if !kept.is_empty() {
            pieces.push(Piece::Plain(kept));
        }
        match (mark, pieces.last_mut()) {
            (Some(mark), Some(Piece::Marked(marks))) => marks.push_str(&mark),
            (Some(mark), Some(Piece::Plain(_)) | None) => pieces.push(Piece::Marked(mark)),
            (None, _) => {}
        }
        rest = from_token.split_at_checked(bytes).map_or("", |(_, after)| after);
        unread = rest;
        plain = 0;
        before = None;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    Visible { pieces }
}

/// The same for a terminal: no escape sequence and no control character but line feed and tab is left.
pub fn for_terminal(text: &str) -> String {
    visible(text).to_string()
}

/// Text in which nothing is hidden any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible<'a> {
    pieces: Vec<Piece<'a>>,
}

impl<'a> Visible<'a> {
    /// The text in order.
    pub fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// Whether anything had to be marked, which a reviewer should be warned of.
    pub fn has_marks(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Marked(_)))
    }
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Plain(text) => f.write_str(text),
            Piece::Marked(marks) => f.write_str(marks),
        })
    }
}

/// A part of some visible text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The author's own characters.
    Plain(&'a str),
    /// Our marks, in place of characters that could not be seen.
    Marked(String),
}

/// What to do with the beginning of some text.
enum Token {
    Keep {
        bytes: usize,
    },
    /// A carriage return that only begins a line break.
    LineFeedFollows,
    Mark {
        bytes: usize,
        mark: String,
    },
}

/// How many combining marks the text begins with.
fn combining_marks(text: &str) -> usize {
    text.chars().take_while(|c| is_combining(*c)).count()
}

impl Token {
    fn first(before: Option<char>, text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let first = chars.next()?;
        let second = chars.next();
        if is_white_space(first) || (first == '\r' && second == Some('\n')) {
            return Some(Self::white_space(first, text));
        }
        if is_combining(first) {
            return Some(Self::combining(text));
        }
        // A keycap under a pile of marks is shown as one of them, so nothing is left to be completed.
        let is_keycap =
            second != Some(KEYCAP) || combining_marks(chars.as_str()) < COMBINING_MARKS_MAX;
        if !is_hidden(first) || (is_keycap && is_within_emoji(before, first, second)) {
            return Some(Self::Keep { bytes: first.len_utf8() });
        }
        Some(Self::repeated(first, text))
    }

    fn white_space(first: char, text: &str) -> Self {
        let end = text.find(|c| !is_white_space(c) && c != '\r').unwrap_or(text.len());
        let run = text.split_at_checked(end).map_or(text, |(run, _)| run);
        let line_breaks = run.matches('\n').count();
        let chars = run.chars().count();
        if line_breaks > LINE_BREAKS_MAX || chars > WHITE_SPACE_CHARS_MAX {
            let name =
                if run.chars().all(|c| c == first) { code(first) } else { "white space".into() };
            return Self::Mark { bytes: end, mark: format!("⟨{name} ×{chars}⟩") };
        }
        match first {
            '\r' => Self::LineFeedFollows,
            ' ' | '\t' | '\n' => Self::Keep { bytes: 1 },
            _ => {
                let typographic = matches!(first, '\u{A0}' | '\u{202F}' | '\u{3000}');
                let count = run.chars().take_while(|c| *c == first).count();
                if typographic && count <= TYPOGRAPHIC_SPACES_MAX {
                    Self::Keep { bytes: count * first.len_utf8() }
                } else {
                    Self::repeated(first, text)
                }
            }
        }
    }

    fn combining(text: &str) -> Self {
        let end = text.find(|c| !is_combining(c)).unwrap_or(text.len());
        let count = combining_marks(text);
        if count <= COMBINING_MARKS_MAX {
            Self::Keep { bytes: end }
        } else {
            Self::Mark { bytes: end, mark: format!("⟨combining marks ×{count}⟩") }
        }
    }

    /// One mark for a character and its repetitions, so that a flood of them stays one mark.
    fn repeated(first: char, text: &str) -> Self {
        let count = text.chars().take_while(|c| *c == first).count();
        let mut mark = format!("⟨{}", code(first));
        if count > 1 {
            // Writing to a string cannot fail.
            let _ = write!(mark, " ×{count}");
        }
        mark.push('⟩');
        Self::Mark { bytes: count * first.len_utf8(), mark }
    }
}

fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

fn is_white_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\n' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

fn is_combining(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{34E}' | '\u{350}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
    )
}

/// Whether a reader would miss this character: controls, format characters, what Unicode lets a font
/// ignore, line and paragraph separators, private use, and what is not assigned.
fn is_hidden(c: char) -> bool {
    let noncharacter = u32::from(c) & 0xFFFE == 0xFFFE;
    noncharacter
        || matches!(
            c,
            '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}'
                | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}'
                | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                // The empty Braille cell and the filler letters are assigned, and blank.
                | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
                | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFC}'
                | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1345F}' | '\u{1BCA0}'..='\u{1BCAF}'
                | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}'
                // No plane from here on has a character that can be seen: tags, variation selectors,
                // private use, and planes that are still empty.
                | '\u{40000}'..='\u{10FFFF}'
        )
}

/// Whether a hidden character does nothing here but complete an emoji.
fn is_within_emoji(before: Option<char>, c: char, after: Option<char>) -> bool {
    let Some(before) = before else {
        return false;
    };
    match c {
        EMOJI_PRESENTATION => {
            let keycap = matches!(before, '0'..='9' | '#' | '*') && after == Some(KEYCAP);
            keycap || is_pictograph(before)
        }
        // A presentation selector before the joiner was itself kept after an emoji.
        ZERO_WIDTH_JOINER => {
            (is_pictograph(before) || before == EMOJI_PRESENTATION)
                && after.is_some_and(is_pictograph)
        }
        _ => false,
    }
}

fn is_pictograph(c: char) -> bool {
    matches!(
        c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
            | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}'
            | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(for_terminal(text), shown, "{text:?}");
        let changed = text.replace("\r\n", "\n") != shown;
        assert_eq!(visible(text).has_marks(), changed, "{text:?}");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        check("", "");
        check("Refund 40.00 EUR to Zoë?", "Refund 40.00 EUR to Zoë?");
        check("one\n\ttwo\n\nthree", "one\n\ttwo\n\nthree");
        check("שלום, 世界, привет", "שלום, 世界, привет");
        check("e\u{301}te\u{301}", "e\u{301}te\u{301}");
        check(
            "prix\u{A0}: 40\u{202F}€\n\u{3000}\u{3000}段落",
            "prix\u{A0}: 40\u{202F}€\n\u{3000}\u{3000}段落",
        );
    }

    #[test]
    fn a_keycap_under_a_pile_of_marks_is_one_of_them_and_leaves_nothing_hidden_behind() {
        let pile = "\u{335}".repeat(COMBINING_MARKS_MAX);
        check(&format!("2\u{FE0F}\u{20E3}{pile}"), "2⟨U+FE0F⟩⟨combining marks ×5⟩");
        check("2\u{FE0F}\u{20E3}\u{335}", "2\u{FE0F}\u{20E3}\u{335}");
    }

    #[test]
    fn a_windows_line_break_is_a_line_break_and_a_lone_return_is_marked() {
        check("one\r\ntwo\r\n", "one\ntwo\n");
        check("safe\rrm -rf", "safe⟨U+000D⟩rm -rf");
        check("end\r", "end⟨U+000D⟩");
        check("a\r\r\nb", "a⟨U+000D ×2⟩\nb");
        check(" \r b", " ⟨U+000D⟩ b");
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        let cases = [
            ("nul\0", "nul⟨U+0000⟩"),
            ("\u{1b}[2J\u{1b}]8;;http://x\u{7}", "⟨U+001B⟩[2J⟨U+001B⟩]8;;http://x⟨U+0007⟩"),
            ("\u{9b}31m", "⟨U+009B⟩31m"),
            ("del\u{7f}", "del⟨U+007F⟩"),
            ("invoice\u{202e}fdp.exe", "invoice⟨U+202E⟩fdp.exe"),
            ("\u{2066}a\u{2069}", "⟨U+2066⟩a⟨U+2069⟩"),
            ("\u{200e}\u{200f}\u{61c}", "⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩"),
            ("pay\u{200b}pal", "pay⟨U+200B⟩pal"),
            ("a\u{200d}b\u{200c}c\u{2060}\u{feff}", "a⟨U+200D⟩b⟨U+200C⟩c⟨U+2060⟩⟨U+FEFF⟩"),
            ("so\u{ad}ft", "so⟨U+00AD⟩ft"),
            ("\u{2028}\u{2029}", "⟨U+2028⟩⟨U+2029⟩"),
            ("\u{e0041}\u{e0042}\u{e007f}", "⟨U+E0041⟩⟨U+E0042⟩⟨U+E007F⟩"),
            ("a\u{fe0f}\u{e0100}", "a⟨U+FE0F⟩⟨U+E0100⟩"),
            ("\u{e000}\u{f0000}\u{10fffd}", "⟨U+E000⟩⟨U+F0000⟩⟨U+10FFFD⟩"),
            ("\u{fdd0}\u{ffff}\u{1fffe}", "⟨U+FDD0⟩⟨U+FFFF⟩⟨U+1FFFE⟩"),
            ("\u{3164}\u{115f}\u{2800}\u{34f}", "⟨U+3164⟩⟨U+115F⟩⟨U+2800⟩⟨U+034F⟩"),
            ("\u{fffc}", "⟨U+FFFC⟩"),
            ("\u{50000}", "⟨U+50000⟩"),
        ];
        for (text, shown) in cases {
            check(text, shown);
        }
    }

    #[test]
    fn a_flood_of_one_character_is_one_mark() {
        check(&format!("a{}b", "\u{200b}".repeat(5000)), "a⟨U+200B ×5000⟩b");
        check(&format!("Z{}", "\u{335}".repeat(40)), "Z⟨combining marks ×40⟩");
    }

    #[test]
    fn white_space_that_could_push_text_out_of_sight_is_counted() {
        let indent = " ".repeat(40);
        check(&format!("if x:\n{indent}y"), &format!("if x:\n{indent}y"));
        check(&format!("a{}b", " ".repeat(81)), "a⟨U+0020 ×81⟩b");
        check("a\n\n\n\nb", "a\n\n\n\nb");
        check(&format!("a{}b", "\n".repeat(200)), "a⟨U+000A ×200⟩b");
        check(&format!("a{}b", "\r\n".repeat(5)), "a⟨white space ×10⟩b");
        check(&format!("a{}b", " \n".repeat(9)), "a⟨white space ×18⟩b");
    }

    #[test]
    fn unusual_spaces_are_marked_unless_typography_explains_them() {
        check("rm\u{2003}-rf", "rm⟨U+2003⟩-rf");
        check("a\u{a0}\u{a0}\u{a0}b", "a⟨U+00A0 ×3⟩b");
        check("a \u{2009}\u{200a} b", "a ⟨U+2009⟩⟨U+200A⟩ b");
    }

    #[test]
    fn emoji_keep_what_completes_them_and_nothing_more() {
        for emoji in ["❤️", "❤️‍🔥", "👩🏽‍🚀", "👨‍👩‍👧", "1️⃣", "ℹ️", "🏳️‍🌈"]
        {
            check(emoji, emoji);
        }
        check("❤\u{fe0f}\u{fe0f}", "❤️⟨U+FE0F⟩");
        check("👩\u{200d}a", "👩⟨U+200D⟩a");
        check("a\u{200d}👩", "a⟨U+200D⟩👩");
        check("👩\u{200d}\u{200d}👩", "👩⟨U+200D ×2⟩👩");
        check("1\u{fe0f}2", "1⟨U+FE0F⟩2");
        check("\u{200b}\u{fe0f}", "⟨U+200B⟩⟨U+FE0F⟩");
    }

    #[test]
    fn pieces_tell_the_authors_words_from_our_marks() {
        let shown = visible("a⟨U+202E⟩\u{202e}b");
        assert_eq!(
            shown.pieces(),
            [Piece::Plain("a⟨U+202E⟩"), Piece::Marked("⟨U+202E⟩".into()), Piece::Plain("b")]
        );
    }

    proptest! {
        #[test]
        fn no_control_or_hidden_character_reaches_the_terminal(text in any::<String>()) {
            let shown = for_terminal(&text);
            for c in shown.chars() {
                prop_assert!(!c.is_control() || matches!(c, '\n' | '\t'), "{c:?} in {shown:?}");
                let emoji = matches!(c, EMOJI_PRESENTATION | ZERO_WIDTH_JOINER);
                prop_assert!(!is_hidden(c) || matches!(c, '\n' | '\t') || emoji, "{c:?}");
            }
        }

        #[test]
        fn every_visible_character_of_the_author_is_kept_in_order(
            text in "[a-z\u{200b}\u{202e}\u{1b}\r\n é\u{2003}]{0,60}",
        ) {
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
            let kept: String = visible(&text)
                .pieces()
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Plain(plain) => Some(*plain),
                    Piece::Marked(_) => None,
                })
                .collect();
            prop_assert_eq!(letters(&kept), letters(&text));
        }

        #[test]
        fn showing_twice_changes_nothing_more(text in any::<String>()) {
            let once = for_terminal(&text);
            prop_assert_eq!(for_terminal(&once), once);
        }
    }
}
