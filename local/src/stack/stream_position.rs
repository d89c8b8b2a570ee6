//! How far a function has come in a stream, kept across crashes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::stack::data_folder::replace;

/// The position of one function in one table's stream.
#[derive(Debug)]
pub(crate) struct StreamPosition {
    path: PathBuf,
    /// The last record that needs no more attention; `None` is before the oldest.
    passed: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    passed_sequence_number: String,
}

impl StreamPosition {
    /// Reads the position. A damaged file counts as none: records may come again, and a consumer
    /// must bear that anyway, but none is skipped.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let passed = match fs::read(&path) {
            Ok(text) => match serde_json::from_slice::<Stored>(&text) {
                Ok(stored) => Some(stored.passed_sequence_number),
                Err(error) => {
                    warn!(path = %path.display(), %error, "a stream is read from its beginning");
                    None
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, passed })
    }

    pub(crate) fn passed(&self) -> Option<&str> {
        self.passed.as_deref()
    }

    /// Moves on. If this cannot be written the position in memory stays too, so that no record
    /// is removed that the next start would need.
    pub(crate) fn pass(&mut self, sequence_number: &str) -> io::Result<()> {
        let stored = Stored { passed_sequence_number: sequence_number.to_owned() };
        replace(&self.path, &serde_json::to_vec(&stored)?)?;
        self.passed = Some(stored.passed_sequence_number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_and_a_damaged_one_skips_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Table.Relay.json");
        let mut position = StreamPosition::open(path.clone()).unwrap();
        assert_eq!(position.passed(), None);
        position.pass("100000000000000000007").unwrap();
        let again = StreamPosition::open(path.clone()).unwrap();
        assert_eq!(again.passed(), Some("100000000000000000007"));
        fs::write(&path, "{\"passed").unwrap();
        assert_eq!(StreamPosition::open(path).unwrap().passed(), None);
    }

    #[test]
    fn a_position_that_cannot_be_written_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let mut position = StreamPosition::open(folder.path().join("gone").join("p.json")).unwrap();
        position.pass("1").unwrap_err();
        assert_eq!(position.passed(), None);
    }
}
