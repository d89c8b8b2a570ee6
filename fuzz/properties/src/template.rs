//! SAM templates, as the local stack reads them.

use std::collections::BTreeMap;

use local::check_template;

/// Any text is a template or is refused in words, twice alike and with bounded work.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let said = || check_template(text, &BTreeMap::new()).map_err(|error| error.to_string());
    let first = said();
    assert_eq!(said(), first);
    if let Err(refusal) = first {
        assert!(!refusal.is_empty());
    }
}
