//! JSON in nothing but ASCII: the same document, and nothing that splits a line or moves a cursor.

use std::fmt::Write as _;

/// JSON text with everything but printable ASCII escaped, as JSON allows inside strings, which is
/// the only place where such characters stand.
///
/// Clients of event streams split lines at U+0085, U+2028 and U+2029 too, and terminals obey more
/// than that.
pub fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_same_and_only_ascii() {
        let value = serde_json::json!({"text": "a\u{2028}b\u{85}c\n\u{7f}\u{1f600}é"});
        let text = ascii(&value.to_string());
        assert!(text.chars().all(|c| c.is_ascii() && !c.is_ascii_control()), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
