//! What is printed: data on standard output, everything said about it on standard error if the
//! output is for a program.
//!
//! Text that came from a server was written by agents and by strangers. It reaches a terminal only
//! through [`shared::untrusted`], and one line of it never becomes two.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use jiff::Timestamp;
use serde_json::Value;
use shared::ascii::ascii;
use shared::untrusted::for_terminal;

use crate::failure::Failure;

/// Digits of a digest that people compare, as the review page shows them.
const DIGEST_CHARS: usize = 8;
const DIGEST_GROUP_CHARS: usize = 4;

/// Where a command prints, and how.
#[derive(Debug)]
pub(crate) struct Terminal {
    json: bool,
    color: bool,
    /// Whether a person looks at what is said.
    live: bool,
}

/// A meaning that is shown as a colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    Good,
    Bad,
    Attention,
    Quiet,
    Strong,
}

impl Terminal {
    /// Prints JSON, or text with colours where a terminal shows them.
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let live = io::stderr().is_terminal() && (json || io::stdout().is_terminal());
        Self { json, color: live && !no_color && !json, live }
    }

    /// Whether the output is for a program.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether progress can be shown as something that moves.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Prints an answer: the whole of it as JSON, or `text`.
    pub(crate) fn answer(
        &self,
        answer: &Value,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let text = if self.json { ascii(&format!("{answer:#}")) } else { text() };
        out(io::stdout().lock(), &text)
    }

    /// Prints one of many: a line of JSON, or `text`.
    pub(crate) fn line(&self, item: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { ascii(&item.to_string()) } else { text() };
        out(io::stdout().lock(), &text)
    }

    /// Says something to the person.
    pub(crate) fn say(&self, text: &str) -> Result<(), Failure> {
        if self.json { out(io::stderr().lock(), text) } else { out(io::stdout().lock(), text) }
    }

    /// Says why the command failed, with all causes.
    pub(crate) fn complain(&self, failure: &Failure) {
        let mut text = failure.to_string();
        let mut cause = failure.source();
        // A failure whose text is its cause's has said it already.
        while let Some(next) = cause {
            let said = next.to_string();
            if !text.ends_with(&said) {
                let _ = write!(text, ": {said}");
            }
            cause = next.source();
        }
        let label = self.paint(Paint::Bad, "error:");
        // Nobody is left to tell if standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{label} {}", for_terminal(&text));
    }

    /// Colours `text`, which must already be safe to show.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Attention => "33",
            Paint::Quiet => "2",
            Paint::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Untrusted text within a line.
pub(crate) fn one_line(text: &str) -> String {
    for_terminal(text).replace(['\n', '\t'], " ")
}

/// A field of an answer, within a line; `-` if there is none.
pub(crate) fn field(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => one_line(text),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => one_line(&other.to_string()),
    }
}

/// An instant of an answer, to the second.
pub(crate) fn instant(value: &Value, pointer: &str) -> String {
    let at = value.pointer(pointer).and_then(Value::as_str).and_then(|text| text.parse().ok());
    at.map_or_else(
        || field(value, pointer),
        |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// Untrusted text over several lines, each behind `indent`, so that none passes for one of ours.
pub(crate) fn block(indent: &str, text: &str) -> String {
    let lines = for_terminal(text);
    let lines: Vec<_> = lines.lines().map(|line| format!("{indent}{line}")).collect();
    lines.join("\n")
}

/// A JSON value over several lines, each behind `indent`.
pub(crate) fn json_block(indent: &str, value: &Value) -> String {
    block(indent, &format!("{value:#}"))
}

/// The digits of a digest that people compare.
pub(crate) fn short_digest(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().take(DIGEST_CHARS).collect();
    let groups: Vec<String> =
        digits.chunks(DIGEST_GROUP_CHARS).map(|group| group.iter().collect()).collect();
    one_line(&groups.join(" "))
}

/// Rows under headings, in columns as wide as their widest cell.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| cell.chars().count());
        let heading = headings.get(column).map_or(0, |heading| heading.chars().count());
        cells.fold(heading, usize::max)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.into_iter().zip(&widths);
        let padded: Vec<_> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(headings.to_vec())).chain(body).collect::<Vec<_>>().join("\n")
}

fn out(mut to: impl io::Write, text: &str) -> Result<(), Failure> {
    writeln!(to, "{text}").and_then(|()| to.flush()).map_err(Failure::Output)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str = "ok\u{1b}[2J\u{9b}31m\u{202e}exe\nstatus: COMPLETED\r";

    #[test]
    fn hostile_text_stays_on_its_line_and_commands_no_terminal() {
        let shown = one_line(HOSTILE);
        assert_eq!(shown, "ok⟨U+001B⟩[2J⟨U+009B⟩31m⟨U+202E⟩exe status: COMPLETED⟨U+000D⟩");
        assert_eq!(field(&json!({"a": {"b": HOSTILE}}), "/a/b"), shown);
        assert!(!field(&json!({"a": [HOSTILE]}), "/a").contains('\u{202e}'));
        assert_eq!(field(&json!({}), "/a"), "-");
    }

    #[test]
    fn no_line_of_a_hostile_block_stands_at_the_margin() {
        let shown = block("  | ", HOSTILE);
        assert_eq!(shown.lines().count(), 2);
        assert!(shown.lines().all(|line| line.starts_with("  | ")), "{shown}");
        assert!(!json_block("  ", &json!({HOSTILE: HOSTILE})).contains('\u{202e}'));
    }

    #[test]
    fn json_output_is_the_same_document_in_plain_characters() {
        let value = json!({"text": format!("{HOSTILE}\u{7f}😀\u{85}")});
        let printed = ascii(&value.to_string());
        assert!(printed.chars().all(|c| c.is_ascii() && !c.is_ascii_control()), "{printed:?}");
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), value);
    }

    #[test]
    fn colours_are_for_terminals_only() {
        let painted = |color| {
            let terminal = Terminal { json: false, color, live: color };
            terminal.paint(Paint::Good, "yes")
        };
        assert_eq!(painted(false), "yes");
        assert_eq!(painted(true), "\u{1b}[32myes\u{1b}[0m");
    }

    #[test]
    fn a_digest_is_shown_as_on_the_review_page() {
        assert_eq!(short_digest("3f9a21c4ffee"), "3f9a 21c4");
        assert_eq!(short_digest("3f9"), "3f9");
    }

    #[test]
    fn instants_are_shown_to_the_second_and_what_is_none_as_it_is() {
        let answer = json!({"at": "2030-01-31T17:00:00.639268147Z", "text": HOSTILE});
        assert_eq!(instant(&answer, "/at"), "2030-01-31 17:00:00Z");
        assert_eq!(instant(&answer, "/text"), one_line(HOSTILE));
        assert_eq!(instant(&answer, "/none"), "-");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["bcd".into(), "x".into()]];
        assert_eq!(table(&["ID", "TITLE"], &rows), "ID   TITLE\na    long cell\nbcd  x");
    }
}
