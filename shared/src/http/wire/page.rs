//! Parts of lists: where one begins, how much is in it, and where the next one begins.

use serde_json::Value;

use crate::error::Error;
use crate::store::ListPlace;

/// The most bytes of entries in one answer; a Lambda answers with 6 MB at most.
const ENTRIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many entries a reader gets. One that asks for more than there may be gets as many as there may
/// be: it finds the rest behind the cursor.
pub fn limit(wanted: Option<u64>, otherwise: usize, max: usize) -> usize {
    wanted.map_or(otherwise, |wanted| usize::try_from(wanted).unwrap_or(max)).clamp(1, max)
}

/// Reads a cursor.
pub fn from(cursor: Option<&str>) -> Result<Option<ListPlace>, Error> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
    let read = || {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (at_ms, id) = text.split_once(':')?;
        Some(ListPlace { at_ms: at_ms.parse().ok()?, id: id.parse().ok()? })
    };
    let detail = "is none that a list gave; begin without one";
    read().map(Some).ok_or_else(|| Error::field("cursor", detail))
}

/// Writes a cursor. What is inside is nobody's business but ours.
pub fn cursor(place: ListPlace) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("{}:{}", place.at_ms, place.id).as_bytes())
}

/// As many of `entries` as fit into one answer, the first one always, and the cursor of the next
/// page: behind the last that fits, or at `next` if all of them do.
pub(super) fn fitting(
    entries: impl Iterator<Item = (ListPlace, Value)>,
    next: Option<ListPlace>,
) -> (Vec<Value>, Option<String>) {
    let mut bytes = 0;
    let mut last = None;
    let mut bodies = Vec::new();
    for (place, body) in entries {
        bytes += body.to_string().len();
        if !bodies.is_empty() && bytes > ENTRIES_BYTES_MAX {
            return (bodies, last.map(cursor));
        }
        bodies.push(body);
        last = Some(place);
    }
    (bodies, next.map(cursor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IntentId;
    use serde_json::json;

    fn place(at_ms: i64) -> ListPlace {
        ListPlace { at_ms, id: IntentId::derived(&["a"]) }
    }

    #[test]
    fn a_cursor_comes_back_as_the_place_it_was_made_of() {
        assert_eq!(from(Some(&cursor(place(17)))).unwrap(), Some(place(17)));
        assert_eq!(from(None).unwrap(), None);
        for bad in ["17", "%", "MTc6YQ", "Og"] {
            assert!(from(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_does_not_fit_is_where_the_next_page_begins() {
        let large = json!("x".repeat(ENTRIES_BYTES_MAX / 2));
        let entries = (0..4).map(|n| (place(n), large.clone()));
        let (bodies, next) = fitting(entries, None);
        assert_eq!((bodies.len(), next), (1, Some(cursor(place(0)))));
        let (bodies, next) = fitting([(place(0), json!(1))].into_iter(), Some(place(9)));
        assert_eq!((bodies.len(), next), (1, Some(cursor(place(9)))));
    }
}
