//! Percent-decoding of URL paths.

use data_encoding::HEXUPPER_PERMISSIVE;

/// The text that was encoded. What is not a valid escape stays as it is, and bytes that are not
/// UTF-8 become replacement characters, as no route parameter may be binary.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.split_at_checked(2)).flatten().and_then(
            |(digits, tail)| {
                let byte = HEXUPPER_PERMISSIVE.decode(digits).ok()?;
                byte.first().map(|byte| (*byte, tail))
            },
        );
        let (byte, tail) = escaped.unwrap_or((first, tail));
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_decoded_and_other_text_is_left_alone() {
        let table =
            [("a%20b", "a b"), ("%c3%A9", "é"), ("100%", "100%"), ("%zz", "%zz"), ("a+b", "a+b")];
        for (text, expected) in table {
            assert_eq!(decode(text), expected);
        }
    }
}
