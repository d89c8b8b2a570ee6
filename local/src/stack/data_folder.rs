//! The folder that everything persistent lives in, held by one stack at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// Output of one function that is kept before its log starts anew.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Only the owner reads secrets, links and intents.
const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

/// A data folder, locked until this is dropped. The system drops the lock of a killed process.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        for folder in [path.to_owned(), path.join("logs"), path.join("streams")] {
            let made = DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(&folder);
            made.map_err(Error::data(&folder))?;
        }
        let file = path.join("lock");
        let lock = open_private(OpenOptions::new().write(true).create(true), &file);
        let lock = lock.map_err(Error::data(&file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::AlreadyRunning { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(Error::Data { path: file, source }),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.path.join("secrets.json")
    }

    pub(crate) fn notices(&self) -> PathBuf {
        self.path.join("notices.jsonl")
    }

    pub(crate) fn position(&self, table: &str, function: &str) -> PathBuf {
        self.path.join("streams").join(format!("{table}.{function}.json"))
    }

    pub(crate) fn log(&self, binary: &str) -> PathBuf {
        self.path.join("logs").join(format!("{binary}.log"))
    }
}

/// Opens a log for appending; a full one is set aside first, replacing the one before it.
pub(crate) fn open_log(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    append(path)
}

/// Opens a file that only its owner may read, for appending.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    open_private(OpenOptions::new().append(true).create(true), path)
}

/// Replaces a file as a whole: a reader, or a crash, sees the old content or the new.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut file = open_private(OpenOptions::new().write(true).create(true).truncate(true), &next)?;
    file.write_all(content)?;
    drop(file);
    fs::rename(&next, path)
}

fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(OWNER_ONLY).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_stack_on_the_same_folder_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let message = DataFolder::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is in use by another running stack"), "{message}");
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn only_its_owner_may_enter_a_new_folder() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new");
        let _folder = DataFolder::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_full_log_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wake.log");
        let mut log = open_log(&path).unwrap();
        log.set_len(LOG_BYTES_MAX + 1).unwrap();
        log.write_all(b"last").unwrap();
        open_log(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert!(folder.path().join("wake.log.old").exists());
    }
}
