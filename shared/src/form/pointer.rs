//! JSON pointers (RFC 6901) as fragments of the schema's own address.

use serde_json::Value;

/// The pointer of the schema itself.
pub(super) const ROOT: &str = "#";

/// The pointer of what stands under `name` in what `base` points to.
pub(super) fn join(base: &str, name: &str) -> String {
    format!("{base}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The value that a `$ref` names, if it is one of the schema's own. A percent sign would make it an
/// encoded pointer, and anything else than a slash an anchor; neither is taken.
pub(super) fn resolve<'a>(schema: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix(ROOT)?;
    (!pointer.contains('%')).then(|| schema.pointer(pointer)).flatten()
}

/// The names in a pointer without its fragment sign.
pub(super) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}
