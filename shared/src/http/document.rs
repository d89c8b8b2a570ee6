//! The API's own description, which is kept in the repository and served.

use serde_json::{Map, Value};

/// The description, as `holdpoint openapi` writes it.
pub const DOCUMENT: &str = include_str!("../../../openapi.json");

/// Marks a parameter that may hold several segments of a path.
pub(super) const SEVERAL_SEGMENTS: &str = "x-several-segments";

/// The methods of a path of the API, as the header `Allow` lists them; `None` for a path of nobody's.
pub(super) fn allow(path: &str) -> Option<String> {
    let document: Value = serde_json::from_str(DOCUMENT).ok()?;
    let paths = document.get("paths")?.as_object()?;
    let fitting = || paths.iter().filter(|(pattern, one)| fits(pattern, several(one), path));
    let closest = fitting().map(|(pattern, _)| words(pattern)).max()?;
    let mut methods: Vec<String> = fitting()
        .filter(|(pattern, _)| words(pattern) == closest)
        .filter_map(|(_, operations)| operations.as_object())
        .flat_map(Map::keys)
        .map(|method| method.to_uppercase())
        .collect();
    methods.sort();
    Some(methods.join(", "))
}

/// How much of a pattern is no parameter: a path that fits several belongs to the closest.
fn words(pattern: &str) -> usize {
    pattern.split('/').filter(|part| !part.starts_with('{')).count()
}

/// Whether a parameter of the path may have slashes of its own.
fn several(operations: &Value) -> bool {
    let operations = operations.as_object().into_iter().flat_map(Map::values);
    let parameters = operations.filter_map(|one| one.get("parameters")?.as_array()).flatten();
    parameters.into_iter().any(|parameter| parameter.get(SEVERAL_SEGMENTS).is_some())
}

fn fits(pattern: &str, several: bool, path: &str) -> bool {
    let split =
        |text| str::split_once(text, '/').map_or((text, None), |(one, more)| (one, Some(more)));
    let ((part, parts), (segment, segments)) = (split(pattern), split(path));
    let is_open = part.starts_with('{');
    if is_open && segment.is_empty() || !is_open && part != segment {
        return false;
    }
    match (parts, segments) {
        (None, None) => true,
        (Some(parts), Some(segments)) => {
            fits(parts, several, segments) || several && is_open && fits(pattern, several, segments)
        }
        (None, Some(segments)) => several && is_open && fits(pattern, several, segments),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(allow(path).as_deref(), expected, "{path}");
    }

    #[test]
    fn each_path_of_the_document_knows_its_methods() {
        check("/health", Some("GET"));
        check("/v1/intents", Some("GET, POST"));
        check("/v1/intents/7/resume", Some("POST"));
        check("/v1/routes/a", Some("GET, PUT"));
        check("/v1/routes/a/b/c", Some("GET, PUT"));
        check("/v1/agents/a/b/intents/stream", Some("GET"));
        check("/v1/mesh/agents/a/b", Some("GET"));
        check("/v1/mesh/agents/a/b/kill", Some("POST"));
    }

    #[test]
    fn other_paths_have_none() {
        for path in ["", "/", "/v1", "/v1/nothing", "/v1/routes", "/v1/routes/", "/health/x"] {
            check(path, None);
        }
    }
}
