//! Where a field stands in a form.

use std::fmt;

/// The names on the way to a field, from the outside in; none for the form as a whole.
///
/// In text they are joined by dots. A dot inside a name is written `~1` and a tilde `~0`, so that two
/// fields never have one text.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The form as a whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// The field of this name inside this one.
    #[must_use]
    pub fn then(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }

    /// Whether this is the form as a whole.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is `other` or something inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            f.write_str(&name.replace('~', "~0").replace('.', "~1"))?;
        }
        Ok(())
    }
}
